// What every use of OpenSSL here starts with.
#pragma once

#include <string>
#include <string_view>

namespace sabir::node_link {

// Before the first call of OpenSSL. It then reads no configuration of the machine (which could load code into the
// daemon or weaken it), and takes nothing down at exit while threads still use it. Any thread, any number of times.
void prepare_openssl();

// The reasons that this thread's last calls of OpenSSL failed for, oldest first, and forgets them. "WHAT: REASON"
std::string openssl_failure(std::string_view what);

}  // namespace sabir::node_link
