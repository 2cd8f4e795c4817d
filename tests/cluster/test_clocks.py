"""Nodes whose clocks are wrong, and are set while calls run: nothing between nodes goes by the calendar."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import leaks
import pytest
from nodes import get, here, status, wait_until
from shipped import ROOT, run

import sabir
from sabir import _sabir
from sabir.cluster_utils import Cluster, Node

HOUR_S = 3600
YEAR_S = 365 * 24 * HOUR_S


class Clock:
    """What a node's processes take for the time of day: the machine's, ahead by some seconds."""

    def __init__(self, path: Path, library: Path, ahead_s: int) -> None:
        self._path = path
        self._library = library
        path.write_bytes(struct.pack("=q", ahead_s))

    def set(self, ahead_s: int) -> None:
        with open(self._path, "r+b") as file:  # in place: it is mapped
            file.write(struct.pack("=q", ahead_s))

    @contextmanager
    def worn(self) -> Iterator[None]:
        """By the processes that are started meanwhile."""
        os.environ.update(LD_PRELOAD=str(self._library), SHIFTED_CLOCK=str(self._path))
        try:
            yield
        finally:
            del os.environ["LD_PRELOAD"], os.environ["SHIFTED_CLOCK"]


@pytest.fixture
def clock(folder):
    library = folder / "shifted_clock.so"
    run("gcc", "-shared", "-fPIC", "-O1", ROOT / "tests/support/shifted_clock.c", "-o", library)
    return lambda name, ahead_s: Clock(folder / f"{name}.clock", library, ahead_s)


def add(cluster: Cluster, clock: Clock, **options: object) -> Node:
    with clock.worn():
        return cluster.add_node(**options)


@sabir.remote(num_cpus=1, max_retries=0)
def work(index: int) -> tuple[int, str, float]:
    time.sleep(0.02)
    return index, here(), time.time()


def log_of(node: Node, name: str) -> str:
    return Path(node.session, "logs", name).read_text(encoding="utf-8")


def test_clocks_that_are_wrong_and_are_set_disturb_nobody(clock):
    clocks = [clock("head", -6 * HOUR_S), clock("future", 30 * HOUR_S), clock("past", -40 * YEAR_S)]
    with Cluster(initialize_head=False) as cluster:
        for number, one in enumerate(clocks):
            add(cluster, one, num_cpus=2, resources={f"n{number}": 1})
        cluster.connect(log_to_driver=False)
        shown = [get(sabir.remote(resources={f"n{number}": 0.01})(time.time).remote()) for number in range(3)]
        assert [round((at - time.time()) / HOUR_S) for at in shown] == [-6, 30, -40 * 365 * 24]
        members = {node.node_id for node in cluster.nodes}
        refs = []
        for turn in range(6):  # one attempt each: a call that was lost would be an error
            refs += [work.remote(len(refs) + number) for number in range(60)]
            clocks[turn % 3].set((48 if turn % 2 else -48) * HOUR_S)
            assert [get(ref)[0] for ref in refs[-60:-30]] == list(range(len(refs) - 60, len(refs) - 30))
        results = get(refs)
        assert [index for index, _, _ in results] == list(range(len(refs)))
        assert {session for _, session, _ in results} == {node.session for node in cluster.nodes}
        time.sleep(3)  # a beat of each node, and a look of the head
        for node in cluster.nodes:
            assert {known["node_id"] for known in status(node.session)["nodes"] if known["alive"]} == members
        assert "is dead" not in log_of(cluster.head, "control.log")
        assert status(cluster.head.session)["nodes"][0]["control"]["restarts"] == 0


def test_a_clock_that_is_set_ends_no_time_for_draining(clock):
    head_clock, node_clock = clock("head", 0), clock("node", 0)
    with Cluster(initialize_head=False) as cluster:
        add(cluster, head_clock, num_cpus=1)
        node = add(cluster, node_clock, num_cpus=1, resources={"far": 1})
        cluster.connect(log_to_driver=False)
        running = sabir.remote(resources={"far": 1}, max_retries=0)(lambda: time.sleep(4) or here()).remote()
        wait_until(lambda: any(w["running"] for w in status(node.session)["nodes"][0]["workers"]), "it runs")
        _sabir.node_drain(cluster.head.session, node.node_id, HOUR_S, 10.0)
        wait_until(lambda: status(node.session)["nodes"][0]["draining"], "it knows")
        head_clock.set(5 * HOUR_S)
        node_clock.set(5 * HOUR_S)
        ends = leaks.descendants(node.pid)
        assert get(running) == node.session
        leaks.assert_ended(ends, "processes of a node that was drained")
        assert "it was drained, and has nothing left to do" in log_of(cluster.head, "control.log")


@pytest.mark.parametrize("ahead_h", [-20, 20])
def test_a_head_that_comes_back_with_another_clock(clock, ahead_h):
    head_clock = clock("head", 0)
    with Cluster(initialize_head=False) as cluster:
        add(cluster, head_clock, num_cpus=1)
        node = cluster.add_node(num_cpus=1)
        sabir.init(node.session, log_to_driver=False)
        _sabir.kv_put("kept", b"value", True)
        join_string = cluster.head.join_string
        cluster.kill_head()
        head_clock.set(ahead_h * HOUR_S)
        with head_clock.worn():
            assert cluster.restart_head().join_string == join_string
        assert _sabir.kv_get("kept") == b"value"
        another = cluster.add_node(num_cpus=1)
        assert {known["node_id"] for known in status(another.session)["nodes"] if known["alive"]} == {
            known.node_id for known in cluster.nodes
        }
