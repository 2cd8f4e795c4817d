// Tables: made by hand as a library with the Arrow C data interface would, and read by its structs.
#include <fstream>
#include <optional>
#include <sstream>

#include "support/fixture.hpp"

namespace sabir_test {
namespace {

using sabir::ObjectRef;
using sabir::Table;
using sabir::task;
using testing::HasSubstr;

// A table of one column of int64, "n", in one batch, which counts what of it is alive.
class Numbers {
 public:
  static int alive;

  static Table table(std::vector<int64_t> numbers, const char* format = "l") {
    ArrowSchema schema{};
    ArrowArray array{};
    fill(&schema, "+s", new Numbers({}, format, true));
    auto count = static_cast<int64_t>(numbers.size());
    fill(&array, count, 1, new Numbers(std::move(numbers), format, true));
    return Table::from(&schema, &array);
  }
  static Numbers* of(void* data) { return static_cast<Numbers*>(data); }

 private:
  Numbers(std::vector<int64_t> numbers, const char* format, bool is_outer) : numbers_(std::move(numbers)) {
    ++alive;
    if (is_outer) {
      auto count = static_cast<int64_t>(numbers_.size());
      fill(&child_schema_, format, new Numbers({}, format, false));
      fill(&child_array_, count, 2, new Numbers(std::move(numbers_), format, false));
    }
  }
  ~Numbers() {
    --alive;
    for (auto* schema = &child_schema_; schema->release != nullptr;) {
      schema->release(schema);
    }
    for (auto* array = &child_array_; array->release != nullptr;) {
      array->release(array);
    }
  }
  template <typename T>
  static void release(T* self) {
    self->release = nullptr;
    delete of(self->private_data);
  }
  static void fill(ArrowSchema* out, const char* format, Numbers* own) {
    *out = {};
    out->format = format;
    out->name = "n";
    out->n_children = own->child_schema_.release != nullptr ? 1 : 0;
    out->children = own->schemas_;
    out->release = release<ArrowSchema>;
    out->private_data = own;
  }
  static void fill(ArrowArray* out, int64_t length, int64_t buffer_count, Numbers* own) {
    *out = {};
    own->buffers_[1] = own->numbers_.data();
    out->length = length;
    out->n_buffers = buffer_count;
    out->buffers = own->buffers_;
    out->n_children = own->child_array_.release != nullptr ? 1 : 0;
    out->children = own->arrays_;
    out->release = release<ArrowArray>;
    out->private_data = own;
  }

  std::vector<int64_t> numbers_;
  const void* buffers_[2] = {nullptr, nullptr};
  ArrowSchema child_schema_{};
  ArrowArray child_array_{};
  ArrowSchema* schemas_[1] = {&child_schema_};
  ArrowArray* arrays_[1] = {&child_array_};
};
int Numbers::alive = 0;

// The only column of the only batch; ends with it.
class Column {
 public:
  explicit Column(const Table& table) {
    ArrowArrayStream stream{};
    table.to(&stream);
    EXPECT_EQ(stream.get_next(&stream, &batch_), 0);
    stream.release(&stream);
  }
  ~Column() { batch_.release(&batch_); }
  Column(const Column&) = delete;
  Column& operator=(const Column&) = delete;
  int64_t size() const { return batch_.children[0]->length; }
  const int64_t* data() const { return static_cast<const int64_t*>(batch_.children[0]->buffers[1]); }

 private:
  ArrowArray batch_{};
};

std::vector<int64_t> counting(int64_t count) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < count; ++i) {
    numbers.push_back(i);
  }
  return numbers;
}

// The mapping in which an address lies, by its name.
std::string mapping_of(const void* address) {
  auto wanted = reinterpret_cast<uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> begin >> dash >> end;
    if (wanted >= begin && wanted < end) {
      size_t name = line.find('/');
      return name == std::string::npos ? "" : line.substr(name);
    }
  }
  return "";
}

int64_t sum(const Table& table) {
  Column column(table);
  int64_t total = 0;
  for (int64_t i = 0; i < column.size(); ++i) {
    total += column.data()[i];
  }
  return total;
}
Table same(Table table) { return table; }
Table numbers(int64_t count) { return Numbers::table(counting(count)); }
std::string where(const Table& table) { return mapping_of(Column(table).data()); }
std::vector<Table> in_a_list(const Table& table) { return {table}; }
int64_t count(std::optional<Table> table) { return table ? table->num_rows() : -1; }

class Tables : public WithSession {};

TEST_F(Tables, ArgumentsResultsAndObjects) {
  Table table = Numbers::table(counting(5));
  EXPECT_EQ(table.num_rows(), 5);
  EXPECT_EQ(table.num_columns(), 1u);
  EXPECT_EQ(table.num_batches(), 1u);
  EXPECT_EQ(task(sum).remote(table).get(), 10);
  EXPECT_EQ(sum(task(same).remote(table).get()), 10);
  EXPECT_EQ(sum(task(numbers).remote(100).get()), 4950);
  ObjectRef<Table> ref = sabir::put(table);
  EXPECT_EQ(task(sum).remote(ref).get(), 10);
  EXPECT_EQ(task(count).remote(std::optional<Table>(table)).get(), 5);
  EXPECT_EQ(task(count).remote(std::nullopt).get(), -1);
  sabir::Value any = ref.as<sabir::Value>().get();
  EXPECT_EQ(sum(any.as<Table>()), 10);
  EXPECT_EQ(sum(task(echo).remote(any).get().as<Table>()), 10);
}

TEST_F(Tables, WhatWasTakenOverIsReleased) {
  { Table table = Numbers::table(counting(3)); }
  EXPECT_EQ(Numbers::alive, 0);
  EXPECT_THROW(Numbers::table(counting(3), "?"), sabir::ConversionError);
  EXPECT_EQ(Numbers::alive, 0);
}

// 64 MB: once in the store, and read where they lie by the worker and here.
TEST_F(Tables, LargeOnesAreNotCopied) {
  constexpr int64_t kCount = 8 << 20;
  ObjectRef<Table> ref = task(numbers).remote(kCount);
  Table here = ref.get();
  Column one(here);
  Column two(ref.get());
  EXPECT_EQ(one.data(), two.data());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(one.data()) % 64, 0u);
  EXPECT_THAT(mapping_of(one.data()), HasSubstr("memfd:"));
  EXPECT_THAT(task(where).remote(ref).get(), HasSubstr("memfd:"));
  EXPECT_EQ(task(sum).remote(ref).get(), kCount * (kCount - 1) / 2);
  // The column holds the object, with no table or reference left.
  here = {};
  ref = {};
  EXPECT_EQ(one.data()[kCount - 1], kCount - 1);
}

TEST_F(Tables, WrongUsesAreErrors) {
  Table table = Numbers::table({1});
  EXPECT_THROW(sabir::put(Table()), sabir::ConversionError);
  EXPECT_THROW(sabir::put(std::vector<Table>{table}), sabir::ConversionError);
  EXPECT_THAT(error_of<sabir::InvalidArgumentError>(task(in_a_list).remote(table)).message(),
              HasSubstr("whole argument, result or object"));
  EXPECT_THAT(error_of<sabir::InvalidArgumentError>(task(plus).remote(sabir::put(table).as<int>(), 1)).message(),
              HasSubstr("found a table"));
  EXPECT_THAT(error_of<sabir::InvalidArgumentError>(task(sum).remote(sabir::put(3).as<Table>())).message(),
              HasSubstr("expected a table"));
  ArrowArrayStream stream{};
  EXPECT_THROW(Table().to(&stream), sabir::ConversionError);
  EXPECT_THROW(Table::from(&stream), sabir::ConversionError);
}

}  // namespace
}  // namespace sabir_test

namespace {
using namespace sabir_test;  // NOLINT: the names that SABIR_REMOTE registers
SABIR_REMOTE(sum, same, numbers, where, in_a_list, count);
}  // namespace
