// Between two processes: a submitter and a worker (or actor) pass empty calls through queue, reply stack and doorbells.
// Built twice, with cells of 128 and of 256 bytes (Q1): compare pipelined rates, above all with a backlog that leaves
// the cache.
#include <benchmark/benchmark.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "runtime/shm/cell_pool.h"
#include "runtime/shm/doorbell.h"
#include "runtime/shm/process_ring.h"
#include "runtime/shm/process_slot.h"
#include "runtime/shm/spin.h"
#include "runtime/shm/stack.h"
#include "runtime/shm/work_queue.h"

namespace sabir::shm {
namespace {

constexpr SlotIndex kSubmitter = 1, kWorker = 2;
constexpr QueueIndex kQueue = 0;

SessionSegments make_segments() {
  SegmentOptions options;
  options.store_bytes = kHugePageBytes;
  options.cpu_count = 2;
  options.spin_allowance = 2;
  SessionSegments segments = SessionSegments::create(options).value();
  for (SlotIndex slot : {kSubmitter, kWorker}) {
    prepare_slot(segments.calls, slot, 0, 0);
  }
  recycle_work_queue(segments.calls.queue(kQueue));
  inbox(segments.calls, kWorker).open();
  return segments;
}

// Empty calls only: claims, finishes, pushes, rings; the spin policy (L5) between.
class Worker {
 public:
  Worker(const NodeView& node, const CallsView& calls)
      : calls_(calls), spinner_(clock_, node, calls, kWorker), claimer_(calls.queue(kQueue), calls, kWorker) {}

  [[noreturn]] void run() {
    CellStack own_inbox = inbox(calls_, kWorker);
    std::vector<uint32_t> batch;
    while (true) {
      while (std::optional<CellRef> ref = claimer_.claim()) {
        answer(*ref);
      }
      batch.clear();
      own_inbox.take_all(batch, kInboxBound);
      for (CellIndex cell : batch) {
        answer({claim_from_inbox(calls_.cell(cell), kWorker).generation, cell});
      }
      auto ready = [&] { return !claimer_.empty() || !own_inbox.empty(); };
      spinner_.show_spinning(true);
      SpinOutcome spun = spinner_.spin(kSubmitter, false, ready);
      spinner_.show_spinning(false);
      if (spun == SpinOutcome::kSleep) {
        Doorbell bell(calls_.page(kWorker).doorbell);
        uint32_t value = bell.prepare_sleep();
        if (!ready()) {
          bell.sleep(value, -1);
        }
        bell.end_sleep();
      }
    }
  }

 private:
  void answer(CellRef ref) {
    Cell& cell = calls_.cell(ref.cell);
    cell.result_place = static_cast<uint8_t>(ResultPlace::kNone);
    finish_cell(cell, ref.generation, kWorker);
    reply_stack(calls_, kSubmitter).push(ref.cell);
    Doorbell(calls_.page(kSubmitter).doorbell).ring_after_rmw(memo_);
  }

  const CallsView& calls_;
  SteadyClock clock_;
  Spinner spinner_;
  QueueClaimer claimer_;
  RingMemo memo_{0};
};

// The segments, and a worker process on them that is killed at the end.
class Session {
 public:
  Session()
      : segments_(make_segments()),
        cells_(segments_.calls),
        queue_(work_queue(), segments_.calls),
        spinner_(clock_, segments_.node.view(), segments_.calls, kSubmitter) {
    for (uint32_t chunk = 0; chunk < 400; ++chunk) {
      cells_.add_chunk(chunk);
      segments_.node.segment().cell_chunk_owner[chunk].store(kSubmitter);
    }
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      NodeView node = NodeView::map(segments_.node_fd.get()).value();
      CallsView calls = CallsView::map(segments_.calls_fd.get()).value();
      Worker(node, calls).run();
    }
  }
  ~Session() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  CellRef publish(uint64_t call_id) {
    CellIndex index = cells_.take();
    Cell& cell = segments_.calls.cell(index);
    cell.call_id = call_id;
    cell.args_bytes = 0;
    cell.args_block = 0;
    return publish_cell(cell, index);
  }
  bool append(CellRef ref) {
    if (!queue_.try_append(ref)) {
      return false;
    }
    rang_ = Doorbell(segments_.calls.page(kWorker).doorbell).ring(memo_);
    return true;
  }
  void push(CellRef ref) {
    inbox(segments_.calls, kWorker).push(ref.cell);
    rang_ = Doorbell(segments_.calls.page(kWorker).doorbell).ring_after_rmw(memo_);
  }
  uint32_t drain() {
    batch_.clear();
    reply_stack(segments_.calls, kSubmitter).take_all(batch_, cells_.cell_count());
    for (CellIndex cell : batch_) {
      free_cell(segments_.calls.cell(cell));
      cells_.give_back(cell);
    }
    return static_cast<uint32_t>(batch_.size());
  }
  void wait_for_replies() {
    CellStack replies = reply_stack(segments_.calls, kSubmitter);
    auto ready = [&] { return !replies.empty(); };
    if (spinner_.spin(kWorker, rang_, ready) == SpinOutcome::kSleep) {
      Doorbell bell(segments_.calls.page(kSubmitter).doorbell);
      uint32_t value = bell.prepare_sleep();
      if (!ready()) {
        bell.sleep(value, -1);
      }
      bell.end_sleep();
    }
    rang_ = false;
  }

 private:
  WorkQueue& work_queue() { return segments_.calls.queue(kQueue); }

  SessionSegments segments_;
  CellPool cells_;
  QueueAppender queue_;
  SteadyClock clock_;
  Spinner spinner_;
  std::vector<uint32_t> batch_;
  RingMemo memo_{0};
  bool rang_ = false;
  int pid_ = -1;
};

// `backlog` calls under way at a time. What does not fit into the ring waits QUEUED in a FIFO, as in client/ (Q4).
void pipelined_tasks(benchmark::State& state) {
  Session session;
  auto backlog = static_cast<uint32_t>(state.range(0));
  std::vector<CellRef> waiting;
  for (auto _ : state) {
    waiting.clear();
    for (uint32_t i = 0; i < backlog; ++i) {
      waiting.push_back(session.publish(i));
    }
    size_t appended = 0;
    uint32_t done = 0;
    while (done < backlog) {
      while (appended < backlog && session.append(waiting[appended])) {
        ++appended;
      }
      uint32_t got = session.drain();
      if (got == 0) {
        session.wait_for_replies();
      }
      done += got;
    }
  }
  state.SetItemsProcessed(state.iterations() * backlog);
}
BENCHMARK(pipelined_tasks)->Arg(10)->Arg(1000)->Arg(100000)->UseRealTime();

void pipelined_actor_calls(benchmark::State& state) {
  Session session;
  auto backlog = static_cast<uint32_t>(state.range(0));
  for (auto _ : state) {
    for (uint32_t i = 0; i < backlog; ++i) {
      session.push(session.publish(i));
    }
    for (uint32_t done = 0; done < backlog;) {
      uint32_t got = session.drain();
      if (got == 0) {
        session.wait_for_replies();
      }
      done += got;
    }
  }
  state.SetItemsProcessed(state.iterations() * backlog);
}
BENCHMARK(pipelined_actor_calls)->Arg(kActorCallsInFlight)->UseRealTime();

void synchronous_task(benchmark::State& state) {
  Session session;
  for (auto _ : state) {
    session.append(session.publish(1));
    while (session.drain() == 0) {
      session.wait_for_replies();
    }
  }
}
BENCHMARK(synchronous_task)->UseRealTime();

// One process, no other: the instructions alone.
void append_and_claim_alone(benchmark::State& state) {
  SessionSegments segments = make_segments();
  QueueAppender appender(segments.calls.queue(kQueue), segments.calls);
  QueueClaimer claimer(segments.calls.queue(kQueue), segments.calls, kWorker);
  Cell& cell = segments.calls.cell(0);
  for (auto _ : state) {
    appender.try_append(publish_cell(cell, 0));
    std::optional<CellRef> ref = claimer.claim();
    finish_cell(cell, ref->generation, kWorker);
    free_cell(cell);
  }
}
BENCHMARK(append_and_claim_alone);

void push_and_take_alone(benchmark::State& state) {
  SessionSegments segments = make_segments();
  CellStack stack = reply_stack(segments.calls, kSubmitter);
  std::vector<uint32_t> taken;
  for (auto _ : state) {
    stack.push(7);
    taken.clear();
    benchmark::DoNotOptimize(stack.take_all(taken, 10));
  }
}
BENCHMARK(push_and_take_alone);

void ring_the_awake(benchmark::State& state) {
  Atomic32 word{0};
  RingMemo memo{0};
  Doorbell bell(word);
  for (auto _ : state) {
    benchmark::DoNotOptimize(bell.ring(memo));
  }
}
BENCHMARK(ring_the_awake);

void ring_a_sleeper_again(benchmark::State& state) {
  Atomic32 word{0};
  RingMemo memo{0};
  Doorbell bell(word);
  bell.prepare_sleep();
  for (auto _ : state) {
    benchmark::DoNotOptimize(bell.ring(memo));
  }
}
BENCHMARK(ring_a_sleeper_again);

void process_ring_round(benchmark::State& state) {
  SessionSegments segments = make_segments();
  RingProducer producer(segments.calls.ring(kSubmitter));
  RingConsumer consumer(segments.calls.ring(kSubmitter));
  constexpr uint32_t kBatch = 64;
  for (auto _ : state) {
    for (uint32_t i = 0; i < kBatch; ++i) {
      producer.try_push(RingMessage::hold({1, i}));
    }
    RingConsumer::Round round = consumer.begin_round();
    for (RingRecord record; consumer.next(round, record);) {
      benchmark::DoNotOptimize(decode(record));
    }
    consumer.publish_head();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(process_ring_round);

}  // namespace
}  // namespace sabir::shm

BENCHMARK_MAIN();
