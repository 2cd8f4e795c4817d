// sabir.h: tables. None of them needs a client: what a table holds of one is a reference, which knows its own.
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "runtime/abi/handles.h"
#include "runtime/table/export.h"
#include "runtime/table/import.h"
#include "runtime/table/wire.h"

using namespace sabir;
using namespace sabir::abi;

struct sabir_table {
  std::shared_ptr<const table::Data> data;
  // Of a received table: its bytes as they are.
  sabir_span received{nullptr, 0};
  // Of another: made when it is first wanted.
  std::mutex mutex;
  std::unique_ptr<const table::Encoded> encoded;
};

namespace {

using Shared = std::shared_ptr<const table::Data>;

sabir_status give_table(Result<Shared>&& made, sabir_span received, sabir_table** out_table, sabir_error** out_error) {
  if (!made.ok()) {
    return fail(out_error, made.error());
  }
  auto* table = new sabir_table;
  table->data = *std::move(made);
  table->received = received;
  *out_table = table;
  return SABIR_OK;
}

// What keeps the bytes of a view; *out_data is where they lie then.
std::shared_ptr<const void> keep_bytes(const sabir_view& view, sabir_ref* ref, const uint8_t** out_data) {
  const auto* data = static_cast<const uint8_t*>(view.data);
  if (view.in_store != 0 && ref != nullptr && reinterpret_cast<uintptr_t>(data) % table::kAlignment == 0) {
    *out_data = data;
    return {sabir_ref_retain(ref), [](sabir_ref* held) { sabir_ref_release(held); }};
  }
  size_t room = (view.size + table::kAlignment) / table::kAlignment * table::kAlignment;
  auto* copy = static_cast<uint8_t*>(std::aligned_alloc(table::kAlignment, room));
  if (copy != nullptr && view.size != 0) {
    std::memcpy(copy, data, view.size);
  }
  *out_data = copy;
  return {copy, std::free};
}

}  // namespace

sabir_status sabir_table_from_stream(ArrowArrayStream* stream, uint32_t origin, sabir_table** out_table,
                                     sabir_error** out_error) {
  return give_table(table::from_stream(stream, origin), {nullptr, 0}, out_table, out_error);
}

sabir_status sabir_table_from_array(ArrowSchema* schema, ArrowArray* array, uint32_t origin, sabir_table** out_table,
                                    sabir_error** out_error) {
  return give_table(table::from_array(schema, array, origin), {nullptr, 0}, out_table, out_error);
}

int32_t sabir_view_is_table(const sabir_view* view) {
  return view->encoding == SABIR_NEUTRAL && view->variant == table::kVariant && view->is_error == 0 ? 1 : 0;
}

sabir_status sabir_table_from_view(const sabir_view* view, sabir_ref* ref, sabir_table** out_table,
                                   sabir_error** out_error) {
  if (sabir_view_is_table(view) == 0) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "the value is no table");
  }
  const uint8_t* data = nullptr;
  std::shared_ptr<const void> keep = keep_bytes(*view, ref, &data);
  if (data == nullptr) {
    return fail(out_error, SABIR_OUT_OF_MEMORY, "no memory for a copy of the table");
  }
  return give_table(table::decode({data, view->size}, std::move(keep)), {data, view->size}, out_table, out_error);
}

sabir_status sabir_table_value(sabir_table* table, sabir_value* out_value, sabir_error** out_error) {
  sabir_value value{};
  value.encoding = SABIR_NEUTRAL;
  value.variant = table::kVariant;
  if (table->received.data != nullptr) {
    value.parts = &table->received;
    value.part_count = 1;
    *out_value = value;
    return SABIR_OK;
  }
  std::lock_guard<std::mutex> lock(table->mutex);
  if (table->encoded == nullptr) {
    Result<std::unique_ptr<const table::Encoded>> made = table::encode(*table->data);
    if (!made.ok()) {
      return fail(out_error, made.error());
    }
    table->encoded = *std::move(made);
  }
  value.parts = table->encoded->parts.data();
  value.part_count = static_cast<uint32_t>(table->encoded->parts.size());
  *out_value = value;
  return SABIR_OK;
}

void sabir_table_stream(const sabir_table* table, ArrowArrayStream* out_stream) {
  table::to_stream(table->data, out_stream);
}

sabir_status sabir_table_get_info(const sabir_table* table, sabir_table_info* out_info, sabir_error** out_error) {
  sabir_table_info info = SABIR_TABLE_INFO_INIT;
  info.origin = table->data->origin;
  info.has_extensions = table::has_extensions(table->data->schema) ? 1 : 0;
  info.row_count = table::row_count(*table->data);
  info.batch_count = table->data->batches.size();
  info.column_count = table->data->schema.children.size();
  if (!write_struct(out_info, info)) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "sabir_table_info without its struct_size");
  }
  return SABIR_OK;
}

void sabir_table_destroy(sabir_table* table) { delete table; }
