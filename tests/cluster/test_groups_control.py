"""Placement groups when the control store, the head, or the program that made them ends."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nodes import get, status, wait_until

import sabir
from sabir.cluster_utils import Cluster
from sabir.exceptions import NameTakenError
from sabir.util import (
    get_placement_group,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from sabir.util.scheduling_strategies import PlacementGroupSchedulingStrategy

KILLS = int(os.environ.get("SABIR_CONTROL_KILLS", "6"))
HEAD_KILLS = int(os.environ.get("SABIR_HEAD_KILLS", "2"))
SEED = int(os.environ.get("SABIR_SEED", "1"))
LOAD = Path(__file__).parent.parent / "support" / "group_load.py"


@contextlib.contextmanager
def load(session: str, name: str) -> Iterator[Any]:
    """Runs group_load.py at the node; calling what comes ends it, and gives its summary."""
    command = [sys.executable, str(LOAD), session, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None and program.stdout.readline() == "under way\n"

            def stop() -> dict[str, Any]:
                summary: dict[str, Any] = json.loads(program.communicate("stop\n", timeout=300)[0])
                assert not summary["faults"], summary["faults"][0]
                return summary

            yield stop
        finally:
            program.kill()


def own(session: str) -> dict[str, Any]:
    state: dict[str, Any] = status(session)["nodes"][0]
    return state


def wait_until_all_is_free(cluster: Cluster, cpus: float) -> None:
    def is_free() -> bool:
        return all(
            not own(node.session)["bundles"] and own(node.session)["resources_available"].get("CPU") == cpus
            for node in cluster.nodes
        )

    wait_until(is_free, lambda: [own(node.session) for node in cluster.nodes])


def nodes_of(group: Any) -> list[str]:
    return list(placement_group_table(group)["bundles_to_node_id"].values())


def place() -> str:
    return sabir.get_runtime_context().get_node_id()


def test_a_killed_control_store_loses_no_group_and_leaves_no_half():
    chance = random.Random(SEED)
    with Cluster(head_node_args={"num_cpus": 2}) as cluster:
        node = cluster.add_node(num_cpus=2)
        with load(cluster.head.session, "at-head") as stop_head, load(node.session, "at-node") as stop_node:
            for _ in range(KILLS):
                wait_until(lambda: not own(cluster.head.session)["control"]["trouble"], "it serves again")
                time.sleep(chance.uniform(0, 0.5))
                killed = cluster.kill_control()
                wait_until(lambda killed=killed: cluster.control_pid() != killed, "it is gone")
            summaries = [stop_head(), stop_node()]
        print(summaries)
        assert all(summary[kind] > 0 for summary in summaries for kind in ("created", "removed"))
        assert all(summary["errors"] == 0 for summary in summaries), "nobody noticed"
        wait_until_all_is_free(cluster, 2)


def test_groups_and_what_runs_in_them_go_on_when_the_control_store_is_another_one():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=1)
        cluster.connect(namespace="space", log_to_driver=False)
        group = placement_group([{"CPU": 1}, {"CPU": 1}], strategy="STRICT_SPREAD", name="kept")
        assert group.wait(30)
        before = nodes_of(group)
        waits = placement_group([{"CPU": 1}], name="waits")  # for room
        assert not waits.wait(0.2)
        index = before.index(node.node_id)

        @sabir.remote(num_cpus=1)
        class Worker:
            def pid(self) -> int:
                return os.getpid()

        worker = Worker.options(scheduling_strategy=PlacementGroupSchedulingStrategy(group, index)).remote()
        pid = get(worker.pid.remote())
        ready = waits.ready()
        for _ in range(2):
            killed = cluster.kill_control()
            wait_until(lambda killed=killed: cluster.control_pid() not in (0, killed), "another one serves")
        assert get_placement_group("kept") == group
        assert placement_group_table(group)["state"] == "CREATED"
        assert nodes_of(group) == before, "nothing was reserved anew"
        assert get(worker.pid.remote()) == pid
        with pytest.raises(NameTakenError):
            placement_group([{"CPU": 1}], name="kept")
        remove_placement_group(group)
        assert get(ready) == waits, "who waited waits on"
        remove_placement_group(waits)
        wait_until_all_is_free(cluster, 1)


def test_groups_of_a_head_that_is_killed_are_there_when_it_is_back():
    chance = random.Random(SEED)
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=2)
        sabir.init(node.session, namespace="space", log_to_driver=False)
        group = placement_group([{"CPU": 0.5}, {"CPU": 0.5}], strategy="STRICT_PACK", name="kept")
        assert group.wait(30)
        lasting = placement_group([{"CPU": 0.1}], name="lasting", lifetime="detached")
        assert lasting.wait(30)
        with load(node.session, "load") as stop:
            for _ in range(HEAD_KILLS):
                before = nodes_of(group)
                cluster.kill_head()
                time.sleep(chance.uniform(0, 3))
                cluster.restart_head()
                assert get_placement_group("kept") == group
                assert get_placement_group("lasting") == lasting
                assert group.wait(60)
                if before == [node.node_id] * 2:
                    assert nodes_of(group) == before, "bundles of nodes that live stay"
            summary = stop()
        print(summary)
        assert summary["created"] > 0
        where = sabir.remote(num_cpus=0.5)(place).options(
            scheduling_strategy=PlacementGroupSchedulingStrategy(group, 0)
        )
        assert get(where.remote()) == nodes_of(group)[0]
        sabir.shutdown()
        # Its job is over; what is detached is not.
        cluster.connect(namespace="space", log_to_driver=False)

        def is_gone() -> bool:
            return [row["name"] for row in placement_group_table().values()] == ["lasting"]

        wait_until(is_gone, placement_group_table)
        remove_placement_group(get_placement_group("lasting"))
        sabir.shutdown()
        wait_until(lambda: all(not own(one.session)["bundles"] for one in cluster.nodes), "all is free")


def test_a_driver_that_dies_while_the_control_store_does_leaves_nothing():
    program = """
import sys, sabir
from sabir.util import placement_group
sabir.init(sys.argv[1], log_to_driver=False)
group = placement_group([{"CPU": 1}, {"CPU": 1}], strategy="STRICT_SPREAD")
assert group.wait(30)
print("made", flush=True)
sys.stdin.readline()
"""
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=1)
        with subprocess.Popen(
            [sys.executable, "-c", program, node.session], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as driver:
            assert driver.stdout is not None and driver.stdout.readline() == "made\n"
            os.kill(cluster.control_pid(), signal.SIGSTOP)
            driver.kill()
            driver.wait()
            time.sleep(0.5)  # its node has said so to a control store that does not hear it
            cluster.kill_control()
        wait_until_all_is_free(cluster, 1)


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    place = folder / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs of its own: {mounted.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_refuses_groups_and_those_that_are_there_stay(small_disk):
    with Cluster(head_node_args={"num_cpus": 2, "state_dir": str(small_disk / "state")}) as cluster:
        cluster.connect(namespace="space", log_to_driver=False)
        kept = placement_group([{"CPU": 1}], name="kept")
        assert kept.wait(30)
        ballast = small_disk / "ballast"
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        refused = None
        made = [kept]
        for number in range(300):  # the log of changes has some room left
            try:
                made.append(placement_group([{"CPU": 0.001}] * 64, name=f"more-{number}"))
            except sabir.exceptions.SabirError as error:
                refused = error
                break
        assert refused is not None and "disk" in str(refused), refused
        wait_until(lambda: finds("kept"), "what is there is found")
        assert own(cluster.head.session)["control"]["restarts"] == 0
        ballast.unlink()

        def room_again() -> bool:
            with contextlib.suppress(sabir.exceptions.SabirError):
                made.append(placement_group([{"CPU": 0.1}], name="later"))
                return True
            return False

        wait_until(room_again, "groups are made again")
        for group in made:
            assert group.wait(60), placement_group_table(group)
            remove_placement_group(group)
        wait_until(lambda: not placement_group_table(), placement_group_table)
        wait_until_all_is_free(cluster, 2)


def finds(name: str) -> bool:
    with contextlib.suppress(sabir.exceptions.SabirError):
        return placement_group_table(get_placement_group(name))["state"] == "CREATED"
    return False
