"""The options that say where something runs, checked, and in the form that the core takes. It reads the conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from sabir.util.scheduling_strategies import (
    NodeAffinitySchedulingStrategy,
    NodeLabelSchedulingStrategy,
    PlacementGroupSchedulingStrategy,
)

_DEFAULT, _SPREAD, _NODE, _GROUP = range(4)

Conditions = list[tuple[str, str]]
# Kind, node, soft, labels, fallbacks, group, bundle, capture.
Native = Optional[tuple[int, str, bool, Conditions, list[Conditions], str, int, bool]]
_NO_GROUP = ("", -1, False)


def strategy(name: str, value: Any) -> Any:
    known = (NodeAffinitySchedulingStrategy, NodeLabelSchedulingStrategy, PlacementGroupSchedulingStrategy)
    if isinstance(value, known) or value in ("DEFAULT", "SPREAD"):
        return value
    if isinstance(value, str):
        raise ValueError(f"{name} must be 'DEFAULT', 'SPREAD' or an object of sabir.util.scheduling_strategies")
    raise TypeError(
        f"{name} must be 'DEFAULT', 'SPREAD' or an object of sabir.util.scheduling_strategies, "
        f"not {type(value).__name__}"
    )


def selector(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict of label to condition, not {type(value).__name__}")
    for key, condition in value.items():
        if not isinstance(key, str) or not key:
            raise TypeError(f"{name}: labels must be non-empty strings, not {key!r}")
        if not isinstance(condition, str):
            raise TypeError(f"{name}[{key!r}] must be a str, as 'eu', '!eu', 'in(eu, us)', not {condition!r}")
    return dict(value)


def fallbacks(name: str, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{name} must be a list of dicts, not {type(value).__name__}")
    checked = []
    for i, one in enumerate(value):
        if not isinstance(one, Mapping) or set(one) != {"label_selector"}:
            raise ValueError(f"{name}[{i}] must be {{'label_selector': {{...}}}}, not {one!r}")
        checked.append({"label_selector": selector(f"{name}[{i}]['label_selector']", one["label_selector"])})
    return checked


def check_together(options: Mapping[str, Any]) -> None:
    labels = options.get("label_selector")
    if isinstance(options.get("scheduling_strategy"), NodeLabelSchedulingStrategy) and (
        labels or options.get("fallback_strategy")
    ):
        raise ValueError(
            "NodeLabelSchedulingStrategy does not go with label_selector and fallback_strategy: one of them"
        )
    if isinstance(options.get("scheduling_strategy"), PlacementGroupSchedulingStrategy) and labels:
        raise ValueError("PlacementGroupSchedulingStrategy does not go with label_selector: give the bundles labels")
    if options.get("fallback_strategy") and not labels:
        raise ValueError("fallback_strategy needs a label_selector, which it is tried after")


def native(options: Mapping[str, Any]) -> Native:
    wanted = options.get("scheduling_strategy", "DEFAULT")
    labels = list((options.get("label_selector") or {}).items())
    others = [list(one["label_selector"].items()) for one in options.get("fallback_strategy") or ()]
    if isinstance(wanted, NodeAffinitySchedulingStrategy):
        return _NODE, wanted.node_id, wanted.soft, labels, others, *_NO_GROUP
    if isinstance(wanted, PlacementGroupSchedulingStrategy):
        group = wanted.placement_group.id if wanted.placement_group is not None else ""
        capture = bool(wanted.placement_group_capture_child_tasks)
        return _GROUP, "", False, [], [], group, wanted.placement_group_bundle_index, capture
    if isinstance(wanted, NodeLabelSchedulingStrategy):
        hard = [(key, str(condition)) for key, condition in wanted.hard.items()]
        soft = [(key, str(condition)) for key, condition in wanted.soft.items()]
        return _DEFAULT, "", False, hard + soft, [hard] if soft else [], *_NO_GROUP
    if wanted == "SPREAD":
        return _SPREAD, "", False, labels, others, *_NO_GROUP
    return (_DEFAULT, "", False, labels, others, *_NO_GROUP) if labels else None


def node_labels(name: str, value: Any) -> list[tuple[str, str]]:
    """Of a node to start: a dict, or the text "key=value,key=value"."""
    if isinstance(value, str):
        pairs = [pair.partition("=") for pair in value.split(",") if pair]
        broken = [key + sign + text for key, sign, text in pairs if not sign or not key]
        if broken:
            raise ValueError(f"{name} must be key=value, with commas between, not {broken[0]!r}")
        return [(key.strip(), text.strip()) for key, _, text in pairs]
    return list(selector(name, value or {}).items())
