/* A program that is driver and worker at once: the node starts its workers by running it again (SABIR_LAUNCH_EXEC).
 * A test file defines scenario(); everything else is here. Values are raw bytes (SABIR_NATIVE, language C). */
#ifndef TESTS_ABI_SUPPORT_HARNESS_H_
#define TESTS_ABI_SUPPORT_HARNESS_H_

#include <stdint.h>

#include "runtime/abi/sabir.h"

#define SECONDS(n) ((int64_t)(n)*1000000000)
#define FOREVER SECONDS(50)

/* Ends the process with the place and the condition. */
#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))
#define CHECK_OK(call) check_status(__FILE__, __LINE__, #call, SABIR_OK, (call))
#define CHECK_STATUS(wanted, call) check_status(__FILE__, __LINE__, #call, (wanted), (call))

void check_failed(const char* file, int line, const char* condition);
void check_status(const char* file, int line, const char* call, sabir_status wanted, sabir_status got);
/* Pass it as out_error: check_status prints and frees it. */
extern sabir_error* error;

sabir_string text(const char* literal);
int string_is(sabir_string string, const char* literal);

/* The test itself. */
int scenario(void);

/* A node of its own, with so many CPUs. */
sabir_client* start(double cpus);
/* The same with a resource more, and a store of so many bytes. */
sabir_client* start_with(double cpus, const char* resource, double amount, uint64_t store_bytes);
void stop(sabir_client* client);

typedef struct bytes {
  sabir_span span;
  sabir_value value;
} bytes;
/* A value of raw bytes; `storage` must live as long as it is used. */
sabir_value* raw(bytes* storage, const void* data, size_t size);

sabir_function* function(sabir_client* client, const char* name);
sabir_task* task(sabir_client* client, const char* name, uint32_t num_returns, int32_t max_retries);
/* task() for a call or two: submits with integers as arguments. */
sabir_ref* call(sabir_task* prepared, int argc, const int64_t* args);
sabir_ref* put_int(sabir_client* client, int64_t number);
/* Waits for it. */
void get(sabir_client* client, sabir_ref* ref);
int64_t int_of(sabir_client* client, sabir_ref* ref);
/* Waits, and checks that it is an error whose map mentions the text; releases the reference. */
void expect_error(sabir_client* client, sabir_ref* ref, const char* part);
/* get, then release. */
void take_any(sabir_client* client, sabir_ref* ref);
/* int_of, then release. */
int64_t take_int(sabir_client* client, sabir_ref* ref);
int contains(const void* data, size_t size, const char* part);
/* A field of the status JSON: the number after "name": . -1 if there is none. */
double status_number(sabir_client* client, const char* name);

/* worker.c: never returns. */
void worker_main(void);

#endif
