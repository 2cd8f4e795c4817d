"""tools/dev bench cluster: calls, objects and joins between nodes, on request beside Ray with as many nodes."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.benchmark import runner

CHILD = Path(__file__).with_name("cluster_child.py")
NAMES = (  # cluster_child.py has them
    "cluster: tasks on the other node, sync",
    "cluster: tasks on the other node, async",
    "cluster: tasks with a small list each way, async",
    "cluster: an 80 MB array that is there already",
    "cluster: calls of an actor on the other node, sync",
    "cluster: calls of an actor on the other node, async",
    "cluster: placement groups created, waited for and removed",
)
MEGABYTES = 256  # of one array that goes to the other node
BROADCAST_NODES = 4
JOINING_NODES = 20
WANTED_RATIO = 50
WANTED_GROUPS_RATIO = 10
WANTED_NODE_MIB = 30.0


def plain_tls_gigabytes() -> float | None:
    """Of a plain TLS stream over loopback, as //runtime/rpc/node_link:bulk_speed measures it. None: it was not built."""
    program = os.environ.get("SABIR_BULK_SPEED", "")
    if not program:
        return None
    out = subprocess.run([program, "1", str(MEGABYTES)], capture_output=True, text=True, check=True, timeout=120).stdout
    found = re.search(r"^plain TLS stream +([0-9.]+) GB/s", out, re.MULTILINE)
    return float(found.group(1)) if found else None


def transfers(runtimes: list[runner.Runtime], rounds: int) -> dict[str, Any]:
    """GB/s from node to node, and of a plain TLS stream in between."""
    rates: dict[str, list[float]] = {runtime.name: [] for runtime in runtimes}
    plain: list[float] = []
    for _ in range(rounds):
        for runtime in runtimes:
            rates[runtime.name].append(runtime.ask(do="transfer", megabytes=MEGABYTES)["GB/s"])
        if (rate := plain_tls_gigabytes()) is not None:
            plain.append(rate)
    found = {name: runner.summary(got) for name, got in rates.items()}
    if plain:
        found["plain TLS"] = runner.summary(plain)
        found["sabir / plain TLS"] = runner.summary([a / b for a, b in zip(rates["sabir"], plain)])
    return found


def alone(peer: str, **command: Any) -> dict[str, Any]:
    """What has many processes: by a child that ends before the next one begins."""
    runtime = runner.Runtime(peer, CHILD)
    try:
        return runtime.ask(**command)
    finally:
        runtime.close()


def run(options: argparse.Namespace, show_rates: Any, show: Any) -> dict[str, Any]:
    peers = ["sabir", *([options.peer] if options.peer else [])]
    results: dict[str, Any] = {"workloads": [], "measures": {}, "targets": []}
    runtimes = [runner.Runtime(peer, CHILD) for peer in peers]
    try:
        # First: stores keep the memory that large objects had.
        results["measures"]["memory"] = {runtime.name: runtime.ask(do="memory") for runtime in runtimes}
        show("a node after some calls", results["measures"]["memory"])
        for name in NAMES:
            result = runner.run_workload(name, runtimes, options.rounds, options.seconds)
            results["workloads"].append(result)
            show_rates(result, options.peer)
        results["measures"]["transfer"] = transfers(runtimes, options.rounds)
        show("transfer, GB/s", results["measures"]["transfer"])
    finally:
        for runtime in runtimes:
            runtime.close()
    array = {"megabytes": MEGABYTES, "nodes": BROADCAST_NODES, "rounds": options.rounds}
    broadcasts = {peer: alone(peer, do="broadcast", insecure=peer != "sabir", **array) for peer in peers}
    broadcasts["sabir --insecure"] = alone("sabir", do="broadcast", insecure=True, **array)
    results["measures"]["broadcast"] = broadcasts
    show(f"broadcast of {MEGABYTES} MB", broadcasts)
    results["measures"]["join"] = {peer: alone(peer, do="join", nodes=JOINING_NODES) for peer in peers}
    show("join", results["measures"]["join"])
    results["targets"] = targets(results, options.peer)
    for what, measured, wanted, reached in results["targets"]:
        print(f"target  {what:44} {measured:>10} {wanted:>10}  {reached}", flush=True)
    return results


def targets(results: dict[str, Any], peer: str | None) -> list[tuple[str, str, str, str]]:
    def line(what: str, measured: float, wanted: float, good: bool) -> tuple[str, str, str, str]:
        return what, f"{measured:.3g}", f"{wanted:g}", "reached" if good else "MISSED"

    lines = []
    for result in results["workloads"]:
        times = runner.ratio(result, peer)
        if times and "async" in result["name"]:
            lines.append(line(f"{result['name']}: ratio", times, WANTED_RATIO, times >= WANTED_RATIO))
        elif times and "placement groups" in result["name"]:
            lines.append(line(f"{result['name']}: ratio", times, WANTED_GROUPS_RATIO, times >= WANTED_GROUPS_RATIO))
    broadcasts = results["measures"]["broadcast"]
    if peer:
        times = broadcasts["sabir --insecure"]["GB/s"] / broadcasts[peer]["GB/s"]
        lines.append(line(f"broadcast to {BROADCAST_NODES} nodes, both without TLS: ratio", times, 1, times >= 1))
    memory = results["measures"]["memory"]["sabir"]["node, PSS MiB"]
    lines.append(line("a node without its workers, MiB", memory, WANTED_NODE_MIB, memory < WANTED_NODE_MIB))
    return lines
