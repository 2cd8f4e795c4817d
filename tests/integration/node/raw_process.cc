#include "tests/integration/node/raw_process.h"

#include <unistd.h>

#include <cstring>

#include "runtime/shm/layout_hash.h"
#include "runtime/shm/stack.h"

namespace sabir::testing {
namespace {

size_t pad8(size_t size) { return (size + 7) & ~size_t{7}; }

rpc::HelloInfo hello(rpc::HelloKind kind) {
  rpc::HelloInfo info;
  info.kind = kind;
  info.layout_hash = shm::kLayoutHash;
  info.library = "raw test process";
  return info;
}

}  // namespace

RawProcess::RawProcess(std::unique_ptr<rpc::SessionClient> session, shm::NodeView node, shm::CallsView calls)
    : session_(std::move(session)),
      node_(std::move(node)),
      calls_(std::move(calls)),
      cells_(calls_),
      ring_(calls_.ring(slot())),
      deaths_(node_, page()),
      bell_(welcome().daemon_doorbell_fd.get(), node_.header()) {}

RawProcess::~RawProcess() { session_->close(); }

Result<std::unique_ptr<RawProcess>> RawProcess::join(Result<std::unique_ptr<rpc::SessionClient>> session) {
  if (!session.ok()) {
    return std::move(session).error();
  }
  SABIR_ASSIGN_OR_RETURN(shm::NodeView node, shm::NodeView::map((*session)->welcome().node_fd.get()));
  SABIR_ASSIGN_OR_RETURN(shm::CallsView calls, shm::CallsView::map((*session)->welcome().calls_fd.get()));
  std::unique_ptr<RawProcess> process(new RawProcess(std::move(*session), std::move(node), std::move(calls)));
  SABIR_RETURN_IF_ERROR(process->session_->start(process.get()));
  return process;
}

Result<std::unique_ptr<RawProcess>> RawProcess::driver(UniqueFd socket, rpc::JobConfig job) {
  rpc::HelloInfo info = hello(rpc::HelloKind::kDriver);
  info.job = std::move(job);
  return join(rpc::SessionClient::handshake(std::move(socket), info, kCallTimeoutNs));
}

Result<std::unique_ptr<RawProcess>> RawProcess::driver(const std::string& session_path, rpc::JobConfig job) {
  rpc::HelloInfo info = hello(rpc::HelloKind::kDriver);
  info.job = std::move(job);
  return join(rpc::SessionClient::connect(session_path, info, kCallTimeoutNs));
}

Result<std::unique_ptr<RawProcess>> RawProcess::worker(const std::string& session_path, const std::string& token) {
  rpc::HelloInfo info = hello(rpc::HelloKind::kWorker);
  info.token = token;
  return join(rpc::SessionClient::connect(session_path, info, kCallTimeoutNs));
}

Result<uint32_t> RawProcess::export_function(const std::string& name) {
  return session_->export_function({.kind = 1, .language = 4, .name = name, .code = name}, kCallTimeoutNs);
}

Result<void> RawProcess::declare(uint8_t language, std::vector<rpc::ResourceAmount> resources) {
  SABIR_ASSIGN_OR_RETURN(rpc::ClassInfo info, session_->declare_class(language, resources, {}, kCallTimeoutNs));
  queue_.emplace(calls_.queue(info.queue), calls_);
  return {};
}

shm::CellRef RawProcess::submit(uint32_t function, std::string_view args) {
  shm::CellIndex index = cells_.take();
  if (index == shm::kNoCell) {
    Result<uint32_t> chunk = session_->lend(rpc::LendKind::kCells, kCallTimeoutNs);
    if (!chunk.ok()) {
      return {0, shm::kNoCell};
    }
    cells_.add_chunk(*chunk);
    index = cells_.take();
  }
  shm::Cell& cell = calls_.cell(index);
  cell.function = function;
  cell.args_bytes = static_cast<uint32_t>(args.size());
  cell.args_block = 0;
  cell.kind = static_cast<uint8_t>(shm::CallKind::kTask);
  cell.num_returns = 1;
  std::memcpy(cell.payload, args.data(), args.size());
  shm::CellRef ref = shm::publish_cell(cell, index);
  if (!queue_ || !queue_->try_append(ref)) {
    shm::cancel_cell(cell, ref.generation);
    shm::free_cell(cell);
    cells_.give_back(index);
    return {0, shm::kNoCell};
  }
  outstanding_.insert(ref.pack());
  bell_.ring_unless_watching();
  return ref;
}

RawProcess::Outcome RawProcess::wait(shm::CellRef ref, int64_t timeout_ns) {
  SteadyClock clock;
  int64_t deadline_ns = clock.now_ns() + timeout_ns;
  std::vector<uint32_t> arrived;
  Outcome outcome;
  shm::Cell& cell = calls_.cell(ref.cell);
  while (clock.now_ns() < deadline_ns && !disconnected_) {
    // R1: the stack first. What is in it is found by the cells' own words here.
    shm::reply_stack(calls_, slot()).take_all(arrived, cells_.cell_count());
    shm::CellWord word = shm::load_cell_word(cell);
    if (word.generation == ref.generation && word.state == shm::CellState::kDone) {
      outcome.done = true;
      outcome.is_error = cell.result_is_error != 0;
      uint32_t size_bytes = cell.result_bytes;
      if (cell.result_place == static_cast<uint8_t>(shm::ResultPlace::kInline)) {
        outcome.result.assign(reinterpret_cast<const char*>(cell.payload) + pad8(cell.args_bytes), size_bytes);
      } else if (cell.result_place == static_cast<uint8_t>(shm::ResultPlace::kBlock)) {
        outcome.result.assign(reinterpret_cast<const char*>(calls_.find_block(cell.result_block, size_bytes)),
                              size_bytes);
        shm::return_stack(calls_, node_.block_owner(cell.result_block)).push(cell.result_block);
      }
      outstanding_.erase(ref.pack());
      shm::free_cell(cell);
      cells_.give_back(ref.cell);
      return outcome;
    }
    take_deaths();
    if (died_.erase(ref.pack()) != 0) {
      outcome.claimer_died = true;
      return outcome;
    }
    ::usleep(200);
  }
  return outcome;
}

void RawProcess::take_deaths() {
  shm::Death death;
  while (deaths_.next(death) == shm::DeathLogReader::Outcome::kDeath) {
    for (auto packed = outstanding_.begin(); packed != outstanding_.end();) {
      shm::CellRef ref = shm::CellRef::unpack(*packed);
      shm::Cell& cell = calls_.cell(ref.cell);
      shm::CellWord word = shm::load_cell_word(cell);
      bool lost = word.generation == ref.generation && word.state == shm::CellState::kClaimed &&
                  word.claimer == death.slot && shm::repair_cell(cell, word);
      if (lost) {
        died_.insert(*packed);
        cells_.give_back(ref.cell);
        packed = outstanding_.erase(packed);
      } else {
        ++packed;
      }
    }
  }
  deaths_.acknowledge();
}

void RawProcess::serve(const std::function<std::string(uint32_t, std::string)>& run) {
  shm::LeaseReader lease(node_, page(), slot());
  while (!disconnected_ && !exit_asked_) {
    take_deaths();
    shm::LeaseWord word = lease.current();
    if (lease.owes_answer(word)) {
      lease.finish(word);
      bell_.ring();
    }
    bool had_work = lease.usable(word) && run_one(run, word);
    if ((page().blocked.load() & 1) == 0 && had_work && voided_) {
      voided_ = false;
      lease.finish(word);
      bell_.ring();
    }
    if (!had_work) {
      sleep_briefly();
    }
  }
}

bool RawProcess::run_one(const std::function<std::string(uint32_t, std::string)>& run, shm::LeaseWord word) {
  const shm::ClassRecord* record = node_.find_class(word.class_plus_one - 1u);
  uint32_t count = record == nullptr ? 0 : std::min(record->queue_count.load(), shm::kMaxQueuesPerClass);
  for (uint32_t i = 0; i < count; ++i) {
    shm::WorkQueue* queue = calls_.find_queue(record->queues[i].load());
    if (queue == nullptr) {
      continue;
    }
    shm::QueueClaimer claimer(*queue, calls_, slot());
    if (std::optional<shm::CellRef> ref = claimer.claim()) {
      shm::Cell& cell = calls_.cell(ref->cell);
      page().function_plus_one.store(cell.function + 1);
      page().last_function_plus_one.store(cell.function + 1);
      std::string args(reinterpret_cast<const char*>(cell.payload), std::min<uint32_t>(cell.args_bytes, 64));
      finish(*ref, run(cell.function, std::move(args)));
      page().function_plus_one.store(0);
      page().executed.fetch_add(1);
      return true;
    }
  }
  return false;
}

void RawProcess::finish(shm::CellRef ref, const std::string& result) {
  shm::Cell& cell = calls_.cell(ref.cell);
  size_t offset = pad8(cell.args_bytes);
  size_t size_bytes = offset < shm::kCellInlineBytes ? std::min(result.size(), shm::kCellInlineBytes - offset) : 0;
  cell.result_place = static_cast<uint8_t>(size_bytes != 0 ? shm::ResultPlace::kInline : shm::ResultPlace::kNone);
  cell.result_bytes = static_cast<uint32_t>(size_bytes);
  cell.result_is_error = 0;
  std::memcpy(cell.payload + offset, result.data(), size_bytes);
  shm::finish_cell(cell, ref.generation, slot());
  shm::reply_stack(calls_, node_.cell_owner(ref.cell)).push(ref.cell);
}

void RawProcess::blocked(const std::function<void()>& wait) {
  page().blocked.fetch_add(1);
  bell_.ring();
  wait();
  page().blocked.fetch_add(1);
  voided_ = true;
}

void RawProcess::sleep_briefly() { ::usleep(300); }

std::string RawProcess::log_text() {
  std::lock_guard lock(mutex_);
  return log_text_;
}

std::string RawProcess::warnings() {
  std::lock_guard lock(mutex_);
  return warnings_;
}

void RawProcess::on_log(std::vector<rpc::LogLines> lines) {
  std::lock_guard lock(mutex_);
  for (const rpc::LogLines& entry : lines) {
    if (log_text_.size() < (1 << 20)) {
      log_text_ += "(" + entry.task_name + ") " + entry.text;
    }
  }
}

void RawProcess::on_warn(std::string text) {
  std::lock_guard lock(mutex_);
  warnings_ += text + "\n";
}

void RawProcess::on_exit(std::string) { exit_asked_ = true; }
void RawProcess::on_disconnect() { disconnected_ = true; }

}  // namespace sabir::testing
