// Values on their way from the core to Java, described by words (ViewBuffer.java).
#pragma once

#include "sdk-java/native/support.h"

namespace sabir::java {

// Fills Java's two arrays of one description: words, and room for the bytes of small values.
class Incoming {
 public:
  Incoming(JNIEnv* env, jlongArray words, jbyteArray room);

  void word(jlong word) { words_.push_back(word); }
  // Appends a view:
  //   encoding | language << 8 | variant << 16 | is_error << 24 | in_store << 25
  //   address, size, offset of a copy of the bytes in the room or -1
  //   number of references, each a sabir_ref*, + 1 if it is an actor's
  void view(const sabir_view& view);
  void text(sabir_string text);  // offset in the room or -1, address, size

  // Copies the words over. The number of words, or minus that if Java's array has no room for them.
  jint finish();

 private:
  jlong copy(const void* data, size_t size);

  JNIEnv* env_;
  jlongArray array_;
  jbyteArray room_;
  size_t room_bytes_;
  size_t used_bytes_ = 0;
  std::vector<jlong> words_;
};

}  // namespace sabir::java
