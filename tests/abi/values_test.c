/* What the interface does for languages without macros and without a reader of FlexBuffers. */
#include <stdlib.h>
#include <string.h>

#include "tests/abi/support/harness.h"

/* The same bytes as the macro; more room than the library knows stays as it is, less is respected. */
static void defaults(void) {
  sabir_task_options wanted = SABIR_TASK_OPTIONS_INIT;
  sabir_task_options got;
  memset(&got, 0, sizeof(got));
  sabir_task_options_init(&got);
  CHECK(got.struct_size == 0 && got.num_returns == 0); /* its size is not set: nothing is known of its room */
  got.struct_size = offsetof(sabir_task_options, max_retries);
  sabir_task_options_init(&got);
  CHECK(got.num_returns == 1 && got.max_retries == 0);
  got.struct_size = sizeof(got);
  sabir_task_options_init(&got);
  CHECK(got.num_returns == wanted.num_returns && got.max_retries == wanted.max_retries);
  sabir_actor_options actor = {.struct_size = sizeof(actor)};
  sabir_actor_options_init(&actor);
  CHECK(actor.struct_size == sizeof(actor) && actor.max_concurrency == 1);
  sabir_config config = {.struct_size = sizeof(config)};
  sabir_config_init(&config);
  CHECK(config.log_to_driver == 1 && config.timeout_ns == 60000000000);
  sabir_failure failure = {.struct_size = sizeof(failure)};
  sabir_failure_init(&failure);
  CHECK(failure.kind == SABIR_TASK_FAILED);
}

/* A struct of zeros with its size set means what it says: no result, no retry; one call at a time. */
static void zeros(sabir_client* client) {
  sabir_function* sum = function(client, "sum");
  sabir_task_options options = {.struct_size = sizeof(options)};
  sabir_task* prepared = NULL;
  sabir_ref* none = NULL;
  CHECK_OK(sabir_task_prepare(client, sum, &options, &prepared, &error));
  CHECK_OK(sabir_task_submit(prepared, NULL, 0, &none, &error));
  CHECK(none == NULL);
  sabir_task_release(prepared);
  sabir_function_release(sum);
  sabir_client_info info = {.struct_size = sizeof(info)};
  CHECK_OK(sabir_client_get_info(client, &info, &error));
  CHECK(info.session_path.size != 0);
}

static void plain_is(uint8_t variant, const void* data, size_t size, const char* wanted, size_t wanted_size) {
  sabir_view view;
  memset(&view, 0, sizeof(view));
  view.encoding = SABIR_NEUTRAL;
  view.variant = variant;
  view.data = data;
  view.size = size;
  sabir_buffer* plain = NULL;
  CHECK_OK(sabir_view_to_plain(&view, &plain, &error));
  sabir_span bytes = sabir_buffer_bytes(plain);
  CHECK(bytes.size == wanted_size && memcmp(bytes.data, wanted, wanted_size) == 0);
  sabir_buffer_destroy(plain);
}

static void not_plain(sabir_encoding encoding, uint8_t variant, const char* data, size_t size, const char* part) {
  sabir_view view;
  memset(&view, 0, sizeof(view));
  view.encoding = encoding;
  view.language = SABIR_LANGUAGE_PYTHON;
  view.variant = variant;
  view.data = data;
  view.size = size;
  sabir_buffer* plain = NULL;
  sabir_error* refused = NULL;
  CHECK(sabir_view_to_plain(&view, &plain, &refused) == SABIR_INVALID_ARGUMENT && plain == NULL);
  sabir_string message = sabir_error_message(refused);
  CHECK(contains(message.data, message.size, part));
  sabir_error_destroy(refused);
}

static void plain_forms(void) {
  plain_is(SABIR_NEUTRAL_FLEXBUFFERS, "\x2a\x04\x01", 3, "i\x2a", 2);
  plain_is(SABIR_NEUTRAL_PLAIN, "i\x2a", 2, "i\x2a", 2);
  sabir_view null;
  memset(&null, 0, sizeof(null));
  sabir_buffer* plain = NULL;
  CHECK_OK(sabir_view_to_plain(&null, &plain, &error));
  CHECK(sabir_buffer_bytes(plain).size == 1);
  sabir_buffer_destroy(plain);
  not_plain(SABIR_NEUTRAL, SABIR_NEUTRAL_FLEXBUFFERS, "\x09\x14\x01", 3, "damaged");
  not_plain(SABIR_NEUTRAL, SABIR_NEUTRAL_FLEXBUFFERS, NULL, 0, "damaged");
  not_plain(SABIR_NEUTRAL, SABIR_NEUTRAL_BUFFERS, "", 0, "tensors");
  not_plain(SABIR_NEUTRAL, SABIR_NEUTRAL_TABLE, "", 0, "a table");
  not_plain(SABIR_NEUTRAL, 77, "", 0, "variant 77");
  not_plain(SABIR_TENSOR, 0, "", 0, "a tensor");
  not_plain(SABIR_NATIVE, 2, "", 0, "only Python reads");
  not_plain(SABIR_NATIVE, SABIR_NATIVE_NOTED | 2, "\3\0\0\0why", 7, "only Python reads: why");
  not_plain(SABIR_NATIVE, SABIR_NATIVE_NOTED | 2, "\xff\xff\xff\xffwhy", 7, "only Python reads;");
  not_plain(SABIR_NATIVE, SABIR_NATIVE_NOTED | 2, "\3", 1, "only Python reads;");
}

static void error_values(sabir_client* client) {
  sabir_failure root = SABIR_FAILURE_INIT;
  root.language = SABIR_LANGUAGE_OTHERS + 1;
  root.message = text("root");
  root.type = text("Type");
  root.stack = text("at x");
  root.native.data = "\1\0\2";
  root.native.size = 3;
  sabir_buffer* inner = NULL;
  CHECK_OK(sabir_failure_encode(&root, &inner, &error));
  sabir_view cause;
  memset(&cause, 0, sizeof(cause));
  cause.encoding = SABIR_NEUTRAL;
  cause.is_error = 1;
  cause.data = sabir_buffer_bytes(inner).data;
  cause.size = sabir_buffer_bytes(inner).size;
  sabir_failure top = SABIR_FAILURE_INIT;
  top.kind = SABIR_ACTOR_DIED;
  top.message = text("top");
  top.cause = &cause;
  sabir_buffer* outer = NULL;
  CHECK_OK(sabir_failure_encode(&top, &outer, &error));
  sabir_view view = cause;
  view.data = sabir_buffer_bytes(outer).data;
  view.size = sabir_buffer_bytes(outer).size;
  sabir_failure read = {.struct_size = sizeof(read)};
  CHECK_OK(sabir_failure_decode(&view, 0, &read, &error));
  CHECK(read.kind == SABIR_ACTOR_DIED && string_is(read.message, "top") && read.cause == NULL);
  CHECK_OK(sabir_failure_decode(&view, 1, &read, &error));
  CHECK(read.kind == SABIR_TASK_FAILED && read.language == SABIR_LANGUAGE_OTHERS + 1);
  CHECK(string_is(read.message, "root") && string_is(read.type, "Type") && string_is(read.stack, "at x"));
  CHECK(read.native.size == 3 && memcmp(read.native.data, "\1\0\2", 3) == 0);
  CHECK(sabir_failure_decode(&view, 2, &read, NULL) == SABIR_NOT_FOUND);
  CHECK(string_is(read.message, "root")); /* nothing is touched then */
  sabir_failure sizeless;
  memset(&sizeless, 0, sizeof(sizeless));
  CHECK(sabir_failure_decode(&view, 0, &sizeless, NULL) == SABIR_INVALID_ARGUMENT);
  /* Cut off or changed, it is refused or read, and nothing else. */
  unsigned char* damaged = malloc(view.size);
  for (size_t i = 0; i < view.size; ++i) {
    for (int change = 1; change < 256; change *= 2) {
      memcpy(damaged, view.data, view.size);
      damaged[i] ^= (unsigned char)change;
      sabir_view bad = view;
      bad.data = damaged;
      bad.size = change == 1 ? i : view.size;
      for (size_t depth = 0; depth < 3; ++depth) {
        sabir_status status = sabir_failure_decode(&bad, depth, &read, NULL);
        CHECK(status == SABIR_OK || status == SABIR_NOT_FOUND || status == SABIR_INVALID_ARGUMENT);
      }
    }
  }
  free(damaged);
  view.is_error = 0;
  CHECK(sabir_failure_decode(&view, 0, &read, NULL) == SABIR_INVALID_ARGUMENT);
  sabir_buffer_destroy(outer);
  sabir_buffer_destroy(inner);
  /* One that a call left. */
  sabir_task* fail = task(client, "fail", 1, 3);
  sabir_ref* failed = call(fail, 0, NULL);
  get(client, failed);
  CHECK_OK(sabir_ref_view(failed, &view, &error));
  CHECK_OK(sabir_failure_decode(&view, 0, &read, &error));
  CHECK(read.kind == SABIR_TASK_FAILED && contains(read.message.data, read.message.size, "it was told to fail"));
  sabir_ref_release(failed);
  sabir_task_release(fail);
}

int scenario(void) {
  defaults();
  plain_forms();
  sabir_client* client = start(1);
  zeros(client);
  error_values(client);
  stop(client);
  return 0;
}
