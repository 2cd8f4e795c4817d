/* Completion queues and their descriptors; interrupts; progress of what nobody waits for. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/abi/support/harness.h"

static sabir_ref* call_with_ref(sabir_task* prepared, sabir_ref* ref) {
  sabir_arg arg;
  memset(&arg, 0, sizeof(arg));
  arg.ref = ref;
  sabir_ref* result = NULL;
  CHECK_OK(sabir_task_submit(prepared, &arg, 1, &result, &error));
  return result;
}

static int readable(sabir_queue* queue, int timeout_ms) {
  struct pollfd descriptor = {sabir_queue_fd(queue), POLLIN, 0};
  return poll(&descriptor, 1, timeout_ms) == 1;
}

/* An event loop that knows nothing of Sabir but a descriptor. */
static void event_loop(sabir_client* client) {
  enum { kCalls = 500 };
  sabir_queue* queue = NULL;
  CHECK_OK(sabir_queue_create(client, &queue, &error));
  CHECK(sabir_queue_fd(queue) >= 0 && sabir_queue_fd(sabir_client_work_queue(client)) == -1);
  CHECK(!readable(queue, 0));
  sabir_task* sum = task(client, "sum", 1, 3);
  static sabir_ref* refs[kCalls];
  for (int64_t i = 0; i < kCalls; ++i) {
    refs[i] = call(sum, 1, &i);
    CHECK_OK(sabir_ref_watch(refs[i], queue, (uint64_t)i, &error));
  }
  int seen = 0;
  while (seen < kCalls) {
    CHECK(readable(queue, 20000));
    sabir_event events[64];
    size_t count = 0;
    CHECK_OK(sabir_queue_next(queue, events, 64, 0, NULL, &count, &error));
    for (size_t i = 0; i < count; ++i, ++seen) {
      CHECK(events[i].kind == SABIR_EVENT_READY && events[i].tag < kCalls);
      CHECK(sabir_ref_ready(refs[events[i].tag]) == 1);
      CHECK(take_int(client, refs[events[i].tag]) == (int64_t)events[i].tag);
    }
  }
  CHECK(!readable(queue, 0));
  sabir_event event;
  size_t count = 0;
  CHECK_STATUS(SABIR_TIMEOUT, sabir_queue_next(queue, &event, 1, 1000000, NULL, &count, &error));
  /* What is there already is an event at once. */
  sabir_ref* five = put_int(client, 5);
  CHECK_OK(sabir_ref_watch(five, queue, 5, &error));
  CHECK(readable(queue, 0));
  CHECK_OK(sabir_queue_next(queue, &event, 1, -1, NULL, &count, &error));
  CHECK(count == 1 && event.tag == 5);
  sabir_ref_release(five);
  /* Without poll: the queue itself waits. */
  int64_t args[2] = {20, 1};
  sabir_task* slow = task(client, "slow", 1, 3);
  sabir_ref* later = call(slow, 2, args);
  CHECK_OK(sabir_ref_watch(later, queue, 9, &error));
  CHECK_OK(sabir_queue_next(queue, &event, 1, FOREVER, NULL, &count, &error));
  CHECK(event.tag == 9);
  sabir_ref_release(later);
  sabir_task_release(slow);
  sabir_task_release(sum);
  sabir_queue_destroy(queue);
}

/* A chain runs to its end while its driver computes and never enters the library. */
static void chain_without_the_caller(sabir_client* client) {
  sabir_task* slow = task(client, "slow", 1, 3);
  sabir_task* sum = task(client, "sum", 1, 3);
  int64_t args[2] = {30, 8};
  sabir_ref* refs[50];
  refs[0] = call(slow, 2, args);
  for (int i = 1; i < 50; ++i) {
    refs[i] = call_with_ref(sum, refs[i - 1]);
  }
  struct timespec step = {0, 5000000};
  sabir_queue* queue = NULL;
  CHECK_OK(sabir_queue_create(client, &queue, &error));
  CHECK_OK(sabir_ref_watch(refs[49], queue, 1, &error));
  /* Only the descriptor is looked at from here on. */
  for (int i = 0; i < 4000 && !readable(queue, 0); ++i) {
    nanosleep(&step, NULL);
  }
  CHECK(readable(queue, 0));
  for (int i = 0; i < 50; ++i) {
    CHECK(take_int(client, refs[i]) == 8);
  }
  sabir_queue_destroy(queue);
  sabir_task_release(slow);
  sabir_task_release(sum);
}

static void on_signal(int signal) { (void)signal; }

static sabir_waiter* waiter;
static void on_signal_with_waiter(int signal) {
  (void)signal;
  sabir_waiter_interrupt(waiter);
}

static void* interrupt_later(void* unused) {
  struct timespec time = {0, 30000000};
  nanosleep(&time, NULL);
  sabir_waiter_interrupt(waiter);
  return unused;
}

static pthread_t target;
static void* signal_later(void* unused) {
  struct timespec time = {0, 30000000};
  nanosleep(&time, NULL);
  pthread_kill(target, SIGUSR1);
  return unused;
}

static void interrupts(sabir_client* client) {
  sabir_task* slow = task(client, "slow", 1, 3);
  int64_t args[2] = {1500, 3};
  sabir_ref* ref = call(slow, 2, args);
  CHECK_OK(sabir_waiter_create(&waiter, &error));
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, interrupt_later, NULL) == 0);
  CHECK_STATUS(SABIR_INTERRUPTED, sabir_get(client, &ref, 1, FOREVER, waiter, &error));
  CHECK(pthread_join(thread, NULL) == 0);
  /* Asked for before the call: the next one has it. */
  sabir_waiter_interrupt(waiter);
  CHECK_STATUS(SABIR_INTERRUPTED, sabir_get(client, &ref, 1, FOREVER, waiter, &error));
  /* A handler without SA_RESTART ends the call by itself, also without a waiter. */
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_signal;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  target = pthread_self();
  CHECK(pthread_create(&thread, NULL, signal_later, NULL) == 0);
  CHECK_STATUS(SABIR_INTERRUPTED, sabir_get(client, &ref, 1, FOREVER, NULL, &error));
  CHECK(pthread_join(thread, NULL) == 0);
  /* One with it does so when it interrupts the waiter. */
  action.sa_handler = on_signal_with_waiter;
  action.sa_flags = SA_RESTART;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  CHECK(pthread_create(&thread, NULL, signal_later, NULL) == 0);
  CHECK_STATUS(SABIR_INTERRUPTED, sabir_get(client, &ref, 1, FOREVER, waiter, &error));
  CHECK(pthread_join(thread, NULL) == 0);
  /* Nothing was lost. */
  CHECK(take_int(client, ref) == 3);
  sabir_waiter_destroy(waiter);
  sabir_task_release(slow);
}

struct looper {
  sabir_client* client;
  sabir_task* sum;
  int64_t first;
};
static void* loop(void* argument) {
  struct looper* self = argument;
  for (int64_t i = 0; i < 2000; ++i) {
    sabir_ref* ref = NULL;
    bytes storage;
    int64_t number = self->first + i;
    sabir_arg arg;
    memset(&arg, 0, sizeof(arg));
    arg.value = *raw(&storage, &number, sizeof(number));
    CHECK(sabir_task_submit(self->sum, &arg, 1, &ref, NULL) == SABIR_OK);
    CHECK(sabir_get(self->client, &ref, 1, FOREVER, NULL, NULL) == SABIR_OK);
    sabir_view view;
    CHECK(sabir_ref_view(ref, &view, NULL) == SABIR_OK);
    CHECK(!view.is_error && memcmp(view.data, &number, sizeof(number)) == 0);
    sabir_ref_release(ref);
  }
  return NULL;
}

static void threads(sabir_client* client) {
  enum { kThreads = 6 };
  sabir_task* sum = task(client, "sum", 1, 3);
  pthread_t ids[kThreads];
  struct looper loopers[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    loopers[i].client = client;
    loopers[i].sum = sum;
    loopers[i].first = i * 1000000;
    CHECK(pthread_create(&ids[i], NULL, loop, &loopers[i]) == 0);
  }
  for (int i = 0; i < kThreads; ++i) {
    CHECK(pthread_join(ids[i], NULL) == 0);
  }
  sabir_task_release(sum);
}

struct blocked_get {
  sabir_client* client;
  sabir_ref* ref;
  sabir_status status;
};
static void* get_for_ever(void* argument) {
  struct blocked_get* self = argument;
  self->status = sabir_get(self->client, &self->ref, 1, -1, NULL, NULL);
  return NULL;
}

/* Shutdown ends what blocks; handles may be released after it. */
static void shutdown_while_blocked(sabir_client* client) {
  sabir_task* slow = task(client, "slow", 1, 3);
  int64_t args[2] = {60000, 0};
  struct blocked_get gets[3];
  pthread_t ids[3];
  for (int i = 0; i < 3; ++i) {
    gets[i].client = client;
    gets[i].ref = call(slow, 2, args);
    CHECK(pthread_create(&ids[i], NULL, get_for_ever, &gets[i]) == 0);
  }
  struct timespec time = {0, 50000000};
  nanosleep(&time, NULL);
  CHECK_OK(sabir_client_shutdown(client, &error));
  CHECK_OK(sabir_client_shutdown(client, &error));
  for (int i = 0; i < 3; ++i) {
    CHECK(pthread_join(ids[i], NULL) == 0);
    CHECK(gets[i].status == SABIR_CLOSED);
  }
  sabir_ref* ref = NULL;
  CHECK_STATUS(SABIR_CLOSED, sabir_task_submit(slow, NULL, 0, &ref, &error));
  sabir_client_destroy(client);
  CHECK_STATUS(SABIR_CLOSED, sabir_ref_view(gets[0].ref, &(sabir_view){0}, &error));
  for (int i = 0; i < 3; ++i) {
    sabir_ref_release(gets[i].ref);
  }
  sabir_task_release(slow);
}

int scenario(void) {
  sabir_client* client = start(2);
  event_loop(client);
  chain_without_the_caller(client);
  interrupts(client);
  threads(client);
  shutdown_while_blocked(client);
  return 0;
}
