#include "sdk-java/native/incoming.h"

namespace sabir::java {
namespace {

// Beyond it a value in the store is read where it lies.
constexpr size_t kCopiedBytes = 1024;

}  // namespace

Incoming::Incoming(JNIEnv* env, jlongArray words, jbyteArray room)
    : env_(env), array_(words), room_(room), room_bytes_(static_cast<size_t>(env->GetArrayLength(room))) {
  words_.reserve(32);
}

jlong Incoming::copy(const void* data, size_t size) {
  if (size > kCopiedBytes || size > room_bytes_ - used_bytes_) {
    return -1;
  }
  auto at = static_cast<jsize>(used_bytes_);
  env_->SetByteArrayRegion(room_, at, static_cast<jsize>(size), static_cast<const jbyte*>(data));
  used_bytes_ += size;
  return at;
}

void Incoming::view(const sabir_view& view) {
  word(view.encoding | static_cast<jlong>(view.language) << 8 | static_cast<jlong>(view.variant) << 16 |
       static_cast<jlong>(view.is_error != 0) << 24 | static_cast<jlong>(view.in_store != 0) << 25);
  word(handle(view.data));
  word(static_cast<jlong>(view.size));
  word(copy(view.data, view.size));
  word(static_cast<jlong>(view.ref_count));
  for (size_t i = 0; i < view.ref_count; ++i) {
    word(handle(view.refs[i]) + (sabir_ref_is_actor(view.refs[i]) != 0 ? 1 : 0));
  }
}

void Incoming::text(sabir_string text) {
  word(copy(text.data, text.size));
  word(handle(text.data));
  word(static_cast<jlong>(text.size));
}

jint Incoming::finish() {
  auto count = static_cast<jsize>(words_.size());
  if (count > env_->GetArrayLength(array_)) {
    return -count;
  }
  env_->SetLongArrayRegion(array_, 0, count, words_.data());
  return count;
}

}  // namespace sabir::java
