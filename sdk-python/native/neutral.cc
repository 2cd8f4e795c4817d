#include "sdk-python/native/neutral.h"

#include <flatbuffers/flexbuffers.h>

#include <cstring>

namespace sabir::python {
namespace {

constexpr int kDepthMax = 64;

constexpr uint8_t packed_type(flexbuffers::Type type, flexbuffers::BitWidth width) {
  return static_cast<uint8_t>((type << 2) | width);
}

// A scalar as root: the number, its packed type, its width.
template <typename T>
size_t scalar(T value, flexbuffers::Type type, flexbuffers::BitWidth width, uint8_t* out) {
  std::memcpy(out, &value, sizeof(value));
  out[sizeof(value)] = packed_type(type, width);
  out[sizeof(value) + 1] = sizeof(value);
  return sizeof(value) + 2;
}

size_t integer(int64_t value, uint8_t* out) {
  if (value == static_cast<int8_t>(value)) {
    return scalar(static_cast<int8_t>(value), flexbuffers::FBT_INT, flexbuffers::BIT_WIDTH_8, out);
  }
  if (value == static_cast<int32_t>(value)) {
    return scalar(static_cast<int32_t>(value), flexbuffers::FBT_INT, flexbuffers::BIT_WIDTH_32, out);
  }
  return scalar(value, flexbuffers::FBT_INT, flexbuffers::BIT_WIDTH_64, out);
}

// The content of a str or bytes; false for other types and for text that is not UTF-8.
bool text_of(PyObject* value, sabir_span* content, bool* is_str) {
  *is_str = PyUnicode_CheckExact(value);
  if (*is_str) {
    Py_ssize_t size = 0;
    const char* data = PyUnicode_AsUTF8AndSize(value, &size);
    if (data == nullptr) {
      PyErr_Clear();
      return false;
    }
    *content = {data, static_cast<size_t>(size)};
    return true;
  }
  if (PyBytes_CheckExact(value)) {
    *content = {PyBytes_AS_STRING(value), static_cast<size_t>(PyBytes_GET_SIZE(value))};
    return true;
  }
  return false;
}

// Makes objects of bytes that VerifyBuffer found to be within their bounds. Parts may be shared, which grows a few
// bytes into gigabytes: what is made is bounded by the size.
class Decoder {
 public:
  explicit Decoder(size_t size) : budget_(8 * size + 64) {}

  PyObject* decode(flexbuffers::Reference value, int depth) {
    if (depth > kDepthMax) {
      return PyErr_Format(PyExc_ValueError, "neutral value nested deeper than %d", kDepthMax);
    }
    if (!spend(1)) {
      return nullptr;
    }
    if (value.IsNull()) {
      Py_RETURN_NONE;
    }
    if (value.IsBool()) {
      return PyBool_FromLong(value.AsBool());
    }
    if (value.IsUInt()) {
      return PyLong_FromUnsignedLongLong(value.AsUInt64());
    }
    if (value.IsInt()) {
      return PyLong_FromLongLong(value.AsInt64());
    }
    if (value.IsFloat()) {
      return PyFloat_FromDouble(value.AsDouble());
    }
    if (value.IsString()) {
      flexbuffers::String string = value.AsString();
      return text(string.c_str(), string.size());
    }
    if (value.IsKey()) {
      const char* key = value.AsKey();
      return text(key, std::strlen(key));
    }
    if (value.IsBlob()) {
      flexbuffers::Blob blob = value.AsBlob();
      return spend(blob.size()) ? PyBytes_FromStringAndSize(reinterpret_cast<const char*>(blob.data()),
                                                            static_cast<Py_ssize_t>(blob.size()))
                                : nullptr;
    }
    if (value.IsMap()) {
      return map(value.AsMap(), depth);
    }
    if (value.IsVector()) {
      return list(value.AsVector(), depth);
    }
    if (value.IsTypedVector()) {
      return list(value.AsTypedVector(), depth);
    }
    if (value.IsFixedTypedVector()) {
      return list(value.AsFixedTypedVector(), depth);
    }
    return PyErr_Format(PyExc_ValueError, "neutral value of an unknown type (%d)", static_cast<int>(value.GetType()));
  }

 private:
  bool spend(size_t amount) {
    if (amount > budget_) {
      PyErr_SetString(PyExc_ValueError, "malformed neutral value: parts that are shared too often");
      return false;
    }
    budget_ -= amount;
    return true;
  }
  PyObject* text(const char* bytes, size_t size) {
    return spend(size) ? PyUnicode_DecodeUTF8(bytes, static_cast<Py_ssize_t>(size), "replace") : nullptr;
  }
  template <typename Vector>
  PyObject* list(const Vector& vector, int depth) {
    if (!spend(vector.size())) {  // before there is room for them
      return nullptr;
    }
    Owned list(PyList_New(static_cast<Py_ssize_t>(vector.size())));
    for (size_t i = 0; list && i < vector.size(); ++i) {
      PyObject* item = decode(vector[i], depth + 1);
      if (item == nullptr) {
        return nullptr;
      }
      PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), item);
    }
    return list.release();
  }
  PyObject* map(const flexbuffers::Map& map, int depth) {
    flexbuffers::TypedVector keys = map.Keys();
    flexbuffers::Vector values = map.Values();
    if (keys.size() != values.size()) {
      return PyErr_Format(PyExc_ValueError, "malformed neutral value: a map with %zu keys for %zu values", keys.size(),
                          values.size());
    }
    Owned dict(PyDict_New());
    for (size_t i = 0; dict && i < values.size(); ++i) {
      const char* key = keys[i].AsKey();
      Owned name(text(key, std::strlen(key)));
      Owned item(name ? decode(values[i], depth + 1) : nullptr);
      if (!item || PyDict_SetItem(dict.get(), name.get(), item.get()) != 0) {
        return nullptr;
      }
    }
    return dict.release();
  }

  size_t budget_;  // bytes and items that may still be made; without sharing it is never used up
};

}  // namespace

bool encode_neutral_small(PyObject* value, uint8_t (&out)[kNeutralInlineBytes], size_t* size) {
  if (PyLong_CheckExact(value)) {
    int overflow = 0;
    int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0) {
      return false;
    }
    *size = integer(number, out);
    return true;
  }
  if (PyBool_Check(value)) {
    *size = scalar(static_cast<uint8_t>(value == Py_True), flexbuffers::FBT_BOOL, flexbuffers::BIT_WIDTH_8, out);
    return true;
  }
  if (PyFloat_CheckExact(value)) {
    *size = scalar(PyFloat_AS_DOUBLE(value), flexbuffers::FBT_FLOAT, flexbuffers::BIT_WIDTH_64, out);
    return true;
  }
  sabir_span content{};
  bool is_str = false;
  if (!text_of(value, &content, &is_str) || content.size + 8 > kNeutralInlineBytes) {
    return false;
  }
  size_t at = 0;
  out[at++] = static_cast<uint8_t>(content.size);
  std::memcpy(out + at, content.data, content.size);
  at += content.size;
  if (is_str) {
    out[at++] = 0;
  }
  out[at] = static_cast<uint8_t>(at - 1);  // from here back to the content
  ++at;
  out[at++] = packed_type(is_str ? flexbuffers::FBT_STRING : flexbuffers::FBT_BLOB, flexbuffers::BIT_WIDTH_8);
  out[at++] = 1;
  *size = at;
  return true;
}

bool encode_neutral_text(PyObject* value, std::vector<uint8_t>& before, sabir_span* content,
                         std::vector<uint8_t>& after) {
  bool is_str = false;
  if (!text_of(value, content, &is_str)) {
    return false;
  }
  // Every width is 8 bytes: the root's offset is then aligned whatever the length.
  uint64_t size = content->size;
  before.resize(sizeof(size));
  std::memcpy(before.data(), &size, sizeof(size));
  size_t padded = (content->size + (is_str ? 1 : 0) + 7) / 8 * 8;
  uint64_t offset = padded;
  after.assign(padded - content->size, 0);
  after.resize(after.size() + sizeof(offset) + 2);
  std::memcpy(after.data() + after.size() - sizeof(offset) - 2, &offset, sizeof(offset));
  after[after.size() - 2] =
      packed_type(is_str ? flexbuffers::FBT_STRING : flexbuffers::FBT_BLOB, flexbuffers::BIT_WIDTH_64);
  after[after.size() - 1] = sizeof(offset);
  return true;
}

PyObject* decode_neutral(const void* data, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  // The tracker bounds the work on vectors that share parts; nothing small enough to skip it can cost much.
  std::vector<uint8_t> reuse_tracker;
  if (size < 3 || !flexbuffers::VerifyBuffer(bytes, size, size <= kNeutralInlineBytes ? nullptr : &reuse_tracker)) {
    return PyErr_Format(PyExc_ValueError, "malformed neutral value (%zu bytes)", size);
  }
  return Decoder(size).decode(flexbuffers::GetRoot(bytes, size), 0);
}

}  // namespace sabir::python
