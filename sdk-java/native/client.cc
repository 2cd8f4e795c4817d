// org.sabir.internal.Native: joining and leaving a session.
#include "sdk-java/native/support.h"

using namespace sabir::java;

extern "C" {

// texts: address, daemon, session root, job name, namespace, job config. commands: for each language the words of the
// command that starts its workers.
JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_startDriver(JNIEnv* env, jclass, jobjectArray texts,
                                                                   jobjectArray resource_names, jdoubleArray amounts,
                                                                   jlong store_bytes, jboolean log_to_driver,
                                                                   jlong timeout_ns, jintArray languages,
                                                                   jintArray modes, jintArray slots,
                                                                   jobjectArray commands) {
  std::vector<std::string> text = texts_of(env, texts);
  Resources resources;
  read_resources(env, resource_names, amounts, &resources);
  auto count = static_cast<size_t>(env->GetArrayLength(languages));
  std::vector<jint> language(count);
  std::vector<jint> mode(count);
  env->GetIntArrayRegion(languages, 0, static_cast<jsize>(count), language.data());
  env->GetIntArrayRegion(modes, 0, static_cast<jsize>(count), mode.data());
  std::vector<jint> slots_per_process(count);
  env->GetIntArrayRegion(slots, 0, static_cast<jsize>(count), slots_per_process.data());
  std::vector<std::vector<std::string>> words(count);
  std::vector<std::vector<sabir_string>> argv(count);
  std::vector<sabir_language_env> envs(count);
  for (size_t i = 0; i < count; ++i) {
    words[i] = texts_of(env, static_cast<jobjectArray>(env->GetObjectArrayElement(commands, static_cast<jsize>(i))));
    for (const std::string& word : words[i]) {
      argv[i].push_back(lend(word));
    }
    envs[i] = {static_cast<sabir_language>(language[i]), static_cast<sabir_launch_mode>(mode[i]), argv[i].data(),
               argv[i].size()};
  }
  sabir_config config = SABIR_CONFIG_INIT;
  config.address = lend(text[0]);
  config.daemon_path = lend(text[1]);
  config.session_root = lend(text[2]);
  config.job_name = lend(text[3]);
  config.name_space = lend(text[4]);
  config.job_config = {text[5].data(), text[5].size()};
  config.resources = resources.list.data();
  config.resource_count = resources.list.size();
  config.store_bytes = static_cast<uint64_t>(store_bytes);
  config.language_envs = envs.data();
  config.language_env_count = envs.size();
  config.slots_per_process = reinterpret_cast<const uint32_t*>(slots_per_process.data());
  config.log_to_driver = log_to_driver ? 1 : 0;
  config.language = SABIR_LANGUAGE_JAVA;
  config.timeout_ns = timeout_ns;
  return make<sabir_client>(env, sabir_client_start, &config);
}

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_startWorker(JNIEnv* env, jclass) {
  sabir_string from_environment = {nullptr, 0};
  return make<sabir_client>(env, sabir_client_start_worker, from_environment, from_environment);
}

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_adoptRef(JNIEnv* env, jclass, jlong client, jlong ref) {
  return make<sabir_ref>(env, sabir_ref_adopt, pointer<sabir_client>(client), pointer<sabir_ref>(ref));
}

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_adoptActor(JNIEnv* env, jclass, jlong client, jlong actor) {
  sabir_ref* ref = sabir_actor_as_ref(pointer<sabir_actor>(actor));
  jlong adopted = make<sabir_ref>(env, sabir_ref_adopt, pointer<sabir_client>(client), ref);
  sabir_ref_release(ref);
  if (adopted == 0) {
    return 0;
  }
  jlong handle = make<sabir_actor>(env, sabir_ref_as_actor, pointer<sabir_ref>(adopted));
  sabir_ref_release(pointer<sabir_ref>(adopted));
  return handle;
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_shutdown(JNIEnv* env, jclass, jlong client) {
  call(env, sabir_client_shutdown, pointer<sabir_client>(client));
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_destroyClient(JNIEnv*, jclass, jlong client) {
  sabir_client_destroy(pointer<sabir_client>(client));
}

// Session path, job, node and process id, namespace, job config, actor id.
JNIEXPORT jobjectArray JNICALL Java_org_sabir_internal_Native_clientInfo(JNIEnv* env, jclass, jlong client) {
  sabir_client_info info = SABIR_CLIENT_INFO_INIT;
  if (!call(env, sabir_client_get_info, pointer<sabir_client>(client), &info)) {
    return nullptr;
  }
  sabir_string job_config = {static_cast<const char*>(info.job_config.data), info.job_config.size};
  sabir_string fields[] = {info.session_path, info.job_id, info.node_id, info.process_id,
                           info.name_space,   job_config,  info.actor_id};
  jsize count = sizeof(fields) / sizeof(fields[0]);
  jobjectArray array = env->NewObjectArray(count, env->FindClass("[B"), nullptr);
  for (jsize i = 0; array != nullptr && i < count; ++i) {
    env->SetObjectArrayElement(array, i, bytes_of(env, fields[i]));
  }
  return array;
}

JNIEXPORT jbyteArray JNICALL Java_org_sabir_internal_Native_sessionStatus(JNIEnv* env, jclass, jlong client) {
  sabir_buffer* json = nullptr;
  if (!call(env, sabir_session_status, pointer<sabir_client>(client), &json)) {
    return nullptr;
  }
  jbyteArray bytes = bytes_of(env, sabir_buffer_bytes(json));
  sabir_buffer_destroy(json);
  return bytes;
}

}  // extern "C"
