"""as_completed, map_unordered, f.map, list_named_actors, serializers and their inspection."""

from __future__ import annotations

import io
import threading
import time

import pytest

import sabir
from sabir.util import (
    as_completed,
    deregister_serializer,
    inspect_serializability,
    list_named_actors,
    map_unordered,
    register_serializer,
)

pytestmark = pytest.mark.usefixtures("session")


@sabir.remote
def square(x):
    return x * x


@sabir.remote
def slow_if_zero(x):
    if x == 0:
        time.sleep(0.4)
    return x


@sabir.remote
def fail_at(x, bad):
    if x == bad:
        raise KeyError(x)
    return x


def test_as_completed():
    refs = [slow_if_zero.remote(x) for x in range(4)]
    found = list(as_completed(refs))
    assert sorted(found) == [0, 1, 2, 3] and found[-1] == 0
    again = list(as_completed(refs, chunk_size=1, yield_obj_refs=True))
    assert set(again) == set(refs)
    assert list(as_completed([])) == []
    with pytest.raises(ValueError):
        as_completed([refs[0], refs[0]])
    with pytest.raises(ValueError):
        as_completed(refs, chunk_size=0)


def test_map_unordered_is_bounded():
    taken = []

    def items():
        for item in range(30):
            taken.append(item)
            yield item

    results = map_unordered(square, items(), backpressure_size=5, chunk_size=1)
    first = next(results)
    assert len(taken) <= 5
    assert sorted([first, *results]) == [x * x for x in range(30)]
    with pytest.raises(TypeError):
        map_unordered(len, [])
    with pytest.raises(ValueError):
        map_unordered(square, [], backpressure_size=5, chunk_size=6)
    assert all(isinstance(ref, sabir.ObjectRef) for ref in map_unordered(square, [1], yield_obj_refs=True))


def test_map_is_ordered_and_bounded():
    taken = []

    def items():
        for item in range(20):
            taken.append(item)
            yield item

    results = slow_if_zero.map(items(), in_flight=4)
    assert taken == [0, 1, 2, 3]  # the first calls start at once
    assert next(results) == 0
    assert len(taken) == 5
    assert list(results) == list(range(1, 20))
    assert list(results) == []


def test_map_of_several_iterables_errors_and_timeouts():
    assert list(fail_at.map([1, 2, 3], [9, 9], in_flight=1)) == [1, 2]
    results = fail_at.map(range(3), [1, 1, 1])
    assert next(results) == 0
    with pytest.raises(KeyError):
        next(results)
    assert list(results) == [2]
    late = slow_if_zero.map([0, 1], timeout=0.01)
    with pytest.raises(sabir.exceptions.GetTimeoutError):
        next(late)
    sabir.wait(list(late._refs), num_returns=2, timeout=30)
    assert list(late) == [0, 1]
    for wrong in (0, -1):
        with pytest.raises(ValueError):
            square.map([], in_flight=wrong)
    with pytest.raises(TypeError):
        square.map()


@sabir.remote
class Named:
    def ready(self):
        return True


def test_list_named_actors():
    here = Named.options(name="here").remote()
    there = Named.options(name="there", namespace="elsewhere").remote()
    sabir.get([here.ready.remote(), there.ready.remote()])
    assert "here" in list_named_actors() and "there" not in list_named_actors()
    with pytest.raises(NotImplementedError, match="namespaces"):
        list_named_actors(all_namespaces=True)
    sabir.kill(here)
    with pytest.raises(sabir.exceptions.ActorDiedError):
        sabir.get(here.ready.remote())
    assert "here" not in list_named_actors()


class Guarded:
    """Cannot be pickled: it holds a lock."""

    def __init__(self, value):
        self.value = value
        self.lock = threading.Lock()


def test_serializers_of_ones_own():
    @sabir.remote
    def value_of(guarded):
        return type(guarded).__name__, guarded.value

    with pytest.raises(sabir.exceptions.SerializationError):
        value_of.remote(Guarded(1))
    register_serializer(Guarded, serializer=lambda g: g.value, deserializer=lambda value: Guarded(value + 1))
    try:
        assert sabir.get(value_of.remote(Guarded(1))) == ("Guarded", 2)
        inside = sabir.get(sabir.put({"deep": [Guarded(5)]}))
        assert inside["deep"][0].value == 6
        captured = Guarded(7)
        assert sabir.get(sabir.remote(lambda: captured.value).remote()) == 8
    finally:
        deregister_serializer(Guarded)
    deregister_serializer(Guarded)
    with pytest.raises(sabir.exceptions.SerializationError):
        sabir.put(Guarded(1))
    with pytest.raises(TypeError):
        register_serializer("Guarded", serializer=len, deserializer=len)
    with pytest.raises(TypeError):
        register_serializer(Guarded, serializer=None, deserializer=len)


def test_inspect_serializability_names_the_part():
    out = io.StringIO()
    assert inspect_serializability([1, "x"], print_file=out) == (True, set())
    lock = threading.Lock()

    def uses_a_lock():
        return lock

    fine, failures = inspect_serializability(uses_a_lock, name="work", print_file=out)
    assert not fine
    (failure,) = failures
    assert failure.obj is lock and failure.name == "lock" and failure.parent is uses_a_lock
    assert "work" in out.getvalue() and "lock" in out.getvalue()
    fine, failures = inspect_serializability({"a": Guarded(1)}, print_file=out)
    assert not fine and "lock (" in out.getvalue()
