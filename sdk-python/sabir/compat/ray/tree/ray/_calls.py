"""remote, get, put, wait and their kind."""

from __future__ import annotations

from typing import Any

import sabir
from ray.actor import ActorClass
from ray.remote_function import RemoteFunction
from sabir.compat.ray._options import translated
from sabir.exceptions import NotSupportedError


def remote(*args: Any, **options: Any) -> Any:
    """Makes a function a task or a class an actor."""
    if len(args) == 1 and not options and callable(args[0]):
        return _made(args[0], {})
    if args or not options:
        raise AssertionError(  # as Ray does
            "The @ray.remote decorator must be applied either with no arguments and no parentheses, for example "
            "'@ray.remote', or it must be applied using some of the arguments in the list, for example "
            "'@ray.remote(num_returns=2, resources={\"CustomResource\": 1})'."
        )
    return lambda target: _made(target, options)


def _made(target: Any, options: dict[str, Any]) -> Any:
    if isinstance(target, type):
        return ActorClass(target, options)
    if isinstance(target, (sabir.RemoteFunction, sabir.ActorClass)) or not callable(target):
        raise TypeError("The @ray.remote decorator must be applied to either a function or a class.")
    if not hasattr(target, "__qualname__"):
        raise TypeError("The @ray.remote decorator must be applied to either a function or a class.")
    return RemoteFunction(target, options)


def method(*args: Any, **options: Any) -> Any:
    """Sets options of an actor's method."""
    if args or not options:
        raise ValueError("The @ray.method decorator must be applied using at least one of the arguments in the list")
    left = translated(options)
    for name in ("max_task_retries", "retry_exceptions"):
        if not left.get(name, True):
            del left[name]
    left.pop("tensor_transport", None)
    return sabir.method(**left)


def get(object_refs: Any, *, timeout: float | None = None, **_: Any) -> Any:
    """The value of a reference, or the values of a list of them."""
    if not isinstance(object_refs, (list, sabir.ObjectRef)):
        raise ValueError(
            f"Invalid type of object refs, {type(object_refs)}, is given. 'object_refs' must either be a list of "
            "ObjectRefs or an ObjectRef"
        )
    return sabir.get(object_refs, timeout=timeout)


def put(value: Any, *, _owner: Any = None, _tensor_transport: Any = None) -> Any:
    """Stores a value."""
    if isinstance(value, sabir.ObjectRef):
        raise TypeError(
            "Calling 'put' on an ray.ObjectRef is not allowed. If you really want to do this, you can wrap the "
            "ray.ObjectRef in a list and call 'put' on it."
        )
    return sabir.put(value)


def wait(ray_waitables: Any, *, num_returns: int = 1, timeout: float | None = None, fetch_local: bool = True) -> Any:
    """Those that are ready, and the others."""
    if isinstance(ray_waitables, sabir.ObjectRef):
        raise TypeError("wait() expected a list of ray.ObjectRef, got a single ray.ObjectRef")
    if ray_waitables == [] and isinstance(ray_waitables, list):
        return [], []
    return sabir.wait(ray_waitables, num_returns=num_returns, timeout=timeout, fetch_local=fetch_local)


def kill(actor: Any, *, no_restart: bool = True) -> None:
    """Ends an actor's process."""
    if not isinstance(actor, sabir.ActorHandle):
        raise ValueError(f"ray.kill() only supported for actors. For tasks, try ray.cancel(). Got: {type(actor)}.")
    sabir.kill(actor, no_restart=no_restart)


def cancel(ray_waitable: Any, *, force: bool = False, recursive: bool = True) -> None:
    """Ends a task, where this version of Sabir can."""
    if not isinstance(ray_waitable, sabir.ObjectRef):
        raise TypeError(f"ray.cancel() only supported for object refs. Got: {type(ray_waitable)}.")
    native = getattr(sabir, "cancel", None)
    if native is None:
        raise NotSupportedError("ray.cancel: calls cannot be cancelled in this version of Sabir (actors: ray.kill)")
    native(ray_waitable, force=force, recursive=recursive)


def get_actor(name: str, namespace: str | None = None) -> Any:
    """The handle of a named actor; ValueError if there is none."""
    if not name:
        raise ValueError("Please supply a non-empty value to get_actor")
    return sabir.get_actor(name, namespace)


def timeline(filename: str | None = None) -> Any:
    """Not in this version of Sabir."""
    raise NotSupportedError("ray.timeline: there are no timelines in this version of Sabir")


def show_in_dashboard(message: str, key: str = "", dtype: str = "text") -> None:
    """There is no dashboard: nothing happens."""
