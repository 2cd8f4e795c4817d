// A driver in C whose tasks are Python functions: put, submit, get, poll(), a signal, a fork. Run by test_c_driver.py
// with the session's address and the folder of the Python module; prints what the test compares.
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/abi/sabir.h"

static sabir_client* client;

static sabir_string text(const char* words) {
  sabir_string made = {words, strlen(words)};
  return made;
}

// A pointer: arguments are evaluated in any order, also before the call that sets the error.
static void check(sabir_status status, sabir_error** error) {
  if (status != SABIR_OK) {
    sabir_string message = sabir_error_message(*error);
    fprintf(stderr, "%d: %.*s\n", status, (int)message.size, message.data);
    exit(1);
  }
}

static sabir_task* python_function(const char* path) {
  char code[256];
  snprintf(code, sizeof(code), "@%s", path);
  sabir_span bytes = {code, strlen(code)};
  sabir_function* function = NULL;
  sabir_task* task = NULL;
  sabir_error* error = NULL;
  check(sabir_function_export(client, SABIR_FUNCTION_TASK, SABIR_LANGUAGE_PYTHON, text(path), bytes, &function, &error),
        &error);
  sabir_task_options options = SABIR_TASK_OPTIONS_INIT;
  check(sabir_task_prepare(client, function, &options, &task, &error), &error);
  sabir_function_release(function);
  return task;
}

// A neutral value (docs/values.md): the number, its type, its width.
static sabir_value integer(uint8_t (*bytes)[3], int8_t number, sabir_span* part) {
  (*bytes)[0] = (uint8_t)number;
  (*bytes)[1] = 1 << 2;
  (*bytes)[2] = 1;
  part->data = *bytes;
  part->size = sizeof(*bytes);
  sabir_value value = {SABIR_NEUTRAL, SABIR_LANGUAGE_NONE, 0, 0, 1, part, NULL, 0};
  return value;
}

static sabir_ref* call(sabir_task* task, sabir_ref* first, const char* name, int8_t number) {
  uint8_t bytes[3];
  sabir_span part;
  sabir_arg args[2];
  memset(args, 0, sizeof(args));
  args[0].ref = first;
  args[1].value = integer(&bytes, number, &part);
  args[1].name = text(name);
  sabir_ref* result = NULL;
  sabir_error* error = NULL;
  check(sabir_task_submit(task, args, 2, &result, &error), &error);
  return result;
}

static sabir_view view_of(sabir_ref* ref) {
  sabir_view view;
  sabir_error* error = NULL;
  check(sabir_get(client, &ref, 1, -1, NULL, &error), &error);
  check(sabir_ref_view(ref, &view, &error), &error);
  return view;
}

static void wait_in_poll(sabir_ref* ref) {
  sabir_queue* queue = NULL;
  sabir_error* error = NULL;
  check(sabir_queue_create(client, &queue, &error), &error);
  check(sabir_ref_watch(ref, queue, 7, &error), &error);
  struct pollfd wanted = {sabir_queue_fd(queue), POLLIN, 0};
  while (poll(&wanted, 1, -1) != 1) {
  }
  sabir_event event;
  size_t count = 0;
  check(sabir_queue_next(queue, &event, 1, 0, NULL, &count, &error), &error);
  printf("poll %d %d\n", (int)count, (int)event.tag);
  sabir_queue_destroy(queue);
}

static void on_alarm(int number) { (void)number; }

static void be_interrupted(sabir_ref* pending) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, NULL);
  // Again and again: the first may come before the wait.
  struct itimerval often = {{0, 50000}, {0, 50000}};
  struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &often, NULL);
  sabir_status status = sabir_get(client, &pending, 1, -1, NULL, NULL);
  setitimer(ITIMER_REAL, &never, NULL);
  printf("interrupted %d\n", status == SABIR_INTERRUPTED);
}

static void fork_one(sabir_ref* ref) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    sabir_status status = sabir_get(client, &ref, 1, -1, NULL, NULL);
    sabir_ref_release(ref);
    _exit(status == SABIR_FORKED ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  printf("forked %d\n", status == 0);
}

int main(int argc, char** argv) {
  if (argc < 4 || argc > 16) {
    return 2;
  }
  char job[4096];
  snprintf(job, sizeof(job), "{\"sys_path\": [\"%s\"]}", argv[2]);
  sabir_config config = SABIR_CONFIG_INIT;
  config.address = text(argv[1]);
  sabir_string words[16];
  for (int i = 3; i < argc; ++i) {
    words[i - 3] = text(argv[i]);
  }
  sabir_language_env python = {SABIR_LANGUAGE_PYTHON, SABIR_LAUNCH_ZYGOTE, words, (size_t)(argc - 3)};
  config.language_envs = &python;
  config.language_env_count = 1;
  config.job_config.data = job;
  config.job_config.size = strlen(job);
  sabir_error* error = NULL;
  check(sabir_client_start(&config, &client, &error), &error);

  uint8_t bytes[3];
  sabir_span part;
  sabir_value value = integer(&bytes, 30, &part);
  sabir_ref* stored = NULL;
  check(sabir_put(client, &value, 0, &stored, &error), &error);

  sabir_task* add = python_function("c_driver_module:add");
  sabir_ref* sum = call(add, stored, "b", 5);
  sabir_ref* more = call(add, sum, "b", 7);
  wait_in_poll(more);
  printf("sum %d\n", *(const int8_t*)view_of(more).data);

  sabir_task* nap = python_function("c_driver_module:Naps.nap");
  sabir_ref* pending = call(nap, stored, "seconds", 1);
  be_interrupted(pending);
  fork_one(stored);
  printf("nap %d\n", *(const int8_t*)view_of(pending).data);

  sabir_ref* failed = call(add, stored, "wrong", 1);
  printf("failed %d\n", view_of(failed).is_error);
  sabir_ref* missing = call(python_function("c_driver_module:nothing"), stored, "x", 1);
  printf("missing %d\n", view_of(missing).is_error);

  sabir_client_destroy(client);
  return 0;
}
