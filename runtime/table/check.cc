#include "runtime/table/check.h"

#include <array>
#include <string>

#include "runtime/table/bits.h"

namespace sabir::table {
namespace {

alignas(kAlignment) constexpr uint8_t kZeros[kAlignment] = {};

Error damaged(std::string what) { return invalid_error("a damaged table: " + std::move(what)); }

std::string named(const Field& field) { return "column '" + field.name.value_or("") + "'"; }

// `buffer` has `count` items of `width_bits`; one that has to have nothing in it gets an address.
Result<void> hold(Buffer& buffer, int64_t count, uint64_t width_bits, const char* what) {
  unsigned __int128 bytes = (static_cast<unsigned __int128>(count) * width_bits + 7) / 8;
  if (bytes > buffer.size || (bytes != 0 && buffer.data == nullptr)) {
    return damaged(std::string(what) + " of " + std::to_string(buffer.size) + " bytes for " + std::to_string(count) +
                   " items");
  }
  if (buffer.data == nullptr) {
    buffer = {kZeros, 0};
  }
  return {};
}

// Offsets 0 to `end` begin at 0 or later, do not decrease, and end at `limit` or before.
template <typename T>
Result<void> check_offsets(Buffer& buffer, int64_t end, uint64_t limit) {
  if (end == 0 && buffer.size == 0) {
    buffer = {kZeros, sizeof(T)};  // Arrow allows none for an empty array; not all readers do
  }
  SABIR_RETURN_IF_ERROR(hold(buffer, end + 1, sizeof(T) * 8, "offsets"));
  T previous = 0;
  bool is_wrong = false;
  for (int64_t i = 0; i <= end; ++i) {
    T next = load<T>(buffer.data, i);
    is_wrong |= next < previous;
    previous = next;
  }
  if (is_wrong) {
    return damaged("offsets that decrease");
  }
  if (static_cast<uint64_t>(previous) > limit) {
    return damaged("offsets up to " + std::to_string(previous) + " into " + std::to_string(limit) + " items or bytes");
  }
  return {};
}

Result<void> check_offsets_of(uint64_t width_bits, Buffer& buffer, int64_t end, uint64_t limit) {
  return width_bits == 32 ? check_offsets<int32_t>(buffer, end, limit) : check_offsets<int64_t>(buffer, end, limit);
}

template <typename T>
Result<void> check_list_views(Array& array, int64_t end) {
  SABIR_RETURN_IF_ERROR(hold(array.buffers[1], end, sizeof(T) * 8, "offsets"));
  SABIR_RETURN_IF_ERROR(hold(array.buffers[2], end, sizeof(T) * 8, "sizes"));
  int64_t limit = array.children[0].length;
  for (int64_t i = 0; i < end; ++i) {
    int64_t offset = load<T>(array.buffers[1].data, i);
    int64_t size = load<T>(array.buffers[2].data, i);
    if (offset < 0 || size < 0 || offset > limit || size > limit - offset) {
      return damaged("a list outside of its items");
    }
  }
  return {};
}

Result<void> check_views(Array& array, int64_t end) {
  constexpr int32_t kInlineBytes = 12;
  SABIR_RETURN_IF_ERROR(hold(array.buffers[1], end, 128, "views"));
  const uint8_t* valid = array.buffers[0].data;
  for (int64_t i = 0; i < end; ++i) {
    auto size = load<int32_t>(array.buffers[1].data, i * 4);
    if ((size >= 0 && size <= kInlineBytes) || (valid != nullptr && !bit_at(valid, i))) {
      continue;
    }
    auto index = load<int32_t>(array.buffers[1].data, i * 4 + 2);
    auto offset = load<int32_t>(array.buffers[1].data, i * 4 + 3);
    if (size < 0 || index < 0 || offset < 0 || static_cast<size_t>(index) >= array.buffers.size() - 2 ||
        static_cast<uint64_t>(offset) + static_cast<uint64_t>(size) >
            array.buffers[static_cast<size_t>(index) + 2].size) {
      return damaged("a view outside of its bytes");
    }
  }
  return {};
}

Result<void> check_union(const Layout& layout, Array& array, int64_t end) {
  constexpr int64_t kUnknown = -1;
  bool is_dense = layout.shape == Shape::kDenseUnion;
  SABIR_RETURN_IF_ERROR(hold(array.buffers[0], end, 8, "type ids"));
  if (is_dense) {
    SABIR_RETURN_IF_ERROR(hold(array.buffers[1], end, 32, "offsets"));
  }
  std::array<int64_t, 256> lengths;
  lengths.fill(kUnknown);
  for (size_t i = 0; i < layout.type_ids.size(); ++i) {
    lengths[layout.type_ids[i]] = array.children[i].length;
    if (!is_dense && array.children[i].length < end) {
      return damaged("a union that is longer than its children");
    }
  }
  for (int64_t i = 0; i < end; ++i) {
    int64_t length = lengths[array.buffers[0].data[i]];
    if (length == kUnknown) {
      return damaged("a union with the type id " + std::to_string(array.buffers[0].data[i]) + ", which it has not");
    }
    if (is_dense) {
      auto offset = load<int32_t>(array.buffers[1].data, i);
      if (offset < 0 || offset >= length) {
        return damaged("a union with an offset outside of its child");
      }
    }
  }
  return {};
}

template <typename T>
Result<void> check_run_ends(const Array& ends, int64_t end) {
  T previous = 0;
  for (int64_t i = 0; i < ends.length; ++i) {
    T next = load<T>(ends.buffers[1].data, ends.offset + i);
    if (next <= previous) {
      return damaged("run ends that do not increase");
    }
    previous = next;
  }
  return previous < end ? Result<void>(damaged("runs that end before the array does")) : Result<void>();
}

Result<void> check_runs(const Field& field, const Array& array, int64_t end) {
  const Array& ends = array.children[0];
  if (ends.null_count != 0 || array.children[1].length < ends.length) {
    return damaged("runs without an end or a value");
  }
  switch (field.children[0].layout.width_bits) {
    case 16:
      return check_run_ends<int16_t>(ends, end);
    case 32:
      return check_run_ends<int32_t>(ends, end);
    default:
      return check_run_ends<int64_t>(ends, end);
  }
}

// The children are checked, the counts fit the layout, and there are at most `end` items.
Result<void> check_buffers(const Field& field, Array& array, int64_t end) {
  const Layout& layout = field.layout;
  switch (layout.shape) {
    case Shape::kNull:
      return {};
    case Shape::kFixed:
      return hold(array.buffers[1], end, layout.width_bits, "a buffer");
    case Shape::kBinary:
      SABIR_RETURN_IF_ERROR(hold(array.buffers[2], 0, 8, "bytes"));
      return check_offsets_of(layout.width_bits, array.buffers[1], end, array.buffers[2].size);
    case Shape::kBinaryView:
      return check_views(array, end);
    case Shape::kList:
      return check_offsets_of(layout.width_bits, array.buffers[1], end,
                              static_cast<uint64_t>(array.children[0].length));
    case Shape::kListView:
      return layout.width_bits == 32 ? check_list_views<int32_t>(array, end) : check_list_views<int64_t>(array, end);
    case Shape::kFixedList: {
      int64_t items = 0;
      if (__builtin_mul_overflow(end, layout.list_size, &items) || array.children[0].length < items) {
        return damaged("fewer items than its lists have");
      }
      return {};
    }
    case Shape::kStruct:
      for (const Array& child : array.children) {
        if (child.length < end) {
          return damaged("a struct that is longer than its children");
        }
      }
      return {};
    case Shape::kSparseUnion:
    case Shape::kDenseUnion:
      return check_union(layout, array, end);
    case Shape::kRunEnds:
      return check_runs(field, array, end);
  }
  return {};
}

Result<void> check_one(const Field& field, Array& array) {
  int64_t end = 0;
  if (array.length < 0 || array.offset < 0 || array.null_count < -1 || array.null_count > array.length ||
      __builtin_add_overflow(array.offset, array.length, &end) || end == INT64_MAX) {
    return damaged("a length, offset or count of nulls that cannot be");
  }
  size_t buffers = field.layout.buffer_count();
  if (array.children.size() != field.children.size() ||
      (array.dictionary == nullptr) != (field.dictionary == nullptr) || array.buffers.size() < buffers ||
      (array.buffers.size() > buffers && field.layout.shape != Shape::kBinaryView)) {
    return damaged("an array that is not as its schema says");
  }
  if (field.layout.has_validity()) {
    if (array.buffers[0].data == nullptr) {
      array.null_count = 0;
    } else {
      // Readers leave the bitmap alone where the count is 0, and with it what null items refer to.
      SABIR_RETURN_IF_ERROR(hold(array.buffers[0], end, 1, "a bitmap"));
      array.null_count = count_zeros(array.buffers[0].data, array.offset, array.length);
    }
  } else if (field.layout.shape != Shape::kNull) {
    array.null_count = 0;
  }
  for (size_t i = 0; i < field.children.size(); ++i) {
    SABIR_RETURN_IF_ERROR(check_array(field.children[i], array.children[i]));
  }
  if (field.dictionary != nullptr) {
    SABIR_RETURN_IF_ERROR(check_array(*field.dictionary, *array.dictionary));
  }
  return check_buffers(field, array, end);
}

Result<void> check_field(const Field& field) {
  const Layout& layout = field.layout;
  size_t wanted = child_count(layout);
  if (wanted != kAnyChildren && field.children.size() != wanted) {
    return damaged("the Arrow format '" + field.format + "' with " + std::to_string(field.children.size()) +
                   " children");
  }
  if (field.dictionary != nullptr && !layout.is_integer) {
    return damaged("a dictionary whose indices are of the Arrow format '" + field.format + "'");
  }
  if (layout.is_map && (field.children[0].layout.shape != Shape::kStruct || field.children[0].children.size() != 2)) {
    return damaged("a map whose items are not keys and values");
  }
  if (layout.shape == Shape::kRunEnds) {
    const Field& ends = field.children[0];
    if (ends.dictionary != nullptr || (ends.format != "s" && ends.format != "i" && ends.format != "l")) {
      return damaged("run ends of the Arrow format '" + ends.format + "'");
    }
  }
  return {};
}

}  // namespace

Result<void> check_schema(const Field& field, int depth) {
  if (depth > kDepthMax) {
    return damaged("more than " + std::to_string(kDepthMax) + " fields within each other");
  }
  if (Result<void> own = check_field(field); !own.ok()) {
    return std::move(own).error().with_context(named(field));
  }
  for (const Field& child : field.children) {
    SABIR_RETURN_IF_ERROR(check_schema(child, depth + 1));
  }
  return field.dictionary != nullptr ? check_schema(*field.dictionary, depth + 1) : Result<void>();
}

Result<void> check_array(const Field& field, Array& array) {
  Result<void> checked = check_one(field, array);
  return checked.ok() ? std::move(checked) : Result<void>(std::move(checked).error().with_context(named(field)));
}

}  // namespace sabir::table
