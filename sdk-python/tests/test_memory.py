"""Nothing is kept: the store's bytes and every process's memory stay where they were, however often a thing is done."""

from __future__ import annotations

import gc
import os
import threading
import time

import numpy as np
import pytest
from processes import eventually

import sabir
from sabir._state import status

pytestmark = pytest.mark.usefixtures("session")

# Of a process, per run of some thousand repetitions: what the allocators keep back, far below a leak of 100 bytes each.
SLACK_KIB = 4096


@sabir.remote
def nothing(x=None):
    return None


@sabir.remote
def fail():
    raise ValueError("x" * 100)


@sabir.remote
class Echo:
    def call(self, x=None):
        return x


def node() -> dict:
    return status()["nodes"][0]


def memory_kib() -> dict[int, int]:
    """Private memory: what is shared (the store) is counted by the store itself."""
    found = {}
    for pid in [os.getpid(), *[worker["pid"] for worker in node()["workers"]]]:
        try:
            with open(f"/proc/{pid}/statm") as file:
                fields = file.read().split()
        except OSError:
            continue
        found[pid] = (int(fields[1]) - int(fields[2])) * 4
    return found


def nested_references():
    sabir.get(nothing.remote([sabir.put(i) for i in range(100)]))


def errors():
    with pytest.raises(ValueError):
        sabir.get(fail.remote())


def timeouts(pending=[]):  # noqa: B006 - one for all
    if not pending:
        pending.append(sabir.remote(lambda: time.sleep(1000)).options(num_cpus=0).remote())
    for _ in range(20):
        with pytest.raises(sabir.exceptions.GetTimeoutError):
            sabir.get(pending[0], timeout=0)
        assert sabir.wait(pending, timeout=0)[0] == []


def refused_values():
    with pytest.raises(TypeError):
        sabir.put([sabir.put(1), threading.Lock()])


def actor_calls(actors=[]):  # noqa: B006 - one for all
    if not actors:
        actors.append(Echo.remote())
    sabir.get([actors[0].call.remote(i) for i in range(100)])


ACTIONS = {
    "tasks": (lambda: sabir.get([nothing.remote(i) for i in range(100)]), 300),
    "actor calls": (actor_calls, 300),
    "small puts": (lambda: [sabir.put(i) for i in range(100)], 300),
    "large puts": (lambda: sabir.get(sabir.put(np.ones(1 << 16))), 300),
    "large arguments": (lambda: sabir.get(nothing.remote(np.ones(1 << 16))), 300),
    "references in values": (nested_references, 200),
    "errors": (errors, 1000),
    "timeouts": (timeouts, 300),
    "futures": (lambda: [future.result() for future in [nothing.remote().future() for _ in range(50)]], 100),
    "options": (lambda: sabir.get(nothing.options(name="other").remote()), 1000),
    "refused values": (refused_values, 300),
    "actors": (lambda: sabir.get(Echo.remote().call.remote()), 40),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_repetition_keeps_nothing(name):
    action, times = ACTIONS[name]
    for _ in range(times // 2):  # the first ones fill pools and caches
        action()
    gc.collect()
    # What leaks grows each time; a worker that comes late to its first array grows once.
    for _ in range(3):
        before = memory_kib()
        for _ in range(times):
            action()
        gc.collect()
        eventually(lambda: node()["store"]["objects"] == 0, "objects are left")
        assert node()["store"]["used_bytes"] == 0
        grown = {pid: kib - before[pid] for pid, kib in memory_kib().items() if pid in before}
        if max(grown.values()) < SLACK_KIB:
            break
    assert max(grown.values()) < SLACK_KIB, grown
