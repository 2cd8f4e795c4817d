// org.sabir.internal.Native: placement groups.
#include <cstring>

#include "sdk-java/native/outgoing.h"

using namespace sabir::java;

namespace {

std::vector<jint> ints_of(JNIEnv* env, jintArray array) {
  std::vector<jint> numbers(static_cast<size_t>(env->GetArrayLength(array)));
  if (!numbers.empty()) {
    env->GetIntArrayRegion(array, 0, static_cast<jsize>(numbers.size()), numbers.data());
  }
  return numbers;
}

jbyteArray hex_of(JNIEnv* env, const sabir_group_id& id) { return bytes_of(env, id.hex, std::strlen(id.hex)); }

}  // namespace

extern "C" {

JNIEXPORT jbyteArray JNICALL Java_org_sabir_internal_Native_createGroup(JNIEnv* env, jclass, jlong client,
                                                                        jint strategy, jintArray resource_counts,
                                                                        jobjectArray names, jdoubleArray amounts,
                                                                        jintArray label_counts, jobjectArray labels,
                                                                        jbyteArray name, jbyteArray name_space,
                                                                        jboolean detached) {
  Resources resources;
  read_resources(env, names, amounts, &resources);
  std::vector<std::string> label_texts = texts_of(env, labels);
  std::vector<sabir_label> conditions;
  for (size_t i = 0; i + 1 < label_texts.size(); i += 2) {
    conditions.push_back({lend(label_texts[i]), lend(label_texts[i + 1])});
  }
  std::vector<jint> counts = ints_of(env, resource_counts);
  std::vector<jint> condition_counts = ints_of(env, label_counts);
  std::vector<sabir_bundle> bundles;
  size_t resource = 0;
  size_t condition = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    auto count = static_cast<size_t>(counts[i]);
    auto condition_count = static_cast<size_t>(condition_counts[i]);
    bundles.push_back({resources.list.data() + resource, count, {conditions.data() + condition, condition_count}});
    resource += count;
    condition += condition_count;
  }
  std::string name_text = text_of(env, name);
  std::string space_text = text_of(env, name_space);
  sabir_group_options options = SABIR_GROUP_OPTIONS_INIT;
  options.strategy = static_cast<sabir_group_strategy>(strategy);
  options.bundles = bundles.data();
  options.bundle_count = bundles.size();
  options.name = lend(name_text);
  options.name_space = lend(space_text);
  options.detached = detached ? 1 : 0;
  sabir_group_id id{};
  return call(env, sabir_group_create, pointer<sabir_client>(client), &options, &id) ? hex_of(env, id) : nullptr;
}

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_groupReady(JNIEnv* env, jclass, jlong client, jbyteArray group,
                                                                  jbyteArray bytes, jint byte_count, jlongArray words,
                                                                  jint word_count) {
  std::string id = text_of(env, group);
  Outgoing outgoing(env, bytes, byte_count, words, word_count);
  std::vector<sabir_value> values = outgoing.values(1);
  return make<sabir_ref>(env, sabir_group_ready, pointer<sabir_client>(client), lend(id), values.data());
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_removeGroup(JNIEnv* env, jclass, jlong client, jbyteArray group) {
  std::string id = text_of(env, group);
  call(env, sabir_group_remove, pointer<sabir_client>(client), lend(id));
}

JNIEXPORT jbyteArray JNICALL Java_org_sabir_internal_Native_findGroups(JNIEnv* env, jclass, jlong client,
                                                                       jbyteArray group, jbyteArray name,
                                                                       jbyteArray name_space) {
  std::string id = text_of(env, group);
  std::string name_text = text_of(env, name);
  std::string space_text = text_of(env, name_space);
  sabir_buffer* json = nullptr;
  if (!call(env, sabir_group_find, pointer<sabir_client>(client), lend(id), lend(name_text), lend(space_text), &json)) {
    return nullptr;
  }
  jbyteArray copy = bytes_of(env, sabir_buffer_bytes(json));
  sabir_buffer_destroy(json);
  return copy;
}

JNIEXPORT jbyteArray JNICALL Java_org_sabir_internal_Native_currentGroup(JNIEnv* env, jclass, jlong client) {
  sabir_current_group current = SABIR_CURRENT_GROUP_INIT;
  return call(env, sabir_group_current, pointer<sabir_client>(client), &current) ? hex_of(env, current.group) : nullptr;
}

}  // extern "C"
