// What a change costs: alone, in company, against loss of power; and how long a store takes to open.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/control/durable_control.h"
#include "runtime/control/testing/owner_thread.h"
#include "runtime/control/testing/store_folder.h"

namespace sabir::control {
namespace {

using testing::OwnerThread;
using testing::StoreFolder;

class Bench {
 public:
  explicit Bench(bool durable) {
    DurableControl::Options options;
    options.storage = folder_.options();
    options.storage.durable = durable;
    control_ = DurableControl::open(options, owner_.executor(), &clock_,
                                    {[](const Error& error) { SABIR_CHECK(false, error.message()); }, {}})
                   .value();
  }

  // Changes of 100 bytes with their replies, so many open at a time.
  void change(uint64_t count, uint64_t open) {
    uint64_t end = done_ + count;
    while (done_ < end) {
      while (next_ <= end && next_ - done_ <= open) {
        send(next_++);
      }
      uint64_t before = done_;
      owner_.run_until([&] { return done_ > before; });
    }
  }

  // What a placement group costs on the disk: its creation, the decision about it, and its end.
  void placement_group() {
    Records& groups = control_->tables().placement_groups();
    answer([&] { return groups.put("group", std::string(200, 'g')); });
    answer([&] { return groups.put("group", std::string(260, 'g')); });
    answer([&] { return groups.erase("group"); });
  }

 private:
  void send(uint64_t id) {
    control_->requests().change(
        {"client", id, done_ + 1},
        [this, id]() -> Result<std::string> {
          SABIR_RETURN_IF_ERROR(
              control_->tables().key_value().put("key" + std::to_string(id % 10'000), std::string(100, 'v'), true));
          return std::string("done");
        },
        [this](const Result<std::string>& answer) {
          SABIR_CHECK(answer.ok());
          ++done_;
        });
  }
  void answer(const std::function<Result<void>()>& work) {
    uint64_t before = done_;
    control_->requests().change(
        {"client", next_, next_},
        [&]() -> Result<std::string> {
          SABIR_RETURN_IF_ERROR(work());
          return std::string();
        },
        [this](const Result<std::string>& answer) {
          SABIR_CHECK(answer.ok());
          ++done_;
        });
    ++next_;
    owner_.run_until([&] { return done_ > before; });
  }

  StoreFolder folder_;
  OwnerThread owner_;
  SteadyClock clock_;
  std::unique_ptr<DurableControl> control_;
  uint64_t next_ = 1;
  uint64_t done_ = 0;
};

void change(benchmark::State& state) {
  Bench bench(state.range(0) != 0);
  auto open = static_cast<uint64_t>(state.range(1));
  uint64_t count = open == 1 ? 100 : 5'000;
  for (auto _ : state) {
    bench.change(count, open);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(count));
}
BENCHMARK(change)->ArgNames({"durable", "open"})->ArgsProduct({{0, 1}, {1, 64, 1000}})->UseRealTime();

void placement_group(benchmark::State& state) {
  Bench bench(false);
  for (auto _ : state) {
    bench.placement_group();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(placement_group)->UseRealTime();

void open_store(benchmark::State& state) {
  StoreFolder folder;
  {
    auto storage = folder.open();
    Batch batch;
    for (int64_t i = 0; i < state.range(0); ++i) {
      batch.put("key_value", "key" + std::to_string(i), std::string(200, 'v'));
    }
    SABIR_CHECK(storage->commit(batch).ok());
  }
  OwnerThread owner;
  SteadyClock clock;
  DurableControl::Options options;
  options.storage = folder.options();
  for (auto _ : state) {
    auto control = DurableControl::open(options, owner.executor(), &clock, {});
    SABIR_CHECK(control.ok());
  }
}
BENCHMARK(open_store)->ArgName("rows")->Arg(0)->Arg(10'000)->Arg(100'000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sabir::control

BENCHMARK_MAIN();
