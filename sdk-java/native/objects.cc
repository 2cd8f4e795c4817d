// org.sabir.internal.Native: objects, references, raw memory.
#include <cstring>

#include "sdk-java/native/incoming.h"
#include "sdk-java/native/outgoing.h"

using namespace sabir::java;

namespace {

// What Java handles without an exception: it loops, or has an exception of its own.
constexpr jint kTimeout = INT32_MIN;
constexpr jint kInterrupted = INT32_MIN + 1;

// As `call`, for what waits; unless it went well, *out is what to return, with an exception pending or not.
template <typename... Parameters, typename... Arguments>
bool waited(JNIEnv* env, jint* out, sabir_status (*function)(Parameters...), Arguments... arguments) {
  sabir_error* error = nullptr;
  sabir_status status = function(arguments..., &error);
  if (status == SABIR_OK) {
    return true;
  }
  if (status == SABIR_TIMEOUT || status == SABIR_INTERRUPTED) {
    sabir_error_destroy(error);
    *out = status == SABIR_TIMEOUT ? kTimeout : kInterrupted;
  } else {
    throw_error(env, status, error);
    *out = 0;
  }
  return false;
}

jint describe(JNIEnv* env, sabir_ref* ref, jlongArray words, jbyteArray room) {
  sabir_view view;
  jint failed = 0;
  if (!waited(env, &failed, sabir_ref_view, ref, &view)) {
    return failed;
  }
  Incoming incoming(env, words, room);
  incoming.view(view);
  return incoming.finish();
}

// The handles of an array of Java, as the core wants them.
sabir_ref* const* refs_in(const std::vector<jlong>& handles) {
  static_assert(sizeof(jlong) == sizeof(sabir_ref*));
  return reinterpret_cast<sabir_ref* const*>(handles.data());
}

}  // namespace

extern "C" {

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_put(JNIEnv* env, jclass, jlong client, jlong timeout_ns,
                                                           jbyteArray bytes, jint byte_count, jlongArray words,
                                                           jint word_count) {
  Outgoing outgoing(env, bytes, byte_count, words, word_count);
  std::vector<sabir_value> values = outgoing.values(1);
  return make<sabir_ref>(env, sabir_put, pointer<sabir_client>(client), values.data(), timeout_ns);
}

// Waits for the value and describes it; the number of words, minus that if there is no room, kTimeout, kInterrupted.
JNIEXPORT jint JNICALL Java_org_sabir_internal_Native_get(JNIEnv* env, jclass, jlong client, jlong ref,
                                                          jlong timeout_ns, jlong waiter, jlongArray words,
                                                          jbyteArray room) {
  auto* reference = pointer<sabir_ref>(ref);
  jint failed = 0;
  if (sabir_ref_ready(reference) == 0 && !waited(env, &failed, sabir_get, pointer<sabir_client>(client), &reference,
                                                 size_t{1}, timeout_ns, pointer<sabir_waiter>(waiter))) {
    return failed;
  }
  return describe(env, reference, words, room);
}

// 0, kTimeout, kInterrupted.
JNIEXPORT jint JNICALL Java_org_sabir_internal_Native_getAll(JNIEnv* env, jclass, jlong client, jlongArray refs,
                                                             jlong timeout_ns, jlong waiter) {
  std::vector<jlong> handles = longs_of(env, refs);
  jint failed = 0;
  waited(env, &failed, sabir_get, pointer<sabir_client>(client), refs_in(handles), handles.size(), timeout_ns,
         pointer<sabir_waiter>(waiter));
  return failed;
}

// Describes what is there: as get, but kTimeout at once.
JNIEXPORT jint JNICALL Java_org_sabir_internal_Native_view(JNIEnv* env, jclass, jlong ref, jlongArray words,
                                                           jbyteArray room) {
  return describe(env, pointer<sabir_ref>(ref), words, room);
}

// How many are ready, kInterrupted.
JNIEXPORT jint JNICALL Java_org_sabir_internal_Native_waitFor(JNIEnv* env, jclass, jlong client, jlongArray refs,
                                                              jint num_ready, jlong timeout_ns, jlong waiter,
                                                              jbyteArray ready) {
  std::vector<jlong> handles = longs_of(env, refs);
  std::vector<uint8_t> marks(handles.size());
  size_t count = 0;
  jint failed = 0;
  if (!waited(env, &failed, sabir_wait, pointer<sabir_client>(client), refs_in(handles), handles.size(),
              static_cast<size_t>(num_ready), timeout_ns, pointer<sabir_waiter>(waiter), marks.data(), &count)) {
    return failed;
  }
  env->SetByteArrayRegion(ready, 0, static_cast<jsize>(marks.size()), reinterpret_cast<const jbyte*>(marks.data()));
  return static_cast<jint>(count);
}

JNIEXPORT jboolean JNICALL Java_org_sabir_internal_Native_isReady(JNIEnv*, jclass, jlong ref) {
  return sabir_ref_ready(pointer<sabir_ref>(ref)) != 0;
}

JNIEXPORT jbyteArray JNICALL Java_org_sabir_internal_Native_refId(JNIEnv* env, jclass, jlong ref) {
  uint8_t id[16];
  sabir_ref_id(pointer<sabir_ref>(ref), id);
  return bytes_of(env, id, sizeof(id));
}

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_retainRef(JNIEnv*, jclass, jlong ref) {
  return handle(sabir_ref_retain(pointer<sabir_ref>(ref)));
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_releaseRef(JNIEnv*, jclass, jlong ref) {
  sabir_ref_release(pointer<sabir_ref>(ref));
}

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_refAsActor(JNIEnv* env, jclass, jlong ref) {
  return make<sabir_actor>(env, sabir_ref_as_actor, pointer<sabir_ref>(ref));
}

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_addressOf(JNIEnv* env, jclass, jobject buffer) {
  return handle(env->GetDirectBufferAddress(buffer));
}

// A buffer over memory of the core: whoever asks keeps a reference as long as the buffer lives.
JNIEXPORT jobject JNICALL Java_org_sabir_internal_Native_bufferAt(JNIEnv* env, jclass, jlong address, jint size) {
  static char nothing;
  return env->NewDirectByteBuffer(size == 0 ? &nothing : pointer<void>(address), size);
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_copy(JNIEnv* env, jclass, jlong address, jbyteArray into) {
  env->SetByteArrayRegion(into, 0, env->GetArrayLength(into), pointer<jbyte>(address));
}

}  // extern "C"
