// What every file of the binding needs: errors as exceptions, bytes and texts to and from Java.
//
// Pointers cross the border as jlong. Nothing of Java is called while a lock of the core could be held: the core has no
// callbacks.
#pragma once

#include <jni.h>

#include <string>
#include <vector>

#include "runtime/abi/sabir.h"

namespace sabir::java {

template <typename T>
T* pointer(jlong handle) {
  return reinterpret_cast<T*>(static_cast<intptr_t>(handle));
}
inline jlong handle(const void* pointer) { return static_cast<jlong>(reinterpret_cast<intptr_t>(pointer)); }

// Looks up what of Java is called from here; false with an exception pending.
bool load_support(JNIEnv* env);

// Throws the exception of the error's status, and ends the error.
void throw_error(JNIEnv* env, sabir_status status, sabir_error* error);

// Calls a function of sabir.h, whose last parameter is where its error goes; false with an exception pending.
template <typename... Parameters, typename... Arguments>
bool call(JNIEnv* env, sabir_status (*function)(Parameters...), Arguments... arguments) {
  sabir_error* error = nullptr;
  sabir_status status = function(arguments..., &error);
  if (status != SABIR_OK) [[unlikely]] {
    throw_error(env, status, error);
    return false;
  }
  return true;
}
// The same for one that makes a T, for which its last parameter but one is; 0 with an exception pending.
template <typename T, typename... Parameters, typename... Arguments>
jlong make(JNIEnv* env, sabir_status (*function)(Parameters...), Arguments... arguments) {
  T* made = nullptr;
  call(env, function, arguments..., &made);
  return handle(made);
}

jbyteArray bytes_of(JNIEnv* env, const void* data, size_t size);
inline jbyteArray bytes_of(JNIEnv* env, sabir_string text) { return bytes_of(env, text.data, text.size); }
inline jbyteArray bytes_of(JNIEnv* env, sabir_span span) { return bytes_of(env, span.data, span.size); }

// A copy of a Java array, empty for null.
std::string text_of(JNIEnv* env, jbyteArray array);
std::vector<std::string> texts_of(JNIEnv* env, jobjectArray array);
std::vector<jlong> longs_of(JNIEnv* env, jlongArray array);

inline sabir_string lend(const std::string& text) { return {text.data(), text.size()}; }

// Names and amounts of resources; `names` owns the texts.
struct Resources {
  std::vector<std::string> names;
  std::vector<sabir_resource> list;
};
// Where something runs: SchedulingTexts.java's texts, from one of them on.
class SchedulingOf {
 public:
  SchedulingOf(std::vector<std::string> texts, size_t first);
  SchedulingOf(const SchedulingOf&) = delete;
  SchedulingOf& operator=(const SchedulingOf&) = delete;

  const sabir_scheduling* get() const { return given_ ? &scheduling_ : nullptr; }

 private:
  const std::vector<std::string> texts_;
  const bool given_;
  sabir_scheduling scheduling_ = SABIR_SCHEDULING_INIT;
  std::vector<sabir_label> conditions_;  // of the labels and all fallbacks, one after the other
  std::vector<sabir_label_selector> fallbacks_;
};

void read_resources(JNIEnv* env, jobjectArray names, jdoubleArray amounts, Resources* out);

}  // namespace sabir::java
