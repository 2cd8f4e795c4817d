#include "runtime/table/export.h"

#include <utility>
#include <vector>

namespace sabir::table {
namespace {

using Shared = std::shared_ptr<const Data>;

// What a struct of the C interface refers to. Children may be moved out of it; those that were have no release any
// more, and share the data on their own.
template <typename T>
struct Holder {
  Shared data;
  std::vector<T> children;
  std::vector<T*> pointers;
  T dictionary{};
  std::vector<const void*> buffers;
  std::vector<int64_t> sizes;

  static void release(T* self) {
    auto* holder = static_cast<Holder*>(self->private_data);
    self->release = nullptr;
    for (T& child : holder->children) {
      end(child);
    }
    end(holder->dictionary);
    delete holder;
  }
  static void end(T& inner) {
    if (inner.release != nullptr) {
      inner.release(&inner);
    }
  }
  // Room for the children, which do not move any more.
  void attach(T* out, size_t child_count, bool has_dictionary) {
    children.resize(child_count);
    for (T& child : children) {
      pointers.push_back(&child);
    }
    out->n_children = static_cast<int64_t>(child_count);
    out->children = pointers.empty() ? nullptr : pointers.data();
    out->dictionary = has_dictionary ? &dictionary : nullptr;
    out->private_data = this;
    out->release = release;
  }
};

void export_schema(const Shared& data, const Field& field, ArrowSchema* out) {
  auto* holder = new Holder<ArrowSchema>{.data = data};
  *out = {};
  out->format = field.format.c_str();
  out->name = field.name ? field.name->c_str() : nullptr;
  out->metadata = field.metadata.empty() ? nullptr : field.metadata.data();
  out->flags = field.flags;
  holder->attach(out, field.children.size(), field.dictionary != nullptr);
  for (size_t i = 0; i < field.children.size(); ++i) {
    export_schema(data, field.children[i], &holder->children[i]);
  }
  if (field.dictionary != nullptr) {
    export_schema(data, *field.dictionary, &holder->dictionary);
  }
}

void export_array(const Shared& data, const Field& field, const Array& array, ArrowArray* out) {
  auto* holder = new Holder<ArrowArray>{.data = data};
  *out = {};
  out->length = array.length;
  out->null_count = array.null_count;
  out->offset = array.offset;
  for (const Buffer& buffer : array.buffers) {
    holder->buffers.push_back(buffer.data);
  }
  if (field.layout.shape == Shape::kBinaryView) {
    for (size_t i = field.layout.buffer_count(); i < array.buffers.size(); ++i) {
      holder->sizes.push_back(static_cast<int64_t>(array.buffers[i].size));
    }
    holder->sizes.push_back(0);  // so that there is an address, whatever the number
    holder->buffers.push_back(holder->sizes.data());
  }
  out->n_buffers = static_cast<int64_t>(holder->buffers.size());
  out->buffers = holder->buffers.empty() ? nullptr : holder->buffers.data();
  holder->attach(out, array.children.size(), array.dictionary != nullptr);
  for (size_t i = 0; i < array.children.size(); ++i) {
    export_array(data, field.children[i], array.children[i], &holder->children[i]);
  }
  if (array.dictionary != nullptr) {
    export_array(data, *field.dictionary, *array.dictionary, &holder->dictionary);
  }
}

struct Stream {
  Shared data;
  size_t next = 0;

  static Stream* of(ArrowArrayStream* self) { return static_cast<Stream*>(self->private_data); }
  static int get_schema(ArrowArrayStream* self, ArrowSchema* out) {
    export_schema(of(self)->data, of(self)->data->schema, out);
    return 0;
  }
  static int get_next(ArrowArrayStream* self, ArrowArray* out) {
    Stream* stream = of(self);
    if (stream->next == stream->data->batches.size()) {
      *out = {};
      return 0;
    }
    export_array(stream->data, stream->data->schema, stream->data->batches[stream->next++], out);
    return 0;
  }
  static const char* get_last_error(ArrowArrayStream*) { return nullptr; }
  static void release(ArrowArrayStream* self) {
    delete of(self);
    self->release = nullptr;
  }
};

}  // namespace

void to_stream(Shared data, ArrowArrayStream* out) {
  *out = {Stream::get_schema, Stream::get_next, Stream::get_last_error, Stream::release,
          new Stream{std::move(data), 0}};
}

}  // namespace sabir::table
