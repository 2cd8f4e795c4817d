#include "runtime/control/jobs.h"

#include <algorithm>

#include "runtime/base/hex.h"
#include "runtime/control/record.h"

namespace sabir::control {
namespace {

constexpr std::string_view kLastTable = "jobs.last";  // the last number, whatever was forgotten
constexpr uint8_t kVersion = 3;                       // 2: node; 3: start and end

std::string encode(const JobRecord& job) {
  RecordWriter out(kVersion);
  out.number(job.number).text(job.id).text(job.name).text(job.name_space);
  out.number(job.driver_pid).flag(job.running);
  job.node.write(out);
  out.number(job.started_unix_ms).number(job.ended_unix_ms).text(job.end);
  return out.take();
}

}  // namespace

Result<JobRecord> Jobs::decode(std::string_view bytes) {
  JobRecord job;
  RecordReader in(bytes, 1, kVersion);
  job.number = in.number<uint32_t>();
  job.id = in.text();
  job.name = in.text();
  job.name_space = in.text();
  job.driver_pid = in.number<uint32_t>();
  job.running = in.flag();
  if (in.version() >= 2) {
    job.node = NodeRef::read(in);
  }
  if (in.version() >= 3) {
    job.started_unix_ms = in.number<int64_t>();
    job.ended_unix_ms = in.number<int64_t>();
    job.end = in.text();
  }
  if (!in.done()) {
    return internal_error("a stored job cannot be read");
  }
  return job;
}

Result<void> Jobs::load() {
  jobs_.clear();
  last_number_ = 0;
  bool good = true;
  SABIR_RETURN_IF_ERROR(storage_->scan(kTable, [&](std::string_view, std::string_view value) {
    Result<JobRecord> job = decode(value);
    good = good && job.ok();
    if (job.ok()) {
      last_number_ = std::max(last_number_, job->number);
      uint32_t number = job->number;
      jobs_.emplace(number, *std::move(job));
    }
  }));
  SABIR_RETURN_IF_ERROR(storage_->scan(kLastTable, [&](std::string_view, std::string_view value) {
    RecordReader in(value, 1, kVersion);
    last_number_ = std::max(last_number_, in.number<uint32_t>());
    good = good && in.done();
  }));
  if (!good) {
    return internal_error("the stored jobs cannot be read");
  }
  return {};
}

Result<uint32_t> Jobs::add(JobRecord job) {
  size_t running = 0;
  size_t ended = 0;
  const JobRecord* oldest_ended = nullptr;
  for (const auto& [number, known] : jobs_) {
    if (known.id == job.id) {
      return number;
    }
    running += known.running ? 1 : 0;
    ended += known.running ? 0 : 1;
    if (!known.running && oldest_ended == nullptr) {
      oldest_ended = &known;
    }
  }
  if (running >= kMaxRunning) {
    return exhausted_error("already " + std::to_string(kMaxRunning) + " jobs run");
  }
  job.number = last_number_ + 1;
  job.running = true;
  if (job.name_space.empty()) {
    job.name_space = to_hex(job.id);
  }
  Batch batch;
  bool forget = ended > kMaxEnded;
  if (forget) {
    batch.erase(kTable, number_key(oldest_ended->number));
  }
  batch.put(kLastTable, "", RecordWriter(kVersion).number(job.number).take());
  batch.put(kTable, number_key(job.number), encode(job));
  SABIR_RETURN_IF_ERROR(storage_->commit(batch));
  if (forget) {
    jobs_.erase(oldest_ended->number);
  }
  uint32_t number = job.number;
  last_number_ = number;
  jobs_.emplace(number, std::move(job));
  return number;
}

Result<void> Jobs::end(uint32_t number, int64_t ended_unix_ms, const std::string& how) {
  auto found = jobs_.find(number);
  if (found == jobs_.end() || !found->second.running) {
    return {};
  }
  JobRecord ended = found->second;
  ended.running = false;
  ended.ended_unix_ms = ended_unix_ms;
  ended.end = how;
  SABIR_RETURN_IF_ERROR(storage_->commit(Batch().put(kTable, number_key(number), encode(ended))));
  found->second = std::move(ended);
  return {};
}

const JobRecord* Jobs::find_id(std::string_view id) const {
  for (const auto& [number, job] : jobs_) {
    if (job.id == id) {
      return &job;
    }
  }
  return nullptr;
}

const JobRecord* Jobs::find(uint32_t number) const {
  auto found = jobs_.find(number);
  return found == jobs_.end() ? nullptr : &found->second;
}

std::vector<const JobRecord*> Jobs::all() const {
  std::vector<const JobRecord*> jobs;
  for (const auto& [number, job] : jobs_) {
    jobs.push_back(&job);
  }
  return jobs;
}

std::vector<const JobRecord*> Jobs::running_on(const NodeRef& node) const {
  std::vector<const JobRecord*> jobs;
  for (const auto& [number, job] : jobs_) {
    if (job.running && job.node == node) {
      jobs.push_back(&job);
    }
  }
  return jobs;
}

}  // namespace sabir::control
