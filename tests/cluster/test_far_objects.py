"""Large objects between several nodes: one that many want, stores that have room for few, nodes that go meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from nodes import get, settled, status, wait_until

import sabir
from sabir.cluster_utils import Cluster
from sabir.exceptions import SabirError

NODES = 4
MIB = 1 << 20


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head without CPUs, where this program is, and four nodes that tasks can name by their resource."""
    with Cluster(head_node_args={"num_cpus": 0, "object_store_memory": 320 * MIB}) as nodes:
        for index in range(NODES):
            nodes.add_node(num_cpus=2, resources={f"n{index}": 1}, object_store_memory=192 * MIB)
        nodes.connect(log_to_driver=False)
        yield nodes


def on(index: int, function, amount=0.01):
    return sabir.remote(num_cpus=0, resources={f"n{index}": amount})(function)


def checksum(array: np.ndarray) -> int:
    return int(array.view(np.uint64)[:: 4096 // 8].sum())


def numbers(mebibytes: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**40, mebibytes * MIB // 8, dtype=np.int64)


def room_taken(session: str) -> int:
    """Also by what is still coming."""
    return status(session)["nodes"][0]["store"]["loans_bytes"]


def objects_gone(cluster: Cluster) -> bool:
    return all(settled(node.session) for node in cluster.nodes)


def test_one_that_many_want_at_once(cluster):
    array = numbers(64, 1)
    ref = sabir.put(array)
    assert get([on(index, checksum).remote(ref) for index in range(NODES)]) == [checksum(array)] * NODES
    # It is there already, wherever it came from.
    assert get([on(index, checksum).remote(ref) for index in range(NODES)]) == [checksum(array)] * NODES

    # One of the nodes passes it on.
    def passed_on(refs):
        return sabir.get(on(1, checksum).remote(refs[0]))

    assert get(on(0, passed_on).remote([ref])) == checksum(array)
    del ref
    wait_until(lambda: objects_gone(cluster), lambda: [status(node.session)["counters"] for node in cluster.nodes])


def test_many_of_them_in_stores_that_have_room_for_few(cluster):
    """Each call wants two of 24 MiB, four at a time on each node, which sees all eight: not all fit in a store of 192."""

    def both(first, second):
        time.sleep(0.05)
        return checksum(first) + checksum(second)

    arrays = [numbers(24, seed) for seed in range(8)]
    sums = [checksum(array) for array in arrays]
    refs = [sabir.put(array) for array in arrays]
    pairs = [(a, b) for a in range(8) for b in range(8) if a != b][: 8 * NODES]
    # The start of a Python with numpy is not what is to be waited for.
    get([on(index, checksum).remote(numbers(1, 0)) for index in range(NODES)])
    calls = [on(index % NODES, both, 0.25).remote(refs[a], refs[b]) for index, (a, b) in enumerate(pairs)]
    assert sabir.get(calls, timeout=240) == [sums[a] + sums[b] for a, b in pairs]
    del refs, calls
    wait_until(lambda: objects_gone(cluster), lambda: [status(node.session)["counters"] for node in cluster.nodes])


def test_large_results_of_many_nodes(cluster):
    def make(seed):
        return numbers(16, seed)

    for seed, ref in [(seed, on(seed % NODES, make).remote(seed)) for seed in range(12)]:
        assert (get(ref) == numbers(16, seed)).all()
    del ref
    wait_until(lambda: objects_gone(cluster), lambda: [status(node.session)["counters"] for node in cluster.nodes])


def test_a_node_that_goes_while_it_passes_one_on(cluster):
    """Whoever got it from there gets the rest from others."""
    array = numbers(128, 7)
    for round_ in range(2):
        # A name of its own: the one that was killed in the round before may not be given up yet.
        goes = f"goes{round_}"
        node = cluster.add_node(num_cpus=2, resources={goes: 1}, object_store_memory=192 * MIB)
        ref = sabir.put(array)
        there = sabir.remote(num_cpus=0, resources={goes: 0.01}, max_retries=0)(checksum)
        get(there.remote(numbers(1, 0)))
        lost = there.remote(ref)
        # A call that is still queued when the node goes would wait for another one like it.
        wait_until(lambda session=node.session: room_taken(session) >= array.nbytes, "it does not come")
        calls = [on(index, checksum).remote(ref) for index in range(NODES)]
        time.sleep(0.03 * round_)
        cluster.remove_node(node, allow_graceful=False)
        assert get(calls) == [checksum(array)] * NODES
        try:
            assert get(lost) == checksum(array)
        except SabirError:
            pass  # its node died
        del ref, calls, lost
        wait_until(lambda: objects_gone(cluster), lambda: [status(node.session)["counters"] for node in cluster.nodes])
