#include "runtime/table/import.h"

#include <cstring>
#include <string>
#include <utility>

#include "runtime/table/array_reader.h"
#include "runtime/table/check.h"

namespace sabir::table {
namespace {

// A struct of the C interface that was moved here, and is released here.
template <typename T>
class Taken {
 public:
  Taken() = default;
  explicit Taken(T* from) : value_(std::exchange(*from, T{})) {}
  ~Taken() {
    if (value_.release != nullptr) {
      value_.release(&value_);
    }
  }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  T* get() { return &value_; }
  T* operator->() { return &value_; }
  T give() { return std::exchange(value_, T{}); }

 private:
  T value_{};
};

Result<Field> read_schema(const ArrowSchema* from, int depth) {
  if (from == nullptr || from->release == nullptr || from->format == nullptr) {
    return not_arrow("a schema without a format");
  }
  if (depth > kDepthMax) {
    return invalid_error("a table with more than " + std::to_string(kDepthMax) + " fields within each other");
  }
  if (from->n_children < 0 || (from->n_children > 0 && from->children == nullptr)) {
    return not_arrow("a schema without its children");
  }
  Field field;
  field.format = from->format;
  if (from->name != nullptr) {
    field.name = from->name;
  }
  field.flags = from->flags;
  SABIR_ASSIGN_OR_RETURN(field.layout, parse_layout(field.format));
  if (from->metadata != nullptr) {
    SABIR_ASSIGN_OR_RETURN(size_t size, metadata_bytes(from->metadata, INT32_MAX));
    field.metadata.assign(from->metadata, size);
  }
  for (int64_t i = 0; i < from->n_children; ++i) {
    SABIR_ASSIGN_OR_RETURN(Field child, read_schema(from->children[i], depth + 1));
    field.children.push_back(std::move(child));
  }
  if (from->dictionary != nullptr) {
    SABIR_ASSIGN_OR_RETURN(Field values, read_schema(from->dictionary, depth + 1));
    field.dictionary = std::make_unique<Field>(std::move(values));
  }
  return field;
}

Result<void> add_batch(Data& data, Taken<ArrowArray>& array) {
  Result<Array> batch = read_batch(data, array.get());
  if (!batch.ok()) {
    return std::move(batch).error();
  }
  data.batches.push_back(*std::move(batch));
  data.taken.push_back(array.give());
  return check_array(data.schema, data.batches.back());
}

Result<void> start(Data& data, const ArrowSchema* schema, uint32_t origin) {
  data.origin = origin;
  SABIR_ASSIGN_OR_RETURN(data.schema, read_schema(schema, 0));
  return check_schema(data.schema);
}

Error producer_failed(Taken<ArrowArrayStream>& stream, int error_number) {
  const char* text = stream->get_last_error == nullptr ? nullptr : stream->get_last_error(stream.get());
  return invalid_error(std::string("what the table is read from failed: ") +
                       (text != nullptr ? text : std::strerror(error_number)));
}

}  // namespace

Result<std::shared_ptr<const Data>> from_stream(ArrowArrayStream* given, uint32_t origin) {
  Taken<ArrowArrayStream> stream(given);
  if (stream->release == nullptr || stream->get_schema == nullptr || stream->get_next == nullptr) {
    return invalid_error("an ArrowArrayStream that was released");
  }
  auto data = std::make_shared<Data>();
  Taken<ArrowSchema> schema;
  if (int failed = stream->get_schema(stream.get(), schema.get()); failed != 0) {
    return producer_failed(stream, failed);
  }
  SABIR_RETURN_IF_ERROR(start(*data, schema.get(), origin));
  for (;;) {
    Taken<ArrowArray> array;
    if (int failed = stream->get_next(stream.get(), array.get()); failed != 0) {
      return producer_failed(stream, failed);
    }
    if (array->release == nullptr) {
      return std::shared_ptr<const Data>(std::move(data));
    }
    SABIR_RETURN_IF_ERROR(add_batch(*data, array));
  }
}

Result<std::shared_ptr<const Data>> from_array(ArrowSchema* given_schema, ArrowArray* given, uint32_t origin) {
  Taken<ArrowSchema> schema(given_schema);
  Taken<ArrowArray> array(given);
  auto data = std::make_shared<Data>();
  SABIR_RETURN_IF_ERROR(start(*data, schema.get(), origin));
  SABIR_RETURN_IF_ERROR(add_batch(*data, array));
  return std::shared_ptr<const Data>(std::move(data));
}

}  // namespace sabir::table
