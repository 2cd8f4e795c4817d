"""The control store is killed, its head is killed, its disk is full or damaged: what was answered stays so."""

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

import leaks
import pytest
from nodes import far, get, here, settled, status, wait_until

import sabir
from sabir import _sabir
from sabir.cluster_utils import Cluster
from sabir.exceptions import SabirError

KILLS = int(os.environ.get("SABIR_CONTROL_KILLS", "6"))
HEAD_KILLS = int(os.environ.get("SABIR_HEAD_KILLS", "2"))
SEED = int(os.environ.get("SABIR_SEED", "1"))
LOAD = Path(__file__).parent.parent / "support" / "control_load.py"


@contextlib.contextmanager
def load(session: str, name: str, *kinds: str) -> Iterator[Any]:
    """Runs control_load.py at the node; calling what comes ends it, and gives its summary."""
    command = [sys.executable, str(LOAD), session, name, *kinds]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None and program.stdout.readline() == "under way\n"

            def stop() -> dict[str, Any]:
                summary: dict[str, Any] = json.loads(program.communicate("stop\n", timeout=120)[0])
                assert not summary["faults"], summary["faults"][0]
                return summary

            yield stop
        finally:
            program.kill()


def control(session: str) -> dict[str, Any]:
    state: dict[str, Any] = status(session)["nodes"][0]["control"]
    return state


def others(session: str) -> dict[str, bool]:
    return {node["node_id"]: node["alive"] for node in status(session)["nodes"][1:]}


def test_a_killed_control_store_loses_nothing_and_disturbs_nobody():
    chance = random.Random(SEED)
    with Cluster(head_node_args={"num_cpus": 2}) as cluster:
        node = cluster.add_node(num_cpus=2)
        incarnation = status(node.session)["nodes"][0]["incarnation"]
        with load(cluster.head.session, "at-head") as stop_head, load(node.session, "at-node") as stop_node:
            for _ in range(KILLS):
                wait_until(lambda: not control(cluster.head.session)["trouble"], "it serves again")
                time.sleep(chance.uniform(0, 0.5))
                killed = cluster.kill_control()
                wait_until(lambda killed=killed: cluster.control_pid() != killed, "it is gone")
            summaries = [stop_head(), stop_node()]
        print(summaries)
        assert all(summary[kind] > 0 for summary in summaries for kind in ("values", "names", "calls", "tasks"))
        assert control(cluster.head.session)["restarts"] >= KILLS
        assert others(cluster.head.session) == {node.node_id: True}
        assert status(node.session)["nodes"][0]["incarnation"] == incarnation
        # It takes new nodes, and tells all of them.
        cluster.add_node(num_cpus=1)


def test_a_control_store_that_stands_still_is_killed():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=1, resources={"far": 1})
        cluster.connect(log_to_driver=False)
        stopped = cluster.control_pid()
        os.kill(stopped, signal.SIGSTOP)
        wait_until(lambda: cluster.control_pid() not in (0, stopped), "another one serves")
        assert get(far(here).remote()) == node.session
        _sabir.kv_put("key", b"value", True)
        assert _sabir.kv_get("key") == b"value"


class Counter:
    def __init__(self) -> None:
        self.value = 0

    def add(self) -> int:
        self.value += 1
        return self.value


def test_a_head_that_is_killed_comes_back_to_its_cluster():
    chance = random.Random(SEED)
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=2, resources={"far": 1})
        join_string = cluster.head.join_string
        sabir.init(node.session, namespace="space", log_to_driver=False)
        counter = sabir.remote(num_cpus=0)(Counter).options(name="counter", lifetime="detached").remote()
        assert get(counter.add.remote()) == 1
        _sabir.kv_put("kept", b"value", True)
        total = 1
        with load(node.session, "load", "values", "names", "calls") as stop:
            for life in range(HEAD_KILLS):
                ends = leaks.descendants(cluster.head.pid)
                cluster.kill_head()
                leaks.assert_ended(ends, "processes of a head that is killed")
                # The others go on without it.
                assert get(counter.add.remote()) == total + 1
                total += 1
                time.sleep(chance.uniform(0, 3))
                head = cluster.restart_head()
                assert head.join_string == join_string
                assert get(counter.add.remote()) == total + 1
                total += 1
                assert _sabir.kv_get("kept") == b"value"
                _sabir.kv_put(f"life-{life}", b"x", True)
                assert others(head.session)[node.node_id]
                assert [other["alive"] for other in status(node.session)["nodes"][1:]] == [True]
            summary = stop()
        print(summary)
        assert all(summary[kind] > 0 for kind in ("values", "names", "calls"))
        sabir.shutdown()
        # A program on the head finds the actor that lives elsewhere.
        cluster.connect(namespace="space", log_to_driver=False)
        assert get(sabir.get_actor("counter").add.remote()) == total + 1
        assert get(far(here).remote()) == node.session
        for life in range(HEAD_KILLS):
            assert _sabir.kv_get(f"life-{life}") == b"x"
        cluster.add_node(num_cpus=1)


def test_a_head_without_tls_comes_back_too():
    with Cluster(head_node_args={"num_cpus": 1, "insecure": True}) as cluster:
        node = cluster.add_node(num_cpus=1, insecure=True)
        sabir.init(node.session, log_to_driver=False)
        _sabir.kv_put("kept", b"value", True)
        cluster.kill_head()
        cluster.restart_head()
        assert _sabir.kv_get("kept") == b"value"
        assert others(cluster.head.session) == {node.node_id: True}


def test_calls_and_actors_of_a_killed_head_are_those_of_a_dead_node():
    with Cluster(head_node_args={"num_cpus": 1, "resources": {"head": 1}}) as cluster:
        node = cluster.add_node(num_cpus=1)
        sabir.init(node.session, namespace="space", log_to_driver=False)

        @sabir.remote(num_cpus=0, resources={"head": 0.1}, max_retries=3)
        def slow(number):
            time.sleep(1)
            return number, here()

        actor = sabir.remote(num_cpus=0, resources={"head": 0.1}, max_restarts=1)(Counter).remote()
        assert get(actor.add.remote()) == 1
        refs = [slow.remote(number) for number in range(5)]
        wait_until(
            lambda: any(w["running"] == "slow" for w in status(cluster.head.session)["nodes"][0]["workers"]), "it runs"
        )
        cluster.kill_head()
        head = cluster.restart_head()
        assert get(refs) == [(number, head.session) for number in range(5)], "run again where there is room again"
        deadline = time.monotonic() + 60
        while True:
            try:
                assert get(actor.add.remote()) == 1, "made anew"
                break
            except SabirError:
                assert time.monotonic() < deadline
                time.sleep(0.1)


def test_nodes_end_if_their_head_does_not_come_back():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=1)
        ends = leaks.descendants(node.pid)
        log = Path(node.session, "logs", "sabird.log")
        with open(log, encoding="utf-8") as lines:
            cluster.kill_head()
            leaks.assert_ended(ends, "processes of a node without a head", timeout_s=60)
            assert "cut off from the cluster" in lines.read()
        assert not os.path.exists(node.session)


def test_two_heads_on_one_state_are_refused():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster, Cluster(initialize_head=False) as second:
        with pytest.raises(SabirError, match="another head runs on the state directory"):
            second.add_node(state_dir=cluster.state_dir)
        assert control(cluster.head.session)["trouble"] == ""


def test_a_damaged_control_store_is_reported_copied_and_left_alone(folder):
    state = str(folder / "state")
    with Cluster(head_node_args={"num_cpus": 1, "state_dir": state}) as cluster:
        cluster.connect(log_to_driver=False)
        for number in range(300):
            _sabir.kv_put(f"key-{number}", b"v" * 20_000, True)
    file = Path(state, "control.db")
    damaged = bytearray(file.read_bytes())
    assert len(damaged) > 1_000_000, "its log went into the file"
    for place in range(100_000, len(damaged), 50_000):
        damaged[place] ^= 0xFF
    file.write_bytes(damaged)
    with Cluster(initialize_head=False) as cluster:
        with pytest.raises(SabirError, match=r"is damaged.*a copy is kept at"):
            cluster.add_node(state_dir=state)
        assert file.read_bytes() == damaged
        copies = [path for path in Path(state).iterdir() if path.name.startswith("control.db.") and path.is_file()]
        assert any(path.read_bytes() == damaged for path in copies), list(Path(state).iterdir())
        # Gone altogether is no new beginning either.
        for part in ("", "-wal", "-shm"):
            Path(f"{file}{part}").unlink(missing_ok=True)
        with pytest.raises(SabirError, match="there is no control store"):
            cluster.add_node(state_dir=state)


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


def test_a_full_disk_refuses_changes_and_reads_go_on(small_disk):
    with Cluster(head_node_args={"num_cpus": 1, "state_dir": str(small_disk / "state")}) as cluster:
        node = cluster.add_node(num_cpus=1, resources={"far": 1})
        cluster.connect(namespace="space", log_to_driver=False)
        _sabir.kv_put("first", b"1", True)
        ballast = small_disk / "ballast"
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        with pytest.raises(SabirError, match=r"(?i)disk"):
            for number in range(200):
                _sabir.kv_put(f"large-{number}", b"v" * 100_000, True)
        # It serves on: reads, calls, and it is the same process.
        assert control(cluster.head.session)["restarts"] == 0
        assert _sabir.kv_get("first") == b"1"
        assert get(far(here).remote()) == node.session
        ballast.unlink()

        def room_again() -> bool:
            with contextlib.suppress(SabirError):
                _sabir.kv_put("second", b"2", True)
                return True
            return False

        wait_until(room_again, "changes are taken again")
        cluster.kill_control()
        assert _sabir.kv_get("first") == b"1" and _sabir.kv_get("second") == b"2"
        assert control(cluster.head.session)["restarts"] == 1


def test_a_copied_state_directory_is_no_second_node(folder):
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=1)
        assert len({cluster.head.node_id, node.node_id}) == 2
        subprocess.run(["cp", "-r", cluster.state_dir, str(folder / "copy")], check=True)
        # Its port is the first one's: it waits for that, and says so.
        with Cluster(initialize_head=False) as copy, pytest.raises(SabirError, match=r"(?i)address already in use"):
            copy.add_node(state_dir=str(folder / "copy"))
        assert others(cluster.head.session) == {node.node_id: True}
        cluster.connect(log_to_driver=False)
        assert get(sabir.remote(here).remote()) in (cluster.head.session, node.session)


# --- Draining


def drain(cluster: Cluster, node: str, deadline_s: float = -1) -> str:
    return _sabir.node_drain(cluster.head.session, node, deadline_s, 10.0)


def test_a_drained_node_gets_nothing_new_and_leaves_when_it_is_empty(folder):
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=2, resources={"far": 1}, name="worker")
        cluster.connect(log_to_driver=False)
        go = folder / "go"

        @far
        def waits(path):
            while not os.path.exists(path):
                time.sleep(0.02)
            return here()

        running = waits.remote(str(go))
        wait_until(lambda: any(w["running"] for w in status(node.session)["nodes"][0]["workers"]), "it runs")
        assert drain(cluster, "worker") == node.node_id
        wait_until(lambda: status(node.session)["nodes"][0]["draining"], "it knows")
        wait_until(lambda: status(cluster.head.session)["nodes"][1]["draining"], "others know")
        ends = leaks.descendants(node.pid)
        # Nothing new goes there, whatever waits; what it began runs on.
        refs = [sabir.remote(num_cpus=1)(here).remote() for _ in range(30)]
        assert set(get(refs)) == {cluster.head.session}
        assert os.path.exists(node.session)
        go.touch()
        assert get(running) == node.session
        leaks.assert_ended(ends, "processes of a node that was drained")
        assert not os.path.exists(node.session), "it ended in order"
        wait_until(lambda: others(cluster.head.session) == {node.node_id: False}, "it left")
        del refs
        wait_until(lambda: settled(cluster.head.session), lambda: status(cluster.head.session))


def test_a_drained_node_is_stopped_at_its_deadline(folder):
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=1, resources={"far": 1})
        again = cluster.add_node(num_cpus=1, resources={"far": 1})
        cluster.connect(log_to_driver=False)
        counter = sabir.remote(num_cpus=0, resources={"far": 1}, max_restarts=1)(Counter).remote()
        assert get(counter.add.remote()) == 1
        hosts = [one for one in (node, again) if status(one.session)["actors"]]
        ends = leaks.descendants(hosts[0].pid)
        drain(cluster, hosts[0].node_id[:8], 1.0)
        leaks.assert_ended(ends, "processes of a node that was drained")
        wait_until(lambda: others(cluster.head.session)[hosts[0].node_id] is False, "it left")
        deadline = time.monotonic() + 60
        while True:
            try:
                assert get(counter.add.remote()) == 1, "made anew, on the other one"
                break
            except SabirError:
                assert time.monotonic() < deadline
                time.sleep(0.1)


def test_draining_outlives_the_control_store_and_takes_words():
    command = [sys.executable, "-m", "sabir", "drain"]
    with Cluster(head_node_args={"num_cpus": 1, "name": "first"}) as cluster:
        node = cluster.add_node(num_cpus=1, name="second")
        sabir.init(node.session, log_to_driver=False)  # a program: the node is not empty

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            where = ["--address", cluster.head.session]
            return subprocess.run([*command, *words, *where], check=False, capture_output=True, text=True)

        assert "no living node" in run("nobody").stderr
        assert "cannot be drained" in run("first").stderr
        assert "--deadline" in run("second", "--deadline", "-1").stderr
        done = run("second")
        assert done.returncode == 0 and node.node_id in done.stdout
        cluster.kill_control()
        wait_until(lambda: control(cluster.head.session)["restarts"] == 1, "it is another one")
        wait_until(lambda: status(cluster.head.session)["nodes"][1]["draining"], "it is drained all the same")
        shown = subprocess.run(
            [sys.executable, "-m", "sabir", "status", "--address", cluster.head.session],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert "DRAINING" in shown and "Control store: process" in shown
        time.sleep(2)
        assert os.path.exists(node.session), "a program runs there"
        ends = leaks.descendants(node.pid)
        sabir.shutdown()
        leaks.assert_ended(ends, "processes of a node that was drained")
