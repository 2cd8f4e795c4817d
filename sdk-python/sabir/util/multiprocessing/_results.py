"""What the pool's methods return: results that may still be on their way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from multiprocessing import TimeoutError
from typing import Any, Callable

from sabir.util.multiprocessing._batches import Failure

# Of batches that take less, so many are with a process at a time: some wait there while one runs.
_DEPTHS = ((0.0005, 16), (0.005, 2))


class Job:
    """Batches of one call of the pool. The pool tells it what each came to, from any thread."""

    def __init__(self, code: Any, kind: int) -> None:
        self.code = code
        self.kind = kind
        self.depth = 1  # batches with one process at a time
        self.item_s: float | None = None  # what an item took, of the last batch

    def measured(self, duration_s: float, items: int) -> None:
        self.depth = next((depth for limit_s, depth in _DEPTHS if duration_s < limit_s), 1)
        self.item_s = duration_s / max(1, items)

    def finished(self, index: int, results: list[Any], failed: bool) -> None:
        """A batch is done; with ``failed`` there are Failures among its results."""
        raise NotImplementedError

    def broken(self, index: int, error: BaseException) -> None:
        """A batch could not be sent, or its process died."""
        raise NotImplementedError

    def abandon(self, error: Exception) -> None:
        """The pool was terminated: whoever waits learns it."""
        raise NotImplementedError


class AsyncResult(Job):
    """The result of apply_async()."""

    def __init__(
        self,
        code: Any,
        kind: int,
        callback: Callable[[Any], object] | None,
        error_callback: Callable[[BaseException], object] | None,
    ) -> None:
        super().__init__(code, kind)
        self._callback = callback
        self._error_callback = error_callback
        self._event = threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None

    def ready(self) -> bool:
        """Whether it is there."""
        return self._event.is_set()

    def successful(self) -> bool:
        """Whether the call raised nothing; ValueError if it is not ready."""
        if not self.ready():
            raise ValueError(f"{self!r} not ready")
        return self._error is None

    def wait(self, timeout: float | None = None) -> None:
        """Waits until it is there, or ``timeout`` seconds."""
        self._event.wait(timeout)

    def get(self, timeout: float | None = None) -> Any:
        """The result, or what the call raised; multiprocessing.TimeoutError if it takes longer."""
        if not self._event.wait(timeout):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._value

    def finished(self, index: int, results: list[Any], failed: bool) -> None:
        first = results[0]
        if failed and isinstance(first, Failure):
            self._settle(None, first.as_error())
        else:
            self._settle(first, None)

    def broken(self, index: int, error: BaseException) -> None:
        self._settle(None, error)

    def abandon(self, error: Exception) -> None:
        self._settle(None, error)

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if self._event.is_set():
            return
        self._value, self._error = value, error
        try:
            if error is None and self._callback is not None:
                self._callback(value)
            elif error is not None and self._error_callback is not None:
                self._error_callback(error)
        finally:
            self._event.set()
            self._callback = self._error_callback = None


class MapResult(AsyncResult):
    """The result of map_async() and starmap_async(): all results, or the error of the first item that raised."""

    def __init__(
        self,
        code: Any,
        kind: int,
        callback: Callable[[Any], object] | None,
        error_callback: Callable[[BaseException], object] | None,
        items: int,
    ) -> None:
        super().__init__(code, kind, callback, error_callback)
        self._lock = threading.Lock()
        self._left = items
        self._sizes: dict[int, int] = {}
        self._parts: dict[int, list[Any]] = {}
        self._errors: dict[int, BaseException] = {}
        if items == 0:
            self._value = []
            self._event.set()

    def cut(self, begin: int, size: int) -> None:
        """The items from ``begin`` on are a batch, whose index is ``begin``."""
        self._sizes[begin] = size

    def finished(self, index: int, results: list[Any], failed: bool) -> None:
        error = next((item.as_error() for item in results if isinstance(item, Failure)), None) if failed else None
        self._part(index, results, error)

    def broken(self, index: int, error: BaseException) -> None:
        self._part(index, [], error)

    def _part(self, index: int, results: list[Any], error: BaseException | None) -> None:
        with self._lock:
            self._parts[index] = results
            if error is not None:
                self._errors[index] = error
            self._left -= self._sizes.pop(index)
            if self._left:
                return
        if self._errors:
            self._settle(None, self._errors[min(self._errors)])
        else:
            self._settle([item for begin in sorted(self._parts) for item in self._parts[begin]], None)
        self._parts = {}


class IMapIterator(Job, Iterator[Any]):
    """What imap() returns: results in the order of the items, each as soon as it is there."""

    def __init__(self, code: Any, kind: int, room: int) -> None:
        super().__init__(code, kind)
        self._changed = threading.Condition()
        self._ready: list[Any] = []  # the next is the last of it
        self._parts: dict[int, list[Any]] = {}
        self._next_part = 0
        self._batches: int | None = None  # not known before the items end
        self._end: BaseException | None = None  # what the items' iterator raised, or the pool's end
        self._abandoned = False
        self.room = threading.Semaphore(room)

    def __next__(self) -> Any:
        return self.next()

    def next(self, timeout: float | None = None) -> Any:
        """The next result; multiprocessing.TimeoutError if it takes longer than ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._ready and not self._advance():
                if self._abandoned or self._next_part == self._batches:
                    end, self._end = self._end, None
                    raise end or StopIteration
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError
                self._changed.wait(left)
            item = self._ready.pop()
        if isinstance(item, Failure):
            raise item.as_error()
        return item

    def _advance(self) -> bool:
        """Makes the next batch's results the ready ones."""
        part = self._parts.pop(self._next_part, None)
        if part is None:
            return False
        self._next_part += 1
        self._ready = part[::-1]
        return bool(part)

    def _slot(self, index: int) -> int:
        return index

    def finished(self, index: int, results: list[Any], failed: bool) -> None:
        with self._changed:
            if not self._abandoned:
                self._parts[self._slot(index)] = results
            self._changed.notify_all()
        self.room.release()

    def broken(self, index: int, error: BaseException) -> None:
        as_exception = error if isinstance(error, Exception) else RuntimeError(str(error))
        self.finished(index, [Failure(as_exception, str(error))], True)

    def ends(self, batches: int, error: BaseException | None = None) -> None:
        """There are so many batches; ``error`` is raised behind the last result."""
        with self._changed:
            self._batches, self._end = batches, error
            self._changed.notify_all()

    def abandon(self, error: Exception) -> None:
        with self._changed:
            self._abandoned, self._end = True, error
            self._changed.notify_all()
        self.room.release()


class IMapUnorderedIterator(IMapIterator):
    """What imap_unordered() returns: results as batches end."""

    _arrived = 0

    def _slot(self, index: int) -> int:
        self._arrived += 1
        return self._arrived - 1
