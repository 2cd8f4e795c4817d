// Waiting without a thread, and C++20: coroutines and options with designated initializers.
#include <coroutine>
#include <future>

#include "support/fixture.hpp"

namespace sabir_test {
namespace {

using sabir::ObjectRef;
using sabir::task;

// A coroutine whose result is a std::future.
template <typename T>
struct Job {
  struct promise_type {
    std::promise<T> promise;
    Job get_return_object() { return {promise.get_future()}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_value(T value) { promise.set_value(std::move(value)); }
    void unhandled_exception() { promise.set_exception(std::current_exception()); }
  };
  std::future<T> future;
};

Job<int> sum_of(int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    sum += co_await task(slow).remote(i % 3, i);
  }
  co_return sum;
}

Job<std::string> failing() {
  try {
    co_await task(fail).remote("on purpose");
  } catch (const sabir::TaskError& error) {
    co_return error.type();
  }
  co_return "";
}

Job<sabir_status> waiting_for(ObjectRef<int> ref) {
  try {
    co_await ref;
  } catch (const sabir::Error& error) {
    co_return error.status();
  }
  co_return SABIR_OK;
}

TEST(Await, Coroutines) {
  sabir::Session session(local());
  std::vector<Job<int>> jobs;
  for (int i = 0; i < 20; ++i) {
    jobs.push_back(sum_of(i));
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(jobs[i].future.get(), i * (i - 1) / 2);
  }
  EXPECT_EQ(failing().future.get(), "std::runtime_error");
}

TEST(Await, Callbacks) {
  sabir::Session session(local());
  std::promise<void> called;
  ObjectRef<int> ref = task(slow).remote(20, 1);
  sabir::on_ready(ref, [&] { called.set_value(); });
  called.get_future().get();
  EXPECT_TRUE(ref.ready());
  bool at_once = false;
  sabir::on_ready(ref, [&] { at_once = true; });
  EXPECT_TRUE(at_once);
}

TEST(Await, ShutdownEndsTheWait) {
  Job<sabir_status> job;
  {
    sabir::Session session(local(1));
    job = waiting_for(task(slow).remote(60000, 1));
  }
  EXPECT_EQ(job.future.get(), SABIR_CLOSED);
}

TEST(Await, DesignatedOptions) {
  sabir::Session session({.address = "local", .resources = {{"CPU", 3}}, .session_root = session_root()});
  EXPECT_EQ(task(plus).options({.num_cpus = 3, .max_retries = 0}).remote(1, 2).get(), 3);
  EXPECT_EQ(sabir::actor(Counter::create).options({.name = "c"}).remote(1).name(), "c");
}

}  // namespace
}  // namespace sabir_test
