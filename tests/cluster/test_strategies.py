"""Where tasks run: spread, one node, labels; and what people hear of calls that wait."""

from __future__ import annotations

import collections
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from nodes import TIMEOUT_S, get, status, wait_until

import sabir
from sabir.cluster_utils import Cluster
from sabir.exceptions import ActorDiedError, InvalidArgumentError, TaskUnschedulableError
from sabir.util.scheduling_strategies import (
    DoesNotExist,
    Exists,
    In,
    NodeAffinitySchedulingStrategy,
    NodeLabelSchedulingStrategy,
    NotIn,
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(head_node_args={"num_cpus": 2, "labels": {"zone": "eu", "disk": "ssd"}}) as nodes:
        nodes.add_node(num_cpus=2, labels={"zone": "us"}, name="second")
        nodes.add_node(num_cpus=2, labels={"zone": "asia"})
        nodes.connect(log_to_driver=False)
        yield nodes


@sabir.remote
def where(seconds: float = 0.0) -> str:
    time.sleep(seconds)
    return sabir.get_runtime_context().get_node_id()


def at(node_id: str, soft: bool = False):
    return where.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft))


def free_cpus(cluster: Cluster, node_id: str) -> float:
    """As the head knows it, which decides by that."""
    nodes = {node["node_id"]: node for node in status(cluster.head.session)["nodes"]}
    return nodes[node_id]["resources_available"].get("CPU", 0.0)


def wait_for_rest(cluster: Cluster) -> None:
    """Until what ran before takes no room any more, by what the head knows and has decided."""
    wait_until(lambda: all(free_cpus(cluster, node.node_id) == 2 for node in cluster.nodes), "nothing runs")
    time.sleep(0.2)


def labelled(*fallbacks: dict[str, str], **labels: str):
    others = [{"label_selector": one} for one in fallbacks]
    return where.options(label_selector=labels, fallback_strategy=others or None)


def test_nodes_say_who_they_are(cluster):
    found = {node["NodeID"]: node for node in sabir.nodes()}
    assert set(found) == {node.node_id for node in cluster.nodes}
    second = found[cluster.nodes[1].node_id]
    assert second["Alive"] and second["NodeName"] == "second" and second["Resources"]["CPU"] == 2
    assert f"{second['NodeManagerAddress']}:{second['NodeManagerPort']}" == cluster.nodes[1].address
    for node_id, node in found.items():
        assert node["Labels"]["sabir.io/node-id"] == node_id
        assert node["Labels"]["sabir.io/node-name"] == node["NodeName"]
    assert [found[node.node_id]["Labels"]["zone"] for node in cluster.nodes] == ["eu", "us", "asia"]


@pytest.mark.parametrize("seconds", [0.01, 0.1])
def test_spread_uses_all_nodes(cluster, seconds):
    spread = where.options(scheduling_strategy="SPREAD")
    used = collections.Counter(get([spread.remote(seconds) for _ in range(60)]))
    assert set(used) == {node.node_id for node in cluster.nodes}, used


def test_spread_gives_each_node_as_many_as_it_has_room_for(cluster):
    spread = where.options(scheduling_strategy="SPREAD")
    wait_for_rest(cluster)
    used = collections.Counter(get([spread.remote(1.0) for _ in range(6)]))
    assert set(used.values()) == {2}, used


def test_affinity_to_each_node(cluster):
    for node in cluster.nodes:
        assert set(get([at(node.node_id).remote() for _ in range(8)])) == {node.node_id}


def test_affinity_waits_for_its_node(cluster):
    far = cluster.nodes[1].node_id
    filling = [at(far).remote(1.0) for _ in range(2)]
    assert set(get([at(far).remote() for _ in range(4)])) == {far}
    get(filling)


def test_hard_affinity_to_a_node_that_there_is_not(cluster):
    with pytest.raises(TaskUnschedulableError, match="node abababab is not in the cluster"):
        get(at("ab" * 16).remote())


def test_hard_affinity_to_a_node_that_can_never_run_it(cluster):
    for node in cluster.nodes:
        with pytest.raises(TaskUnschedulableError, match=r"needs 3 CPU.* has 2"):
            get(at(node.node_id).options(num_cpus=3).remote())


def test_soft_affinity(cluster):
    far = cluster.nodes[2].node_id
    assert get(at(far, soft=True).remote()) == far
    assert get(at("ab" * 16, soft=True).remote()) in {node.node_id for node in cluster.nodes}


@pytest.mark.parametrize(
    ("zone", "allowed"),
    [
        ("us", [1]),
        ("!eu", [1, 2]),
        ("in(us, asia)", [1, 2]),
        ("!in(us, asia)", [0]),
        ("exists()", [0, 1, 2]),
    ],
)
def test_labels(cluster, zone, allowed):
    used = set(get([labelled(zone=zone).remote(0.02) for _ in range(12)]))
    assert used <= {cluster.nodes[i].node_id for i in allowed}


def test_labels_are_all_met(cluster):
    assert get(labelled(zone="in(eu, us)", disk="ssd").remote()) == cluster.head.node_id
    assert get(labelled(zone="in(eu, us)", disk="!exists()").remote()) == cluster.nodes[1].node_id
    assert get(where.options(label_selector={"sabir.io/node-name": "second"}).remote()) == cluster.nodes[1].node_id


def test_a_fallback_is_for_when_the_wanted_nodes_have_no_room(cluster):
    second, third = cluster.nodes[1].node_id, cluster.nodes[2].node_id
    wait_for_rest(cluster)
    assert get(labelled({"zone": "asia"}, zone="us").remote()) == second
    filling = [at(second).remote(2.0) for _ in range(2)]
    wait_until(lambda: free_cpus(cluster, second) == 0, "the second node is full")
    assert get(labelled({"zone": "asia"}, zone="us").remote()) == third
    get(filling)
    assert get(labelled({"zone": "asia"}, zone="mars").remote()) == third


def test_the_labels_strategy(cluster):
    def run(hard, soft=None):
        wait_for_rest(cluster)
        return get(where.options(scheduling_strategy=NodeLabelSchedulingStrategy(hard, soft or {})).remote())

    assert run({"zone": In("us", "mars")}) == cluster.nodes[1].node_id
    assert run({"zone": NotIn("us", "asia")}) == cluster.head.node_id
    assert run({"zone": Exists(), "disk": DoesNotExist()}) != cluster.head.node_id
    assert run({"disk": DoesNotExist()}, {"zone": In("asia")}) == cluster.nodes[2].node_id
    assert run({"disk": Exists()}, {"zone": In("asia")}) == cluster.head.node_id


def test_a_task_of_another_node_may_ask_for_a_third(cluster):
    second, third = cluster.nodes[1].node_id, cluster.nodes[2].node_id

    @sabir.remote
    def nested(target: str) -> tuple[str, str]:
        inner = where.options(scheduling_strategy=NodeAffinitySchedulingStrategy(target, False), num_cpus=0)
        return sabir.get_runtime_context().get_node_id(), sabir.get(inner.remote())

    there = nested.options(scheduling_strategy=NodeAffinitySchedulingStrategy(second, False))
    assert get(there.remote(third)) == (second, third)
    assert get(there.remote(cluster.head.node_id)) == (second, cluster.head.node_id)


def test_retries_keep_the_strategy(cluster, tmp_path):
    far = cluster.nodes[1].node_id

    @sabir.remote(max_retries=5, scheduling_strategy=NodeAffinitySchedulingStrategy(far, False))
    def crashes_twice(folder: str) -> list[str]:
        Path(folder, f"{os.getpid()}-{sabir.get_runtime_context().get_node_id()}").touch()
        if len(os.listdir(folder)) < 3:
            os._exit(1)
        return os.listdir(folder)

    seen = get(crashes_twice.remote(str(tmp_path)))
    assert len(seen) == 3 and all(name.endswith(far) for name in seen)


def test_status_says_what_waits_and_why(cluster):
    impossible = labelled(zone="mars").remote()
    large = where.options(num_cpus=50).remote()
    spread = where.options(scheduling_strategy="SPREAD", num_cpus=50).remote()

    def queues():
        return [queue for queue in status(cluster.head.session)["nodes"][0]["queues"] if queue["queued"]]

    wait_until(lambda: len(queues()) == 3, "all three wait")
    reasons = {(queue["strategy"], queue["infeasible"]) for queue in queues()}
    assert ("labels zone = mars", "no node has zone = mars; nodes have zone = asia, eu, us") in reasons
    needs = {
        strategy: reason for strategy, reason in reasons if reason.startswith("needs 50 CPU; the most that one node")
    }
    assert set(needs) == {"", "spread"}, reasons
    shown = subprocess.run(
        [sys.executable, "-m", "sabir", "status", "--address", cluster.head.session],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    ).stdout
    assert "1 calls that want CPU 1 (labels zone = mars)  WAITS: no node has zone = mars" in shown
    assert "labels zone=us" in shown and "second" in shown
    cluster.add_node(num_cpus=50, labels={"zone": "mars"})
    mars = cluster.nodes[-1].node_id
    assert get([impossible, large, spread]) == [mars] * 3, "what waited runs when such a node joins"
    cluster.remove_node(cluster.nodes[-1])


def test_a_node_that_dies(cluster):
    gone = cluster.add_node(num_cpus=2)
    soft, hard = at(gone.node_id, soft=True), at(gone.node_id)
    assert get([soft.remote(), hard.remote()]) == [gone.node_id] * 2
    running = [soft.options(max_retries=3).remote(4.0), hard.options(max_retries=3).remote(4.0)]
    waiting = hard.remote()
    time.sleep(1.0)
    cluster.remove_node(gone)
    with pytest.raises(TaskUnschedulableError, match="is not in the cluster"):
        get(waiting)
    with pytest.raises(TaskUnschedulableError, match="is not in the cluster"):
        get(running[1])
    with pytest.raises(TaskUnschedulableError):
        get(hard.remote())
    assert get(running[0]) in {node.node_id for node in cluster.nodes}
    assert get(soft.remote()) in {node.node_id for node in cluster.nodes}


def test_actors_take_the_same_options(cluster):
    @sabir.remote
    class Place:
        def where(self) -> str:
            return sabir.get_runtime_context().get_node_id()

    def run(**options: object) -> str:
        return get(Place.options(**options).remote().where.remote())

    ids = [node.node_id for node in cluster.nodes]
    for node_id in ids:
        assert run(scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False)) == node_id
        assert run(scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False), num_cpus=1) == node_id
    assert run(label_selector={"zone": "us"}) == ids[1]
    assert run(label_selector={"zone": "mars"}, fallback_strategy=[{"label_selector": {"zone": "asia"}}]) == ids[2]
    assert run(scheduling_strategy=NodeAffinitySchedulingStrategy("ab" * 16, soft=True)) in ids
    spread = [Place.options(scheduling_strategy="SPREAD", num_cpus=1).remote() for _ in range(3)]
    assert len(set(get([actor.where.remote() for actor in spread]))) >= 2
    with pytest.raises(ActorDiedError, match="node abababab is not in the cluster"):
        run(scheduling_strategy=NodeAffinitySchedulingStrategy("ab" * 16, soft=False))
    with pytest.raises(InvalidArgumentError):
        Place.options(label_selector={"zone": "in("}).remote()


def test_what_cannot_be_read_is_refused(cluster):
    with pytest.raises(InvalidArgumentError, match="is none of: value, !value"):
        labelled(zone="in(").remote()
    with pytest.raises(ValueError, match="32 hex digits"):
        NodeAffinitySchedulingStrategy("abc")
    with pytest.raises(ValueError, match="'DEFAULT', 'SPREAD'"):
        where.options(scheduling_strategy="PACK")
    with pytest.raises(ValueError, match="needs a label_selector"):
        where.options(fallback_strategy=[{"label_selector": {"zone": "eu"}}])
    with pytest.raises(ValueError, match="one of them"):
        where.options(
            scheduling_strategy=NodeLabelSchedulingStrategy({"zone": In("eu")}), label_selector={"zone": "eu"}
        )
