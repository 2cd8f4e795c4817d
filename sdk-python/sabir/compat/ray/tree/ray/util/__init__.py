"""Ray's helpers on Sabir's."""

from __future__ import annotations

from typing import Any

from ray.util._address import get_node_ip_address
from ray.util.debug import disable_log_once_globally, enable_periodic_logging, log_once
from ray.util.placement_group import (
    PlacementGroup,
    get_current_placement_group,
    get_placement_group,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from sabir.util.actor_pool import ActorPool
from sabir.util.check_serialize import inspect_serializability
from sabir.util.iterate import as_completed, map_unordered
from sabir.util.named_actors import list_named_actors
from sabir.util.serialization import deregister_serializer, register_serializer

__all__ = [
    "ActorPool",
    "PlacementGroup",
    "as_completed",
    "deregister_serializer",
    "disable_log_once_globally",
    "enable_periodic_logging",
    "get_current_placement_group",
    "get_node_ip_address",
    "get_placement_group",
    "inspect_serializability",
    "list_named_actors",
    "log_once",
    "map_unordered",
    "placement_group",
    "placement_group_table",
    "register_serializer",
    "remove_placement_group",
]

_LAZY = ("accelerators", "client", "dask", "joblib", "metrics", "multiprocessing", "queue", "rpdb", "state")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return importlib.import_module(f"ray.util.{name}")
    raise AttributeError(
        f"module 'ray.util' has no attribute {name!r} (Sabir's layer for programs of Ray, docs/ray.md)"
    )
