"""sabir.util.ActorPool: Ray's semantics."""

from __future__ import annotations

import time

import pytest

import sabir
from sabir.util import ActorPool

pytestmark = pytest.mark.usefixtures("session")


@sabir.remote
class Worker:
    def double(self, x):
        return 2 * x

    def sleep(self, seconds):
        time.sleep(seconds)
        return seconds

    def fail(self, x):
        raise KeyError(x)

    @sabir.method(num_returns=2)
    def pair(self, x):
        return x, -x


@pytest.fixture
def pool():
    return ActorPool([Worker.remote(), Worker.remote()])


def test_map_keeps_the_order(pool):
    assert list(pool.map(lambda a, v: a.double.remote(v), range(7))) == [0, 2, 4, 6, 8, 10, 12]


def test_map_unordered_gives_each_as_it_comes(pool):
    found = list(pool.map_unordered(lambda a, v: a.sleep.remote(v), [0.5, 0, 0, 0]))
    assert sorted(found) == [0, 0, 0, 0.5] and found[-1] == 0.5


def test_submit_and_get_next(pool):
    for value in range(3):
        pool.submit(lambda a, v: a.double.remote(v), value)
    assert not pool.has_free()
    assert [pool.get_next() for _ in range(3)] == [0, 2, 4]
    assert not pool.has_next() and pool.has_free()
    with pytest.raises(StopIteration):
        pool.get_next()
    with pytest.raises(StopIteration):
        pool.get_next_unordered()


def test_several_results_of_a_call(pool):
    pool.submit(lambda a, v: a.pair.remote(v), 3)
    assert pool.get_next() == [3, -3]
    pool.submit(lambda a, v: a.pair.remote(v), 4)
    assert pool.get_next_unordered() == [4, -4]


def test_a_timeout_loses_nothing_unless_asked_to(pool):
    pool.submit(lambda a, v: a.sleep.remote(v), 0.4)
    with pytest.raises(TimeoutError):
        pool.get_next(timeout=0.01)
    with pytest.raises(TimeoutError):
        pool.get_next_unordered(timeout=0.01)
    assert pool.get_next(timeout=20) == 0.4
    pool.submit(lambda a, v: a.sleep.remote(v), 0.4)
    with pytest.raises(TimeoutError, match="ignored"):
        pool.get_next(timeout=0.01, ignore_if_timedout=True)
    assert not pool.has_next()


def test_order_is_lost_after_unordered(pool):
    pool.submit(lambda a, v: a.sleep.remote(v), 0.5)
    pool.submit(lambda a, v: a.sleep.remote(v), 0)
    assert pool.get_next_unordered() == 0
    with pytest.raises(ValueError):
        pool.get_next()
    assert pool.get_next_unordered() == 0.5


def test_an_error_frees_its_actor(pool):
    pool.submit(lambda a, v: a.fail.remote(v), "x")
    with pytest.raises(KeyError):
        pool.get_next()
    assert pool.has_free()
    results = pool.map(lambda a, v: a.fail.remote(v) if v == 1 else a.double.remote(v), range(3))
    assert next(results) == 0
    with pytest.raises(KeyError):
        next(results)
    # A map drops what is left of an earlier one, errors among it.
    assert list(pool.map(lambda a, v: a.double.remote(v), [5])) == [10]


def test_actors_come_and_go(pool):
    first, second = pool.pop_idle(), pool.pop_idle()
    assert pool.pop_idle() is None and not pool.has_free()
    pool.submit(lambda a, v: a.double.remote(v), 1)  # kept until there is an actor
    assert not pool.has_next()
    pool.push(first)
    assert pool.get_next() == 2
    with pytest.raises(ValueError):
        pool.push(first)
    pool.push(second)
    assert pool.has_free()
