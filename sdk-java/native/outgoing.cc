#include "sdk-java/native/outgoing.h"

namespace sabir::java {

Outgoing::Outgoing(JNIEnv* env, jbyteArray bytes, jint byte_count, jlongArray words, jint word_count) {
  jbyte* byte_room = inline_bytes_;
  if (static_cast<size_t>(byte_count) > kInlineBytes) {
    long_bytes_.resize(static_cast<size_t>(byte_count));
    byte_room = long_bytes_.data();
    bytes_ = byte_room;
  }
  jlong* word_room = inline_words_;
  if (static_cast<size_t>(word_count) > kInlineWords) {
    long_words_.resize(static_cast<size_t>(word_count));
    word_room = long_words_.data();
    words_ = word_room;
  }
  env->GetByteArrayRegion(bytes, 0, byte_count, byte_room);
  env->GetLongArrayRegion(words, 0, word_count, word_room);
}

Outgoing::~Outgoing() {
  for (sabir_ref* ref : made_) {
    sabir_ref_release(ref);
  }
}

sabir_value Outgoing::value() {
  sabir_value value{};
  jlong head = next();
  value.encoding = static_cast<sabir_encoding>(head & 0xff);
  value.language = static_cast<sabir_language>(head >> 8 & 0xff);
  value.variant = static_cast<uint8_t>(head >> 16 & 0xff);
  value.part_count = static_cast<uint32_t>(head >> 32);
  value.ref_count = static_cast<size_t>(next());
  std::vector<sabir_span>& parts = parts_.emplace_back(value.part_count);
  for (sabir_span& part : parts) {
    jlong where = next();
    part.data = where > 0 ? pointer<void>(where) : bytes_ - where;
    part.size = static_cast<size_t>(next());
  }
  value.parts = parts.data();
  if (value.ref_count > 0) {
    std::vector<sabir_ref*>& refs = refs_.emplace_back(value.ref_count);
    for (sabir_ref*& ref : refs) {
      jlong word = next();
      if ((word & 1) != 0) {
        ref = sabir_actor_as_ref(pointer<sabir_actor>(word - 1));
        made_.push_back(ref);
      } else {
        ref = pointer<sabir_ref>(word);
      }
    }
    value.refs = refs.data();
  }
  return value;
}

std::vector<sabir_value> Outgoing::values(size_t count) {
  std::vector<sabir_value> values;
  values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    values.push_back(value());
  }
  return values;
}

std::vector<sabir_arg> Outgoing::args(size_t count) {
  std::vector<sabir_arg> args(count);
  parts_.reserve(count);
  for (sabir_arg& arg : args) {
    const jbyte* name = bytes_ + next();
    arg.name = {reinterpret_cast<const char*>(name), static_cast<size_t>(next())};
    arg.ref = pointer<sabir_ref>(next());
    if (arg.ref == nullptr) {
      arg.value = value();
    }
  }
  return args;
}

}  // namespace sabir::java
