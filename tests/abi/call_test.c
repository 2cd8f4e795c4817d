/* Calls from end to end: arguments, results, sizes, many at once. */
#include <stdlib.h>
#include <string.h>

#include "tests/abi/support/harness.h"

static void scalars(sabir_client* client) {
  sabir_task* noop = task(client, "noop", 1, 3);
  sabir_ref* ref = NULL;
  CHECK_OK(sabir_task_submit(noop, NULL, 0, &ref, &error));
  get(client, ref);
  sabir_view view;
  CHECK_OK(sabir_ref_view(ref, &view, &error));
  CHECK(view.encoding == SABIR_NULL && view.size == 0 && !view.is_error);
  CHECK(sabir_ref_ready(ref) == 1);
  sabir_ref_release(ref);
  sabir_task_release(noop);
  sabir_task* sum = task(client, "sum", 1, 3);
  int64_t args[3] = {1, 20, 300};
  CHECK(take_int(client, call(sum, 3, args)) == 321);
  sabir_task_release(sum);
}

/* Each size travels another way: beside the cell's fields, in a block, in the store. */
static void sizes(sabir_client* client) {
  static const size_t kSizes[] = {0, 1, 8, 39, 40, 41, 64, 65, 1000, 5000, 65535, 65536, 131072, 5000000};
  sabir_task* echo = task(client, "echo", 1, 3);
  for (size_t i = 0; i < sizeof(kSizes) / sizeof(*kSizes); ++i) {
    char* data = malloc(kSizes[i] + 1);
    memset(data, 'a' + (int)i, kSizes[i]);
    bytes storage;
    sabir_arg arg;
    memset(&arg, 0, sizeof(arg));
    arg.value = *raw(&storage, data, kSizes[i]);
    sabir_ref* ref = NULL;
    CHECK_OK(sabir_task_submit(echo, &arg, 1, &ref, &error));
    get(client, ref);
    sabir_view view;
    CHECK_OK(sabir_ref_view(ref, &view, &error));
    CHECK(view.size == kSizes[i]);
    CHECK(kSizes[i] == 0 || memcmp(view.data, data, view.size) == 0);
    CHECK((uintptr_t)view.data % (view.in_store ? 64 : 8) == 0);
    sabir_ref_release(ref);
    free(data);
  }
  sabir_task_release(echo);
}

static void pipelined(sabir_client* client) {
  enum { kCalls = 10000 };
  sabir_task* sum = task(client, "sum", 1, 3);
  sabir_ref** refs = calloc(kCalls, sizeof(*refs));
  for (int64_t i = 0; i < kCalls; ++i) {
    refs[i] = call(sum, 1, &i);
  }
  CHECK_OK(sabir_get(client, refs, kCalls, FOREVER, NULL, &error));
  for (int64_t i = 0; i < kCalls; ++i) {
    CHECK(take_int(client, refs[i]) == i);
  }
  free(refs);
  sabir_task_release(sum);
}

static void several_results(sabir_client* client) {
  static const uint32_t kCounts[] = {0, 2, 5, 300, 65535};
  for (size_t i = 0; i < sizeof(kCounts) / sizeof(*kCounts); ++i) {
    sabir_task* many = task(client, "many", kCounts[i], 3);
    sabir_ref** refs = calloc(kCounts[i] + 1, sizeof(*refs));
    CHECK_OK(sabir_task_submit(many, NULL, 0, refs, &error));
    for (uint32_t j = 0; j < kCounts[i]; ++j) {
      CHECK(take_int(client, refs[j]) == j);
    }
    free(refs);
    sabir_task_release(many);
  }
}

static void many_arguments(sabir_client* client) {
  enum { kArgs = 20000 };
  sabir_task* sum = task(client, "sum", 1, 3);
  bytes* storage = calloc(kArgs, sizeof(*storage));
  sabir_arg* args = calloc(kArgs, sizeof(*args));
  int64_t* numbers = calloc(kArgs, sizeof(*numbers));
  int64_t wanted = 0;
  for (int64_t i = 0; i < kArgs; ++i) {
    numbers[i] = i;
    wanted += i;
    args[i].value = *raw(&storage[i], &numbers[i], sizeof(numbers[i]));
    args[i].name = text(i + 1 == kArgs ? "last" : "");
  }
  sabir_ref* ref = NULL;
  CHECK_OK(sabir_task_submit(sum, args, kArgs, &ref, &error));
  CHECK(take_int(client, ref) == wanted);
  free(storage);
  free(args);
  free(numbers);
  sabir_task_release(sum);
}

static void callers_language(sabir_client* client) {
  sabir_task* caller = task(client, "caller", 1, 3);
  CHECK(take_int(client, call(caller, 0, NULL)) == SABIR_LANGUAGE_C);
  sabir_task_release(caller);
}

int scenario(void) {
  sabir_client* client = start(2);
  scalars(client);
  callers_language(client);
  sizes(client);
  pipelined(client);
  several_results(client);
  many_arguments(client);
  stop(client);
  return 0;
}
