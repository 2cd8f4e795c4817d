// What stands behind `.remote` of a function and of an actor's method: a callable that checks the number of arguments,
// encodes them and submits. This is the hot path of the SDK.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

// _sabir.TaskStub(prepare, minimum, maximum, check): `prepare()` gives the Task for the current client, once per start,
// or a pair of it and the list of references that go with every call (captured.h);
// calls with `minimum` to `maximum` positional arguments and no named one need no further check, all others go through
// `check(args, kwargs)`, which raises TypeError. `maximum` -1: any number.
// _sabir.MethodStub(actor, prepare, num_returns, minimum, maximum, check): `prepare()` gives the method's Function.
bool add_stub_types(PyObject* module);

}  // namespace sabir::python
