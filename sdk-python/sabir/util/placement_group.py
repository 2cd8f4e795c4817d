"""Placement groups: bundles of resources, reserved on nodes together or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sabir import _sabir

if TYPE_CHECKING:
    from sabir._sabir import ObjectRef

_STRATEGIES = ("PACK", "SPREAD", "STRICT_PACK", "STRICT_SPREAD")


def ensure_started() -> None:
    # Here and below: the modules of options know this one, so it can know them when it is used alone.
    from sabir import _runtime

    _runtime.ensure_started()


class PlacementGroupID(str):
    """The id of a placement group: 32 hex digits."""

    __slots__ = ()

    def hex(self) -> str:
        """The digits."""
        return str(self)


class PlacementGroup:
    """A handle of a placement group. It may be passed to tasks and actors. Made by :func:`placement_group`."""

    def __init__(self, id: str, bundle_specs: list[dict[str, float]] | None = None) -> None:
        self._id = PlacementGroupID(id)
        self._bundles = bundle_specs
        self._waited_for: ObjectRef[PlacementGroup] | None = None

    @property
    def id(self) -> PlacementGroupID:
        """32 hex digits, as a str and by ``id.hex()``."""
        return self._id

    @property
    def bundle_specs(self) -> list[dict[str, float]]:
        """What each bundle reserves."""
        if self._bundles is None:
            found = _find(self._id)[0]
            self._bundles = [bundle["resources"] for bundle in found["bundles"]]
        return [dict(bundle) for bundle in self._bundles]

    @property
    def bundle_count(self) -> int:
        """The number of bundles."""
        return len(self.bundle_specs)

    @property
    def is_empty(self) -> bool:
        """False: there are no groups without a bundle."""
        return False

    def ready(self) -> ObjectRef[PlacementGroup]:
        """A reference that has this handle as its value as soon as all bundles are reserved.

        ``get`` of it raises TaskPlacementGroupRemoved if the group was removed.
        """
        ensure_started()
        return _sabir.group_ready(self._id, self)

    def wait(self, timeout_seconds: float | int = 30) -> bool:
        """Waits until all bundles are reserved. False: they are not in ``timeout_seconds``, or never will be."""
        import sabir
        from sabir.exceptions import TaskPlacementGroupRemoved

        # One that was not ready yet is waited for again: each reference is watched by the node until it is settled.
        ref, self._waited_for = self._waited_for or self.ready(), None
        done, _ = sabir.wait([ref], timeout=timeout_seconds)
        if not done:
            self._waited_for = ref
            return False
        try:
            sabir.get(ref)
        except TaskPlacementGroupRemoved:
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlacementGroup) and self._id == other._id

    def __hash__(self) -> int:
        return hash(self._id)

    def __repr__(self) -> str:
        return f"PlacementGroup({self._id})"

    def __reduce__(self) -> Any:
        return PlacementGroup, (str(self._id), self._bundles)


def placement_group(
    bundles: Sequence[Mapping[str, float]],
    strategy: str = "PACK",
    name: str = "",
    lifetime: str | None = None,
    bundle_label_selector: Sequence[Mapping[str, str]] | None = None,
) -> PlacementGroup:
    """Asks for a placement group and returns its handle at once; its bundles are reserved when there is room.

    Args:
        bundles: what each is to reserve, as ``{"CPU": 1, "GPU": 1, "my_resource": 2}``.
        strategy: "PACK" (on few nodes), "SPREAD" (on many), "STRICT_PACK" (on one, or not at all) or "STRICT_SPREAD"
            (each on another one, or not at all).
        name: for :func:`get_placement_group`; unique in the namespace. "": none.
        lifetime: "detached": it outlives this program. Else it ends with it.
        bundle_label_selector: for each bundle what labels its node must have, as the option label_selector says it.

    Raises:
        ValueError, TypeError: what no cluster could have.
        NameTakenError: another group has the name.
    """
    specs = _bundles(bundles)
    if strategy not in _STRATEGIES:
        raise ValueError(f"strategy must be one of {', '.join(_STRATEGIES)}, not {strategy!r}")
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, not {type(name).__name__}")
    if lifetime not in (None, "detached"):
        raise ValueError(f"lifetime must be None or 'detached', not {lifetime!r}")
    selectors = _selectors(bundle_label_selector, len(specs))
    ensure_started()
    native = [(spec, list(selector.items())) for spec, selector in zip(specs, selectors)]
    made = _sabir.create_group(_STRATEGIES.index(strategy), native, name, "", lifetime == "detached")
    return PlacementGroup(made, specs)


def remove_placement_group(placement_group: PlacementGroup) -> None:
    """Removes it. What runs in it ends: calls raise TaskPlacementGroupRemoved, actors die. Twice is like once."""
    _check_handle("placement_group", placement_group)
    ensure_started()
    _sabir.remove_group(placement_group.id)


def get_placement_group(placement_group_name: str) -> PlacementGroup:
    """The group that has this name in the namespace. Raises ValueError if there is none."""
    if not isinstance(placement_group_name, str) or not placement_group_name:
        raise ValueError("a placement group's name is a text that is not empty")
    ensure_started()
    from sabir.exceptions import NotFoundError

    try:
        found = json.loads(_sabir.find_groups("", placement_group_name, ""))[0]
    except NotFoundError as error:
        raise ValueError(str(error)) from None
    return PlacementGroup(found["group_id"], [bundle["resources"] for bundle in found["bundles"]])


def get_current_placement_group() -> PlacementGroup | None:
    """The group that the calling task or actor runs in, or None."""
    ensure_started()
    current = _sabir.current_group()
    return None if current is None else PlacementGroup(current[0])


def placement_group_table(placement_group: PlacementGroup | None = None) -> dict[str, Any]:
    """What is known of one group; or of all, by their ids.

    Of each: placement_group_id, name, namespace, bundles (index to resources), bundles_to_node_id (index to node, ""
    while it has none), strategy, state ("PENDING", "CREATED", "RESCHEDULING", "REMOVED"), reason (why it is not created,
    for people), infeasible, detached, job_id.
    """
    if placement_group is not None:
        _check_handle("placement_group", placement_group)
        ensure_started()
        from sabir.exceptions import NotFoundError

        try:
            return _row(_find(placement_group.id)[0])
        except NotFoundError:
            return {"placement_group_id": placement_group.id, "state": "REMOVED"}
    ensure_started()
    return {group["group_id"]: _row(group) for group in json.loads(_sabir.find_groups("", "", ""))}


def _find(group: str) -> list[dict[str, Any]]:
    ensure_started()
    found: list[dict[str, Any]] = json.loads(_sabir.find_groups(group, "", ""))
    return found


_STATES = {"pending": "PENDING", "preparing": "PENDING", "ready": "CREATED", "replacing": "RESCHEDULING"}


def _row(group: dict[str, Any]) -> dict[str, Any]:
    return {
        "placement_group_id": group["group_id"],
        "name": group["name"],
        "namespace": group["namespace"],
        "bundles": {bundle["index"]: bundle["resources"] for bundle in group["bundles"]},
        "bundles_to_node_id": {bundle["index"]: bundle["node_id"] for bundle in group["bundles"]},
        "strategy": group["strategy"],
        "state": _STATES.get(group["state"], group["state"].upper()),
        "reason": group["reason"],
        "infeasible": group["infeasible"],
        "detached": group["detached"],
        "job_id": group["job_id"],
    }


def _check_handle(name: str, value: Any) -> None:
    if not isinstance(value, PlacementGroup):
        raise TypeError(f"{name} must be a PlacementGroup, not {type(value).__name__}")


def _bundles(bundles: Any) -> list[dict[str, float]]:
    from sabir import _options

    if not isinstance(bundles, (list, tuple)):
        raise TypeError(f"bundles must be a list of dicts, not {type(bundles).__name__}")
    if not bundles:
        raise ValueError("bundles is empty: a placement group needs at least one")
    return [_options.bundle(f"bundles[{i}]", bundle) for i, bundle in enumerate(bundles)]


def _selectors(selectors: Any, count: int) -> list[dict[str, str]]:
    from sabir import _scheduling

    if selectors is None:
        return [{} for _ in range(count)]
    if not isinstance(selectors, (list, tuple)) or len(selectors) != count:
        raise ValueError(f"bundle_label_selector must be a list with a dict for each of the {count} bundles")
    return [_scheduling.selector(f"bundle_label_selector[{i}]", one) for i, one in enumerate(selectors)]
