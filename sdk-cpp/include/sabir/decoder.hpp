// Reads a value of any neutral form: what is no plain stream becomes one first. Nobody is trusted: each length is
// checked before it is used.
#ifndef SABIR_DECODER_HPP_
#define SABIR_DECODER_HPP_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sabir/opened.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// The bytes that strides and shape reach from the first element, or an error text.
inline const char* tensor_extent(const TensorParts& parts, size_t* out_first, size_t* out_bytes) {
  uint64_t item = dtype_facts(parts.dtype)->size_bytes;
  uint64_t low = 0;
  uint64_t high = 0;
  bool empty = false;
  for (size_t i = 0; i < parts.shape.size(); ++i) {
    empty = empty || parts.shape[i] == 0;
  }
  for (size_t i = 0; !empty && i < parts.shape.size(); ++i) {
    uint64_t step =
        parts.strides[i] < 0 ? ~static_cast<uint64_t>(parts.strides[i]) + 1 : static_cast<uint64_t>(parts.strides[i]);
    uint64_t reach = 0;
    uint64_t* end = parts.strides[i] < 0 ? &low : &high;
    if (__builtin_mul_overflow(step, parts.shape[i] - 1, &reach) || __builtin_add_overflow(*end, reach, end)) {
      return "its strides overflow";
    }
  }
  // Strides count from the first element, so that negative ones would lead before the data.
  *out_first = static_cast<size_t>(low);
  *out_bytes = empty ? 0 : static_cast<size_t>(high + item);
  if (high + item < high || low != 0) {
    return low != 0 ? "its strides lead before its data" : "its strides overflow";
  }
  uint64_t count = 1;
  for (uint64_t length : parts.shape) {
    if (!empty && (__builtin_mul_overflow(count, length, &count) || count > (uint64_t{1} << 62))) {
      return "its shape overflows";
    }
  }
  return nullptr;
}

class Decoder {
 public:
  // As Opened.
  Decoder(const sabir_view& view, sabir_ref* holder) : opened_(view, holder) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  bool at_end() const { return at_ == end_; }
  uint8_t peek() const {
    if (at_ == end_) {
      damaged("it ends where a value should be");
    }
    return *at_;
  }

  // The next value is a null, which is taken.
  bool take_null() {
    if (peek() != kTagNull) {
      return false;
    }
    ++at_;
    return true;
  }
  bool boolean() {
    uint8_t tag = peek();
    if (tag != kTagTrue && tag != kTagFalse) {
      mismatch("a bool");
    }
    ++at_;
    return tag == kTagTrue;
  }
  // A number of either sign; is_unsigned: only its uint64 form holds it.
  struct Integer {
    uint64_t bits;
    bool is_unsigned;
  };
  Integer integer(const char* wanted) {
    switch (peek()) {
      case kTagInt8:
        ++at_;
        return {static_cast<uint64_t>(static_cast<int64_t>(take<int8_t>())), false};
      case kTagInt64:
        ++at_;
        return {static_cast<uint64_t>(take<int64_t>()), false};
      case kTagUint64: {
        ++at_;
        uint64_t number = take<uint64_t>();
        return {number, number >> 63 != 0};
      }
      case kTagBigInt: {
        BigInt number = big_integer();
        if (auto small = number.to_int64()) {
          return {static_cast<uint64_t>(*small), false};
        }
        if (auto large = number.to_uint64()) {
          return {*large, true};
        }
        fail("an integer of " + std::to_string(number.bytes.size()) + " bytes does not fit into " + wanted +
             ": read it as sabir::BigInt");
      }
      default:
        mismatch(wanted);
    }
  }
  BigInt big_integer() {
    if (peek() != kTagBigInt) {
      Integer small = integer("an integer");
      return small.is_unsigned ? BigInt::of_unsigned(small.bits) : BigInt::of(static_cast<int64_t>(small.bits));
    }
    ++at_;
    std::string_view content = take_sized();
    return BigInt(std::vector<uint8_t>(content.begin(), content.end()));
  }
  // A float, or an integer, which becomes one.
  double real() {
    switch (peek()) {
      case kTagFloat64:
        ++at_;
        return take<double>();
      case kTagFloat32:
        ++at_;
        return static_cast<double>(take<float>());
      case kTagInt8:
      case kTagInt64:
      case kTagUint64: {
        Integer number = integer("a float");
        return number.is_unsigned ? static_cast<double>(number.bits)
                                  : static_cast<double>(static_cast<int64_t>(number.bits));
      }
      default:
        mismatch("a float");
    }
  }
  // Borrowed from this decoder or its view.
  std::string_view text() {
    if (peek() != kTagText) {
      mismatch("a string");
    }
    const uint8_t* tag = at_++;
    std::string_view content = take_sized();
    if (invalid_utf8_at(content) >= 0) {
      at_ = tag;
      damaged("a string that is not UTF-8");
    }
    return content;
  }
  std::string_view bytes() {
    if (peek() != kTagBytes) {
      mismatch("bytes");
    }
    ++at_;
    return take_sized();
  }
  Timestamp time() {
    if (peek() != kTagTime) {
      mismatch("a timestamp");
    }
    ++at_;
    Timestamp made;
    made.unix_ns = take<int64_t>();
    int32_t offset = take<int32_t>();
    if (offset != kNoOffset) {
      made.offset_s = offset;
    }
    return made;
  }
  RefHandle reference() { return take_ref(kTagRef, "an object reference"); }
  RefHandle actor() { return take_ref(kTagActor, "an actor handle"); }

  // An array. Its numbers are kept by what `keep` says.
  TensorParts tensor() {
    if (peek() != kTagTensor) {
      mismatch("a tensor");
    }
    ++at_;
    auto item = take<TensorItem>();
    TensorParts parts;
    parts.dtype = item.dtype;
    if (dtype_facts(item.dtype) == nullptr) {
      damaged("a tensor of an unknown type of number, " + std::to_string(item.dtype));
    }
    if (item.ndim > kDimensionsMax) {
      damaged("a tensor of more than 32 dimensions");
    }
    if (item.buffer >= opened_.buffers().size()) {
      damaged("a tensor without its buffer");
    }
    parts.shape.resize(item.ndim);
    parts.strides.resize(item.ndim);
    for (uint64_t& length : parts.shape) {
      length = take<uint64_t>();
    }
    for (int64_t& stride : parts.strides) {
      stride = take<int64_t>();
    }
    size_t before = 0;
    size_t extent = 0;
    if (const char* why = tensor_extent(parts, &before, &extent)) {
      damaged(std::string("a tensor that cannot be: ") + why);
    }
    std::string_view buffer = opened_.buffers()[item.buffer];
    if (extent > buffer.size()) {
      damaged("a tensor larger than its buffer");
    }
    parts.size_bytes = extent;
    parts.keep = opened_.keep(item.buffer, &parts.data);
    return parts;
  }

  // A container that is being read.
  class Container {
   public:
    Container(Decoder& decoder, const char* wanted, Tag tag, Tag other_tag) : decoder_(decoder) {
      uint8_t found = decoder.peek();
      if (found != tag && found != other_tag) {
        decoder.mismatch(wanted);
      }
      if (decoder.depth_ == kDepthMax) {
        decoder.damaged("more than " + std::to_string(kDepthMax) + " containers within each other");
      }
      ++decoder.at_;
      count_ = decoder.take<uint32_t>();
      // An item has a byte at least: this many cannot be there.
      if (count_ > static_cast<size_t>(decoder.end_ - decoder.at_) / (found == kTagMap ? 2 : 1)) {
        decoder.damaged("more items than bytes");
      }
      ++decoder.depth_;
      place_.up = decoder.place_;
      decoder.place_ = &place_;
    }
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;
    ~Container() {
      --decoder_.depth_;
      decoder_.place_ = place_.up;
    }

    size_t count() const { return count_; }
    // How many to make room for before they are read.
    size_t reserve() const { return count_ < 4096 ? count_ : 4096; }
    void next() { ++place_.index; }
    void name(std::string_view field) { place_.name = field; }
    // Of the container itself, not of one of its items.
    [[noreturn]] void fail(const std::string& what) {
      decoder_.place_ = place_.up;
      decoder_.fail(what);
    }

   private:
    Decoder& decoder_;
    Place place_;
    size_t count_ = 0;
  };

  // A map's key comes next: nothing that cannot be one.
  void check_key() const {
    uint8_t tag = peek();
    if (tag == kTagList || tag == kTagMap || tag == kTagTensor) {
      damaged("a map with a container as key");
    }
  }

  TableHandle table() {
    if (peek() != kTagTable) {
      mismatch("a table");
    }
    if (opened_.table() == nullptr) {
      damaged("an unknown tag, 0");
    }
    ++at_;
    return opened_.table();
  }

  // Passes over the next value.
  void skip() {
    switch (peek()) {
      case kTagNull:
      case kTagTrue:
      case kTagFalse:
        ++at_;
        return;
      case kTagInt8:
      case kTagInt64:
      case kTagUint64:
        integer("");
        return;
      case kTagBigInt:
        big_integer();
        return;
      case kTagFloat64:
      case kTagFloat32:
        real();
        return;
      case kTagText:
        text();
        return;
      case kTagBytes:
        bytes();
        return;
      case kTagTime:
        time();
        return;
      case kTagRef:
        reference();
        return;
      case kTagActor:
        actor();
        return;
      case kTagTensor:
        tensor();
        return;
      case kTagTable:
        table();
        return;
      case kTagMap: {
        Container entries(*this, "a map", kTagMap, kTagMap);
        for (size_t i = 0; i < entries.count(); ++i, entries.next()) {
          check_key();
          skip();
          skip();
        }
        return;
      }
      default: {
        Container items(*this, "a value", kTagList, kTagTuple);
        for (size_t i = 0; i < items.count(); ++i, items.next()) {
          skip();
        }
      }
    }
  }

  // The value is read: nothing may follow.
  void finish() const {
    if (at_ != end_) {
      damaged("bytes behind its end");
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw ConversionError((place_ == nullptr ? "" : "at " + Place::describe(place_) + ": ") + what);
  }
  [[noreturn]] void mismatch(const char* wanted) const {
    std::string found = *at_ == kTagTable && opened_.table() != nullptr ? "a table" : describe_tag(*at_);
    if (found.empty()) {
      damaged("an unknown tag, " + std::to_string(*at_));
    }
    fail(std::string("expected ") + wanted + ", found " + found);
  }
  [[noreturn]] void damaged(const std::string& why) const {
    fail("a damaged value (byte " + std::to_string(at_ - begin_) + " of " + std::to_string(end_ - begin_) +
         "): " + why);
  }

 private:
  static std::string describe_tag(uint8_t tag) {
    switch (tag) {
      case kTagNull:
        return "null";
      case kTagTrue:
      case kTagFalse:
        return "a bool";
      case kTagInt8:
      case kTagInt64:
      case kTagUint64:
      case kTagBigInt:
        return "an integer";
      case kTagFloat64:
      case kTagFloat32:
        return "a float";
      case kTagText:
        return "a string";
      case kTagBytes:
        return "bytes";
      case kTagList:
        return "a list";
      case kTagTuple:
        return "a tuple";
      case kTagMap:
        return "a map";
      case kTagRef:
        return "an object reference";
      case kTagActor:
        return "an actor handle";
      case kTagTime:
        return "a timestamp";
      case kTagTensor:
        return "a tensor";
      default:
        return "";
    }
  }

  void check(size_t count) const {
    if (count > static_cast<size_t>(end_ - at_)) {
      damaged("it ends too early");
    }
  }
  template <typename T>
  T take() {
    check(sizeof(T));
    T value = load<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  std::string_view take_sized() {
    auto size = take<uint32_t>();
    check(size);
    std::string_view content(reinterpret_cast<const char*>(at_), size);
    at_ += size;
    return content;
  }
  RefHandle take_ref(Tag tag, const char* wanted) {
    if (peek() != tag) {
      mismatch(wanted);
    }
    ++at_;
    auto index = take<uint32_t>();
    if (index >= opened_.view().ref_count || opened_.view().refs == nullptr) {
      damaged("a reference that the value does not have");
    }
    if ((sabir_ref_is_actor(opened_.view().refs[index]) != 0) != (tag == kTagActor)) {
      damaged("a reference of the other kind");
    }
    return RefHandle::retain(opened_.view().refs[index]);
  }

  Opened opened_;
  const uint8_t* begin_ = opened_.begin();
  const uint8_t* at_ = begin_;
  const uint8_t* end_ = opened_.end();
  const Place* place_ = nullptr;
  int depth_ = 0;
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_DECODER_HPP_
