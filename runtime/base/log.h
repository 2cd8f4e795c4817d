// A small levelled log: bounded lines, one write each, no allocation on the way.
//
// A Logger comes in by constructor like everything else; there is no global one. Its lines look
// like
//   2024-05-01T12:00:00.123456Z W sabird 4711: worker lost pid=4712
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/line.h"

namespace sabir {

enum class LogLevel : uint8_t { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3, kOff = 4 };

// "debug", "info", "warning", "error" or "off"; else nothing.
std::optional<LogLevel> parse_log_level(std::string_view name);

// Copies share the descriptor, which the Logger does not own. Any thread may log. A line that
// cannot be written is lost; with a non-blocking descriptor nobody ever waits for a reader.
class Logger {
 public:
  // Writes to `fd` (2 is standard error). `name` says who speaks.
  Logger(int fd, LogLevel level, std::string_view name) : fd_(fd), level_(level), name_(name) {}
  // Says nothing.
  Logger() : Logger(-1, LogLevel::kOff, "") {}

  bool enabled(LogLevel level) const { return level >= level_ && level_ != LogLevel::kOff; }

  template <typename... Parts>
  void debug(const Parts&... parts) const {
    log(LogLevel::kDebug, parts...);
  }
  template <typename... Parts>
  void info(const Parts&... parts) const {
    log(LogLevel::kInfo, parts...);
  }
  template <typename... Parts>
  void warning(const Parts&... parts) const {
    log(LogLevel::kWarning, parts...);
  }
  template <typename... Parts>
  void error(const Parts&... parts) const {
    log(LogLevel::kError, parts...);
  }

 private:
  template <typename... Parts>
  void log(LogLevel level, const Parts&... parts) const {
    if (enabled(level)) {
      Line line;
      begin(level, line);
      line.append(parts...);
      write(line);
    }
  }
  void begin(LogLevel level, Line& line) const;
  void write(Line& line) const;

  int fd_;
  LogLevel level_;
  std::string name_;
};

}  // namespace sabir
