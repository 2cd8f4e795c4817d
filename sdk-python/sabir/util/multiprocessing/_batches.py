"""What runs in the pool's processes, and how items become batches."""

from __future__ import annotations

import functools
import pickle
import traceback
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, Callable

import sabir
from sabir import _serialization

# How a batch's items are passed to the function: each as one argument, each as a tuple of them, or as (args, kwargs).
MAP, STARMAP, APPLY = range(3)

# Code up to this size travels with each batch; larger code, and such that has references in it, is put once.
_INLINE_BYTES = 16 << 10

# The smallest batch is this part of what one process gets: so much can the processes' ends lie apart.
_SHARES = 64
_MOMENT_S = 0.0003


class RemoteTraceback(Exception):
    """Where an exception was raised: the cause of what the pool raises here."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


class Failure:
    """Stands for the result of an item whose call raised."""

    def __init__(self, error: Exception, text: str) -> None:
        self.error = error
        self.text = text

    def __reduce__(self) -> Any:
        return Failure, (self.error, self.text)

    def as_error(self) -> Exception:
        self.error.__cause__ = RemoteTraceback(self.text)
        return self.error


def _sendable(failure: Failure) -> Failure:
    try:
        pickle.loads(_serialization.cloudpickle_dumps(failure))
    except Exception:  # its constructor wants something else, or it holds what cannot travel
        return Failure(RuntimeError(f"{type(failure.error).__qualname__}: {failure.error}"), failure.text)
    return failure


def code_of(function: Callable[..., Any]) -> Any:
    """What a batch carries of its function: bytes, or a list with a reference."""
    try:
        code = _serialization.cloudpickle_dumps(function)
    except Exception:  # references in it, which only values can carry; put() says what else is wrong
        return [sabir.put(function)]
    return code if len(code) <= _INLINE_BYTES else [sabir.put(function)]


@functools.lru_cache(maxsize=16)
def _load(code: bytes) -> Any:
    return pickle.loads(code)


class Runner:
    """The actor: one process of the pool."""

    _KEPT_MAX = 4

    def __init__(self, initializer: Callable[..., Any] | None, initargs: tuple[Any, ...]) -> None:
        self._kept: OrderedDict[str, Any] = OrderedDict()
        if initializer is not None:
            initializer(*initargs)

    def _function(self, code: Any) -> Any:
        if isinstance(code, bytes):
            return _load(code)
        key = code[0].hex()
        if key not in self._kept:
            self._kept[key] = sabir.get(code[0])
            if len(self._kept) > self._KEPT_MAX:
                self._kept.popitem(last=False)
        return self._kept[key]

    def run(self, code: Any, kind: int, items: Sequence[Any]) -> tuple[list[Any], bool]:
        """The results, and whether there are failures among them."""
        function = self._function(code)
        results: list[Any] = []
        try:
            _extend(results, function, kind, items)
        except Exception as error:
            return self._with_failures(function, kind, items, results, error), True
        return results, False

    def _with_failures(
        self, function: Any, kind: int, items: Sequence[Any], results: list[Any], error: Exception | None
    ) -> list[Any]:
        """Goes on behind an item whose call raised: each is called once."""
        while error is not None:
            results.append(
                _sendable(Failure(error, "".join(traceback.format_exception(type(error), error, error.__traceback__))))
            )
            error = None
            try:
                _extend(results, function, kind, items[len(results) :])
            except Exception as raised:
                error = raised
        return results


def _extend(results: list[Any], function: Any, kind: int, items: Sequence[Any]) -> None:
    if kind == MAP:
        for item in items:
            results.append(function(item))
    elif kind == STARMAP:
        for item in items:
            results.append(function(*item))
    else:
        for args, kwargs in items:
            results.append(function(*args, **kwargs))


def next_size(left: int, processes: int, smallest: int, item_s: float | None) -> int:
    """The size of the next batch: large ones first and small ones last, so that all processes end together. None takes
    less than a moment, as far as is known what an item takes."""
    if item_s is not None and item_s > 0:
        smallest = max(smallest, int(_MOMENT_S / item_s))
    return min(left, max(smallest, left // (2 * processes)))


def smallest_of(count: int, processes: int) -> int:
    return max(1, count // (_SHARES * processes))


def sizes(count: int, chunksize: int | None, processes: int) -> Iterator[int]:
    """The sizes of batches of so many items."""
    smallest = smallest_of(count, processes)
    while count > 0:
        size = min(chunksize, count) if chunksize is not None else next_size(count, processes, smallest, None)
        yield size
        count -= size


def sliced(items: Sequence[Any], sizes: Iterator[int]) -> Iterator[Sequence[Any]]:
    begin = 0
    for size in sizes:
        yield items[begin : begin + size]
        begin += size
