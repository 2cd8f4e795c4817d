// The function tables: per job, code under an index. Idempotent by content: equal functions get one index, whoever
// exports them and how often.
#pragma once

#include <cstdint>
#include <map>
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
  const FunctionRecord* find(uint32_t job, uint32_t index) const;
  Result<void> erase_job(uint32_t job);
  size_t count(uint32_t job) const;

 private:
  struct Table {
    std::vector<FunctionRecord> functions;
    std::unordered_multimap<uint64_t, uint32_t> by_hash;  // full compare decides
    size_t bytes = 0;
  };
  void insert(Table& table, FunctionRecord function);

  Storage* const storage_;
  std::map<uint32_t, Table> tables_;
};

}  // namespace sabir::control
