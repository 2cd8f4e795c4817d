#include "runtime/table/array_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "runtime/table/bits.h"

namespace sabir::table {
namespace {

// Reads arrays of one batch.
class Reader {
 public:
  explicit Reader(Data& data) : data_(data) {}

  // Items `begin` to `begin + length` of an array, counted from its offset.
  Result<Array> read(const Field& field, const ArrowArray* from, int64_t begin, int64_t length) {
    SABIR_RETURN_IF_ERROR(check(field, from));
    int64_t end = 0;
    int64_t last = 0;
    if (begin < 0 || length < 0 || __builtin_add_overflow(begin, length, &end) || end > from->length ||
        __builtin_add_overflow(from->offset, end, &last)) {
      return not_arrow("an array that is shorter than what refers to it");
    }
    Array array;
    array.length = length;
    int64_t first = from->offset + begin;
    array.buffers.resize(field.layout.buffer_count());
    if (field.layout.has_validity()) {
      read_validity(*from, first, length, array);
    } else if (field.layout.shape == Shape::kNull) {
      array.null_count = length;
    }
    SABIR_RETURN_IF_ERROR(read_content(field, *from, first, array));
    if (field.dictionary != nullptr) {
      SABIR_ASSIGN_OR_RETURN(Array values, read(*field.dictionary, from->dictionary, 0, from->dictionary->length));
      array.dictionary = std::make_unique<Array>(std::move(values));
    }
    return array;
  }

 private:
  static Result<void> check(const Field& field, const ArrowArray* from) {
    if (from == nullptr || from->release == nullptr || from->length < 0 || from->offset < 0) {
      return not_arrow("an array that was released, or with a negative length");
    }
    auto buffers = static_cast<int64_t>(field.layout.buffer_count());
    bool has_more = field.layout.shape == Shape::kBinaryView;
    if (has_more ? from->n_buffers <= buffers : from->n_buffers != buffers) {
      return not_arrow("an array of the format '" + field.format + "' with " + std::to_string(from->n_buffers) +
                       " buffers");
    }
    if ((from->n_buffers != 0 && from->buffers == nullptr) ||
        from->n_children != static_cast<int64_t>(field.children.size()) ||
        (from->n_children != 0 && from->children == nullptr) ||
        (from->dictionary == nullptr) != (field.dictionary == nullptr)) {
      return not_arrow("an array that is not as its schema says");
    }
    return {};
  }

  static const uint8_t* buffer(const ArrowArray& from, size_t index) {
    return static_cast<const uint8_t*>(from.buffers[index]);
  }

  // Of items `first` on. Without an address there is nothing; check_array() refuses it if that is too little.
  static Buffer items(const ArrowArray& from, size_t index, int64_t first, int64_t count, uint64_t width_bytes) {
    const uint8_t* data = buffer(from, index);
    return data == nullptr
               ? Buffer{}
               : Buffer{data + static_cast<uint64_t>(first) * width_bytes, static_cast<uint64_t>(count) * width_bytes};
  }

  Buffer keep(std::vector<uint8_t> bytes) {
    const std::vector<uint8_t>& kept = data_.made.emplace_back(std::move(bytes));
    return {kept.data(), kept.size()};
  }

  Buffer bits(const uint8_t* from, int64_t first, int64_t count) {
    if (from == nullptr) {
      return {};
    }
    return first % 8 == 0 ? Buffer{from + first / 8, bit_bytes(count)} : keep(shifted(from, first, count));
  }

  void read_validity(const ArrowArray& from, int64_t first, int64_t length, Array& array) {
    if (from.null_count == 0 || buffer(from, 0) == nullptr || length == 0) {
      return;
    }
    Buffer valid = bits(buffer(from, 0), first, length);
    array.null_count = count_zeros(valid.data, 0, length);
    if (array.null_count != 0) {
      array.buffers[0] = valid;
    }
  }

  // Offsets `first` to `first + array.length`, so that they begin at 0; where they begin and end in what they point to.
  template <typename T>
  Result<std::pair<int64_t, int64_t>> offsets(const ArrowArray& from, int64_t first, Array& array) {
    const uint8_t* data = buffer(from, 1);
    if (data == nullptr) {
      return array.length == 0 ? Result<std::pair<int64_t, int64_t>>({0, 0})
                               : Result<std::pair<int64_t, int64_t>>(not_arrow("an array without its offsets"));
    }
    T begin = load<T>(data, first);
    T end = load<T>(data, first + array.length);
    if (begin < 0 || end < begin) {
      return not_arrow("offsets that decrease");
    }
    array.buffers[1] = items(from, 1, first, array.length + 1, sizeof(T));
    if (begin != 0) {
      std::vector<uint8_t> rebased(array.buffers[1].size);
      for (int64_t i = 0; i <= array.length; ++i) {
        using Unsigned = std::make_unsigned_t<T>;
        auto offset = static_cast<Unsigned>(static_cast<Unsigned>(load<T>(array.buffers[1].data, i)) -
                                            static_cast<Unsigned>(begin));
        std::memcpy(rebased.data() + static_cast<size_t>(i) * sizeof(T), &offset, sizeof(T));
      }
      array.buffers[1] = keep(std::move(rebased));
    }
    return std::pair<int64_t, int64_t>(begin, end);
  }
  Result<std::pair<int64_t, int64_t>> offsets_of(uint64_t width_bits, const ArrowArray& from, int64_t first,
                                                 Array& array) {
    return width_bits == 32 ? offsets<int32_t>(from, first, array) : offsets<int64_t>(from, first, array);
  }

  Result<void> child(const Field& field, const ArrowArray& from, size_t index, int64_t begin, int64_t length,
                     Array& array) {
    SABIR_ASSIGN_OR_RETURN(Array made, read(field.children[index], from.children[index], begin, length));
    array.children.push_back(std::move(made));
    return {};
  }
  Result<void> children(const Field& field, const ArrowArray& from, int64_t begin, int64_t length, Array& array) {
    for (size_t i = 0; i < field.children.size(); ++i) {
      SABIR_RETURN_IF_ERROR(child(field, from, i, begin, length, array));
    }
    return {};
  }
  Result<void> whole_children(const Field& field, const ArrowArray& from, Array& array) {
    for (size_t i = 0; i < field.children.size(); ++i) {
      const ArrowArray* whole = from.children[i];
      SABIR_RETURN_IF_ERROR(child(field, from, i, 0, whole == nullptr ? 0 : whole->length, array));
    }
    return {};
  }

  Result<void> read_views(const ArrowArray& from, int64_t first, Array& array) {
    array.buffers[1] = items(from, 1, first, array.length, 16);
    auto count = static_cast<size_t>(from.n_buffers) - 3;
    const uint8_t* sizes = buffer(from, count + 2);
    if (count != 0 && sizes == nullptr) {
      return not_arrow("views without the sizes of their buffers");
    }
    for (size_t i = 0; i < count; ++i) {
      auto size = load<int64_t>(sizes, static_cast<int64_t>(i));
      if (size < 0 || (size > 0 && buffer(from, i + 2) == nullptr)) {
        return not_arrow("views with a buffer of a negative size, or without one");
      }
      array.buffers.push_back({buffer(from, i + 2), static_cast<uint64_t>(size)});
    }
    return {};
  }

  // Each child from the first to the last of its items that shows; offsets count from there.
  Result<void> read_dense_union(const Field& field, const ArrowArray& from, int64_t first, Array& array) {
    array.buffers[0] = items(from, 0, first, array.length, 1);
    array.buffers[1] = items(from, 1, first, array.length, sizeof(int32_t));
    const uint8_t* ids = array.buffers[0].data;
    const uint8_t* offsets = array.buffers[1].data;
    if (array.length != 0 && (ids == nullptr || offsets == nullptr)) {
      return not_arrow("a union without its type ids or offsets");
    }
    std::array<int32_t, 256> low;
    std::array<int32_t, 256> high;
    low.fill(INT32_MAX);
    high.fill(-1);
    bool is_moved = false;
    for (int64_t i = 0; i < array.length; ++i) {
      auto offset = load<int32_t>(offsets, i);
      if (offset < 0) {
        return not_arrow("a union with a negative offset");
      }
      low[ids[i]] = std::min(low[ids[i]], offset);
      high[ids[i]] = std::max(high[ids[i]], offset);
    }
    for (uint8_t id : field.layout.type_ids) {
      is_moved = is_moved || (high[id] >= 0 && low[id] != 0);
    }
    if (is_moved) {
      std::vector<uint8_t> rebased(array.buffers[1].size);
      for (int64_t i = 0; i < array.length; ++i) {
        int32_t offset = load<int32_t>(offsets, i) - low[ids[i]];
        std::memcpy(rebased.data() + static_cast<size_t>(i) * sizeof(offset), &offset, sizeof(offset));
      }
      array.buffers[1] = keep(std::move(rebased));
    }
    for (size_t i = 0; i < field.children.size(); ++i) {
      uint8_t id = field.layout.type_ids[i];
      bool is_used = high[id] >= 0;
      SABIR_RETURN_IF_ERROR(
          child(field, from, i, is_used ? low[id] : 0, is_used ? int64_t{high[id]} - low[id] + 1 : 0, array));
    }
    return {};
  }

  // The runs that show; their ends count from `first`.
  template <typename T>
  Result<void> read_runs_of(const Field& field, const ArrowArray& from, int64_t first, Array& array) {
    SABIR_ASSIGN_OR_RETURN(Array ends, read(field.children[0], from.children[0], 0, from.children[0]->length));
    if (ends.length != 0 && ends.buffers[1].data == nullptr) {
      return not_arrow("runs without their ends");
    }
    std::vector<uint8_t> made;
    int64_t run = 0;
    while (run < ends.length && load<T>(ends.buffers[1].data, run) <= first) {
      ++run;
    }
    int64_t count = 0;
    for (int64_t end = first; end < first + array.length && run + count < ends.length; ++count) {
      end = load<T>(ends.buffers[1].data, run + count);
      auto moved = static_cast<T>(std::min(end - first, array.length));
      const auto* bytes = reinterpret_cast<const uint8_t*>(&moved);
      made.insert(made.end(), bytes, bytes + sizeof(moved));
    }
    ends.length = count;
    ends.buffers[1] = keep(std::move(made));
    array.children.push_back(std::move(ends));
    return child(field, from, 1, run, count, array);
  }
  Result<void> read_runs(const Field& field, const ArrowArray& from, int64_t first, Array& array) {
    if (from.children[0] == nullptr) {
      return not_arrow("runs without their ends");
    }
    switch (field.children[0].layout.width_bits) {
      case 16:
        return read_runs_of<int16_t>(field, from, first, array);
      case 32:
        return read_runs_of<int32_t>(field, from, first, array);
      default:
        return read_runs_of<int64_t>(field, from, first, array);
    }
  }

  Result<void> read_content(const Field& field, const ArrowArray& from, int64_t first, Array& array) {
    const Layout& layout = field.layout;
    int64_t length = array.length;
    uint64_t width_bytes = layout.width_bits / 8;
    switch (layout.shape) {
      case Shape::kNull:
        return {};
      case Shape::kFixed:
        array.buffers[1] =
            layout.width_bits == 1 ? bits(buffer(from, 1), first, length) : items(from, 1, first, length, width_bytes);
        return {};
      case Shape::kBinary: {
        SABIR_ASSIGN_OR_RETURN(auto range, offsets_of(layout.width_bits, from, first, array));
        array.buffers[2] = items(from, 2, range.first, range.second - range.first, 1);
        return {};
      }
      case Shape::kBinaryView:
        return read_views(from, first, array);
      case Shape::kList: {
        SABIR_ASSIGN_OR_RETURN(auto range, offsets_of(layout.width_bits, from, first, array));
        return child(field, from, 0, range.first, range.second - range.first, array);
      }
      case Shape::kListView:
        array.buffers[1] = items(from, 1, first, length, width_bytes);
        array.buffers[2] = items(from, 2, first, length, width_bytes);
        return whole_children(field, from, array);
      case Shape::kFixedList: {
        int64_t begin = 0;
        int64_t count = 0;
        if (__builtin_mul_overflow(first, layout.list_size, &begin) ||
            __builtin_mul_overflow(length, layout.list_size, &count)) {
          return not_arrow("more items than can be counted");
        }
        return child(field, from, 0, begin, count, array);
      }
      case Shape::kStruct:
        return children(field, from, first, length, array);
      case Shape::kSparseUnion:
        array.buffers[0] = items(from, 0, first, length, 1);
        return children(field, from, first, length, array);
      case Shape::kDenseUnion:
        return read_dense_union(field, from, first, array);
      case Shape::kRunEnds:
        return read_runs(field, from, first, array);
    }
    return {};
  }

  Data& data_;
};

}  // namespace

Result<Array> read_batch(Data& data, const ArrowArray* from) {
  return Reader(data).read(data.schema, from, 0, from->length);
}

}  // namespace sabir::table
