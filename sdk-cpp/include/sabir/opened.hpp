// A value that was received, whatever form it has: its plain stream, and what the stream refers to by index.
#ifndef SABIR_OPENED_HPP_
#define SABIR_OPENED_HPP_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sabir/encoder.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

class Opened {
 public:
  // Borrows the view. `holder`: what the view was taken of; retained by arrays that stay. Null: they are copied.
  Opened(const sabir_view& view, sabir_ref* holder) : view_(view), holder_(holder) { open(); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  const uint8_t* begin() const { return begin_; }
  const uint8_t* end() const { return end_; }
  const sabir_view& view() const { return view_; }
  const std::vector<std::string_view>& buffers() const { return buffers_; }
  // Null unless the value is a table.
  const TableHandle& table() const { return table_; }

  // A buffer's bytes, for whoever has what is returned.
  std::shared_ptr<const void> keep(size_t index, const void** out_data) {
    std::string_view buffer = buffers_[index];
    if (holder_ != nullptr) {
      *out_data = buffer.data();
      if (kept_.empty()) {
        kept_.push_back(std::make_shared<RefHandle>(RefHandle::retain(holder_)));
      }
      return kept_[0];
    }
    // The bytes go away with the call: one copy, however many arrays share them.
    kept_.resize(buffers_.size());
    if (kept_[index] == nullptr) {
      struct alignas(kAlignment) Block {
        uint8_t bytes[kAlignment];
      };
      std::shared_ptr<Block[]> copy(new Block[buffer.size() / kAlignment + 1]);
      if (!buffer.empty()) {
        std::memcpy(copy.get(), buffer.data(), buffer.size());
      }
      kept_[index] = copy;
    }
    *out_data = kept_[index].get();
    return kept_[index];
  }

 private:
  void open() {
    const auto* data = static_cast<const uint8_t*>(view_.data);
    if (view_.encoding == SABIR_NULL) {
      static constexpr uint8_t kNull[] = {kTagNull};
      stream(kNull, 1);
    } else if (view_.encoding == SABIR_NEUTRAL && view_.variant == kVariantFlex) {
      open_flex();
    } else if (view_.encoding == SABIR_NEUTRAL && view_.variant == kVariantPlain) {
      stream(data, view_.size);
    } else if (view_.encoding == SABIR_NEUTRAL && view_.variant == kVariantBuffers) {
      open_buffers(data);
    } else if (sabir_view_is_table(&view_) != 0) {
      open_table();
    } else if (view_.encoding == SABIR_TENSOR) {
      open_tensor(data);
    } else {
      refuse();
    }
  }
  [[noreturn]] void refuse() const {
    auto language = static_cast<Language>(view_.language);
    if (view_.encoding != SABIR_NATIVE) {
      throw ConversionError("a value of an unknown encoding (" + std::to_string(view_.encoding) + ", variant " +
                            std::to_string(view_.variant) + "): written by a newer Sabir?");
    }
    std::string_view text = note();
    throw ConversionError(std::string("a value in a form that only ") + language_name(language) + " reads" +
                          (text.empty() ? ": send numbers, text, lists, maps and arrays, or register a converter for "
                                          "its type there"
                                        : ": " + std::string(text)));
  }
  // What the writer of a native value says to readers in other languages, if anything.
  std::string_view note() const {
    uint32_t size = 0;
    if ((view_.variant & kVariantNoted) == 0 || view_.size < sizeof(size)) {
      return {};
    }
    size = load<uint32_t>(static_cast<const uint8_t*>(view_.data));
    return size <= view_.size - sizeof(size)
               ? std::string_view(static_cast<const char*>(view_.data) + sizeof(size), size)
               : std::string_view();
  }
  void stream(const uint8_t* data, size_t size) {
    begin_ = data;
    end_ = data + size;
  }
  [[noreturn]] static void damaged_frame(const char* why) {
    throw ConversionError(std::string("a damaged value: ") + why);
  }
  void open_flex() {
    sabir_buffer* plain = nullptr;
    sabir_error* error = nullptr;
    if (sabir_view_to_plain(&view_, &plain, &error) != SABIR_OK) {
      throw ConversionError(take_message(error));
    }
    plain_.reset(plain);
    sabir_span bytes = sabir_buffer_bytes(plain);
    stream(static_cast<const uint8_t*>(bytes.data), bytes.size);
  }
  void open_buffers(const uint8_t* data) {
    if (view_.size < sizeof(BuffersHeader)) {
      damaged_frame("too short");
    }
    auto header = load<BuffersHeader>(data);
    size_t at = sizeof(header);
    if (header.buffer_count > (view_.size - at) / sizeof(uint64_t)) {
      damaged_frame("more buffers than bytes");
    }
    const uint8_t* sizes = data + at;
    at += header.buffer_count * sizeof(uint64_t);
    if (header.stream_bytes > view_.size - at) {
      damaged_frame("its stream is longer than it");
    }
    stream(data + at, header.stream_bytes);
    at += header.stream_bytes;
    for (uint32_t i = 0; i < header.buffer_count; ++i) {
      auto size = load<uint64_t>(sizes + i * sizeof(uint64_t));
      at = aligned(at);
      if (at > view_.size || size > view_.size - at) {
        damaged_frame("a buffer is longer than it");
      }
      buffers_.emplace_back(reinterpret_cast<const char*>(data + at), size);
      at += size;
    }
    if (at != view_.size) {
      damaged_frame("bytes behind its end");
    }
  }
  // The header of an array says nearly what the item of a stream says.
  void open_tensor(const uint8_t* data) {
    if (view_.size < sizeof(TensorHeader)) {
      damaged_frame("too short for an array");
    }
    auto header = load<TensorHeader>(data);
    size_t dimensions = header.ndim * size_t{16};
    if (header.ndim > kDimensionsMax || dimensions > view_.size - sizeof(header) ||
        header.data_offset < sizeof(header) + dimensions || header.data_offset % kAlignment != 0 ||
        header.data_offset > view_.size || header.data_bytes != view_.size - header.data_offset) {
      damaged_frame("an array whose header is wrong");
    }
    own_ = std::make_unique<ByteBuffer>();
    own_->put_tag(kTagTensor);
    own_->put(TensorItem{header.dtype, header.ndim, 0, 0});
    own_->append(data + sizeof(header), dimensions);
    stream(own_->data(), own_->size());
    buffers_.emplace_back(reinterpret_cast<const char*>(data + header.data_offset), header.data_bytes);
  }

  void open_table() {
    sabir_table* table = nullptr;
    sabir_error* error = nullptr;
    if (sabir_table_from_view(&view_, holder_, &table, &error) != SABIR_OK) {
      throw ConversionError(take_message(error));
    }
    static constexpr uint8_t kTable[] = {kTagTable};
    table_ = own_table(table);
    stream(kTable, 1);
  }

  sabir_view view_;
  sabir_ref* holder_;
  const uint8_t* begin_ = nullptr;
  const uint8_t* end_ = nullptr;
  std::vector<std::string_view> buffers_;
  std::vector<std::shared_ptr<const void>> kept_;
  std::unique_ptr<ByteBuffer> own_;
  BufferHandle plain_;
  TableHandle table_;
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_OPENED_HPP_
