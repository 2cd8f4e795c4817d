"""Results that stay on the node where they were made, and what becomes of them when that node goes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import leaks
import numpy as np
import pytest
from nodes import get, settled, status, wait_until

import sabir
from sabir import _sabir
from sabir.cluster_utils import Cluster
from sabir.exceptions import ObjectLostError, SabirError

MIB = 1 << 20
SIZE = 4 * MIB


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head without CPUs, where this program is, and two nodes that can run the same tasks."""
    with Cluster(head_node_args={"num_cpus": 0, "object_store_memory": 256 * MIB}) as nodes:
        for _ in range(2):
            nodes.add_node(num_cpus=2, resources={"far": 4}, object_store_memory=256 * MIB)
        nodes.connect(log_to_driver=False)
        yield nodes


def far(function: Any, **options: Any) -> Any:
    return sabir.remote(num_cpus=0, resources={"far": 1}, **options)(function)


@far
def make(seed: int, mebibytes: int = 4) -> np.ndarray:
    return np.full(mebibytes * MIB // 8, seed, dtype=np.int64)


@far
def add(array: np.ndarray, more: int) -> np.ndarray:
    return array + more


def store_bytes(session: str) -> int:
    used: int = status(session)["nodes"][0]["store"]["used_bytes"]
    return used


def holder_of(cluster: Cluster, size_bytes: int = SIZE) -> Any:
    """The node that has the only object of that size."""
    (node,) = [node for node in cluster.nodes[1:] if store_bytes(node.session) >= size_bytes]
    return node


def all_gone(cluster: Cluster) -> None:
    wait_until(
        lambda: all(settled(node.session) for node in cluster.nodes),
        lambda: [status(node.session)["counters"] for node in cluster.nodes],
    )


def computed(*refs: Any) -> None:
    _, pending = sabir.wait(list(refs), num_returns=len(refs), timeout=60)
    assert not pending


def test_a_result_stays_until_it_is_wanted(cluster):
    ref = make.remote(7)
    computed(ref)
    assert store_bytes(cluster.nodes[0].session) == 0
    holder = holder_of(cluster)
    assert (get(ref) == 7).all()
    assert store_bytes(cluster.nodes[0].session) >= SIZE
    wait_until(lambda: store_bytes(holder.session) == 0, "it was released where it was made")
    del ref
    all_gone(cluster)


def test_a_result_that_nobody_wants_is_freed_where_it_is(cluster):
    ref = make.remote(1)
    computed(ref)
    del ref
    all_gone(cluster)


def test_a_result_that_is_passed_back_does_not_travel(cluster):
    """A chain on one node: this one sees none of its values, and only the last one is left."""

    def where(array: np.ndarray) -> str:
        return os.environ["SABIR_SESSION"] + str(int(array[0]))

    ref = make.remote(0)
    for _ in range(10):
        ref = add.remote(ref, 1)
    computed(ref)
    # Those before the last one are needed by nobody, but to be made again.
    wait_until(lambda: sum(store_bytes(node.session) for node in cluster.nodes) < 2 * SIZE, "they go")
    assert int(get(ref)[0]) == 10
    assert get(far(where).remote(ref)).endswith("10")
    del ref
    all_gone(cluster)


def test_several_results_of_one_call(cluster):
    @far
    def several(seed: int) -> Any:
        return seed, np.full(SIZE // 8, seed), np.full(SIZE // 8, seed + 1)

    small, first, second = several.options(num_returns=3).remote(5)
    assert get(small) == 5
    computed(first, second)
    del first
    assert (get(second) == 6).all()
    del small, second
    all_gone(cluster)


def test_wanted_by_workers_and_by_values(cluster):
    """As an argument of a task here, inside a list, and by who waits before it is there."""
    cluster.add_node(num_cpus=2, resources={"third": 4}, object_store_memory=256 * MIB)

    @sabir.remote(num_cpus=0, resources={"third": 1})
    def total(array: np.ndarray, refs: list[Any]) -> int:
        return int(array[0]) + sum(int(sabir.get(ref)[0]) for ref in refs)

    refs = [make.remote(seed) for seed in range(1, 4)]
    assert get(total.remote(refs[0], refs[1:])) == 6
    assert get(total.remote(refs[2], refs)) == 9
    future = make.remote(9).future()
    assert (future.result(60) == 9).all()
    del refs, future
    all_gone(cluster)


def test_a_lost_result_is_made_again(cluster):
    ref = make.remote(3)
    computed(ref)
    cluster.remove_node(holder_of(cluster), allow_graceful=False)
    assert (get(ref) == 3).all()
    del ref
    all_gone(cluster)


def test_a_chain_is_made_again_from_its_beginning(cluster):
    ref = make.remote(0)
    for _ in range(5):
        ref = add.remote(ref, 1)
    computed(ref)
    time.sleep(0.5)  # the intermediate ones go
    for node in list(cluster.nodes[1:]):
        cluster.remove_node(node, allow_graceful=False)
    cluster.add_node(num_cpus=2, resources={"far": 4}, object_store_memory=256 * MIB)
    assert int(get(ref)[0]) == 5
    del ref
    all_gone(cluster)


def test_who_waits_for_it_goes_on_waiting(cluster):
    """A call that has it as an argument, and one that has it inside a list, get what is made again."""

    @far
    def slow(array: np.ndarray, refs: list[Any]) -> int:
        time.sleep(0.5)
        return int(array[0]) + int(sabir.get(refs[0])[0])

    ref = make.remote(4)
    computed(ref)
    call = slow.remote(ref, [ref])
    time.sleep(0.2)
    cluster.remove_node(holder_of(cluster), allow_graceful=False)
    assert get(call) == 8
    assert int(get(ref)[0]) == 4
    del ref, call
    all_gone(cluster)


def lost(cluster: Cluster, ref: Any) -> str:
    computed(ref)
    for node in list(cluster.nodes[1:]):
        cluster.remove_node(node, allow_graceful=False)
    cluster.add_node(num_cpus=2, resources={"far": 4}, object_store_memory=256 * MIB)
    with pytest.raises(SabirError) as caught:
        get(ref)
    assert isinstance(caught.value, ObjectLostError), repr(caught.value)
    return str(caught.value)


def test_without_retries_it_is_lost(cluster):
    assert "no retries left" in lost(cluster, make.options(max_retries=0).remote(1))
    all_gone(cluster)


def test_what_an_actor_made_comes_at_once(cluster):
    """It may end at any time, and nobody could make its results again."""

    @far
    class Maker:
        def make(self) -> np.ndarray:
            return np.full(SIZE // 8, 11)

    maker = Maker.remote()
    ref = maker.make.remote()
    computed(ref)
    del maker
    for node in list(cluster.nodes[1:]):
        cluster.remove_node(node, allow_graceful=False)
    assert (get(ref) == 11).all()
    del ref
    all_gone(cluster)


def test_lost_twice_and_named_by_others_before_it_was_there(cluster):
    """A reference that was passed on while it was pending: the other one follows what becomes of it."""

    @sabir.remote(num_cpus=0)
    class Keeper:
        def keep(self, refs: list[Any]) -> None:
            self.ref = refs[0]

        def first(self) -> int:
            return int(sabir.get(self.ref)[0])

    def slowly(seed: int) -> np.ndarray:
        time.sleep(0.5)
        return np.full(SIZE // 8, seed)

    keeper = Keeper.remote()
    ref = far(slowly).remote(12)
    get(keeper.keep.remote([ref]))
    for _ in range(2):
        computed(ref)
        cluster.remove_node(holder_of(cluster), allow_graceful=False)
        cluster.add_node(num_cpus=2, resources={"far": 4}, object_store_memory=256 * MIB)
    assert get(keeper.first.remote()) == 12
    assert (get(ref) == 12).all()
    del ref, keeper
    all_gone(cluster)


def test_made_again_with_an_error(cluster):
    """... by a call that then fails: who waits hears of it, and so does who asks later."""
    flag = os.path.join(cluster.nodes[0].session, "..", f"flag-{os.getpid()}-{time.monotonic_ns()}")

    def once(path: str) -> np.ndarray:
        if os.path.exists(path):
            raise ValueError("a second time")
        open(path, "w").close()
        return np.zeros(SIZE // 8)

    ref = far(once).remote(flag)
    later = add.remote(ref, 1)
    computed(ref, later)
    del later
    for node in list(cluster.nodes[1:]):
        cluster.remove_node(node, allow_graceful=False)
    cluster.add_node(num_cpus=2, resources={"far": 4}, object_store_memory=256 * MIB)
    with pytest.raises(ValueError, match="a second time"):
        get(ref)
    with pytest.raises(ValueError, match="a second time"):
        get(add.remote(ref, 1))
    del ref
    all_gone(cluster)


def test_lost_before_anybody_looked(cluster):
    """The program computes, and takes in no results, when the node goes."""
    ref = make.remote(13)
    wait_until(lambda: any(store_bytes(node.session) >= SIZE for node in cluster.nodes[1:]), "it is made")
    time.sleep(0.3)
    cluster.remove_node(holder_of(cluster), allow_graceful=False)
    time.sleep(1)
    assert (get(ref) == 13).all()
    del ref
    all_gone(cluster)


def test_a_worker_that_waits_gives_up_what_its_argument_needs(cluster):
    """All of a resource is taken by a task whose argument is lost: it goes back until that is made again."""
    for node in list(cluster.nodes[1:]):
        cluster.remove_node(node, allow_graceful=False)
    node = cluster.add_node(num_cpus=2, resources={"one": 1}, object_store_memory=256 * MIB)
    made = sabir.remote(num_cpus=0, resources={"one": 1})(np.full).remote(SIZE // 8, 14)
    computed(made)
    cluster.remove_node(node, allow_graceful=False)
    first = sabir.remote(num_cpus=0, resources={"one": 1})(lambda array: int(array[0])).remote(made)
    cluster.add_node(num_cpus=2, resources={"one": 1}, object_store_memory=256 * MIB)
    assert get(first) == 14
    del made, first
    all_gone(cluster)


def test_an_argument_that_was_put_is_kept_for_it(cluster):
    ref = add.remote(sabir.put(np.full(SIZE // 8, 20)), 2)  # its only handle goes here
    computed(ref)
    cluster.remove_node(holder_of(cluster), allow_graceful=False)
    assert (get(ref) == 22).all()
    del ref
    all_gone(cluster)


def test_what_was_fetched_is_not_lost(cluster):
    ref = make.remote(8)
    assert (get(ref) == 8).all()
    for node in list(cluster.nodes[1:]):
        cluster.remove_node(node, allow_graceful=False)
    assert (get(ref) == 8).all()
    del ref
    all_gone(cluster)


def test_a_node_that_is_drained_gives_what_it_has(cluster):
    """Also what nobody could make again."""

    @far
    class Maker:
        def make(self) -> np.ndarray:
            return np.full(SIZE // 8, 6)

    maker = Maker.remote()
    refs = [make.remote(1), maker.make.remote()]
    computed(*refs)
    del maker
    node = max(cluster.nodes[1:], key=lambda node: store_bytes(node.session))
    ends = leaks.descendants(node.pid)
    _sabir.node_drain(cluster.head.session, node.node_id, -1, 10.0)
    leaks.assert_ended(ends, "processes of a node that was drained")
    assert [int(array[0]) for array in get(refs)] == [1, 6]
    del refs
