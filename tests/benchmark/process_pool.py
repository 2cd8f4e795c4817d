"""Python's own ProcessPoolExecutor in the shape of the API that the workloads use: functions, get, nothing else.

The workloads of a pool take multiprocessing.Pool itself.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Callable

SUPPORTED = {
    "single client tasks sync",
    "single client tasks async",
    "single client tasks and get batch",
    "an 80 MB array as argument",
    "Pool.map of 1000 trivial items",
    "Pool.map of 100 items of 10 ms",
    "tasks with a small list each way async",
}


class _Remote:
    def __init__(self, pool: ProcessPoolExecutor, function: Callable[..., Any]) -> None:
        self._pool = pool
        self._name = (function.__module__, function.__qualname__)
        self._code = None
        if "<locals>" in function.__qualname__:
            import cloudpickle

            self._code = cloudpickle.dumps(function)
        self._function = function

    def remote(self, *args: Any) -> Any:
        if self._code is not None:
            return self._pool.submit(_call, self._code, *args)
        return self._pool.submit(self._function, *args)


def _call(code: bytes, *args: Any) -> Any:
    import pickle

    return pickle.loads(code)(*args)


class _Pool:
    __name__ = "processpool"

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(os.cpu_count())

    def remote(self, function: Callable[..., Any]) -> _Remote:
        return _Remote(self._pool, function)

    def get(self, futures: Any) -> Any:
        return [future.result() for future in futures] if isinstance(futures, list) else futures.result()

    def shutdown(self) -> None:
        self._pool.shutdown()


def start() -> _Pool:
    return _Pool()
