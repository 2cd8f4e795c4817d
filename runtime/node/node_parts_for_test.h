// The node manager's parts on real segments, without processes: a test plays them.
#pragma once

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/loop/event_loop.h"
#include "runtime/node/deaths.h"
#include "runtime/shm/cell.h"
#include "runtime/shm/process_ring.h"
#include "runtime/shm/stack.h"
#include "runtime/shm/work_queue.h"

namespace sabir::node {

class NodeParts {
 public:
  static constexpr uint64_t kStoreBytes = 8 << 20;

  explicit NodeParts(Deaths::Options options = {})
      : segments(make_segments()),
        calls(segments.calls),
        processes(segments.node, segments.calls),
        lends(segments.node),
        directory(segments.node, segments.calls, processes) {
    Objects::Options object_options;
    object_options.store_bytes = kStoreBytes;
    auto made = Objects::create(
        loop, clock, segments, processes, lends, std::move(object_options),
        {.violation = [this](store::ProcessId id, const std::string& text) { violations.emplace_back(id, text); },
         .actor_unheld = [this](shm::ActorIndex actor) { unheld.push_back(actor); }});
    EXPECT_TRUE(made.ok());
    objects = std::move(*made);
    deaths = std::make_unique<Deaths>(
        Estate{segments, processes, lends, directory, *objects}, options,
        Deaths::Events{.queue_closed = [this](shm::QueueIndex queue) { closed_queues.push_back(queue); },
                       .unresponsive = [this](shm::SlotIndex slot) { unresponsive.push_back(slot); }});
  }

  Process& add(shm::ProcessKind kind = shm::ProcessKind::kWorker) {
    Process* process = processes.add(kind, 1000 + next_pid++, UniqueFd()).value();
    process->job = 1;
    deaths->welcome(process->key.slot);
    processes.publish(*process);
    return *process;
  }
  void acknowledge(const Process& process) {
    segments.calls.page(process.key.slot)
        .deaths_acknowledged.store(segments.node.header().death_count.load(), std::memory_order_release);
  }
  void die(Process& process, bool job_over = false) {
    deaths->publish({process.key.slot, 9, shm::DeathReason::kExited, job_over}, [] {});
  }
  // A call of this process, in its ring for the class.
  shm::CellRef queue_call(Process& process, shm::ClassIndex class_index = 0) {
    shm::CellRef ref = publish_call(process);
    shm::QueueIndex queue = directory.open_queue(process, class_index).value().index;
    EXPECT_TRUE(shm::QueueAppender(segments.calls.queue(queue), segments.calls).try_append(ref));
    return ref;
  }
  // Queued, but in no ring and no inbox.
  shm::CellRef publish_call(Process& process) {
    if (process.cell_chunks.empty()) {
      lends.lend_cells(process).value();
    }
    shm::CellIndex index = process.cell_chunks[0] * shm::kCellsPerChunk + next_cell++;
    shm::Cell& cell = segments.calls.cell(index);
    cell.num_returns = 1;
    cell.args_bytes = 0;
    cell.args_block = 0;
    return shm::publish_cell(cell, index);
  }
  shm::CellWord word(shm::CellRef ref) { return shm::load_cell_word(segments.calls.cell(ref.cell)); }

  static shm::SessionSegments make_segments() {
    shm::SegmentOptions options;
    options.store_bytes = kStoreBytes;
    options.objects_bytes = Objects::segment_bytes(kStoreBytes);
    auto made = shm::SessionSegments::create(options);
    EXPECT_TRUE(made.ok());
    return std::move(*made);
  }

  loop::EventLoop loop;
  ManualClock clock;
  shm::SessionSegments segments;
  shm::UntrustedCalls calls;
  Processes processes;
  Lends lends;
  Directory directory;
  std::unique_ptr<Objects> objects;
  std::unique_ptr<Deaths> deaths;
  std::vector<std::pair<store::ProcessId, std::string>> violations;
  std::vector<shm::ActorIndex> unheld;
  std::vector<shm::QueueIndex> closed_queues;
  std::vector<shm::SlotIndex> unresponsive;
  uint32_t next_cell = 0;
  pid_t next_pid = 0;
};

}  // namespace sabir::node
