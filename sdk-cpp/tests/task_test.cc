// Tasks: values, order of dependencies, references, results, options.
#include <unistd.h>

#include <atomic>
#include <future>
#include <random>
#include <set>
#include <thread>

#include "support/fixture.hpp"

namespace sabir_test {
namespace {

using sabir::ObjectRef;
using sabir::task;
using sabir::Value;
using testing::ElementsAre;
using testing::HasSubstr;

class Tasks : public WithSession {};

TEST_F(Tasks, Values) {
  EXPECT_EQ(task(plus).remote(1, 2).get(), 3);
  EXPECT_EQ(task(join).remote("a", std::string("b")).get(), "ab");
  EXPECT_THAT(task(reversed).remote(std::vector<std::string>{"a", "b"}).get(), ElementsAre("b", "a"));
  EXPECT_EQ(task(mirrored).remote(Point{1, 2}).get().x, 2);
  task(nothing).remote().get();
  EXPECT_TRUE(task(echo).remote(nullptr).get().is_null());
  EXPECT_EQ(task(echo).remote("text").get().as<std::string>(), "text");
  EXPECT_EQ(task(echo).remote(Value::List{1, 2.5}).get().as<Value::List>().size(), 2u);
  std::string large(3 << 20, 'x');
  EXPECT_EQ(task(join).remote(large, "y").get(), large + "y");
  EXPECT_NE(task(pid).remote().get(), getpid());
}

// Sizes at which another way of sending begins.
TEST_F(Tasks, SizesAroundTheLimits) {
  for (size_t size : {0, 1, 63, 64, 65, 200, 1000, 4095, 4096, 4097, 65530, 65536, 65540, 1 << 20}) {
    std::vector<uint8_t> bytes(size, static_cast<uint8_t>(size));
    Value back = task(echo).remote(sabir::Bytes(size, std::byte{7})).get();
    EXPECT_EQ(back.as<sabir::Bytes>(), sabir::Bytes(size, std::byte{7})) << size;
    EXPECT_EQ(sabir::put(bytes).get(), bytes) << size;
  }
}

TEST_F(Tasks, Pipelined) {
  constexpr int kCalls = 10000;
  auto add = task(plus);
  std::vector<ObjectRef<int>> refs;
  for (int i = 0; i < kCalls; ++i) {
    refs.push_back(add.remote(i, 1));
  }
  std::vector<int> values = sabir::get(refs);
  for (int i = 0; i < kCalls; ++i) {
    ASSERT_EQ(values[i], i + 1);
  }
}

// P1: one thread has the doorbell of the process; whoever gives up in the moment it is handed over passes it on.
TEST_F(Tasks, NobodyIsLeftWaitingWhenOthersGiveUp) {
  constexpr int kCalls = 2000;
  sabir::TaskOptions beside;  // the tests that follow have both CPUs
  beside.num_cpus = 0;
  beside.max_retries = 0;
  ObjectRef<int> never = task(slow).options(beside).remote(600'000, 0);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 6; ++seed) {
    threads.emplace_back([&, chance = std::minstd_rand(seed + 1)]() mutable {
      while (!stop) {
        EXPECT_FALSE(never.try_get(std::chrono::microseconds(25 + chance() % 300)).ok());
      }
    });
  }
  std::vector<std::future<int>> sums;
  for (int i = 0; i < 2; ++i) {
    sums.push_back(std::async(std::launch::async, [] {
      int sum = 0;
      for (int call = 0; call < kCalls; ++call) {
        sum += task(plus).remote(call, 1).get();
      }
      return sum;
    }));
  }
  for (auto& sum : sums) {
    EXPECT_EQ(sum.get(), kCalls * (kCalls + 1) / 2);
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST_F(Tasks, ReferencesAsArguments) {
  ObjectRef<int> chain = sabir::put(0);
  for (int i = 0; i < 100; ++i) {
    chain = task(plus).remote(chain, 1);
  }
  EXPECT_EQ(chain.get(), 100);
  // A parameter that is a reference gets the reference, ready or not.
  EXPECT_EQ(task(follow).remote(task(slow).remote(30, 5)).get(), 5);
  std::map<std::string, std::vector<ObjectRef<int>>> refs{{"a", {sabir::put(1), task(slow).remote(20, 2)}},
                                                          {"b", {task(plus).remote(1, 2)}}};
  EXPECT_EQ(task(follow_all).remote(refs).get(), 6);
  EXPECT_EQ(task(follow_all).remote(sabir::put(refs)).get(), 6);
}

TEST_F(Tasks, ReferencesInResultsKeepTheirValues) {
  std::vector<ObjectRef<int>> refs = task(make_refs).remote(20).get();
  std::vector<int> values = sabir::get(refs);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(values[i], i);
  }
}

TEST_F(Tasks, Recursion) { EXPECT_EQ(task(depth).remote(6).get(), 6); }

TEST_F(Tasks, SeveralResults) {
  auto [number, text] = task(two).split().remote();
  EXPECT_EQ(number.get(), 1);
  EXPECT_EQ(text.get(), "second");
  EXPECT_EQ(sabir::get(std::make_tuple(number, text)), std::make_tuple(1, std::string("second")));
  EXPECT_EQ(task(two).remote().get(), std::make_tuple(1, std::string("second")));
}

TEST_F(Tasks, WaitAndTimeouts) {
  ObjectRef<int> late = task(slow).remote(800, 1);
  ObjectRef<int> soon = task(plus).remote(1, 1);
  auto result = sabir::wait(std::vector<ObjectRef<int>>{late, soon}, 1);
  ASSERT_EQ(result.ready.size(), 1u);
  EXPECT_EQ(result.ready[0], soon);
  EXPECT_EQ(result.not_ready[0], late);
  EXPECT_TRUE(sabir::wait(std::vector<ObjectRef<int>>{late}, 1, sabir::Duration(0)).ready.empty());
  EXPECT_THROW(late.get(std::chrono::milliseconds(1)), sabir::TimeoutError);
  EXPECT_EQ(late.try_get(sabir::Duration(0)).status(), SABIR_TIMEOUT);
  // For the C interface these were for ever.
  std::vector<ObjectRef<int>> both{late, soon};
  for (sabir::Duration negative : {sabir::Duration(-1), sabir::Duration(std::chrono::seconds(-1))}) {
    EXPECT_THROW(late.get(negative), sabir::InvalidArgumentError);
    EXPECT_THROW(sabir::get(both, negative), sabir::InvalidArgumentError);
    EXPECT_THROW(sabir::wait(both, 1, negative), sabir::InvalidArgumentError);
    EXPECT_THROW(sabir::put(1, negative), sabir::InvalidArgumentError);
  }
  EXPECT_THAT(late.try_get(sabir::Duration(-5)).error().message, testing::HasSubstr("not -5 ns"));
  EXPECT_FALSE(late.ready());
  sabir::Result<int> value = soon.try_get();
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(*value, 2);
  EXPECT_EQ(late.get(std::chrono::hours(24 * 365 * 290)), 1);
}

TEST_F(Tasks, Tensors) {
  auto matrix = sabir::Tensor<double>::of({1, 2, 3, 4}, {2, 2});
  auto result = task(doubled).remote(matrix).get();
  EXPECT_THAT(result.shape(), ElementsAre(2, 2));
  EXPECT_EQ(result(1, 1), 8);
  auto reference = sabir::put(matrix);
  EXPECT_EQ(task(doubled).remote(reference).get()(0, 1), 4);
}

// 64 MB: what two tasks and the driver see lies once in the store, and is where it is read.
TEST_F(Tasks, LargeTensorsAreNotCopied) {
  constexpr uint64_t kBytes = 64 << 20;
  ObjectRef<sabir::Tensor<uint8_t>> ref = task(bytes_of).remote(kBytes);
  sabir::Tensor<uint8_t> here = ref.get();
  sabir::Tensor<uint8_t> again = ref.get();
  EXPECT_EQ(here.data(), again.data());
  EXPECT_EQ(here.size(), kBytes);
  EXPECT_EQ(here(4096 * 255), 255);
  EXPECT_EQ(task(address_of).remote(ref).get(), reinterpret_cast<uintptr_t>(here.data()) % 4096);
  // It stays as long as something looks at it.
  const uint8_t* data = here.data();
  ref = {};
  again = {};
  for (int i = 0; i < 8; ++i) {
    sabir::put(std::vector<uint8_t>(32 << 20)).get();
  }
  EXPECT_EQ(data[4096 * 7], 7);
}

TEST_F(Tasks, OptionsAndRetries) {
  sabir::TaskOptions patient;
  patient.retry_exceptions = true;
  patient.max_retries = 2;
  EXPECT_EQ(task(fail_until).options(patient).remote(2).get(), 2);
  patient.max_retries = 1;
  EXPECT_THAT(error_of<sabir::TaskError>(task(fail_until).options(patient).remote(2)).what(), HasSubstr("not yet"));
  patient.max_retries = 2;
  // It throws a std::runtime_error; bases count.
  using sabir::RetryExceptions;
  for (const RetryExceptions& some : {RetryExceptions::of<std::runtime_error>(), RetryExceptions::of<std::exception>(),
                                      RetryExceptions{"none", "std::runtime_error"}}) {
    patient.retry_exceptions = some;
    EXPECT_EQ(task(fail_until).options(patient).remote(2).get(), 2);
  }
  patient.retry_exceptions = RetryExceptions::of<std::logic_error, std::range_error>();
  EXPECT_THAT(error_of<sabir::TaskError>(task(fail_until).options(patient).remote(2)).what(), HasSubstr("not yet"));
  EXPECT_EQ(task(crash_until).remote(2).get(), 2);
  sabir::TaskOptions once;
  once.max_retries = 0;
  once.name = "fragile";
  EXPECT_THAT(error_of<sabir::WorkerCrashedError>(task(crash_until).options(once).remote(2)).what(),
              HasSubstr("fragile"));
}

TEST_F(Tasks, Resources) {
  sabir::TaskOptions greedy;
  greedy.resources = {{"unicorn", 1}};
  ObjectRef<int> never = task(plus).options(greedy).remote(1, 2);
  EXPECT_THROW(never.get(std::chrono::milliseconds(50)), sabir::TimeoutError);
  // Two that want both CPUs do not run at the same time as each other; and both run.
  sabir::TaskOptions both;
  both.num_cpus = 2;
  EXPECT_THAT(sabir::get(std::vector<ObjectRef<int>>{task(slow).options(both).remote(10, 1),
                                                     task(slow).options(both).remote(10, 2)}),
              ElementsAre(1, 2));
}

TEST_F(Tasks, ByName) {
  EXPECT_EQ(sabir::cpp_function<int>("plus").remote(20, 22).get(), 42);
  EXPECT_EQ(sabir::cpp_function<Value>("join").remote("a", sabir::put(std::string("b"))).get().as<std::string>(), "ab");
}

TEST_F(Tasks, ManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> sum{0};
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        sum += task(plus).remote(i, 1).get() - i;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(sum, 800);
}

TEST(TaskSession, StartHasNoNegativeTimeout) {
  sabir::Config config = local();
  config.timeout = std::chrono::seconds(-1);
  EXPECT_THROW(sabir::init(config), sabir::InvalidArgumentError);
  EXPECT_FALSE(sabir::is_initialized());
}

// One that wants no CPU does not wait for those who have them all. In a session of its own: the holder ends with it.
TEST(TaskResources, None) {
  sabir::Session session(local());
  sabir::TaskOptions both;
  both.num_cpus = 2;
  ObjectRef<int> holding = task(slow).options(both).remote(20000, 1);
  sabir::TaskOptions none;
  none.num_cpus = 0;
  EXPECT_EQ(task(plus).options(none).remote(1, 2).get(), 3);
  EXPECT_FALSE(holding.ready());
}

TEST_F(Tasks, NodesAndResources) {
  std::vector<sabir::Node> nodes = sabir::nodes();
  ASSERT_EQ(nodes.size(), 1u);
  EXPECT_EQ(nodes[0].node_id.size(), 32u);
  EXPECT_TRUE(nodes[0].alive);
  EXPECT_GT(nodes[0].store_capacity_bytes, 0u);
  EXPECT_EQ(nodes[0].resources.at("CPU"), 2);
  EXPECT_EQ(sabir::cluster_resources(), nodes[0].resources);
  EXPECT_LE(sabir::available_resources().at("CPU"), 2);
  EXPECT_THAT(sabir::status(), testing::HasSubstr(nodes[0].node_id));
}

}  // namespace
}  // namespace sabir_test
