// The function table of the session: code under an index. Idempotent by content: equal functions have one index,
// whoever exports them and how often, since an actor is called by other jobs than its own. A function stays while a job
// that exported it lives; an index is never given out again, so that a worker may keep what it has loaded.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/control/storage.h"

namespace sabir::control {

struct FunctionRecord {
  uint32_t kind = 0;
  uint8_t language = 0;
  std::string name;
  std::string code;
  bool operator==(const FunctionRecord&) const = default;
};

class Functions {
 public:
  // Bounds of one job: a loop that defines functions without end fails here, and nowhere else.
  static constexpr size_t kMaxFunctions = 1 << 20;
  static constexpr size_t kMaxCodeBytes = 16 << 20;    // of one function
  static constexpr size_t kMaxTotalBytes = 512 << 20;  // of a job

  explicit Functions(Storage* storage) : storage_(storage) {}
  Result<void> load();

  // kInvalid: larger than kMaxCodeBytes. kExhausted: the job's table is full.
  Result<uint32_t> add(uint32_t job, FunctionRecord function);
  // Null: no such function.
  const FunctionRecord* find(uint32_t index) const;
  Result<void> erase_job(uint32_t job);
  // Of the functions that a job has exported.
  size_t count(uint32_t job) const;

 private:
  struct Entry {
    FunctionRecord function;
    std::set<uint32_t> jobs;
  };
  struct Job {
    std::vector<uint32_t> indices;
    size_t bytes = 0;
  };
  void insert(uint32_t index, FunctionRecord function);
  void hold(uint32_t job, uint32_t index);
  void forget(uint32_t index);

  Storage* const storage_;
  std::unordered_map<uint32_t, Entry> entries_;
  std::unordered_multimap<uint64_t, uint32_t> by_hash_;  // full compare decides
  std::map<uint32_t, Job> jobs_;
  uint32_t next_index_ = 0;
};

}  // namespace sabir::control
