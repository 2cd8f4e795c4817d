"""Ways to harm a cluster, and the drivers that share it with the load."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import Any

import leaks

from sabir.cluster_utils import Cluster, Node

NODES = 2  # besides the head

# Joins the head, and is killed while its calls run on other nodes.
GUEST = """
import sys, time
import sabir
sabir.init(sys.argv[1], log_to_driver=False)
@sabir.remote(num_cpus=0, resources={"far": 0.01})
def slow(number, data):
    time.sleep(0.2)
    return number
data = sabir.put(b"x" * 2_000_000)
refs = [slow.remote(number, data) for number in range(100)]
sabir.wait(refs, num_returns=2, timeout=60)
print("under way", flush=True)
sabir.get(refs)
time.sleep(1000)
"""


class Harm:
    """Kills what the seed says, and puts another in its place."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self._cluster = cluster
        self._random = random.Random(seed)
        self.counts: dict[str, int] = {}
        self.seen: set[int] = set()  # processes that must have ended when all is over
        for _ in range(NODES):
            self._add()

    def _add(self) -> None:
        self._cluster.add_node(num_cpus=2, resources={"far": 4}, object_store_memory=96 << 20)

    def _victim(self) -> Node:
        return self._random.choice([node for node in self._cluster.nodes if not node.is_head])

    def next_pause_s(self) -> float:
        return self._random.uniform(0.2, 1.5)

    def one(self) -> bool:
        """Whether a node was killed by it."""
        kind = self._random.choice(["daemon", "daemon", "gateway", "gateway", "worker", "driver", "control"])
        node = self._victim()
        self.seen.update(leaks.descendants(node.pid))
        getattr(self, f"_{kind}")(node)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return kind in ("daemon", "gateway")

    def _daemon(self, node: Node) -> None:
        self._cluster.remove_node(node, allow_graceful=False)
        self._add()

    def _gateway(self, node: Node) -> None:
        os.kill(leaks.gateway_of(node.pid), signal.SIGKILL)
        leaks.assert_ended([node.pid], "a node without its gateway")
        self._daemon(node)

    def _worker(self, node: Node) -> None:
        others = {node.pid, leaks.gateway_of(node.pid)}
        workers = [pid for pid in leaks.descendants(node.pid) if pid not in others]
        try:
            os.kill(self._random.choice(workers), signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _control(self, _: Node) -> None:
        self._cluster.kill_control()

    def _driver(self, _: Node) -> None:
        command = [sys.executable, "-c", GUEST, self._cluster.head.session]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as guest:
            assert guest.stdout is not None and guest.stdout.readline() == "under way\n"
            time.sleep(self._random.uniform(0, 0.3))
            guest.kill()


def memory_mib(pid: int) -> float:
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        for line in file:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) / 1024
    return 0.0


def footprint(cluster: Cluster) -> dict[str, Any]:
    """Of those that live through all of it: open descriptors and own memory."""
    found: dict[str, Any] = {}
    head = cluster.head.pid
    for name, pid in (("driver", os.getpid()), ("sabird", head), ("gateway", leaks.gateway_of(head))):
        found[name] = {"descriptors": len(leaks.descriptors(pid)), "mib": round(memory_mib(pid), 1)}
    return found
