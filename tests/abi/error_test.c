/* Calls that fail: user code, dead workers, arguments with errors, classes that no node can serve. */
#include <string.h>

#include "tests/abi/support/harness.h"

static sabir_ref* call_with_ref(sabir_task* prepared, sabir_ref* ref) {
  sabir_arg arg;
  memset(&arg, 0, sizeof(arg));
  arg.ref = ref;
  sabir_ref* result = NULL;
  CHECK_OK(sabir_task_submit(prepared, &arg, 1, &result, &error));
  return result;
}

static void user_errors(sabir_client* client) {
  sabir_task* fail = task(client, "fail", 1, 3);
  sabir_task* sum = task(client, "sum", 1, 3);
  expect_error(client, call(fail, 0, NULL), "it was told to fail");
  /* An error in an argument goes on without running anything. */
  sabir_ref* failed = call(fail, 0, NULL);
  sabir_ref* next = call_with_ref(sum, failed);
  expect_error(client, call_with_ref(sum, next), "it was told to fail");
  sabir_ref_release(next);
  sabir_ref_release(failed);
  /* The first error in time ends a get, also when an earlier reference has no value. */
  sabir_task* slow = task(client, "slow", 1, 3);
  int64_t args[2] = {2000, 0};
  sabir_ref* refs[2] = {call(slow, 2, args), call(fail, 0, NULL)};
  CHECK_OK(sabir_get(client, refs, 2, FOREVER, NULL, &error));
  CHECK(sabir_ref_ready(refs[0]) == 0 && sabir_ref_ready(refs[1]) == 1);
  sabir_ref_release(refs[0]);
  sabir_ref_release(refs[1]);
  /* All results of a failed call have the error. */
  sabir_task* many = task(client, "fail", 3, 3);
  sabir_ref* results[3];
  CHECK_OK(sabir_task_submit(many, NULL, 0, results, &error));
  for (int i = 0; i < 3; ++i) {
    expect_error(client, results[i], "it was told to fail");
  }
  sabir_task_release(many);
  sabir_task_release(slow);
  sabir_task_release(sum);
  sabir_task_release(fail);
}

static void retried_errors(sabir_client* client) {
  sabir_function* exported = function(client, "fail_twice");
  sabir_task_options options = SABIR_TASK_OPTIONS_INIT;
  options.retry_errors = 1;
  options.max_retries = 2;
  sabir_task* patient = NULL;
  CHECK_OK(sabir_task_prepare(client, exported, &options, &patient, &error));
  CHECK(take_int(client, call(patient, 0, NULL)) == 2);
  options.max_retries = 1;
  sabir_task* impatient = NULL;
  CHECK_OK(sabir_task_prepare(client, exported, &options, &impatient, &error));
  expect_error(client, call(impatient, 0, NULL), "not yet");
  sabir_task_release(patient);
  sabir_task_release(impatient);
  sabir_function_release(exported);
}

static void dead_workers(sabir_client* client) {
  sabir_task* crash = task(client, "crash", 1, 3);
  int64_t attempts = 2;
  CHECK(take_int(client, call(crash, 1, &attempts)) == 2);
  sabir_task* fragile = task(client, "crash", 1, 0);
  attempts = 100;
  expect_error(client, call(fragile, 1, &attempts), "was killed by signal 9 (SIGKILL)");
  sabir_task* once = task(client, "crash", 1, 1);
  expect_error(client, call(once, 1, &attempts), "task 'crash' failed: the worker process");
  sabir_task* leaver = task(client, "exit3", 1, 0);
  expect_error(client, call(leaver, 0, NULL), "exited with status 3");
  /* Arguments in blocks and in the store are still there for the next attempt. */
  sabir_task* sum = task(client, "sum", 1, 3);
  int64_t numbers[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(take_int(client, call(sum, 8, numbers)) == 36);
  sabir_task_release(sum);
  sabir_task_release(crash);
  sabir_task_release(fragile);
  sabir_task_release(once);
  sabir_task_release(leaver);
}

/* Among many calls one kills its worker: the others do not notice. */
static void crash_under_load(sabir_client* client) {
  enum { kCalls = 3000 };
  sabir_task* sum = task(client, "sum", 1, 3);
  sabir_task* crash = task(client, "crash", 1, 3);
  static sabir_ref* refs[kCalls];
  int64_t attempts = 1;
  for (int64_t i = 0; i < kCalls; ++i) {
    refs[i] = i % 1000 == 500 ? call(crash, 1, &attempts) : call(sum, 1, &i);
  }
  for (int64_t i = 0; i < kCalls; ++i) {
    CHECK(take_int(client, refs[i]) == (i % 1000 == 500 ? 1 : i));
  }
  sabir_task_release(sum);
  sabir_task_release(crash);
}

static void infeasible(sabir_client* client) {
  sabir_function* exported = function(client, "noop");
  sabir_resource unicorn = {text("unicorn"), 1};
  sabir_task_options options = SABIR_TASK_OPTIONS_INIT;
  options.resources = &unicorn;
  options.resource_count = 1;
  sabir_task* impossible = NULL;
  CHECK_OK(sabir_task_prepare(client, exported, &options, &impossible, &error));
  sabir_string why = sabir_task_infeasible(impossible);
  CHECK(contains(why.data, why.size, "unicorn"));
  sabir_ref* ref = NULL;
  CHECK_OK(sabir_task_submit(impossible, NULL, 0, &ref, &error));
  CHECK_STATUS(SABIR_TIMEOUT, sabir_get(client, &ref, 1, 20000000, NULL, &error));
  sabir_event event;
  size_t count = 0;
  do {
    CHECK_OK(sabir_queue_next(sabir_client_notice_queue(client), &event, 1, FOREVER, NULL, &count, &error));
    if (event.kind != SABIR_EVENT_WARNING) {
      sabir_buffer_destroy(event.buffer);
    }
  } while (event.kind != SABIR_EVENT_WARNING);
  sabir_span warning = sabir_buffer_bytes(event.buffer);
  CHECK(contains(warning.data, warning.size, "unicorn"));
  sabir_buffer_destroy(event.buffer);
  sabir_ref_release(ref);
  sabir_task_release(impossible);
  sabir_function_release(exported);
}

static void wrong_calls(sabir_client* client) {
  sabir_task* sum = task(client, "sum", 1, 3);
  sabir_arg arg;
  memset(&arg, 0, sizeof(arg));
  arg.value.part_count = 1;
  sabir_ref* ref = NULL;
  CHECK_STATUS(SABIR_INVALID_ARGUMENT, sabir_task_submit(sum, &arg, 1, &ref, &error));
  sabir_task_release(sum);
  sabir_function* exported = function(client, "noop");
  sabir_resource negative = {text("CPU"), -1};
  sabir_task_options options = SABIR_TASK_OPTIONS_INIT;
  options.resources = &negative;
  options.resource_count = 1;
  sabir_task* prepared = NULL;
  CHECK_STATUS(SABIR_INVALID_ARGUMENT, sabir_task_prepare(client, exported, &options, &prepared, &error));
  options.resource_count = 0;
  options.max_retries = -2;
  CHECK_STATUS(SABIR_INVALID_ARGUMENT, sabir_task_prepare(client, exported, &options, &prepared, &error));
  options.struct_size = 0;
  CHECK_STATUS(SABIR_INVALID_ARGUMENT, sabir_task_prepare(client, exported, &options, &prepared, &error));
  sabir_function_release(exported);
  sabir_function_info info = SABIR_FUNCTION_INFO_INIT;
  CHECK_STATUS(SABIR_NOT_FOUND, sabir_function_get(client, 12345, &info, &error));
}

int scenario(void) {
  sabir_client* client = start(2);
  user_errors(client);
  retried_errors(client);
  dead_workers(client);
  crash_under_load(client);
  infeasible(client);
  wrong_calls(client);
  stop(client);
  return 0;
}
