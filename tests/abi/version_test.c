/* Processes of another release meet a session: a typed error that names both, and the session goes on. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/abi/support/harness.h"

#define OTHER_VERSION "99.0.0"

static int names_both(const char* said) {
  char own[64];
  sabir_string version = sabir_version();
  snprintf(own, sizeof(own), " %.*s", (int)version.size, version.data);
  return strstr(said, own) != NULL && strstr(said, " " OTHER_VERSION) != NULL &&
         strstr(said, "use the same release on both sides") != NULL;
}

/* What the driver of another release says about the session. */
static void other_driver(const char* session, const char* difference) {
  char command[1024];
  char said[1024];
  snprintf(command, sizeof(command), "SABIR_TEST_OTHER=%s %s %s", difference, getenv("SABIR_TEST_JOINER"), session);
  FILE* pipe = popen(command, "r");
  size_t size = fread(said, 1, sizeof(said) - 1, pipe);
  said[size] = 0;
  int status = pclose(pipe);
  if (status != 0 || !names_both(said) || strstr(said, "driver: INCOMPATIBLE") == NULL) {
    fprintf(stderr, "%s: status %d: %s\n", difference, status, said);
    exit(1);
  }
}

static void join(void) {
  sabir_client* client = start(2);
  sabir_client_info info = SABIR_CLIENT_INFO_INIT;
  CHECK_OK(sabir_client_get_info(client, &info, &error));
  char session[256];
  snprintf(session, sizeof(session), "%.*s", (int)info.session_path.size, info.session_path.data);
  sabir_task* sum = task(client, "sum", 1, 3);
  const int64_t two[] = {40, 2};
  CHECK(take_int(client, call(sum, 2, two)) == 42);
  for (int i = 0; i < 3; ++i) {
    other_driver(session, "layout");
    other_driver(session, "protocol");
    CHECK(take_int(client, call(sum, 2, two)) == 42);
  }
  sabir_task_release(sum);
  stop(client);
}

/* A library of this release starts a daemon of another one. */
static void start_other(const char* difference) {
  char root[] = "/tmp/sabir-other-XXXXXX";
  CHECK(mkdtemp(root) != NULL);
  setenv("SABIR_TEST_OTHER", difference, 1);
  sabir_config config = SABIR_CONFIG_INIT;
  config.address = text("local");
  config.session_root = text(root);
  config.daemon_path = text(getenv("SABIR_TEST_OTHER_DAEMON"));
  sabir_client* client = NULL;
  sabir_error* refused = NULL;
  sabir_status status = sabir_client_start(&config, &client, &refused);
  sabir_string message = sabir_error_message(refused);
  char said[1024];
  snprintf(said, sizeof(said), "%.*s", (int)message.size, message.data);
  sabir_error_destroy(refused);
  unsetenv("SABIR_TEST_OTHER");
  if (status != SABIR_INCOMPATIBLE || client != NULL || !names_both(said)) {
    fprintf(stderr, "%s: status %d: %s\n", difference, status, said);
    exit(1);
  }
  /* The daemon has ended, and its session with it. */
  CHECK(rmdir(root) == 0);
}

/* Workers of another release: their call fails, and others go on. */
static void other_workers(void) {
  char root[] = "/tmp/sabir-other-XXXXXX";
  CHECK(mkdtemp(root) != NULL);
  sabir_string argv[] = {text(getenv("SABIR_TEST_JOINER"))};
  sabir_language_env env = {SABIR_LANGUAGE_JAVA, SABIR_LAUNCH_EXEC, argv, 1};
  sabir_resource cpus = {text("CPU"), 2};
  sabir_config config = SABIR_CONFIG_INIT;
  config.address = text("local");
  config.session_root = text(root);
  config.resources = &cpus;
  config.resource_count = 1;
  config.language_envs = &env;
  config.language_env_count = 1;
  sabir_client* client = NULL;
  CHECK_OK(sabir_client_start(&config, &client, &error));
  sabir_function* function = NULL;
  sabir_span code = {"C::m", 4};
  CHECK_OK(sabir_function_export(client, SABIR_FUNCTION_TASK, SABIR_LANGUAGE_JAVA, text("m"), code, &function, &error));
  sabir_task_options options = SABIR_TASK_OPTIONS_INIT;
  sabir_task* never = NULL;
  CHECK_OK(sabir_task_prepare(client, function, &options, &never, &error));
  sabir_ref* ref = call(never, 0, NULL);
  expect_error(client, ref, OTHER_VERSION);
  sabir_task_release(never);
  sabir_function_release(function);
  stop(client);
  CHECK(rmdir(root) == 0);
}

int scenario(void) {
  join();
  other_workers();
  start_other("layout");
  start_other("protocol");
  join(); /* this process may start another session after that */
  return 0;
}
