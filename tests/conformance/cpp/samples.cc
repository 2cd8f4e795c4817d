#include "samples.hpp"

#include <cmath>
#include <complex>
#include <limits>
#include <numeric>

#include "tables.hpp"

namespace conformance {
namespace {

using sabir::AnyTensor;
using sabir::Tensor;
using sabir::Timestamp;
using sabir::Value;
using Map = Value::Map;
using List = Value::List;

template <typename... T>
List list(T&&... items) {
  return List{Value(std::forward<T>(items))...};
}

sabir::Bytes bytes(std::initializer_list<int> numbers) {
  sabir::Bytes made;
  for (int number : numbers) {
    made.push_back(static_cast<std::byte>(number));
  }
  return made;
}

template <typename T>
Value tensor(std::vector<T> numbers) {
  return AnyTensor(Tensor<T>::of(std::move(numbers)).parts());
}

template <typename T>
std::vector<T> count_up(size_t count) {
  std::vector<T> numbers(count);
  std::iota(numbers.begin(), numbers.end(), T{0});
  return numbers;
}

Value deep(int levels) {
  Value value = List();
  for (int i = 1; i < levels; ++i) {
    value = List{std::move(value)};
  }
  return value;
}

Value long_text() {
  std::string text;
  for (int i = 0; i < 1 << 18; ++i) {
    text += "\u20ac";
  }
  return text;
}

Value long_list() {
  List made;
  for (int i = 0; i < 10000; ++i) {
    made.emplace_back(i);
  }
  return made;
}

// Views of numbers in another order than that of C.
template <typename T>
Value view(std::vector<T> numbers, std::vector<uint64_t> shape, std::vector<int64_t> strides) {
  auto kept = std::make_shared<const std::vector<T>>(std::move(numbers));
  const T* data = kept->data();
  return AnyTensor(Tensor<T>::view(data, std::move(shape), std::move(strides), std::move(kept)).parts());
}

Value large_tensor() {
  sabir::Bytes raw = pattern(64 << 20);
  std::vector<float> numbers(raw.size() / sizeof(float));
  std::memcpy(numbers.data(), raw.data(), raw.size());
  return AnyTensor(Tensor<float>::of(std::move(numbers), {4096, 4096}).parts());
}

Value nested() {
  return Map{{"rows", list(Map{{"id", 1}, {"tags", list("a", "b")}}, Map{{"id", 2}, {"tags", List()}})},
             {"next", list(list(list(Map())))}};
}

// 2^70 + 1 and -2^70.
sabir::BigInt big(uint8_t lowest, uint8_t highest) { return sabir::BigInt({lowest, 0, 0, 0, 0, 0, 0, 0, highest}); }

const std::map<std::string, Value (*)()> kSamples = {
    {"null", [] { return Value(nullptr); }},
    {"true", [] { return Value(true); }},
    {"false", [] { return Value(false); }},
    {"int-zero", [] { return Value(0); }},
    {"int-negative", [] { return Value(-1); }},
    {"int-min", [] { return Value(std::numeric_limits<int64_t>::min()); }},
    {"int-max", [] { return Value(std::numeric_limits<int64_t>::max()); }},
    {"uint-max", [] { return Value(std::numeric_limits<uint64_t>::max()); }},
    {"big-positive", [] { return Value(big(1, 0x40)); }},
    {"big-negative", [] { return Value(big(0, 0xc0)); }},
    {"float", [] { return Value(1.5); }},
    {"float32", [] { return Value(0.25f); }},
    {"float-negative-zero", [] { return Value(-0.0); }},
    {"float-smallest", [] { return Value(std::numeric_limits<double>::denorm_min()); }},
    {"float-infinity", [] { return Value(-std::numeric_limits<double>::infinity()); }},
    {"float-nan", [] { return Value(std::nan("")); }},
    {"text-empty", [] { return Value(""); }},
    {"text-ascii", [] { return Value("say \"hello\" \\ bye"); }},
    {"text-unicode", [] { return Value("gr\u00fc\u00df \u20ac \U0001f40d"); }},
    {"text-nul", [] { return Value(std::string("a\0b", 3)); }},
    {"text-long", long_text},
    {"bytes-empty", [] { return Value(sabir::Bytes()); }},
    {"bytes-short",
     [] {
       return Value(bytes({0, 0x7f, 0x80, 0xff}));
     }},
    {"time-utc",
     [] {
       return Value(Timestamp{1600000000123456000, 0});
     }},
    {"time-offset",
     [] {
       return Value(Timestamp{1600000000000000000, -7 * 3600});
     }},
    {"time-before-1970",
     [] {
       return Value(Timestamp{-2177452799999999000, 0});
     }},
    {"list-empty", [] { return Value(List()); }},
    {"list-mixed", [] { return Value(list(nullptr, true, -7, 2.5, "x", bytes({'y'}), big(0, 1))); }},
    {"list-long", long_list},
    {"tuple", [] { return Value(Value::Tuple{list(1, "a", Value::Tuple{list(2.5, nullptr)})}); }},
    {"map-empty", [] { return Value(Map()); }},
    {"map-ordered",
     [] {
       return Value(Map{{"zebra", 1}, {"ant", list(2)}, {"m", Map{{"inner", nullptr}}}});
     }},
    {"map-other-keys",
     [] {
       return Value(Map{{1, "int"}, {"1", "text"}, {2.5, "float"}, {bytes({'k'}), "bytes"}});
     }},
    {"nested", nested},
    {"nested-64", [] { return deep(64); }},
    {"tensor-bool",
     [] {
       static constexpr bool kItems[] = {true, false, true};
       return Value(AnyTensor(Tensor<bool>::view(kItems, {3}).parts()));
     }},
    {"tensor-int8",
     [] {
       return tensor<int8_t>({-128, 0, 127});
     }},
    {"tensor-int16",
     [] {
       return tensor<int16_t>({std::numeric_limits<int16_t>::min(), 1});
     }},
    {"tensor-int32",
     [] {
       return tensor<int32_t>({std::numeric_limits<int32_t>::min(), 1});
     }},
    {"tensor-int64",
     [] {
       return tensor<int64_t>({std::numeric_limits<int64_t>::min(), 1});
     }},
    {"tensor-uint8",
     [] {
       return tensor<uint8_t>({0, 255});
     }},
    {"tensor-uint16",
     [] {
       return tensor<uint16_t>({0, 0xffff});
     }},
    {"tensor-uint32",
     [] {
       return tensor<uint32_t>({0, 0xffffffff});
     }},
    {"tensor-uint64",
     [] {
       return tensor<uint64_t>({0, std::numeric_limits<uint64_t>::max()});
     }},
    {"tensor-float16",
     [] {
       return tensor<sabir::Float16>({{0x3e00}, {0xc000}});
     }},
    {"tensor-bfloat16",
     [] {
       return tensor<sabir::BFloat16>({{0x3fc0}, {0xc000}});
     }},
    {"tensor-float32",
     [] {
       return tensor<float>({1.5f, -0.25f});
     }},
    {"tensor-float64",
     [] {
       return tensor<double>({1.5, -0.25});
     }},
    {"tensor-complex64",
     [] {
       return tensor<std::complex<float>>({{1.5f, -2}});
     }},
    {"tensor-complex128",
     [] {
       return tensor<std::complex<double>>({{1.5, -2}});
     }},
    {"tensor-single", [] { return Value(AnyTensor(Tensor<double>::of({2.5}, {}).parts())); }},
    {"tensor-empty",
     [] {
       return Value(AnyTensor(Tensor<int32_t>::of({}, {0, 3}).parts()));
     }},
    {"tensor-3d",
     [] {
       return Value(AnyTensor(Tensor<int16_t>::of(count_up<int16_t>(24), {2, 3, 4}).parts()));
     }},
    {"tensor-fortran",
     [] {
       return view<int32_t>({0, 3, 1, 4, 2, 5}, {2, 3}, {4, 8});
     }},
    {"tensor-strided",
     [] {
       return view<int32_t>(count_up<int32_t>(12), {3, 2}, {16, 8});
     }},
    {"tensors-inside",
     [] {
       return Value(Map{{"a", list(tensor<uint8_t>({1, 2}))}, {"b", tensor(count_up<double>(1000))}});
     }},
    {"table", [] { return Value(small_table()); }},
    {"table-empty", [] { return Value(counting_table(0, 0)); }},
    {"table-sliced", [] { return Value(counting_table(5, 2)); }},
    {"table-large", [] { return Value(counting_table(1 << 20, 0)); }},
    {"size-0", [] { return Value(pattern(0)); }},
    {"size-1", [] { return Value(pattern(1)); }},
    {"size-store-minus-1", [] { return Value(pattern((64 << 10) - 1)); }},
    {"size-store", [] { return Value(pattern(64 << 10)); }},
    {"size-store-plus-1", [] { return Value(pattern((64 << 10) + 1)); }},
    {"size-64-mib", [] { return Value(pattern(64 << 20)); }},
    {"size-64-mib-tensor", large_tensor},
};

}  // namespace

const std::map<std::string, Value (*)()>& samples() { return kSamples; }

Value sample(const std::string& name) { return kSamples.at(name)(); }

sabir::Bytes pattern(size_t size) {
  sabir::Bytes made(size);
  for (uint64_t i = 0; i < size; ++i) {
    made[i] = static_cast<std::byte>(i * 31 + (i >> 8) * 7 + (i >> 16) * 13 + 5);
  }
  return made;
}

}  // namespace conformance
