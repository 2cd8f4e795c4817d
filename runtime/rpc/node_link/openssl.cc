#include "runtime/rpc/node_link/openssl.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace sabir::node_link {

void prepare_openssl() {
  static const int kPrepared = OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  (void)kPrepared;
}

std::string openssl_failure(std::string_view what) {
  std::string text(what);
  const char* separator = ": ";
  while (unsigned long code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    text += separator;
    text += reason != nullptr ? reason : "error " + std::to_string(code);
    separator = ", ";
  }
  return text;
}

}  // namespace sabir::node_link
