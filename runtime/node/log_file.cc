#include "runtime/node/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace sabir::node {

void LineSplitter::feed(std::string_view bytes, const std::function<void(std::string_view)>& on_line) {
  while (!bytes.empty()) {
    size_t end = bytes.find_first_of("\r\n");
    size_t room = kMaxLineBytes - partial_.size();
    if (std::min(end, bytes.size()) > room) {
      partial_.append(bytes.substr(0, room));
      bytes.remove_prefix(room);
      finish(on_line);
      continue;
    }
    if (end == std::string_view::npos) {
      partial_.append(bytes);
      return;
    }
    std::string_view line = bytes.substr(0, end);
    bool has_text = !line.empty() || !partial_.empty();
    // "\r\n" is one end, and the '\n' after a line that '\r' ended says nothing.
    if (has_text || bytes[end] == '\n') {
      if (partial_.empty()) {
        on_line(line);
      } else {
        partial_.append(line);
        on_line(partial_);
        partial_.clear();
      }
    }
    bool pair = bytes[end] == '\r' && end + 1 < bytes.size() && bytes[end + 1] == '\n';
    bytes.remove_prefix(end + (pair ? 2 : 1));
  }
}

void LineSplitter::finish(const std::function<void(std::string_view)>& on_line) {
  if (!partial_.empty()) {
    on_line(partial_);
    partial_.clear();
  }
}

Result<LogFile> LogFile::open(std::string path, Options options) {
  LogFile file(std::move(path), options);
  SABIR_RETURN_IF_ERROR(file.reopen());
  return file;
}

Result<void> LogFile::reopen() {
  file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_) {
    return Error::from_errno(errno, "open " + path_);
  }
  struct stat status = {};
  size_bytes_ = ::fstat(file_.get(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  return {};
}

void LogFile::rotate() {
  for (uint32_t i = options_.max_files; i > 1; --i) {
    std::string older = path_ + "." + std::to_string(i - 1);
    std::string newer = i > 2 ? path_ + "." + std::to_string(i - 2) : path_;
    ::rename(newer.c_str(), older.c_str());
  }
  if (options_.max_files <= 1) {
    ::unlink(path_.c_str());
  }
  size_bytes_ = 0;
  [[maybe_unused]] Result<void> opened = reopen();  // without a file writes are lost and counted
}

void LogFile::append(std::string_view text) {
  if (size_bytes_ > 0 && size_bytes_ + text.size() > options_.max_file_bytes) {
    rotate();
  }
  ssize_t written = ::write(file_.get(), text.data(), text.size());
  if (written > 0) {
    size_bytes_ += static_cast<uint64_t>(written);
  }
  if (written != static_cast<ssize_t>(text.size())) {
    ++lost_writes_;
  }
}

void LineTail::add(std::string_view line) {
  line = line.substr(0, kMaxBytes);
  lines_.emplace_back(line);
  bytes_ += line.size();
  while (lines_.size() > kMaxLines || bytes_ > kMaxBytes) {
    bytes_ -= lines_.front().size();
    lines_.pop_front();
  }
}

std::string LineTail::text() const {
  std::string text;
  for (const std::string& line : lines_) {
    text += (text.empty() ? "" : "\n") + line;
  }
  return text;
}

}  // namespace sabir::node
