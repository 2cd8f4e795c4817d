// org.sabir.internal.Native: tables. Streams of the Arrow C data interface come and go as addresses.
#include <cstdint>

#include "sdk-java/native/support.h"

using namespace sabir::java;

extern "C" {

JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_tableFromStream(JNIEnv* env, jclass, jlong stream) {
  return make<sabir_table>(env, sabir_table_from_stream, pointer<ArrowArrayStream>(stream), uint32_t{0});
}

// A reference: the bytes lie in the store. 0: they are copied.
JNIEXPORT jlong JNICALL Java_org_sabir_internal_Native_tableFromView(JNIEnv* env, jclass, jlong address, jlong size,
                                                                     jlong ref) {
  constexpr uint8_t kTable = 3;  // docs/values.md
  sabir_view view{};
  view.encoding = SABIR_NEUTRAL;
  view.variant = kTable;
  view.in_store = ref != 0 ? 1 : 0;
  view.data = pointer<void>(address);
  view.size = static_cast<size_t>(size);
  return make<sabir_table>(env, sabir_table_from_view, &view, pointer<sabir_ref>(ref));
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_tableStream(JNIEnv*, jclass, jlong table, jlong stream) {
  sabir_table_stream(pointer<sabir_table>(table), pointer<ArrowArrayStream>(stream));
}

// Address and size of each part of the value; borrowed from the table.
JNIEXPORT jlongArray JNICALL Java_org_sabir_internal_Native_tableParts(JNIEnv* env, jclass, jlong table) {
  sabir_value value{};
  if (!call(env, sabir_table_value, pointer<sabir_table>(table), &value)) {
    return nullptr;
  }
  std::vector<jlong> words;
  for (uint32_t i = 0; i < value.part_count; ++i) {
    if (value.parts[i].size != 0) {
      words.push_back(handle(value.parts[i].data));
      words.push_back(static_cast<jlong>(value.parts[i].size));
    }
  }
  auto count = static_cast<jsize>(words.size());
  jlongArray array = env->NewLongArray(count);
  if (array != nullptr) {
    env->SetLongArrayRegion(array, 0, count, words.data());
  }
  return array;
}

// Rows, columns, batches.
JNIEXPORT jlongArray JNICALL Java_org_sabir_internal_Native_tableInfo(JNIEnv* env, jclass, jlong table) {
  sabir_table_info info = SABIR_TABLE_INFO_INIT;
  sabir_table_get_info(pointer<sabir_table>(table), &info, nullptr);
  const jlong words[] = {info.row_count, static_cast<jlong>(info.column_count), static_cast<jlong>(info.batch_count)};
  jlongArray array = env->NewLongArray(3);
  if (array != nullptr) {
    env->SetLongArrayRegion(array, 0, 3, words);
  }
  return array;
}

JNIEXPORT void JNICALL Java_org_sabir_internal_Native_destroyTable(JNIEnv*, jclass, jlong table) {
  sabir_table_destroy(pointer<sabir_table>(table));
}

}  // extern "C"
