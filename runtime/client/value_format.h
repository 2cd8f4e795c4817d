// The bytes of values, arguments and results as they travel between processes (docs/values.md). Pure functions over
// memory; whoever wrote the bytes is not trusted: every length is checked before it is used.
//
//   Value  := ValueHeader, ref_count x (WireRef [+ Value padded to 8 if kInline]) if kHasRefs, padding, data
//   Args   := ArgsHeader, argc x (ArgHeader, name padded to 8, Value padded to 8)
//   Result := Value                                              num_returns == 1
//           | u32 sizes[num_returns] padded to 8, Values padded to 8      otherwise
//
// The null value may be 0 bytes; no arguments may be 0 bytes. An indirect Value, Args or Result is one WireRef of a
// store object in which the real bytes lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace sabir::client {

// Values are the same as in sabir.h.
enum class Encoding : uint8_t { kNull = 0, kNeutral = 1, kTensor = 2, kNative = 3 };

inline constexpr uint8_t kValueIsError = 1;
inline constexpr uint8_t kValueHasRefs = 2;
inline constexpr uint8_t kValueIsIndirect = 4;

struct ValueHeader {
  uint8_t encoding = 0;
  uint8_t language = 0;
  uint8_t variant = 0;
  uint8_t flags = 0;
  uint32_t ref_count = 0;
};
static_assert(sizeof(ValueHeader) == 8);

enum class WireRefKind : uint8_t {
  kEntry = 1,   // an object entry: entry, generation
  kInline = 2,  // O6: `size` bytes of a Value follow
  kActor = 3,   // the entry of an actor's handles; `size` is its ActorIndex
};

struct WireRef {
  uint8_t id[16] = {};
  uint8_t kind = 0;
  uint8_t pad[3] = {};
  uint32_t entry = 0;
  uint64_t generation = 0;
  uint64_t size = 0;
};
static_assert(sizeof(WireRef) == 40);

struct ArgsHeader {
  uint16_t argc = 0;
  uint16_t flags = 0;
  uint32_t reserved = 0;
};
static_assert(sizeof(ArgsHeader) == 8);
inline constexpr uint16_t kArgsHaveNames = 1;
inline constexpr uint16_t kArgsAreIndirect = 2;

struct ArgHeader {
  uint32_t value_bytes = 0;
  uint16_t name_bytes = 0;
  uint16_t reserved = 0;
};
static_assert(sizeof(ArgHeader) == 8);

// sizes[0] of an indirect Result of several values.
inline constexpr uint32_t kResultIsIndirect = 0xffffffff;

// Data of a value starts at a multiple of this, counted from the value's own start.
inline constexpr size_t kCallAlignment = 8;    // in cells and blocks
inline constexpr size_t kStoreAlignment = 64;  // in the store

// References inside values inside references ...: deeper ones are stored as objects of their own.
inline constexpr int kMaxInlineDepth = 4;

constexpr size_t pad_to(size_t size, size_t alignment) { return (size + alignment - 1) & ~(alignment - 1); }
constexpr size_t pad8(size_t size) { return pad_to(size, 8); }

// Bytes before the data of a value whose reference table has table_bytes.
constexpr size_t value_prefix_bytes(size_t table_bytes, size_t alignment) {
  return pad_to(sizeof(ValueHeader) + table_bytes, alignment);
}

// --- reading ---

struct ParsedValue {
  ValueHeader header;
  std::span<const uint8_t> table;  // of the references, ref_count of them
  std::span<const uint8_t> data;   // empty when indirect
  std::optional<WireRef> indirect;
};
// Nothing: these bytes are no value.
std::optional<ParsedValue> parse_value(std::span<const uint8_t> bytes, size_t alignment);

struct ParsedRef {
  WireRef ref;
  std::span<const uint8_t> value;  // kInline
};
// Takes the next reference off the front of `table`; nothing: the table is damaged.
std::optional<ParsedRef> next_ref(std::span<const uint8_t>& table);

struct ParsedArg {
  std::span<const uint8_t> value;
  std::string_view name;
};
// Goes through the arguments of a call.
class ArgsReader {
 public:
  // Nothing: these bytes are no arguments.
  static std::optional<ArgsReader> open(std::span<const uint8_t> bytes);

  size_t count() const { return count_; }
  // Set: all arguments lie in that object; there is nothing else here.
  const std::optional<WireRef>& indirect() const { return indirect_; }
  std::optional<ParsedArg> next();

 private:
  size_t count_ = 0;
  std::optional<WireRef> indirect_;
  std::span<const uint8_t> rest_;
};

// The values of a result of several, or where they lie.
struct ParsedResults {
  std::vector<std::span<const uint8_t>> values;
  std::optional<WireRef> indirect;
};
std::optional<ParsedResults> parse_results(std::span<const uint8_t> bytes, size_t num_returns);

// --- writing ---

// A cursor over memory whose size was computed before; running over it is a defect of ours.
class Writer {
 public:
  Writer(uint8_t* begin, size_t size_bytes) : begin_(begin), at_(begin), end_(begin + size_bytes) {}

  template <typename T>
  void put(const T& plain) {
    put_bytes(&plain, sizeof(plain));
  }
  void put_bytes(const void* data, size_t size_bytes);
  // Zeros up to a multiple of `alignment` from `from`.
  void align(size_t alignment, const uint8_t* from);
  void align8() { align(8, begin_); }

  uint8_t* at() const { return at_; }
  size_t used() const { return static_cast<size_t>(at_ - begin_); }

 private:
  uint8_t* begin_;
  uint8_t* at_;
  uint8_t* end_;
};

// 48 bytes: a value that says only where the value is. `flags` keeps kValueIsError.
inline constexpr size_t kIndirectValueBytes = sizeof(ValueHeader) + sizeof(WireRef);
void write_indirect_value(Writer& out, ValueHeader header, const WireRef& where);

}  // namespace sabir::client
