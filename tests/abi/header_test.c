/* sabir.h alone, in strict C11: it needs nothing before it, and its structs begin as rule (6) says. */
#include "runtime/abi/sabir.h"

#define BEGINS_WITH_SIZE(type) _Static_assert(offsetof(type, struct_size) == 0, #type " must begin with struct_size")
BEGINS_WITH_SIZE(sabir_config);
BEGINS_WITH_SIZE(sabir_client_info);
BEGINS_WITH_SIZE(sabir_function_info);
BEGINS_WITH_SIZE(sabir_task_options);
BEGINS_WITH_SIZE(sabir_actor_options);
BEGINS_WITH_SIZE(sabir_actor_info);
BEGINS_WITH_SIZE(sabir_log_view);
BEGINS_WITH_SIZE(sabir_failure);

/* Plain data that must not change its shape: SDKs fill arrays of them. */
_Static_assert(sizeof(sabir_value) == 32, "sabir_value");
_Static_assert(sizeof(sabir_arg) == 56, "sabir_arg");
_Static_assert(sizeof(sabir_view) == 40, "sabir_view");
_Static_assert(sizeof(sabir_event) == 32, "sabir_event");
_Static_assert(sizeof(sabir_work_arg) == 64, "sabir_work_arg");

int main(void) {
  sabir_config config = SABIR_CONFIG_INIT;
  sabir_task_options task = SABIR_TASK_OPTIONS_INIT;
  sabir_actor_options actor = SABIR_ACTOR_OPTIONS_INIT;
  sabir_failure failure = SABIR_FAILURE_INIT;
  return config.struct_size == sizeof(config) && config.log_to_driver == 1 && config.timeout_ns > 0 &&
                 task.struct_size == sizeof(task) && task.num_returns == 1 && task.max_retries == 3 &&
                 actor.struct_size == sizeof(actor) && actor.max_concurrency == 1 &&
                 failure.struct_size == sizeof(failure) && failure.kind == SABIR_TASK_FAILED
             ? 0
             : 1;
}
