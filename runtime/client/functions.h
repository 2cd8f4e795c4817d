// The job's functions as this process knows them: exported by content, fetched by index, both once.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "runtime/client/core.h"

namespace sabir::client {

// What a sabir_function points at. Constant, but for the count.
struct Function {
  std::atomic<uint32_t> count{1};
  Anchor* anchor = nullptr;
  uint32_t index = 0;
  uint32_t kind = 0;
  uint8_t language = 0;
  std::string name;
};
inline void release(Function* function) {
  if (function->count.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    delete function;
  }
}

// A lock of its own, innermost; held over no call to the node.
class Functions {
 public:
  explicit Functions(Core& core) : core_(core) {}

  // With a count for the caller.
  Result<Function*> export_function(const rpc::FunctionInfo& info);
  // Stays where it is as long as the client.
  Result<const rpc::FunctionInfo*> fetch(uint32_t index);
  // For messages; "#7" if this process has never met it.
  std::string name_of(uint32_t index);

 private:
  Core& core_;
  std::mutex lock_;
  std::map<std::string, uint32_t> exported_;  // by all fields
  std::unordered_map<uint32_t, std::unique_ptr<rpc::FunctionInfo>> known_;
};

}  // namespace sabir::client
