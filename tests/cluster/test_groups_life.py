"""Placement groups when nodes die: each test has a cluster of its own."""

from __future__ import annotations

import os
import time

from nodes import get, status, wait_until

import sabir
from sabir.cluster_utils import Cluster
from sabir.util import get_current_placement_group, placement_group, placement_group_table
from sabir.util.scheduling_strategies import PlacementGroupSchedulingStrategy


def strategy(group, index=-1):
    return PlacementGroupSchedulingStrategy(group, index)


def nodes_of(group) -> list[str]:
    return list(placement_group_table(group)["bundles_to_node_id"].values())


def place() -> tuple[str, str | None]:
    group = get_current_placement_group()
    return sabir.get_runtime_context().get_node_id(), None if group is None else group.id


@sabir.remote(num_cpus=1)
class Worker:
    def where(self) -> tuple[str, str | None]:
        return place()

    def pid(self) -> int:
        return os.getpid()


def test_bundles_of_a_dead_node_are_made_again_elsewhere():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        victim = cluster.add_node(num_cpus=2)
        cluster.connect(log_to_driver=False)
        group = placement_group([{"CPU": 1}, {"CPU": 2}], strategy="STRICT_SPREAD")
        assert group.wait(30)
        here = cluster.head.node_id
        assert nodes_of(group) == [here, victim.node_id]
        stays = Worker.options(scheduling_strategy=strategy(group, 0)).remote()
        pid = get(stays.pid.remote())
        moves = Worker.options(
            num_cpus=1, max_restarts=-1, max_task_retries=-1, scheduling_strategy=strategy(group, 1)
        ).remote()
        assert get(moves.where.remote()) == (victim.node_id, group.id)

        @sabir.remote(max_retries=3, scheduling_strategy=strategy(group, 1))
        def stay_until_it_dies(victim_id):
            if sabir.get_runtime_context().get_node_id() == victim_id:
                time.sleep(600)
            return place()

        call = stay_until_it_dies.remote(victim.node_id)

        def runs():
            workers = status(victim.session)["nodes"][0]["workers"]
            return any("stay_until" in (worker.get("running") or "") for worker in workers)

        wait_until(runs, lambda: status(victim.session))
        cluster.remove_node(victim, allow_graceful=False)
        wait_until(
            lambda: placement_group_table(group)["state"] == "RESCHEDULING", lambda: placement_group_table(group)
        )
        assert placement_group_table(group)["reason"]
        assert nodes_of(group) == [here, ""]
        again = cluster.add_node(num_cpus=2)
        assert get(call) == (again.node_id, group.id)
        assert get(moves.where.remote()) == (again.node_id, group.id)
        assert get(stays.pid.remote()) == pid, "what ran in the other bundle ran on"
        assert get(group.ready()) == group
