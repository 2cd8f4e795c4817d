"""References as futures: one thread pulls completions and resolves concurrent futures."""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Callable

from sabir import _sabir

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sabir._sabir import ObjectRef

# Reentrant: a finalizer or a signal's handler may ask for a future while this thread does.
_lock = threading.RLock()
_waiting: dict[int, tuple[Future[Any], Callable[[], Any]]] = {}
_tags = itertools.count(1)
_thread: threading.Thread | None = None


def _after_fork() -> None:
    # Another thread may have held it; it does not exist here, and nobody here waits for the others' futures.
    global _lock
    _lock = threading.RLock()
    _waiting.clear()


os.register_at_fork(after_in_child=_after_fork)


def future(self: ObjectRef[Any]) -> Future[Any]:
    """A concurrent.futures.Future that gets the reference's value or error."""
    return _future_of(self, _sabir.get)


def awaited(self: ObjectRef[Any]) -> Generator[Any, None, Any]:
    import asyncio

    outcome = yield from asyncio.wrap_future(_future_of(self, _get_or_stopped)).__await__()
    if isinstance(outcome, _Stopped):
        raise RuntimeError(f"a task raised {outcome.error}") from outcome.error
    return outcome


class _Stopped:
    """Stands for a StopIteration, which would end an ``await`` with a value instead of an error."""

    def __init__(self, error: StopIteration) -> None:
        self.error = error


def _get_or_stopped(ref: ObjectRef[Any], timeout_s: float | None) -> Any:
    try:
        return _sabir.get(ref, timeout_s)
    except StopIteration as error:
        return _Stopped(error)


def _future_of(ref: ObjectRef[Any], get: Callable[[ObjectRef[Any], float | None], Any]) -> Future[Any]:
    from concurrent.futures import Future  # half of the time that `import sabir` would take

    made: Future[Any] = Future()
    made.set_running_or_notify_cancel()
    settle_later(made, ref, get)
    return made


def settle_later(pending: Any, ref: ObjectRef[Any], get: Callable[[ObjectRef[Any], float | None], Any]) -> None:
    """Calls ``pending.set_result`` or ``set_exception`` in the thread that resolves futures, when ``ref`` is ready."""
    with _lock:
        tag = next(_tags)
        _waiting[tag] = (pending, functools.partial(get, ref, 0))
        _ensure_thread()
    try:
        _sabir.watch(ref, tag)
    except BaseException:
        with _lock:
            _waiting.pop(tag, None)
        raise


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
            tags = None
        if tags is None:
            settle(take_waiting(threading.current_thread()))
            return
        for tag in tags:
            with _lock:
                waiting = _waiting.pop(tag, None)
            if waiting is not None:
                _settle(*waiting)
            waiting = None  # or it would be kept until the next one is ready


def _settle(pending: Future[Any], value: Callable[[], Any]) -> None:
    """Gives a future its outcome. What its callbacks raise is told and does not end the thread."""
    try:
        try:
            outcome = value()
        except BaseException as error:
            pending.set_exception(error)
        else:
            pending.set_result(outcome)
    except BaseException:  # Future itself catches Exception; set by the user before: InvalidStateError
        import logging

        logging.getLogger("sabir").exception("a callback of a future ended with an exception")


def take_waiting(thread: threading.Thread | None = None) -> list[tuple[Future[Any], Callable[[], Any]]]:
    """After a shutdown, or when the node is gone: what still waits, for settle(). None of it if ``thread`` is not the
    one that resolves futures now: those of a later session are not its own.
    """
    global _thread
    with _lock:
        if thread is not None and thread is not _thread:
            return []
        left = list(_waiting.values())
        _waiting.clear()
        _thread = None  # it leaves; the next future wants another
    return left


def settle(left: list[tuple[Future[Any], Callable[[], Any]]]) -> None:
    """Gives futures what ``get`` gives or raises now."""
    for waiting in left:
        _settle(*waiting)


_sabir.ObjectRef.future = future  # type: ignore[method-assign]
_sabir.ObjectRef.__await__ = awaited  # type: ignore[method-assign]
