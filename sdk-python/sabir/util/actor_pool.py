"""A pool of actors that share the calls of one program."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Callable

import sabir

_LATE = "Timed out waiting for result"


class ActorPool:
    """Hands calls to actors that have nothing to do, and keeps the others until one has.

    ``fn(actor, value)`` makes the call and returns its reference: ``pool.map(lambda a, v: a.double.remote(v), range(9))``.
    """

    def __init__(self, actors: Iterable[Any]) -> None:
        self._idle = list(actors)
        self._running: dict[Any, tuple[int, Any, Any]] = {}  # by key: number, actor, what fn returned
        self._by_number: dict[int, Any] = {}
        self._next_number = 0
        self._next_returned = 0
        self._waiting: deque[tuple[Callable[[Any, Any], Any], Any]] = deque()

    def map(self, fn: Callable[[Any, Any], Any], values: Iterable[Any]) -> Iterator[Any]:
        """Starts a call for each value; the results in the order of the values. Earlier results are dropped."""
        self._drop_all()
        for value in values:
            self.submit(fn, value)
        return self._results(self.get_next)

    def map_unordered(self, fn: Callable[[Any, Any], Any], values: Iterable[Any]) -> Iterator[Any]:
        """As map(), but each result as soon as it is there."""
        self._drop_all()
        for value in values:
            self.submit(fn, value)
        return self._results(self.get_next_unordered)

    def _results(self, take: Callable[[], Any]) -> Iterator[Any]:
        while self.has_next():
            yield take()

    def _drop_all(self) -> None:
        while self.has_next():
            try:
                self.get_next_unordered()
            except Exception:  # the error of a call whose result nobody wants
                continue

    def submit(self, fn: Callable[[Any, Any], Any], value: Any) -> None:
        """Starts one call, or keeps it until an actor is free."""
        if not self._idle:
            self._waiting.append((fn, value))
            return
        actor = self._idle.pop()
        refs = fn(actor, value)
        key = tuple(refs) if isinstance(refs, list) else refs
        self._running[key] = (self._next_number, actor, refs)
        self._by_number[self._next_number] = key
        self._next_number += 1

    def has_next(self) -> bool:
        """Whether there are results to get, ready or not."""
        return bool(self._running)

    def get_next(self, timeout: float | None = None, ignore_if_timedout: bool = False) -> Any:
        """The next result, in the order in which calls were submitted.

        Raises:
            StopIteration: there are none.
            TimeoutError: it was not there within ``timeout`` seconds. The result can be asked for again, unless
                ``ignore_if_timedout``: then it is left out, and its actor counts as free.
            ValueError: get_next_unordered() has taken results of later calls.
        """
        if not self.has_next():
            raise StopIteration("No more results to get")
        if self._next_returned not in self._by_number:
            raise ValueError("It is not allowed to call get_next() after get_next_unordered().")
        key = self._by_number[self._next_returned]
        late = timeout is not None and not self._is_done(key, timeout)
        if late and not ignore_if_timedout:
            raise TimeoutError(_LATE)
        refs = self._take(key)
        self._next_returned += 1
        if late:
            raise TimeoutError(f"{_LATE}. The task {refs} has been ignored.")
        return sabir.get(refs)

    def get_next_unordered(self, timeout: float | None = None, ignore_if_timedout: bool = False) -> Any:
        """The next result, of whichever call ends first. Errors as get_next()."""
        if not self.has_next():
            raise StopIteration("No more results to get")
        by_ref = {_first(key): key for key in self._running}
        ready, _ = sabir.wait(list(by_ref), num_returns=1, timeout=timeout)
        if not ready and not ignore_if_timedout:
            raise TimeoutError(_LATE)
        key = by_ref[ready[0]] if ready else next(iter(self._running))
        self._next_returned = max(self._next_returned, self._running[key][0] + 1)
        refs = self._take(key)
        if not ready:
            raise TimeoutError(f"{_LATE}. The task {refs} has been ignored.")
        return sabir.get(refs)

    def _is_done(self, key: Any, timeout: float) -> bool:
        return bool(sabir.wait([_first(key)], timeout=timeout)[0])

    def _take(self, key: Any) -> Any:
        number, actor, refs = self._running.pop(key)
        del self._by_number[number]
        self._put_back(actor)
        return refs

    def _put_back(self, actor: Any) -> None:
        self._idle.append(actor)
        if self._waiting:
            self.submit(*self._waiting.popleft())

    def has_free(self) -> bool:
        """Whether an actor has nothing to do."""
        return bool(self._idle) and not self._waiting

    def pop_idle(self) -> Any | None:
        """Takes an actor that has nothing to do out of the pool; None if there is none."""
        return self._idle.pop() if self.has_free() else None

    def push(self, actor: Any) -> None:
        """Adds an actor; ValueError if it is in the pool."""
        if actor in self._idle or any(actor == busy for _, busy, _ in self._running.values()):
            raise ValueError("Actor already belongs to current ActorPool")
        self._put_back(actor)


def _first(key: Any) -> Any:
    return key[0] if isinstance(key, tuple) else key
