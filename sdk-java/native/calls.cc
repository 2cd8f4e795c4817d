// org.sabir.internal.Native: functions, tasks, actors.
#include "sdk-java/native/outgoing.h"

using namespace sabir::java;

namespace {

jlongArray handles_of(JNIEnv* env, const std::vector<sabir_ref*>& refs) {
  std::vector<jlong> handles(refs.size());
  for (size_t i = 0; i < refs.size(); ++i) {
    handles[i] = handle(refs[i]);
  }
  jlongArray array = env->NewLongArray(static_cast<jsize>(handles.size()));
  if (array != nullptr) {
    env->SetLongArrayRegion(array, 0, static_cast<jsize>(handles.size()), handles.data());
  }
  return array;
}

}  // namespace

extern "C" {

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_exportFunction(JNIEnv* env, jclass, jlong client, jint kind,
                                                                      jint language, jbyteArray name, jbyteArray code) {
  std::string name_text = text_of(env, name);
  std::string code_text = text_of(env, code);
  return make<sabir_function>(env, sabir_function_export, pointer<sabir_client>(client),
                              static_cast<sabir_function_kind>(kind), static_cast<sabir_language>(language),
                              lend(name_text), sabir_span{code_text.data(), code_text.size()});
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_releaseFunction(JNIEnv*, jclass, jlong function) {
  sabir_function_release(pointer<sabir_function>(function));
}

// Name and code; numbers[0] becomes the kind.
JNIEXPORT jobjectArray JNICALL Java_org_sabir_internal_Native_getFunction(JNIEnv* env, jclass, jlong client, jint index,
                                                                          jlongArray numbers) {
  sabir_function_info info = SABIR_FUNCTION_INFO_INIT;
  if (!call(env, sabir_function_get, pointer<sabir_client>(client), static_cast<uint32_t>(index), &info)) {
    return nullptr;
  }
  jlong kind = info.kind;
  env->SetLongArrayRegion(numbers, 0, 1, &kind);
  jobjectArray texts = env->NewObjectArray(2, env->FindClass("[B"), nullptr);
  if (texts != nullptr) {
    env->SetObjectArrayElement(texts, 0, bytes_of(env, info.name));
    env->SetObjectArrayElement(texts, 1, bytes_of(env, info.code));
  }
  return texts;
}

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_prepareTask(JNIEnv* env, jclass, jlong client, jlong function,
                                                                   jobjectArray resource_names, jdoubleArray amounts,
                                                                   jint num_returns, jint max_retries,
                                                                   jboolean retry_errors, jbyteArray name,
                                                                   jobjectArray scheduling) {
  Resources resources;
  read_resources(env, resource_names, amounts, &resources);
  std::string name_text = text_of(env, name);
  sabir_task_options options = SABIR_TASK_OPTIONS_INIT;
  options.resources = resources.list.data();
  options.resource_count = resources.list.size();
  options.num_returns = static_cast<uint32_t>(num_returns);
  options.max_retries = max_retries;
  options.retry_errors = retry_errors ? 1 : 0;
  options.name = lend(name_text);
  SchedulingOf place(texts_of(env, scheduling), 0);
  options.scheduling = place.get();
  return make<sabir_task>(env, sabir_task_prepare, pointer<sabir_client>(client), pointer<sabir_function>(function),
                          &options);
}

JNIEXPORT jbyteArray JNICALL Java_org_sabir_internal_Native_infeasible(JNIEnv* env, jclass, jlong task) {
  return bytes_of(env, sabir_task_infeasible(pointer<sabir_task>(task)));
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_releaseTask(JNIEnv*, jclass, jlong task) {
  sabir_task_release(pointer<sabir_task>(task));
}

// One result: the common case, without an array.
JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_submitTask(JNIEnv* env, jclass, jlong task, jint arg_count,
                                                                  jbyteArray bytes, jint byte_count, jlongArray words,
                                                                  jint word_count) {
  Outgoing outgoing(env, bytes, byte_count, words, word_count);
  std::vector<sabir_arg> args = outgoing.args(static_cast<size_t>(arg_count));
  return make<sabir_ref>(env, sabir_task_submit, pointer<sabir_task>(task), args.data(), args.size());
}

JNIEXPORT jlongArray JNICALL Java_org_sabir_internal_Native_submitTaskMany(JNIEnv* env, jclass, jlong task,
                                                                           jint num_returns, jint arg_count,
                                                                           jbyteArray bytes, jint byte_count,
                                                                           jlongArray words, jint word_count) {
  Outgoing outgoing(env, bytes, byte_count, words, word_count);
  std::vector<sabir_arg> args = outgoing.args(static_cast<size_t>(arg_count));
  std::vector<sabir_ref*> refs(static_cast<size_t>(num_returns));
  return call(env, sabir_task_submit, pointer<sabir_task>(task), args.data(), args.size(), refs.data())
             ? handles_of(env, refs)
             : nullptr;
}

// numbers: max_restarts, max_task_retries, max_concurrency, detached, get_if_exists. texts: name, namespace, class
// info.
JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_createActor(JNIEnv* env, jclass, jlong client, jlong function,
                                                                   jobjectArray resource_names, jdoubleArray amounts,
                                                                   jlongArray numbers, jobjectArray texts,
                                                                   jint arg_count, jbyteArray bytes, jint byte_count,
                                                                   jlongArray words, jint word_count) {
  Resources resources;
  read_resources(env, resource_names, amounts, &resources);
  std::vector<jlong> number = longs_of(env, numbers);
  std::vector<std::string> text = texts_of(env, texts);
  sabir_actor_options options = SABIR_ACTOR_OPTIONS_INIT;
  options.resources = resources.list.data();
  options.resource_count = resources.list.size();
  options.max_restarts = static_cast<int32_t>(number[0]);
  options.max_task_retries = static_cast<int32_t>(number[1]);
  options.max_concurrency = static_cast<uint32_t>(number[2]);
  options.detached = number[3] != 0 ? 1 : 0;
  options.get_if_exists = number[4] != 0 ? 1 : 0;
  options.name = lend(text[0]);
  options.name_space = lend(text[1]);
  options.class_info = {text[2].data(), text[2].size()};
  SchedulingOf place(text, 3);
  options.scheduling = place.get();
  Outgoing outgoing(env, bytes, byte_count, words, word_count);
  std::vector<sabir_arg> args = outgoing.args(static_cast<size_t>(arg_count));
  return make<sabir_actor>(env, sabir_actor_create, pointer<sabir_client>(client), pointer<sabir_function>(function),
                           &options, args.data(), args.size());
}

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_lookupActor(JNIEnv* env, jclass, jlong client, jbyteArray name,
                                                                   jbyteArray name_space) {
  std::string name_text = text_of(env, name);
  std::string space_text = text_of(env, name_space);
  return make<sabir_actor>(env, sabir_actor_lookup, pointer<sabir_client>(client), lend(name_text), lend(space_text));
}

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_submitMethod(JNIEnv* env, jclass, jlong actor, jlong method,
                                                                    jint arg_count, jbyteArray bytes, jint byte_count,
                                                                    jlongArray words, jint word_count) {
  Outgoing outgoing(env, bytes, byte_count, words, word_count);
  std::vector<sabir_arg> args = outgoing.args(static_cast<size_t>(arg_count));
  return make<sabir_ref>(env, sabir_actor_submit, pointer<sabir_actor>(actor), pointer<sabir_function>(method),
                         uint32_t{1}, args.data(), args.size());
}

JNIEXPORT jlongArray JNICALL Java_org_sabir_internal_Native_submitMethodMany(JNIEnv* env, jclass, jlong actor,
                                                                             jlong method, jint num_returns,
                                                                             jint arg_count, jbyteArray bytes,
                                                                             jint byte_count, jlongArray words,
                                                                             jint word_count) {
  Outgoing outgoing(env, bytes, byte_count, words, word_count);
  std::vector<sabir_arg> args = outgoing.args(static_cast<size_t>(arg_count));
  std::vector<sabir_ref*> refs(static_cast<size_t>(num_returns));
  return call(env, sabir_actor_submit, pointer<sabir_actor>(actor), pointer<sabir_function>(method),
              static_cast<uint32_t>(num_returns), args.data(), args.size(), refs.data())
             ? handles_of(env, refs)
             : nullptr;
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_killActor(JNIEnv* env, jclass, jlong actor, jboolean no_restart) {
  call(env, sabir_actor_kill, pointer<sabir_actor>(actor), static_cast<uint8_t>(no_restart ? 1 : 0));
}

// Id, name, class name, class info; numbers[0] becomes the language.
JNIEXPORT jobjectArray JNICALL Java_org_sabir_internal_Native_actorInfo(JNIEnv* env, jclass, jlong actor,
                                                                        jlongArray numbers) {
  sabir_actor_info info = SABIR_ACTOR_INFO_INIT;
  if (!call(env, sabir_actor_get_info, pointer<sabir_actor>(actor), &info)) {
    return nullptr;
  }
  jlong language = info.language;
  env->SetLongArrayRegion(numbers, 0, 1, &language);
  jobjectArray texts = env->NewObjectArray(4, env->FindClass("[B"), nullptr);
  if (texts != nullptr) {
    env->SetObjectArrayElement(texts, 0, bytes_of(env, info.actor_id));
    env->SetObjectArrayElement(texts, 1, bytes_of(env, info.name));
    env->SetObjectArrayElement(texts, 2, bytes_of(env, info.class_name));
    env->SetObjectArrayElement(texts, 3, bytes_of(env, info.class_info));
  }
  return texts;
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_releaseActor(JNIEnv*, jclass, jlong actor) {
  sabir_actor_release(pointer<sabir_actor>(actor));
}

}  // extern "C"
