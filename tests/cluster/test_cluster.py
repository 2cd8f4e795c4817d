"""Calls, values and errors between nodes: several daemons on this machine, joined over TLS on loopback."""

from __future__ import annotations

import collections
import os
import time
from collections.abc import Iterator

import numpy as np
import pytest
from nodes import far, get, here, settled, status, wait_until

import sabir
from sabir.cluster_utils import Cluster, Node
from sabir.exceptions import SabirError, WorkerCrashedError


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Cluster, Node]]:
    """A head with one CPU, and a node with two; this program is on the head."""
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=2, resources={"far": 4})
        cluster.connect(log_to_driver=False)
        yield cluster, node


def test_calls_run_where_there_is_room(pair):
    _, node = pair

    @sabir.remote
    def where(index):
        time.sleep(0.4)
        return here(), index

    results = get([where.remote(index) for index in range(9)])
    assert sorted(index for _, index in results) == list(range(9))
    counts = collections.Counter(session for session, _ in results)
    assert set(counts) == {pair[0].head.session, node.session}


def test_values_of_all_sizes_go_there_and_back(pair):
    _, node = pair

    @far
    def echo(value, *, name="none"):
        return here(), value, name

    for value in (
        None,
        0,
        2**100,
        "text",
        b"\0" * 1000,
        [1, {"a": (2.5, None)}],
        {1, 2},
        b"x" * 100_000,
        "y" * 3_000_000,
    ):
        assert get(echo.remote(value, name="given")) == (node.session, value, "given")
    matrix = np.arange(6_000_000, dtype=np.float32).reshape(2000, 3000)
    session, back, _ = get(echo.remote(matrix))
    assert session == node.session and np.array_equal(back, matrix)


def test_one_object_as_argument_of_many_calls(pair):
    ref = sabir.put(np.ones(4_000_000))

    @far
    def total(array, factor):
        return float(array.sum()) * factor

    assert get([total.remote(ref, factor) for factor in range(40)]) == [4e6 * factor for factor in range(40)]


def test_references_and_promises_inside_values(pair):
    @sabir.remote
    def slow(value):
        time.sleep(0.5)
        return value

    @far
    def follow(box):
        return [sabir.get(ref) for ref in box["refs"]]

    @far
    def submit(value):
        return [slow.remote(value), sabir.put(np.full(100_000, value))]

    ready = sabir.put("ready")
    large = sabir.put(np.zeros(200_000))
    got = get(follow.remote({"refs": [slow.remote(3), ready, large]}))
    assert got[:2] == [3, "ready"] and got[2].shape == (200_000,)
    pending, stored = get(submit.remote(7))
    assert get(pending) == 7 and get(stored).sum() == 700_000


def test_promises_outlive_the_call_that_brought_them(pair):
    """Longer than a node keeps the link for a class of calls that has nothing to do."""

    @sabir.remote(num_cpus=0)
    def slow(value):
        time.sleep(2)
        return value

    @far
    def submit(value):
        return [slow.remote(value)]

    @far
    def follow(box):
        @sabir.remote(num_cpus=0)
        def later(box):
            return sabir.get(box["ref"]) + 1

        return [later.remote(box)]

    (pending,) = get(submit.remote(7))
    assert get(pending) == 7
    (pending,) = get(follow.remote({"ref": slow.remote(8)}))
    assert get(pending) == 9


def test_a_promise_that_comes_by_two_ways_is_kept_on_both(pair):
    @sabir.remote(num_cpus=0)
    def slow():
        time.sleep(1)
        return 5

    @far
    def submit():
        return [slow.remote()]

    @sabir.remote(num_cpus=0, resources={"far": 0.5})  # another class of calls, another way
    def pass_on(box):
        return [box["ref"]]

    (pending,) = get(submit.remote())
    (again,) = get(pass_on.remote({"ref": pending}))
    assert get([pending, again]) == [5, 5]


def test_what_is_too_large_for_a_message_fails_alone(pair):
    @far
    def count(box):
        return len(box["refs"])

    @far
    def many():
        return [sabir.put(b"x" * 4000) for _ in range(9000)]

    box = {"refs": [sabir.put(b"x" * 4000) for _ in range(9000)]}
    before = count.remote({"refs": box["refs"][:1000]})
    with pytest.raises(SabirError, match="does not travel to another node"):
        get(count.remote(box))
    with pytest.raises(SabirError, match="does not travel to another node"):
        get(many.remote())
    assert get([before, count.remote({"refs": box["refs"][:10]})]) == [1000, 10], "the others are not disturbed"


def test_several_and_no_results(pair):
    @far
    def three():
        return 1, "two", np.ones(100_000)

    one, two, large = three.options(num_returns=3).remote()
    assert get(one) == 1 and get(two) == "two" and get(large).sum() == 100_000


def test_errors_come_back_as_they_were_raised(pair):
    class OwnError(Exception):
        pass

    @far
    def fail(kind):
        raise {"own": OwnError, "value": ValueError}[kind]("from far away")

    with pytest.raises(ValueError, match="from far away"):
        get(fail.remote("value"))
    with pytest.raises(OwnError, match="from far away"):
        get(fail.remote("own"))


def test_a_worker_that_dies_there_is_an_attempt(pair):
    @far
    def die(until):
        if sabir.get_runtime_context().get_attempt() < until:
            os._exit(9)
        return sabir.get_runtime_context().get_attempt()

    assert get(die.options(max_retries=3).remote(2)) == 2
    with pytest.raises(WorkerCrashedError, match="exited with status 9"):
        get(die.options(max_retries=1).remote(5))


def test_errors_are_retried_from_here(pair):
    @far
    def flaky():
        attempt = sabir.get_runtime_context().get_attempt()
        if attempt < 2:
            raise OSError(f"attempt {attempt}")
        return attempt

    assert get(flaky.options(retry_exceptions=True).remote()) == 2


def test_tasks_call_tasks_on_both_nodes(pair):
    @sabir.remote
    def fibonacci(n):
        if n < 2:
            return n
        return sum(sabir.get([fibonacci.remote(n - 1), fibonacci.remote(n - 2)]))

    @far
    def start(n):
        return sabir.get(fibonacci.remote(n))

    assert get([fibonacci.remote(7), start.remote(8)]) == [13, 21]


def test_many_small_calls(pair):
    @far
    def double(value):
        return 2 * value

    assert get([double.remote(value) for value in range(20_000)]) == [2 * value for value in range(20_000)]


def test_what_no_node_has_is_said(pair, capfd):
    ready, waiting = sabir.wait([sabir.remote(resources={"nowhere": 1})(here).remote()], num_returns=1, timeout=0.5)
    assert not ready and waiting


def test_nothing_is_left_behind(pair):
    cluster, node = pair
    sabir.shutdown()
    wait_until(lambda: settled(node.session) and settled(cluster.head.session), lambda: status(node.session))
