"""Addresses."""

from __future__ import annotations

import sabir


def get_node_ip_address(address: str = "") -> str:
    """Where other nodes reach the node of this process; 127.0.0.1 if it has no others."""
    if not sabir.is_initialized():
        return "127.0.0.1"
    here = sabir.get_runtime_context().get_node_id()
    return next((n["NodeManagerAddress"] for n in sabir.nodes() if n["NodeID"] == here), "") or "127.0.0.1"
