// Deaths of actors and of workers, restarts and retries.
#include "checks.hpp"

namespace conformance {
namespace {

using sabir::ActorHandle;

sabir::TaskOptions retries(int max_retries) {
  sabir::TaskOptions options;
  options.max_retries = max_retries;
  return options;
}

ActorHandle<> restartable(const Pair& pair, int task_retries = 0) {
  sabir::ActorOptions options;
  options.max_restarts = 1;
  options.max_task_retries = task_retries;
  return pair.callee.recorder(100, options);
}

// Adds 1 as soon as the actor takes calls again.
int restarted(const ActorHandle<>& recorder) {
  int value = 0;
  auto takes_calls = [&] {
    auto result = recorder.task<int>("add").remote(1).try_get(kWait);
    require(result.ok() || result.status() == SABIR_ACTOR_UNAVAILABLE, result.ok() ? "" : result.error().message);
    value = result.ok() ? *result : 0;
    return result.ok();
  };
  until(takes_calls, "an actor that restarts");
  return value;
}

void killed(Pair& pair) {
  auto recorder = pair.callee.recorder(0);
  ask<int>(recorder, "add", 1);
  recorder.kill();
  expect(SABIR_ACTOR_DIED, [&] { ask<int>(recorder, "add", 1); });
}

void killed_running(Pair& pair) {
  auto recorder = pair.callee.recorder(0);
  ask<int>(recorder, "add", 1);
  auto running = recorder.task<int>("sleep").remote(60000);
  expect(SABIR_TIMEOUT, [&] { running.get(std::chrono::milliseconds(200)); });
  recorder.kill();
  expect(SABIR_ACTOR_DIED, [&] { running.get(kWait); });
}

void killed_restarts(Pair& pair) {
  auto recorder = restartable(pair);
  equal(ask<int>(recorder, "add", 5), 105);
  recorder.kill(false);
  until([&] { return restarted(recorder) == 101; }, "a state that is new");
}

void crash(Pair& pair) {
  auto recorder = pair.callee.recorder(0);
  expect(SABIR_ACTOR_DIED, [&] { ask<void>(recorder, "die", "abort"); });
  expect(SABIR_ACTOR_DIED, [&] { ask<int>(recorder, "add", 1); });
}

void restart(Pair& pair) {
  auto recorder = restartable(pair);
  int before = ask<int>(recorder, "pid");
  ask<int>(recorder, "add", 5);
  expect(SABIR_ACTOR_UNAVAILABLE, [&] { ask<void>(recorder, "die", "abort"); });
  equal(restarted(recorder), 101);
  require(ask<int>(recorder, "pid") != before, "the same process");
}

sabir::Error dies(const Pair& pair, const std::string& how) {
  return expect(SABIR_WORKER_CRASHED,
                [&] { pair.callee.function<void>("die").options(retries(0)).remote(how).get(kWait); });
}

struct RetryTypes {
  sabir::RetryExceptions own, base, other;
};

void retry_type(Pair& pair) {
  static const std::map<std::string, RetryTypes> kTypes{
      {"python", {{"ValueError"}, {"builtins.LookupError", "builtins.Exception"}, {"LookupError"}}},
      {"cpp",
       {sabir::RetryExceptions::of<std::runtime_error>(), {"std::bad_alloc", "std::exception"}, {"std::logic_error"}}},
      {"java",
       {{"java.lang.IllegalStateException"},
        {"java.io.IOException", "java.lang.RuntimeException"},
        {"java.io.IOException"}}},
  };
  const RetryTypes& types = kTypes.at(pair.callee.language());
  sabir::TaskOptions options = retries(2);
  auto flaky = [&](const sabir::RetryExceptions& retry) {
    options.retry_exceptions = retry;
    return pair.callee.function<int>("flaky").options(options).remote(2).get(kWait);
  };
  equal(flaky(types.own), 2);
  equal(flaky(types.base), 2);
  contains(expect(SABIR_TASK_FAILED, [&] { flaky(types.other); }).message(), "attempt 0 fails");
}

void crash_and_others(Pair& pair) {
  auto add = pair.callee.function<int>("add");
  std::vector<sabir::ObjectRef<int>> others;
  std::vector<int> wanted;
  auto send = [&] {
    for (int i = 0; i < 20; ++i) {
      others.push_back(add.remote(i, 1));
      wanted.push_back(i + 1);
    }
  };
  send();
  auto dying = pair.callee.function<void>("die").options(retries(0)).remote("abort");
  send();
  expect(SABIR_WORKER_CRASHED, [&] { dying.get(kWait); });
  equal(sabir::get(others, kWait), wanted);
}

}  // namespace

void add_failure_checks(Checks& checks) {
  checks["kill"] = killed;
  checks["kill-running"] = killed_running;
  checks["kill-restart"] = killed_restarts;
  checks["actor-crash"] = crash;
  checks["actor-restart"] = restart;
  checks["actor-retry"] = [](Pair& pair) { equal(ask<int>(restartable(pair, 1), "mortal", 1), 1); };
  checks["task-abort"] = [](Pair& pair) { dies(pair, "abort"); };
  checks["task-segfault"] = [](Pair& pair) { dies(pair, "segfault"); };
  checks["task-exit"] = [](Pair& pair) { contains(dies(pair, "exit").message(), "7"); };
  checks["task-retry-crash"] = [](Pair& pair) {
    equal(pair.callee.function<int>("mortal").options(retries(2)).remote(2).get(kWait), 2);
  };
  checks["task-retry-error"] = [](Pair& pair) {
    sabir::TaskOptions options = retries(2);
    options.retry_exceptions = true;
    equal(pair.callee.function<int>("flaky").options(options).remote(2).get(kWait), 2);
  };
  checks["task-retry-type"] = retry_type;
  checks["task-no-retry-error"] = [](Pair& pair) {
    auto flaky = pair.callee.function<int>("flaky").options(retries(2));
    contains(expect(SABIR_TASK_FAILED, [&] { flaky.remote(2).get(kWait); }).message(), "attempt 0 fails");
  };
  checks["crash-and-others"] = crash_and_others;
}

}  // namespace conformance
