"""References as futures: one thread pulls completions and resolves concurrent futures."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from sabir import _sabir

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sabir._sabir import ObjectRef

_lock = threading.Lock()
_waiting: dict[int, tuple[ObjectRef[Any], Future[Any]]] = {}
_tags = itertools.count(1)
_thread: threading.Thread | None = None


def _after_fork() -> None:
    # Another thread may have held it; it does not exist here, and nobody here waits for the others' futures.
    global _lock
    _lock = threading.Lock()
    _waiting.clear()


os.register_at_fork(after_in_child=_after_fork)


def future(self: ObjectRef[Any]) -> Future[Any]:
    """A concurrent.futures.Future that gets the reference's value or error."""
    from concurrent.futures import Future  # half of the time that `import sabir` would take

    made: Future[Any] = Future()
    made.set_running_or_notify_cancel()
    with _lock:
        tag = next(_tags)
        _waiting[tag] = (self, made)
        _ensure_thread()
    try:
        _sabir.watch(self, tag)
    except BaseException:
        with _lock:
            _waiting.pop(tag, None)
        raise
    return made


def awaited(self: ObjectRef[Any]) -> Generator[Any, None, Any]:
    import asyncio

    return asyncio.wrap_future(self.future()).__await__()


def _ensure_thread() -> None:
    global _thread
    if _thread is None or not _thread.is_alive():
        _thread = threading.Thread(target=_resolve, name="sabir-futures", daemon=True)
        _thread.start()


def _resolve() -> None:
    from sabir.exceptions import SabirError

    while True:
        try:
            tags = _sabir.next_ready()
        except SabirError:
            return
        if tags is None:
            return
        for tag in tags:
            with _lock:
                ref, pending = _waiting.pop(tag, (None, None))
            if ref is None or pending is None:
                continue
            try:
                value = _sabir.get(ref, 0)
            except BaseException as error:
                pending.set_exception(error)
            else:
                pending.set_result(value)


def stop() -> None:
    """After shutdown: whoever still waits gets an error."""
    from sabir.exceptions import NotInitializedError

    with _lock:
        left = list(_waiting.values())
        _waiting.clear()
    for _, pending in left:
        pending.set_exception(NotInitializedError("sabir.shutdown() was called before the value was there"))


_sabir.ObjectRef.future = future  # type: ignore[method-assign]
_sabir.ObjectRef.__await__ = awaited  # type: ignore[method-assign]
