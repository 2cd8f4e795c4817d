#define _GNU_SOURCE
#include "tests/abi/support/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

sabir_error* error;
static char session_root[64];
static char program[4096];

void check_failed(const char* file, int line, const char* condition) {
  fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  _exit(1);
}

void check_status(const char* file, int line, const char* call, sabir_status wanted, sabir_status got) {
  if (got == wanted) {
    sabir_error_destroy(error);
    error = NULL;
    return;
  }
  sabir_string message = sabir_error_message(error);
  fprintf(stderr, "%s:%d: %s\n  is %s, not %s: %.*s\n", file, line, call, sabir_status_name(got).data,
          sabir_status_name(wanted).data, (int)message.size, message.data);
  _exit(1);
}

sabir_string text(const char* literal) {
  sabir_string string = {literal, strlen(literal)};
  return string;
}

int string_is(sabir_string string, const char* literal) {
  return string.size == strlen(literal) && memcmp(string.data, literal, string.size) == 0;
}

int contains(const void* data, size_t size, const char* part) { return memmem(data, size, part, strlen(part)) != NULL; }

sabir_client* start_with(double cpus, const char* resource, double amount, uint64_t store_bytes) {
  sabir_resource resources[2] = {{text("CPU"), cpus}, {text(resource == NULL ? "" : resource), amount}};
  /* The same tests with their workers on a second node, behind a gateway: tests/integration/gateway. */
  static char relay[4096];
  const char* given = getenv("SABIR_TEST_RELAY");
  char relay_cpus[16];
  snprintf(relay_cpus, sizeof(relay_cpus), "%d", (int)cpus);
  sabir_string argv[4] = {text(program), text("16"), text(relay_cpus), text(program)};
  if (given != NULL && realpath(given, relay) != NULL) {
    argv[0] = text(relay);
  }
  sabir_language_env env = {SABIR_LANGUAGE_C, SABIR_LAUNCH_EXEC, argv, given != NULL ? 4 : 1};
  sabir_config config = SABIR_CONFIG_INIT;
  config.address = text("local");
  config.session_root = text(session_root);
  config.resources = resources;
  config.resource_count = resource == NULL ? 1 : 2;
  config.store_bytes = store_bytes;
  config.language_envs = &env;
  config.language_env_count = 1;
  config.language = SABIR_LANGUAGE_C;
  config.job_config.data = "opaque";
  config.job_config.size = 6;
  sabir_client* client = NULL;
  CHECK_OK(sabir_client_start(&config, &client, &error));
  return client;
}

sabir_client* start(double cpus) { return start_with(cpus, NULL, 0, 256u << 20); }

void stop(sabir_client* client) {
  CHECK_OK(sabir_client_shutdown(client, &error));
  sabir_client_destroy(client);
}

sabir_value* raw(bytes* storage, const void* data, size_t size) {
  memset(storage, 0, sizeof(*storage));
  storage->span.data = data;
  storage->span.size = size;
  storage->value.encoding = SABIR_NATIVE;
  storage->value.language = SABIR_LANGUAGE_C;
  storage->value.part_count = 1;
  storage->value.parts = &storage->span;
  return &storage->value;
}

sabir_function* function(sabir_client* client, const char* name) {
  sabir_function* exported = NULL;
  sabir_span code = {name, strlen(name)};
  CHECK_OK(sabir_function_export(client, SABIR_FUNCTION_TASK, SABIR_LANGUAGE_C, text(name), code, &exported, &error));
  return exported;
}

sabir_task* task(sabir_client* client, const char* name, uint32_t num_returns, int32_t max_retries) {
  sabir_function* exported = function(client, name);
  sabir_task_options options = SABIR_TASK_OPTIONS_INIT;
  options.num_returns = num_returns;
  options.max_retries = max_retries;
  sabir_task* prepared = NULL;
  CHECK_OK(sabir_task_prepare(client, exported, &options, &prepared, &error));
  sabir_function_release(exported);
  return prepared;
}

sabir_ref* call(sabir_task* prepared, int argc, const int64_t* args) {
  bytes storage[8];
  sabir_arg list[8];
  memset(list, 0, sizeof(list));
  for (int i = 0; i < argc; ++i) {
    list[i].value = *raw(&storage[i], &args[i], sizeof(args[i]));
  }
  sabir_ref* ref = NULL;
  CHECK_OK(sabir_task_submit(prepared, list, (size_t)argc, &ref, &error));
  return ref;
}

sabir_ref* put_int(sabir_client* client, int64_t number) {
  bytes storage;
  sabir_ref* ref = NULL;
  CHECK_OK(sabir_put(client, raw(&storage, &number, sizeof(number)), FOREVER, &ref, &error));
  return ref;
}

void get(sabir_client* client, sabir_ref* ref) { CHECK_OK(sabir_get(client, &ref, 1, FOREVER, NULL, &error)); }

int64_t int_of(sabir_client* client, sabir_ref* ref) {
  get(client, ref);
  sabir_view view;
  CHECK_OK(sabir_ref_view(ref, &view, &error));
  if (view.is_error) {
    fwrite(view.data, 1, view.size, stderr);
  }
  CHECK(!view.is_error);
  CHECK(view.size == sizeof(int64_t));
  int64_t number;
  memcpy(&number, view.data, sizeof(number));
  return number;
}

void take_any(sabir_client* client, sabir_ref* ref) {
  get(client, ref);
  sabir_ref_release(ref);
}

int64_t take_int(sabir_client* client, sabir_ref* ref) {
  int64_t number = int_of(client, ref);
  sabir_ref_release(ref);
  return number;
}

void expect_error(sabir_client* client, sabir_ref* ref, const char* part) {
  get(client, ref);
  sabir_view view;
  CHECK_OK(sabir_ref_view(ref, &view, &error));
  if (!view.is_error) {
    fprintf(stderr, "a value, where an error was to come: %s\n", part);
    _exit(1);
  }
  CHECK(view.encoding == SABIR_NEUTRAL);
  if (!contains(view.data, view.size, part)) {
    fprintf(stderr, "not in the error: %s\n", part);
    fwrite(view.data, 1, view.size, stderr);
    _exit(1);
  }
  sabir_ref_release(ref);
}

double status_number(sabir_client* client, const char* name) {
  sabir_buffer* json = NULL;
  CHECK_OK(sabir_session_status(client, &json, &error));
  sabir_span bytes = sabir_buffer_bytes(json);
  char key[64];
  snprintf(key, sizeof(key), "\"%s\":", name);
  char* at = memmem(bytes.data, bytes.size, key, strlen(key));
  double number = at == NULL ? -1 : strtod(at + strlen(key), NULL);
  sabir_buffer_destroy(json);
  return number;
}

int main(void) {
  ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
  CHECK(size > 0);
  program[size] = 0;
  if (getenv("SABIR_WORKER_TOKEN") != NULL) {
    worker_main();
  }
  snprintf(session_root, sizeof(session_root), "/tmp/sabir-abi-XXXXXX");
  CHECK(mkdtemp(session_root) != NULL);
  int result = scenario();
  /* Only a session that went away completely leaves an empty directory. */
  CHECK(rmdir(session_root) == 0);
  return result;
}
