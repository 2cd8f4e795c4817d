// Sizes and calls.
#include <thread>

#include "checks.hpp"
#include "samples.hpp"

namespace conformance {
namespace {

using sabir::ObjectRef;
using sabir::Value;

void echoes(const Pair& pair, size_t from, size_t to) {
  auto echo = pair.callee.function<sabir::Bytes>("echo");
  std::vector<ObjectRef<sabir::Bytes>> refs;
  for (size_t size = from; size < to; ++size) {
    refs.push_back(echo.remote(pattern(size)));
  }
  for (size_t size = from; size < to; ++size) {
    require(refs[size - from].get(kWait) == pattern(size), std::to_string(size) + " bytes came back changed");
  }
}

void ten_arguments(Pair& pair) {
  Value::Map map{{"six", 6}};
  auto seen = pair.callee.call<std::string>("join", 1, "two", 3.0, nullptr, std::vector<int>{5}, Value(map),
                                            sabir::Bytes{std::byte{'7'}}, true, -9, "ten");
  equal<std::string>(seen, R"([1, "two", float:4008000000000000, null, [5], {"six": 6}, bytes:37, true, -9, "ten"])");
}

void many(Pair& pair) {
  auto add = pair.callee.function<int>("add");
  std::vector<ObjectRef<int>> refs;
  std::vector<int> wanted;
  for (int i = 0; i < 500; ++i) {
    refs.push_back(add.remote(i, 1));
    wanted.push_back(i + 1);
  }
  equal(sabir::get(refs, kWait), wanted);
}

void threads(Pair& pair) {
  std::vector<int> sums(4);
  std::vector<std::thread> started;
  for (int i = 0; i < 4; ++i) {
    started.emplace_back([&pair, &sum = sums[i], i] {
      for (int j = 0; j < 25; ++j) {
        auto result = pair.callee.function<int>("add").remote(i, j).try_get(kWait);
        sum += result.ok() ? *result : -1000;
      }
    });
  }
  for (std::thread& thread : started) {
    thread.join();
  }
  equal(sums, std::vector<int>{300, 325, 350, 375});
}

sabir::detail::RemoteFunction<std::string, sabir::detail::AnyParameters> extra(const std::string& language) {
  if (language == "python") {
    return sabir::py_function<std::string>("conformance_extra", "extra");
  }
  if (language == "java") {
    return sabir::java_function<std::string>("conformance.extra.Extra", "extra");
  }
  return sabir::cpp_function<std::string>("extra");
}

void runtime_env(Pair& pair) {
  auto function = extra(pair.callee.language());
  expect(SABIR_NOT_FOUND, [&] { function.remote().get(kWait); });
  sabir::TaskOptions options;
  options.runtime_env.code_search_path = paths_of("CONFORMANCE_EXTRA");
  equal(function.options(options).remote().get(kWait), std::string("found"));
}

void parallel(Pair& pair) {
  std::string folder = pair.empty_folder();
  auto meet = pair.callee.function<bool>("meet");
  auto one = meet.remote(folder, "a", 2, 30000);
  auto two = meet.remote(folder, "b", 2, 30000);
  require(one.get(kWait) && two.get(kWait), "they did not meet");
}

}  // namespace

void add_call_checks(Checks& checks) {
  checks["size-around-cells"] = [](Pair& pair) { echoes(pair, 0, 200); };
  checks["size-around-blocks"] = [](Pair& pair) { echoes(pair, 4096 - 100, 4096 + 20); };
  checks["size-around-store"] = [](Pair& pair) { echoes(pair, 65536 - 100, 65536 + 20); };
  checks["call-no-arguments"] = [](Pair& pair) { equal(text_of(pair.callee.call<Value>("nothing")), {"null"}); };
  checks["call-ten-arguments"] = ten_arguments;
  checks["call-two-results"] = [](Pair& pair) {
    auto both = pair.callee.function<std::tuple<std::string, int>>("pair").split().remote(1, "one");
    equal(std::get<0>(both).get(kWait), std::string("one"));
    equal(std::get<1>(both).get(kWait), 1);
  };
  checks["call-keywords"] = [](Pair& pair) {
    equal(pair.callee.call<int>("scaled", 2, sabir::named("offset", 1), sabir::named("factor", 10)), 21);
  };
  checks["call-nested"] = [](Pair& pair) { equal(pair.callee.call<int>("fibonacci", 5), 5); };
  checks["call-back"] = [](Pair& pair) { equal(pair.callee.call<int>("relay", pair.own.language(), 3, 4), 7); };
  checks["call-many"] = many;
  checks["call-threads"] = threads;
  checks["call-parallel"] = parallel;
  checks["call-runtime-env"] = runtime_env;
}

}  // namespace conformance
