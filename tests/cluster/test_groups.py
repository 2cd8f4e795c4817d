"""Placement groups on several nodes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from nodes import get, status, wait_until

import sabir
from sabir.cluster_utils import Cluster
from sabir.exceptions import ActorDiedError, TaskPlacementGroupRemoved
from sabir.util import (
    get_current_placement_group,
    get_placement_group,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from sabir.util.scheduling_strategies import PlacementGroupSchedulingStrategy


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(head_node_args={"num_cpus": 2, "labels": {"zone": "eu"}}) as nodes:
        nodes.add_node(num_cpus=2, labels={"zone": "us"})
        nodes.add_node(num_cpus=2, labels={"zone": "asia"})
        nodes.connect(log_to_driver=False)
        yield nodes


@pytest.fixture(autouse=True)
def nothing_left(request) -> Iterator[None]:
    yield
    if "cluster" not in request.fixturenames:
        return
    cluster = request.getfixturevalue("cluster")
    for row in placement_group_table().values():
        remove_placement_group(sabir.util.PlacementGroup(row["placement_group_id"]))

    def is_empty() -> bool:
        for node in cluster.nodes:
            own = status(node.session)["nodes"][0]
            if own["bundles"] or own["resources_available"].get("CPU") != 2:
                return False
        return True

    wait_until(is_empty, lambda: [status(node.session)["nodes"][0] for node in cluster.nodes])
    wait_until(lambda: free_by_head(cluster) == [2, 2, 2], lambda: free_by_head(cluster))
    time.sleep(0.2)


def free_by_head(cluster: Cluster) -> list[float]:
    nodes = {node["node_id"]: node for node in status(cluster.head.session)["nodes"]}
    return [nodes[node.node_id]["resources_available"].get("CPU", 0.0) for node in cluster.nodes]


def strategy(group, index=-1, capture=False):
    return PlacementGroupSchedulingStrategy(group, index, capture)


def node_of(group, index) -> str:
    return placement_group_table(group)["bundles_to_node_id"][index]


def nodes_of(group) -> list[str]:
    return list(placement_group_table(group)["bundles_to_node_id"].values())


def group_id() -> str | None:
    group = get_current_placement_group()
    return None if group is None else group.id


@sabir.remote
def where(seconds: float = 0.0) -> tuple[str, str | None]:
    time.sleep(seconds)
    return sabir.get_runtime_context().get_node_id(), group_id()


@sabir.remote(num_cpus=1)
class Worker:
    def where(self) -> tuple[str, str | None]:
        return sabir.get_runtime_context().get_node_id(), group_id()

    def child(self) -> tuple[str, str | None]:
        return sabir.get(where.options(num_cpus=0).remote())

    def pid(self) -> int:
        return os.getpid()


@pytest.mark.parametrize(
    ("kind", "bundles", "nodes"),
    [("PACK", 2, {1}), ("SPREAD", 3, {3}), ("STRICT_PACK", 2, {1}), ("STRICT_SPREAD", 3, {3})],
)
def test_each_strategy(cluster, kind, bundles, nodes):
    group = placement_group([{"CPU": 1}] * bundles, strategy=kind)
    assert group.wait(30), placement_group_table(group)
    assert len(set(nodes_of(group))) in nodes
    for index in range(bundles):
        ran = get(where.options(scheduling_strategy=strategy(group, index)).remote())
        assert ran == (node_of(group, index), group.id)


def test_strict_ones_wait_for_nodes_that_are_not_there(cluster):
    group = placement_group([{"CPU": 1}] * 4, strategy="STRICT_SPREAD")
    assert not group.wait(0.5)
    row = placement_group_table(group)
    assert row["infeasible"] and row["reason"], row
    far = cluster.nodes[1].session
    wait_until(lambda: any(one["reason"] for one in status(far)["placement_groups"]), lambda: status(far))


def test_labels_of_bundles(cluster):
    labels = [{"zone": "asia"}, {"zone": "!asia"}]
    group = placement_group([{"CPU": 1}, {"CPU": 1}], bundle_label_selector=labels)
    assert group.wait(30)
    assert node_of(group, 0) == cluster.nodes[2].node_id != node_of(group, 1)


def test_calls_of_any_bundle_use_all_of_them(cluster):
    group = placement_group([{"CPU": 1}] * 3, strategy="STRICT_SPREAD")
    get([where.options(scheduling_strategy=strategy(group, index)).remote() for index in range(3)])  # workers are there
    ran = get([where.options(scheduling_strategy=strategy(group)).remote(0.5) for _ in range(24)])
    assert {group_of for _, group_of in ran} == {group.id}
    counts = Counter(node for node, _ in ran)
    assert set(counts) == {node.node_id for node in cluster.nodes}, counts


def test_from_any_node_of_the_cluster(cluster):
    group = placement_group([{"CPU": 0.6}] * 3, strategy="STRICT_SPREAD", name="ours")

    @sabir.remote(num_cpus=0)
    def ask(given):
        assert get_placement_group("ours") == given
        refs = [where.options(num_cpus=0.5, scheduling_strategy=strategy(given, i)).remote() for i in range(3)]
        actor = Worker.options(num_cpus=0.1, scheduling_strategy=strategy(given, 2)).remote()
        inner = placement_group([{"CPU": 0.1}])
        ready = sabir.get(inner.ready(), timeout=30) == inner
        return [node for node, _ in sabir.get(refs)], sabir.get(actor.where.remote()), ready, sabir.get(given.ready())

    for index in range(3):
        nodes, actor, ready, same = get(ask.options(scheduling_strategy=strategy(group, index)).remote(group))
        assert (nodes, actor, ready, same) == (nodes_of(group), (node_of(group, 2), group.id), True, group)


def test_actors_live_in_their_bundles_and_restart_there(cluster):
    group = placement_group([{"CPU": 1}] * 3, strategy="STRICT_SPREAD")
    actors = [
        Worker.options(max_restarts=1, max_task_retries=3, scheduling_strategy=strategy(group, i)).remote()
        for i in range(3)
    ]
    expected = [(node_of(group, i), group.id) for i in range(3)]
    assert get([actor.where.remote() for actor in actors]) == expected
    for pid in get([actor.pid.remote() for actor in actors]):
        os.kill(pid, 9)
    assert get([actor.where.remote() for actor in actors]) == expected


def test_children_of_another_node_are_captured_there(cluster):
    group = placement_group([{"CPU": 1}] * 2, strategy="STRICT_SPREAD")
    actors = [Worker.options(scheduling_strategy=strategy(group, i, True)).remote() for i in range(2)]
    ran = get([actor.child.remote() for actor in actors])
    assert {group_of for _, group_of in ran} == {group.id}
    assert {node for node, _ in ran} <= set(nodes_of(group))


def test_removal_ends_what_runs_on_all_nodes(cluster):
    group = placement_group([{"CPU": 1}] * 3, strategy="STRICT_SPREAD")
    calls = [where.options(scheduling_strategy=strategy(group, i)).remote(600) for i in range(2)]
    queued = [where.options(scheduling_strategy=strategy(group, i)).remote(600) for i in range(2)]
    actor = Worker.options(max_restarts=-1, scheduling_strategy=strategy(group, 2)).remote()
    get(actor.where.remote())

    def running() -> int:
        nodes = [status(node.session)["nodes"][0] for node in cluster.nodes]
        return sum(worker["running"] == "where" for node in nodes for worker in node["workers"])

    wait_until(lambda: running() == 2, running)
    remove_placement_group(group)
    for ref in calls + queued:
        with pytest.raises(TaskPlacementGroupRemoved):
            get(ref)
    with pytest.raises(ActorDiedError):
        get(actor.where.remote())
    with pytest.raises(TaskPlacementGroupRemoved):
        get(where.options(scheduling_strategy=strategy(group, 0)).remote())
    with pytest.raises(TaskPlacementGroupRemoved):
        get(group.ready())


def test_many_groups_in_a_loop_leave_nothing(cluster):
    for _ in range(20):
        groups = [placement_group([{"CPU": 0.01}] * 3, strategy="SPREAD") for _ in range(10)]
        get([group.ready() for group in groups[:5]])
        for group in groups:
            remove_placement_group(group)
    assert placement_group_table() == {}


DRIVER = """
import sys
import sabir
from sabir.util import placement_group
sabir.init(address=sys.argv[1], namespace="n")
assert placement_group([{"CPU": 1}], name="short").wait(30)
assert placement_group([{"CPU": 1}], name="long", lifetime="detached").wait(30)
"""


def test_groups_end_with_their_job_but_for_detached_ones(cluster):
    subprocess.run([sys.executable, "-c", DRIVER, cluster.nodes[1].session], check=True, timeout=60)
    wait_until(
        lambda: [row["name"] for row in placement_group_table().values()] == ["long"], lambda: placement_group_table()
    )
