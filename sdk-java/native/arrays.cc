// org.sabir.internal.Native: Java's arrays of primitives, copied straight into the store.
#include "sdk-java/native/support.h"

using namespace sabir::java;

namespace {

// The items as they lie in the heap. `type` is the JVM's letter for that of an item.
void copy_items(JNIEnv* env, jobject array, jchar type, jsize count, void* out) {
  switch (type) {
    case 'J':
      return env->GetLongArrayRegion(static_cast<jlongArray>(array), 0, count, static_cast<jlong*>(out));
    case 'D':
      return env->GetDoubleArrayRegion(static_cast<jdoubleArray>(array), 0, count, static_cast<jdouble*>(out));
    case 'I':
      return env->GetIntArrayRegion(static_cast<jintArray>(array), 0, count, static_cast<jint*>(out));
    case 'F':
      return env->GetFloatArrayRegion(static_cast<jfloatArray>(array), 0, count, static_cast<jfloat*>(out));
    case 'S':
      return env->GetShortArrayRegion(static_cast<jshortArray>(array), 0, count, static_cast<jshort*>(out));
    case 'Z':
      return env->GetBooleanArrayRegion(static_cast<jbooleanArray>(array), 0, count, static_cast<jboolean*>(out));
    default:
      return env->GetByteArrayRegion(static_cast<jbyteArray>(array), 0, count, static_cast<jbyte*>(out));
  }
}

}  // namespace

extern "C" {

// A tensor of one dimension: its head, which ends where the items begin, and the items.
JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_putArray(JNIEnv* env, jclass, jlong client, jlong timeout_ns,
                                                                jbyteArray head, jobject array, jchar type,
                                                                jint item_bytes) {
  jsize head_bytes = env->GetArrayLength(head);
  jsize count = env->GetArrayLength(static_cast<jarray>(array));
  size_t size = static_cast<size_t>(head_bytes) + static_cast<size_t>(count) * static_cast<size_t>(item_bytes);
  sabir_builder* builder = nullptr;
  void* data = nullptr;
  if (!call(env, sabir_builder_create, pointer<sabir_client>(client), SABIR_TENSOR, SABIR_LANGUAGE_NONE, size,
            timeout_ns, &builder, &data)) {
    return 0;
  }
  auto* bytes = static_cast<jbyte*>(data);
  env->GetByteArrayRegion(head, 0, head_bytes, bytes);
  copy_items(env, array, type, count, bytes + head_bytes);
  return make<sabir_ref>(env, sabir_builder_seal, builder);
}

}  // extern "C"
