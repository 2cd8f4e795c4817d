// org.sabir.internal.Native: completions, notices, interrupts.
#include <algorithm>

#include "sdk-java/native/support.h"

using namespace sabir::java;

extern "C" {

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_createWaiter(JNIEnv* env, jclass) {
  return make<sabir_waiter>(env, sabir_waiter_create);
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_interrupt(JNIEnv*, jclass, jlong waiter) {
  sabir_waiter_interrupt(pointer<sabir_waiter>(waiter));
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_destroyWaiter(JNIEnv*, jclass, jlong waiter) {
  sabir_waiter_destroy(pointer<sabir_waiter>(waiter));
}

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_createQueue(JNIEnv* env, jclass, jlong client) {
  return make<sabir_queue>(env, sabir_queue_create, pointer<sabir_client>(client));
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_destroyQueue(JNIEnv*, jclass, jlong queue) {
  sabir_queue_destroy(pointer<sabir_queue>(queue));
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_watch(JNIEnv* env, jclass, jlong ref, jlong queue, jlong tag) {
  call(env, sabir_ref_watch, pointer<sabir_ref>(ref), pointer<sabir_queue>(queue), static_cast<uint64_t>(tag));
}

// Waits for completions: how many tags there are, 0 after an interrupt, -1 at the end of the session.
JNIEXPORT jint JNICALL Java_org_sabir_internal_Native_nextTags(JNIEnv* env, jclass, jlong queue, jlongArray tags) {
  constexpr size_t kMost = 64;
  sabir_event events[kMost];
  size_t count = 0;
  size_t capacity = std::min(kMost, static_cast<size_t>(env->GetArrayLength(tags)));
  sabir_status status = sabir_queue_next(pointer<sabir_queue>(queue), events, capacity, -1, nullptr, &count, nullptr);
  if (status == SABIR_INTERRUPTED || status == SABIR_TIMEOUT) {
    return 0;
  }
  if (status != SABIR_OK) {
    return -1;
  }
  jlong found[kMost];
  for (size_t i = 0; i < count; ++i) {
    found[i] = static_cast<jlong>(events[i].tag);
  }
  env->SetLongArrayRegion(tags, 0, static_cast<jsize>(count), found);
  return static_cast<jint>(count);
}

// Waits for what the node has to say: the event's kind, 0 after an interrupt, -1 at the end of the session. texts: name
// of the task and lines, or a warning. numbers: pid, stream, lines left out.
JNIEXPORT jint JNICALL Java_org_sabir_internal_Native_nextNotice(JNIEnv* env, jclass, jlong client, jobjectArray texts,
                                                                 jlongArray numbers) {
  sabir_event event;
  size_t count = 0;
  sabir_status status = sabir_queue_next(sabir_client_notice_queue(pointer<sabir_client>(client)), &event, 1, -1,
                                         nullptr, &count, nullptr);
  if (status == SABIR_INTERRUPTED || status == SABIR_TIMEOUT || (status == SABIR_OK && count == 0)) {
    return 0;
  }
  if (status != SABIR_OK) {
    return -1;
  }
  if (event.kind == SABIR_EVENT_LOG) {
    sabir_log_view log = SABIR_LOG_VIEW_INIT;
    if (call(env, sabir_log_read, event.buffer, &log)) {
      env->SetObjectArrayElement(texts, 0, bytes_of(env, log.task_name));
      env->SetObjectArrayElement(texts, 1, bytes_of(env, log.text));
      jlong fields[] = {log.pid, log.stream, static_cast<jlong>(log.dropped_lines)};
      env->SetLongArrayRegion(numbers, 0, 3, fields);
    }
  } else if (event.buffer != nullptr) {
    env->SetObjectArrayElement(texts, 0, bytes_of(env, sabir_buffer_bytes(event.buffer)));
  }
  sabir_buffer_destroy(event.buffer);
  return static_cast<jint>(event.kind);
}

}  // extern "C"
