#include <cstring>
#include <string>
#include <utility>

#include "runtime/table/check.h"
#include "runtime/table/wire.h"

namespace sabir::table {
namespace {

using Bytes = std::span<const uint8_t>;

Error damaged(const char* why) { return invalid_error(std::string("a damaged table: ") + why); }

// Reads numbers and texts; after one that was not there, the others are zero and `failed` stays.
struct Input {
  Bytes left;
  bool failed = false;

  template <typename T>
  T take() {
    T value{};
    Bytes bytes = take_bytes(sizeof(T));
    if (!failed) {
      std::memcpy(&value, bytes.data(), sizeof(T));
    }
    return value;
  }
  Bytes take_bytes(size_t size) {
    failed = failed || size > left.size();
    if (failed) {
      return {};
    }
    Bytes taken = left.first(size);
    left = left.subspan(size);
    return taken;
  }
  // A string of C ends at a zero: none may lie in it.
  std::string take_text(size_t size) {
    Bytes bytes = take_bytes(size);
    failed = failed || (!bytes.empty() && std::memchr(bytes.data(), 0, bytes.size()) != nullptr);
    return {reinterpret_cast<const char*>(bytes.data()), failed ? 0 : bytes.size()};
  }
  // `count` things of at least `size_min` bytes each can still follow.
  bool has(uint64_t count, size_t size_min) {
    failed = failed || count > left.size() / size_min;
    return !failed;
  }
};

class Reader {
 public:
  Reader(Bytes stream, std::vector<Buffer> buffers) : in_{stream}, buffers_(std::move(buffers)) {}

  Result<void> read(Data& data) {
    constexpr size_t kArrayBytesMin = 28;
    data.origin = in_.take<uint32_t>();
    auto batches = in_.take<uint32_t>();
    SABIR_RETURN_IF_ERROR(field(data.schema, 0));
    SABIR_RETURN_IF_ERROR(check_schema(data.schema));
    if (!in_.has(batches, kArrayBytesMin)) {
      return damaged("more batches than bytes");
    }
    data.batches.resize(batches);
    for (Array& batch : data.batches) {
      SABIR_RETURN_IF_ERROR(array(data.schema, batch));
      SABIR_RETURN_IF_ERROR(check_array(data.schema, batch));
    }
    return in_.left.empty() ? Result<void>() : damaged("bytes behind its last batch");
  }

 private:
  Result<void> field(Field& field, int depth) {
    constexpr size_t kFieldBytesMin = 28;
    if (depth > kDepthMax) {
      return damaged("its fields nest too deeply");
    }
    field.flags = in_.take<int64_t>();
    auto format_bytes = in_.take<uint32_t>();
    auto name_bytes = in_.take<uint32_t>();
    auto metadata_bytes = in_.take<uint32_t>();
    auto children = in_.take<uint32_t>();
    auto has_dictionary = in_.take<uint32_t>();
    field.format = in_.take_text(format_bytes);
    if (name_bytes != kNone) {
      field.name = in_.take_text(name_bytes);
    }
    Bytes metadata = in_.take_bytes(metadata_bytes);
    if (in_.failed || has_dictionary > 1 || !in_.has(children, kFieldBytesMin)) {
      return damaged("its schema is longer than its bytes, or has a zero inside a text");
    }
    SABIR_ASSIGN_OR_RETURN(field.layout, parse_layout(field.format));
    if (!metadata.empty()) {
      field.metadata.assign(reinterpret_cast<const char*>(metadata.data()), metadata.size());
      SABIR_ASSIGN_OR_RETURN(size_t size, table::metadata_bytes(field.metadata.data(), field.metadata.size()));
      if (size != field.metadata.size()) {
        return damaged("bytes behind its metadata");
      }
    }
    field.children.resize(children);
    for (Field& child : field.children) {
      SABIR_RETURN_IF_ERROR(this->field(child, depth + 1));
    }
    if (has_dictionary != 0) {
      field.dictionary = std::make_unique<Field>();
      return this->field(*field.dictionary, depth + 1);
    }
    return {};
  }

  // The schema is checked: it says how deep this goes.
  Result<void> array(const Field& field, Array& array) {
    array.length = in_.take<int64_t>();
    array.null_count = in_.take<int64_t>();
    array.offset = in_.take<int64_t>();
    auto buffers = in_.take<uint32_t>();
    if (!in_.has(buffers, sizeof(uint32_t))) {
      return damaged("its arrays are longer than its bytes");
    }
    array.buffers.resize(buffers);
    for (Buffer& buffer : array.buffers) {
      auto index = in_.take<uint32_t>();
      if (index == kNone) {
        continue;
      }
      if (index >= buffers_.size()) {
        return damaged("a buffer that it does not have");
      }
      buffer = buffers_[index];
    }
    array.children.resize(field.children.size());
    for (size_t i = 0; i < array.children.size(); ++i) {
      SABIR_RETURN_IF_ERROR(this->array(field.children[i], array.children[i]));
    }
    if (field.dictionary != nullptr) {
      array.dictionary = std::make_unique<Array>();
      return this->array(*field.dictionary, *array.dictionary);
    }
    return {};
  }

  Input in_;
  std::vector<Buffer> buffers_;
};

}  // namespace

Result<std::shared_ptr<const Data>> decode(Bytes bytes, std::shared_ptr<const void> keep) {
  Input in{bytes};
  auto stream_bytes = in.take<uint64_t>();
  auto count = in.take<uint32_t>();
  in.take<uint32_t>();
  if (!in.has(count, sizeof(uint64_t))) {
    return damaged("more buffers than bytes");
  }
  std::vector<Buffer> buffers(count);
  for (Buffer& buffer : buffers) {
    buffer.size = in.take<uint64_t>();
  }
  Bytes stream = in.take_bytes(stream_bytes);
  if (in.failed) {
    return damaged("its stream is longer than it");
  }
  for (Buffer& buffer : buffers) {
    size_t at = bytes.size() - in.left.size();
    in.take_bytes(-at & (kAlignment - 1));
    Bytes content = in.take_bytes(buffer.size);
    if (in.failed) {
      return damaged("a buffer is longer than it");
    }
    buffer.data = content.data() != nullptr ? content.data() : bytes.data();
  }
  if (!in.left.empty()) {
    return damaged("bytes behind its end");
  }
  auto data = std::make_shared<Data>();
  data->bytes = std::move(keep);
  SABIR_RETURN_IF_ERROR(Reader(stream, std::move(buffers)).read(*data));
  return std::shared_ptr<const Data>(std::move(data));
}

}  // namespace sabir::table
