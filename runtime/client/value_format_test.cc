#include "runtime/client/value_format.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace sabir::client {
namespace {

std::vector<uint8_t> value_with(std::vector<WireRef> refs, std::string_view inline_value, std::string_view data,
                                size_t alignment) {
  size_t table = refs.size() * sizeof(WireRef) + (inline_value.empty() ? 0 : pad8(inline_value.size()));
  std::vector<uint8_t> bytes(value_prefix_bytes(table, alignment) + data.size());
  Writer out(bytes.data(), bytes.size());
  ValueHeader header{
      .encoding = 3, .language = 1, .variant = 7, .flags = 0, .ref_count = static_cast<uint32_t>(refs.size())};
  header.flags = refs.empty() ? 0 : kValueHasRefs;
  out.put(header);
  for (WireRef& ref : refs) {
    if (ref.kind == static_cast<uint8_t>(WireRefKind::kInline)) {
      ref.size = inline_value.size();
    }
    out.put(ref);
    if (ref.kind == static_cast<uint8_t>(WireRefKind::kInline)) {
      out.put_bytes(inline_value.data(), inline_value.size());
      out.align8();
    }
  }
  out.align(alignment, bytes.data());
  out.put_bytes(data.data(), data.size());
  return bytes;
}

WireRef wire_ref(WireRefKind kind) {
  WireRef ref;
  ref.kind = static_cast<uint8_t>(kind);
  return ref;
}

std::string text(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

TEST(ValueFormatTest, NoBytesAreTheNullValue) {
  std::optional<ParsedValue> value = parse_value({}, kCallAlignment);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->header.encoding, 0);
  EXPECT_TRUE(value->data.empty());
}

TEST(ValueFormatTest, DataIsAlignedInStore) {
  for (size_t alignment : {kCallAlignment, kStoreAlignment}) {
    std::vector<uint8_t> bytes =
        value_with({wire_ref(WireRefKind::kEntry), wire_ref(WireRefKind::kInline)}, "abc", "hello", alignment);
    std::optional<ParsedValue> value = parse_value(bytes, alignment);
    ASSERT_TRUE(value);
    EXPECT_EQ(text(value->data), "hello");
    EXPECT_EQ(static_cast<size_t>(value->data.data() - bytes.data()) % alignment, 0u);
    std::span<const uint8_t> table = value->table;
    EXPECT_TRUE(next_ref(table));
    std::optional<ParsedRef> second = next_ref(table);
    ASSERT_TRUE(second);
    EXPECT_EQ(text(second->value), "abc");
    EXPECT_TRUE(table.empty());
  }
}

TEST(ValueFormatTest, RefusesWhatDoesNotFit) {
  std::vector<uint8_t> bytes = value_with({wire_ref(WireRefKind::kInline)}, "abcdefgh", "x", kCallAlignment);
  EXPECT_TRUE(parse_value(bytes, kCallAlignment));
  for (size_t size = 1; size < bytes.size() - 1; ++size) {
    EXPECT_FALSE(parse_value(std::span(bytes).first(size), kCallAlignment)) << size;
  }
  uint64_t huge = ~uint64_t{0} - 3;
  std::memcpy(bytes.data() + 8 + offsetof(WireRef, size), &huge, sizeof(huge));
  EXPECT_FALSE(parse_value(bytes, kCallAlignment));
}

TEST(ValueFormatTest, IndirectNamesAnEntry) {
  std::vector<uint8_t> bytes(kIndirectValueBytes);
  Writer out(bytes.data(), bytes.size());
  WireRef where = wire_ref(WireRefKind::kEntry);
  where.entry = 42;
  write_indirect_value(out, {.encoding = 3, .language = 1, .variant = 0, .flags = kValueIsError, .ref_count = 9},
                       where);
  std::optional<ParsedValue> value = parse_value(bytes, kCallAlignment);
  ASSERT_TRUE(value && value->indirect);
  EXPECT_EQ(value->indirect->entry, 42u);
  EXPECT_EQ(value->header.flags, kValueIsError | kValueIsIndirect);
}

TEST(ArgsReaderTest, ReadsNamesAndValues) {
  std::vector<uint8_t> bytes(8 + (8 + 8) + (8 + 8 + 16));
  Writer out(bytes.data(), bytes.size());
  out.put(ArgsHeader{.argc = 2, .flags = kArgsHaveNames});
  out.put(ArgHeader{.value_bytes = 8});
  out.put(ValueHeader{});
  out.put(ArgHeader{.value_bytes = 9, .name_bytes = 3});
  out.put_bytes("key", 3);
  out.align8();
  out.put(ValueHeader{.encoding = 3});
  out.put_bytes("z", 1);
  out.align8();
  std::optional<ArgsReader> reader = ArgsReader::open(bytes);
  ASSERT_TRUE(reader);
  ASSERT_EQ(reader->count(), 2u);
  EXPECT_EQ(reader->next()->value.size(), 8u);
  std::optional<ParsedArg> second = reader->next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->name, "key");
  EXPECT_EQ(second->value.size(), 9u);
  EXPECT_FALSE(reader->next());
  EXPECT_EQ(ArgsReader::open({})->count(), 0u);
}

TEST(ResultsTest, SplitsValues) {
  std::vector<uint8_t> bytes(8 + 8 + 16);
  Writer out(bytes.data(), bytes.size());
  out.put(uint32_t{8});
  out.put(uint32_t{10});
  out.put(ValueHeader{});
  out.put(ValueHeader{.encoding = 3});
  out.put_bytes("ab", 2);
  out.align8();
  std::optional<ParsedResults> results = parse_results(bytes, 2);
  ASSERT_TRUE(results);
  EXPECT_EQ(results->values[1].size(), 10u);
  EXPECT_FALSE(parse_results(std::span(bytes).first(24), 2));
  EXPECT_FALSE(parse_results(bytes, 1000));
}

// Whatever bytes come: no read outside of them (run under ASan), and what is accepted lies inside.
TEST(ValueFormatTest, RandomBytesAreSafe) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bytes(random() % 200);
    for (uint8_t& byte : bytes) {
      byte = static_cast<uint8_t>(random() % 4 == 0 ? random() : random() % 3);
    }
    if (std::optional<ParsedValue> value = parse_value(bytes, kCallAlignment)) {
      EXPECT_LE(value->data.size() + value->table.size(), bytes.size());
    }
    if (std::optional<ArgsReader> reader = ArgsReader::open(bytes)) {
      for (size_t i = 0; i < reader->count() && reader->next(); ++i) {
      }
    }
    parse_results(bytes, random() % 8);
  }
}

}  // namespace
}  // namespace sabir::client
