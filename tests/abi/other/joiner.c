/* joiner SESSION: a driver of another release tries to join. Prints what it was told. As a worker it does the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/abi/sabir.h"

static sabir_string text(const char* literal) {
  sabir_string string = {literal, strlen(literal)};
  return string;
}

/* 0: it is as it should be. */
static int told(const char* what, sabir_status status, sabir_error* error) {
  sabir_string name = sabir_status_name(status);
  sabir_string message = sabir_error_message(error);
  printf("%s: %.*s: %.*s\n", what, (int)name.size, name.data, (int)message.size, message.data);
  sabir_error_destroy(error);
  return status == SABIR_INCOMPATIBLE ? 0 : 1;
}

int main(int argc, char** argv) {
  sabir_client* client = NULL;
  sabir_error* error = NULL;
  if (getenv("SABIR_WORKER_TOKEN") != NULL) {
    sabir_status status = sabir_client_start_worker(text(""), text(""), &client, &error);
    return told("worker", status, error);
  }
  if (argc != 2) {
    return 2;
  }
  sabir_config config = SABIR_CONFIG_INIT;
  config.address = text(argv[1]);
  sabir_status status = sabir_client_start(&config, &client, &error);
  return told("driver", status, error);
}
