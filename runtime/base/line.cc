#include "runtime/base/line.h"

#include <algorithm>
#include <cstring>

namespace sabir {

void Line::append_one(std::string_view text) {
  size_t room_bytes = kCapacityBytes - kTailBytes - size_bytes_;
  size_t taken_bytes = std::min(text.size(), room_bytes);
  if (taken_bytes > 0) {
    std::memcpy(buffer_ + size_bytes_, text.data(), taken_bytes);
    size_bytes_ += taken_bytes;
  }
  cut_ = cut_ || taken_bytes < text.size();
}

std::string_view Line::finish() {
  std::replace(buffer_, buffer_ + size_bytes_, '\n', ' ');
  if (cut_) {
    std::memcpy(buffer_ + size_bytes_, "...", 3);
    size_bytes_ += 3;
  }
  buffer_[size_bytes_++] = '\n';
  return view();
}

}  // namespace sabir
