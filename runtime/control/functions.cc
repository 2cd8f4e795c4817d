#include "runtime/control/functions.h"

#define XXH_INLINE_ALL  // the header alone: no library to link
// Header only: nothing to link.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/control/record.h"

namespace sabir::control {
namespace {

constexpr std::string_view kTable = "functions";
constexpr uint8_t kVersion = 1;

uint64_t hash_of(const FunctionRecord& function) {
  uint64_t seed = (uint64_t{function.kind} << 8) | function.language;
  seed = XXH64(function.name.data(), function.name.size(), seed);
  return XXH64(function.code.data(), function.code.size(), seed);
}

std::string key_of(uint32_t job, uint32_t index) { return number_key(job) + number_key(index); }

}  // namespace

Result<void> Functions::load() {
  tables_.clear();
  bool good = true;
  SABIR_RETURN_IF_ERROR(storage_->scan(kTable, [&](std::string_view, std::string_view value) {
    RecordReader in(value, kVersion);
    auto job = in.number<uint32_t>();
    auto index = in.number<uint32_t>();
    FunctionRecord function;
    function.kind = in.number<uint32_t>();
    function.language = in.number<uint8_t>();
    function.name = in.text();
    function.code = in.text();
    Table& table = tables_[job];
    good = good && in.done() && index == table.functions.size();
    insert(table, std::move(function));
  }));
  if (!good) {
    return internal_error("the stored functions cannot be read");
  }
  return {};
}

void Functions::insert(Table& table, FunctionRecord function) {
  table.by_hash.emplace(hash_of(function), static_cast<uint32_t>(table.functions.size()));
  table.bytes += function.code.size() + function.name.size();
  table.functions.push_back(std::move(function));
}

Result<uint32_t> Functions::add(uint32_t job, FunctionRecord function) {
  size_t bytes = function.code.size() + function.name.size();
  if (bytes > kMaxCodeBytes) {
    return invalid_error("function " + function.name.substr(0, 200) + " is " + std::to_string(bytes) +
                         " bytes, the limit is " + std::to_string(kMaxCodeBytes) +
                         ": pass large data as arguments, not inside the function");
  }
  Table& table = tables_[job];
  auto [begin, end] = table.by_hash.equal_range(hash_of(function));
  for (auto at = begin; at != end; ++at) {
    if (table.functions[at->second] == function) {
      return at->second;
    }
  }
  if (table.functions.size() >= kMaxFunctions || table.bytes + bytes > kMaxTotalBytes) {
    return exhausted_error("the job's function table is full (" + std::to_string(table.functions.size()) +
                           " functions, " + std::to_string(table.bytes) +
                           " bytes): define functions once, not in a loop");
  }
  auto index = static_cast<uint32_t>(table.functions.size());
  RecordWriter out(kVersion);
  out.number(job).number(index).number(function.kind).number(function.language);
  out.text(function.name).text(function.code);
  SABIR_RETURN_IF_ERROR(storage_->put(kTable, key_of(job, index), out.take()));
  insert(table, std::move(function));
  return index;
}

const FunctionRecord* Functions::find(uint32_t job, uint32_t index) const {
  auto found = tables_.find(job);
  if (found == tables_.end() || index >= found->second.functions.size()) {
    return nullptr;
  }
  return &found->second.functions[index];
}

Result<void> Functions::erase_job(uint32_t job) {
  auto found = tables_.find(job);
  if (found == tables_.end()) {
    return {};
  }
  // Last first: what an error leaves behind is a table without gaps.
  Table& table = found->second;
  for (size_t i = table.functions.size(); i-- > 0;) {
    SABIR_RETURN_IF_ERROR(storage_->erase(kTable, key_of(job, static_cast<uint32_t>(i))));
  }
  tables_.erase(found);
  return {};
}

size_t Functions::count(uint32_t job) const {
  auto found = tables_.find(job);
  return found == tables_.end() ? 0 : found->second.functions.size();
}

}  // namespace sabir::control
