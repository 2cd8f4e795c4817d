"""The state of the cluster."""

from __future__ import annotations

from ray._state import available_resources, cluster_resources, nodes
from sabir._state import status

__all__ = [
    "available_resources",
    "available_resources_per_node",
    "cluster_resources",
    "nodes",
    "total_resources_per_node",
]


def available_resources_per_node() -> dict[str, dict[str, float]]:
    """By the id of the node."""
    return {node["node_id"]: node["resources_available"] for node in status()["nodes"] if node["alive"]}


def total_resources_per_node() -> dict[str, dict[str, float]]:
    """By the id of the node."""
    return {node["node_id"]: node["resources_total"] for node in status()["nodes"] if node["alive"]}
