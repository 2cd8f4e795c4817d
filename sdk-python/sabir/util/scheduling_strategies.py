"""Where tasks and actors run: values of the option ``scheduling_strategy``, beside "DEFAULT" and "SPREAD"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from sabir.util.placement_group import PlacementGroup


@dataclass(frozen=True)
class NodeAffinitySchedulingStrategy:
    """On one node.

    Args:
        node_id: its id, as :func:`sabir.nodes` and ``get_runtime_context().get_node_id()`` have it.
        soft: elsewhere if that node is gone or can never run it. Else such a call fails with TaskUnschedulableError.
    """

    node_id: str
    soft: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.node_id, str) or len(self.node_id) != 32 or not _is_hex(self.node_id):
            raise ValueError(f"node_id must be 32 hex digits, not {self.node_id!r}")
        if not isinstance(self.soft, bool):
            raise TypeError(f"soft must be a bool, not {type(self.soft).__name__}")


class In:
    """The label is there and has one of these values."""

    def __init__(self, *values: str) -> None:
        self.values = _texts("In", values)

    def __str__(self) -> str:
        return f"in({', '.join(self.values)})"


class NotIn:
    """The label is not there, or has another value than these."""

    def __init__(self, *values: str) -> None:
        self.values = _texts("NotIn", values)

    def __str__(self) -> str:
        return f"!in({', '.join(self.values)})"


class Exists:
    """The label is there."""

    def __str__(self) -> str:
        return "exists()"


class DoesNotExist:
    """The label is not there."""

    def __str__(self) -> str:
        return "!exists()"


LabelCondition = Union[In, NotIn, Exists, DoesNotExist]


@dataclass(frozen=True)
class NodeLabelSchedulingStrategy:
    """On nodes by their labels; the options ``label_selector`` and ``fallback_strategy`` say the same in texts.

    Args:
        hard: what a node must meet.
        soft: what it should meet besides; nodes that do are tried first.
    """

    hard: Mapping[str, LabelCondition]
    soft: Mapping[str, LabelCondition] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, conditions in (("hard", self.hard), ("soft", self.soft)):
            if not isinstance(conditions, Mapping):
                raise TypeError(f"{name} must be a dict of label to In, NotIn, Exists or DoesNotExist")
            for key, condition in conditions.items():
                if not isinstance(key, str) or not isinstance(condition, (In, NotIn, Exists, DoesNotExist)):
                    raise TypeError(f"{name}[{key!r}] must be In(...), NotIn(...), Exists() or DoesNotExist()")
        if not self.hard and not self.soft:
            raise ValueError("hard and soft are both empty")


@dataclass(frozen=True)
class PlacementGroupSchedulingStrategy:
    """In a bundle of a placement group (:func:`sabir.util.placement_group`).

    Args:
        placement_group: the group; None: in no group, also where the caller's group captures what it calls.
        placement_group_bundle_index: of the bundle, from 0; -1: any that has room.
        placement_group_capture_child_tasks: what the task or actor calls and makes runs in the group, too, unless it has
            a scheduling_strategy of its own.
    """

    placement_group: PlacementGroup | None
    placement_group_bundle_index: int = -1
    placement_group_capture_child_tasks: bool | None = False

    def __post_init__(self) -> None:
        from sabir.util.placement_group import PlacementGroup

        if self.placement_group is not None and not isinstance(self.placement_group, PlacementGroup):
            raise TypeError(f"placement_group must be a PlacementGroup, not {type(self.placement_group).__name__}")
        index = self.placement_group_bundle_index
        if isinstance(index, bool) or not isinstance(index, int):
            raise TypeError(f"placement_group_bundle_index must be an int, not {type(index).__name__}")
        if index < -1:
            raise ValueError(f"placement_group_bundle_index must be at least -1, not {index}")
        if self.placement_group is None:
            if index != -1:
                raise ValueError("placement_group_bundle_index without a placement_group")
            return
        specs = self.placement_group._bundles
        if specs is not None and index >= len(specs):
            raise ValueError(f"placement_group_bundle_index {index}: the group has {len(specs)} bundles")


def _is_hex(text: str) -> bool:
    return all(digit in "0123456789abcdefABCDEF" for digit in text)


def _texts(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    if not values or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{name} needs one text or more")
    return values
