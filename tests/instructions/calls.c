/* One call's instructions, phase by phase, under callgrind: what a clock cannot tell on a busy machine.
 *
 * The program is driver and worker. The driver runs batches that fit into one ring; in each it submits all calls while
 * the worker is stopped, lets it run until all are surely done, takes the completions in, and gets the values. So
 * nobody spins or drains meanwhile, and the counts repeat. Each phase of each batch is a dump of its own, named after
 * the phase; whoever reads them takes the smallest.
 *
 * calls PROGRAM PID_FILE [--callgrind-out-file=FILE]: PROGRAM is this one. "submit", "complete" and "get" are measured
 * when the driver runs under callgrind; with the last argument it starts its worker under callgrind, which measures
 * "execute".
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#include "sabir.h"

enum { BATCHES = 6, CALLS = 900 };

static void check(sabir_status status, sabir_error* error) {
  if (status != SABIR_OK) {
    sabir_string message = sabir_error_message(error);
    fprintf(stderr, "%.*s\n", (int)message.size, message.data);
    exit(1);
  }
}

static sabir_string text(const char* literal) {
  sabir_string string = {literal, strlen(literal)};
  return string;
}

/* The value 7 in neutral form (docs/values.md). */
static sabir_value seven(sabir_span* part) {
  static const unsigned char bytes[] = {7, 4, 1};
  part->data = bytes;
  part->size = sizeof(bytes);
  sabir_value value;
  memset(&value, 0, sizeof(value));
  value.encoding = SABIR_NEUTRAL;
  value.parts = part;
  value.part_count = 1;
  return value;
}

static int work(const char* pid_file) {
  FILE* file = fopen(pid_file, "w");
  if (file == NULL || fprintf(file, "%d\n", (int)getpid()) < 0 || fclose(file) != 0) {
    return 1;
  }
  sabir_client* client = NULL;
  sabir_error* error = NULL;
  check(sabir_client_start_worker(text(""), text(""), &client, &error), error);
  sabir_queue* queue = sabir_client_work_queue(client);
  sabir_span part;
  sabir_value result = seven(&part);
  for (int done = -1;;) { /* the first call is to start this worker */
    sabir_event event;
    size_t count = 0;
    CALLGRIND_TOGGLE_COLLECT;
    sabir_status status = sabir_queue_next(queue, &event, 1, 0, NULL, &count, NULL);
    if (status == SABIR_OK && count == 1 && event.kind == SABIR_EVENT_WORK) {
      sabir_work_view view;
      sabir_work_get_view(event.work, &view);
      sabir_work_finish(event.work, &result, 1, NULL);
      CALLGRIND_TOGGLE_COLLECT;
      if (++done == CALLS) {
        CALLGRIND_DUMP_STATS_AT("execute");
        done = 0;
      }
      continue;
    }
    CALLGRIND_TOGGLE_COLLECT;
    if (status != SABIR_TIMEOUT && status != SABIR_INTERRUPTED) {
      break;
    }
    if (done <= 0) {
      CALLGRIND_ZERO_STATS; /* between batches it looked in vain */
    }
    usleep(500);
  }
  sabir_client_destroy(client);
  return 0;
}

static pid_t worker_pid(const char* pid_file) {
  int pid = 0;
  FILE* file = fopen(pid_file, "r");
  if (file == NULL || fscanf(file, "%d", &pid) != 1 || fclose(file) != 0 || pid <= 1) {
    fprintf(stderr, "no worker\n");
    exit(1);
  }
  return pid;
}

static int drive(const char* program, const char* pid_file, const char* out_file) {
  int trace_worker = out_file != NULL;
  sabir_string plain[] = {text(program), text("work"), text(pid_file)};
  sabir_string traced[] = {text("/usr/bin/valgrind"),
                           text("--tool=callgrind"),
                           text("--collect-atstart=no"),
                           text("--quiet"),
                           text(trace_worker ? out_file : ""),
                           text(program),
                           text("work"),
                           text(pid_file)};
  sabir_language_env env = {SABIR_LANGUAGE_C, SABIR_LAUNCH_EXEC, trace_worker ? traced : plain, trace_worker ? 8 : 3};
  sabir_resource cpu = {text("CPU"), 1};
  sabir_config config = SABIR_CONFIG_INIT;
  config.address = text("local");
  config.resources = &cpu;
  config.resource_count = 1;
  config.language_envs = &env;
  config.language_env_count = 1;
  sabir_client* client = NULL;
  sabir_error* error = NULL;
  check(sabir_client_start(&config, &client, &error), error);
  sabir_function* function = NULL;
  sabir_span code = {"f", 1};
  check(sabir_function_export(client, SABIR_FUNCTION_TASK, SABIR_LANGUAGE_C, text("f"), code, &function, &error),
        error);
  sabir_task_options options = SABIR_TASK_OPTIONS_INIT;
  sabir_task* task = NULL;
  check(sabir_task_prepare(client, function, &options, &task, &error), error);

  static sabir_ref* refs[CALLS];
  sabir_span part;
  sabir_arg arg;
  memset(&arg, 0, sizeof(arg));
  arg.value = seven(&part);
  sabir_ref* warm = NULL;
  check(sabir_task_submit(task, &arg, 1, &warm, &error), error);
  check(sabir_get(client, &warm, 1, 120000000000, NULL, &error), error); /* the worker runs */
  sabir_ref_release(warm);
  pid_t worker = worker_pid(pid_file);
  for (int batch = 0; batch < BATCHES; ++batch) {
    kill(worker, SIGSTOP);
    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;
    for (int i = 0; i < CALLS; ++i) {
      sabir_task_submit(task, &arg, 1, &refs[i], NULL);
    }
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT("submit");
    kill(worker, SIGCONT);
    usleep(trace_worker ? 1000000 : 100000);

    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;
    int all = sabir_ref_ready(refs[0]);
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT("complete");

    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;
    for (int i = 0; i < CALLS; ++i) {
      sabir_view view;
      sabir_get(client, &refs[i], 1, -1, NULL, NULL);
      sabir_ref_view(refs[i], &view, NULL);
      all &= view.size == 3;
      sabir_ref_release(refs[i]);
    }
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT("get");
    if (!all) {
      fprintf(stderr, "a value is wrong\n");
      return 1;
    }
  }
  sabir_task_release(task);
  sabir_function_release(function);
  sabir_client_destroy(client);
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "work") == 0) {
    return work(argv[2]);
  }
  if (argc != 3 && argc != 4) {
    fprintf(stderr, "calls PROGRAM PID_FILE [--callgrind-out-file=FILE]\n");
    return 2;
  }
  return drive(argv[1], argv[2], argc == 4 ? argv[3] : NULL);
}
