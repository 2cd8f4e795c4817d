"""Clusters of several nodes on one machine, of either runtime, under one face; and what of them is no rate."""

from __future__ import annotations

import importlib
import time
from typing import Any, Callable

import measures

STORE_BYTES = 1 << 30
SMALL_STORE_BYTES = 80 << 20  # Ray takes no less


class SabirCluster:
    def __init__(self, store_bytes: int = STORE_BYTES, insecure: bool = False) -> None:
        self.api = importlib.import_module("sabir")
        cluster_utils = importlib.import_module("sabir.cluster_utils")
        self._arguments = {"object_store_memory": store_bytes, "insecure": insecure}
        self._cluster = cluster_utils.Cluster(head_node_args={"num_cpus": 1, **self._arguments})

    def add_node(self, num_cpus: int, resources: dict[str, float] | None = None, wait: bool = True) -> Any:
        return self._cluster.add_node(num_cpus=num_cpus, resources=resources, wait=wait, **self._arguments)

    def wait(self) -> None:
        self._cluster.wait_for_nodes(timeout_s=300)

    def connect(self) -> None:
        self._cluster.connect(log_to_driver=False)

    def processes(self, node: Any) -> dict[str, list[int]]:
        """Those of the node itself, and its workers."""
        workers = {worker["pid"] for worker in self._status(node)["nodes"][0]["workers"]}
        below = measures.descendants(node.pid)
        return {"node": [pid for pid in below if pid not in workers], "workers": sorted(workers & set(below))}

    @staticmethod
    def _status(node: Any) -> Any:
        return importlib.import_module("sabir.cluster_utils")._status(node.session)

    def shutdown(self) -> None:
        self._cluster.shutdown()


class RayCluster:
    """Without TLS: `insecure` changes nothing."""

    def __init__(self, store_bytes: int = STORE_BYTES, insecure: bool = True) -> None:
        self.api = importlib.import_module("ray")
        cluster_utils = importlib.import_module("ray.cluster_utils")
        self._store_bytes = store_bytes
        self._cluster = cluster_utils.Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 1, "object_store_memory": store_bytes, "include_dashboard": False},
        )

    def add_node(self, num_cpus: int, resources: dict[str, float] | None = None, wait: bool = True) -> Any:
        return self._cluster.add_node(
            num_cpus=num_cpus, resources=resources or {}, object_store_memory=self._store_bytes, wait=wait
        )

    def wait(self) -> None:
        self._cluster.wait_for_nodes(timeout=300)

    def connect(self) -> None:
        self.api.init(address=self._cluster.address, log_to_driver=False, logging_level="error")

    def processes(self, node: Any) -> dict[str, list[int]]:
        own: list[int] = []
        workers: list[int] = []
        for processes in node.live_processes():
            for pid in measures.descendants(processes[1].pid):
                command = measures.command_of(pid)
                is_worker = command.startswith("ray::") and "Agent" not in command
                (workers if is_worker else own).append(pid)
        return {"node": own, "workers": workers}

    def shutdown(self) -> None:
        self.api.shutdown()
        self._cluster.shutdown()


KINDS: dict[str, Callable[..., Any]] = {"sabir": SabirCluster, "ray": RayCluster}


def memory(cluster: Any, nodes: list[Any]) -> dict[str, Any]:
    """Of a node on average, in MiB: its own processes, and its workers."""
    found: dict[str, float] = {}
    for node in nodes:
        for part, pids in cluster.processes(node).items():
            for pid in pids:
                found[f"{part}, PSS MiB"] = found.get(f"{part}, PSS MiB", 0) + measures.pss_bytes(pid) / 2**20
                found[f"{part}, private MiB"] = (
                    found.get(f"{part}, private MiB", 0) + measures.private_bytes(pid) / 2**20
                )
    return {name: total / len(nodes) for name, total in found.items()}


def join(kind: Callable[..., Any], count: int) -> dict[str, Any]:
    """Nodes started one after another until all know each other; and what each takes while it has no work."""
    cluster = kind(store_bytes=SMALL_STORE_BYTES)
    try:
        began = time.perf_counter()
        nodes = [cluster.add_node(num_cpus=1, wait=False) for _ in range(count)]
        started = time.perf_counter() - began
        cluster.wait()
        total = time.perf_counter() - began
        time.sleep(3)
        return {"nodes": count, "started after s": started, "all known after s": total, **memory(cluster, nodes)}
    finally:
        cluster.shutdown()
