"""Results as they come, with a bounded number of calls on their way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sabir


def _at_least_one(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
    return int(value)


def as_completed(
    refs: Sequence[sabir.ObjectRef[Any]], *, chunk_size: int = 10, yield_obj_refs: bool = False
) -> Iterator[Any]:
    """The values of references as they become ready (with ``yield_obj_refs`` the references).

    At most ``chunk_size`` are taken at a time; what ``get`` raises for one is raised when its turn comes.
    """
    _at_least_one("chunk_size", chunk_size)
    left = list(refs)
    if len(set(left)) != len(left):
        raise ValueError("as_completed() wants different references, but the list has duplicates")
    return _completed(left, chunk_size, yield_obj_refs)


def _completed(left: list[Any], chunk_size: int, yield_obj_refs: bool) -> Iterator[Any]:
    while left:
        sabir.wait(left, num_returns=1)
        ready, left = sabir.wait(left, num_returns=min(chunk_size, len(left)), timeout=0)
        for ref in ready:
            yield ref if yield_obj_refs else sabir.get(ref)


def map_unordered(
    fn: Any,
    items: Iterable[Any],
    *,
    backpressure_size: int = 100,
    chunk_size: int = 10,
    yield_obj_refs: bool = False,
) -> Iterator[Any]:
    """Calls a remote function (or an actor's method) for each item; the results as they become ready.

    At most ``backpressure_size`` calls are on their way: the next items are taken from ``items`` as results come in.
    """
    _at_least_one("backpressure_size", backpressure_size)
    _at_least_one("chunk_size", chunk_size)
    if backpressure_size < chunk_size:
        raise ValueError(f"backpressure_size must be at least chunk_size ({chunk_size}), not {backpressure_size}")
    if not hasattr(fn, "remote"):
        raise TypeError(f"map_unordered() wants a remote function, not {type(fn).__name__}")
    return _map_unordered(fn, iter(items), backpressure_size, chunk_size, yield_obj_refs)


def _map_unordered(fn: Any, items: Iterator[Any], limit: int, chunk_size: int, yield_obj_refs: bool) -> Iterator[Any]:
    left: list[Any] = []
    more = True
    while more or left:
        while more and len(left) < limit:
            try:
                left.append(fn.remote(next(items)))
            except StopIteration:
                more = False
        if not left:
            return
        sabir.wait(left, num_returns=1)
        ready, left = sabir.wait(left, num_returns=min(chunk_size, len(left)), timeout=0)
        for ref in ready:
            yield ref if yield_obj_refs else sabir.get(ref)


class OrderedMap(Iterator[Any]):
    """What ``f.map(...)`` returns: the results in the order of the arguments. Closing or dropping it starts no more."""

    def __init__(self, fn: Any, iterables: tuple[Iterable[Any], ...], in_flight: int, timeout: float | None) -> None:
        if not iterables:
            raise TypeError("map() wants at least one iterable")
        self._fn = fn
        self._arguments: Iterator[tuple[Any, ...]] | None = zip(*iterables)
        self._limit = _at_least_one("in_flight", in_flight)
        self._timeout = timeout
        self._refs: deque[Any] = deque()
        self._fill()

    def _fill(self) -> None:
        while self._arguments is not None and len(self._refs) < self._limit:
            try:
                arguments = next(self._arguments)
            except StopIteration:
                self._arguments = None
                return
            self._refs.append(self._fn.remote(*arguments))

    def __next__(self) -> Any:
        if not self._refs:
            raise StopIteration
        ref = self._refs[0]
        if not sabir.wait([ref], timeout=self._timeout)[0]:
            raise sabir.exceptions.GetTimeoutError(f"the next result was not there within {self._timeout} s")
        self._refs.popleft()
        self._fill()
        return sabir.get(ref)
