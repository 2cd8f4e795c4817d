#include <algorithm>
#include <cstring>

#include "runtime/base/check.h"
#include "runtime/table/data.h"
#include "runtime/table/testing/made.h"

namespace sabir::table::testing {
namespace {

constexpr int64_t kItemsMax = 1 << 14;  // lengths of arrays without memory may be anything
constexpr int kDepthRead = 8;           // lists of lists of lists: each item would be read many times

std::string hex(const uint8_t* data, size_t size) {
  std::string text;
  for (size_t i = 0; i < size; ++i) {
    text += "0123456789abcdef"[data[i] >> 4];
    text += "0123456789abcdef"[data[i] & 15];
  }
  return text;
}

class Reader {
 public:
  // Item `index`, counted from the array's offset.
  std::string item(const ArrowSchema& schema, const ArrowArray& array, int64_t index, int depth = 0) {
    if (++items_ > kItemsMax || depth > kDepthRead) {
      return "...";
    }
    Result<Layout> layout = parse_layout(schema.format);
    SABIR_CHECK(layout.ok());
    int64_t at = array.offset + index;
    if (layout->has_validity() && array.buffers[0] != nullptr && (data(array, 0)[at / 8] >> (at % 8) & 1) == 0) {
      return "-";
    }
    std::string text = value(*layout, schema, array, at, depth);
    if (array.dictionary != nullptr && layout->width_bits == 8) {
      auto key =
          static_cast<int64_t>(load<int8_t>(data(array, 1), at));  // NOLINT(bugprone-signed-char-misuse): an index
      return text + "=" +
             (key >= 0 && key < array.dictionary->length ? item(*schema.dictionary, *array.dictionary, key, depth + 1)
                                                         : "?");
    }
    return text;
  }

 private:
  static const uint8_t* data(const ArrowArray& array, size_t buffer) {
    return static_cast<const uint8_t*>(array.buffers[buffer]);
  }
  std::string items(const ArrowSchema& schema, const ArrowArray& array, int64_t begin, int64_t end, int depth) {
    std::string text = "[";
    for (int64_t i = begin; i < end && items_ < kItemsMax; ++i) {
      text += item(*schema.children[0], *array.children[0], i, depth + 1) + " ";
    }
    return text + "]";
  }
  template <typename T>
  std::string range(const Layout& layout, const ArrowSchema& schema, const ArrowArray& array, int64_t at, int depth) {
    T begin = load<T>(data(array, 1), at);
    if (layout.shape == Shape::kListView) {
      return items(schema, array, begin, begin + load<T>(data(array, 2), at), depth);
    }
    T end = load<T>(data(array, 1), at + 1);
    return layout.shape == Shape::kBinary ? hex(data(array, 2) + begin, static_cast<size_t>(end - begin))
                                          : items(schema, array, begin, end, depth);
  }
  static std::string view(const ArrowArray& array, int64_t at) {
    const uint8_t* view = data(array, 1) + at * 16;
    auto size = load<int32_t>(view, 0);
    const uint8_t* text =
        size <= 12 ? view + 4 : data(array, 2 + static_cast<size_t>(load<int32_t>(view, 2))) + load<int32_t>(view, 3);
    return hex(text, static_cast<size_t>(size));
  }
  std::string one_of(const Layout& layout, const ArrowSchema& schema, const ArrowArray& array, int64_t at, int depth) {
    uint8_t id = data(array, 0)[at];
    auto found = std::find(layout.type_ids.begin(), layout.type_ids.end(), id);
    SABIR_CHECK(found != layout.type_ids.end());
    auto child = static_cast<size_t>(found - layout.type_ids.begin());
    int64_t index = layout.shape == Shape::kDenseUnion ? load<int32_t>(data(array, 1), at) : at;
    return std::to_string(id) + ":" + item(*schema.children[child], *array.children[child], index, depth + 1);
  }
  std::string run(const ArrowSchema& schema, const ArrowArray& array, int64_t at, int depth) {
    const ArrowArray& ends = *array.children[0];
    for (int64_t i = 0; i < ends.length; ++i) {
      int64_t index = ends.offset + i;
      int64_t end = *schema.children[0]->format == 's'   ? load<int16_t>(data(ends, 1), index)
                    : *schema.children[0]->format == 'i' ? load<int32_t>(data(ends, 1), index)
                                                         : load<int64_t>(data(ends, 1), index);
      if (at < end) {
        return item(*schema.children[1], *array.children[1], i, depth + 1);
      }
    }
    SABIR_CHECK(false);
    return "";
  }
  std::string value(const Layout& layout, const ArrowSchema& schema, const ArrowArray& array, int64_t at, int depth) {
    switch (layout.shape) {
      case Shape::kNull:
        return "null";
      case Shape::kFixed:
        return layout.width_bits == 1
                   ? std::to_string(data(array, 1)[at / 8] >> (at % 8) & 1)
                   : hex(data(array, 1) + at * static_cast<int64_t>(layout.width_bits / 8), layout.width_bits / 8);
      case Shape::kBinary:
      case Shape::kList:
      case Shape::kListView:
        return layout.width_bits == 32 ? range<int32_t>(layout, schema, array, at, depth)
                                       : range<int64_t>(layout, schema, array, at, depth);
      case Shape::kBinaryView:
        return view(array, at);
      case Shape::kFixedList:
        return items(schema, array, at * layout.list_size, (at + 1) * layout.list_size, depth);
      case Shape::kStruct: {
        std::string text = "{";
        for (int64_t i = 0; i < array.n_children; ++i) {
          text += item(*schema.children[i], *array.children[i], at, depth + 1) + " ";
        }
        return text + "}";
      }
      case Shape::kSparseUnion:
      case Shape::kDenseUnion:
        return one_of(layout, schema, array, at, depth);
      case Shape::kRunEnds:
        return run(schema, array, at, depth);
    }
    return "";
  }

  int64_t items_ = 0;
};

}  // namespace

std::string read_all(const ArrowSchema& schema, const ArrowArray& array) {
  Reader reader;
  std::string text;
  for (int64_t i = 0; i < std::min(array.length, kItemsMax); ++i) {
    text += reader.item(schema, array, i) + " ";
  }
  return text;
}

std::string read_all(ArrowArrayStream* stream) {
  ArrowSchema schema{};
  SABIR_CHECK(stream->get_schema(stream, &schema) == 0);
  std::string text;
  for (;;) {
    ArrowArray array{};
    SABIR_CHECK(stream->get_next(stream, &array) == 0);
    if (array.release == nullptr) {
      break;
    }
    text += read_all(schema, array) + "| ";
    array.release(&array);
  }
  schema.release(&schema);
  stream->release(stream);
  return text;
}

}  // namespace sabir::table::testing
