// org.sabir.internal.Native: executing calls.
#include <cstring>

#include "sdk-java/native/incoming.h"
#include "sdk-java/native/outgoing.h"

using namespace sabir::java;

namespace {

jlong half_of_id(const uint8_t* bytes) {
  jlong half = 0;
  std::memcpy(&half, bytes, sizeof(half));
  return half;
}

jint describe(JNIEnv* env, sabir_work* work, jlongArray words, jbyteArray room) {
  sabir_work_view view{};
  sabir_work_get_view(work, &view);
  Incoming incoming(env, words, room);
  incoming.word(handle(work));
  incoming.word(view.kind);
  incoming.word(view.function_index);
  incoming.word(view.num_returns);
  incoming.word(view.attempt);
  incoming.word(static_cast<jlong>(view.gpu_mask));
  incoming.word(half_of_id(view.task_id));
  incoming.word(half_of_id(view.task_id + 8));
  incoming.word(view.caller_language);
  incoming.word(static_cast<jlong>(view.arg_count));
  for (size_t i = 0; i < view.arg_count; ++i) {
    const sabir_work_arg& arg = view.args[i];
    incoming.word(handle(arg.ref));
    incoming.text(arg.name);
    incoming.view(arg.value);
  }
  return incoming.finish();
}

constexpr jint kAgain = INT32_MIN;
constexpr jint kEnd = INT32_MIN + 1;

}  // namespace

extern "C" {

// Waits for a call and describes it: the number of words; minus that if there is no room, then describeWork must follow
// with the work in words[0]; kAgain, kEnd.
JNIEXPORT jint JNICALL Java_org_sabir_internal_Native_nextWork(JNIEnv* env, jclass, jlong client, jlongArray words,
                                                               jbyteArray room) {
  sabir_event event;
  size_t count = 0;
  sabir_status status =
      sabir_queue_next(sabir_client_work_queue(pointer<sabir_client>(client)), &event, 1, -1, nullptr, &count, nullptr);
  if (status == SABIR_INTERRUPTED || status == SABIR_TIMEOUT || (status == SABIR_OK && count == 0)) {
    return kAgain;
  }
  if (status != SABIR_OK || event.kind == SABIR_EVENT_EXIT) {
    return kEnd;
  }
  if (event.kind == SABIR_EVENT_WORK) {
    jlong work = handle(event.work);
    env->SetLongArrayRegion(words, 0, 1, &work);
    return describe(env, event.work, words, room);
  }
  sabir_buffer_destroy(event.buffer);
  return kAgain;
}

JNIEXPORT jint JNICALL Java_org_sabir_internal_Native_describeWork(JNIEnv* env, jclass, jlong work, jlongArray words,
                                                                   jbyteArray room) {
  return describe(env, pointer<sabir_work>(work), words, room);
}

// The work is ended whatever happens; an exception says that its caller got that error instead.
JNIEXPORT void JNICALL Java_org_sabir_internal_Native_finishWork(JNIEnv* env, jclass, jlong work, jint count,
                                                                 jbyteArray bytes, jint byte_count, jlongArray words,
                                                                 jint word_count) {
  Outgoing outgoing(env, bytes, byte_count, words, word_count);
  std::vector<sabir_value> values = outgoing.values(static_cast<size_t>(count));
  call(env, sabir_work_finish, pointer<sabir_work>(work), values.data(), values.size());
}

// fields: message, type, stack, native form, map of the cause; the last two may be null.
JNIEXPORT void JNICALL Java_org_sabir_internal_Native_failWork(JNIEnv* env, jclass, jlong work, jint kind,
                                                               jboolean retryable, jobjectArray fields) {
  std::vector<std::string> field = texts_of(env, fields);
  sabir_failure failure = SABIR_FAILURE_INIT;
  failure.kind = kind;
  failure.language = SABIR_LANGUAGE_JAVA;
  failure.retryable = retryable ? 1 : 0;
  failure.message = lend(field[0]);
  failure.type = lend(field[1]);
  failure.stack = lend(field[2]);
  failure.native = {field[3].data(), field[3].size()};
  sabir_view cause{};
  if (!field[4].empty()) {
    cause.encoding = SABIR_NEUTRAL;
    cause.is_error = 1;
    cause.data = field[4].data();
    cause.size = field[4].size();
    failure.cause = &cause;
  }
  sabir_error* error = nullptr;
  sabir_work_fail(pointer<sabir_work>(work), &failure, &error);
  sabir_error_destroy(error);  // a full store has become the caller's error by then
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_exitWorker(JNIEnv* env, jclass, jlong client) {
  call(env, sabir_worker_exit, pointer<sabir_client>(client));
}

}  // extern "C"
