/* What the node runs: claims calls and does what their function's name says. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/abi/support/harness.h"

static sabir_client* client;
static int64_t counter;

static void finish_raw(sabir_work* work, const void* data, size_t size) {
  bytes storage;
  CHECK_OK(sabir_work_finish(work, raw(&storage, data, size), 1, &error));
}

static void finish_int(sabir_work* work, int64_t number) { finish_raw(work, &number, sizeof(number)); }

static void fail(sabir_work* work, const char* message, uint8_t retryable) {
  sabir_failure failure = SABIR_FAILURE_INIT;
  failure.language = SABIR_LANGUAGE_C;
  failure.message = text(message);
  failure.type = text("c.Failure");
  failure.retryable = retryable;
  CHECK_OK(sabir_work_fail(work, &failure, &error));
}

static int64_t int_arg(const sabir_work_view* view, size_t index) {
  int64_t number = 0;
  CHECK(index < view->arg_count && view->args[index].value.size == sizeof(number));
  memcpy(&number, view->args[index].value.data, sizeof(number));
  return number;
}

static int64_t sum_of(const sabir_work_view* view) {
  int64_t sum = 0;
  for (size_t i = 0; i < view->arg_count; ++i) {
    sum += int_arg(view, i);
  }
  return sum;
}

static void sleep_ms(int64_t ms) {
  struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

/* As many results as asked for: 0, 1, 2 ... */
static void finish_many(sabir_work* work, const sabir_work_view* view) {
  bytes* storage = calloc(view->num_returns + 1, sizeof(*storage));
  sabir_value* values = calloc(view->num_returns + 1, sizeof(*values));
  int64_t* numbers = calloc(view->num_returns + 1, sizeof(*numbers));
  for (uint32_t i = 0; i < view->num_returns; ++i) {
    numbers[i] = i;
    values[i] = *raw(&storage[i], &numbers[i], sizeof(numbers[i]));
  }
  CHECK_OK(sabir_work_finish(work, values, view->num_returns, &error));
  free(storage);
  free(values);
  free(numbers);
}

/* The reference inside the first argument: its value, which may take a while. */
static void follow(sabir_work* work, const sabir_work_view* view) {
  CHECK(view->args[0].value.ref_count == 1);
  sabir_ref* inner = view->args[0].value.refs[0];
  finish_int(work, int_of(client, inner));
}

/* The same for a value or a reference; beside the number the result has the reference itself and a pending one. */
static void follow_any(sabir_work* work, const sabir_work_view* view) {
  if (view->args[0].value.ref_count == 0) {
    finish_int(work, int_arg(view, 0));
    return;
  }
  sabir_ref* inner = view->args[0].value.refs[0];
  int64_t number = int_of(client, inner);
  sabir_task* sum = task(client, "sum", 1, -1);
  sabir_ref* again = call(sum, 1, &number);
  sabir_ref* refs[2] = {inner, again};
  bytes storage;
  sabir_value* value = raw(&storage, &number, sizeof(number));
  value->refs = refs;
  value->ref_count = 2;
  CHECK_OK(sabir_work_finish(work, value, 1, &error));
  sabir_ref_release(again);
  sabir_task_release(sum);
}

/* A value with a reference to a pending call of this worker, which outlives the call. */
static void return_pending(sabir_work* work, const sabir_work_view* view) {
  sabir_task* slow = task(client, "slow", 1, 3);
  int64_t args[2] = {int_arg(view, 0), 77};
  sabir_ref* ref = call(slow, 2, args);
  bytes storage;
  sabir_value* value = raw(&storage, "", 0);
  sabir_ref* refs[1] = {ref};
  value->refs = refs;
  value->ref_count = 1;
  CHECK_OK(sabir_work_finish(work, value, 1, &error));
  sabir_ref_release(ref);
  sabir_task_release(slow);
}

static void nested(sabir_work* work, const sabir_work_view* view) {
  int64_t depth = int_arg(view, 0);
  if (depth == 0) {
    finish_int(work, 1);
    return;
  }
  sabir_task* inner = task(client, "nested", 1, 3);
  int64_t next = depth - 1;
  int64_t result = take_int(client, call(inner, 1, &next));
  sabir_task_release(inner);
  finish_int(work, result + 1);
}

static sabir_ref* kept;

static void run(sabir_work* work) {
  sabir_work_view view;
  sabir_work_get_view(work, &view);
  sabir_function_info info = SABIR_FUNCTION_INFO_INIT;
  CHECK_OK(sabir_function_get(client, view.function_index, &info, &error));
  char name[32] = {0};
  CHECK(info.name.size < sizeof(name));
  memcpy(name, info.name.data, info.name.size);
#define IS(literal) (strcmp(name, literal) == 0)
  if (view.kind == SABIR_WORK_ACTOR_CREATE) {
    if (IS("Broken")) {
      fail(work, "this class cannot be made", 0);
      return;
    }
    counter = view.arg_count == 0 ? 0 : int_arg(&view, 0);
    CHECK_OK(sabir_work_finish(work, NULL, 0, &error));
  } else if (IS("noop")) {
    sabir_value null = {0};
    CHECK_OK(sabir_work_finish(work, &null, 1, &error));
  } else if (IS("sum")) {
    finish_int(work, sum_of(&view));
  } else if (IS("echo")) {
    finish_raw(work, view.args[0].value.data, view.args[0].value.size);
  } else if (IS("caller")) {
    finish_int(work, view.caller_language);
  } else if (IS("size")) {
    finish_int(work, (int64_t)view.args[0].value.size);
  } else if (IS("many")) {
    finish_many(work, &view);
  } else if (IS("fail")) {
    fail(work, "it was told to fail", 0);
  } else if (IS("fail_twice")) {
    view.attempt < 2 ? fail(work, "not yet", 1) : finish_int(work, view.attempt);
  } else if (IS("crash")) {
    if (view.attempt < int_arg(&view, 0)) {
      raise(SIGKILL);
    }
    finish_int(work, view.attempt);
  } else if (IS("exit3")) {
    _exit(3);
  } else if (IS("slow")) {
    sleep_ms(int_arg(&view, 0));
    finish_int(work, int_arg(&view, 1));
  } else if (IS("big")) {
    size_t size = (size_t)int_arg(&view, 0);
    char* data = malloc(size);
    memset(data, 'b', size);
    finish_raw(work, data, size);
    free(data);
  } else if (IS("follow")) {
    follow(work, &view);
  } else if (IS("follow_any")) {
    follow_any(work, &view);
  } else if (IS("return_pending")) {
    return_pending(work, &view);
  } else if (IS("nested")) {
    nested(work, &view);
  } else if (IS("keep")) {
    CHECK(view.args[0].value.ref_count == 1);
    kept = sabir_ref_retain(view.args[0].value.refs[0]);
    finish_int(work, getpid());
  } else if (IS("kept")) {
    finish_int(work, int_of(client, kept));
  } else if (IS("pid")) {
    finish_int(work, getpid());
  } else if (IS("print")) {
    printf("hello from the worker\n");
    fflush(stdout);
    finish_int(work, 0);
  } else if (IS("add")) {
    counter += int_arg(&view, 0);
    finish_int(work, counter);
  } else if (IS("leave")) {
    CHECK_OK(sabir_worker_exit(client, &error));
    finish_int(work, 0);
  } else {
    fail(work, "no such function", 0);
  }
}

void worker_main(void) {
  sabir_string nothing = {NULL, 0};
  CHECK_OK(sabir_client_start_worker(nothing, nothing, &client, &error));
  sabir_client_info info = SABIR_CLIENT_INFO_INIT;
  CHECK_OK(sabir_client_get_info(client, &info, &error));
  CHECK(info.is_worker && info.language == SABIR_LANGUAGE_C && info.job_config.size == 6);
  for (;;) {
    sabir_event event;
    size_t count = 0;
    sabir_status status = sabir_queue_next(sabir_client_work_queue(client), &event, 1, -1, NULL, &count, &error);
    if (status == SABIR_INTERRUPTED) {
      sabir_error_destroy(error);
      error = NULL;
      continue;
    }
    if (status != SABIR_OK || event.kind == SABIR_EVENT_EXIT) {
      break;
    }
    CHECK(event.kind == SABIR_EVENT_WORK);
    run(event.work);
  }
  sabir_client_destroy(client);
  exit(0);
}
