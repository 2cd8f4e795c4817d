// Values on their way from Java to the core.
//
// Java hands over one array of bytes and one of words (CallBuffer.java). A value is:
//   encoding | language << 8 | variant << 16 | number of parts << 32
//   number of references
//   each part: where, size. Above zero: an address; else minus its offset in the bytes.
//   each reference: a sabir_ref*, or a sabir_actor* + 1
// An argument is: offset and size of its name in the bytes, a sabir_ref* or 0, and behind a 0 a value.
#pragma once

#include "sdk-java/native/support.h"

namespace sabir::java {

// Reads them; what it gives out lives as long as it does. One per call into the core.
class Outgoing {
 public:
  // Copies both arrays.
  Outgoing(JNIEnv* env, jbyteArray bytes, jint byte_count, jlongArray words, jint word_count);
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;
  // Ends the references that were made of handles.
  ~Outgoing();

  // The next values or arguments of the stream. Java is trusted: these are our own words.
  std::vector<sabir_value> values(size_t count);
  std::vector<sabir_arg> args(size_t count);

 private:
  sabir_value value();
  jlong next() { return words_[at_++]; }

  // Small calls need no memory of their own.
  static constexpr size_t kInlineBytes = 512;
  static constexpr size_t kInlineWords = 64;

  jbyte inline_bytes_[kInlineBytes];
  jlong inline_words_[kInlineWords];
  std::vector<jbyte> long_bytes_;
  std::vector<jlong> long_words_;
  const jbyte* bytes_ = inline_bytes_;
  const jlong* words_ = inline_words_;
  size_t at_ = 0;
  // Each value has arrays of its own, which must not move.
  std::vector<std::vector<sabir_span>> parts_;
  std::vector<std::vector<sabir_ref*>> refs_;
  std::vector<sabir_ref*> made_;
};

}  // namespace sabir::java
