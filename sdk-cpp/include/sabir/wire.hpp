// The bytes of values (docs/values.md): tags, types of numbers, a growing buffer, unaligned numbers.
#ifndef SABIR_WIRE_HPP_
#define SABIR_WIRE_HPP_

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>

#include "sabir/error.hpp"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Sabir's values are little-endian, and so must the machine be"
#endif

SABIR_NAMESPACE_BEGIN
namespace detail {

inline constexpr uint8_t kVariantFlex = 0;
inline constexpr uint8_t kVariantPlain = 1;
inline constexpr uint8_t kVariantBuffers = 2;
inline constexpr uint8_t kVariantTable = 3;
// With this bit a native value begins with a text for readers in other languages (docs/values.md).
inline constexpr uint8_t kVariantNoted = 0x80;

enum Tag : uint8_t {
  kTagNull = 'N',
  kTagTrue = 'T',
  kTagFalse = 'F',
  kTagInt8 = 'i',
  kTagInt64 = 'I',
  kTagUint64 = 'U',
  kTagBigInt = 'n',
  kTagFloat64 = 'f',
  kTagFloat32 = 'e',
  kTagText = 's',
  kTagBytes = 'b',
  kTagList = 'l',
  kTagTuple = 't',
  kTagMap = 'd',
  kTagRef = 'r',
  kTagActor = 'h',
  kTagTime = 'D',
  kTagTensor = 'a',
  kTagTable = 0,  // never in bytes: stands for a whole value that is a table
};

// Containers within containers.
inline constexpr int kDepthMax = 64;
inline constexpr size_t kDimensionsMax = 32;
inline constexpr size_t kAlignment = 64;
inline constexpr int32_t kNoOffset = INT32_MIN;

constexpr size_t aligned(size_t size) { return (size + kAlignment - 1) & ~(kAlignment - 1); }

// At the data's start, before the sizes of the buffers, the stream, and the buffers.
struct BuffersHeader {
  uint64_t stream_bytes;
  uint32_t buffer_count;
  uint32_t reserved;
};
static_assert(sizeof(BuffersHeader) == 16);

// At the start of a top-level tensor; shape and strides follow.
struct TensorHeader {
  uint8_t dtype;
  uint8_t ndim;
  uint16_t reserved;
  uint32_t data_offset;
  uint64_t data_bytes;
};
static_assert(sizeof(TensorHeader) == 16);

// Behind the tag of a tensor within a stream; shape and strides follow.
struct TensorItem {
  uint8_t dtype;
  uint8_t ndim;
  uint16_t reserved;
  uint32_t buffer;
};
static_assert(sizeof(TensorItem) == 8);

template <typename T>
T load(const uint8_t* at) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

// Bytes that grow; small ones are in place.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() {
    if (data_ != inline_) {
      std::free(data_);
    }
  }

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

  // Room for so many more bytes, which count from now on.
  uint8_t* append(size_t count) {
    if (count > capacity_ - size_) {
      grow(count);
    }
    uint8_t* at = data_ + size_;
    size_ += count;
    return at;
  }
  void append(const void* bytes, size_t count) {
    if (count != 0) {
      std::memcpy(append(count), bytes, count);
    }
  }
  template <typename T>
  void put(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(append(sizeof(value)), &value, sizeof(value));
  }
  void put_tag(Tag tag) { *append(1) = tag; }

 private:
  void grow(size_t count) {
    size_t wanted = capacity_ * 2 > size_ + count ? capacity_ * 2 : size_ + count;
    void* made = std::realloc(data_ == inline_ ? nullptr : data_, wanted);
    if (made == nullptr) {
      throw std::bad_alloc();
    }
    if (data_ == inline_) {
      std::memcpy(made, inline_, size_);
    }
    data_ = static_cast<uint8_t*>(made);
    capacity_ = wanted;
  }

  uint8_t inline_[64];
  uint8_t* data_ = inline_;
  size_t size_ = 0;
  size_t capacity_ = sizeof(inline_);
};

// Where the first byte is that is no UTF-8 (of RFC 3629: no surrogates, nothing overlong), or -1.
inline ptrdiff_t invalid_utf8_at(std::string_view text) {
  const auto* begin = reinterpret_cast<const uint8_t*>(text.data());
  const auto* end = begin + text.size();
  const uint8_t* at = begin;
  while (at != end) {
    if (end - at >= 8 && (load<uint64_t>(at) & 0x8080808080808080u) == 0) {
      at += 8;
      continue;
    }
    uint8_t lead = *at;
    if (lead < 0x80) {
      ++at;
      continue;
    }
    int more = lead >= 0xc2 && lead <= 0xdf ? 1 : (lead & 0xf0) == 0xe0 ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
    if (more == 0 || end - at <= more) {
      return at - begin;
    }
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    for (int i = 1; i <= more; ++i) {
      if (at[i] < low || at[i] > high) {
        return at - begin;
      }
      low = 0x80;
      high = 0xbf;
    }
    at += more + 1;
  }
  return -1;
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_WIRE_HPP_
