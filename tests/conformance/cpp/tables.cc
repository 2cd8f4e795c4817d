#include "tables.hpp"

#include <cstring>
#include <memory>
#include <numeric>
#include <vector>

#include "text.hpp"

namespace conformance {
namespace {

using sabir::Value;

constexpr int64_t kListedRows = 16;

struct Column {
  const char* name = "";
  const char* format = "";
  std::vector<std::vector<uint8_t>> buffers;  // the first: which rows are not null; empty: all
};

template <typename T>
std::vector<uint8_t> bytes_of(const std::vector<T>& items) {
  std::vector<uint8_t> bytes(items.size() * sizeof(T));
  if (!bytes.empty()) {
    std::memcpy(bytes.data(), items.data(), bytes.size());
  }
  return bytes;
}

// What a schema and an array point into; each of their structs has a share.
struct Owned {
  std::vector<Column> columns;
  std::vector<std::vector<const void*>> pointers;
  std::vector<ArrowSchema> schemas;
  std::vector<ArrowArray> arrays;
  std::vector<ArrowSchema*> schema_pointers;
  std::vector<ArrowArray*> array_pointers;
  const void* no_nulls = nullptr;
};

template <typename T>
void release(T* self) {
  for (int64_t i = 0; i < self->n_children; ++i) {
    if (self->children[i]->release != nullptr) {
      self->children[i]->release(self->children[i]);
    }
  }
  self->release = nullptr;
  delete static_cast<std::shared_ptr<Owned>*>(self->private_data);
}

template <typename T>
void share(T& out, const std::shared_ptr<Owned>& owned) {
  out.release = release<T>;
  out.private_data = new std::shared_ptr<Owned>(owned);
}

sabir::Table table(std::vector<Column> columns, int64_t rows, int64_t offset) {
  auto owned = std::make_shared<Owned>();
  owned->columns = std::move(columns);
  size_t count = owned->columns.size();
  owned->pointers.resize(count);
  owned->schemas.resize(count);
  owned->arrays.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const Column& column = owned->columns[i];
    for (const auto& buffer : column.buffers) {
      owned->pointers[i].push_back(buffer.empty() && owned->pointers[i].empty() ? nullptr : buffer.data());
    }
    ArrowSchema& schema = owned->schemas[i] = {};
    schema.format = column.format;
    schema.name = column.name;
    schema.flags = ARROW_FLAG_NULLABLE;
    share(schema, owned);
    owned->schema_pointers.push_back(&schema);
    ArrowArray& array = owned->arrays[i] = {};
    array.length = rows;
    array.offset = offset;
    array.null_count = -1;
    array.n_buffers = static_cast<int64_t>(column.buffers.size());
    array.buffers = owned->pointers[i].data();
    share(array, owned);
    owned->array_pointers.push_back(&array);
  }
  ArrowSchema schema{};
  schema.format = "+s";
  schema.name = "";
  schema.n_children = static_cast<int64_t>(count);
  schema.children = owned->schema_pointers.data();
  share(schema, owned);
  ArrowArray array{};
  array.length = rows;
  array.n_buffers = 1;
  array.buffers = &owned->no_nulls;
  array.n_children = static_cast<int64_t>(count);
  array.children = owned->array_pointers.data();
  share(array, owned);
  return sabir::Table::from(&schema, &array);
}

bool is_null(const ArrowArray& array, int64_t row) {
  const auto* bits = static_cast<const uint8_t*>(array.buffers[0]);
  return bits != nullptr && (bits[row / 8] >> (row % 8) & 1) == 0;
}

// One batch of a column, an item for each row.
Value::List items_of(const ArrowSchema& schema, const ArrowArray& array) {
  Value::List items;
  for (int64_t row = array.offset; row < array.offset + array.length; ++row) {
    if (is_null(array, row)) {
      items.push_back(Value(nullptr));
    } else if (std::string_view(schema.format) == "l") {
      items.push_back(Value(static_cast<const int64_t*>(array.buffers[1])[row]));
    } else {
      const auto* ends = static_cast<const int32_t*>(array.buffers[1]);
      items.push_back(Value(std::string(static_cast<const char*>(array.buffers[2]) + ends[row],
                                        static_cast<size_t>(ends[row + 1] - ends[row]))));
    }
  }
  return items;
}

std::string column_text(const ArrowSchema& schema, const ArrowArray& array) {
  std::string text = std::string(schema.name) + (std::string_view(schema.format) == "l" ? ":int64:" : ":string:");
  if (array.length <= kListedRows) {
    return text + text_of(Value(items_of(schema, array)));
  }
  const auto* numbers = static_cast<const int64_t*>(array.buffers[1]) + array.offset;
  sabir::Bytes bytes(static_cast<size_t>(array.length) * sizeof(int64_t));
  std::memcpy(bytes.data(), numbers, bytes.size());
  return text + text_of(Value(std::move(bytes)));
}

}  // namespace

sabir::Table small_table() {
  Column numbers{"n", "l", {{0b101}, bytes_of<int64_t>({1, 0, 3})}};
  Column texts{"s", "u", {{}, bytes_of<int32_t>({0, 1, 1, 3}), {'a', 0xc3, 0xbc}}};
  return table({numbers, texts}, 3, 0);
}

sabir::Table counting_table(int64_t rows, int64_t skipped) {
  std::vector<int64_t> numbers(static_cast<size_t>(rows) + 1);  // a place more: a buffer has an address
  std::iota(numbers.begin(), numbers.end(), 0);
  return table({Column{"n", "l", {{}, bytes_of(numbers)}}}, rows - skipped, skipped);
}

std::string text_of_table(const sabir::Table& table) {
  ArrowArrayStream stream{};
  table.to(&stream);
  ArrowSchema schema{};
  ArrowArray batch{};
  if (stream.get_schema(&stream, &schema) != 0 || stream.get_next(&stream, &batch) != 0) {
    throw std::runtime_error("a stream without a schema or a batch");
  }
  std::string text = "table";
  for (int64_t i = 0; i < schema.n_children; ++i) {
    text += (i == 0 ? ":" : ", ");
    if (batch.release == nullptr) {  // no batch at all: no rows
      text += std::string(schema.children[i]->name) + ":int64:[]";
    } else {
      text += column_text(*schema.children[i], *batch.children[i]);
    }
  }
  if (batch.release != nullptr) {
    batch.release(&batch);
  }
  schema.release(&schema);
  stream.release(&stream);
  return text;
}

}  // namespace conformance
