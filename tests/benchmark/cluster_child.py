"""One cluster under measurement, driven as child.py is: `python cluster_child.py sabir|ray`.

Its nodes are processes of this machine: a head with one CPU, where the driver is, and a node with two CPUs and the
resource "far", which every call here wants. Beside child.py's commands there are {"do": "transfer", "megabytes": M} and,
with clusters of their own, {"do": "broadcast", "megabytes": M, "nodes": N, "rounds": R, "insecure": I} and
{"do": "join", "nodes": N}. One JSON object answers each.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Callable

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import child
import cluster_nodes
import numpy as np
import workloads

FAR = {"num_cpus": 1, "resources": {"far": 1}}


def value_of(x: Any) -> Any:
    return x


def first_of(array: Any) -> float:
    return float(array[0])


def tasks_async(api: Any) -> workloads.Workload:
    task = api.remote(**FAR)(workloads.small_value)
    return workloads.Workload(lambda: api.get([task.remote() for _ in range(1000)]), 1000)


def tasks_sync(api: Any) -> workloads.Workload:
    task = api.remote(**FAR)(workloads.small_value)
    return workloads.Workload(lambda: [api.get(task.remote()) for _ in range(20)], 20)


def tasks_small_list(api: Any) -> workloads.Workload:
    task = api.remote(**FAR)(value_of)
    return workloads.Workload(lambda: api.get([task.remote([1, 2]) for _ in range(1000)]), 1000)


class Echo:
    def small_value(self) -> bytes:
        return b"ok"


def far_actor(api: Any) -> Any:
    actor = api.remote(num_cpus=0, resources={"far": 0.1})(Echo).remote()
    api.get(actor.small_value.remote())
    return actor


def actor_async(api: Any) -> workloads.Workload:
    actor = far_actor(api)
    return workloads.Workload(lambda: api.get([actor.small_value.remote() for _ in range(1000)]), 1000)


def actor_sync(api: Any) -> workloads.Workload:
    actor = far_actor(api)
    return workloads.Workload(lambda: [api.get(actor.small_value.remote()) for _ in range(20)], 20)


def array_by_reference(api: Any) -> workloads.Workload:
    task = api.remote(**FAR)(first_of)
    ref = api.put(np.zeros(10_000_000))
    return workloads.Workload(lambda: api.get([task.remote(ref) for _ in range(100)]), 100)


def placement_groups(api: Any) -> workloads.Workload:
    """As Ray's own benchmark: groups of one bundle, each waited for, then each removed."""
    if api.__name__ == "ray":
        from ray.util.placement_group import placement_group, remove_placement_group
    else:
        from sabir.util import placement_group, remove_placement_group

    def run() -> None:
        groups = [placement_group([{"far": 0.001}]) for _ in range(100)]
        for group in groups:
            assert group.wait(30)
        for group in groups:
            remove_placement_group(group)

    return workloads.Workload(run, 100)


WORKLOADS: dict[str, Callable[[Any], workloads.Workload]] = {
    "cluster: tasks on the other node, sync": tasks_sync,
    "cluster: tasks on the other node, async": tasks_async,
    "cluster: tasks with a small list each way, async": tasks_small_list,
    "cluster: an 80 MB array that is there already": array_by_reference,
    "cluster: calls of an actor on the other node, sync": actor_sync,
    "cluster: calls of an actor on the other node, async": actor_async,
    "cluster: placement groups created, waited for and removed": placement_groups,
}


def transfer(api: Any, megabytes: int) -> dict[str, Any]:
    """Of an array in this node's store to a task on the other one; seconds from the call to its result."""
    task = api.remote(**FAR)(first_of)
    array = np.random.default_rng(1).random(megabytes * 125_000)
    ref = api.put(array)
    api.get(task.remote(1.0 * np.ones(1)))
    began = time.perf_counter()
    assert api.get(task.remote(ref)) == array[0]
    return {"GB/s": array.nbytes / 1e9 / (time.perf_counter() - began)}


def broadcast(kind: Callable[..., Any], megabytes: int, nodes: int, rounds: int, insecure: bool) -> dict[str, Any]:
    """Of an array in the driver's store to a task on each of the nodes, at once; seconds until all have answered."""
    cluster = kind(store_bytes=4 * megabytes * 1_000_000, insecure=insecure)
    try:
        for index in range(nodes):
            cluster.add_node(num_cpus=1, resources={f"n{index}": 1})
        cluster.wait()
        cluster.connect()
        api = cluster.api
        tasks = [api.remote(num_cpus=1, resources={f"n{index}": 1})(first_of) for index in range(nodes)]
        api.get([task.remote(np.ones(1)) for task in tasks])
        seconds = []
        for seed in range(rounds):
            array = np.random.default_rng(seed).random(megabytes * 125_000)
            ref = api.put(array)
            began = time.perf_counter()
            assert api.get([task.remote(ref) for task in tasks]) == [array[0]] * nodes
            seconds.append(time.perf_counter() - began)
            del ref
        median = sorted(seconds)[rounds // 2]
        return {"nodes": nodes, "seconds": median, "GB/s": nodes * megabytes / 1000 / median}
    finally:
        cluster.shutdown()


def main() -> None:
    peer = sys.argv[1]
    own = cluster_nodes.KINDS[peer]()
    far = own.add_node(num_cpus=2, resources={"far": 2})
    own.connect()

    def memory(_: dict[str, Any]) -> dict[str, Any]:
        tasks_async(own.api).run()
        time.sleep(3)
        return cluster_nodes.memory(own, [far])

    def join(command: dict[str, Any]) -> dict[str, Any]:
        return cluster_nodes.join(cluster_nodes.KINDS[peer], command["nodes"])

    def broadcasts(command: dict[str, Any]) -> dict[str, Any]:
        own.shutdown()  # it has one cluster at a time
        parameters = {name: value for name, value in command.items() if name != "do"}
        return broadcast(cluster_nodes.KINDS[peer], **parameters)

    more = {
        "transfer": lambda command: transfer(own.api, command["megabytes"]),
        "memory": memory,
        "join": join,
        "broadcast": broadcasts,
    }
    child.serve(own.api, peer, WORKLOADS, more)
    own.shutdown()


if __name__ == "__main__":
    main()
