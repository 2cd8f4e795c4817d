// References and waiting for them.
#include "checks.hpp"
#include "samples.hpp"

namespace conformance {
namespace {

using sabir::ObjectRef;
using sabir::Value;
using Refs = std::vector<ObjectRef<int>>;

void chain_of_calls(Pair& pair) {
  ObjectRef<int> ref = sabir::put(0);
  for (int i = 0; i < 20; ++i) {
    ref = pair.callee.function<int>("add").remote(ref, 1);
  }
  equal(ref.get(kWait), 20);
}

void in_list(Pair& pair) {
  Value::List list{Value::Ref{sabir::put(5).handle()}, Value::Ref{sabir::put("x").handle()}};
  equal(pair.callee.call<std::string>("describe", Value(list)), std::string("[ref(5), ref(\"x\")]"));
  equal(pair.callee.call<int>("gather", Refs{sabir::put(5), pair.callee.function<int>("add").remote(1, 2)}), 8);
}

void in_map(Pair& pair) {
  std::map<std::string, std::map<std::string, ObjectRef<std::vector<int>>>> map;
  map["a"]["b"] = sabir::put(std::vector<int>{1});
  equal(pair.callee.call<std::string>("describe", map), std::string(R"({"a": {"b": ref([1])}})"));
}

void identity(Pair& pair) {
  auto ref = sabir::put("some text");
  std::vector<ObjectRef<std::string>> refs{ref};
  equal(pair.callee.call<std::string>("idof", refs), ref.id());
  require(pair.callee.call<decltype(refs)>("echo", refs).at(0) == ref, "another reference came back");
}

void returned(Pair& pair) {
  Value::Map map{{"k", Value::List{1, 2}}};
  auto refs = pair.callee.call<std::vector<ObjectRef<Value>>>("store", Value(map));
  equal(text_of(refs.at(0).get(kWait)), std::string(R"({"k": [1, 2]})"));
  auto large = pair.callee.call<std::vector<ObjectRef<sabir::Bytes>>>("store", pattern(1 << 20));
  require(large.at(0).get(kWait) == pattern(1 << 20), "1 MiB came back changed");
}

void kept(Pair& pair) {
  auto recorder = pair.callee.recorder(0);
  {
    Refs refs{sabir::put(40), pair.callee.function<int>("add").remote(1, 1)};
    ask<void>(recorder, "keep", refs);
  }
  equal(ask<int>(recorder, "total"), 42);
}

void failed_in_list(Pair& pair) {
  Refs failed{pair.callee.function<int>("fail").remote("no number")};
  contains(everything(expect(SABIR_TASK_FAILED, [&] { pair.callee.call<int>("gather", failed); })), "no number");
}

void large(Pair& pair) {
  auto ref = sabir::put(sabir::Tensor<float>::of(std::vector<float>(16 << 20, 0.5f)));
  equal(pair.callee.call<double>("total", ref), double{8 << 20});
  equal(pair.callee.call<double>("total", ref), double{8 << 20});
}

void wait_some(Pair& pair) {
  auto slow = pair.callee.function<int>("sleep").remote(400);
  auto quick = pair.callee.function<int>("add").remote(1, 2);
  auto some = sabir::wait(Refs{slow, quick}, 1, kWait);
  require(some.ready == Refs{quick} && some.not_ready == Refs{slow}, "the quick one was not first");
  auto all = sabir::wait(Refs{slow, quick}, 2, kWait);
  require(all.ready == Refs({slow, quick}) && all.not_ready.empty(), "not all are ready");
}

}  // namespace

void add_reference_checks(Checks& checks) {
  checks["ref-argument"] = [](Pair& pair) { equal(pair.callee.call<int>("add", sabir::put(20), 1), 21); };
  checks["ref-of-call"] = [](Pair& pair) {
    equal(pair.callee.call<int>("add", pair.callee.function<int>("sleep").remote(100), 1), 101);
  };
  checks["ref-chain"] = chain_of_calls;
  checks["ref-twice"] = [](Pair& pair) {
    auto ref = sabir::put(21);
    equal(pair.callee.call<int>("add", ref, ref), 42);
  };
  checks["ref-in-list"] = in_list;
  checks["ref-in-map"] = in_map;
  checks["ref-in-ref"] = [](Pair& pair) {
    auto inner = sabir::put(std::vector<ObjectRef<int>>{sabir::put(5)});
    std::vector<decltype(sabir::put(std::vector<decltype(inner)>{inner}))> outer{
        sabir::put(std::vector<decltype(inner)>{inner})};
    inner = {};
    equal(pair.callee.call<std::string>("describe", outer), std::string("[ref([ref([ref(5)])])]"));
  };
  checks["ref-identity"] = identity;
  checks["ref-returned"] = returned;
  checks["ref-returned-pending"] = [](Pair& pair) {
    equal(pair.callee.call<Refs>("later", 200).at(0).get(kWait), 200);
  };
  checks["ref-kept"] = kept;
  checks["ref-failed-argument"] = [](Pair& pair) {
    auto failed = pair.callee.function<int>("fail").remote("no number");
    contains(everything(expect(SABIR_TASK_FAILED, [&] { pair.callee.call<int>("add", failed, 1); })), "no number");
  };
  checks["ref-failed-in-list"] = failed_in_list;
  checks["ref-large"] = large;
  checks["get-many"] = [](Pair& pair) {
    auto slow = pair.callee.function<int>("sleep").remote(100);
    auto all = sabir::get(std::make_tuple(slow, pair.callee.function<int>("add").remote(1, 2), sabir::put("x")), kWait);
    require(all == std::make_tuple(100, 3, std::string("x")), "another order");
  };
  checks["wait-some"] = wait_some;
}

}  // namespace conformance
