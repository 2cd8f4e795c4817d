"""Many threads of one process, switching all the time, with the garbage collector at every allocation."""

from __future__ import annotations

import gc
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import sabir

pytestmark = pytest.mark.usefixtures("session")

THREADS = 8


@sabir.remote
def add(a, b):
    return a + b


@sabir.remote
def fail(text):
    raise KeyError(text)


@sabir.remote
class Counter:
    def __init__(self):
        self.value = 0

    def add(self, amount):
        self.value += amount
        return self.value


@pytest.fixture
def restless():
    """Threads switch after every bytecode or so, and each allocation may collect garbage."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(1)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*threshold)


def everything(seed: int) -> int:
    """One of each, with garbage in cycles that holds references and handles."""
    counter = Counter.remote()
    total = 0
    for i in range(15):
        cycle = [sabir.put(i), counter]
        cycle.append(cycle)
        refs = [add.remote(seed, i), add.remote(sabir.put(seed), b=i), sabir.put(seed + i), counter.add.remote(1)]
        ready, rest = sabir.wait(refs, num_returns=2, timeout=60)
        assert len(ready) == 2 and len(rest) == 2
        assert sabir.get(refs, timeout=60) == [seed + i, seed + i, seed + i, i + 1]
        assert refs[0].future().result(timeout=60) == seed + i
        assert sabir.get(sabir.put(np.full(20_000, seed)))[-1] == seed
        with pytest.raises(KeyError, match=str(seed)):
            sabir.get(fail.remote(str(seed)), timeout=60)
        with pytest.raises(TypeError):
            sabir.put([refs, threading.Lock()])
        total += 1
    return total


def test_eight_threads_use_everything_at_once(restless):
    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(everything, range(THREADS))) == [15] * THREADS


def test_threads_share_references_and_one_actor_in_the_order_of_each(restless):
    counter = Counter.remote()
    shared = [add.remote(i, 1) for i in range(50)]

    def work(_):
        values = [sabir.get(counter.add.remote(1), timeout=60) for _ in range(20)]
        assert values == sorted(values)
        assert sabir.get(shared, timeout=60) == list(range(1, 51))
        return values

    with ThreadPoolExecutor(THREADS) as pool:
        values = [value for part in pool.map(work, range(THREADS)) for value in part]
    assert sorted(values) == list(range(1, 20 * THREADS + 1))


def test_a_list_that_another_thread_changes_during_get_and_wait():
    refs = [sabir.remote(time.sleep).remote(0.2) for _ in range(4)]
    shared = list(refs)
    timer = threading.Timer(0.05, shared.clear)
    timer.start()
    assert sabir.get(shared, timeout=60) == [None] * 4
    timer.join()
    assert shared == []


def test_who_waits_for_notices_is_not_woken_by_results():
    thread = next(thread for thread in threading.enumerate() if thread.name == "sabir-notices")

    def sleeps() -> int:
        status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
        return int(status.split("voluntary_ctxt_switches:")[1].split()[0])

    assert sabir.get(add.remote(1, 2)) == 3
    before = sleeps()
    for i in range(500):
        assert sabir.get(add.remote(i, 1)) == i + 1
    assert sabir.get([add.remote(i, 1) for i in range(500)]) == list(range(1, 501))
    assert sleeps() - before < 50


def test_shutdown_while_ten_threads_work(restless):
    sabir.shutdown()  # the module's session

    def calls(stop):
        while not stop.is_set():
            sabir.get([add.remote(1, 2), sabir.put("x" * 100_000)], timeout=60)
            sabir.wait([add.remote(1, 2)], timeout=60)

    def futures(stop):
        while not stop.is_set():
            add.remote(1, 2).future().result(timeout=60)

    def until_the_end(work, stop):
        try:
            work(stop)
        except sabir.exceptions.SabirError:
            pass

    for pause_s in (0.0, 0.01, 0.05, 0.1, 0.2):
        sabir.init("local", num_cpus=1)
        sabir.get(add.remote(1, 2))
        stop = threading.Event()
        works = [calls] * THREADS + [futures] * 2
        threads = [threading.Thread(target=until_the_end, args=(work, stop)) for work in works]
        for thread in threads:
            thread.start()
        time.sleep(pause_s)
        stop.set()
        sabir.shutdown()
        for thread in threads:
            thread.join(timeout=60)
        assert not any(thread.is_alive() for thread in threads)
        sabir.shutdown()  # a thread's first call after the first one may have started another session
