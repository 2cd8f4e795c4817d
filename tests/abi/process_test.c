/* The client's life in its process: forks, second clients, information, keys, the end; and tasks within tasks. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/abi/support/harness.h"

static int count_descriptors(void) {
  DIR* directory = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(directory) != NULL) {
    ++count;
  }
  closedir(directory);
  return count;
}

static int count_lines(const char* path, const char* part) {
  FILE* file = fopen(path, "r");
  char line[512];
  int count = 0;
  while (fgets(line, sizeof(line), file) != NULL) {
    count += strstr(line, part) != NULL;
  }
  fclose(file);
  return count;
}

static void forks(sabir_client* client) {
  sabir_task* sum = task(client, "sum", 1, 3);
  int64_t one = 1;
  sabir_ref* ref = call(sum, 1, &one);
  sabir_waiter* waiter = NULL;
  CHECK_OK(sabir_waiter_create(&waiter, &error));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    sabir_ref* other = NULL;
    sabir_view view;
    sabir_buffer* json = NULL;
    CHECK_STATUS(SABIR_FORKED, sabir_task_submit(sum, NULL, 0, &other, &error));
    CHECK_STATUS(SABIR_FORKED, sabir_get(client, &ref, 1, -1, waiter, &error));
    CHECK_STATUS(SABIR_FORKED, sabir_ref_view(ref, &view, &error));
    CHECK_STATUS(SABIR_FORKED, sabir_session_status(client, &json, &error));
    CHECK_STATUS(SABIR_FORKED, sabir_client_shutdown(client, &error));
    CHECK(sabir_ref_ready(ref) == 0);
    sabir_ref_release(ref);
    sabir_task_release(sum);
    sabir_client_destroy(client);
#ifndef __SANITIZE_THREAD__ /* knows no threads in a forked child */
    /* It may have a client of its own. */
    sabir_client* own = start(1);
    sabir_task* mine = task(own, "sum", 1, 3);
    CHECK(take_int(own, call(mine, 1, &one)) == 1);
    sabir_task_release(mine);
    stop(own);
#endif
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(take_int(client, ref) == 1);
  sabir_waiter_destroy(waiter);
  sabir_task_release(sum);
}

static void information(sabir_client* client) {
  sabir_client_info info = SABIR_CLIENT_INFO_INIT;
  CHECK_OK(sabir_client_get_info(client, &info, &error));
  CHECK(!info.is_worker && info.job_id.size == 32 && info.node_id.size == 32 && info.process_id.size == 32);
  CHECK(info.session_path.size != 0 && info.name_space.size != 0 && info.actor_id.size == 0);
  sabir_buffer* json = NULL;
  CHECK_OK(sabir_session_status(client, &json, &error));
  sabir_span bytes = sabir_buffer_bytes(json);
  CHECK(contains(bytes.data, bytes.size, "\"nodes\"") && contains(bytes.data, bytes.size, "\"CPU\""));
  sabir_buffer_destroy(json);
  sabir_client* second = NULL;
  CHECK_STATUS(SABIR_ALREADY_EXISTS, sabir_client_start(NULL, &second, &error));
  CHECK_OK(sabir_node_status(info.session_path, text(""), SECONDS(10), &json, &error));
  sabir_buffer_destroy(json);
}

static void keys(sabir_client* client) {
  sabir_span value = {"value", 5};
  uint8_t flag = 0;
  CHECK_OK(sabir_kv_put(client, text("key"), value, 0, &flag, &error));
  CHECK(flag == 1);
  CHECK_OK(sabir_kv_put(client, text("key"), value, 0, &flag, &error));
  CHECK(flag == 0);
  sabir_buffer* found = NULL;
  CHECK_OK(sabir_kv_get(client, text("key"), &found, &error));
  CHECK(contains(sabir_buffer_bytes(found).data, sabir_buffer_bytes(found).size, "value"));
  sabir_buffer_destroy(found);
  CHECK_OK(sabir_kv_delete(client, text("key"), &flag, &error));
  CHECK(flag == 1);
  CHECK_STATUS(SABIR_NOT_FOUND, sabir_kv_get(client, text("key"), &found, &error));
}

static void tasks_in_tasks(sabir_client* client) {
  sabir_task* nested = task(client, "nested", 1, 3);
  int64_t depth = 4;
  CHECK(take_int(client, call(nested, 1, &depth)) == 5);
  sabir_task_release(nested);
}

static void output(sabir_client* client) {
  sabir_task* print = task(client, "print", 1, 3);
  CHECK(take_int(client, call(print, 0, NULL)) == 0);
  sabir_task_release(print);
  for (;;) {
    sabir_event event;
    size_t count = 0;
    CHECK_OK(sabir_queue_next(sabir_client_notice_queue(client), &event, 1, FOREVER, NULL, &count, &error));
    int found = 0;
    if (event.kind == SABIR_EVENT_LOG) {
      sabir_log_view view = SABIR_LOG_VIEW_INIT;
      CHECK_OK(sabir_log_read(event.buffer, &view, &error));
      found = contains(view.text.data, view.text.size, "hello from the worker") && view.stream == 1 && view.pid != 0;
    }
    sabir_buffer_destroy(event.buffer);
    if (found) {
      return;
    }
  }
}

static void cycle(void) {
  sabir_client* client = start(1);
  sabir_task* sum = task(client, "sum", 1, 3);
  int64_t one = 1;
  sabir_ref* kept = call(sum, 1, &one);
  CHECK(int_of(client, kept) == 1);
  char* data = calloc(1, 200000);
  bytes storage;
  sabir_ref* large = NULL;
  CHECK_OK(sabir_put(client, raw(&storage, data, 200000), FOREVER, &large, &error));
  free(data);
  sabir_view view;
  CHECK_OK(sabir_ref_view(large, &view, &error));
  stop(client);
  /* What was seen may still be read. */
  CHECK(((const char*)view.data)[199999] == 0);
  sabir_ref_release(kept);
  sabir_ref_release(large);
  sabir_task_release(sum);
}

/* Nothing is left in the process when the last handle is gone: descriptors, mappings, threads. */
static void no_leak(void) {
  cycle();
  int descriptors = count_descriptors();
  int threads = count_lines("/proc/self/status", "Threads:\t1\n");
  int segments = count_lines("/proc/self/maps", "memfd:");
#ifdef __SANITIZE_THREAD__ /* has a thread of its own */
  threads = 1;
#endif
  CHECK(threads == 1 && segments == 0);
  for (int i = 0; i < 3; ++i) {
    cycle();
  }
  CHECK(count_descriptors() == descriptors);
  CHECK(count_lines("/proc/self/maps", "memfd:") == 0);
}

int scenario(void) {
  CHECK(sabir_abi_version() == SABIR_ABI_VERSION);
  CHECK(string_is(sabir_status_name(SABIR_WORKER_CRASHED), "WORKER_CRASHED"));
  sabir_client* client = start(1);
  information(client);
  keys(client);
  tasks_in_tasks(client);
  output(client);
  forks(client);
  stop(client);
  no_leak();
  return 0;
}
