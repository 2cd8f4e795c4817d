/* Actors: order, state, names, deaths, restarts, handles inside values. */
#include <string.h>
#include <time.h>

#include "tests/abi/support/harness.h"

static sabir_function* method(sabir_client* client, const char* name) {
  sabir_function* exported = NULL;
  sabir_span code = {name, strlen(name)};
  CHECK_OK(sabir_function_export(client, SABIR_FUNCTION_METHOD, SABIR_LANGUAGE_C, text(name), code, &exported, &error));
  return exported;
}

static sabir_actor* create(sabir_client* client, const char* class_name, const sabir_actor_options* options,
                           int64_t initial) {
  sabir_function* exported = NULL;
  sabir_span code = {class_name, strlen(class_name)};
  CHECK_OK(
      sabir_function_export(client, SABIR_FUNCTION_CLASS, SABIR_LANGUAGE_C, text(class_name), code, &exported, &error));
  bytes storage;
  sabir_arg arg;
  memset(&arg, 0, sizeof(arg));
  arg.value = *raw(&storage, &initial, sizeof(initial));
  sabir_actor* actor = NULL;
  CHECK_OK(sabir_actor_create(client, exported, options, &arg, 1, &actor, &error));
  sabir_function_release(exported);
  return actor;
}

static sabir_ref* send_int(sabir_actor* actor, sabir_function* name, int64_t number) {
  bytes storage;
  sabir_arg arg;
  memset(&arg, 0, sizeof(arg));
  arg.value = *raw(&storage, &number, sizeof(number));
  sabir_ref* ref = NULL;
  CHECK_OK(sabir_actor_submit(actor, name, 1, &arg, 1, &ref, &error));
  return ref;
}

static void order_and_state(sabir_client* client) {
  enum { kCalls = 2000 };
  sabir_actor* actor = create(client, "Counter", NULL, 100);
  sabir_function* add = method(client, "add");
  static sabir_ref* refs[kCalls];
  for (int i = 0; i < kCalls; ++i) {
    refs[i] = send_int(actor, add, 1);
  }
  for (int i = 0; i < kCalls; ++i) {
    CHECK(take_int(client, refs[i]) == 101 + i);
  }
  /* A call whose argument is not there holds back those behind it. */
  sabir_task* slow = task(client, "slow", 1, 3);
  int64_t args[2] = {50, 1000};
  sabir_arg arg;
  memset(&arg, 0, sizeof(arg));
  arg.ref = call(slow, 2, args);
  sabir_ref* first = NULL;
  CHECK_OK(sabir_actor_submit(actor, add, 1, &arg, 1, &first, &error));
  sabir_ref* second = send_int(actor, add, 1);
  CHECK(take_int(client, second) == 100 + kCalls + 1000 + 1);
  CHECK(take_int(client, first) == 100 + kCalls + 1000);
  sabir_ref_release(arg.ref);
  sabir_task_release(slow);
  sabir_actor_info info = SABIR_ACTOR_INFO_INIT;
  CHECK_OK(sabir_actor_get_info(actor, &info, &error));
  CHECK(string_is(info.class_name, "Counter") && info.actor_id.size == 32 && info.language == SABIR_LANGUAGE_C);
  sabir_function_release(add);
  sabir_actor_release(actor);
}

static void names(sabir_client* client) {
  sabir_function* add = method(client, "add");
  sabir_actor_options options = SABIR_ACTOR_OPTIONS_INIT;
  options.name = text("the counter");
  sabir_actor* actor = create(client, "Counter", &options, 5);
  sabir_actor* found = NULL;
  CHECK_OK(sabir_actor_lookup(client, text("the counter"), text(""), &found, &error));
  CHECK(take_int(client, send_int(found, add, 1)) == 6);
  CHECK(take_int(client, send_int(actor, add, 1)) == 7);
  CHECK_STATUS(SABIR_NOT_FOUND, sabir_actor_lookup(client, text("nobody"), text(""), &found, &error));
  sabir_function* exported = NULL;
  sabir_span code = {"Counter", 7};
  CHECK_OK(
      sabir_function_export(client, SABIR_FUNCTION_CLASS, SABIR_LANGUAGE_C, text("Counter"), code, &exported, &error));
  sabir_actor* other = NULL;
  CHECK_STATUS(SABIR_ALREADY_EXISTS, sabir_actor_create(client, exported, &options, NULL, 0, &other, &error));
  options.get_if_exists = 1;
  CHECK_OK(sabir_actor_create(client, exported, &options, NULL, 0, &other, &error));
  CHECK(take_int(client, send_int(other, add, 1)) == 8);
  sabir_actor_release(other);
  sabir_actor_release(found);
  CHECK_OK(sabir_actor_kill(actor, 1, &error));
  expect_error(client, send_int(actor, add, 1), "Counter 'the counter'");
  sabir_actor_release(actor);
  sabir_function_release(exported);
  sabir_function_release(add);
}

static void broken_constructor(sabir_client* client) {
  sabir_function* add = method(client, "add");
  sabir_actor* actor = create(client, "Broken", NULL, 0);
  expect_error(client, send_int(actor, add, 1), "this class cannot be made");
  sabir_actor_release(actor);
  sabir_function_release(add);
}

static void failing_argument(sabir_client* client) {
  sabir_function* add = method(client, "add");
  sabir_actor* actor = create(client, "Counter", NULL, 0);
  sabir_task* fail = task(client, "fail", 1, 3);
  sabir_arg arg;
  memset(&arg, 0, sizeof(arg));
  arg.ref = call(fail, 0, NULL);
  sabir_ref* failed = NULL;
  CHECK_OK(sabir_actor_submit(actor, add, 1, &arg, 1, &failed, &error));
  sabir_ref* next = send_int(actor, add, 3);
  expect_error(client, failed, "it was told to fail");
  CHECK(take_int(client, next) == 3);
  sabir_ref_release(arg.ref);
  sabir_task_release(fail);
  sabir_actor_release(actor);
  sabir_function_release(add);
}

static void deaths(sabir_client* client) {
  sabir_function* add = method(client, "add");
  sabir_function* crash = method(client, "crash");
  /* Without restarts it is gone for good. */
  sabir_actor* mortal = create(client, "Counter", NULL, 0);
  CHECK(take_int(client, send_int(mortal, add, 1)) == 1);
  sabir_ref* last = send_int(mortal, crash, 100);
  sabir_ref* after = send_int(mortal, add, 1);
  expect_error(client, last, "is dead");
  expect_error(client, after, "is dead");
  expect_error(client, send_int(mortal, add, 1), "is dead");
  sabir_actor_release(mortal);
  /* With restarts, and without retries of its calls: the one that ran fails, those behind it run afterwards. */
  sabir_actor_options options = SABIR_ACTOR_OPTIONS_INIT;
  options.max_restarts = 2;
  sabir_actor* phoenix = create(client, "Counter", &options, 10);
  CHECK(take_int(client, send_int(phoenix, add, 1)) == 11);
  last = send_int(phoenix, crash, 100);
  after = send_int(phoenix, add, 5);
  expect_error(client, last, "restarts");
  CHECK(take_int(client, after) == 15);
  sabir_actor_release(phoenix);
  /* With retries the same call runs again, in its place. */
  options.max_task_retries = 3;
  sabir_actor* patient = create(client, "Counter", &options, 20);
  sabir_ref* calls[20];
  sabir_ref* retried = NULL;
  for (int i = 0; i < 20; ++i) {
    if (i == 10) {
      retried = send_int(patient, crash, 1);
    }
    calls[i] = send_int(patient, add, 1);
  }
  CHECK(take_int(client, retried) == 1);
  for (int i = 0; i < 20; ++i) {
    CHECK(take_int(client, calls[i]) == 21 + (i < 10 ? i : i - 10));
  }
  /* A kill that allows a restart. */
  CHECK_OK(sabir_actor_kill(patient, 0, &error));
  CHECK(take_int(client, send_int(patient, add, 1)) == 21);
  sabir_actor_release(patient);
  sabir_function_release(add);
  sabir_function_release(crash);
}

static void graceful_exit(sabir_client* client) {
  sabir_function* add = method(client, "add");
  sabir_function* leave = method(client, "leave");
  sabir_actor_options options = SABIR_ACTOR_OPTIONS_INIT;
  options.max_restarts = -1;
  sabir_actor* actor = create(client, "Counter", &options, 0);
  CHECK(take_int(client, send_int(actor, leave, 0)) == 0);
  expect_error(client, send_int(actor, add, 1), "is dead");
  sabir_actor_release(actor);
  sabir_function_release(add);
  sabir_function_release(leave);
}

/* A handle travels inside a value; a worker that gets it may go on to use it. */
static void handles_in_values(sabir_client* client) {
  sabir_actor* actor = create(client, "Counter", NULL, 0);
  sabir_ref* handle = sabir_actor_as_ref(actor);
  CHECK(sabir_ref_is_actor(handle));
  bytes storage;
  sabir_value* value = raw(&storage, "", 0);
  sabir_ref* refs[1] = {handle};
  value->refs = refs;
  value->ref_count = 1;
  sabir_ref* stored = NULL;
  CHECK_OK(sabir_put(client, value, FOREVER, &stored, &error));
  sabir_ref_release(handle);
  sabir_actor_release(actor);
  sabir_view view;
  CHECK_OK(sabir_ref_view(stored, &view, &error));
  CHECK(view.ref_count == 1 && sabir_ref_is_actor(view.refs[0]));
  CHECK_OK(sabir_ref_as_actor(view.refs[0], &actor, &error));
  sabir_ref_release(stored);
  sabir_function* add = method(client, "add");
  CHECK(take_int(client, send_int(actor, add, 2)) == 2);
  sabir_function_release(add);
  sabir_actor_release(actor);
}

int scenario(void) {
  sabir_client* client = start(2);
  order_and_state(client);
  names(client);
  broken_constructor(client);
  failing_argument(client);
  deaths(client);
  graceful_exit(client);
  handles_in_values(client);
  stop(client);
  return 0;
}
