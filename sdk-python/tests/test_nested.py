"""Nested calls and the CPUs that waiting processes lend (L4)."""

from __future__ import annotations

import os
import time

import pytest
from processes import eventually

import sabir
from sabir._state import status


@sabir.remote
def identity(value):
    return value


@sabir.remote(num_cpus=1)
class Nested:
    """An actor that holds a CPU and needs one for what it waits for."""

    def __init__(self, first):
        self.value = sabir.get(identity.remote(first), timeout=30)

    def add(self, value):
        self.value += sabir.get(identity.remote(value), timeout=30)
        return self.value


def test_an_actor_that_waits_lends_its_cpu(own_session):
    own_session(num_cpus=1)
    actor = Nested.remote(1)
    assert sabir.get([actor.add.remote(i) for i in range(5)], timeout=60) == [1, 2, 4, 7, 11]


def test_actors_in_tasks_in_actors_on_one_cpu(own_session):
    own_session(num_cpus=1)

    @sabir.remote
    def through_an_actor(depth):
        if depth == 0:
            return 1
        return sabir.get(Link.remote().call.remote(depth - 1), timeout=60) + 1

    @sabir.remote(num_cpus=1)
    class Link:
        def call(self, depth):
            return sabir.get(through_an_actor.remote(depth), timeout=60)

    assert sabir.get(through_an_actor.remote(3), timeout=60) == 4


def test_wide_and_deep_with_several_gets_in_a_row(own_session):
    own_session(num_cpus=2)

    @sabir.remote
    def tree(depth):
        if depth == 0:
            return 1
        children = [tree.remote(depth - 1) for _ in range(3)]
        return sum(sabir.get(child, timeout=120) for child in children)

    assert sabir.get([tree.remote(3) for _ in range(2)], timeout=120) == [27, 27]


def test_a_recursion_deeper_than_the_limit_of_processes_is_an_error(own_session):
    own_session(num_cpus=2)

    @sabir.remote(max_retries=0)
    def chain(depth):
        return 0 if depth == 0 else 1 + sabir.get(chain.remote(depth - 1))

    with pytest.raises(sabir.exceptions.SabirError, match="nested too deeply"):
        sabir.get(chain.remote(280), timeout=120)
    assert sabir.get(chain.remote(5), timeout=60) == 5


def test_a_blocked_get_lends_its_cpu_for_as_long_as_it_lasts(own_session):
    """Though it looks for signals in between: what it lent stays lent."""
    own_session(num_cpus=1)

    @sabir.remote
    def child():
        time.sleep(0.6)
        return os.getpid()

    @sabir.remote
    def parent():
        return sabir.get(child.remote()), os.getpid()

    ref = parent.remote()
    blocked = []
    while not sabir.wait([ref], timeout=0.01)[0]:
        states = [worker["state"] for worker in status()["nodes"][0]["workers"]]
        if "blocked" in states or blocked:
            blocked.append("blocked" in states)
    child_pid, parent_pid = sabir.get(ref)
    assert child_pid != parent_pid
    # From the first time it was seen so, until the child ended.
    assert len(blocked) > 5
    assert all(blocked[:-2])


def test_a_call_that_waits_long_finds_what_its_reference_became(own_session):
    """The result is an object of the store when the call that names it begins, and its caller has taken note of it."""
    own_session(num_cpus=1)

    @sabir.remote
    def sleep(seconds):
        time.sleep(seconds)

    @sabir.remote
    def large():
        time.sleep(0.2)
        return bytes(1 << 20)

    @sabir.remote
    def size(refs):
        return len(sabir.get(refs[0], timeout=30))

    result = large.remote()
    between = sleep.remote(0.5)
    sizes = [size.remote([result]) for _ in range(3)]
    sabir.get(between, timeout=30)
    time.sleep(0.1)
    assert sabir.get(sizes, timeout=30) == [1 << 20] * 3
    assert len(sabir.get(result)) == 1 << 20
    del result, sizes
    eventually(lambda: status()["nodes"][0]["store"]["objects"] == 0, "objects are left")
