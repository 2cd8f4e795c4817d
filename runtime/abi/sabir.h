/* Sabir's C interface: the only public surface of the core. Every SDK stands on it.
 *
 * (1) Handles are opaque. What a function returns through an `out_` parameter belongs to the caller, who ends it with
 *     the one function named at its type. Ending NULL does nothing. "Borrowed" says that something is not to be ended,
 *     and until when it lives.
 * (2) Errors: a function that can fail returns a sabir_status and takes `sabir_error **out_error`, which may be NULL.
 *     On failure it sets *out_error to a new error (end: sabir_error_destroy) and touches no other out parameter.
 *     There is no thread-local error.
 * (3) Threads: every function may be called from any thread at any time, except that ending a handle while another
 *     thread uses it is the caller's error. Exceptions are said at the function.
 * (4) Times are nanoseconds. A timeout_ns below zero waits for ever, 0 polls.
 * (5) Strings are a pointer and a length in bytes, UTF-8, not terminated. NULL with length 0 is the empty string.
 * (6) Structs that a caller fills and that may grow begin with struct_size and have an _INIT macro. A language without
 *     macros sets struct_size and leaves the rest zero; those whose defaults are not all zero have an _init function,
 *     which then sets the defaults.
 *     Values, arguments, views and events are plain data that will not change.
 * (7) Nothing throws, nothing calls back. Completions, work and notices are pulled from queues (sabir_queue_next), and
 *     a queue has a descriptor for event loops.
 * (8) A blocking call takes a sabir_waiter, or NULL. sabir_waiter_interrupt may be called from any thread and from a
 *     signal handler. A signal that interrupts the thread itself ends the call with SABIR_INTERRUPTED as well; nothing
 *     is lost, call again.
 * (9) After fork() each call in the child returns SABIR_FORKED and ending a handle does nothing.
 */
#ifndef SABIR_SABIR_H_
#define SABIR_SABIR_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SABIR_API __attribute__((visibility("default")))
#else
#define SABIR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define SABIR_ABI_VERSION 1u

/* What the caller can do about it is the second half of each line. The values are part of the ABI and of error values.
 */
typedef int32_t sabir_status;
enum {
  SABIR_OK = 0,
  SABIR_INVALID_ARGUMENT = 1,   /* the call is wrong: mend the program */
  SABIR_NOT_FOUND = 2,          /* no such name, function, actor: it may appear later */
  SABIR_ALREADY_EXISTS = 3,     /* the name is taken: take another, or get the existing one */
  SABIR_TIMEOUT = 4,            /* the deadline passed first: call again */
  SABIR_INTERRUPTED = 5,        /* a signal or sabir_waiter_interrupt: handle it, call again */
  SABIR_CLOSED = 6,             /* this client was shut down: start a new one */
  SABIR_FORKED = 7,             /* this process is a fork of the one that started the client: start a new one */
  SABIR_DISCONNECTED = 8,       /* the node is gone: start again */
  SABIR_INCOMPATIBLE = 9,       /* the session speaks another version: use its library */
  SABIR_STORE_FULL = 10,        /* no room for objects: drop references, or give the store more memory */
  SABIR_OUT_OF_MEMORY = 11,     /* a limit of this machine or of the session was reached */
  SABIR_TASK_FAILED = 12,       /* user code raised: look at the error value */
  SABIR_WORKER_CRASHED = 13,    /* the process that ran the call died, retries are used up */
  SABIR_ACTOR_DIED = 14,        /* the actor is gone for good */
  SABIR_ACTOR_UNAVAILABLE = 15, /* the actor restarts; this call was not retried */
  SABIR_OBJECT_LOST = 16,       /* the value is gone and cannot be made again */
  SABIR_CANCELLED = 17,         /* the call was cancelled */
  SABIR_SYSTEM = 18,            /* the operating system refused: the message has errno's text */
  SABIR_INTERNAL = 19,          /* a defect of Sabir: report it */
  SABIR_UNSCHEDULABLE = 20,     /* the node it is bound to is gone, or can never run it: bind it to another */
  SABIR_GROUP_REMOVED = 21      /* its placement group was removed: make another one */
};

typedef struct sabir_error sabir_error;   /* end: sabir_error_destroy */
typedef struct sabir_client sabir_client; /* this process's membership in a session; end: sabir_client_destroy */
typedef struct sabir_function
    sabir_function;                     /* an exported function, class or method name; end: sabir_function_release */
typedef struct sabir_task sabir_task;   /* a function with its options, ready to submit; end: sabir_task_release */
typedef struct sabir_actor sabir_actor; /* a handle of an actor; end: sabir_actor_release */
typedef struct sabir_ref sabir_ref;     /* a reference to a value, counted; end: sabir_ref_release */
typedef struct sabir_builder sabir_builder; /* an object being written in place; end: seal or destroy */
typedef struct sabir_queue sabir_queue;     /* events to pull; end: sabir_queue_destroy */
typedef struct sabir_waiter sabir_waiter;   /* interrupts blocking calls; end: sabir_waiter_destroy */
typedef struct sabir_work sabir_work;       /* a call to execute; end: sabir_work_finish or sabir_work_fail */
typedef struct sabir_buffer sabir_buffer;   /* bytes made by the library; end: sabir_buffer_destroy */

typedef struct sabir_string {
  const char* data;
  size_t size;
} sabir_string;
typedef struct sabir_span {
  const void* data;
  size_t size;
} sabir_span;

/* --- errors ------------------------------------------------------------------------------------------------------ */

SABIR_API sabir_status sabir_error_status(const sabir_error* error);
/* Borrowed until the error is destroyed. One or more sentences for people: what, where, what to do. */
SABIR_API sabir_string sabir_error_message(const sabir_error* error);
SABIR_API void sabir_error_destroy(sabir_error* error);
/* The name of a status, "TIMEOUT". Static; "UNKNOWN" for other numbers. */
SABIR_API sabir_string sabir_status_name(sabir_status status);

/* --- values ------------------------------------------------------------------------------------------------------ */

/* How a value's bytes are to be read (docs/values.md). */
typedef uint8_t sabir_encoding;
enum {
  SABIR_NULL = 0,    /* no bytes: None, null */
  SABIR_NEUTRAL = 1, /* what every language has: all read it */
  SABIR_TENSOR = 2,  /* header and raw numbers: all languages read it */
  SABIR_NATIVE = 3   /* only `language` reads it */
};
/* `variant` of a neutral value: its form. */
enum {
  SABIR_NEUTRAL_FLEXBUFFERS = 0, /* error values, too */
  SABIR_NEUTRAL_PLAIN = 1,
  SABIR_NEUTRAL_BUFFERS = 2, /* plain, with tensors beside it */
  SABIR_NEUTRAL_TABLE = 3
};
/* `variant` of a native value, with this bit: it begins with a text for readers in other languages. */
enum { SABIR_NATIVE_NOTED = 0x80 };
/* 5 to 127 are for languages that Sabir will know. An SDK made elsewhere takes one from SABIR_LANGUAGE_OTHERS on: the
 * core passes it on as it is, and nobody reads native values of a language but itself. */
typedef uint8_t sabir_language;
enum {
  SABIR_LANGUAGE_NONE = 0,
  SABIR_LANGUAGE_PYTHON = 1,
  SABIR_LANGUAGE_JAVA = 2,
  SABIR_LANGUAGE_CPP = 3,
  SABIR_LANGUAGE_C = 4,
  SABIR_LANGUAGE_OTHERS = 128
};

/* A value to send. Its bytes are the parts one after the other; they are copied before the call returns. `refs` are the
 * references the bytes mention by index; they are kept alive as long as the value. `variant` is for the language. */
typedef struct sabir_value {
  sabir_encoding encoding;
  sabir_language language;
  uint8_t variant;
  uint8_t reserved;
  uint32_t part_count;
  const sabir_span* parts;
  sabir_ref* const* refs; /* borrowed; objects and actor handles (sabir_actor_as_ref) */
  size_t ref_count;
} sabir_value;

/* A value received. data and refs are borrowed from what the view was taken of. Bytes in the store are 64-byte aligned
 * and read-only; other bytes are 8-byte aligned. */
typedef struct sabir_view {
  sabir_encoding encoding;
  sabir_language language;
  uint8_t variant;
  uint8_t is_error; /* 1: an error value: a neutral map, see sabir_work_fail */
  uint8_t in_store; /* 1: data lies in shared memory and may be kept as long as a reference is held */
  uint8_t reserved[3];
  const void* data;
  size_t size;
  sabir_ref* const* refs;
  size_t ref_count;
} sabir_view;

/* The plain form (docs/values.md) of null and of a neutral value in that form or in FlexBuffers: an SDK that reads
 * tensors and tables by itself, or not at all, has to know one form alone. Indices are into the view's refs.
 * INVALID_ARGUMENT, with a sentence about what it is instead, for all others and for damaged bytes. What is in a plain
 * value already is copied as it came, and not checked. */
SABIR_API sabir_status sabir_view_to_plain(const sabir_view* view, sabir_buffer** out_plain, sabir_error** out_error);

/* --- client ------------------------------------------------------------------------------------------------------ */

typedef struct sabir_resource {
  sabir_string name;
  double amount;
} sabir_resource;

/* A label of a node; in a selector a condition on one: value "eu", "!eu", "in(eu, us)", "!in(eu, us)", "exists()" or
 * "!exists()". */
typedef struct sabir_label {
  sabir_string key;
  sabir_string value;
} sabir_label;

/* How to start workers of a language. ZYGOTE: argv is started once per session and forks workers on request by the
 * protocol in schema/zygote.md. EXEC: argv is started once per worker, with SABIR_SESSION and SABIR_WORKER_TOKEN. */
typedef uint32_t sabir_launch_mode;
enum { SABIR_LAUNCH_ZYGOTE = 1, SABIR_LAUNCH_EXEC = 2 };
typedef struct sabir_language_env {
  sabir_language language;
  sabir_launch_mode mode;
  const sabir_string* argv;
  size_t argc;
} sabir_language_env;

/* NONE: alone. HEAD: the first node of a cluster. JOIN: a further one. */
typedef uint8_t sabir_cluster_role;
enum { SABIR_CLUSTER_NONE = 0, SABIR_CLUSTER_HEAD = 1, SABIR_CLUSTER_JOIN = 2 };

typedef struct sabir_config {
  size_t struct_size;
  sabir_string address;     /* "": SABIR_ADDRESS, else a node of this user that sabir_node_start has started, else start
                               one. "local": start one. "auto": a running one or NOT_FOUND; one that ends with its
                               driver only if there is no other. "sabir://...", what the head of a cluster has printed:
                               visit it, by a node that runs nothing and ends with this driver; a signal meanwhile
                               ends the start with INTERRUPTED. Otherwise the path of a session directory. */
  sabir_string daemon_path; /* "": sabird beside this library, else SABIR_DAEMON */
  sabir_string session_root; /* "": $XDG_RUNTIME_DIR/sabir, else /tmp/sabir-UID */
  sabir_string job_name;
  sabir_string name_space;         /* of actor names; "": one of its own */
  const sabir_resource* resources; /* of the node to start: CPU, GPU, memory, others. CPU "": the machine's */
  size_t resource_count;
  uint64_t store_bytes; /* 0: 30 % of the memory; a started node only */
  const sabir_language_env* language_envs;
  size_t language_env_count;
  sabir_span job_config;             /* opaque to the core: given to each worker of the job (sabir_client_job_config) */
  uint8_t log_to_driver;             /* 1: workers' output arrives as SABIR_EVENT_LOG notices */
  sabir_language language;           /* of this driver: workers learn who calls them (sabir_work_view) */
  int64_t timeout_ns;                /* for the whole start */
  const uint32_t* slots_per_process; /* of each language_env: so many workers share a process (1 to 64), each with a
                                        client and a thread of its own; they end together. More than one with EXEC
                                        only. NULL: 1 each */
  /* sabir_node_start only: the node's part in a cluster. */
  sabir_cluster_role cluster_role;
  uint16_t node_port;       /* where other nodes reach it; 0: any that is free */
  uint8_t insecure;         /* 1: plain TCP between nodes; the head's choice, and each node must ask for it */
  sabir_string node_host;   /* where other nodes reach it; "": the head 127.0.0.1, others by the machine's
                               address on the way to the head */
  sabir_string node_name;   /* for people; "": the host's name */
  sabir_string join_string; /* of SABIR_CLUSTER_JOIN: what the head's start has printed */
  uint8_t ends_with_caller; /* sabir_node_start only. 1: the node ends when this process does, however that happens */
  int64_t join_life_ns;     /* of SABIR_CLUSTER_HEAD: so long its join string lets nodes in; 0: as long as it runs */
  /* Of a node to start; sabir.io/node-id and sabir.io/node-name it has anyway, that prefix is taken. */
  const sabir_label* labels;
  size_t label_count;
  /* Of SABIR_CLUSTER_HEAD: where the cluster's state is kept (control store, key, port, token), mode 0700, made if it
   * is not there. A head that is started again with it goes on with its cluster. One head at a time: ALREADY_EXISTS.
   * "": "head" beneath session_root if that was given, else $XDG_STATE_HOME/sabir/head, else ~/.local/state/sabir/head.
   */
  sabir_string state_dir;
  uint8_t durable; /* of SABIR_CLUSTER_HEAD. 1: what the control store has answered outlives a loss of power, too */
} sabir_config;
#define SABIR_CONFIG_INIT                                                                                            \
  {                                                                                                                  \
    sizeof(sabir_config), {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0, 0, 0, 0, 0, {0, 0}, 1, 0, 60000000000, 0, 0, 0, \
        0, {0, 0}, {0, 0}, {0, 0}, 0, 0, 0, 0, {0, 0}, 0                                                             \
  }
/* As the macro (rule 6). So are the others: they write what struct_size has room for, and nothing if it is not set. */
SABIR_API void sabir_config_init(sabir_config* config);

/* The version of this library's ABI: compare with SABIR_ABI_VERSION. */
SABIR_API uint32_t sabir_abi_version(void);
/* "0.1.0". Static. */
SABIR_API sabir_string sabir_version(void);

/* Joins a session as a driver, starting a node if the address asks for one. A process has at most one client at a time,
 * but for workers that share one: ALREADY_EXISTS otherwise. */
SABIR_API sabir_status sabir_client_start(const sabir_config* config, sabir_client** out_client,
                                          sabir_error** out_error);
/* Joins as the worker that the node has just launched; both strings come from the launch ("": from SABIR_SESSION and
 * SABIR_WORKER_TOKEN). A process that is to host several (SABIR_WORKER_SLOTS says how many) calls it that often, with
 * the same strings, from any threads. CANCELLED: this worker is not needed any more. */
SABIR_API sabir_status sabir_client_start_worker(sabir_string session, sabir_string token, sabir_client** out_client,
                                                 sabir_error** out_error);
/* Leaves: every blocked call returns CLOSED, and this call waits until they have. A driver's job ends with it; a node
 * started by it stops. Idempotent. */
SABIR_API sabir_status sabir_client_shutdown(sabir_client* client, sabir_error** out_error);
/* Shuts down if need be. Handles of this client may still be released afterwards. */
SABIR_API void sabir_client_destroy(sabir_client* client);

typedef struct sabir_client_info {
  size_t struct_size;
  sabir_string session_path; /* all strings borrowed until the client is destroyed */
  sabir_string job_id;       /* hex */
  sabir_string node_id;      /* hex */
  sabir_string process_id;   /* hex; unique in time and space */
  sabir_string name_space;
  sabir_span job_config;
  uint32_t is_worker;
  sabir_language language; /* a worker's as the node launched it, a driver's as its configuration said */
  sabir_string actor_id;   /* hex; "" unless this worker hosts an actor */
} sabir_client_info;
#define SABIR_CLIENT_INFO_INIT                                                                \
  {                                                                                           \
    sizeof(sabir_client_info), {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0, 0, { 0, 0 } \
  }
SABIR_API sabir_status sabir_client_get_info(sabir_client* client, sabir_client_info* out_info,
                                             sabir_error** out_error);

/* --- functions --------------------------------------------------------------------------------------------------- */

typedef uint32_t sabir_function_kind;
enum { SABIR_FUNCTION_TASK = 1, SABIR_FUNCTION_CLASS = 2, SABIR_FUNCTION_METHOD = 3 };

/* Exports under the hash of all fields: the same content again gives the same function. `code` is opaque to the core;
 * for a method it is its name. `name` is for people, logs and errors. */
SABIR_API sabir_status sabir_function_export(sabir_client* client, sabir_function_kind kind, sabir_language language,
                                             sabir_string name, sabir_span code, sabir_function** out_function,
                                             sabir_error** out_error);
/* What a worker was told to run; cached in this process. Borrowed until the client is destroyed. */
typedef struct sabir_function_info {
  size_t struct_size;
  sabir_function_kind kind;
  sabir_language language;
  sabir_string name;
  sabir_span code;
} sabir_function_info;
#define SABIR_FUNCTION_INFO_INIT                        \
  {                                                     \
    sizeof(sabir_function_info), 0, 0, {0, 0}, { 0, 0 } \
  }
SABIR_API sabir_status sabir_function_get(sabir_client* client, uint32_t function_index, sabir_function_info* out_info,
                                          sabir_error** out_error);
SABIR_API uint32_t sabir_function_index(const sabir_function* function);
SABIR_API void sabir_function_release(sabir_function* function);

/* --- where calls and actors run ---------------------------------------------------------------------------------- */

typedef uint32_t sabir_strategy;
enum {
  SABIR_STRATEGY_DEFAULT = 0, /* here if there is room, else on a node that has it */
  SABIR_STRATEGY_SPREAD = 1,  /* on all nodes alike */
  SABIR_STRATEGY_NODE = 2,    /* on one node */
  SABIR_STRATEGY_GROUP = 3    /* in a placement group */
};
/* Conditions that a node must meet, all of them. */
typedef struct sabir_label_selector {
  const sabir_label* conditions;
  size_t condition_count;
} sabir_label_selector;
typedef struct sabir_scheduling {
  size_t struct_size;
  sabir_strategy strategy;
  uint8_t soft;                          /* NODE: 1: elsewhere if that node is gone or can never run it;
                                            0: UNSCHEDULABLE then */
  sabir_string node_id;                  /* NODE: hex, as in sabir_client_info and sabir_client_status */
  sabir_label_selector labels;           /* what any node must meet */
  const sabir_label_selector* fallbacks; /* in this order, when no node of the earlier ones can run it now */
  size_t fallback_count;
  /* GROUP: hex, of the group; "": of none, also for a call made inside of one that captures. No labels, no fallbacks.
   */
  sabir_string group_id;
  int32_t bundle;           /* GROUP: the index of its bundle; -1: any that has room */
  uint8_t capture_children; /* GROUP: calls made inside that say nothing of where they run do so in the group, too */
} sabir_scheduling;
#define SABIR_SCHEDULING_INIT \
  { sizeof(sabir_scheduling), 0, 0, {0, 0}, {0, 0}, 0, 0, {0, 0}, -1, 0 }

/* --- placement groups -------------------------------------------------------------------------------------------- */

/* A group reserves bundles of resources on nodes, all of them or none. What runs in a bundle takes from it, and nothing
 * from its node. When a node dies, its bundles are reserved anew elsewhere; the others stay. */
typedef uint32_t sabir_group_strategy;
enum {
  SABIR_GROUP_PACK = 0,         /* on few nodes */
  SABIR_GROUP_SPREAD = 1,       /* on many nodes */
  SABIR_GROUP_STRICT_PACK = 2,  /* on one node, or not at all */
  SABIR_GROUP_STRICT_SPREAD = 3 /* each on another node, or not at all */
};
typedef struct sabir_bundle {
  const sabir_resource* resources; /* at least one that is not 0 */
  size_t resource_count;
  sabir_label_selector labels; /* what its node must meet */
} sabir_bundle;
typedef struct sabir_group_options {
  size_t struct_size;
  sabir_group_strategy strategy;
  const sabir_bundle* bundles; /* 1 to 256 */
  size_t bundle_count;
  sabir_string name;       /* "": none; at most 256 bytes */
  sabir_string name_space; /* "": the job's */
  uint8_t detached;        /* 1: it outlives its job */
} sabir_group_options;
#define SABIR_GROUP_OPTIONS_INIT \
  { sizeof(sabir_group_options), 0, 0, 0, {0, 0}, {0, 0}, 0 }
SABIR_API void sabir_group_options_init(sabir_group_options* options);
typedef struct sabir_group_id {
  char hex[33]; /* 32 digits and a 0; no digits: no group */
} sabir_group_id;

/* Returns when the group is registered and has its name; its bundles follow. INVALID_ARGUMENT: what no cluster could
 * have. ALREADY_EXISTS: the name is taken. */
SABIR_API sabir_status sabir_group_create(sabir_client* client, const sabir_group_options* options,
                                          sabir_group_id* out_group, sabir_error** out_error);
/* A reference that has the value (without references in it) when all bundles are there, and fails with GROUP_REMOVED
 * when that can never be. To wait for the group, wait for it. */
SABIR_API sabir_status sabir_group_ready(sabir_client* client, sabir_string group_id, const sabir_value* value,
                                         sabir_ref** out_ref, sabir_error** out_error);
/* What runs in it ends: calls fail with GROUP_REMOVED, actors die. Of a group that is not there: nothing happens. */
SABIR_API sabir_status sabir_group_remove(sabir_client* client, sabir_string group_id, sabir_error** out_error);
/* Groups as a JSON list (docs/status.md, placement_groups): by id; or by name; or, if both are "", all of them.
 * NOT_FOUND: there is none with that id or name. */
SABIR_API sabir_status sabir_group_find(sabir_client* client, sabir_string group_id, sabir_string name,
                                        sabir_string name_space, sabir_buffer** out_json, sabir_error** out_error);
/* Where what this process executes runs: its group, or none. */
typedef struct sabir_current_group {
  size_t struct_size;
  sabir_group_id group;
  int32_t bundle; /* -1: any */
  uint8_t capture_children;
} sabir_current_group;
#define SABIR_CURRENT_GROUP_INIT \
  { sizeof(sabir_current_group), {{0}}, -1, 0 }
SABIR_API sabir_status sabir_group_current(sabir_client* client, sabir_current_group* out_current,
                                           sabir_error** out_error);

/* --- tasks ------------------------------------------------------------------------------------------------------- */

/* One argument: a reference (its value is passed, the call waits for it) or else a value. `name` is empty for a
 * positional argument; named ones come last. */
typedef struct sabir_arg {
  sabir_ref* ref;
  sabir_value value;
  sabir_string name;
} sabir_arg;

typedef struct sabir_task_options {
  size_t struct_size;
  const sabir_resource* resources; /* NULL: CPU 1; count 0 otherwise: none. Amounts in units of 1/10000 */
  size_t resource_count;
  uint32_t num_returns;               /* default 1, at most 65535 */
  int32_t max_retries;                /* after a worker's death; default 3, -1 for ever */
  uint8_t retry_errors;               /* 1: also when user code raised (the SDK's sabir_work_fail says `retryable`) */
  sabir_string name;                  /* for logs and errors; "": the function's */
  const sabir_scheduling* scheduling; /* NULL: as by default */
} sabir_task_options;
#define SABIR_TASK_OPTIONS_INIT \
  { sizeof(sabir_task_options), 0, 0, 1, 3, 0, {0, 0}, 0 }
SABIR_API void sabir_task_options_init(sabir_task_options* options);

SABIR_API sabir_status sabir_task_prepare(sabir_client* client, const sabir_function* function,
                                          const sabir_task_options* options, sabir_task** out_task,
                                          sabir_error** out_error);
/* "" or why no node of the session can run it now (a resource that none has). Borrowed until the task is released. */
SABIR_API sabir_string sabir_task_infeasible(const sabir_task* task);
/* Sends a call. Sets num_returns references. Never waits for other processes, except for room in the store. */
SABIR_API sabir_status sabir_task_submit(sabir_task* task, const sabir_arg* args, size_t arg_count,
                                         sabir_ref** out_refs, sabir_error** out_error);
SABIR_API void sabir_task_release(sabir_task* task);

/* --- actors ------------------------------------------------------------------------------------------------------ */

typedef struct sabir_actor_options {
  size_t struct_size;
  const sabir_resource* resources; /* held while it lives; default none */
  size_t resource_count;
  sabir_string name;                  /* "": none */
  sabir_string name_space;            /* "": the job's */
  int32_t max_restarts;               /* default 0, -1 for ever */
  int32_t max_task_retries;           /* default 0, -1 for ever */
  uint32_t max_concurrency;           /* calls executed at a time; default 1 */
  uint8_t detached;                   /* 1: outlives its handles and its job */
  uint8_t get_if_exists;              /* with a name: the existing actor instead of ALREADY_EXISTS */
  sabir_span class_info;              /* opaque to the core: what an SDK wants to know of a handle (methods) */
  const sabir_scheduling* scheduling; /* NULL: as by default */
} sabir_actor_options;
#define SABIR_ACTOR_OPTIONS_INIT \
  { sizeof(sabir_actor_options), 0, 0, {0, 0}, {0, 0}, 0, 0, 1, 0, 0, {0, 0}, 0 }
SABIR_API void sabir_actor_options_init(sabir_actor_options* options);

/* Registers the actor (so a name is taken when this returns) and has it started when its arguments are ready. An error
 * of the constructor ends the actor: its calls fail with ACTOR_DIED that carries the error. */
SABIR_API sabir_status sabir_actor_create(sabir_client* client, const sabir_function* actor_class,
                                          const sabir_actor_options* options, const sabir_arg* args, size_t arg_count,
                                          sabir_actor** out_actor, sabir_error** out_error);
SABIR_API sabir_status sabir_actor_lookup(sabir_client* client, sabir_string name, sabir_string name_space,
                                          sabir_actor** out_actor, sabir_error** out_error);
/* Sends a call. Calls of this process to one actor run in the order they were sent. */
SABIR_API sabir_status sabir_actor_submit(sabir_actor* actor, const sabir_function* method, uint32_t num_returns,
                                          const sabir_arg* args, size_t arg_count, sabir_ref** out_refs,
                                          sabir_error** out_error);
/* Ends the process that hosts it at once. no_restart 0: it restarts if it has restarts left. */
SABIR_API sabir_status sabir_actor_kill(sabir_actor* actor, uint8_t no_restart, sabir_error** out_error);
typedef struct sabir_actor_info {
  size_t struct_size;
  sabir_string actor_id; /* hex; all strings borrowed until the handle is released */
  sabir_string name;
  sabir_string class_name;
  sabir_span class_info;
  sabir_language language;
} sabir_actor_info;
#define SABIR_ACTOR_INFO_INIT \
  { sizeof(sabir_actor_info), {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0 }
SABIR_API sabir_status sabir_actor_get_info(sabir_actor* actor, sabir_actor_info* out_info, sabir_error** out_error);
/* The reference that carries this handle inside a value. A new one: release it. */
SABIR_API sabir_ref* sabir_actor_as_ref(sabir_actor* actor);
SABIR_API sabir_status sabir_ref_as_actor(sabir_ref* ref, sabir_actor** out_actor, sabir_error** out_error);
SABIR_API sabir_actor* sabir_actor_retain(sabir_actor* actor);
SABIR_API void sabir_actor_release(sabir_actor* actor);

/* --- objects ----------------------------------------------------------------------------------------------------- */

/* Stores a copy of the value. Waits up to timeout_ns for room, then STORE_FULL. */
SABIR_API sabir_status sabir_put(sabir_client* client, const sabir_value* value, int64_t timeout_ns,
                                 sabir_ref** out_ref, sabir_error** out_error);
/* An object of `size` bytes to be written in place; *out_data is writable until seal or destroy. */
SABIR_API sabir_status sabir_builder_create(sabir_client* client, sabir_encoding encoding, sabir_language language,
                                            size_t size, int64_t timeout_ns, sabir_builder** out_builder,
                                            void** out_data, sabir_error** out_error);
SABIR_API sabir_status sabir_builder_seal(sabir_builder* builder, sabir_ref** out_ref, sabir_error** out_error);
SABIR_API void sabir_builder_destroy(sabir_builder* builder);

/* Waits until num_ready of the references have a value or an error, and sets ready[i] to 1 for those that have; when
 * more have, the first num_ready in order are set. *out_ready counts them. TIMEOUT is no failure here: it returns OK
 * with fewer. References must differ (INVALID_ARGUMENT). */
SABIR_API sabir_status sabir_wait(sabir_client* client, sabir_ref* const* refs, size_t ref_count, size_t num_ready,
                                  int64_t timeout_ns, sabir_waiter* waiter, uint8_t* ready, size_t* out_ready,
                                  sabir_error** out_error);
/* Waits until all have a value, or the first in time has an error: that ends it too, with OK. Duplicates are allowed.
 */
SABIR_API sabir_status sabir_get(sabir_client* client, sabir_ref* const* refs, size_t ref_count, int64_t timeout_ns,
                                 sabir_waiter* waiter, sabir_error** out_error);
/* Borrowed until the reference is released. TIMEOUT if it has no value yet. */
SABIR_API sabir_status sabir_ref_view(sabir_ref* ref, sabir_view* out_view, sabir_error** out_error);
/* 1: it has a value or an error. Takes in what has arrived, never waits. */
SABIR_API int32_t sabir_ref_ready(sabir_ref* ref);
/* Puts SABIR_EVENT_READY with the tag into the queue once it has a value or an error. */
SABIR_API sabir_status sabir_ref_watch(sabir_ref* ref, sabir_queue* queue, uint64_t tag, sabir_error** out_error);
/* 16 bytes that name the value; equal in every process. */
SABIR_API void sabir_ref_id(const sabir_ref* ref, uint8_t out_id[16]);
SABIR_API int32_t sabir_ref_is_actor(const sabir_ref* ref);
SABIR_API sabir_ref* sabir_ref_retain(sabir_ref* ref);
/* Where workers share a process a reference of one may turn up in a call of another: the same reference for this
 * client, a new one to be released. Calls and waits take references of their own client only. INVALID_ARGUMENT: it
 * belongs to an earlier session. */
SABIR_API sabir_status sabir_ref_adopt(sabir_client* client, sabir_ref* ref, sabir_ref** out_ref,
                                       sabir_error** out_error);
/* Never waits and takes no lock that a finalizer could meet (protocol rule P3). */
SABIR_API void sabir_ref_release(sabir_ref* ref);

/* --- tables ------------------------------------------------------------------------------------------------------ */

/* Columns of data in the layouts of Apache Arrow. They go in and come out as streams of the Arrow C data interface,
 * whose structs sabir_arrow.h declares (so do Arrow and nanoarrow). An exception to rule (7): sabir_table_from_stream
 * calls the functions of the stream it is given, in the calling thread, and what was given is released by its own
 * functions when the table is destroyed, or with the last of what was made of it, in the thread that does so. */
struct ArrowSchema;
struct ArrowArray;
struct ArrowArrayStream;
typedef struct sabir_table sabir_table; /* does not change, may be used by many threads; end: sabir_table_destroy */

/* Takes over the stream, also on failure, and reads it to its end; its buffers stay where they are. `origin` is opaque
 * to the core: what the table was to its sender, so that an SDK can make the same of it again (docs/values.md). */
SABIR_API sabir_status sabir_table_from_stream(struct ArrowArrayStream* stream, uint32_t origin,
                                               sabir_table** out_table, sabir_error** out_error);
/* Takes over both, also on failure: a table of one batch. */
SABIR_API sabir_status sabir_table_from_array(struct ArrowSchema* schema, struct ArrowArray* array, uint32_t origin,
                                              sabir_table** out_table, sabir_error** out_error);
/* A table that was received. Bytes in the store are used where they lie, and `ref`, what the view was taken of, is
 * retained for them; others are copied, and `ref` may be NULL. */
SABIR_API sabir_status sabir_table_from_view(const sabir_view* view, sabir_ref* ref, sabir_table** out_table,
                                             sabir_error** out_error);
/* 1: the value is a table. */
SABIR_API int32_t sabir_view_is_table(const sabir_view* view);
/* The value to send. Its parts are borrowed until the table is destroyed: the buffers themselves, not a copy. */
SABIR_API sabir_status sabir_table_value(sabir_table* table, sabir_value* out_value, sabir_error** out_error);
/* A new stream from the first batch. The caller releases it; it and what it gives may outlive the table. */
SABIR_API void sabir_table_stream(const sabir_table* table, struct ArrowArrayStream* out_stream);
typedef struct sabir_table_info {
  size_t struct_size;
  uint32_t origin;
  uint32_t has_extensions; /* 1: a column is of an extension type, which a reader may not know */
  int64_t row_count;
  uint64_t batch_count;
  uint64_t column_count;
} sabir_table_info;
#define SABIR_TABLE_INFO_INIT \
  { sizeof(sabir_table_info), 0, 0, 0, 0, 0 }
SABIR_API sabir_status sabir_table_get_info(const sabir_table* table, sabir_table_info* out_info,
                                            sabir_error** out_error);
SABIR_API void sabir_table_destroy(sabir_table* table);

/* --- queues and waiters ------------------------------------------------------------------------------------------ */

typedef uint32_t sabir_event_kind;
enum {
  SABIR_EVENT_READY = 1,   /* tag */
  SABIR_EVENT_WORK = 2,    /* work: execute it */
  SABIR_EVENT_LOG = 3,     /* buffer: lines of a worker's output, see sabir_log_view */
  SABIR_EVENT_COLLECT = 4, /* the store is under pressure: run the garbage collector, if there is one */
  SABIR_EVENT_EXIT = 5,    /* this process is asked to end: finish what runs and leave */
  SABIR_EVENT_WARNING = 6  /* buffer: a sentence the user should read */
};
typedef struct sabir_event {
  sabir_event_kind kind;
  uint32_t reserved;
  uint64_t tag;
  sabir_work* work;     /* owned by the receiver */
  sabir_buffer* buffer; /* owned by the receiver */
} sabir_event;

SABIR_API sabir_status sabir_queue_create(sabir_client* client, sabir_queue** out_queue, sabir_error** out_error);
/* Borrowed, never end them: calls for this worker to execute, and what the node has to say to this process. */
SABIR_API sabir_queue* sabir_client_work_queue(sabir_client* client);
SABIR_API sabir_queue* sabir_client_notice_queue(sabir_client* client);
/* Readable while events wait. Borrowed. Not for the work queue (-1): its calls are claimed by sabir_queue_next. */
SABIR_API int sabir_queue_fd(sabir_queue* queue);
/* Takes 1 to `capacity` events. On the work queue it claims calls, one at a time, and spins before it sleeps. */
SABIR_API sabir_status sabir_queue_next(sabir_queue* queue, sabir_event* out_events, size_t capacity,
                                        int64_t timeout_ns, sabir_waiter* waiter, size_t* out_count,
                                        sabir_error** out_error);
SABIR_API void sabir_queue_destroy(sabir_queue* queue);

SABIR_API sabir_status sabir_waiter_create(sabir_waiter** out_waiter, sabir_error** out_error);
/* Ends the blocking call that uses the waiter, or the next one that will, with INTERRUPTED. Signal-safe. */
SABIR_API void sabir_waiter_interrupt(sabir_waiter* waiter);
SABIR_API void sabir_waiter_destroy(sabir_waiter* waiter);
/* For a thread that waits in slices to look at something else in between (an interpreter at its signals): while it is
 * between begin and end, a call with this waiter that ends with TIMEOUT or INTERRUPTED leaves the CPU of a worker's
 * task lent to others until the next call with it, or the end. In between, the task is not to go on computing. */
SABIR_API void sabir_waiter_begin_slices(sabir_waiter* waiter);
SABIR_API void sabir_waiter_end_slices(sabir_client* client, sabir_waiter* waiter);

SABIR_API sabir_span sabir_buffer_bytes(const sabir_buffer* buffer); /* borrowed until destroyed */
SABIR_API void sabir_buffer_destroy(sabir_buffer* buffer);

/* A log event's fields, borrowed from its buffer. */
typedef struct sabir_log_view {
  size_t struct_size;
  sabir_string task_name; /* what the worker ran when it wrote */
  uint32_t pid;
  uint32_t stream;        /* 1 stdout, 2 stderr */
  sabir_string text;      /* whole lines */
  uint64_t dropped_lines; /* lines left out before these because nobody could keep up */
} sabir_log_view;
#define SABIR_LOG_VIEW_INIT \
  { sizeof(sabir_log_view), {0, 0}, 0, 0, {0, 0}, 0 }
SABIR_API sabir_status sabir_log_read(const sabir_buffer* buffer, sabir_log_view* out_view, sabir_error** out_error);

/* --- executing --------------------------------------------------------------------------------------------------- */

typedef struct sabir_work_arg {
  sabir_view value;
  sabir_ref* ref;    /* borrowed until the work ends; NULL unless the bytes lie in the store: retain it to keep them */
  sabir_string name; /* "" positional */
} sabir_work_arg;

typedef uint32_t sabir_work_kind;
enum { SABIR_WORK_TASK = 1, SABIR_WORK_ACTOR_CREATE = 2, SABIR_WORK_ACTOR_CALL = 3 };

/* All borrowed until the work is finished or failed. function_index: see sabir_function_get; for CREATE the class, for
 * CALL the method's name. */
typedef struct sabir_work_view {
  sabir_work_kind kind;
  uint32_t function_index;
  uint32_t num_returns;
  uint32_t attempt;
  size_t arg_count;
  const sabir_work_arg* args;
  uint64_t gpu_mask; /* GPUs this call may use */
  uint8_t task_id[16];
  sabir_language caller_language; /* of the process that waits for the result; NONE: unknown, or an actor's creation */
  uint8_t reserved[7];
} sabir_work_view;

SABIR_API void sabir_work_get_view(const sabir_work* work, sabir_work_view* out_view);
/* Ends the call with num_returns values. The work is ended also when this fails (STORE_FULL): the caller then has the
 * error as its result. */
SABIR_API sabir_status sabir_work_finish(sabir_work* work, const sabir_value* values, size_t value_count,
                                         sabir_error** out_error);
/* An error that user code raised. `native` may hold the language's own form of it. Strings may be empty.
 * On the wire it is a neutral map: kind (int), message, language (int), type, stack, native (blob), cause (map). */
typedef struct sabir_failure {
  size_t struct_size;
  sabir_status kind; /* usually TASK_FAILED */
  sabir_language language;
  uint8_t retryable; /* 1: the options' retry_errors applies to this one */
  sabir_string message;
  sabir_string type; /* "builtins.ValueError" */
  sabir_string stack;
  sabir_span native;
  const sabir_view* cause; /* an error value that this one was caused by, or NULL */
} sabir_failure;
#define SABIR_FAILURE_INIT \
  { sizeof(sabir_failure), SABIR_TASK_FAILED, 0, 0, {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0 }
SABIR_API void sabir_failure_init(sabir_failure* failure);
/* The bytes of such an error value, for an SDK that tells of a cause: as a view (neutral, is_error) they can be the
 * cause of another failure. */
SABIR_API sabir_status sabir_failure_encode(const sabir_failure* failure, sabir_buffer** out_map,
                                            sabir_error** out_error);
/* What an error value says, the result of a failed call: depth 0 is the error itself, 1 its cause, and so on until
 * NOT_FOUND. Texts are borrowed from the view's bytes; nobody has checked that they are UTF-8. `cause` is NULL, and
 * `retryable`, which is not in the value, 0. INVALID_ARGUMENT if it is no error value, or a damaged one. */
SABIR_API sabir_status sabir_failure_decode(const sabir_view* value, size_t depth, sabir_failure* out_failure,
                                            sabir_error** out_error);
SABIR_API sabir_status sabir_work_fail(sabir_work* work, const sabir_failure* failure, sabir_error** out_error);
/* Asks the node to end this worker after the current call: an actor ends gracefully and is not restarted. */
SABIR_API sabir_status sabir_worker_exit(sabir_client* client, sabir_error** out_error);

/* --- session ----------------------------------------------------------------------------------------------------- */

/* The state of the session as a JSON text: nodes with resources (total, available), workers, queues, store, actors,
 * jobs. Its fields are in docs/status.md. */
SABIR_API sabir_status sabir_session_status(sabir_client* client, sabir_buffer** out_json, sabir_error** out_error);
SABIR_API sabir_status sabir_kv_put(sabir_client* client, sabir_string key, sabir_span value, uint8_t overwrite,
                                    uint8_t* out_added, sabir_error** out_error);
SABIR_API sabir_status sabir_kv_get(sabir_client* client, sabir_string key, sabir_buffer** out_value,
                                    sabir_error** out_error);
SABIR_API sabir_status sabir_kv_delete(sabir_client* client, sabir_string key, uint8_t* out_deleted,
                                       sabir_error** out_error);

/* --- command-line tools: they look at a session without joining it ------------------------------------------------ */

/* Starts a node that outlives this process, unless its configuration says else; *out_session gets the path of its
 * session directory. */
SABIR_API sabir_status sabir_node_start(const sabir_config* config, sabir_buffer** out_session,
                                        sabir_error** out_error);
/* As sabir_session_status. `address` as in sabir_config, "" or "auto": the newest running session of this user.
 * NOT_FOUND when there is none. */
SABIR_API sabir_status sabir_node_status(sabir_string address, sabir_string session_root, int64_t timeout_ns,
                                         sabir_buffer** out_json, sabir_error** out_error);
/* Stops the node: its jobs, workers and objects end with it. Returns when its process is gone. */
SABIR_API sabir_status sabir_node_stop(sabir_string address, sabir_string session_root, int64_t timeout_ns,
                                       sabir_error** out_error);
/* A node of the cluster of the session at `address` gets nothing new from now on, and leaves when it has nothing left
 * to do, or deadline_ns from now; negative: it has as long as it takes. `node`: its name, or the beginning of its id in
 * hex; *out_node_id gets the whole id. NOT_FOUND: there is none. INVALID: several, the head, or a session that is no
 * cluster. EXHAUSTED: the control store's disk is full. TIMEOUT, DISCONNECTED: no answer; it may be done. */
SABIR_API sabir_status sabir_node_drain(sabir_string address, sabir_string session_root, sabir_string node,
                                        int64_t deadline_ns, int64_t timeout_ns, sabir_buffer** out_node_id,
                                        sabir_error** out_error);

#ifdef __cplusplus
}
#endif

#endif /* SABIR_SABIR_H_ */
