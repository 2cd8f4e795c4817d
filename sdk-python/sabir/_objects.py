"""get, put and wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from sabir import _sabir
from sabir._runtime import ensure_started

if TYPE_CHECKING:
    from sabir._sabir import ObjectRef

T = TypeVar("T")


@overload
def get(object_refs: ObjectRef[T], *, timeout: float | None = None) -> T: ...
@overload
def get(object_refs: list[ObjectRef[T]], *, timeout: float | None = None) -> list[T]: ...
def get(object_refs: Any, *, timeout: float | None = None) -> Any:
    """The value of a reference, or the list of values of a list of references.

    Waits until they are there. numpy arrays and other large buffers come without a copy and read-only.

    Args:
        object_refs: an ObjectRef or a list of them.
        timeout: seconds; None waits for ever, 0 polls.

    Raises:
        GetTimeoutError: not all values were there in time.
        TaskError: the task raised; also an instance of what it raised. The first failure ends the wait.
        WorkerCrashedError, ActorDiedError, ObjectLostError: as they say.
    """
    return _sabir.get(object_refs, timeout)


def put(value: T) -> ObjectRef[T]:
    """Stores a copy of a value and returns a reference to it.

    Raises:
        ObjectStoreFullError: there was no room, also after waiting for it.
        SerializationError: the value cannot be sent to another process.
    """
    ensure_started()
    return _sabir.put(value)


def wait(
    object_refs: list[ObjectRef[T]], *, num_returns: int = 1, timeout: float | None = None, fetch_local: bool = True
) -> tuple[list[ObjectRef[T]], list[ObjectRef[T]]]:
    """Waits until ``num_returns`` of the references have a value or an error.

    Returns:
        (ready, not ready): both in the order of ``object_refs``; ``ready`` has at most ``num_returns`` items, fewer only
        when ``timeout`` (seconds) passed.

    Raises:
        TypeError: ``object_refs`` is no list of ObjectRefs.
        ValueError: duplicates, ``num_returns`` not between 1 and their number, a negative timeout.
    """
    if isinstance(object_refs, list) and len(set(object_refs)) != len(object_refs):
        raise ValueError("wait() wants different references, but the list has duplicates")
    ready, rest = _sabir.wait(object_refs, num_returns, timeout)
    return ready, rest
