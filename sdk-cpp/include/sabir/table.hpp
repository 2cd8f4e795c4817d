// Table: columns of data in the layouts of Apache Arrow, shared with its copies. It is made of an ArrowArrayStream and
// gives such out, so any library with the Arrow C data interface (Arrow, nanoarrow, DuckDB) writes and reads it; none
// is needed here. What comes out of the store is read in place, and is kept by what is made of it.
#ifndef SABIR_TABLE_HPP_
#define SABIR_TABLE_HPP_

#include <utility>

#include "sabir/codec.hpp"
#include "sabir/sabir_arrow.h"

SABIR_NAMESPACE_BEGIN

class Table {
 public:
  // No table: it cannot be sent.
  Table() = default;
  explicit Table(detail::TableHandle handle) : handle_(std::move(handle)) {}

  // Takes the stream over, also when it throws, and reads it to its end; the buffers stay where they are. Throws
  // ConversionError if the stream fails or is not as it should be.
  static Table from(ArrowArrayStream* stream) {
    return make([&](sabir_table** table, sabir_error** error) {
      return sabir_table_from_stream(stream, kNoOrigin, table, error);
    });
  }
  // The same of a single batch.
  static Table from(ArrowSchema* schema, ArrowArray* batch) {
    return make([&](sabir_table** table, sabir_error** error) {
      return sabir_table_from_array(schema, batch, kNoOrigin, table, error);
    });
  }
  // A new stream over all batches, to be released by its `release`; it may outlive the table.
  void to(ArrowArrayStream* out) const {
    if (handle_ == nullptr) {
      throw ConversionError("an empty sabir::Table has no stream");
    }
    sabir_table_stream(handle_.get(), out);
  }

  int64_t num_rows() const { return info().row_count; }
  uint64_t num_columns() const { return info().column_count; }
  uint64_t num_batches() const { return info().batch_count; }
  explicit operator bool() const { return handle_ != nullptr; }

  const detail::TableHandle& handle() const { return handle_; }

 private:
  static constexpr uint32_t kNoOrigin = 0;

  template <typename Function>
  static Table make(Function function) {
    sabir_table* table = nullptr;
    sabir_error* error = nullptr;
    if (function(&table, &error) != SABIR_OK) {
      throw ConversionError(detail::take_message(error));
    }
    return Table(detail::own_table(table));
  }
  sabir_table_info info() const {
    sabir_table_info info = SABIR_TABLE_INFO_INIT;
    if (handle_ != nullptr) {
      sabir_table_get_info(handle_.get(), &info, nullptr);
    }
    return info;
  }

  detail::TableHandle handle_;
};

namespace detail {

template <>
struct Codec<Table> {
  static void write(Encoder& encoder, const Table& value) {
    if (!value) {
      encoder.fail("an empty sabir::Table");
    }
    encoder.table(value.handle());
  }
  static Table read(Decoder& decoder) { return Table(decoder.table()); }
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_TABLE_HPP_
