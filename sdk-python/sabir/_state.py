"""The session's state: nodes, resources, actors."""

from __future__ import annotations

import json
from typing import Any

from sabir import _sabir
from sabir._runtime import ensure_started


def status() -> dict[str, Any]:
    """Everything the node tells of the session (docs/status.md)."""
    ensure_started()
    state: dict[str, Any] = json.loads(_sabir.status())
    return state


def nodes() -> list[dict[str, Any]]:
    """The session's nodes, dead ones among them, this program's first.

    Each has NodeID, Alive, NodeName, NodeManagerAddress and NodeManagerPort (where other nodes reach it; "" and 0 of a
    node that has no others), Resources (its totals), Labels and Store (capacity_bytes, used_bytes).
    """
    found = []
    for node in status()["nodes"]:
        host, _, port = node.get("address", "").rpartition(":")
        found.append(
            {
                "NodeID": node["node_id"],
                "Alive": node["alive"],
                "NodeName": node["name"],
                "NodeManagerAddress": host,
                "NodeManagerPort": int(port or 0),
                "Resources": node["resources_total"],
                "Labels": node["labels"],
                "Store": node["store"],
            }
        )
    return found


def cluster_resources() -> dict[str, float]:
    """The resources of all nodes together."""
    return _sum("resources_total")


def available_resources() -> dict[str, float]:
    """What no running task and no living actor holds."""
    return _sum("resources_available")


def _sum(field: str) -> dict[str, float]:
    total: dict[str, float] = {}
    for node in status()["nodes"]:
        for name, amount in node[field].items():
            total[name] = total.get(name, 0.0) + amount
    return total


def actors() -> list[dict[str, Any]]:
    """The actors of the session."""
    listed: list[dict[str, Any]] = status()["actors"]
    return listed
