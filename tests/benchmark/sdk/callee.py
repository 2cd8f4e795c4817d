"""What the benchmark drivers in C++ and Java call in Python. Callee.java and callee.cc have the same."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

import sabir


def small_value() -> bytes:
    return b"ok"


def put_small() -> None:
    for _ in range(100):
        sabir.put(0)


def put_arrays(size: int) -> None:
    for _ in range(10):
        sabir.put(np.zeros(size, dtype=np.int64))


def make_refs(count: int) -> Any:
    return [sabir.put(1) for _ in range(count)]


def first(array: Any) -> float:
    return float(array[0])


def identity(value: Any) -> Any:
    return value


def call_all(servers: Any, n: int) -> None:
    sabir.get([servers[i % len(servers)].small_value.remote() for i in range(n)])


_task = sabir.remote(small_value)


class Actor:
    def small_value(self) -> bytes:
        return b"ok"

    def small_value_arg(self, x: Any) -> bytes:
        return b"ok"

    def small_value_batch(self, n: int) -> None:
        sabir.get([_task.remote() for _ in range(n)])

    def pid(self) -> int:
        return os.getpid()


class Client:
    def __init__(self, servers: Any) -> None:
        self.servers = servers

    def small_value_batch(self, n: int) -> None:
        sabir.get([server.small_value.remote() for server in self.servers for _ in range(n)])

    def small_value_batch_arg(self, n: int) -> None:
        x = sabir.put(0)
        sabir.get([server.small_value_arg.remote(x) for server in self.servers for _ in range(n)])
