#include "runtime/table/testing/made.h"

#include <atomic>
#include <cerrno>
#include <utility>

namespace sabir::table::testing {
namespace {

std::atomic<int64_t> alive_count{0};

template <typename T>
struct Holder {
  Made made;
  std::vector<T> children;
  std::vector<T*> pointers;
  T dictionary{};
  std::vector<const void*> buffers;

  explicit Holder(const Made& from) : made(from) { ++alive_count; }
  ~Holder() { --alive_count; }

  static void release(T* self) {
    auto* holder = static_cast<Holder*>(self->private_data);
    for (T& child : holder->children) {
      if (child.release != nullptr) {
        child.release(&child);
      }
    }
    if (holder->dictionary.release != nullptr) {
      holder->dictionary.release(&holder->dictionary);
    }
    self->release = nullptr;
    delete holder;
  }
  void attach(T* out) {
    children.resize(made.children.size());
    for (size_t i = 0; i < children.size(); ++i) {
      to_c(made.children[i], &children[i]);
      pointers.push_back(&children[i]);
    }
    if (made.dictionary != nullptr) {
      to_c(*made.dictionary, &dictionary);
      out->dictionary = &dictionary;
    }
    out->n_children = static_cast<int64_t>(children.size());
    out->children = pointers.data();
    out->release = release;
    out->private_data = this;
  }
};

struct Stream {
  std::vector<Made> batches;
  std::string failure;
  size_t next = 0;

  static Stream* of(ArrowArrayStream* self) { return static_cast<Stream*>(self->private_data); }
  static int get_schema(ArrowArrayStream* self, ArrowSchema* out) {
    to_c(of(self)->batches[0], out);
    return 0;
  }
  static int get_next(ArrowArrayStream* self, ArrowArray* out) {
    Stream* stream = of(self);
    *out = {};
    if (stream->next < stream->batches.size()) {
      to_c(stream->batches[stream->next++], out);
      return 0;
    }
    return stream->failure.empty() ? 0 : EIO;
  }
  static const char* get_last_error(ArrowArrayStream* self) { return of(self)->failure.c_str(); }
  static void release(ArrowArrayStream* self) {
    delete of(self);
    self->release = nullptr;
    --alive_count;
  }
};

}  // namespace

std::shared_ptr<std::vector<uint8_t>> text_bytes(const std::string& text) {
  return std::make_shared<std::vector<uint8_t>>(text.begin(), text.end());
}

int64_t alive() { return alive_count; }

void to_c(const Made& made, ArrowSchema* out) {
  auto* holder = new Holder<ArrowSchema>(made);
  *out = {};
  out->format = holder->made.format.c_str();
  out->name = holder->made.name.c_str();
  out->metadata = made.metadata.empty() ? nullptr : holder->made.metadata.data();
  out->flags = made.flags;
  holder->attach(out);
}

void to_c(const Made& made, ArrowArray* out) {
  auto* holder = new Holder<ArrowArray>(made);
  *out = {};
  out->length = made.length;
  out->null_count = made.null_count;
  out->offset = made.offset;
  for (const auto& buffer : made.buffers) {
    holder->buffers.push_back(buffer == nullptr ? nullptr : buffer->data());
  }
  out->n_buffers = static_cast<int64_t>(holder->buffers.size());
  out->buffers = holder->buffers.data();
  holder->attach(out);
}

void to_c(const std::vector<Made>& batches, ArrowArrayStream* out, const std::string& failure) {
  ++alive_count;
  *out = {Stream::get_schema, Stream::get_next, Stream::get_last_error, Stream::release,
          new Stream{batches, failure, 0}};
}

}  // namespace sabir::table::testing
