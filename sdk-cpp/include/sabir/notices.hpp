// What the node has to say to a driver: output of workers, warnings.
#ifndef SABIR_NOTICES_HPP_
#define SABIR_NOTICES_HPP_

#include <cstdio>
#include <string>

#include "sabir/config.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

inline void print_log(const sabir_buffer* buffer) {
  sabir_log_view log = SABIR_LOG_VIEW_INIT;
  if (sabir_log_read(buffer, &log, nullptr) != SABIR_OK) {
    return;
  }
  std::string prefix(view_of(log.task_name));
  prefix = "(" + (prefix.empty() ? "worker" : prefix) + " pid=" + std::to_string(log.pid) + ") ";
  FILE* stream = log.stream == 2 ? stderr : stdout;
  if (log.dropped_lines != 0) {
    std::fprintf(stderr, "%s[%llu lines left out: output faster than it could be shown]\n", prefix.c_str(),
                 static_cast<unsigned long long>(log.dropped_lines));
  }
  std::string_view text = view_of(log.text);
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    std::fprintf(stream, "%s%.*s\n", prefix.c_str(), static_cast<int>(line.size()), line.data());
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  std::fflush(stream);
}

// Until the client is shut down.
inline void print_notices(sabir_client* client) {
  for (;;) {
    sabir_event event{};
    size_t count = 0;
    sabir_status status = sabir_queue_next(sabir_client_notice_queue(client), &event, 1, -1, nullptr, &count, nullptr);
    if (status == SABIR_INTERRUPTED || status == SABIR_TIMEOUT) {
      continue;
    }
    if (status != SABIR_OK || count == 0) {
      return;
    }
    if (event.kind == SABIR_EVENT_LOG) {
      print_log(event.buffer);
    } else if (event.kind == SABIR_EVENT_WARNING) {
      sabir_span text = sabir_buffer_bytes(event.buffer);
      std::fprintf(stderr, "(sabir) warning: %.*s\n", static_cast<int>(text.size), static_cast<const char*>(text.data));
    }
    sabir_buffer_destroy(event.buffer);
  }
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_NOTICES_HPP_
