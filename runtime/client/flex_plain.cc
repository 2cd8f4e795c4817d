#include "runtime/client/flex_plain.h"

#include <cmath>
#include <cstring>
#include <string_view>

namespace sabir::client {
namespace {

// Containers within containers, as in the plain form.
constexpr int kMaxDepth = 64;
// Of the plain form, beyond a multiple of what there is to read.
constexpr size_t kFreeBytes = 1 << 20;
constexpr size_t kGrowth = 32;

// In the order of their numbers there.
enum Type : uint8_t {
  kNull = 0,
  kInt = 1,
  kUint = 2,
  kFloat = 3,
  kKey = 4,
  kString = 5,
  kIndirectInt = 6,
  kIndirectUint = 7,
  kIndirectFloat = 8,
  kMap = 9,
  kVector = 10,
  kVectorInt = 11,  // and of unsigned, float, key
  kVectorString = 15,
  kVectorInt2 = 16,  // and so on: three types, two to four items
  kVectorFloat4 = 24,
  kBlob = 25,
  kBool = 26,
  kVectorBool = 36,
};

constexpr bool is_width(uint64_t width) { return width == 1 || width == 2 || width == 4 || width == 8; }

float half(uint16_t bits) {
  int exponent = bits >> 10 & 31;
  float fraction = static_cast<float>(bits & 1023);
  float size = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
               : exponent == 0 ? std::ldexp(fraction, -24)
                               : std::ldexp(fraction + 1024, exponent - 25);
  return bits >> 15 != 0 ? -size : size;
}

// The first thing that is wrong is kept; from then on everything reads as zero and loops end.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes), limit_(bytes.size() * kGrowth + kFreeBytes) {}

  Result<std::string> read() {
    uint64_t width = bytes_.size() < 3 ? 0 : bytes_.back();
    if (!is_width(width) || width + 2 > bytes_.size()) {
      damaged("it does not end as one");
    } else {
      value(bytes_.size() - 2 - width, width, bytes_[bytes_.size() - 2], 0);
    }
    if (!ok()) {
      return invalid_error("a damaged neutral value (FlexBuffers of " + std::to_string(bytes_.size()) +
                           " bytes): " + why_);
    }
    return std::move(out_);
  }

 private:
  bool ok() const { return why_.empty(); }
  void damaged(std::string_view why) {
    if (ok()) {
      why_ = why;
    }
  }
  bool check(size_t at, uint64_t count) {
    if (at > bytes_.size() || count > bytes_.size() - at) {
      damaged("something lies outside of it");
    }
    return ok();
  }
  // Unless it is beyond the bound.
  bool count_output(uint64_t bytes) {
    if (++values_ > limit_ || bytes > limit_ || out_.size() > limit_ - bytes) {
      damaged("it repeats itself too often");
    }
    return ok();
  }

  uint64_t unsigned_at(size_t at, uint64_t width) {
    uint64_t number = 0;  // little-endian
    if (check(at, width)) {
      std::memcpy(&number, bytes_.data() + at, width);
    }
    return number;
  }
  int64_t signed_at(size_t at, uint64_t width) {
    uint64_t bits = unsigned_at(at, width);
    auto unused = static_cast<int>(64 - 8 * width);
    return static_cast<int64_t>(bits << unused) >> unused;
  }
  // An offset leads back, to what was written before.
  size_t target(size_t at, uint64_t width) {
    uint64_t back = unsigned_at(at, width);
    if (back > at) {
      damaged("an offset leads out of it");
      return 0;
    }
    return at - static_cast<size_t>(back);
  }
  uint64_t size_before(size_t at, uint64_t width) {
    if (at < width) {
      damaged("a size lies outside of it");
      return 0;
    }
    return unsigned_at(at - width, width);
  }

  template <typename T>
  void put(char tag, T number) {
    out_ += tag;
    out_.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  void put_signed(int64_t number) {
    if (number == static_cast<int8_t>(number)) {
      put('i', static_cast<int8_t>(number));
    } else {
      put('I', number);
    }
  }
  void put_unsigned(uint64_t number) {
    if (number >> 63 != 0) {
      put('U', number);
    } else {
      put_signed(static_cast<int64_t>(number));
    }
  }
  void put_float(size_t at, uint64_t width) {
    uint64_t bits = unsigned_at(at, width);
    if (width == 8) {
      put('f', bits);
    } else if (width == 4) {
      put('e', static_cast<uint32_t>(bits));
    } else if (width == 2) {
      put('e', half(static_cast<uint16_t>(bits)));
    } else {
      damaged("a float of one byte");
    }
  }
  void put_count(char tag, uint64_t count) {
    if (count > UINT32_MAX) {
      damaged("an impossible size");
    }
    put(tag, static_cast<uint32_t>(count));
  }
  void put_content(char tag, size_t at, uint64_t count) {
    if (check(at, count) && count_output(count)) {
      put_count(tag, count);
      out_.append(reinterpret_cast<const char*>(bytes_.data()) + at, count);
    }
  }
  void put_key(size_t at) {
    const void* end = check(at, 1) ? std::memchr(bytes_.data() + at, 0, bytes_.size() - at) : nullptr;
    if (end == nullptr) {
      damaged("a key without an end");
      return;
    }
    put_content('s', at, static_cast<size_t>(static_cast<const uint8_t*>(end) - (bytes_.data() + at)));
  }

  // A value in a place of `width` bytes at `at`.
  void value(size_t at, uint64_t width, uint8_t packed, int depth) {
    if (depth > kMaxDepth) {
      damaged("more than 64 containers within each other");
    }
    if (!count_output(0)) {
      return;
    }
    uint64_t inner = uint64_t{1} << (packed & 3);
    switch (packed >> 2) {
      case kNull:
        out_ += 'N';
        return;
      case kBool:
        out_ += unsigned_at(at, width) != 0 ? 'T' : 'F';
        return;
      case kInt:
        return put_signed(signed_at(at, width));
      case kUint:
        return put_unsigned(unsigned_at(at, width));
      case kFloat:
        return put_float(at, width);
      case kIndirectInt:
        return put_signed(signed_at(target(at, width), inner));
      case kIndirectUint:
        return put_unsigned(unsigned_at(target(at, width), inner));
      case kIndirectFloat:
        return put_float(target(at, width), inner);
      case kKey:
        return put_key(target(at, width));
      case kString:
      case kBlob: {
        size_t start = target(at, width);
        return put_content(packed >> 2 == kString ? 's' : 'b', start, size_before(start, inner));
      }
      case kMap:
        return map(target(at, width), inner, depth);
      case kVector:
        return vector(target(at, width), inner, depth);
      default:
        return typed_vector(target(at, width), inner, static_cast<unsigned>(packed) >> 2, depth);
    }
  }

  bool check_items(size_t at, uint64_t width, uint64_t count, uint64_t type_bytes) {
    if (count > bytes_.size() / width) {
      damaged("more items than bytes");
      return false;
    }
    return check(at, count * (width + type_bytes));
  }

  void vector(size_t at, uint64_t width, int depth) {
    uint64_t count = size_before(at, width);
    if (check_items(at, width, count, 1)) {
      put_count('l', count);
    }
    for (size_t i = 0; ok() && i < count; ++i) {
      value(at + i * width, width, bytes_[at + count * width + i], depth + 1);
    }
  }

  void map(size_t at, uint64_t width, int depth) {
    uint64_t count = size_before(at, width);
    if (at < 3 * width || !check_items(at, width, count, 1)) {
      return damaged("a map without keys");
    }
    size_t keys = target(at - 3 * width, width);
    uint64_t key_width = unsigned_at(at - 2 * width, width);
    if (!ok() || !is_width(key_width) || size_before(keys, key_width) != count ||
        !check_items(keys, key_width, count, 0)) {
      return damaged("a map whose keys are not those of its values");
    }
    put_count('d', count);
    for (size_t i = 0; ok() && i < count; ++i) {
      put_key(target(keys + i * key_width, key_width));
      value(at + i * width, width, bytes_[at + count * width + i], depth + 1);
    }
  }

  void typed_vector(size_t at, uint64_t width, unsigned type, int depth) {
    uint64_t count = 0;
    unsigned item = 0;
    if (type >= kVectorInt2 && type <= kVectorFloat4) {
      count = (type - kVectorInt2) / 3 + 2;
      item = (type - kVectorInt2) % 3 + kInt;
    } else if ((type >= kVectorInt && type <= kVectorString) || type == kVectorBool) {
      count = size_before(at, width);
      item = type == kVectorBool ? unsigned{kBool} : type - kVectorInt + kInt;
    } else {
      return damaged("an unknown type, " + std::to_string(type));
    }
    if (check_items(at, width, count, 0)) {
      put_count('l', count);
    }
    for (size_t i = 0; ok() && i < count; ++i) {
      // The width of what an item points at is not written; of strings it was always read as one byte.
      value(at + i * width, width, static_cast<uint8_t>(item << 2), depth + 1);
    }
  }

  std::span<const uint8_t> bytes_;
  size_t limit_;
  size_t values_ = 0;
  std::string out_;
  std::string why_;
};

}  // namespace

Result<std::string> flex_to_plain(std::span<const uint8_t> bytes) { return Reader(bytes).read(); }

}  // namespace sabir::client
