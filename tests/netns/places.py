"""Where the nodes of a test run: each in a network namespace of its own, or side by side on loopback."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import leaks
import nodes
import pytest
from network import Network, why_not

START_S = 60


class Spot(Protocol):
    """A place for one node."""

    address: str

    def command(self, *words: str) -> list[str]: ...


class Loopback:
    """A spot on this machine: an address of loopback, no namespace."""

    _numbers = itertools.count(2)

    def __init__(self) -> None:
        self.address = f"127.0.83.{next(self._numbers)}"

    def command(self, *words: str) -> list[str]:
        return list(words)


class Refused(Exception):
    """A node that could not start: its exit code and what it said."""


class Node:
    """One that `sabir start` has started."""

    def __init__(self, spot: Spot, session: str) -> None:
        self.spot = spot
        self.session = session
        facts = json.loads(Path(session, "cluster.json").read_text(encoding="utf-8"))
        self.address: str = facts["address"]
        self.join_string: str = facts["join_string"]
        state = nodes.status(session)
        self.pid: int = state["session"]["pid"]
        self.node_id: str = state["nodes"][0]["node_id"]
        self.gateway_pid = leaks.gateway_of(self.pid)
        self._descriptors: dict[int, int] = {}

    def pids(self) -> list[int]:
        return leaks.descendants(self.pid)

    def workers(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = nodes.status(self.session)["nodes"][0]["workers"]
        return found

    def others(self) -> dict[str, bool]:
        """Whether the other members live, by id."""
        return {node["node_id"]: node["alive"] for node in nodes.status(self.session)["nodes"][1:]}

    def log(self, name: str = "sabird") -> str:
        return Path(self.session, "logs", f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def note_descriptors(self) -> None:
        """How many its processes have open now is how many they may have in the end."""
        self._descriptors = {pid: len(leaks.descriptors(pid)) for pid in (self.pid, self.gateway_pid)}

    def assert_no_descriptor_leaked(self) -> None:
        for pid, count in self._descriptors.items():
            leaks.eventually(
                lambda pid=pid, count=count: len(leaks.descriptors(pid)) <= count,  # type: ignore[misc]
                lambda pid=pid, count=count: f"{leaks.command_of(pid)} had {count}: {leaks.descriptors(pid)}",  # type: ignore[misc]
            )


class Place:
    """Spots, and the nodes on them. Whatever a test does: in the end nothing of it is left, and that is checked."""

    def __init__(self, network: Network | None) -> None:
        self.network = network
        self._folder = tempfile.TemporaryDirectory(prefix="sabir-t-", dir="/tmp")
        self._numbers = itertools.count()
        self._shared_memory = leaks.shared_memory()
        self.nodes: list[Node] = []
        self._pids: set[int] = set()

    def spot(self) -> Any:
        return self.network.machine() if self.network else Loopback()

    def start(self, *options: str, spot: Spot | None = None, join: str | None = None, cpus: float = 1) -> Node:
        """`sabir start`; Refused if that fails."""
        spot = spot or self.spot()
        folder = Path(self._folder.name, str(next(self._numbers)))
        folder.mkdir(mode=0o700)
        role = ["--head"] if join is None else ["--join", join]
        command = [sys.executable, "-m", "sabir", "start", *role, "--host", spot.address, "--num-cpus", str(cpus)]
        done = subprocess.run(
            spot.command(*command, "--object-store-memory", str(64 << 20), *options),
            env={**os.environ, "XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=START_S,
        )
        if done.returncode != 0:
            assert not list(Path(folder, "sabir").glob("*/info.json")), "a node that could not join left its session"
            raise Refused(done.returncode, done.stderr)
        session = next(line for line in done.stdout.splitlines() if line.startswith("Node started: "))
        node = Node(spot, session.partition(": ")[2])
        self.nodes.append(node)
        return node

    def pair(self, *options: str) -> tuple[Node, Node]:
        """A head, and a node that has the resource "far"; each knows the other."""
        head = self.start(*options)
        node = self.start("--resources", '{"far": 4}', join=head.join_string, cpus=2)
        nodes.wait_until(lambda: self.knows(head, node) and self.knows(node, head), "the nodes know each other")
        return head, node

    @staticmethod
    def knows(node: Node, other: Node) -> bool:
        return any(
            known["node_id"] == other.node_id and known["resources_total"]
            for known in nodes.status(node.session)["nodes"][1:]
        )

    def program(self, node: Node) -> Program:
        return Program(node)

    def note_processes(self) -> None:
        """What runs now must have ended when all nodes have."""
        for node in self.nodes:
            if not leaks.zombie(node.pid):
                self._pids.update(node.pids())

    def close(self) -> None:
        try:
            self.note_processes()
            for node in reversed(self.nodes):
                if not leaks.zombie(node.pid):
                    command = [sys.executable, "-m", "sabir", "stop", "--address", node.session]
                    subprocess.run(command, capture_output=True, check=True, timeout=START_S)
            leaks.assert_ended(sorted(self._pids))
            for machine in self.network.machines if self.network else ():
                leaks.eventually(lambda m=machine: not m.pids(), lambda m=machine: f"{m.space}: {m.pids()}")  # type: ignore[misc]
            assert leaks.shared_memory() <= self._shared_memory
        finally:
            for pid in self._pids:
                if not leaks.zombie(pid):
                    os.kill(pid, signal.SIGKILL)
            if self.network:
                self.network.close()
            self._folder.cleanup()


class Program:
    """tests/netns/program.py, which has joined a node, on that node's machine."""

    def __init__(self, node: Node) -> None:
        self._process = subprocess.Popen(
            node.spot.command(sys.executable, str(Path(__file__).with_name("program.py")), node.session),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **fields: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the program ended with {self._process.wait()}"
        return json.loads(line)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=START_S)
        finally:
            self._process.kill()
            self._process.wait()


def assert_all_right(results: dict[str, Any], count: int) -> None:
    """Each call has its result, and the right one."""
    assert results["errors"] == {} and results["wrong"] == [] and results["right"] == count, results


def stop(pid: int) -> None:
    """SIGSTOP; returns when the process is stopped."""
    os.kill(pid, signal.SIGSTOP)
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.01)


def places() -> Sequence[Any]:
    """Parameters for a fixture: namespaces where they are allowed, loopback where they are not."""
    if not why_not():
        return [pytest.param("namespaces")]
    return [pytest.param("namespaces", marks=pytest.mark.skip(reason=why_not())), pytest.param("loopback")]
