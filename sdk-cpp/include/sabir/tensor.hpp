// Tensor<T>: an array of numbers in memory that it shares with its copies. What comes out of the store is read in
// place: nothing is copied, and the memory stays as long as a Tensor of it does. Read-only, because others read it,
// too.
#ifndef SABIR_TENSOR_HPP_
#define SABIR_TENSOR_HPP_

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sabir/codec.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

inline std::vector<int64_t> c_strides(const std::vector<uint64_t>& shape, size_t item_bytes) {
  std::vector<int64_t> strides(shape.size());
  auto step = static_cast<int64_t>(item_bytes);
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= static_cast<int64_t>(shape[i]);
  }
  return strides;
}

inline uint64_t item_count(const std::vector<uint64_t>& shape) {
  uint64_t count = 1;
  for (uint64_t length : shape) {
    count *= length;
  }
  return count;
}

// Whether the items follow each other without gaps, the last index (or with fortran the first) fastest.
inline bool is_contiguous(const TensorParts& parts, bool fortran) {
  auto step = static_cast<int64_t>(dtype_facts(parts.dtype)->size_bytes);
  size_t count = parts.shape.size();
  if (item_count(parts.shape) == 0) {
    return true;
  }
  for (size_t i = 0; i < count; ++i) {
    size_t at = fortran ? i : count - 1 - i;
    if (parts.shape[at] != 1 && parts.strides[at] != step) {
      return false;
    }
    step *= static_cast<int64_t>(parts.shape[at]);
  }
  return true;
}

// Copies the items of a strided array in C order.
inline void gather(const TensorParts& from, size_t dimension, const uint8_t* at, uint8_t*& out) {
  size_t item = dtype_facts(from.dtype)->size_bytes;
  if (dimension == from.shape.size()) {
    std::memcpy(out, at, item);
    out += item;
    return;
  }
  for (uint64_t i = 0; i < from.shape[dimension]; ++i) {
    gather(from, dimension + 1, at + static_cast<int64_t>(i) * from.strides[dimension], out);
  }
}

inline TensorParts contiguous_copy(const TensorParts& parts) {
  TensorParts made;
  made.dtype = parts.dtype;
  made.shape = parts.shape;
  size_t item = dtype_facts(parts.dtype)->size_bytes;
  made.strides = c_strides(made.shape, item);
  made.size_bytes = item_count(made.shape) * item;
  std::shared_ptr<uint8_t[]> memory(new uint8_t[made.size_bytes + 1]);
  uint8_t* out = memory.get();
  if (made.size_bytes != 0) {
    gather(parts, 0, static_cast<const uint8_t*>(parts.data), out);
  }
  made.data = memory.get();
  made.keep = std::move(memory);
  return made;
}

// What is written is contiguous.
inline TensorParts to_send(const TensorParts& parts) {
  return is_contiguous(parts, false) || is_contiguous(parts, true) ? parts : contiguous_copy(parts);
}

}  // namespace detail

// An array whose type of number is known at run time only.
class AnyTensor {
 public:
  AnyTensor() = default;
  explicit AnyTensor(detail::TensorParts parts) : parts_(std::move(parts)) {}

  DType dtype() const { return static_cast<DType>(parts_.dtype); }
  const char* dtype_name() const { return detail::dtype_facts(parts_.dtype)->name; }
  const std::vector<uint64_t>& shape() const { return parts_.shape; }
  const std::vector<int64_t>& strides() const { return parts_.strides; }  // in bytes
  const void* data() const { return parts_.data; }
  size_t size_bytes() const { return parts_.size_bytes; }
  const detail::TensorParts& parts() const { return parts_; }

 private:
  detail::TensorParts parts_{static_cast<uint8_t>(DType::kUint8), {0}, {1}, nullptr, 0, nullptr};
};

template <typename T>
class Tensor {
 public:
  // No numbers.
  Tensor() { parts_ = {kDType, {0}, {sizeof(T)}, nullptr, 0, nullptr}; }

  // Takes over the numbers, in C order. Throws InvalidArgumentError if the shape wants another number of them.
  static Tensor of(std::vector<T> numbers, std::vector<uint64_t> shape) {
    auto memory = std::make_shared<const std::vector<T>>(std::move(numbers));
    check_count(memory->size(), shape);
    const T* data = memory->data();
    return Tensor(data, std::move(shape), std::move(memory));
  }
  static Tensor of(std::vector<T> numbers) {
    uint64_t count = numbers.size();
    return of(std::move(numbers), {count});
  }
  // A view of numbers that the caller keeps until the call that sends them has returned; with `keep`, of what that
  // owns.
  static Tensor view(const T* data, std::vector<uint64_t> shape, std::shared_ptr<const void> keep = nullptr) {
    return Tensor(data, std::move(shape), std::move(keep));
  }
  // The same with strides in bytes; none is negative.
  static Tensor view(const T* data, std::vector<uint64_t> shape, std::vector<int64_t> strides,
                     std::shared_ptr<const void> keep = nullptr) {
    return Tensor(detail::TensorParts{kDType, std::move(shape), std::move(strides), data, 0, std::move(keep)});
  }
  // Throws ConversionError if its numbers are of another type, or do not lie as T must.
  explicit Tensor(const AnyTensor& other) : Tensor(other.parts()) {}
  explicit Tensor(detail::TensorParts parts) : parts_(std::move(parts)) {
    const detail::DTypeFacts* facts = detail::dtype_facts(parts_.dtype);
    if (parts_.dtype != kDType) {
      throw ConversionError(std::string("a tensor of ") + facts->name + " is no tensor of " +
                            detail::dtype_facts(kDType)->name);
    }
    if (parts_.shape.size() != parts_.strides.size() || parts_.shape.size() > detail::kDimensionsMax) {
      throw ConversionError("a tensor needs a stride for each of its dimensions, of which it has 32 at most");
    }
    size_t before = 0;
    if (const char* why = detail::tensor_extent(parts_, &before, &parts_.size_bytes)) {
      throw ConversionError(std::string("a tensor that cannot be: ") + why);
    }
    bool fits = reinterpret_cast<uintptr_t>(parts_.data) % alignof(T) == 0;
    for (int64_t stride : parts_.strides) {
      fits = fits && stride % static_cast<int64_t>(alignof(T)) == 0;
    }
    if (!fits) {
      throw ConversionError("a tensor whose numbers are not aligned: read it as sabir::AnyTensor");
    }
  }

  const T* data() const { return static_cast<const T*>(parts_.data); }
  uint64_t size() const { return detail::item_count(parts_.shape); }  // numbers
  bool empty() const { return size() == 0; }
  size_t ndim() const { return parts_.shape.size(); }
  const std::vector<uint64_t>& shape() const { return parts_.shape; }
  const std::vector<int64_t>& strides() const { return parts_.strides; }  // in bytes
  // The numbers follow each other, the last index fastest: begin() to end() are all of them.
  bool is_contiguous() const { return detail::is_contiguous(parts_, false); }
  Tensor contiguous() const { return is_contiguous() ? *this : Tensor(detail::contiguous_copy(parts_)); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }

  // As many indices as dimensions; at() checks them, () does not.
  template <typename... Index>
  const T& operator()(Index... index) const {
    const int64_t indices[] = {static_cast<int64_t>(index)..., 0};
    int64_t offset = 0;
    for (size_t i = 0; i < sizeof...(Index); ++i) {
      offset += indices[i] * parts_.strides[i];
    }
    return *reinterpret_cast<const T*>(static_cast<const char*>(parts_.data) + offset);
  }
  template <typename... Index>
  const T& at(Index... index) const {
    const uint64_t indices[] = {static_cast<uint64_t>(index)..., 0};
    bool inside = sizeof...(Index) == ndim();
    for (size_t i = 0; inside && i < sizeof...(Index); ++i) {
      inside = indices[i] < parts_.shape[i];
    }
    if (!inside) {
      throw std::out_of_range("an index outside of the tensor");
    }
    return (*this)(index...);
  }

  const detail::TensorParts& parts() const { return parts_; }

 private:
  static constexpr auto kDType = static_cast<uint8_t>(detail::dtype_of<T>());

  Tensor(const T* data, std::vector<uint64_t> shape, std::shared_ptr<const void> keep)
      : Tensor(detail::TensorParts{kDType, shape, detail::c_strides(shape, sizeof(T)), data, 0, std::move(keep)}) {}
  static void check_count(size_t count, const std::vector<uint64_t>& shape) {
    if (detail::item_count(shape) != count) {
      throw InvalidArgumentError(SABIR_INVALID_ARGUMENT, std::to_string(count) + " numbers do not fill the shape");
    }
  }

  detail::TensorParts parts_;
};

namespace detail {

template <>
struct Codec<AnyTensor> {
  static void write(Encoder& encoder, const AnyTensor& value) { encoder.tensor(to_send(value.parts())); }
  static AnyTensor read(Decoder& decoder) { return AnyTensor(decoder.tensor()); }
};

template <typename T>
struct Codec<Tensor<T>> {
  static void write(Encoder& encoder, const Tensor<T>& value) { encoder.tensor(to_send(value.parts())); }
  static Tensor<T> read(Decoder& decoder) { return Tensor<T>(decoder.tensor()); }
};

template <typename T>
struct IsTensor : std::false_type {};
template <>
struct IsTensor<AnyTensor> : std::true_type {};
template <typename T>
struct IsTensor<Tensor<T>> : std::true_type {};

// A whole value: an array alone has a form of its own.
template <typename T>
void write_value(Encoder& encoder, const T& value) {
  if constexpr (IsTensor<T>::value) {
    encoder.top_tensor(to_send(value.parts()));
  } else {
    write(encoder, value);
  }
}

template <typename T>
T read_value(Decoder& decoder) {
  T made = read<T>(decoder);
  decoder.finish();
  return made;
}

// A value of the C interface, as T. `holder`: see Decoder.
template <typename T>
T decode(const sabir_view& view, sabir_ref* holder) {
  Decoder decoder(view, holder);
  return read_value<T>(decoder);
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_TENSOR_HPP_
