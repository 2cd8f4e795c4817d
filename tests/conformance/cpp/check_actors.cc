// Actors and their handles.
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "checks.hpp"

namespace conformance {
namespace {

using sabir::ActorHandle;
using sabir::Value;
using Handles = std::vector<ActorHandle<>>;
using Numbers = std::vector<int>;

void state(Pair& pair) {
  auto recorder = pair.callee.recorder(10);
  for (int i = 11; i <= 13; ++i) {
    equal(ask<int>(recorder, "add", 1), i);
  }
  equal(ask<Numbers>(recorder, "history"), Numbers{1, 1, 1});
}

void order(Pair& pair) {
  auto recorder = pair.callee.recorder(0);
  Numbers wanted;
  for (int i = 0; i < 100; ++i) {
    recorder.task<int>("add").remote(i);
    wanted.push_back(i);
  }
  equal(ask<Numbers>(recorder, "history"), wanted);
}

void order_pending(Pair& pair) {
  auto recorder = pair.callee.recorder(0);
  recorder.task<int>("add").remote(pair.callee.function<int>("sleep").remote(200));
  recorder.task<int>("add").remote(1);
  equal(ask<Numbers>(recorder, "history"), Numbers{200, 1});
}

void two(Pair& pair) {
  auto one = pair.callee.recorder(1);
  auto other = pair.callee.recorder(100);
  equal(ask<int>(one, "add", 1), 2);
  equal(ask<int>(other, "add", 1), 101);
  equal(ask<int>(one, "add", 1), 3);
}

void process(Pair& pair) {
  auto recorder = pair.callee.recorder(0);
  int pid = ask<int>(recorder, "pid");
  require(pid != getpid() && kill(pid, 0) == 0, "not a process of its own");
  equal(ask<int>(recorder, "pid"), pid);
}

void threads(Pair& pair) {
  auto recorder = pair.callee.recorder(0);
  std::vector<std::thread> started;
  for (int i = 1; i <= 4; ++i) {
    started.emplace_back([recorder, i] {
      for (int j = 0; j < 25; ++j) {
        (void)recorder.task<int>("add").remote(i).try_get(kWait);
      }
    });
  }
  for (std::thread& thread : started) {
    thread.join();
  }
  Numbers counts(5);
  for (int amount : ask<Numbers>(recorder, "history")) {
    ++counts.at(amount);
  }
  equal(counts, Numbers{0, 25, 25, 25, 25});
}

void keeps_references(Pair& pair) {
  auto recorder = pair.callee.recorder(0);
  ask<void>(recorder, "keep", std::vector<sabir::ObjectRef<int>>{sabir::put(1), sabir::put(2), sabir::put(3)});
  equal(ask<int>(recorder, "total"), 6);
  equal(ask<int>(recorder, "total"), 6);
}

void nudged(const Peer& by, const Peer& whose) {
  auto recorder = whose.recorder(1);
  equal(by.call<int>("nudge", recorder, 10), 11);
  equal(ask<int>(recorder, "add", 1), 12);
}

void in_list(Pair& pair) {
  Handles recorders{pair.callee.recorder(1), pair.callee.recorder(2)};
  equal(pair.callee.call<int>("nudge_all", recorders, 10), 23);
  std::map<std::string, Handles> map{{"h", recorders}};
  equal(pair.callee.call<std::string>("describe", map), std::string(R"({"h": [actor, actor]})"));
}

void to_actor(Pair& pair) {
  auto first = pair.callee.recorder(0);
  auto second = pair.callee.recorder(1);
  ask<void>(first, "befriend", Handles{second, pair.own.recorder(2)});
  equal(ask<int>(first, "forward", 10), 23);
  equal(ask<Numbers>(second, "history"), Numbers{10});
}

void returned(Pair& pair) {
  auto recorder = pair.callee.recorder(1);
  auto back = pair.callee.call<Handles>("echo", Handles{recorder}).at(0);
  equal(ask<int>(back, "add", 1), 2);
  equal(back.id(), recorder.id());
}

bool unknown(const std::string& name) { return sabir::try_get_actor(name).status() == SABIR_NOT_FOUND; }

void detached(Pair& pair) {
  sabir::ActorOptions options;
  options.name = "detached";
  options.detached = true;
  ask<int>(pair.callee.recorder(1, options), "add", 1);
  auto found = sabir::get_actor("detached");
  equal(ask<int>(found, "add", 1), 3);
  found.kill();
  until([] { return unknown("detached"); }, "the end of a detached actor that was killed");
}

void ends(Pair& pair) {
  sabir::ActorOptions options;
  options.name = "ends";
  int pid = ask<int>(pair.callee.recorder(1, options), "pid");
  // Not by its name: a look-up makes a handle.
  until([pid] { return kill(pid, 0) != 0; }, "the end of an actor without handles");
  until([] { return unknown("ends"); }, "the end of its name");
}

void leaves(Pair& pair) {
  auto recorder = pair.callee.recorder(0);
  ask<int>(recorder, "add", 1);
  expect(SABIR_ACTOR_DIED, [&] { ask<void>(recorder, "leave"); });
  expect(SABIR_ACTOR_DIED, [&] { ask<int>(recorder, "add", 1); });
}

}  // namespace

void add_actor_checks(Checks& checks) {
  checks["actor-state"] = state;
  checks["actor-order"] = order;
  checks["actor-order-pending"] = order_pending;
  checks["actor-two"] = two;
  checks["actor-process"] = process;
  checks["actor-threads"] = threads;
  checks["actor-keeps-references"] = keeps_references;
  checks["handle-argument"] = [](Pair& pair) { nudged(pair.callee, pair.callee); };
  checks["handle-in-list"] = in_list;
  checks["handle-to-caller"] = [](Pair& pair) { nudged(pair.own, pair.callee); };
  checks["handle-of-caller"] = [](Pair& pair) { nudged(pair.callee, pair.own); };
  checks["handle-to-actor"] = to_actor;
  checks["handle-returned"] = returned;
  checks["actor-detached"] = detached;
  checks["actor-ends"] = ends;
  checks["actor-leaves"] = leaves;
  checks["actor-missing-method"] = [](Pair& pair) {
    auto recorder = pair.callee.recorder(0);
    contains(everything(expect(SABIR_NOT_FOUND, [&] { ask<int>(recorder, "no_such_method", 1); })), "no_such_method");
    equal(ask<int>(recorder, "add", 1), 1);
  };
}

}  // namespace conformance
