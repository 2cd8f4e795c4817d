#include "runtime/control/functions.h"

#define XXH_INLINE_ALL  // the header alone: no library to link
#include <xxhash.h>

#include <algorithm>

#include "runtime/control/record.h"

namespace sabir::control {
namespace {

constexpr std::string_view kTable = "functions";
constexpr std::string_view kHolders = "functions.jobs";
constexpr std::string_view kLastTable = "functions.last";  // the last index, whatever was forgotten
constexpr uint8_t kVersion = 2;

uint64_t hash_of(const FunctionRecord& function) {
  uint64_t seed = (uint64_t{function.kind} << 8) | function.language;
  seed = XXH64(function.name.data(), function.name.size(), seed);
  return XXH64(function.code.data(), function.code.size(), seed);
}

std::string holder_key(uint32_t job, uint32_t index) { return number_key(job) + number_key(index); }

size_t size_of(const FunctionRecord& function) { return function.code.size() + function.name.size(); }

}  // namespace

Result<void> Functions::load() {
  entries_.clear();
  by_hash_.clear();
  jobs_.clear();
  next_index_ = 0;
  bool good = true;
  SABIR_RETURN_IF_ERROR(storage_->scan(kTable, [&](std::string_view, std::string_view value) {
    RecordReader in(value, kVersion);
    auto index = in.number<uint32_t>();
    FunctionRecord function;
    function.kind = in.number<uint32_t>();
    function.language = in.number<uint8_t>();
    function.name = in.text();
    function.code = in.text();
    good = good && in.done();
    insert(index, std::move(function));
  }));
  SABIR_RETURN_IF_ERROR(storage_->scan(kHolders, [&](std::string_view, std::string_view value) {
    RecordReader in(value, kVersion);
    auto job = in.number<uint32_t>();
    auto index = in.number<uint32_t>();
    good = good && in.done() && entries_.contains(index);
    if (good) {
      hold(job, index);
    }
  }));
  SABIR_RETURN_IF_ERROR(storage_->scan(kLastTable, [&](std::string_view, std::string_view value) {
    RecordReader in(value, kVersion);
    next_index_ = std::max(next_index_, in.number<uint32_t>() + 1);
    good = good && in.done();
  }));
  if (!good) {
    return internal_error("the stored functions cannot be read");
  }
  return {};
}

void Functions::insert(uint32_t index, FunctionRecord function) {
  by_hash_.emplace(hash_of(function), index);
  entries_.insert_or_assign(index, Entry{std::move(function), {}});
  next_index_ = std::max(next_index_, index + 1);
}

void Functions::hold(uint32_t job, uint32_t index) {
  Entry& entry = entries_.at(index);
  if (entry.jobs.insert(job).second) {
    jobs_[job].indices.push_back(index);
    jobs_[job].bytes += size_of(entry.function);
  }
}

Result<uint32_t> Functions::add(uint32_t job, FunctionRecord function) {
  size_t bytes = size_of(function);
  if (bytes > kMaxCodeBytes) {
    return invalid_error("function " + function.name.substr(0, 200) + " is " + std::to_string(bytes) +
                         " bytes, the limit is " + std::to_string(kMaxCodeBytes) +
                         ": pass large data as arguments, not inside the function");
  }
  auto [begin, end] = by_hash_.equal_range(hash_of(function));
  auto known = std::find_if(begin, end, [&](const auto& at) { return entries_.at(at.second).function == function; });
  bool is_known = known != end;
  if (is_known && entries_.at(known->second).jobs.contains(job)) {
    return known->second;
  }
  if (auto found = jobs_.find(job); found != jobs_.end()) {
    const Job& held = found->second;
    if (held.indices.size() >= kMaxFunctions || held.bytes + bytes > kMaxTotalBytes) {
      return exhausted_error("the job's function table is full (" + std::to_string(held.indices.size()) +
                             " functions, " + std::to_string(held.bytes) +
                             " bytes): define functions once, not in a loop");
    }
  }
  uint32_t index = is_known ? known->second : next_index_;
  Batch batch;
  if (!is_known) {
    RecordWriter out(kVersion);
    out.number(index).number(function.kind).number(function.language);
    out.text(function.name).text(function.code);
    batch.put(kTable, number_key(index), out.take());
    batch.put(kLastTable, "", RecordWriter(kVersion).number(index).take());
  }
  batch.put(kHolders, holder_key(job, index), RecordWriter(kVersion).number(job).number(index).take());
  SABIR_RETURN_IF_ERROR(storage_->commit(batch));
  if (!is_known) {
    insert(index, std::move(function));
  }
  hold(job, index);
  return index;
}

const FunctionRecord* Functions::find(uint32_t index) const {
  auto found = entries_.find(index);
  return found == entries_.end() ? nullptr : &found->second.function;
}

void Functions::forget(uint32_t index) {
  auto found = entries_.find(index);
  auto [begin, end] = by_hash_.equal_range(hash_of(found->second.function));
  by_hash_.erase(std::find_if(begin, end, [&](const auto& at) { return at.second == index; }));
  entries_.erase(found);
}

Result<void> Functions::erase_job(uint32_t job) {
  auto found = jobs_.find(job);
  if (found == jobs_.end()) {
    return {};
  }
  Batch batch;
  for (uint32_t index : found->second.indices) {
    batch.erase(kHolders, holder_key(job, index));
    if (entries_.at(index).jobs.size() == 1) {
      batch.erase(kTable, number_key(index));
    }
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(batch));
  for (uint32_t index : found->second.indices) {
    std::set<uint32_t>& holders = entries_.at(index).jobs;
    holders.erase(job);
    if (holders.empty()) {
      forget(index);
    }
  }
  jobs_.erase(found);
  return {};
}

size_t Functions::count(uint32_t job) const {
  auto found = jobs_.find(job);
  return found == jobs_.end() ? 0 : found->second.indices.size();
}

}  // namespace sabir::control
