/* Several threads do everything at once for a while, workers die now and then, and every result is right. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/abi/support/harness.h"

enum { kThreads = 4, kRunMs = 2500 };

struct actor {
  sabir_actor* actor;
  sabir_function* add;
  int64_t sent; /* by its thread alone */
};

struct worker {
  sabir_client* client;
  sabir_task *sum, *echo, *follow, *crash, *fail, *size;
  sabir_queue* queue;
  struct actor counter;
  uint64_t random;
  int64_t rounds;
};

static uint32_t next(struct worker* self, uint32_t below) {
  self->random = self->random * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(self->random >> 33) % below;
}

static int64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* harness.h's functions share one error variable; threads have their own way. */
#define MUST(call) CHECK((call) == SABIR_OK)

static int64_t value_of(struct worker* self, sabir_ref* ref) {
  sabir_view view;
  int64_t number = -1;
  MUST(sabir_get(self->client, &ref, 1, FOREVER, NULL, NULL));
  MUST(sabir_ref_view(ref, &view, NULL));
  CHECK(!view.is_error && view.size == sizeof(number));
  memcpy(&number, view.data, sizeof(number));
  sabir_ref_release(ref);
  return number;
}

static sabir_ref* submit_int(sabir_task* task, int64_t number) {
  bytes storage;
  sabir_arg arg;
  memset(&arg, 0, sizeof(arg));
  arg.value = *raw(&storage, &number, sizeof(number));
  sabir_ref* ref = NULL;
  MUST(sabir_task_submit(task, &arg, 1, &ref, NULL));
  return ref;
}

static sabir_ref* submit_ref(sabir_task* task, sabir_ref* ref, int inside) {
  bytes storage;
  sabir_ref* refs[1] = {ref};
  sabir_arg arg;
  memset(&arg, 0, sizeof(arg));
  if (inside) {
    arg.value = *raw(&storage, "", 0);
    arg.value.refs = refs;
    arg.value.ref_count = 1;
  } else {
    arg.ref = ref;
  }
  sabir_ref* result = NULL;
  MUST(sabir_task_submit(task, &arg, 1, &result, NULL));
  return result;
}

static void pipeline(struct worker* self) {
  sabir_ref* refs[200];
  uint32_t count = 1 + next(self, 200);
  for (uint32_t i = 0; i < count; ++i) {
    refs[i] = submit_int(self->sum, i);
  }
  for (uint32_t i = 0; i < count; ++i) {
    CHECK(value_of(self, refs[i]) == i);
  }
}

static void chain(struct worker* self) {
  sabir_ref* ref = submit_int(self->sum, 5);
  for (uint32_t i = next(self, 20); i > 0; --i) {
    sabir_ref* following = submit_ref(next(self, 8) == 0 ? self->follow : self->sum, ref, 0);
    sabir_ref_release(ref);
    ref = following;
    if (next(self, 8) == 0) {
      /* Through another process, as a reference. */
      following = submit_ref(self->follow, ref, 1);
      sabir_ref_release(ref);
      ref = following;
    }
  }
  sabir_view view;
  MUST(sabir_get(self->client, &ref, 1, FOREVER, NULL, NULL));
  MUST(sabir_ref_view(ref, &view, NULL));
  sabir_ref_release(ref);
}

static void large(struct worker* self) {
  size_t size = 100 + next(self, 300000);
  char* data = malloc(size);
  memset(data, (int)(size % 251), size);
  bytes storage;
  sabir_ref* ref = NULL;
  MUST(sabir_put(self->client, raw(&storage, data, size), FOREVER, &ref, NULL));
  sabir_ref* counted = submit_ref(self->size, ref, 0);
  sabir_ref* copied = submit_ref(self->echo, ref, 0);
  sabir_ref_release(ref);
  CHECK(value_of(self, counted) == (int64_t)size);
  sabir_view view;
  MUST(sabir_get(self->client, &copied, 1, FOREVER, NULL, NULL));
  MUST(sabir_ref_view(copied, &view, NULL));
  CHECK(view.size == size && memcmp(view.data, data, size) == 0);
  sabir_ref_release(copied);
  free(data);
}

static void watched(struct worker* self) {
  uint32_t count = 1 + next(self, 30);
  sabir_ref* refs[30];
  for (uint32_t i = 0; i < count; ++i) {
    refs[i] = submit_int(self->sum, i);
    MUST(sabir_ref_watch(refs[i], self->queue, i, NULL));
  }
  for (uint32_t seen = 0; seen < count;) {
    sabir_event events[8];
    size_t got = 0;
    MUST(sabir_queue_next(self->queue, events, 8, FOREVER, NULL, &got, NULL));
    for (size_t i = 0; i < got; ++i, ++seen) {
      CHECK(sabir_ref_ready(refs[events[i].tag]) == 1);
    }
  }
  for (uint32_t i = 0; i < count; ++i) {
    CHECK(value_of(self, refs[i]) == i);
  }
}

static void some_of(struct worker* self) {
  sabir_ref* refs[20];
  uint8_t ready[20];
  size_t count = 0;
  for (int i = 0; i < 20; ++i) {
    refs[i] = submit_int(self->sum, i);
  }
  MUST(sabir_wait(self->client, refs, 20, 10, FOREVER, NULL, ready, &count, NULL));
  CHECK(count == 10);
  for (int i = 0; i < 20; ++i) {
    sabir_ref_release(refs[i]); /* nobody waits for the rest */
  }
}

static void actor_calls(struct worker* self) {
  sabir_ref* refs[20];
  uint32_t count = 1 + next(self, 20);
  for (uint32_t i = 0; i < count; ++i) {
    bytes storage;
    int64_t one = 1;
    sabir_arg arg;
    memset(&arg, 0, sizeof(arg));
    arg.value = *raw(&storage, &one, sizeof(one));
    MUST(sabir_actor_submit(self->counter.actor, self->counter.add, 1, &arg, 1, &refs[i], NULL));
  }
  for (uint32_t i = 0; i < count; ++i) {
    CHECK(value_of(self, refs[i]) == ++self->counter.sent);
  }
}

static void* run(void* argument) {
  struct worker* self = argument;
  int64_t end_ms = now_ms() + kRunMs;
  while (now_ms() < end_ms) {
    ++self->rounds;
    switch (next(self, 40)) {
      case 0: {
        sabir_ref* ref = submit_int(self->crash, 1);
        CHECK(value_of(self, ref) == 1);
        break;
      }
      case 1: {
        sabir_ref* failed = submit_int(self->fail, 0);
        sabir_ref* next_one = submit_ref(self->sum, failed, 0);
        sabir_view view;
        MUST(sabir_get(self->client, &next_one, 1, FOREVER, NULL, NULL));
        MUST(sabir_ref_view(next_one, &view, NULL));
        CHECK(view.is_error);
        sabir_ref_release(failed);
        sabir_ref_release(next_one);
        break;
      }
      case 2:
      case 3:
        large(self);
        break;
      case 4:
      case 5:
        watched(self);
        break;
      case 6:
        some_of(self);
        break;
      case 7:
      case 8:
        chain(self);
        break;
      case 9:
      case 10:
        actor_calls(self);
        break;
      case 11:
        pipeline(self);
        break;
      default: {
        int64_t number = next(self, 1000);
        CHECK(value_of(self, submit_int(self->sum, number)) == number);
      }
    }
  }
  return NULL;
}

int scenario(void) {
  sabir_client* client = start(2);
  struct worker workers[kThreads];
  pthread_t threads[kThreads];
  memset(workers, 0, sizeof(workers));
  sabir_function* counter = NULL;
  sabir_span code = {"Counter", 7};
  CHECK_OK(
      sabir_function_export(client, SABIR_FUNCTION_CLASS, SABIR_LANGUAGE_C, text("Counter"), code, &counter, &error));
  for (int i = 0; i < kThreads; ++i) {
    struct worker* self = &workers[i];
    self->client = client;
    self->random = (uint64_t)i + 7;
    self->sum = task(client, "sum", 1, -1);
    self->echo = task(client, "echo", 1, -1);
    self->follow = task(client, "follow_any", 1, -1);
    self->crash = task(client, "crash", 1, -1);
    self->fail = task(client, "fail", 1, -1);
    self->size = task(client, "size", 1, -1);
    CHECK_OK(sabir_queue_create(client, &self->queue, &error));
    CHECK_OK(sabir_actor_create(client, counter, NULL, NULL, 0, &self->counter.actor, &error));
    sabir_span method = {"add", 3};
    CHECK_OK(sabir_function_export(client, SABIR_FUNCTION_METHOD, SABIR_LANGUAGE_C, text("add"), method,
                                   &self->counter.add, &error));
  }
  for (int i = 0; i < kThreads; ++i) {
    CHECK(pthread_create(&threads[i], NULL, run, &workers[i]) == 0);
  }
  for (int i = 0; i < kThreads; ++i) {
    CHECK(pthread_join(threads[i], NULL) == 0);
  }
  for (int i = 0; i < kThreads; ++i) {
    struct worker* self = &workers[i];
    CHECK(self->rounds > 0);
    sabir_queue_destroy(self->queue);
    sabir_actor_release(self->counter.actor);
    sabir_function_release(self->counter.add);
    sabir_task* tasks[] = {self->sum, self->echo, self->follow, self->crash, self->fail, self->size};
    for (size_t j = 0; j < sizeof(tasks) / sizeof(*tasks); ++j) {
      sabir_task_release(tasks[j]);
    }
  }
  sabir_function_release(counter);
  stop(client);
  return 0;
}
