#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "encoded.hpp"
#include "sabir/containers.hpp"

namespace sabir_test {
struct Point {
  double x = 0;
  int y = 0;
  std::optional<std::string> name;
  bool operator==(const Point& o) const { return x == o.x && y == o.y && name == o.name; }
};
class Even {
 public:
  explicit Even(int64_t half) : half_(half) {}
  int64_t half() const { return half_; }

 private:
  int64_t half_;
};
enum class Colour : uint8_t { kRed = 1, kBlue = 200 };
}  // namespace sabir_test

SABIR_STRUCT(sabir_test::Point, x, y, name);
template <>
struct sabir::Converter<sabir_test::Even> {
  using Wire = int64_t;
  static Wire to_wire(const sabir_test::Even& even) { return even.half() * 2; }
  static sabir_test::Even from_wire(Wire number) {
    if (number % 2 != 0) {
      throw std::domain_error("odd");
    }
    return sabir_test::Even(number / 2);
  }
};

namespace sabir_test {
namespace {

using sabir::Value;
using testing::HasSubstr;

template <typename T>
T round_trip(const T& value) {
  return Encoded::of(value).template as<T>();
}

std::string bytes_of(std::initializer_list<int> bytes) { return std::string(bytes.begin(), bytes.end()); }

TEST(Codec, SmallestForm) {
  EXPECT_EQ(Encoded::of(nullptr).view().encoding, SABIR_NULL);
  EXPECT_EQ(Encoded::of(nullptr).bytes().size(), 0u);
  EXPECT_EQ(Encoded::of(std::optional<int>()).view().encoding, SABIR_NULL);
  EXPECT_EQ(Encoded::of(true).text(), "T");
  EXPECT_EQ(Encoded::of(-128).text(), bytes_of({'i', 0x80}));
  EXPECT_EQ(Encoded::of(uint64_t{127}).text(), bytes_of({'i', 127}));
  EXPECT_EQ(Encoded::of(128).text(), bytes_of({'I', 0x80, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(Encoded::of(uint64_t{1} << 63).text(), bytes_of({'U', 0, 0, 0, 0, 0, 0, 0, 0x80}));
  EXPECT_EQ(Encoded::of(sabir::BigInt::of(5)).text(), bytes_of({'i', 5}));
  EXPECT_EQ(Encoded::of(sabir::BigInt::of_unsigned(UINT64_MAX)).text()[0], 'U');
  EXPECT_EQ(Encoded::of(std::string("hi")).text(), bytes_of({'s', 2, 0, 0, 0, 'h', 'i'}));
  EXPECT_EQ(Encoded::of(std::make_pair(1, false)).text(), bytes_of({'t', 2, 0, 0, 0, 'i', 1, 'F'}));
}

TEST(Codec, Integers) {
  for (int64_t number : {int64_t{0}, int64_t{-1}, int64_t{127}, int64_t{128}, int64_t{-129}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(round_trip(number), number);
    EXPECT_EQ(Encoded::of(number).as<sabir::BigInt>().to_int64(), number);
    EXPECT_EQ(Encoded::of(sabir::BigInt::of(number)).as<int64_t>(), number);
  }
  for (uint64_t number : {uint64_t{0}, uint64_t{1} << 63, UINT64_MAX}) {
    EXPECT_EQ(round_trip(number), number);
    EXPECT_EQ(Encoded::of(number).as<sabir::BigInt>(), sabir::BigInt::of_unsigned(number));
  }
  EXPECT_EQ(Encoded::of(300).error<int8_t>(), "300 does not fit into an int8");
  EXPECT_EQ(Encoded::of(-1).error<uint64_t>(), "-1 does not fit into a uint64");
  EXPECT_EQ(Encoded::of(UINT64_MAX).error<int64_t>(), "18446744073709551615 does not fit into an int64");
  EXPECT_THAT(Encoded::of(1.0).error<int>(), HasSubstr("expected an int32, found a float"));
  EXPECT_THAT(Encoded::of(1).error<bool>(), HasSubstr("expected a bool, found an integer"));
  EXPECT_EQ(round_trip(Colour::kBlue), Colour::kBlue);
}

TEST(Codec, BigIntegers) {
  sabir::BigInt big(std::vector<uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  EXPECT_EQ(round_trip(big), big);
  EXPECT_EQ(Encoded::of(big).text()[0], 'n');
  EXPECT_THAT(Encoded::of(big).error<uint64_t>(), HasSubstr("10 bytes does not fit"));
  // Leading bytes that say nothing are left out.
  EXPECT_EQ(sabir::BigInt({5, 0, 0}), sabir::BigInt::of(5));
  EXPECT_EQ(sabir::BigInt({0xfb, 0xff}), sabir::BigInt::of(-5));
  EXPECT_EQ(Encoded::plain(bytes_of({'n', 2, 0, 0, 0, 0xfb, 0xff})).as<int>(), -5);
  EXPECT_LT(sabir::BigInt::of(-300), sabir::BigInt::of(2));
  EXPECT_LT(sabir::BigInt::of(255), sabir::BigInt::of(256));
}

TEST(Codec, Floats) {
  for (double number : {0.0, -0.0, 1.5, std::numeric_limits<double>::denorm_min(), HUGE_VAL}) {
    EXPECT_EQ(std::signbit(round_trip(number)), std::signbit(number));
    EXPECT_EQ(round_trip(number), number);
  }
  EXPECT_TRUE(std::isnan(round_trip(std::nan(""))));
  EXPECT_EQ(round_trip(0.1f), 0.1f);
  EXPECT_EQ(Encoded::of(3).as<double>(), 3.0);
  EXPECT_THAT(Encoded::of(1e300).error<float>(), HasSubstr("does not fit into a float32"));
}

TEST(Codec, TextAndBytes) {
  std::string large(1 << 20, 'x');  // is not copied into the stream
  for (const std::string& text :
       {std::string(), std::string("a\0b", 3), std::string("gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x8d"), large}) {
    EXPECT_EQ(round_trip(text), text);
    EXPECT_EQ(Encoded::of(text).as<Value>().as<std::string>(), text);
  }
  std::vector<uint8_t> bytes(5000, 7);
  EXPECT_EQ(round_trip(bytes), bytes);
  EXPECT_EQ(Encoded::of(bytes).as<sabir::Bytes>().size(), 5000u);
  EXPECT_EQ(Encoded::of(std::vector<std::string>{large, "b", large}).as<std::vector<std::string>>()[2], large);
  for (const char* wrong :
       {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "abcdefgh\xe2\x82"}) {
    try {
      Encoded::of(std::map<std::string, std::string>{{"k", wrong}});
      ADD_FAILURE() << wrong;
    } catch (const sabir::ConversionError& error) {
      EXPECT_THAT(error.message(), HasSubstr("at [0]: text that is not UTF-8"));
    }
  }
}

TEST(Codec, Time) {
  auto now = std::chrono::system_clock::now();
  EXPECT_EQ(round_trip(now), now);
  sabir::Timestamp local{-5, 3600};
  EXPECT_EQ(round_trip(local), local);
  EXPECT_EQ(Encoded::of(now).as<sabir::Timestamp>().offset_s, std::nullopt);
}

TEST(Codec, Containers) {
  std::map<int, std::vector<std::optional<std::string>>> map{{1, {"a", std::nullopt}}, {2, {}}};
  EXPECT_EQ(round_trip(map), map);
  std::unordered_map<std::string, std::tuple<int, double, bool>> table{{"k", {1, 2.5, true}}};
  EXPECT_EQ(round_trip(table), table);
  std::array<std::vector<bool>, 2> bits{{{true, false}, {}}};
  EXPECT_EQ(round_trip(bits), bits);
  // Languages without tuples send lists.
  EXPECT_EQ((Encoded::of(std::vector<int>{1, 2}).as<std::pair<int, int>>()), std::make_pair(1, 2));
  EXPECT_EQ(Encoded::of(std::make_tuple(1, 2)).as<std::vector<int>>(), (std::vector<int>{1, 2}));
  EXPECT_EQ((Encoded::of(std::vector<int>{1}).error<std::pair<int, int>>()), "expected 2 items, found 1");
  EXPECT_EQ((Encoded::of(std::vector<Value>{1, Value::List{2, "x"}}).error<std::tuple<int, std::vector<int>>>()),
            "at [1][1]: expected an int32, found a string");
}

TEST(Codec, Structs) {
  Point point{1.5, -2, "p"};
  EXPECT_EQ(round_trip(point), point);
  Value generic = Encoded::of(point).as<Value>();
  EXPECT_EQ(generic.find("y")->as<int64_t>(), -2);
  EXPECT_EQ(generic.find("z"), nullptr);
  // Fields come in any order, and newer ones are passed over.
  Value::Map fields{{"name", nullptr}, {"new", Value::List{1, 2}}, {"y", 3}, {"x", 1}};
  EXPECT_EQ(Encoded::of(Value(fields)).as<Point>(), (Point{1, 3, std::nullopt}));
  fields.pop_back();
  EXPECT_EQ(Encoded::of(Value(fields)).error<Point>(), "the field 'x' is missing");
  fields.emplace_back("x", "text");
  EXPECT_EQ(Encoded::of(Value(Value::List{fields})).error<std::vector<Point>>(),
            "at [0].x: expected a float, found a string");
}

TEST(Codec, Converters) {
  EXPECT_EQ(round_trip(std::vector<Even>{Even(4)})[0].half(), 4);
  EXPECT_EQ(Encoded::of(std::vector<int>{2, 3}).error<std::vector<Even>>(), "at [1]: odd");
}

TEST(Codec, Tensors) {
  auto matrix = sabir::Tensor<double>::of({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(matrix(1, 0), 4);
  EXPECT_THROW(matrix.at(2, 0), std::out_of_range);
  EXPECT_THROW(sabir::Tensor<double>::of({1}, {2}), sabir::InvalidArgumentError);
  Encoded alone = Encoded::of(matrix);
  EXPECT_EQ(alone.view().encoding, SABIR_TENSOR);
  EXPECT_EQ(alone.bytes().size(), 64 + 48u);
  auto read = alone.as<sabir::Tensor<double>>();
  EXPECT_THAT(read.shape(), testing::ElementsAre(2, 3));
  EXPECT_THAT(std::vector<double>(read.begin(), read.end()), testing::ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(alone.error<sabir::Tensor<float>>(), HasSubstr("float64 is no tensor of float32"));
  // Inside of something: behind the stream, at multiples of 64.
  auto pair = Encoded::of(std::make_tuple(matrix, sabir::Tensor<uint8_t>::of({1, 2}), std::string("end")));
  EXPECT_EQ(pair.view().variant, 2);
  auto back = pair.as<std::tuple<sabir::Tensor<double>, sabir::Tensor<uint8_t>, std::string>>();
  EXPECT_EQ(std::get<0>(back)(1, 2), 6);
  EXPECT_EQ(std::get<1>(back)(1), 2);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(std::get<1>(back).data()) % 64, 0u);
  // Every third number of the second row, backwards in memory order of columns: gathered before it is sent.
  auto column = sabir::Tensor<double>::view(matrix.data() + 1, {2}, {24});
  EXPECT_FALSE(column.is_contiguous());
  auto sent = Encoded::of(column).as<sabir::Tensor<double>>();
  EXPECT_TRUE(sent.is_contiguous());
  EXPECT_THAT(std::vector<double>(sent.begin(), sent.end()), testing::ElementsAre(2, 5));
  // Fortran order is kept.
  auto transposed =
      Encoded::of(sabir::Tensor<double>::view(matrix.data(), {3, 2}, {8, 24})).as<sabir::Tensor<double>>();
  EXPECT_THAT(transposed.strides(), testing::ElementsAre(8, 24));
  EXPECT_EQ(transposed(2, 1), 6);
  EXPECT_EQ(transposed.contiguous()(2, 1), 6);
  EXPECT_TRUE(Encoded::of(sabir::Tensor<int>()).as<sabir::Tensor<int>>().empty());
  EXPECT_EQ(Encoded::of(sabir::Tensor<std::complex<float>>::of({{1, 2}})).as<sabir::AnyTensor>().dtype_name(),
            std::string("complex64"));
}

TEST(Codec, TemporariesAreCopied) {
  // A non-owning view inside of a converter's result would dangle.
  auto numbers = std::make_unique<std::vector<int32_t>>(std::vector<int32_t>{1, 2, 3});
  sabir::detail::Encoder encoder;
  {
    sabir::detail::Encoder::Temporaries temporaries(encoder);
    sabir::detail::write(encoder, sabir::Tensor<int32_t>::view(numbers->data(), {3}));
    sabir::detail::write(encoder, std::string(10000, 'y'));
  }
  numbers.reset();
  sabir_value value = encoder.finish();
  size_t total = 0;
  for (uint32_t i = 0; i < value.part_count; ++i) {
    total += value.parts[i].size;
  }
  EXPECT_GT(total, 10000u);
}

TEST(Codec, AnyValue) {
  Value::Map map{{1, true}, {Value(Value::Tuple{{1, "k"}}), 0.5f}, {"big", sabir::BigInt({1, 2, 3, 4, 5, 6, 7, 8, 9})}};
  Value value = Value::List{
      nullptr, -7, uint64_t{1} << 63, 0.25, "text", sabir::Bytes{std::byte{1}}, map, sabir::Timestamp{1, std::nullopt}};
  Encoded once = Encoded::of(value);
  EXPECT_EQ(Encoded::of(once.as<Value>()).bytes(), once.bytes());
  EXPECT_THROW(Encoded::of(Value(Value::Map{{Value(Value::List{}), 1}})), sabir::ConversionError);
}

TEST(Codec, Depth) {
  Value value = 1;
  for (int i = 0; i < 64; ++i) {
    value = Value::List{value};
  }
  EXPECT_EQ(Encoded::of(Encoded::of(value).as<Value>()).bytes(), Encoded::of(value).bytes());
  EXPECT_THROW(Encoded::of(Value(Value::List{value})), sabir::ConversionError);
}

}  // namespace
}  // namespace sabir_test
