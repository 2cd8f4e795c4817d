#include "runtime/client/functions.h"

#include <utility>

namespace sabir::client {
namespace {

constexpr int64_t kTimeoutNs = 60 * kSecondNs;

std::string key_of(const rpc::FunctionInfo& info) {
  std::string key = std::to_string(info.kind) + ' ' + std::to_string(info.language) + ' ' +
                    std::to_string(info.name.size()) + ' ' + info.name;
  return key + info.code;
}

}  // namespace

Result<Function*> Functions::export_function(const rpc::FunctionInfo& info) {
  std::string key = key_of(info);
  uint32_t index = 0;
  bool known = false;
  {
    std::lock_guard guard(lock_);
    auto place = exported_.find(key);
    known = place != exported_.end();
    index = known ? place->second : 0;
  }
  if (!known) {
    // Two threads may do this at once: the same content gives the same index.
    SABIR_ASSIGN_OR_RETURN(index, core_.self.session().export_function(info, kTimeoutNs));
    std::lock_guard guard(lock_);
    exported_.emplace(std::move(key), index);
    known_.try_emplace(index, std::make_unique<rpc::FunctionInfo>(info));
  }
  auto* function = new Function;
  function->anchor = core_.anchor;
  function->index = index;
  function->kind = info.kind;
  function->language = info.language;
  function->name = info.name;
  return function;
}

Result<const rpc::FunctionInfo*> Functions::fetch(uint32_t index) {
  {
    std::lock_guard guard(lock_);
    auto place = known_.find(index);
    if (place != known_.end()) {
      return place->second.get();
    }
  }
  SABIR_ASSIGN_OR_RETURN(rpc::FunctionInfo info, core_.self.session().fetch_function(index, kTimeoutNs));
  std::lock_guard guard(lock_);
  auto [place, added] = known_.try_emplace(index, std::make_unique<rpc::FunctionInfo>(std::move(info)));
  return place->second.get();
}

std::string Functions::name_of(uint32_t index) {
  std::lock_guard guard(lock_);
  auto place = known_.find(index);
  return place == known_.end() ? "#" + std::to_string(index) : place->second->name;
}

}  // namespace sabir::client
