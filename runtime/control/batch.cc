#include "runtime/control/batch.h"

#include <utility>

namespace sabir::control {

Batch& Batch::add(Write write) {
  size_bytes_ += write.table.size() + write.key.size() + (write.value ? write.value->size() : 0);
  writes_.push_back(std::move(write));
  return *this;
}

void Batch::append(const Batch& later) {
  writes_.insert(writes_.end(), later.writes_.begin(), later.writes_.end());
  size_bytes_ += later.size_bytes_;
}

}  // namespace sabir::control
