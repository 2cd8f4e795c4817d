"""Nodes and resources, with what Ray tells of them."""

from __future__ import annotations

from typing import Any

import sabir
from sabir.compat.ray._options import head_id, node_names


def nodes() -> list[dict[str, Any]]:
    """The nodes; each counts as a resource by its address."""
    found = sabir.nodes()
    head = head_id()
    for node in found:
        node["Resources"] = {
            **node["Resources"],
            **dict.fromkeys(node_names(node), 1.0),
            "object_store_memory": float(node["Store"]["capacity_bytes"]),
        }
        node["NodeManagerAddress"] = node["NodeManagerAddress"] or "127.0.0.1"
        node["NodeManagerHostname"] = node["NodeName"]
        node["alive"] = node["Alive"]
        node["IsHeadNode"] = node["NodeID"] == head
    return found


def cluster_resources() -> dict[str, float]:
    """The resources of all nodes together."""
    return {**_by_address(), **sabir.cluster_resources()}


def available_resources() -> dict[str, float]:
    """What nobody holds; a resource of which nothing is left is not in it."""
    return {**_by_address(), **{name: left for name, left in sabir.available_resources().items() if left}}


def _by_address() -> dict[str, float]:
    more: dict[str, float] = {}
    for node in nodes():
        if node["Alive"]:
            for name, amount in node["Resources"].items():
                if name.startswith("node:") or name == "object_store_memory":
                    more[name] = more.get(name, 0.0) + amount
    return more
