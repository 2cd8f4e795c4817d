// What the store costs: bandwidth of a put against memcpy between warm private buffers in the same run, first touch
// against warmed memory, and sabird's work per object. Read ratios, not absolute numbers.
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <cstring>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/store/loans.h"
#include "runtime/store/mapping.h"
#include "runtime/store/object_writer.h"
#include "runtime/store/ownership.h"
#include "runtime/store/warm.h"

namespace sabir::store {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kCapacityBytes = 1024 * kMiB;
constexpr ProcessId kProcess = {1, 1};

std::vector<uint8_t> source(uint64_t size_bytes) { return std::vector<uint8_t>(size_bytes, 1); }

// sabird and one process in one: what is measured is everything but the control channel's round trip.
class Node final : public LoanSource, public RingSink {
 public:
  Node()
      : fd_(shm::create_memfd("store_benchmark", segment_bytes_for(kCapacityBytes)).value()),
        allocator_(make_first_fit_allocator(segment_bytes_for(kCapacityBytes), kCapacityBytes)),
        loans_(*allocator_, clock_, options()),
        own_(loans_, {}) {
    shm::seal_memfd(fd_.get(), false).value();
    mapping_ = shm::map_file(fd_.get(), segment_bytes_for(kCapacityBytes), PROT_READ | PROT_WRITE).value();
    entry_ = {1, EntryTable::first_entry(own_.lend_batch(kProcess, out_).value())};
  }

  // Every page resident beforehand, as Warmer does it when sabird is idle.
  void warm(uint64_t size_bytes) {
    Warmer warmer(static_cast<uint8_t*>(mapping_.address()), size_bytes, clock_);
    warmer.demand(size_bytes);
    while (warmer.wants_step() && warmer.step().warmed_bytes > 0) {
    }
    method_ = Warmer::name_of(warmer.method());
  }

  Result<Loan> loan(uint64_t size_bytes, int64_t /*wait_ns*/) override {
    out_.clear();
    loans_.request(1, kProcess, size_bytes, 0, out_);
    const auto& grant = std::get<GrantLoan>(out_.at(0));
    return Loan{grant.offset, grant.size_bytes, grant.reused};
  }
  void give_back(uint64_t offset) override { loans_.give_back(kProcess, offset, out_).value(); }
  Result<void> write(const shm::RingMessage& message) override {
    out_.clear();
    own_.begin_round();
    own_.apply(kProcess, shm::encode(message), out_);
    own_.end_round(out_);
    return {};
  }

  shm::EntryRef entry() const { return entry_; }
  // The object goes, its entry comes back under the next generation.
  void release() {
    write(shm::RingMessage::release(entry_)).value();
    while (own_.needs_round()) {
      own_.begin_round();
      own_.end_round(out_);
    }
    entry_.generation += 1;
  }
  int fd() const { return fd_.get(); }
  const char* method() const { return method_; }

 private:
  static LoanLedger::Options options() {
    LoanLedger::Options options;
    options.capacity_bytes = kCapacityBytes;
    return options;
  }

  SteadyClock clock_;
  UniqueFd fd_;
  shm::Mapping mapping_;
  std::unique_ptr<RangeAllocator> allocator_;
  LoanLedger loans_;
  Ownership own_;
  Instructions out_;
  shm::EntryRef entry_;
  const char* method_ = "cold";
};

void put(Node& node, ObjectWriter& writer, const std::vector<uint8_t>& from) {
  Placement placement = writer.create(from.size(), {}).value();
  copy_bytes(placement.data(), from.data(), from.size());
  writer.seal(std::move(placement), node.entry()).value();
}

void count(benchmark::State& state, uint64_t size_bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * size_bytes));
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("bytes");
  for (int64_t size_bytes : {64 << 10, 1 << 20, 16 << 20, 100 << 20}) {
    benchmark->Arg(size_bytes);
  }
  benchmark->UseRealTime();
}

// The yardstick.
void copy_by_memcpy(benchmark::State& state) {
  std::vector<uint8_t> from = source(static_cast<uint64_t>(state.range(0)));
  std::vector<uint8_t> to = source(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::ClobberMemory();
  }
  count(state, from.size());
}
BENCHMARK(copy_by_memcpy)->Apply(sizes);

// One thread and the optional helper, on warm private memory.
void copy_by_copy_bytes(benchmark::State& state) {
  std::vector<uint8_t> from = source(static_cast<uint64_t>(state.range(0)));
  std::vector<uint8_t> to = source(from.size());
  for (auto _ : state) {
    copy_bytes(to.data(), from.data(), from.size());
    benchmark::ClobberMemory();
  }
  count(state, from.size());
}
BENCHMARK(copy_by_copy_bytes)->Apply(sizes);

// Put, release, put: the loan comes back with its alias (O1).
void put_into_reused_loan(benchmark::State& state) {
  Node node;
  ObjectWriter writer(node.fd(), node, node, {});
  std::vector<uint8_t> from = source(static_cast<uint64_t>(state.range(0)));
  put(node, writer, from);
  node.release();
  for (auto _ : state) {
    put(node, writer, from);
    node.release();
  }
  count(state, from.size());
}
BENCHMARK(put_into_reused_loan)->Apply(sizes);

// Each put into another loan, whose alias is new: pages are warm or are touched for the first time.
void put_fresh(benchmark::State& state, bool warm) {
  std::vector<uint8_t> from = source(static_cast<uint64_t>(state.range(0)));
  std::string label;
  for (auto _ : state) {
    state.PauseTiming();
    auto node = std::make_unique<Node>();
    if (warm) {
      node->warm(from.size() + shm::kSharedLoanBytes);
    }
    label = node->method();
    auto writer = std::make_unique<ObjectWriter>(node->fd(), *node, *node, ObjectWriter::Options());
    state.ResumeTiming();
    put(*node, *writer, from);
    state.PauseTiming();
    writer.reset();
    node.reset();
    state.ResumeTiming();
  }
  state.SetLabel(label);
  count(state, from.size());
}
void put_into_warmed_loan(benchmark::State& state) { put_fresh(state, true); }
BENCHMARK(put_into_warmed_loan)->Apply(sizes)->Iterations(5);
void put_into_cold_loan(benchmark::State& state) { put_fresh(state, false); }
BENCHMARK(put_into_cold_loan)->Apply(sizes)->Iterations(5);

// sabird's work for the life of one object: loan, announce, release, three rounds.
void ledger_and_rounds(benchmark::State& state) {
  Node node;
  for (auto _ : state) {
    LoanSource::Loan loan = node.loan(kMiB, 0).value();
    node.write(shm::RingMessage::announce(node.entry(), loan.offset, kMiB, true)).value();
    node.release();
  }
}
BENCHMARK(ledger_and_rounds);

}  // namespace
}  // namespace sabir::store

BENCHMARK_MAIN();
