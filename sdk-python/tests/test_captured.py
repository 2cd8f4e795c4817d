"""References and handles in the closure or the globals of functions and classes."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from processes import eventually

import sabir
from sabir._functions import _Capturing
from sabir._state import status


@sabir.remote
class Counter:
    def __init__(self):
        self.value = 0

    def add(self, amount=1):
        self.value += amount
        return self.value


def objects() -> int:
    return status()["nodes"][0]["store"]["objects"]


def test_a_captured_object_lives_as_long_as_the_function(own_session):
    own_session()

    def capturing(ref):
        return sabir.remote(lambda: float(sabir.get(ref).sum()))

    first = capturing(sabir.put(np.ones(1 << 18)))
    assert [sabir.get(first.remote()) for _ in range(2)] == [float(1 << 18)] * 2
    del first
    gc.collect()
    # Workers remember the functions used last; others take their place, in each worker that runs enough of them.
    small = [sabir.put(i) for i in range(_Capturing._MADE_MAX)]

    def gone() -> bool:
        others = [sabir.remote(lambda held=held: sabir.get(held)) for held in small]
        sabir.get([other.remote() for other in others for _ in range(4)])
        return gc.collect() >= 0 and objects() == 0

    eventually(gone, "the captured object is left")


def test_a_handle_and_a_reference_in_a_closure(session):
    counter = Counter.remote()
    ref = sabir.put([1, 2])

    @sabir.remote
    def use(x, *, y=0):
        return sabir.get(counter.add.remote(x + y)), sabir.get(ref)

    assert sabir.get(use.remote(1)) == (1, [1, 2])
    assert sabir.get(use.remote(1, y=2)) == (4, [1, 2])


def test_the_same_code_with_other_references(session):
    tasks = []
    for i in range(40):  # more than a worker keeps
        ref = sabir.put(i)
        tasks.append(sabir.remote(lambda ref=ref, x=1: sabir.get(ref) * x))

        def closure(ref=ref):
            return sabir.remote(lambda: sabir.get(ref))

        tasks.append(closure())
    for _ in range(2):
        assert sabir.get([task.remote() for task in tasks]) == [i // 2 for i in range(80)]


def test_a_pending_reference_in_a_closure(session):
    import time

    @sabir.remote
    def slow():
        time.sleep(0.2)
        return "late"

    pending = slow.remote()
    assert sabir.get(sabir.remote(lambda: sabir.get(pending)).remote()) == "late"


def test_functions_that_call_functions_with_references(session):
    counter = Counter.remote()

    @sabir.remote
    def inner(n):
        return 0 if n == 0 else sabir.get(counter.add.remote()) + sabir.get(inner.remote(n - 1))

    @sabir.remote
    def outer(n):
        return sabir.get(inner.remote(n))

    assert sabir.get(outer.remote(3), timeout=60) == 1 + 2 + 3


def test_an_actor_class_with_a_reference(session):
    ref = sabir.put("shared")
    counter = Counter.remote()

    @sabir.remote
    class User:
        def __init__(self, suffix, *, mark=""):
            self.text = sabir.get(ref) + suffix + mark

        def use(self):
            return self.text, sabir.get(counter.add.remote())

    first, second = User.remote(" a"), User.remote(" b", mark="!")
    assert sabir.get(first.use.remote()) == ("shared a", 1)
    assert sabir.get(second.use.remote()) == ("shared b!", 2)


def test_several_returns_retries_and_large_arguments(session, tmp_path):
    ref = sabir.put(3)
    marks = tmp_path / "marks"

    @sabir.remote(num_returns=2, max_retries=2, retry_exceptions=[ValueError])
    def flaky(array):
        with open(marks, "a") as file:
            file.write("x")
        if marks.stat().st_size < 2:
            raise ValueError("again")
        return sabir.get(ref), float(array.sum())

    assert sabir.get(flaky.remote(np.ones(100_000)), timeout=60) == [3, 100_000.0]


def test_what_else_cannot_travel_is_named_and_not_the_reference(session):
    import threading

    ref = sabir.put(1)
    lock = threading.Lock()

    @sabir.remote
    def both():
        return ref, lock

    with pytest.raises(sabir.exceptions.SerializationError, match="lock"):
        both.remote()
    with pytest.raises(sabir.exceptions.SerializationError, match=r"value\[1\]"):
        sabir.put([ref, lock])
