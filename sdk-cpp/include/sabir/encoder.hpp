// Writes a value as a plain stream. Large bytes are not copied into it but remembered, if they outlive it.
#ifndef SABIR_ENCODER_HPP_
#define SABIR_ENCODER_HPP_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sabir/handles.hpp"
#include "sabir/numbers.hpp"
#include "sabir/place.hpp"
#include "sabir/wire.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// One array: numbers in memory and how they lie there. `keep`: what the memory belongs to, or null.
struct TensorParts {
  uint8_t dtype = 0;
  std::vector<uint64_t> shape;
  std::vector<int64_t> strides;  // bytes
  const void* data = nullptr;
  size_t size_bytes = 0;
  std::shared_ptr<const void> keep;
};

class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  void null() { stream_.put_tag(kTagNull); }
  void boolean(bool value) { stream_.put_tag(value ? kTagTrue : kTagFalse); }
  void integer(int64_t value) {
    if (value == static_cast<int8_t>(value)) {
      uint8_t* at = stream_.append(2);
      at[0] = kTagInt8;
      at[1] = static_cast<uint8_t>(value);
    } else {
      number(kTagInt64, value);
    }
  }
  void unsigned_integer(uint64_t value) {
    if (value >> 63 == 0) {
      integer(static_cast<int64_t>(value));
    } else {
      number(kTagUint64, value);
    }
  }
  void big_integer(const BigInt& value) {
    if (auto small = value.to_int64()) {
      integer(*small);
    } else if (auto larger = value.to_uint64()) {
      unsigned_integer(*larger);
    } else {
      sized(kTagBigInt, value.bytes.size());
      stream_.append(value.bytes.data(), value.bytes.size());
    }
  }
  void real(double value) { number(kTagFloat64, value); }
  void real(float value) { number(kTagFloat32, value); }
  void text(std::string_view value) {
    if (ptrdiff_t at = invalid_utf8_at(value); at >= 0) {
      fail("text that is not UTF-8 (byte " + std::to_string(at) + "): send it as sabir::Bytes");
    }
    content(kTagText, value.data(), value.size());
  }
  void bytes(const void* data, size_t size) { content(kTagBytes, data, size); }
  void time(const Timestamp& value) {
    number(kTagTime, value.unix_ns);
    stream_.put(value.offset_s ? *value.offset_s : kNoOffset);
  }
  // Takes over.
  void reference(RefHandle ref) { index(kTagRef, std::move(ref)); }
  void actor(RefHandle ref) { index(kTagActor, std::move(ref)); }

  // A container of `count` items (of a map: keys and values in turn) which are written while it lives.
  class Container {
   public:
    Container(Encoder& encoder, Tag tag, size_t count) : encoder_(encoder) {
      if (++encoder_.depth_ > kDepthMax) {
        --encoder_.depth_;
        encoder_.fail("more than " + std::to_string(kDepthMax) + " containers within each other");
      }
      encoder_.sized(tag, count);
      place_.up = encoder.place_;
      encoder_.place_ = &place_;
    }
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;
    ~Container() {
      --encoder_.depth_;
      encoder_.place_ = place_.up;
    }

    // An item is written, or (of a map) an entry.
    void next() { ++place_.index; }
    void name(std::string_view field) { place_.name = field; }

   private:
    Encoder& encoder_;
    Place place_;
  };

  // While it lives, nothing that is written outlives the call that writes it: it is copied.
  class Temporaries {
   public:
    explicit Temporaries(Encoder& encoder) : encoder_(encoder) { ++encoder_.temporaries_; }
    Temporaries(const Temporaries&) = delete;
    Temporaries& operator=(const Temporaries&) = delete;
    ~Temporaries() { --encoder_.temporaries_; }

   private:
    Encoder& encoder_;
  };

  // An array inside a container; its numbers go behind the stream.
  void tensor(TensorParts parts) {
    keep(parts);
    stream_.put_tag(kTagTensor);
    stream_.put(
        TensorItem{parts.dtype, static_cast<uint8_t>(parts.shape.size()), 0, static_cast<uint32_t>(buffers_.size())});
    put_dimensions(parts);
    buffers_.push_back({parts.data, parts.size_bytes});
  }

  // The whole value is one array.
  void top_tensor(TensorParts parts) {
    keep(parts);
    size_t dimensions = parts.shape.size();
    size_t header_bytes = sizeof(TensorHeader) + dimensions * 16;
    size_t offset = aligned(header_bytes);
    stream_.put(TensorHeader{parts.dtype, static_cast<uint8_t>(dimensions), 0, static_cast<uint32_t>(offset),
                             parts.size_bytes});
    put_dimensions(parts);
    std::memset(stream_.append(offset - header_bytes), 0, offset - header_bytes);
    buffers_.push_back({parts.data, parts.size_bytes});
    is_tensor_ = true;
  }

  // The whole value is a table: it has nothing around it.
  void table(TableHandle table) {
    if (place_ != nullptr || stream_.size() != 0) {
      fail("a table can only be a whole argument, result or object");
    }
    sabir_error* error = nullptr;
    if (sabir_table_value(table.get(), &table_value_, &error) != SABIR_OK) {
      fail(take_message(error));
    }
    table_ = std::move(table);
  }

  // The value, which borrows from this encoder and from what was written.
  sabir_value finish() {
    if (table_ != nullptr) {
      table_value_.language = SABIR_LANGUAGE_CPP;
      return table_value_;
    }
    sabir_value value{};
    value.refs = ref_pointers();
    value.ref_count = refs_.size();
    if (!is_tensor_ && stream_.size() == 1 && stream_.data()[0] == kTagNull) {
      return value;  // SABIR_NULL has no bytes
    }
    value.language = SABIR_LANGUAGE_CPP;
    value.encoding = is_tensor_ ? SABIR_TENSOR : SABIR_NEUTRAL;
    value.variant = is_tensor_ ? 0 : buffers_.empty() ? kVariantPlain : kVariantBuffers;
    if (buffers_.empty() && splices_.empty()) {
      single_ = {stream_.data(), stream_.size()};
      value.parts = &single_;
      value.part_count = 1;
      return value;
    }
    parts_.clear();
    size_t at = 0;
    if (value.variant == kVariantBuffers) {
      at = put_buffers_header();
    }
    at += put_stream();
    for (const sabir_span& buffer : buffers_) {
      static constexpr uint8_t kZeros[kAlignment] = {};
      parts_.push_back({kZeros, aligned(at) - at});
      parts_.push_back(buffer);
      at = aligned(at) + buffer.size;
    }
    value.parts = parts_.data();
    value.part_count = static_cast<uint32_t>(parts_.size());
    return value;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw ConversionError(
        "a value cannot be sent: " + (place_ == nullptr ? "" : "at " + Place::describe(place_) + ": ") + what);
  }

 private:
  // From here on it pays not to copy.
  static constexpr size_t kSpliceBytes = 4096;

  struct Splice {
    size_t stream_at;
    sabir_span bytes;
  };

  template <typename T>
  void number(Tag tag, T value) {
    uint8_t* at = stream_.append(1 + sizeof(value));
    at[0] = tag;
    std::memcpy(at + 1, &value, sizeof(value));
  }
  void sized(Tag tag, size_t size) {
    if (size > UINT32_MAX) {
      fail("more than 4 GiB in one string or container: send it as a tensor");
    }
    number(tag, static_cast<uint32_t>(size));
  }
  void content(Tag tag, const void* data, size_t size) {
    sized(tag, size);
    if (size < kSpliceBytes || temporaries_ != 0) {
      stream_.append(data, size);
    } else {
      splices_.push_back({stream_.size(), {data, size}});
    }
  }
  void index(Tag tag, RefHandle ref) {
    if (!ref) {
      fail("an empty reference or actor handle");
    }
    number(tag, static_cast<uint32_t>(refs_.size()));
    refs_.push_back(std::move(ref));
  }
  void keep(TensorParts& parts) {
    if (parts.shape.size() > kDimensionsMax) {
      fail("a tensor of more than 32 dimensions");
    }
    if (parts.keep != nullptr) {
      kept_.push_back(parts.keep);
    } else if (temporaries_ != 0) {
      std::shared_ptr<uint8_t[]> copy(new uint8_t[parts.size_bytes]);
      std::memcpy(copy.get(), parts.data, parts.size_bytes);
      parts.data = copy.get();
      kept_.push_back(std::move(copy));
    }
  }
  void put_dimensions(const TensorParts& parts) {
    stream_.append(parts.shape.data(), parts.shape.size() * sizeof(uint64_t));
    stream_.append(parts.strides.data(), parts.strides.size() * sizeof(int64_t));
  }
  size_t put_buffers_header() {
    uint64_t stream_bytes = stream_.size();
    for (const Splice& splice : splices_) {
      stream_bytes += splice.bytes.size;
    }
    header_.assign(sizeof(BuffersHeader) + buffers_.size() * sizeof(uint64_t), 0);
    BuffersHeader header{stream_bytes, static_cast<uint32_t>(buffers_.size()), 0};
    std::memcpy(header_.data(), &header, sizeof(header));
    for (size_t i = 0; i < buffers_.size(); ++i) {
      uint64_t size = buffers_[i].size;
      std::memcpy(header_.data() + sizeof(header) + i * sizeof(size), &size, sizeof(size));
    }
    parts_.push_back({header_.data(), header_.size()});
    return header_.size();
  }
  size_t put_stream() {
    size_t from = 0;
    size_t total = stream_.size();
    for (const Splice& splice : splices_) {
      parts_.push_back({stream_.data() + from, splice.stream_at - from});
      parts_.push_back(splice.bytes);
      from = splice.stream_at;
      total += splice.bytes.size;
    }
    parts_.push_back({stream_.data() + from, stream_.size() - from});
    return total;
  }
  sabir_ref* const* ref_pointers() {
    if (refs_.empty()) {
      return nullptr;
    }
    pointers_.clear();
    for (const RefHandle& ref : refs_) {
      pointers_.push_back(ref.get());
    }
    return pointers_.data();
  }

  ByteBuffer stream_;
  const Place* place_ = nullptr;
  int depth_ = 0;
  int temporaries_ = 0;
  bool is_tensor_ = false;
  sabir_span single_{};
  std::vector<RefHandle> refs_;
  std::vector<sabir_ref*> pointers_;
  std::vector<Splice> splices_;
  std::vector<sabir_span> buffers_;
  std::vector<std::shared_ptr<const void>> kept_;
  std::vector<sabir_span> parts_;
  std::vector<uint8_t> header_;
  TableHandle table_;
  sabir_value table_value_{};
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_ENCODER_HPP_
