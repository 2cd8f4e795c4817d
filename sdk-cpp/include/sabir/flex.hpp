// FlexBuffers, read and turned into a plain stream, so that everything else reads one form. What Python's scalars and
// the core's error values are written in. The bytes are not trusted: each access is checked, and vectors that share
// parts cannot make the stream much larger than they are.
#ifndef SABIR_FLEX_HPP_
#define SABIR_FLEX_HPP_

#include <cmath>
#include <string>

#include "sabir/wire.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

class FlexReader {
 public:
  FlexReader(const uint8_t* data, size_t size, ByteBuffer& out) : data_(data), size_(size), out_(out) {
    limit_ = size <= (SIZE_MAX >> 6) ? size * 32 + (1 << 20) : SIZE_MAX;
  }

  // Appends the value as a plain stream; throws ConversionError if the bytes are damaged.
  void read() {
    if (size_ < 3) {
      damaged("too short");
    }
    size_t width = data_[size_ - 1];
    if ((width != 1 && width != 2 && width != 4 && width != 8) || width + 2 > size_) {
      damaged("an impossible width");
    }
    value(size_ - 2 - width, width, data_[size_ - 2], 0);
  }

 private:
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
    kVectorKey = 14,
    kVectorString = 15,
    kVectorInt2 = 16,  // and so on: three types, two to four items
    kVectorFloat4 = 24,
    kBlob = 25,
    kBool = 26,
    kVectorBool = 36,
  };

  [[noreturn]] void damaged(const std::string& why) const {
    throw ConversionError("a damaged neutral value (FlexBuffers of " + std::to_string(size_) + " bytes): " + why);
  }
  void check(size_t at, size_t count) const {
    if (at > size_ || count > size_ - at) {
      damaged("something lies outside of it");
    }
  }
  uint64_t unsigned_at(size_t at, size_t width) const {
    check(at, width);
    switch (width) {
      case 1:
        return data_[at];
      case 2:
        return load<uint16_t>(data_ + at);
      case 4:
        return load<uint32_t>(data_ + at);
      default:
        return load<uint64_t>(data_ + at);
    }
  }
  int64_t signed_at(size_t at, size_t width) const {
    uint64_t bits = unsigned_at(at, width);
    int unused = static_cast<int>(64 - 8 * width);
    return static_cast<int64_t>(bits << unused) >> unused;
  }
  // An offset leads back, to what was written before.
  size_t target(size_t at, size_t width) const {
    uint64_t back = unsigned_at(at, width);
    if (back > at) {
      damaged("an offset leads out of it");
    }
    return at - static_cast<size_t>(back);
  }
  uint64_t size_before(size_t at, size_t width) const {
    if (at < width) {
      damaged("a size lies outside of it");
    }
    return unsigned_at(at - width, width);
  }

  void count_output() {
    if (out_.size() > limit_ || ++values_ > limit_) {
      damaged("it repeats itself too often");
    }
  }
  template <typename T>
  void put(Tag tag, T number) {
    out_.put_tag(tag);
    out_.put(number);
  }
  void put_signed(int64_t number) {
    if (number == static_cast<int8_t>(number)) {
      put(kTagInt8, static_cast<int8_t>(number));
    } else {
      put(kTagInt64, number);
    }
  }
  void put_unsigned(uint64_t number) {
    if (number >> 63 != 0) {
      put(kTagUint64, number);
    } else {
      put_signed(static_cast<int64_t>(number));
    }
  }
  void put_float(size_t at, size_t width) {
    check(at, width);
    if (width == 8) {
      put(kTagFloat64, load<double>(data_ + at));
    } else if (width == 4) {
      put(kTagFloat32, load<float>(data_ + at));
    } else if (width == 2) {
      put(kTagFloat32, half(load<uint16_t>(data_ + at)));
    } else {
      damaged("a float of one byte");
    }
  }
  static float half(uint16_t bits) {
    int exponent = bits >> 10 & 31;
    float fraction = static_cast<float>(bits & 1023);
    float size = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                 : exponent == 0 ? std::ldexp(fraction, -24)
                                 : std::ldexp(fraction + 1024, exponent - 25);
    return bits >> 15 != 0 ? -size : size;
  }
  void put_content(Tag tag, size_t at, uint64_t count) {
    check(at, count);
    if (count > UINT32_MAX || count > limit_ - (out_.size() < limit_ ? out_.size() : limit_)) {
      damaged("it repeats itself too often");
    }
    put(tag, static_cast<uint32_t>(count));
    out_.append(data_ + at, count);
  }
  void put_key(size_t at) {
    check(at, 1);
    const void* end = std::memchr(data_ + at, 0, size_ - at);
    if (end == nullptr) {
      damaged("a key without an end");
    }
    put_content(kTagText, at, static_cast<size_t>(static_cast<const uint8_t*>(end) - (data_ + at)));
  }
  void put_count(Tag tag, uint64_t count) {
    if (count > UINT32_MAX) {
      damaged("an impossible size");
    }
    put(tag, static_cast<uint32_t>(count));
  }

  // A value in a place of `width` bytes at `at`.
  void value(size_t at, size_t width, uint8_t packed, int depth) {
    count_output();
    if (depth > kDepthMax) {
      damaged("more than " + std::to_string(kDepthMax) + " containers within each other");
    }
    uint8_t type = packed >> 2;
    size_t inner = size_t{1} << (packed & 3);
    switch (type) {
      case kNull:
        out_.put_tag(kTagNull);
        return;
      case kBool:
        out_.put_tag(unsigned_at(at, width) != 0 ? kTagTrue : kTagFalse);
        return;
      case kInt:
        put_signed(signed_at(at, width));
        return;
      case kUint:
        put_unsigned(unsigned_at(at, width));
        return;
      case kFloat:
        put_float(at, width);
        return;
      case kIndirectInt:
        put_signed(signed_at(target(at, width), inner));
        return;
      case kIndirectUint:
        put_unsigned(unsigned_at(target(at, width), inner));
        return;
      case kIndirectFloat:
        put_float(target(at, width), inner);
        return;
      case kKey:
        put_key(target(at, width));
        return;
      case kString:
      case kBlob: {
        size_t start = target(at, width);
        put_content(type == kString ? kTagText : kTagBytes, start, size_before(start, inner));
        return;
      }
      case kMap:
        map(target(at, width), inner, depth);
        return;
      case kVector:
        vector(target(at, width), inner, depth);
        return;
      default:
        typed_vector(target(at, width), inner, type, depth);
    }
  }

  void vector(size_t at, size_t width, int depth) {
    uint64_t count = size_before(at, width);
    check_items(at, width, count, 1);
    put_count(kTagList, count);
    for (size_t i = 0; i < count; ++i) {
      value(at + i * width, width, data_[at + count * width + i], depth + 1);
    }
  }

  void map(size_t at, size_t width, int depth) {
    uint64_t count = size_before(at, width);
    check_items(at, width, count, 1);
    if (at < 3 * width) {
      damaged("a map without keys");
    }
    size_t keys = target(at - 3 * width, width);
    uint64_t key_width = unsigned_at(at - 2 * width, width);
    if (key_width != 1 && key_width != 2 && key_width != 4 && key_width != 8) {
      damaged("an impossible width");
    }
    if (size_before(keys, key_width) != count) {
      damaged("a map with more or fewer keys than values");
    }
    check_items(keys, key_width, count, 0);
    put_count(kTagMap, count);
    for (size_t i = 0; i < count; ++i) {
      count_output();
      put_key(target(keys + i * key_width, key_width));
      value(at + i * width, width, data_[at + count * width + i], depth + 1);
    }
  }

  void typed_vector(size_t at, size_t width, uint8_t type, int depth) {
    uint64_t count = 0;
    uint8_t item = 0;
    if (type >= kVectorInt2 && type <= kVectorFloat4) {
      count = (type - kVectorInt2) / 3 + 2;
      item = static_cast<uint8_t>((type - kVectorInt2) % 3 + kInt);
    } else if ((type >= kVectorInt && type <= kVectorString) || type == kVectorBool) {
      count = size_before(at, width);
      item = static_cast<uint8_t>(type == kVectorBool ? +kBool : type - kVectorInt + kInt);
    } else {
      damaged("an unknown type, " + std::to_string(type));
    }
    check_items(at, width, count, 0);
    put_count(kTagList, count);
    for (size_t i = 0; i < count; ++i) {
      // The width of what an item points at is not written; of strings it was always read as one byte.
      value(at + i * width, width, static_cast<uint8_t>(item << 2), depth + 1);
    }
  }

  void check_items(size_t at, size_t width, uint64_t count, size_t type_bytes) const {
    if (count > size_ / width) {
      damaged("more items than bytes");
    }
    check(at, count * (width + type_bytes));
  }

  const uint8_t* data_;
  size_t size_;
  ByteBuffer& out_;
  size_t limit_;
  size_t values_ = 0;
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_FLEX_HPP_
