// Bytes that are no value: a table of them with the error each gives, and random ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "decode_fuzz.hpp"
#include "encoded.hpp"
#include "sabir/containers.hpp"

namespace sabir_test {
namespace {

using sabir::Value;
using testing::HasSubstr;

std::string u32(uint32_t number) { return std::string(reinterpret_cast<const char*>(&number), 4); }
std::string u64(uint64_t number) { return std::string(reinterpret_cast<const char*>(&number), 8); }
std::string dimension(uint64_t length, int64_t stride) { return u64(length) + u64(static_cast<uint64_t>(stride)); }

struct Case {
  const char* name;
  std::string stream;
  const char* error;
};

TEST(Damage, PlainStreams) {
  std::string deep;
  for (int i = 0; i < 65; ++i) {
    deep += "l" + u32(1);
  }
  const Case cases[] = {
      {"nothing", "", "ends where a value should be"},
      {"an unknown tag", "?", "byte 0 of 1): an unknown tag, 63"},
      {"half a number", "I123", "ends too early"},
      {"a string longer than the value", "s" + u32(5) + "1234", "ends too early"},
      {"a list longer than the value", "l" + u32(0xffffffff) + "NNN", "more items than bytes"},
      {"a map whose second half is missing", "d" + u32(2) + "NNN", "more items than bytes"},
      {"a list that ends too early", "l" + u32(3) + "s" + u32(1) + "x", "at [1]: a damaged value"},
      {"bytes behind the end", "NN", "bytes behind its end"},
      {"text that is not UTF-8", "s" + u32(1) + "\xff", "byte 0 of 6): a string that is not UTF-8"},
      {"a list as key", "d" + u32(1) + "l" + u32(0) + "N", "a container as key"},
      {"too deep", deep + "N", "more than 64 containers"},
      {"a reference without a table", "r" + u32(0), "a reference that the value does not have"},
      {"a tensor without buffers", std::string("a") + std::string("\x01\0\0\0", 4) + u32(0), "without its buffer"},
  };
  for (const Case& wrong : cases) {
    SCOPED_TRACE(wrong.name);
    EXPECT_THAT(Encoded::plain(wrong.stream).error<Value>(), HasSubstr(wrong.error));
  }
}

Encoded tensor(uint8_t dtype, uint8_t ndim, const std::string& dimensions, uint64_t data_bytes, size_t real_bytes) {
  std::string shape;
  std::string strides;
  for (size_t at = 0; at < dimensions.size(); at += 16) {
    shape += dimensions.substr(at, 8);
    strides += dimensions.substr(at + 8, 8);
  }
  std::string header = std::string({static_cast<char>(dtype), static_cast<char>(ndim), 0, 0}) + u32(128) +
                       u64(data_bytes) + shape + strides;
  header.resize(128);
  header.append(real_bytes, '\1');
  return Encoded(SABIR_TENSOR, 0, std::vector<uint8_t>(header.begin(), header.end()));
}

TEST(Damage, Tensors) {
  constexpr int64_t kMin = INT64_MIN;
  struct {
    const char* name;
    Encoded value;
    const char* error;
  } cases[] = {
      {"an unknown type", tensor(99, 0, "", 4, 4), "an unknown type of number"},
      {"less data than it says", tensor(4, 0, "", 8, 4), "header is wrong"},
      {"more data than it says", tensor(4, 0, "", 4, 8), "header is wrong"},
      {"numbers behind the data", tensor(4, 1, dimension(3, 4), 8, 8), "larger than its buffer"},
      {"a stride behind the data", tensor(4, 1, dimension(2, 8), 8, 8), "larger than its buffer"},
      {"a stride before the data", tensor(4, 1, dimension(2, -4), 8, 8), "before its data"},
      {"the smallest stride", tensor(4, 1, dimension(2, kMin), 8, 8), "before its data"},
      {"overflow in one dimension", tensor(4, 1, dimension(UINT64_MAX, 4), 8, 8), "overflow"},
      {"overflow in the sum", tensor(4, 3, dimension(2, INT64_MAX) + dimension(2, INT64_MAX) + dimension(2, 4), 8, 8),
       "overflow"},
      {"overflow in the product", tensor(4, 2, dimension(1ull << 40, 0) + dimension(1ull << 40, 0), 8, 8),
       "shape overflows"},
      {"too many dimensions", tensor(4, 33, "", 4, 4), "header is wrong"},
  };
  for (const auto& wrong : cases) {
    SCOPED_TRACE(wrong.name);
    EXPECT_THAT(wrong.value.error<Value>(), HasSubstr(wrong.error));
  }
  EXPECT_EQ(tensor(4, 1, dimension(2, 0), 4, 4).as<sabir::Tensor<int32_t>>()(1), 0x01010101);  // one number twice
  EXPECT_EQ(tensor(4, 1, dimension(0, 4), 0, 0).as<sabir::Tensor<int32_t>>().size(), 0u);
  EXPECT_THAT(tensor(4, 1, dimension(2, 2), 8, 8).error<sabir::Tensor<int32_t>>(), HasSubstr("not aligned"));
}

TEST(Damage, Buffers) {
  auto with = [](const std::string& bytes) {
    return Encoded(SABIR_NEUTRAL, 2, std::vector<uint8_t>(bytes.begin(), bytes.end())).error<Value>();
  };
  EXPECT_THAT(with("short"), HasSubstr("too short"));
  EXPECT_THAT(with(u64(1) + u32(9) + u32(0) + "N"), HasSubstr("more buffers than bytes"));
  EXPECT_THAT(with(u64(UINT64_MAX) + u32(0) + u32(0) + "N"), HasSubstr("stream is longer"));
  EXPECT_THAT(with(u64(1) + u32(1) + u32(0) + u64(UINT64_MAX) + "N"), HasSubstr("buffer is longer"));
  EXPECT_THAT(with(u64(1) + u32(0) + u32(0) + "N."), HasSubstr("behind its end"));
  EXPECT_EQ(with(u64(1) + u32(0) + u32(0) + "N"), "");
}

TEST(Damage, OtherForms) {
  EXPECT_THAT(Encoded(7, 0, {1}).error<Value>(), HasSubstr("unknown encoding (7, variant 0)"));
  Encoded native(SABIR_NATIVE, 2, {1, 2});
  EXPECT_THAT(native.error<Value>(), HasSubstr("only C++ reads"));
}

// Whatever one byte of a true value is changed to, or wherever it is cut.
TEST(Damage, EveryByteOfATrueValue) {
  Value value = Value::List{1, "text", Value::Map{{"k", sabir::Bytes(3)}},
                            sabir::AnyTensor(sabir::Tensor<int>::of({1, 2}).parts())};
  Encoded whole = Encoded::of(value);
  for (size_t at = 0; at < whole.bytes().size(); ++at) {
    for (int change : {1, 0x80, 0xff}) {
      std::vector<uint8_t> bytes = whole.bytes();
      bytes[at] = static_cast<uint8_t>(bytes[at] ^ change);
      decode_anything(SABIR_NEUTRAL, 2, std::move(bytes));
    }
    std::vector<uint8_t> cut(whole.bytes().begin(), whole.bytes().begin() + static_cast<ptrdiff_t>(at));
    EXPECT_FALSE(decode_anything(SABIR_NEUTRAL, 2, std::move(cut)));
  }
}

TEST(Damage, RandomBytes) {
  uint32_t seed = std::random_device()();
  RecordProperty("seed", static_cast<int>(seed));
  printf("seed %u\n", seed);
  std::mt19937 random(seed);
  // Mostly bytes that mean something: tags and small numbers.
  const std::string likely = "NTFiIUnfesbltdrhDa\0\0\0\0\1\2\3\4\x08\x10\x24\x28\x40";
  size_t read = 0;
  for (int round = 0; round < 6000; ++round) {
    std::vector<uint8_t> bytes(random() % 48 + 1);
    for (uint8_t& byte : bytes) {
      byte =
          random() % 8 == 0 ? static_cast<uint8_t>(random()) : static_cast<uint8_t>(likely[random() % likely.size()]);
    }
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    read += decode_anything(SABIR_NEUTRAL, 1, std::move(bytes)) ? 1 : 0;
  }
  EXPECT_GT(read, 20u) << "hardly anything random was a value: the test tests nothing";
}

}  // namespace
}  // namespace sabir_test
