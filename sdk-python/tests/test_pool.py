"""sabir.util.multiprocessing.Pool: the standard library's interface, complete."""

from __future__ import annotations

import inspect
import multiprocessing
import multiprocessing.pool
import os
import signal
import threading
import time

import pytest

import sabir
from sabir.util.multiprocessing import Pool, TimeoutError
from sabir.util.multiprocessing import _batches as batches

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture(scope="module")
def pool(session):
    with Pool(2) as made:
        yield made


def double(x):
    return 2 * x


def add(a, b=0):
    return a + b


def fail_at_three(x):
    if x == 3:
        raise KeyError("three")
    return x


def process_of(_):
    return os.getpid()


def test_the_interface_is_the_standard_librarys():
    for name, member in inspect.getmembers(multiprocessing.pool.Pool, inspect.isfunction):
        if name.startswith("_") or name == "Process":
            continue
        wanted = list(inspect.signature(member).parameters.values())
        have = list(inspect.signature(getattr(Pool, name)).parameters.values())
        assert [(p.name, p.default) for p in have] == [(p.name, p.default) for p in wanted], name
    constructor = list(inspect.signature(multiprocessing.pool.Pool).parameters)
    assert list(inspect.signature(Pool).parameters)[: len(constructor)] == constructor
    assert TimeoutError is multiprocessing.TimeoutError


def test_calls(pool):
    assert pool.apply(add, (1,), {"b": 2}) == 3
    assert pool.apply_async(add, (1, 2)).get(60) == 3
    assert pool.map(double, range(1000)) == list(map(double, range(1000)))
    assert pool.map(double, (x for x in range(5)), chunksize=2) == [0, 2, 4, 6, 8]
    assert pool.map(double, []) == []
    assert pool.map_async(double, [1, 2, 3]).get(60) == [2, 4, 6]
    assert pool.starmap(add, [(1, 2), (3, 4)]) == [3, 7]
    assert pool.starmap_async(add, [(1, 2)] * 9, chunksize=4).get(60) == [3] * 9
    assert list(pool.imap(double, range(20))) == [2 * x for x in range(20)]
    assert list(pool.imap(double, iter(range(100)), chunksize=7)) == [2 * x for x in range(100)]
    assert sorted(pool.imap_unordered(double, range(20), 3)) == [2 * x for x in range(20)]
    assert pool.map(lambda x: x + 1, [1]) == [2]
    for call in (pool.map, pool.starmap, pool.imap):
        with pytest.raises(ValueError):
            call(double, [1], chunksize=0)


def test_work_is_spread_over_all_processes(pool):
    def slow_process(_):
        time.sleep(0.02)
        return os.getpid()

    found = pool.map(slow_process, range(20))
    assert len(set(found)) == 2 and os.getpid() not in found


def test_errors_keep_their_type_and_their_place(pool):
    with pytest.raises(KeyError) as caught:
        pool.map(fail_at_three, range(6))
    assert type(caught.value) is KeyError and caught.value.args == ("three",)
    assert "in fail_at_three" in str(caught.value.__cause__)
    with pytest.raises(KeyError):
        pool.apply(fail_at_three, (3,))
    results = pool.imap(fail_at_three, range(6), chunksize=6)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError):
        next(results)
    assert list(results) == [4, 5]  # the others are there


def test_errors_and_values_that_cannot_travel(pool):
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(f"{a} {b}")

    def raise_odd(_):
        raise Odd(1, 2)

    with pytest.raises(RuntimeError, match="Odd: 1 2"):
        pool.map(raise_odd, [1])
    with pytest.raises(TypeError):
        pool.apply(lambda: threading.Lock())
    with pytest.raises(TypeError):
        pool.map(double, [threading.Lock()])
    assert pool.map(double, [1]) == [2]


def test_async_results_and_callbacks(pool):
    called, failed = [], []
    result = pool.map_async(double, range(5), callback=called.append, error_callback=failed.append)
    assert result.get(60) == [0, 2, 4, 6, 8]
    assert result.ready() and result.successful()
    bad = pool.apply_async(fail_at_three, (3,), callback=called.append, error_callback=failed.append)
    bad.wait(60)
    assert bad.ready() and not bad.successful()
    assert called == [[0, 2, 4, 6, 8]] and [type(error) for error in failed] == [KeyError]
    slow = pool.apply_async(time.sleep, (0.3,))
    with pytest.raises(ValueError):
        slow.successful()
    with pytest.raises(TimeoutError):
        slow.get(timeout=0.01)
    results = pool.imap(time.sleep, [0.3])
    with pytest.raises(TimeoutError):
        results.next(timeout=0.01)
    assert results.next(timeout=60) is None and slow.get(60) is None


def test_a_long_call_does_not_hold_up_others(pool):
    long = pool.apply_async(time.sleep, (1,))
    assert [pool.apply(double, (x,)) for x in range(20)] == [2 * x for x in range(20)]
    assert not long.ready()
    long.get(60)


def test_references_and_large_values_in_functions(pool):
    ref = sabir.put(5)
    assert pool.map(lambda x: x + sabir.get(ref), [1, 2]) == [6, 7]
    large = bytes(range(256)) * 1000
    assert pool.map(lambda x: len(large) + x, [1, 2]) == [256001, 256002]


def test_an_iterator_that_raises(pool):
    def items():
        yield 1
        raise OSError("no more")

    results = pool.imap(double, items())
    assert next(results) == 2
    with pytest.raises(OSError, match="no more"):
        next(results)
    with pytest.raises(OSError):
        pool.map(double, items())


def test_initializer_and_maxtasksperchild(session):
    def set_up(value):
        os.environ["POOL_VALUE"] = value

    with Pool(1, initializer=set_up, initargs=("x",), maxtasksperchild=2) as pool:
        found = [pool.apply(lambda: (os.environ["POOL_VALUE"], os.getpid())) for _ in range(5)]
    assert {value for value, _ in found} == {"x"}
    pids = [pid for _, pid in found]
    assert pids[0] == pids[1] and pids[2] == pids[3] and len(set(pids)) == 3
    with Pool(1, initializer=fail_at_three, initargs=(3,)) as broken, pytest.raises(sabir.exceptions.ActorDiedError):
        broken.map(double, [1, 2])


def test_a_process_that_dies_is_replaced(session):
    def die(_):
        os.kill(os.getpid(), signal.SIGKILL)

    with Pool(2) as pool:
        with pytest.raises(sabir.exceptions.ActorDiedError):
            pool.map(die, [1])
        assert pool.map(double, range(50)) == [2 * x for x in range(50)]
        assert len(pool._processes) == 2


def test_close_and_join_finish_what_was_asked_for(session):
    pool = Pool(2)
    with pytest.raises(ValueError):
        pool.join()
    results = pool.imap(double, iter(range(200)))
    later = [pool.apply_async(double, (x,)) for x in range(5)]
    pool.close()
    for call in (lambda: pool.map(double, [1]), lambda: pool.apply_async(double, (1,)), pool.__enter__):
        with pytest.raises(ValueError):
            call()
    pool.join()
    assert [result.get(0) for result in later] == [0, 2, 4, 6, 8]
    assert list(results) == [2 * x for x in range(200)]


def test_terminate_ends_what_runs(session):
    pool = Pool(1)
    result = pool.apply_async(time.sleep, (600,))
    results = pool.imap(time.sleep, iter([600] * 1000))
    pool.terminate()
    pool.join()
    with pytest.raises(RuntimeError, match="terminated"):
        result.get(60)
    with pytest.raises(RuntimeError, match="terminated"):
        results.next(60)
    assert "TERMINATE" in repr(pool)


def test_bad_arguments(session):
    for wrong in ({"processes": 0}, {"maxtasksperchild": 0}):
        with pytest.raises(ValueError):
            Pool(**wrong)
    with pytest.raises(TypeError):
        Pool(initializer=1)
    with Pool(1, remote_args={"num_cpus": 1}) as pool, pytest.raises(TypeError):
        sabir.put(pool)


def test_sizes_of_batches():
    for count in (0, 1, 7, 100, 1000, 12345):
        for processes in (1, 2, 64):
            assert sum(batches.sizes(count, None, processes)) == count
            assert sum(batches.sizes(count, 10, processes)) == count
    sizes = list(batches.sizes(100, None, 2))
    assert sizes[0] == 25 and sizes[-1] == 1 and sizes == sorted(sizes, reverse=True)
    # What is known to take a moment only is not cut further.
    assert batches.next_size(500, 2, 1, 1e-6) == 300
    assert batches.next_size(500, 2, 1, 0.01) == 125
