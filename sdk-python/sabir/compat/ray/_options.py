"""Options of Ray in the form that Sabir takes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import sabir
from sabir.exceptions import NotSupportedError
from sabir.util.scheduling_strategies import NodeAffinitySchedulingStrategy, PlacementGroupSchedulingStrategy

NotInSabir = NotSupportedError

# Without a meaning here, or a permission that is not used: results are the same.
_WITHOUT_EFFECT = frozenset(
    (
        "_generator_backpressure_num_objects",
        "_labels",
        "_metadata",
        "allow_out_of_order_execution",
        "enable_task_events",
        "enable_tensor_transport",
        "object_store_memory",
    )
)
_DEFAULTS: dict[str, Any] = {
    "concurrency_groups": {},
    "max_calls": 0,
    "max_pending_calls": -1,
    "placement_group": "default",
    "runtime_env": {},
}
_told: set[str] = set()


def warn_once(text: str) -> None:
    if text not in _told:
        _told.add(text)
        warnings.warn(text, RuntimeWarning, stacklevel=3)


def translated(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options without those that have no effect; what Sabir does not have is left for it to refuse."""
    left = {
        name: value
        for name, value in options.items()
        if value is not None and name not in _WITHOUT_EFFECT and not (name in _DEFAULTS and value == _DEFAULTS[name])
    }
    if left.pop("max_calls", 0):
        warn_once("max_calls: workers are not replaced after a number of calls in this version of Sabir")
    _placement_group(left)
    _node_resources(left)
    if not left.get("fallback_strategy", True):
        del left["fallback_strategy"]
    if not left.get("label_selector", True):
        del left["label_selector"]
    if left.get("runtime_env"):
        left["runtime_env"] = dict(left["runtime_env"])
    for name in ("max_retries", "max_restarts", "max_task_retries", "num_returns"):
        if isinstance(left.get(name), float) and left[name].is_integer():
            left[name] = int(left[name])
    return left


def _placement_group(options: dict[str, Any]) -> None:
    """The options from before scheduling strategies."""
    group = options.pop("placement_group", None)
    bundle = options.pop("placement_group_bundle_index", -1)
    capture = options.pop("placement_group_capture_child_tasks", None)
    if group is not None:
        options["scheduling_strategy"] = PlacementGroupSchedulingStrategy(group, bundle, capture)


def _node_resources(options: dict[str, Any]) -> None:
    """``resources={"node:ADDRESS": 0.01}``, Ray's old way to name a node."""
    resources = dict(options.get("resources") or {})
    named = [name for name in resources if name.startswith("node:")]
    if not named:
        return
    for name in named:
        del resources[name]
    options["resources"] = resources
    if "scheduling_strategy" in options:
        return
    for node in sabir.nodes() if sabir.is_initialized() else ():
        if node["Alive"] and named[0] in node_names(node):
            options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            return


def node_names(node: Mapping[str, Any]) -> list[str]:
    """The resources by which Ray names a node."""
    names = [f"node:{node['NodeManagerAddress'] or '127.0.0.1'}"]
    if node["NodeID"] == head_id():
        names.append("node:__internal_head__")
    return names


def head_id() -> str:
    alive = [node["NodeID"] for node in sabir.nodes() if node["Alive"]]
    return min(alive) if len(alive) > 1 else "".join(alive)
