"""The workloads of Ray's microbenchmark under its names, written once against the API that both runtimes share.

A workload is made by a function of the API module; making it sets it up (actors started, objects put), calling it does
`operations` operations. Sizes follow the original; where a box of two cores needs fewer, the divisor is `SMALLER`.
"""

from __future__ import annotations

import importlib
import os
import time
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

# The original uses as many actors as half the CPUs of its machine of 64.
ACTORS = max(1, (os.cpu_count() or 2) // 2)
SMALLER = 4


@dataclass
class Workload:
    """`run()` does `operations` operations of `unit`."""

    run: Callable[[], Any]
    operations: float
    unit: str = "/s"


WORKLOADS: dict[str, Callable[[Any], Workload]] = {}
# What only Python has; drivers in other languages run the others.
PYTHON_WORKLOADS: dict[str, Callable[[Any], Workload]] = {}

# Rows of Ray's microbenchmark that Sabir cannot run yet, and what is missing.
_ASYNC = "actors with async methods"
_CLIENT = "a client outside the cluster"
UNAVAILABLE: dict[str, str] = {
    "1:1 actor calls concurrent": "actors with max_concurrency above 1",
    "1:1 async-actor calls sync": _ASYNC,
    "1:1 async-actor calls async": _ASYNC,
    "1:1 async-actor calls with args async": _ASYNC,
    "1:n async-actor calls async": _ASYNC,
    "n:n async-actor calls async": _ASYNC,
    "single client object out-of-scope callback registration": "callbacks when an object goes out of scope",
    "single client object out-of-scope callback fire 1k batch": "callbacks when an object goes out of scope",
    "placement group create/removal": "placement groups",
    "client: get calls": _CLIENT,
    "client: put calls": _CLIENT,
    "client: remote put calls": _CLIENT,
    "client: put gigabytes": _CLIENT,
    "client: tasks and put batch": _CLIENT,
    "client: tasks and get batch": _CLIENT,
    "client: 1:1 actor calls sync": _CLIENT,
    "client: 1:1 actor calls async": _CLIENT,
    "client: 1:1 actor calls concurrent": _CLIENT,
}


def workload(
    name: str, table: dict[str, Callable[[Any], Workload]] = WORKLOADS
) -> Callable[[Callable[[Any], Workload]], Callable[[Any], Workload]]:
    def add(make: Callable[[Any], Workload]) -> Callable[[Any], Workload]:
        table[name] = make
        return make

    return add


def small_value() -> bytes:
    return b"ok"


def make_actor(api: Any) -> Any:
    class Actor:
        def small_value(self) -> bytes:
            return b"ok"

        def small_value_arg(self, x: Any) -> bytes:
            return b"ok"

        def small_value_batch(self, n: int) -> int:
            task = api.remote(small_value)
            api.get([task.remote() for _ in range(n)])
            return 0

    return api.remote(num_cpus=0)(Actor)


def make_client(api: Any) -> Any:
    class Client:
        def __init__(self, servers: Any) -> None:
            self.servers = servers if isinstance(servers, list) else [servers]

        def small_value_batch(self, n: int) -> None:
            api.get([server.small_value.remote() for server in self.servers for _ in range(n)])

        def small_value_batch_arg(self, n: int) -> None:
            x = api.put(0)
            api.get([server.small_value_arg.remote(x) for server in self.servers for _ in range(n)])

    return api.remote(num_cpus=0)(Client)


@workload("single client get calls (Plasma Store)")
def get_calls(api: Any) -> Workload:
    ref = api.put(0)
    return Workload(lambda: [api.get(ref) for _ in range(100)], 100)


@workload("single client put calls (Plasma Store)")
def put_calls(api: Any) -> Workload:
    return Workload(lambda: [api.put(0) for _ in range(100)], 100)


@workload("single client put and get of a small value")
def put_get(api: Any) -> Workload:
    return Workload(lambda: [api.get(api.put(0)) for _ in range(100)], 100)


@workload("multi client put calls (Plasma Store)")
def multi_put_calls(api: Any) -> Workload:
    @api.remote
    def do_put_small() -> None:
        for _ in range(100):
            api.put(0)

    return Workload(lambda: api.get([do_put_small.remote() for _ in range(10)]), 1000)


@workload("single client put gigabytes")
def put_gigabytes(api: Any) -> Workload:
    array = np.zeros(100 * 1024 * 1024 // SMALLER, dtype=np.int64)
    return Workload(lambda: api.put(array), array.nbytes / 1e9, "GB/s")


@workload("multi client put gigabytes")
def multi_put_gigabytes(api: Any) -> Workload:
    size = 10 * 1024 * 1024 // SMALLER

    @api.remote
    def do_put() -> None:
        for _ in range(10):
            api.put(np.zeros(size, dtype=np.int64))

    return Workload(lambda: api.get([do_put.remote() for _ in range(10)]), 100 * size * 8 / 1e9, "GB/s")


@workload("single client tasks and get batch")
def tasks_and_get_batch(api: Any) -> Workload:
    task = api.remote(small_value)
    return Workload(lambda: api.get([task.remote() for _ in range(1000)]), 1, " batches/s")


@workload("single client get object containing 10k refs")
def get_10k_refs(api: Any) -> Workload:
    @api.remote
    def create_object_containing_refs() -> Any:
        return [api.put(1) for _ in range(10_000)]

    ref = create_object_containing_refs.remote()
    api.get(ref)
    return Workload(lambda: api.get(ref), 1)


@workload("single client wait 1k refs")
def wait_1k_refs(api: Any) -> Workload:
    task = api.remote(small_value)

    def run() -> None:
        left = [task.remote() for _ in range(1000)]
        while left:
            _, left = api.wait(left)

    return Workload(run, 1)


@workload("single client tasks sync")
def tasks_sync(api: Any) -> Workload:
    task = api.remote(small_value)
    return Workload(lambda: [api.get(task.remote()) for _ in range(20)], 20)


@workload("single client tasks async")
def tasks_async(api: Any) -> Workload:
    task = api.remote(small_value)
    return Workload(lambda: api.get([task.remote() for _ in range(1000)]), 1000)


@workload("multi client tasks async")
def multi_tasks_async(api: Any) -> Workload:
    actors = [make_actor(api).remote() for _ in range(4)]
    n = 10_000 // SMALLER
    return Workload(lambda: api.get([a.small_value_batch.remote(n) for a in actors]), 4 * n)


@workload("1:1 actor calls sync")
def actor_sync(api: Any) -> Workload:
    actor = make_actor(api).remote()
    return Workload(lambda: [api.get(actor.small_value.remote()) for _ in range(20)], 20)


@workload("1:1 actor calls async")
def actor_async(api: Any) -> Workload:
    actor = make_actor(api).remote()
    return Workload(lambda: api.get([actor.small_value.remote() for _ in range(1000)]), 1000)


@workload("1:n actor calls async")
def one_to_n_actors(api: Any) -> Workload:
    servers = [make_actor(api).remote() for _ in range(ACTORS)]
    client = make_client(api).remote(servers)
    n = 5000 // SMALLER
    return Workload(lambda: api.get(client.small_value_batch.remote(n)), n * len(servers))


@workload("n:n actor calls async")
def n_to_n_actors(api: Any) -> Workload:
    servers = [make_actor(api).remote() for _ in range(ACTORS)]
    n = 5000 // SMALLER

    @api.remote
    def work(actors: Any) -> None:
        api.get([actors[i % len(actors)].small_value.remote() for i in range(n)])

    return Workload(lambda: api.get([work.remote(servers) for _ in range(4)]), 4 * n)


@workload("n:n actor calls with arg async")
def n_to_n_actors_arg(api: Any) -> Workload:
    servers = [make_actor(api).remote() for _ in range(ACTORS)]
    clients = [make_client(api).remote(server) for server in servers]
    return Workload(lambda: api.get([c.small_value_batch_arg.remote(1000) for c in clients]), 1000 * len(clients))


@workload("an 80 MB array as argument")
def array_argument(api: Any) -> Workload:
    array = np.zeros(10_000_000, dtype=np.float64)

    @api.remote
    def first(x: Any) -> float:
        return float(x[0])

    return Workload(lambda: api.get(first.remote(array)), 1)


@workload("an 80 MB array by reference")
def array_reference(api: Any) -> Workload:
    ref = api.put(np.zeros(10_000_000, dtype=np.float64))

    @api.remote
    def first(x: Any) -> float:
        return float(x[0])

    return Workload(lambda: api.get(first.remote(ref)), 1)


@workload("tasks with a small list each way async")
def tasks_small_list(api: Any) -> Workload:
    @api.remote
    def identity(x: Any) -> Any:
        return x

    return Workload(lambda: api.get([identity.remote([1, 2]) for _ in range(1000)]), 1000)


def make_pool(api: Any) -> Any:
    """A process pool with the standard library's interface."""
    name = {"sabir": "sabir.util.multiprocessing", "ray": "ray.util.multiprocessing"}.get(api.__name__)
    return importlib.import_module(name or "multiprocessing").Pool(os.cpu_count() or 2)


def increment(x: int) -> int:
    return x + 1


def sleep_10_ms(x: int) -> int:
    time.sleep(0.01)
    return x


@workload("Pool.map of 1000 trivial items", PYTHON_WORKLOADS)
def pool_map_trivial(api: Any) -> Workload:
    pool = make_pool(api)
    return Workload(lambda: pool.map(increment, range(1000)), 1, " maps/s")


@workload("Pool.map of 100 items of 10 ms", PYTHON_WORKLOADS)
def pool_map_slow(api: Any) -> Workload:
    pool = make_pool(api)
    return Workload(lambda: pool.map(sleep_10_ms, range(100)), 1, " maps/s")
