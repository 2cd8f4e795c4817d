// Any bytes as a value of each encoding: they are read or refused, and what is read can be written again. libFuzzer's
// entry point; damage_test.cc calls it, too.
#include "decode_fuzz.hpp"

#include <cmath>
#include <cstdlib>

#include "encoded.hpp"
#include "sabir/containers.hpp"
#include "sabir/error_value.hpp"

namespace sabir_test {
namespace {

using sabir::ConversionError;
using sabir::Value;

bool has_tensor(const Value& value) {
  if (const auto* list = std::get_if<Value::List>(&value.data())) {
    for (const Value& item : *list) {
      if (has_tensor(item)) {
        return true;
      }
    }
  } else if (const auto* tuple = std::get_if<Value::Tuple>(&value.data())) {
    return has_tensor(Value(tuple->items));
  } else if (const auto* map = std::get_if<Value::Map>(&value.data())) {
    for (const auto& entry : *map) {
      if (has_tensor(entry.second) || has_tensor(entry.first)) {
        return true;
      }
    }
  }
  return value.is<sabir::AnyTensor>();
}

// Reading what was written gives what was written.
void check_round_trip(const Value& value) {
  // Arrays may say that one number is many (a stride of 0): what is written again is not bounded by what was read.
  if (has_tensor(value)) {
    return;
  }
  Encoded once = Encoded::of(value);
  if (Encoded::of(once.as<Value>()).bytes() != once.bytes()) {
    std::abort();
  }
}

template <typename T>
void read_or_refuse(const Encoded& encoded) {
  try {
    encoded.as<T>();
  } catch (const ConversionError&) {
  }
}

}  // namespace

bool decode_anything(uint8_t encoding, uint8_t variant, std::vector<uint8_t> bytes) {
  Encoded encoded(encoding, variant, std::move(bytes));
  sabir_view error = encoded.view();
  error.is_error = 1;
  sabir::detail::read_error(error);
  read_or_refuse<std::vector<std::map<std::string, std::optional<double>>>>(encoded);
  read_or_refuse<sabir::Tensor<int32_t>>(encoded);
  try {
    check_round_trip(encoded.as<Value>());
    return true;
  } catch (const ConversionError&) {
    return false;
  }
}

}  // namespace sabir_test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static constexpr uint8_t kForms[][2] = {
      {SABIR_NEUTRAL, 0}, {SABIR_NEUTRAL, 1}, {SABIR_NEUTRAL, 2}, {SABIR_TENSOR, 0}};
  if (size != 0) {
    const auto& form = kForms[data[0] % 4];
    sabir_test::decode_anything(form[0], form[1], std::vector<uint8_t>(data + 1, data + size));
  }
  return 0;
}
