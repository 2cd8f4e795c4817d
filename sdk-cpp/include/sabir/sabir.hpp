// Sabir for C++: tasks, actors and objects, shared with Python and Java programs.
//
//   int plus(int a, int b) { return a + b; }
//   SABIR_REMOTE(plus);
//
//   int main() {
//     sabir::init();
//     sabir::ObjectRef<int> sum = sabir::task(plus).remote(1, 2);
//     return sum.get() == 3 ? 0 : 1;
//   }
//
// Functions throw sabir::Error and its subclasses (error.hpp); try_get, try_remote and so on return a Result. All may
// be called from any thread. Needs C++17; in C++20 an ObjectRef can be awaited (await.hpp).
#ifndef SABIR_SABIR_HPP_
#define SABIR_SABIR_HPP_

#include "sabir/actor.hpp"
#include "sabir/await.hpp"
#include "sabir/client.hpp"
#include "sabir/containers.hpp"
#include "sabir/context.hpp"
#include "sabir/object_ref.hpp"
#include "sabir/placement_group.hpp"
#include "sabir/status.hpp"
#include "sabir/table.hpp"
#include "sabir/task.hpp"
#include "sabir/tensor.hpp"
#include "sabir/value.hpp"

#endif  // SABIR_SABIR_HPP_
