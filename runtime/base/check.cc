#include "runtime/base/check.h"

#include <unistd.h>

#include <cstdlib>

namespace sabir {

void check_failed(const char* file, int line, const char* condition, std::string_view details) {
  Line text;
  text.append(file, ":", line, ": check failed: ", condition);
  if (!details.empty()) {
    text.append(" (", details, ")");
  }
  std::string_view bytes = text.finish();
  // If even this fails there is nobody left to tell.
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
  std::abort();
}

}  // namespace sabir
