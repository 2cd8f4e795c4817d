/* sabir.h alone, in strict C11: it needs nothing before it, its structs begin as rule (6) says, and it has the shape
 * that layout.inc says. */
#include "runtime/abi/sabir.h"

#define TYPE(name, type) _Static_assert(__builtin_types_compatible_p(name, type), #name " is " #type);
#define STRUCT(name, size) _Static_assert(sizeof(name) == (size), #name " has " #size " bytes, for ever");
#define GROWS(name, size)                                                             \
  _Static_assert(sizeof(name) >= (size), #name " has at least " #size " bytes");      \
  _Static_assert(offsetof(name, struct_size) == 0, #name " begins with struct_size"); \
  _Static_assert(_Alignof(name) == 8, #name " grows by whole words");
#define FIELD(struct, name, type, offset)                                                  \
  _Static_assert(offsetof(struct, name) == (offset), #struct "." #name " is at " #offset); \
  _Static_assert(__builtin_types_compatible_p(__typeof__(((struct*)0)->name), type), #struct "." #name " is " #type);
#define VALUE(name, number) _Static_assert(name == (number), #name " is " #number);
#include "tests/abi/layout.inc"

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
