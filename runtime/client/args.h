// The arguments of a call on their way into it: values are encoded at once, references when they are ready.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/abi/sabir.h"
#include "runtime/client/call.h"
#include "runtime/client/core.h"

namespace sabir::client {

struct PreparedArg {
  Future* future = nullptr;    // by reference (borrowed from Call::held), or
  std::vector<uint8_t> value;  // the bytes of a Value
  std::string name;
};
struct PreparedArgs {
  std::vector<PreparedArg> args;
  // What has no place in a block: the arguments as a whole lie in this object.
  Future* whole = nullptr;  // borrowed from Call::held
};

// Values without references, each below the store's threshold, all together small enough for a block.
// Nothing: they need the long way.
std::optional<size_t> measure_plain(std::span<const sabir_arg> args);
void write_plain(Writer& out, std::span<const sabir_arg> args);

// The long way. Needs no lock; may store large values and register references. `held` gets a count on each reference.
Result<PreparedArgs> prepare_args(Core& core, std::span<const sabir_arg> args, std::vector<Future*>& held);

// Under the client's lock, when all references are ready.
size_t measure(Core& core, const PreparedArgs& prepared);
void write(Core& core, Writer& out, const PreparedArgs& prepared);
// The first argument that has an error instead of a value, or null.
Future* find_error(const PreparedArgs& prepared);

// For those that do not fit into a block: moves values into the store, largest first, then the whole. Needs no lock.
Result<void> shrink(Core& core, PreparedArgs& prepared, std::vector<Future*>& held);

}  // namespace sabir::client
