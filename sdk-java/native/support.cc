#include "sdk-java/native/support.h"

#include <utility>

namespace sabir::java {
namespace {

jclass errors_class = nullptr;
jmethodID make_exception = nullptr;

}  // namespace

bool load_support(JNIEnv* env) {
  jclass local = env->FindClass("org/sabir/internal/Errors");
  if (local == nullptr) {
    return false;
  }
  errors_class = static_cast<jclass>(env->NewGlobalRef(local));
  make_exception = env->GetStaticMethodID(errors_class, "ofStatus", "(I[B)Ljava/lang/Throwable;");
  return make_exception != nullptr;
}

void throw_error(JNIEnv* env, sabir_status status, sabir_error* error) {
  jbyteArray message = bytes_of(env, sabir_error_message(error));
  sabir_error_destroy(error);
  if (message == nullptr) {
    return;  // OutOfMemoryError is pending
  }
  auto* exception = static_cast<jthrowable>(
      env->CallStaticObjectMethod(errors_class, make_exception, static_cast<jint>(status), message));
  if (exception != nullptr && !env->ExceptionCheck()) {
    env->Throw(exception);
  }
}

jbyteArray bytes_of(JNIEnv* env, const void* data, size_t size) {
  if (size > static_cast<size_t>(INT32_MAX)) {
    env->ThrowNew(env->FindClass("java/lang/OutOfMemoryError"), "more bytes than an array can have");
    return nullptr;
  }
  jbyteArray array = env->NewByteArray(static_cast<jsize>(size));
  if (array != nullptr && size > 0) {
    env->SetByteArrayRegion(array, 0, static_cast<jsize>(size), static_cast<const jbyte*>(data));
  }
  return array;
}

std::string text_of(JNIEnv* env, jbyteArray array) {
  std::string text;
  if (array != nullptr) {
    text.resize(static_cast<size_t>(env->GetArrayLength(array)));
    env->GetByteArrayRegion(array, 0, static_cast<jsize>(text.size()), reinterpret_cast<jbyte*>(text.data()));
  }
  return text;
}

std::vector<std::string> texts_of(JNIEnv* env, jobjectArray array) {
  std::vector<std::string> texts;
  jsize count = array == nullptr ? 0 : env->GetArrayLength(array);
  for (jsize i = 0; i < count; ++i) {
    auto* item = static_cast<jbyteArray>(env->GetObjectArrayElement(array, i));
    texts.push_back(text_of(env, item));
    env->DeleteLocalRef(item);
  }
  return texts;
}

std::vector<jlong> longs_of(JNIEnv* env, jlongArray array) {
  std::vector<jlong> numbers(array == nullptr ? 0 : static_cast<size_t>(env->GetArrayLength(array)));
  if (!numbers.empty()) {
    env->GetLongArrayRegion(array, 0, static_cast<jsize>(numbers.size()), numbers.data());
  }
  return numbers;
}

SchedulingOf::SchedulingOf(std::vector<std::string> texts, size_t first)
    : texts_(std::move(texts)), given_(texts_.size() >= first + 6) {
  if (!given_) {
    return;
  }
  scheduling_.strategy = static_cast<sabir_strategy>(texts_[first][0] - '0');
  scheduling_.node_id = lend(texts_[first + 1]);
  scheduling_.soft = texts_[first + 2].empty() ? 0 : 1;
  scheduling_.group_id = lend(texts_[first + 3]);
  scheduling_.bundle = std::stoi(texts_[first + 4]);
  scheduling_.capture_children = texts_[first + 5].empty() ? 0 : 1;
  std::vector<size_t> ends;
  for (size_t i = first + 6; i + 1 < texts_.size(); i += 2) {
    if (texts_[i].empty()) {
      ends.push_back(conditions_.size());
    } else {
      conditions_.push_back({lend(texts_[i]), lend(texts_[i + 1])});
    }
  }
  ends.push_back(conditions_.size());
  scheduling_.labels = {conditions_.data(), ends[0]};
  for (size_t i = 1; i < ends.size(); ++i) {
    fallbacks_.push_back({conditions_.data() + ends[i - 1], ends[i] - ends[i - 1]});
  }
  scheduling_.fallbacks = fallbacks_.data();
  scheduling_.fallback_count = fallbacks_.size();
}

void read_resources(JNIEnv* env, jobjectArray names, jdoubleArray amounts, Resources* out) {
  out->names = texts_of(env, names);
  std::vector<jdouble> numbers(out->names.size());
  if (!numbers.empty()) {
    env->GetDoubleArrayRegion(amounts, 0, static_cast<jsize>(numbers.size()), numbers.data());
  }
  for (size_t i = 0; i < numbers.size(); ++i) {
    out->list.push_back({lend(out->names[i]), numbers[i]});
  }
}

}  // namespace sabir::java

extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* machine, void*) {
  JNIEnv* env = nullptr;
  if (machine->GetEnv(reinterpret_cast<void**>(&env), JNI_VERSION_10) != JNI_OK ||
      sabir_abi_version() != SABIR_ABI_VERSION || !sabir::java::load_support(env)) {
    return JNI_ERR;
  }
  return JNI_VERSION_10;
}
