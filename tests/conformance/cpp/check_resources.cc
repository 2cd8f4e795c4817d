// Times and resources.
#include "checks.hpp"

namespace conformance {
namespace {

// How long a task waits for another that must not come; a slow machine makes the proof weaker, never wrong.
constexpr int kApartMs = 250;
constexpr int kTogetherMs = 30000;

sabir::TaskOptions cpus(double number) {
  sabir::TaskOptions options;
  options.num_cpus = number;
  return options;
}

sabir::TaskOptions slots(double number) {
  sabir::TaskOptions options;
  options.resources = {{"slot", number}};
  return options;
}

void meet(Pair& pair, const sabir::TaskOptions& options, int milliseconds, bool wanted) {
  std::string folder = pair.empty_folder();
  auto function = pair.callee.function<bool>("meet").options(options);
  auto one = function.remote(folder, "a", 2, milliseconds);
  auto two = function.remote(folder, "b", 2, milliseconds);
  equal(one.get(kWait), wanted);
  equal(two.get(kWait), wanted);
}

void get_timeout(Pair& pair) {
  auto ref = pair.callee.function<int>("sleep").remote(300);
  expect(SABIR_TIMEOUT, [&] { ref.get(std::chrono::milliseconds(50)); });
  equal(ref.get(kWait), 300);
}

void wait_timeout(Pair& pair) {
  auto ref = pair.callee.function<int>("sleep").remote(300);
  auto result = sabir::wait(std::vector<sabir::ObjectRef<int>>{ref}, 1, std::chrono::milliseconds(50));
  require(result.ready.empty() && result.not_ready.size() == 1, "it was ready too early");
  equal(ref.get(kWait), 300);
}

void negative_timeout(Pair& pair) {
  constexpr sabir::Duration kNegative = std::chrono::seconds(-1);
  auto ready = pair.callee.function<int>("add").remote(1, 2);
  equal(ready.get(kWait), 3);
  for (const auto& ref : {ready, pair.callee.function<int>("sleep").remote(100)}) {
    expect(SABIR_INVALID_ARGUMENT, [&] { ref.get(kNegative); });
    expect(SABIR_INVALID_ARGUMENT, [&] { sabir::wait(std::vector<sabir::ObjectRef<int>>{ref}, 1, kNegative); });
  }
}

void cluster_resources(Pair& pair) {
  auto slots_free = [](double amount) { return sabir::available_resources().at("slot") == amount; };
  sabir::Resources total = sabir::cluster_resources();
  equal(total.at("CPU"), 2.0);
  equal(total.at("slot"), 1.0);
  std::vector<sabir::Node> nodes = sabir::nodes();
  require(nodes.size() == 1 && nodes[0].alive && nodes[0].resources == total, "another node");
  until([&] { return slots_free(1); }, "the slot is free");
  sabir::ActorOptions options;
  options.resources = {{"slot", 0.5}};
  auto recorder = pair.callee.recorder(0, options);
  ask<int>(recorder, "add", 1);
  require(slots_free(0.5), "the actor holds another part of the slot");
  recorder.kill();
  until([&] { return slots_free(1); }, "the slot is free again");
}

void of_actor(Pair& pair) {
  sabir::ActorOptions options;
  options.resources = {{"slot", 1}};
  auto recorder = pair.callee.recorder(0, options);
  ask<int>(recorder, "add", 1);
  auto ref = pair.callee.function<int>("add").options(slots(1)).remote(1, 2);
  expect(SABIR_TIMEOUT, [&] { ref.get(std::chrono::milliseconds(kApartMs)); });
  recorder.kill();
  equal(ref.get(kWait), 3);
}

void impossible(Pair& pair) {
  auto ref = pair.callee.function<int>("add").options(slots(2)).remote(1, 2);
  expect(SABIR_TIMEOUT, [&] { ref.get(std::chrono::milliseconds(kApartMs)); });
}

}  // namespace

void add_resource_checks(Checks& checks) {
  checks["get-timeout"] = get_timeout;
  checks["wait-timeout"] = wait_timeout;
  checks["timeout-negative"] = negative_timeout;
  checks["cluster-resources"] = cluster_resources;
  checks["cpus-two"] = [](Pair& pair) { meet(pair, cpus(2), kApartMs, false); };
  checks["cpus-half"] = [](Pair& pair) { meet(pair, cpus(0.5), kTogetherMs, true); };
  checks["resource-custom"] = [](Pair& pair) { meet(pair, slots(1), kApartMs, false); };
  checks["resource-of-actor"] = of_actor;
  checks["resource-impossible"] = impossible;
}

}  // namespace conformance
