// tests/vectors/values.jsonl: values with their bytes, which each language must read alike, and write alike where it
// writes this form. `vectors write FILE` makes it; `vectors check FILE` fails if this SDK writes other bytes, or reads
// something else. One JSON object a line:
//   {"name", "encoding", "variant", "hex", "writers": true if C++ and Java write it so, "value": what it is};
//   Java writes tuples, which it does not have, as lists where they are no keys
//   {"name", "encoding", "variant", "hex", "error": true}: bytes that must be refused
// A value: null, true, false, {"int": "-5"}, {"float64": "0.5"}, {"float32": ...}, {"text": ...}, {"bytes": hex},
// {"list": [...]}, {"tuple": [...]}, {"map": [[key, value], ...]}, {"time": [ns, offset in s or null]},
// {"tensor": {"dtype", "shape", "strides", "hex"}}. Floats are in C's %.17g.
#include <cmath>
#include <cstdio>

#include "encoded.hpp"
#include "sabir/containers.hpp"
#include "sabir/json.hpp"
#include "vector_file.hpp"

namespace sabir_test {
namespace {

using sabir::Value;
using sabir::detail::json_text;

std::string one(const char* kind, const std::string& content) {
  return "{\"" + std::string(kind) + "\": " + content + "}";
}

std::string number(const char* kind, double value) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.17g", value);
  return one(kind, json_text(text));
}

template <typename T>
std::string joined(const T& numbers) {
  std::string out;
  for (auto item : numbers) {
    out += (out.empty() ? "" : ", ") + std::to_string(item);
  }
  return "[" + out + "]";
}

std::string describe(const Value& value);

std::string items(const std::vector<Value>& list) {
  std::string out;
  for (const Value& item : list) {
    out += (out.empty() ? "" : ", ") + describe(item);
  }
  return "[" + out + "]";
}

// Decimal digits of a two's complement number.
std::string decimal(const sabir::BigInt& big) {
  std::vector<uint8_t> bytes = big.bytes;
  if (big.negative()) {
    int carry = 1;
    for (uint8_t& byte : bytes) {
      carry += static_cast<uint8_t>(~byte);
      byte = static_cast<uint8_t>(carry);
      carry >>= 8;
    }
  }
  std::string digits;
  while (!bytes.empty()) {
    int rest = 0;
    for (size_t i = bytes.size(); i-- > 0;) {
      rest = rest * 256 + bytes[i];
      bytes[i] = static_cast<uint8_t>(rest / 10);
      rest %= 10;
    }
    digits.insert(digits.begin(), static_cast<char>('0' + rest));
    while (!bytes.empty() && bytes.back() == 0) {
      bytes.pop_back();
    }
  }
  return (big.negative() ? "-" : "") + (digits.empty() ? "0" : digits);
}

struct Describe {
  std::string operator()(std::nullptr_t) const { return "null"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(int64_t value) const { return one("int", json_text(std::to_string(value))); }
  std::string operator()(uint64_t value) const { return one("int", json_text(std::to_string(value))); }
  std::string operator()(const sabir::BigInt& value) const { return one("int", json_text(decimal(value))); }
  std::string operator()(float value) const { return number("float32", static_cast<double>(value)); }
  std::string operator()(double value) const { return number("float64", value); }
  std::string operator()(const std::string& value) const { return one("text", json_text(value)); }
  std::string operator()(const sabir::Bytes& value) const {
    return one("bytes", json_text(hex(value.data(), value.size())));
  }
  std::string operator()(const sabir::Timestamp& value) const {
    return one("time", "[" + json_text(std::to_string(value.unix_ns)) + ", " +
                           (value.offset_s ? std::to_string(*value.offset_s) : "null") + "]");
  }
  std::string operator()(const Value::List& list) const { return one("list", items(list)); }
  std::string operator()(const Value::Tuple& tuple) const { return one("tuple", items(tuple.items)); }
  std::string operator()(const Value::Map& map) const {
    std::string out;
    for (const auto& entry : map) {
      out += (out.empty() ? "[" : ", [") + describe(entry.first) + ", " + describe(entry.second) + "]";
    }
    return one("map", "[" + out + "]");
  }
  std::string operator()(const sabir::AnyTensor& tensor) const {
    return one("tensor", "{\"dtype\": " + json_text(tensor.dtype_name()) + ", \"shape\": " + joined(tensor.shape()) +
                             ", \"strides\": " + joined(tensor.strides()) +
                             ", \"hex\": " + json_text(hex(tensor.data(), tensor.size_bytes())) + "}");
  }
  std::string operator()(const sabir::Table&) const { return "\"table\""; }
  std::string operator()(const Value::Ref&) const { return "\"ref\""; }
  std::string operator()(const Value::Actor&) const { return "\"actor\""; }
};

std::string describe(const Value& value) { return std::visit(Describe(), value.data()); }

std::string frame(const char* name, const Encoded& encoded) {
  return "{\"name\": " + json_text(name) + ", \"encoding\": " + std::to_string(encoded.view().encoding) +
         ", \"variant\": " + std::to_string(encoded.view().variant) +
         ", \"hex\": " + json_text(hex(encoded.bytes().data(), encoded.bytes().size()));
}

class Lines {
 public:
  // What this SDK writes.
  template <typename T>
  void add(const char* name, const T& value) {
    Encoded encoded = Encoded::of(value);
    out_ << frame(name, encoded) << ", \"writers\": true, \"value\": " << describe(encoded.as<Value>()) << "}\n";
  }
  // What it only reads.
  void add_read(const char* name, const Encoded& encoded) {
    out_ << frame(name, encoded) << ", \"writers\": false, \"value\": " << describe(encoded.as<Value>()) << "}\n";
  }
  void add_error(const char* name, const Encoded& encoded) {
    if (encoded.error<Value>().empty()) {
      throw std::logic_error(std::string(name) + " is read");
    }
    out_ << frame(name, encoded) << ", \"error\": true}\n";
  }
  std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
};

template <typename T>
void add_tensor(Lines& lines, const char* name, std::vector<T> numbers) {
  lines.add(name, sabir::Tensor<T>::of(std::move(numbers)));
}

void add_values(Lines& lines) {
  lines.add("null", nullptr);
  lines.add("true", true);
  lines.add("false", false);
  lines.add("zero", 0);
  lines.add("minus one", -1);
  lines.add("smallest of one byte", -128);
  lines.add("beyond one byte", 128);
  lines.add("largest int64", INT64_MAX);
  lines.add("smallest int64", INT64_MIN);
  lines.add("beyond int64", uint64_t{1} << 63);
  lines.add("largest uint64", UINT64_MAX);
  lines.add("beyond uint64", sabir::BigInt({0, 0, 0, 0, 0, 0, 0, 0, 1}));
  lines.add("below int64", sabir::BigInt({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff}));
  lines.add("zero as float", 0.0);
  lines.add("minus zero", -0.0);
  lines.add("tenth", 0.1);
  lines.add("infinity", HUGE_VAL);
  lines.add("smallest float64", 4.9406564584124654e-324);
  lines.add("float32", 0.1f);
  lines.add("no text", std::string());
  lines.add("text", std::string("gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x8d"));
  lines.add("text with NUL", std::string("a\0b", 3));
  lines.add("no bytes", sabir::Bytes());
  lines.add("bytes", std::vector<uint8_t>{0, 1, 255});
  lines.add("time", sabir::Timestamp{1700000000123456789, std::nullopt});
  lines.add("time before 1970 with offset", sabir::Timestamp{-1, -3600});
  lines.add("no list", Value(Value::List{}));
  lines.add("list", std::vector<int>{1, 2, 300});
  lines.add("tuple", std::make_tuple(1, std::string("two"), 3.0));
  lines.add("map in its order", Value(Value::Map{{"z", 1}, {"a", 2}, {"\xc3\xa9", nullptr}}));
  lines.add("map with other keys", Value(Value::Map{{1, "int"},
                                                    {0.5, "float"},
                                                    {true, "bool"},
                                                    {nullptr, "null"},
                                                    {Value(Value::Tuple{{1, "x"}}), "tuple"},
                                                    {sabir::Bytes(2), "bytes"}}));
  lines.add("nested", Value(Value::List{Value::Map{{"k", Value::List{Value::Tuple{{Value::List{}}}}}}, nullptr}));
}

void add_tensors(Lines& lines) {
  static constexpr bool kBits[] = {true, false};
  lines.add("tensor of bool", sabir::Tensor<bool>::view(kBits, {2}));
  add_tensor<int8_t>(lines, "tensor of int8", {-1, 2});
  add_tensor<int16_t>(lines, "tensor of int16", {-1, 2});
  add_tensor<int32_t>(lines, "tensor of int32", {-1, 2});
  add_tensor<int64_t>(lines, "tensor of int64", {-1, 2});
  add_tensor<uint8_t>(lines, "tensor of uint8", {1, 255});
  add_tensor<uint16_t>(lines, "tensor of uint16", {1, 65535});
  add_tensor<uint32_t>(lines, "tensor of uint32", {1, UINT32_MAX});
  add_tensor<uint64_t>(lines, "tensor of uint64", {1, UINT64_MAX});
  add_tensor<sabir::Float16>(lines, "tensor of float16", {{0x3c00}, {0xc000}});
  add_tensor<sabir::BFloat16>(lines, "tensor of bfloat16", {{0x3f80}, {0xc000}});
  add_tensor<float>(lines, "tensor of float32", {0.5f, -2});
  add_tensor<double>(lines, "tensor of float64", {0.5, -2});
  add_tensor<std::complex<float>>(lines, "tensor of complex64", {{1, -2}});
  add_tensor<std::complex<double>>(lines, "tensor of complex128", {{1, -2}});
  auto matrix = sabir::Tensor<int16_t>::of({1, 2, 3, 4, 5, 6}, {2, 3});
  lines.add("tensor of two dimensions", matrix);
  lines.add("tensor in Fortran order", sabir::Tensor<int16_t>::view(matrix.data(), {3, 2}, {2, 6}));
  lines.add("tensor without dimensions", sabir::Tensor<double>::of({7}, {}));
  lines.add("tensor without numbers", sabir::Tensor<double>::of({}, {0, 3}));
  lines.add("tensors in a map", Value(Value::Map{{"a", sabir::AnyTensor(matrix.parts())},
                                                 {"b", sabir::AnyTensor(sabir::Tensor<uint8_t>::of({9}).parts())}}));
}

// What Python's scalars and the core's errors come in.
void add_flex(Lines& lines) {
  auto flex = [](std::vector<uint8_t> bytes) { return Encoded(SABIR_NEUTRAL, 0, std::move(bytes)); };
  lines.add_read("flex null", flex({0, 0, 1}));
  lines.add_read("flex true", flex({1, 26 << 2, 1}));
  lines.add_read("flex int", flex({0xfb, 1 << 2, 1}));
  lines.add_read("flex int of four bytes", flex({0, 0, 1, 0, 1 << 2 | 2, 4}));
  lines.add_read("flex uint", flex({0xff, 2 << 2, 1}));
  lines.add_read("flex float", flex({0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 3 << 2 | 3, 8}));
  lines.add_read("flex text", flex({2, 'h', 'i', 0, 3, 5 << 2, 1}));
  lines.add_read("flex blob", flex({2, 1, 2, 2, 25 << 2, 1}));
  lines.add_read("flex vector", flex({2, 7, 1, 1 << 2, 26 << 2, 4, 10 << 2, 1}));
  lines.add_read("flex typed vector", flex({3, 1, 2, 0xff, 3, 11 << 2, 1}));
  lines.add_read("flex map", flex({'k', 0, 1, 3, 1, 1, 1, 7, 1 << 2, 2, 9 << 2, 1}));
  // Strides that are none of a contiguous array: a stride of 0 says that one number is many.
  std::vector<uint8_t> repeated = Encoded::of(sabir::Tensor<int32_t>::of({5})).bytes();
  repeated[16] = 3;
  repeated[24] = 0;
  lines.add_read("tensor with a stride of zero", Encoded(SABIR_TENSOR, 0, repeated));
}

void add_errors(Lines& lines) {
  auto plain = [](const char* text, size_t size) { return Encoded::plain(std::string(text, size)); };
  lines.add_error("no bytes", plain("", 0));
  lines.add_error("unknown tag", plain("?", 1));
  lines.add_error("half a number", plain("I123", 4));
  lines.add_error("bytes behind the end", plain("NN", 2));
  lines.add_error("list longer than the value", plain("l\xff\xff\xff\xffNN", 7));
  lines.add_error("text longer than the value", plain("s\5\0\0\0hi", 7));
  lines.add_error("text that is not UTF-8", plain("s\1\0\0\0\xff", 6));
  lines.add_error("surrogate in text", plain("s\3\0\0\0\xed\xa0\x80", 8));
  lines.add_error("list as key", plain("d\1\0\0\0l\0\0\0\0N", 11));
  lines.add_error("reference without a table", plain("r\0\0\0\0", 5));
  lines.add_error("tensor without its buffer", plain("a\1\0\0\0\0\0\0\0", 9));
  std::string deep;
  for (int i = 0; i < 65; ++i) {
    deep.append("l\1\0\0\0", 5);
  }
  lines.add_error("65 containers within each other", Encoded::plain(deep + "N"));
  lines.add_error("flex cut off", Encoded(SABIR_NEUTRAL, 0, {9, 5 << 2, 1}));
  std::vector<uint8_t> tensor = Encoded::of(sabir::Tensor<int32_t>::of({1, 2})).bytes();
  tensor[16] = 3;
  lines.add_error("tensor larger than its data", Encoded(SABIR_TENSOR, 0, tensor));
  tensor[16] = 2;
  for (int i = 24; i < 32; ++i) {
    tensor[i] = 0xff;
  }
  tensor[24] = 0xfc;
  lines.add_error("tensor with a stride before its data", Encoded(SABIR_TENSOR, 0, tensor));
  lines.add_error("unknown encoding", Encoded(9, 0, {1}));
}

std::string vectors() {
  Lines lines;
  add_values(lines);
  add_tensors(lines);
  add_flex(lines);
  add_errors(lines);
  return lines.text();
}

}  // namespace
}  // namespace sabir_test

int main(int argc, char** argv) { return sabir_test::write_or_check(argc, argv, sabir_test::vectors()); }
