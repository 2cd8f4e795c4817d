// All layouts through the whole way: structs of a producer, Data, bytes, Data, structs for a consumer.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "runtime/table/bits.h"
#include "runtime/table/export.h"
#include "runtime/table/import.h"
#include "runtime/table/testing/made.h"
#include "runtime/table/wire.h"

namespace sabir::table {
namespace {

using testing::all_layouts;
using testing::bytes_of;
using testing::Made;
using testing::read_all;
using Shared = std::shared_ptr<const Data>;

std::string read_direct(const Made& made) {
  ArrowSchema schema{};
  ArrowArray array{};
  to_c(made, &schema);
  to_c(made, &array);
  std::string text = read_all(schema, array) + "| ";
  schema.release(&schema);
  array.release(&array);
  return text;
}

Result<Shared> import(const Made& made) {
  ArrowSchema schema{};
  ArrowArray array{};
  to_c(made, &schema);
  to_c(made, &array);
  return from_array(&schema, &array, 1);
}
Result<Shared> import(const std::vector<Made>& batches, const std::string& failure = "") {
  ArrowArrayStream stream{};
  to_c(batches, &stream, failure);
  return from_stream(&stream, 2);
}

std::string read_back(const Shared& data) {
  ArrowArrayStream stream{};
  to_stream(data, &stream);
  return read_all(&stream);
}

size_t size_bytes(const Encoded& encoded) {
  size_t size = 0;
  for (const sabir_span& part : encoded.parts) {
    size += part.size;
  }
  return size;
}

// Aligned as the store aligns.
std::shared_ptr<uint8_t> copy_of(const Encoded& encoded, size_t* out_size) {
  *out_size = size_bytes(encoded);
  std::shared_ptr<uint8_t> bytes(static_cast<uint8_t*>(std::aligned_alloc(64, (*out_size + 64) / 64 * 64)), std::free);
  size_t at = 0;
  for (const sabir_span& part : encoded.parts) {
    std::memcpy(bytes.get() + at, part.data, part.size);
    at += part.size;
  }
  return bytes;
}

Result<Shared> through_bytes(const Data& data) {
  auto encoded = encode(data);
  if (!encoded.ok()) {
    return encoded.error();
  }
  size_t size = 0;
  std::shared_ptr<uint8_t> bytes = copy_of(**encoded, &size);
  const uint8_t* begin = bytes.get();
  return decode({begin, size}, std::move(bytes));
}

TEST(TableTest, EveryLayoutComesBackAsItWas) {
  for (const Made& made : all_layouts()) {
    SCOPED_TRACE(made.format);
    std::string wanted = read_direct(made);
    Result<Shared> data = import(made);
    ASSERT_TRUE(data.ok()) << data.error().message();
    EXPECT_EQ(read_back(*data), wanted);
    Result<Shared> received = through_bytes(**data);
    ASSERT_TRUE(received.ok()) << received.error().message();
    EXPECT_EQ(read_back(*received), wanted);
    EXPECT_EQ((*received)->schema.flags, made.flags);
    EXPECT_EQ((*received)->origin, 1);
  }
  EXPECT_EQ(testing::alive(), 0);
}

TEST(TableTest, SlicesTravelWithoutOffsets) {
  for (Made made : all_layouts()) {
    for (int64_t offset = 0; offset <= 6; ++offset) {
      for (int64_t length = 0; offset + length <= 6; ++length) {
        SCOPED_TRACE(made.format + " " + std::to_string(offset) + "+" + std::to_string(length));
        made.offset = offset;
        made.length = length;
        made.null_count = made.format == "n" ? length : -1;
        std::string wanted = read_direct(made);
        Result<Shared> data = import(made);
        ASSERT_TRUE(data.ok()) << data.error().message();
        EXPECT_GE((*data)->batches[0].null_count, 0);
        EXPECT_EQ((*data)->batches[0].offset, 0);
        Result<Shared> received = through_bytes(**data);
        ASSERT_TRUE(received.ok()) << received.error().message();
        EXPECT_EQ(read_back(*received), wanted);
      }
    }
  }
}

TEST(TableTest, AStructOfAllColumnsInBatches) {
  Made table{.format = "+s", .length = 4, .offset = 1, .buffers = {nullptr}, .children = all_layouts()};
  for (size_t i = 0; i < table.children.size(); ++i) {
    table.children[i].name = "c" + std::to_string(i);
  }
  std::string wanted = read_direct(table) + read_direct(table);
  Result<Shared> data = import(std::vector<Made>{table, table});
  ASSERT_TRUE(data.ok()) << data.error().message();
  EXPECT_EQ(row_count(**data), 8);
  Result<Shared> received = through_bytes(**data);
  ASSERT_TRUE(received.ok()) << received.error().message();
  EXPECT_EQ(read_back(*received), wanted);
  EXPECT_EQ((*received)->schema.children[3].name, "c3");
  EXPECT_EQ((*received)->origin, 2);
}

TEST(TableTest, BuffersAreNeitherCopiedNorCutOff) {
  std::vector<int64_t> numbers(100'000, 7);
  Made made{.format = "l", .length = 100'000, .buffers = {nullptr, bytes_of(numbers)}};
  const uint8_t* source = made.buffers[1]->data();
  ArrowSchema schema{};
  ArrowArray array{};
  to_c(made, &schema);
  to_c(made, &array);
  const auto* given = static_cast<const uint8_t*>(array.buffers[1]);
  EXPECT_EQ(given, source);
  Result<Shared> data = from_array(&schema, &array, 0);
  ASSERT_TRUE(data.ok());
  auto encoded = *encode(**data);
  EXPECT_EQ(encoded->parts.back().data, given);
  EXPECT_EQ(encoded->parts.back().size, numbers.size() * 8);
  size_t size = 0;
  std::shared_ptr<uint8_t> bytes = copy_of(*encoded, &size);
  Result<Shared> received = decode({bytes.get(), size}, bytes);
  ASSERT_TRUE(received.ok());
  const uint8_t* inside = (*received)->batches[0].buffers[1].data;
  EXPECT_GE(inside, bytes.get());
  EXPECT_LT(inside, bytes.get() + size);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(inside) % 64, 0);
}

TEST(TableTest, ASliceTravelsAsWhatItShows) {
  std::vector<int32_t> offsets(100'001);
  for (size_t i = 0; i < offsets.size(); ++i) {
    offsets[i] = static_cast<int32_t>(i * 10);
  }
  Made made{.format = "u",
            .length = 3,
            .offset = 50'001,
            .buffers = {bytes_of(std::vector<uint8_t>(12'500, 0xff)), bytes_of(offsets),
                        testing::text_bytes(std::string(1'000'000, 'x'))}};
  Result<Shared> data = import(made);
  ASSERT_TRUE(data.ok());
  EXPECT_LT(size_bytes(**encode(**data)), 512);
  EXPECT_EQ(read_back(*data), read_direct(made));
}

TEST(TableTest, BatchesShareADictionary) {
  Made made = all_layouts().back();
  Result<Shared> one = import(std::vector<Made>{made});
  Result<Shared> three = import(std::vector<Made>{made, made, made});
  ASSERT_TRUE(one.ok() && three.ok());
  ASSERT_NE((*three)->schema.dictionary, nullptr);
  // The same buffers in further batches cost only what names them.
  EXPECT_EQ((*encode(**three))->parts.size(), (*encode(**one))->parts.size());
  Result<Shared> received = through_bytes(**three);
  ASSERT_TRUE(received.ok());
  EXPECT_EQ(read_back(*received), read_direct(made) + read_direct(made) + read_direct(made));
}

TEST(TableTest, WhatIsHandedOutOutlivesTheTable) {
  ArrowArray batch{};
  ArrowArray child{};
  {
    Made table{.format = "+s", .length = 6, .buffers = {nullptr}, .children = all_layouts()};
    Result<Shared> data = import(table);
    ASSERT_TRUE(data.ok());
    ArrowArrayStream stream{};
    to_stream(*data, &stream);
    ASSERT_EQ(stream.get_next(&stream, &batch), 0);
    stream.release(&stream);
    // A child is moved out, as consumers may.
    child = *batch.children[5];
    batch.children[5]->release = nullptr;
  }
  EXPECT_GT(testing::alive(), 0);
  batch.release(&batch);
  EXPECT_GT(testing::alive(), 0);
  EXPECT_EQ(load<uint16_t>(static_cast<const uint8_t*>(child.buffers[1]), 0), 0x0801);
  child.release(&child);
  EXPECT_EQ(testing::alive(), 0);
}

void expect_refused(const Result<Shared>& result, const std::string& text) {
  ASSERT_FALSE(result.ok()) << text;
  EXPECT_EQ(result.error().kind(), ErrorKind::kInvalid);
  EXPECT_NE(result.error().message().find(text), std::string::npos) << result.error().message();
}

TEST(TableTest, WrongProducersAreRefused) {
  Made numbers{.format = "i", .length = 2, .buffers = {nullptr, bytes_of<int32_t>({1, 2})}};
  auto with = [&](auto change) {
    Made changed = numbers;
    change(changed);
    return import(changed);
  };
  expect_refused(with([](Made& made) { made.format = "j"; }), "'j'");
  expect_refused(with([](Made& made) { made.buffers.pop_back(); }), "1 buffers");
  expect_refused(with([](Made& made) { made.buffers[1] = nullptr; }), "2 items");
  expect_refused(with([](Made& made) { made.length = -1; }), "negative length");
  expect_refused(with([](Made& made) { made.children = {made}; }), "with 1 children");
  expect_refused(with([](Made& made) { made.metadata = std::string(4, '\xff'); }), "metadata");
  Made texts{
      .format = "u", .length = 2, .buffers = {nullptr, bytes_of<int32_t>({0, 5, 3}), testing::text_bytes("abc")}};
  expect_refused(import(texts), "decrease");
  Made outer{.format = "+s", .length = 3, .buffers = {nullptr}, .children = {numbers}};
  expect_refused(import(outer), "shorter");
  Made deep = numbers;
  for (int i = 0; i < 70; ++i) {
    deep = {.format = "+s", .length = 2, .buffers = {nullptr}, .children = {deep}};
  }
  expect_refused(import(deep), "64 fields");
  expect_refused(import(std::vector<Made>{numbers}, "the disk is gone"), "the disk is gone");
  ArrowArrayStream released{};
  expect_refused(from_stream(&released, 0), "released");
  EXPECT_EQ(testing::alive(), 0);
}

TEST(TableTest, EveryShorterValueIsRefused) {
  Made table{.format = "+s", .length = 6, .buffers = {nullptr}, .children = all_layouts()};
  Result<Shared> data = import(table);
  ASSERT_TRUE(data.ok());
  size_t size = 0;
  std::shared_ptr<uint8_t> bytes = copy_of(**encode(**data), &size);
  ASSERT_TRUE(decode({bytes.get(), size}, bytes).ok());
  for (size_t shorter = 0; shorter < size; ++shorter) {
    Result<Shared> result = decode({bytes.get(), shorter}, bytes);
    ASSERT_FALSE(result.ok()) << shorter;
    ASSERT_EQ(result.error().kind(), ErrorKind::kInvalid);
  }
}

TEST(BitsTest, ShiftedAndCounted) {
  const uint8_t bits[] = {0xb1, 0x6e, 0x01, 0x80, 0xff, 0x3c, 0x00, 0x55, 0xaa, 0x0f};
  for (int64_t begin = 0; begin < 20; ++begin) {
    for (int64_t count = 0; begin + count <= 80; ++count) {
      std::vector<uint8_t> made = shifted(bits, begin, count);
      ASSERT_EQ(made.size(), bit_bytes(count));
      int64_t zeros = 0;
      for (int64_t i = 0; i < count; ++i) {
        ASSERT_EQ(bit_at(made.data(), i), bit_at(bits, begin + i)) << begin << "+" << count;
        zeros += bit_at(bits, begin + i) ? 0 : 1;
      }
      ASSERT_EQ(count_zeros(bits, begin, count), zeros);
    }
  }
}

}  // namespace
}  // namespace sabir::table
