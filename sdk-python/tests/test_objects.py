"""Objects: put, get, wait, zero copy, when they are freed."""

from __future__ import annotations

import gc
import os
import pickle
import time
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from processes import eventually

import sabir
from sabir._state import status

pytestmark = pytest.mark.usefixtures("session")

Point = namedtuple("Point", "x y")


def store() -> dict:
    return status()["nodes"][0]["store"]


VALUES = [
    None,
    True,
    False,
    0,
    -1,
    127,
    128,
    -129,
    2**31,
    -(2**63),
    2**63 - 1,
    2**64,
    -(2**70),
    0.0,
    -1.5,
    float("inf"),
    "",
    "text",
    "ä" * 100,
    "\ud800",
    b"",
    b"bytes",
    b"\0" * 1000,
    [],
    [1, [2, [3, ["x"]]]],
    (),
    (1, "a", None),
    {},
    {"a": 1, 2: [3.5], None: (True,)},
    {1, 2},
    frozenset("ab"),
    OrderedDict(b=1, a=2),
    1 + 2j,
    range(5),
    Point(1, 2),
    bytearray(b"abc"),
    {"deep": {"er": {"and": {"deeper": {"still": {"more": {"x": {"y": {"z": 1}}}}}}}}},
    ["x" * 70_000, {"y": b"z" * 70_000}],
    Ellipsis,
    slice(1, 2),
    int,
    "s" * 60,
    "s" * 55,
    "s" * 56,
    "s" * 57,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
def test_values_survive_put_and_a_call(value):
    @sabir.remote
    def identity(value):
        return value

    for copy in (sabir.get(sabir.put(value)), sabir.get(identity.remote(value))):
        assert copy == value
        assert type(copy) is type(value)


def test_sharing_inside_a_value_is_kept():
    shared = [1]
    first, second = sabir.get(sabir.put([shared, shared]))
    assert first is second
    cycle: list = []
    cycle.append(cycle)
    copy = sabir.get(sabir.put(cycle))
    assert copy[0] is copy


def test_a_nan_stays_one():
    assert np.isnan(sabir.get(sabir.put(float("nan"))))


@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "f8", "c16", "?", "U5", "M8[s]"])
def test_numpy_arrays(dtype):
    array = np.zeros((7, 5), dtype=dtype)
    copy = sabir.get(sabir.put(array))
    assert copy.dtype == array.dtype
    np.testing.assert_array_equal(copy, array)


def test_a_large_array_is_read_in_place_and_only_read():
    array = np.arange(1 << 20, dtype=np.int64)
    ref = sabir.put(array)
    first, second = sabir.get(ref), sabir.get(ref)
    np.testing.assert_array_equal(first, array)
    assert np.shares_memory(first, second)
    assert not first.flags.writeable
    with pytest.raises(ValueError):
        first[0] = 1


def test_a_task_reads_the_same_bytes():
    @sabir.remote
    def total(array):
        return float(array.sum()), array.flags.writeable

    array = np.ones(1 << 20)
    assert sabir.get(total.remote(sabir.put(array))) == (float(1 << 20), False)
    assert sabir.get(total.remote(array)) == (float(1 << 20), False)


def test_an_array_outlives_its_reference():
    array = sabir.get(sabir.put(np.full(1 << 20, 7, dtype=np.uint8)))
    gc.collect()
    others = [sabir.put(np.zeros(1 << 20, dtype=np.uint8)) for _ in range(5)]
    assert (array == 7).all()
    del others


def test_bytes_are_freed_with_the_last_reference():
    eventually(lambda: store()["objects"] == 0, "objects of earlier tests are left")
    before = store()["used_bytes"]
    refs = [sabir.put(np.zeros(2 << 20, dtype=np.uint8)) for _ in range(4)]
    eventually(lambda: store()["used_bytes"] >= before + (8 << 20), "the store does not show the objects")
    del refs
    eventually(lambda: store()["used_bytes"] == before, "the store kept bytes of released objects")


def test_results_and_arguments_are_freed_too():
    @sabir.remote
    def make(array):
        return array * 2

    eventually(lambda: store()["objects"] == 0, "objects of earlier tests are left")
    for _ in range(20):
        assert sabir.get(make.remote(np.ones(200_000)))[0] == 2
    eventually(lambda: store()["objects"] == 0, "a result or an argument is left")


def test_more_than_the_store_in_turn():
    for _ in range(30):  # 480 MB through a store of 256 MiB
        sabir.put(np.zeros(16 << 20, dtype=np.uint8))
    eventually(lambda: store()["objects"] == 0, "objects are left")


def test_ten_thousand_references_in_an_object():
    refs = [sabir.put(i) for i in range(10_000)]
    copy = sabir.get(sabir.put(refs))
    assert copy == refs
    assert sabir.get(copy[-10:]) == list(range(9_990, 10_000))


def test_references_are_equal_everywhere():
    ref = sabir.put(1)

    @sabir.remote
    def name(box):
        return box[0].hex()

    assert sabir.get(name.remote([ref])) == ref.hex()
    assert len({ref, sabir.get(sabir.put([ref]))[0]}) == 1
    assert len(ref.binary()) == 16


def test_pickling_a_reference_outside_a_value_is_refused():
    with pytest.raises(TypeError, match="Sabir call or put"):
        pickle.dumps(sabir.put(1))


def test_get_wants_a_reference_or_a_list():
    for wrong in (1, "x", (sabir.put(1),), {sabir.put(1)}, None):
        with pytest.raises(TypeError, match="get"):
            sabir.get(wrong)
    with pytest.raises(TypeError, match="item 1"):
        sabir.get([sabir.put(1), 2])
    assert sabir.get([]) == []


def test_get_takes_duplicates():
    ref = sabir.put("x")
    assert sabir.get([ref, ref]) == ["x", "x"]


def test_put_of_a_reference_is_refused():
    with pytest.raises(TypeError, match="ObjectRef"):
        sabir.put(sabir.put(1))


@sabir.remote
def sleep(seconds):
    time.sleep(seconds)
    return seconds


def test_wait():
    refs = [sleep.remote(s) for s in (0.5, 0, 0)]
    ready, rest = sabir.wait(refs, num_returns=2)
    assert ready == refs[1:] and rest == refs[:1]
    ready, rest = sabir.wait(refs, num_returns=3, timeout=30)
    assert ready == refs and rest == []
    assert sabir.wait([]) == ([], [])
    ready, rest = sabir.wait(refs, num_returns=1)
    assert len(ready) == 1 and len(rest) == 2


def test_wait_with_a_timeout_returns_fewer():
    refs = [sleep.remote(2), sabir.put(1)]
    began = time.monotonic()
    ready, rest = sabir.wait(refs, num_returns=2, timeout=0.2)
    assert (ready, rest) == (refs[1:], refs[:1])
    assert time.monotonic() - began < 1.5
    sabir.get(refs)


def test_wait_checks_its_arguments():
    ref = sabir.put(1)
    with pytest.raises(TypeError):
        sabir.wait(ref)
    with pytest.raises(TypeError):
        sabir.wait([1])
    with pytest.raises(ValueError, match="duplicates"):
        sabir.wait([ref, ref])
    with pytest.raises(ValueError):
        sabir.wait([ref], num_returns=2)
    with pytest.raises(ValueError):
        sabir.wait([ref], num_returns=0)
    with pytest.raises(ValueError):
        sabir.wait([ref], timeout=-1)


def test_get_with_a_timeout():
    ref = sleep.remote(1)
    with pytest.raises(sabir.exceptions.GetTimeoutError) as caught:
        sabir.get(ref, timeout=0.1)
    assert isinstance(caught.value, TimeoutError)
    with pytest.raises(sabir.exceptions.GetTimeoutError, match=r"after 0 s: 1 of 2 values"):
        sabir.get([sabir.put(1), ref], timeout=0)
    assert sabir.get(ref, timeout=30) == 1
    for wrong in (-1, float("nan")):
        with pytest.raises(ValueError, match="timeout"):
            sabir.get(ref, timeout=wrong)


def test_buffers_below_numpy():
    data = pickle.PickleBuffer(os.urandom(100_000))
    copy = sabir.get(sabir.put([data]))
    assert bytes(copy[0]) == bytes(data)


def test_garbage_collection_at_every_allocation():
    """P3: finalizers run anywhere; four threads make cyclic garbage that holds references, with the collector at 1."""
    from concurrent.futures import ThreadPoolExecutor

    class Node:
        def __init__(self, ref):
            self.ref = ref
            self.me = self

    def churn(seed):
        for i in range(200):
            Node(sabir.put(i))
            node = Node(sleep.remote(0))
            assert sabir.get(node.ref) == 0
        return seed

    old = gc.get_threshold()
    gc.set_threshold(1)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(churn, range(4))) == [0, 1, 2, 3]
    finally:
        gc.set_threshold(*old)
    gc.collect()
    eventually(lambda: store()["objects"] == 0, "objects are left")
