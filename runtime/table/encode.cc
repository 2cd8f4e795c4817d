#include <map>
#include <string>
#include <utility>

#include "runtime/table/wire.h"

namespace sabir::table {
namespace {

constexpr uint8_t kZeros[kAlignment] = {};

struct Writer {
  std::string stream;
  std::vector<Buffer> buffers;
  bool is_too_long = false;

  template <typename T>
  void put(T value) {
    stream.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void put_size(size_t size) {
    is_too_long |= size >= kNone;
    put(static_cast<uint32_t>(size));
  }

  void field(const Field& field) {
    put(field.flags);
    put_size(field.format.size());
    if (field.name) {
      put_size(field.name->size());
    } else {
      put(kNone);
    }
    put_size(field.metadata.size());
    put_size(field.children.size());
    put<uint32_t>(field.dictionary != nullptr ? 1 : 0);
    stream += field.format + field.name.value_or("") + field.metadata;
    for (const Field& child : field.children) {
      this->field(child);
    }
    if (field.dictionary != nullptr) {
      this->field(*field.dictionary);
    }
  }

  // Batches share dictionaries: what lies at one place is written once.
  void buffer(const Buffer& buffer) {
    if (buffer.data == nullptr) {
      put(kNone);
      return;
    }
    auto [found, is_new] = known_.try_emplace({buffer.data, buffer.size}, buffers.size());
    if (is_new) {
      buffers.push_back(buffer);
    }
    put_size(found->second);
  }

  void array(const Array& array) {
    put(array.length);
    put(array.null_count);
    put(array.offset);
    put_size(array.buffers.size());
    for (const Buffer& one : array.buffers) {
      buffer(one);
    }
    for (const Array& child : array.children) {
      this->array(child);
    }
    if (array.dictionary != nullptr) {
      this->array(*array.dictionary);
    }
  }

 private:
  std::map<std::pair<const uint8_t*, uint64_t>, size_t> known_;
};

}  // namespace

Result<std::unique_ptr<const Encoded>> encode(const Data& data) {
  Writer writer;
  writer.put(data.origin);
  writer.put_size(data.batches.size());
  writer.field(data.schema);
  for (const Array& batch : data.batches) {
    writer.array(batch);
  }
  constexpr size_t kPartsPerBuffer = 2;
  if (writer.is_too_long || writer.buffers.size() >= kNone / kPartsPerBuffer) {
    return invalid_error("a table with more columns, batches or buffers than can be counted: send it in parts");
  }
  std::string stream = std::exchange(writer.stream, {});
  writer.put<uint64_t>(stream.size());
  writer.put_size(writer.buffers.size());
  writer.put<uint32_t>(0);
  for (const Buffer& buffer : writer.buffers) {
    writer.put(buffer.size);
  }
  auto encoded = std::make_unique<Encoded>();
  encoded->head = writer.stream + stream;
  encoded->parts.push_back({encoded->head.data(), encoded->head.size()});
  size_t at = encoded->head.size();
  for (const Buffer& buffer : writer.buffers) {
    size_t padding = -at & (kAlignment - 1);
    if (padding != 0) {
      encoded->parts.push_back({kZeros, padding});
    }
    encoded->parts.push_back({buffer.data, buffer.size});
    at += padding + buffer.size;
  }
  return std::unique_ptr<const Encoded>(std::move(encoded));
}

}  // namespace sabir::table
