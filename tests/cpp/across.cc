// C++ calls Python: values, keyword arguments, references, tensors, errors, actors. Prints "passed" at the end.
#include <cstdio>
#include <cstdlib>
#include <sabir/sabir.hpp>

#define CHECK(condition) \
  ((condition) ? (void)0 : (std::fprintf(stderr, "line %d: %s\n", __LINE__, #condition), std::exit(1)))

using sabir::Value;

namespace {

template <typename R = Value>
auto python(const std::string& name) {
  return sabir::py_function<R>("across", name);
}

void values() {
  CHECK(sabir::py_function<double>("math", "sqrt").remote(2.25).get() == 1.5);
  CHECK(python<std::string>("kind").remote("text").get() == "str");
  CHECK(python<std::string>("kind").remote(uint64_t{1} << 63).get() == "int");
  CHECK(python<std::string>("kind").remote(sabir::Bytes(3)).get() == "bytes");
  CHECK(python<std::string>("kind").remote(nullptr).get() == "NoneType");
  CHECK(python<std::string>("kind").remote(std::make_tuple(1, true)).get() == "tuple");
  CHECK(python<std::string>("kind").remote(std::chrono::system_clock::now()).get() == "datetime");
  std::map<std::string, std::vector<double>> table{{"a", {1, 2.5}}, {"b", {}}};
  CHECK((python<decltype(table)>("same").remote(table).get() == table));
  sabir::BigInt big({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(python<sabir::BigInt>("same").remote(big).get() == big);
  CHECK(python<int>("minus").remote(5, sabir::named("b", 3)).get() == 2);
  // What every language writes comes back as it was sent.
  Value::Map map{{1, true}, {"k", Value::List{nullptr, -1, 0.5, "text"}}};
  CHECK(python("same").remote(Value(map)).get().as<Value::Map>().size() == 2);
}

void references() {
  auto number = sabir::put(20);
  CHECK(python<int>("minus").remote(number, python<int>("minus").remote(number, 18)).get() == 18);
  std::vector<sabir::ObjectRef<int>> refs{number, sabir::put(2)};
  CHECK(python<int>("sum_of").remote(refs).get() == 22);
  CHECK(python<std::vector<sabir::ObjectRef<int>>>("same").remote(refs).get()[0].get() == 20);
}

void tensors() {
  auto matrix = sabir::Tensor<double>::of({1, 2, 3, 4}, {2, 2});
  auto doubled = python<sabir::Tensor<double>>("doubled").remote(matrix).get();
  CHECK(doubled.shape() == matrix.shape() && doubled(1, 0) == 6);
  std::vector<float> numbers(1 << 20, 0.5f);
  auto large = sabir::put(sabir::Tensor<float>::of(numbers));
  CHECK(python<double>("total").remote(large).get() == (1 << 19));
}

void errors() {
  try {
    python("fail").remote("on purpose").get();
    CHECK(!"an error");
  } catch (const sabir::TaskError& error) {
    CHECK(error.type() == "builtins.ValueError" && error.language() == sabir::Language::kPython);
    CHECK(std::string(error.what()).find("on purpose") != std::string::npos);
    CHECK(error.stack().find("across.py") != std::string::npos);
  }
  auto missing = python("no_such_function").remote().try_get();
  CHECK(!missing.ok() && missing.error().message.find("no_such_function") != std::string::npos);
  // A Python object of its own has no meaning here, and the error says so.
  auto native = python("own_object").remote().try_get();
  CHECK(native.status() == SABIR_INVALID_ARGUMENT && native.error().message.find("Python") != std::string::npos);
}

void actors() {
  auto counter = sabir::py_actor_class("across", "Counter").remote(5);
  for (int i = 0; i < 10; ++i) {
    counter.task<void>("add").remote(i);
  }
  CHECK(counter.task<int>("add").remote(0).get() == 50);
  CHECK(counter.language() == sabir::Language::kPython);
  auto handles = python<std::vector<sabir::ActorHandle<>>>("same").remote(std::vector<sabir::ActorHandle<>>{counter});
  CHECK(handles.get()[0].task<int>("add").remote(7).get() == 57);
}

}  // namespace

int main(int argc, char** argv) {
  sabir::Config config;
  config.address = "local";
  config.resources = {{"CPU", 2}};
  if (argc == 3) {
    config.python = argv[1];
    config.code_search_path = {argv[2]};
  }
  sabir::Session session(config);
  values();
  references();
  tensors();
  errors();
  actors();
  std::puts("passed");
}
