// Text that processes write, made bounded: whole lines out of a stream, and a file that rotates.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace sabir::node {

// Cuts a stream of bytes into lines. A line longer than kMaxLineBytes comes in pieces. A line that only ends in '\r' (a
// progress bar) is a line.
class LineSplitter {
 public:
  static constexpr size_t kMaxLineBytes = 16 << 10;

  // `on_line` gets each line without its end.
  void feed(std::string_view bytes, const std::function<void(std::string_view line)>& on_line);
  // The stream is over: what is left is a line too.
  void finish(const std::function<void(std::string_view line)>& on_line);

 private:
  std::string partial_;
};

// A log file that never grows beyond its share: at `max_file_bytes` it becomes NAME.1, that NAME.2 and so on; the
// oldest of `max_files` goes. A write that fails is counted and forgotten: logging never stops anything.
class LogFile {
 public:
  struct Options {
    uint64_t max_file_bytes = 16 << 20;
    uint32_t max_files = 4;
  };
  static Result<LogFile> open(std::string path, Options options);

  // Text with its line ends.
  void append(std::string_view text);

  uint64_t lost_writes() const { return lost_writes_; }
  const std::string& path() const { return path_; }

 private:
  LogFile(std::string path, Options options) : path_(std::move(path)), options_(options) {}
  Result<void> reopen();
  void rotate();

  std::string path_;
  Options options_;
  UniqueFd file_;
  uint64_t size_bytes_ = 0;
  uint64_t lost_writes_ = 0;
};

// The last lines of a stream, for the text of a failure.
class LineTail {
 public:
  static constexpr size_t kMaxLines = 20;
  static constexpr size_t kMaxBytes = 4 << 10;

  void add(std::string_view line);
  // "line\nline", or empty.
  std::string text() const;

 private:
  std::deque<std::string> lines_;
  size_t bytes_ = 0;
};

}  // namespace sabir::node
