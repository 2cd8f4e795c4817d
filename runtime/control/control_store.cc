#include "runtime/control/control_store.h"

namespace sabir::control {

Result<void> ControlStore::load() {
  SABIR_RETURN_IF_ERROR(jobs_.load());
  SABIR_RETURN_IF_ERROR(functions_.load());
  SABIR_RETURN_IF_ERROR(key_value_.load());
  SABIR_RETURN_IF_ERROR(actors_.load());
  SABIR_RETURN_IF_ERROR(names_.load());
  SABIR_RETURN_IF_ERROR(nodes_.load());
  SABIR_RETURN_IF_ERROR(placement_groups_.load());
  return replies_.load();
}

}  // namespace sabir::control
