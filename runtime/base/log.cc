#include "runtime/base/log.h"

#include <unistd.h>

#include <cstdio>
#include <ctime>

namespace sabir {

std::optional<LogLevel> parse_log_level(std::string_view name) {
  static constexpr std::string_view kNames[] = {"debug", "info", "warning", "error", "off"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i]) {
      return static_cast<LogLevel>(i);
    }
  }
  return std::nullopt;
}

void Logger::begin(LogLevel level, Line& line) const {
  static constexpr char kLetters[] = "DIWE";
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts = {};
  ::gmtime_r(&now.tv_sec, &parts);
  char date[40];
  size_t size_bytes = std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
  char micros[16];
  int micros_bytes = std::snprintf(micros, sizeof(micros), ".%06ldZ ", now.tv_nsec / 1000);
  line.append(std::string_view(date, size_bytes), std::string_view(micros, static_cast<size_t>(micros_bytes)),
              kLetters[static_cast<size_t>(level)], ' ', name_, ' ', ::getpid(), ": ");
}

void Logger::write(Line& line) const {
  std::string_view text = line.finish();
  [[maybe_unused]] ssize_t written = ::write(fd_, text.data(), text.size());
}

}  // namespace sabir
