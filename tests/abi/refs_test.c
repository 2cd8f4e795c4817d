/* References: as arguments, inside values, to calls that are not over, and to what lies in the store. */
#include <stdlib.h>
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

/* A value whose only content is this reference. */
static sabir_ref* call_with_inner(sabir_task* prepared, sabir_ref* inner) {
  bytes storage;
  sabir_ref* refs[1] = {inner};
  sabir_arg arg;
  memset(&arg, 0, sizeof(arg));
  arg.value = *raw(&storage, "x", 1);
  arg.value.refs = refs;
  arg.value.ref_count = 1;
  sabir_ref* result = NULL;
  CHECK_OK(sabir_task_submit(prepared, &arg, 1, &result, &error));
  return result;
}

static sabir_ref* put_bytes(sabir_client* client, size_t size, char fill) {
  char* data = malloc(size);
  memset(data, fill, size);
  bytes storage;
  sabir_ref* ref = NULL;
  CHECK_OK(sabir_put(client, raw(&storage, data, size), FOREVER, &ref, &error));
  free(data);
  return ref;
}

static void as_arguments(sabir_client* client) {
  sabir_task* sum = task(client, "sum", 1, 3);
  sabir_task* slow = task(client, "slow", 1, 3);
  sabir_ref* five = put_int(client, 5);
  CHECK(take_int(client, call_with_ref(sum, five)) == 5);
  sabir_ref_release(five);
  /* A chain: each waits for the one before, and nobody waits here. */
  int64_t args[2] = {30, 1234};
  sabir_ref* last = call(slow, 2, args);
  for (int i = 0; i < 200; ++i) {
    sabir_ref* next = call_with_ref(sum, last);
    sabir_ref_release(last);
    last = next;
  }
  CHECK(sabir_ref_ready(last) == 0);
  CHECK(take_int(client, last) == 1234);
  sabir_task_release(sum);
  sabir_task_release(slow);
}

static void in_the_store(sabir_client* client) {
  sabir_task* size = task(client, "size", 1, 3);
  sabir_task* big = task(client, "big", 1, 3);
  sabir_task* echo = task(client, "echo", 1, 3);
  sabir_ref* object = put_bytes(client, 3000000, 'q');
  sabir_view view;
  CHECK_OK(sabir_ref_view(object, &view, &error));
  CHECK(view.in_store && view.size == 3000000 && ((const char*)view.data)[2999999] == 'q');
  CHECK(take_int(client, call_with_ref(size, object)) == 3000000);
  sabir_ref* copy = call_with_ref(echo, object);
  sabir_ref_release(object);
  get(client, copy);
  CHECK_OK(sabir_ref_view(copy, &view, &error));
  CHECK(view.in_store && view.size == 3000000 && ((const char*)view.data)[77] == 'q');
  sabir_ref_release(copy);
  /* A large result goes on as an argument without coming here. */
  int64_t bytes_wanted = 1000000;
  sabir_ref* made = call(big, 1, &bytes_wanted);
  CHECK(take_int(client, call_with_ref(size, made)) == 1000000);
  sabir_ref_release(made);
  /* Many middle-sized ones together are too much for a block. */
  sabir_task* sum_sizes = task(client, "size", 1, 3);
  sabir_arg args[8];
  memset(args, 0, sizeof(args));
  for (int i = 0; i < 8; ++i) {
    args[i].ref = put_bytes(client, 40000, 'm');
  }
  sabir_ref* ref = NULL;
  CHECK_OK(sabir_task_submit(sum_sizes, args, 8, &ref, &error));
  CHECK(take_int(client, ref) == 40000);
  for (int i = 0; i < 8; ++i) {
    sabir_ref_release(args[i].ref);
  }
  sabir_task_release(sum_sizes);
  sabir_task_release(size);
  sabir_task_release(big);
  sabir_task_release(echo);
}

static void in_place(sabir_client* client) {
  static const size_t kSizes[] = {100, 2000000};
  for (int i = 0; i < 2; ++i) {
    sabir_builder* builder = NULL;
    void* data = NULL;
    CHECK_OK(sabir_builder_create(client, SABIR_NATIVE, SABIR_LANGUAGE_C, kSizes[i], FOREVER, &builder, &data, &error));
    memset(data, 'p', kSizes[i]);
    sabir_ref* ref = NULL;
    CHECK_OK(sabir_builder_seal(builder, &ref, &error));
    sabir_view view;
    CHECK_OK(sabir_ref_view(ref, &view, &error));
    CHECK(view.size == kSizes[i] && ((const char*)view.data)[kSizes[i] - 1] == 'p');
    CHECK(view.language == SABIR_LANGUAGE_C && view.encoding == SABIR_NATIVE);
    sabir_ref_release(ref);
    CHECK_OK(sabir_builder_create(client, SABIR_NATIVE, SABIR_LANGUAGE_C, kSizes[i], FOREVER, &builder, &data, &error));
    sabir_builder_destroy(builder);
  }
}

/* Inside a value a reference arrives as a reference, whatever it stands for. */
static void inside_values(sabir_client* client) {
  sabir_task* follow = task(client, "follow", 1, 3);
  sabir_task* slow = task(client, "slow", 1, 3);
  sabir_ref* small = put_int(client, 42);
  CHECK(take_int(client, call_with_inner(follow, small)) == 42);
  sabir_ref_release(small);
  int64_t args[2] = {50, 4321};
  sabir_ref* pending = call(slow, 2, args);
  sabir_ref* followed = call_with_inner(follow, pending);
  CHECK(take_int(client, followed) == 4321);
  CHECK(take_int(client, pending) == 4321);
  /* The same, and this process lets it go at once. */
  pending = call(slow, 2, args);
  followed = call_with_inner(follow, pending);
  sabir_ref_release(pending);
  CHECK(take_int(client, followed) == 4321);
  /* Out of the other process: a reference to its pending call. */
  sabir_task* giver = task(client, "return_pending", 1, 3);
  int64_t delay = 50;
  sabir_ref* outer = call(giver, 1, &delay);
  get(client, outer);
  sabir_view view;
  CHECK_OK(sabir_ref_view(outer, &view, &error));
  CHECK(view.ref_count == 1);
  sabir_ref* inner = sabir_ref_retain(view.refs[0]);
  sabir_ref_release(outer);
  CHECK(take_int(client, inner) == 77);
  sabir_task_release(giver);
  sabir_task_release(slow);
  sabir_task_release(follow);
}

/* A worker keeps what came in an argument, after the caller has let it go. */
static void kept_by_a_worker(sabir_client* client) {
  sabir_task* keep = task(client, "keep", 1, 0);
  sabir_task* kept = task(client, "kept", 1, 0);
  sabir_task* slow = task(client, "slow", 1, 3);
  int64_t args[2] = {1, 99};
  sabir_ref* value = call(slow, 2, args);
  sabir_ref* done = call_with_inner(keep, value);
  CHECK(take_int(client, value) == 99);
  CHECK(take_int(client, done) > 0);
  for (int i = 0; i < 3; ++i) {
    CHECK(take_int(client, call(kept, 0, NULL)) == 99);
  }
  sabir_task_release(keep);
  sabir_task_release(kept);
  sabir_task_release(slow);
}

static void chains_of_values(sabir_client* client) {
  sabir_ref* head = put_int(client, 1);
  for (int i = 0; i < 100; ++i) {
    bytes storage;
    int64_t number = i;
    sabir_value* value = raw(&storage, &number, sizeof(number));
    sabir_ref* refs[1] = {head};
    value->refs = refs;
    value->ref_count = 1;
    sabir_ref* next = NULL;
    CHECK_OK(sabir_put(client, value, FOREVER, &next, &error));
    sabir_ref_release(head);
    head = next;
  }
  sabir_task* follow = task(client, "follow", 1, 3);
  CHECK(take_int(client, call_with_inner(follow, head)) == 99);
  sabir_ref_release(head);
  sabir_task_release(follow);
}

static void waiting(sabir_client* client) {
  sabir_task* slow = task(client, "slow", 1, 3);
  int64_t quick[2] = {0, 1};
  int64_t long_[2] = {3000, 2};
  sabir_ref* refs[3] = {call(slow, 2, quick), call(slow, 2, long_), put_int(client, 3)};
  uint8_t ready[3];
  size_t count = 0;
  CHECK_OK(sabir_wait(client, refs, 3, 2, FOREVER, NULL, ready, &count, &error));
  CHECK(count == 2 && ready[0] && !ready[1] && ready[2]);
  CHECK_OK(sabir_wait(client, refs, 3, 1, FOREVER, NULL, ready, &count, &error));
  CHECK(count == 1 && ready[0] && !ready[2]);
  CHECK_OK(sabir_wait(client, refs, 3, 3, 1000000, NULL, ready, &count, &error));
  CHECK(count == 2);
  sabir_ref* twice[2] = {refs[0], refs[0]};
  CHECK_STATUS(SABIR_INVALID_ARGUMENT, sabir_wait(client, twice, 2, 1, 0, NULL, ready, &count, &error));
  CHECK_STATUS(SABIR_TIMEOUT, sabir_get(client, refs, 3, 1000000, NULL, &error));
  CHECK_STATUS(SABIR_TIMEOUT, sabir_get(client, &refs[1], 1, 0, NULL, &error));
  CHECK_STATUS(SABIR_TIMEOUT, sabir_ref_view(refs[1], &(sabir_view){0}, &error));
  CHECK_OK(sabir_get(client, twice, 2, FOREVER, NULL, &error));
  uint8_t first[16];
  uint8_t second[16];
  sabir_ref_id(refs[0], first);
  sabir_ref_id(refs[1], second);
  CHECK(memcmp(first, second, 8) == 0 && memcmp(first, second, 16) != 0);
  for (int i = 0; i < 3; ++i) {
    sabir_ref_release(refs[i]);
  }
  sabir_task_release(slow);
}

int scenario(void) {
  sabir_client* client = start(1);
  as_arguments(client);
  in_the_store(client);
  in_place(client);
  inside_values(client);
  kept_by_a_worker(client);
  chains_of_values(client);
  waiting(client);
  stop(client);
  return 0;
}
