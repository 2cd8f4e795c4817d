"""What programs need seldom; the names are Ray's. Modules beside it: queue, multiprocessing, joblib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sabir.util.placement_group import (
    PlacementGroup,
    get_current_placement_group,
    get_placement_group,
    placement_group,
    placement_group_table,
    remove_placement_group,
)

if TYPE_CHECKING:
    from sabir.util.actor_pool import ActorPool
    from sabir.util.check_serialize import inspect_serializability
    from sabir.util.iterate import as_completed, map_unordered
    from sabir.util.named_actors import list_named_actors
    from sabir.util.serialization import deregister_serializer, register_serializer

# Imported when somebody asks for them: `import sabir` comes through here.
_LAZY = {
    "ActorPool": "actor_pool",
    "as_completed": "iterate",
    "deregister_serializer": "serialization",
    "inspect_serializability": "check_serialize",
    "list_named_actors": "named_actors",
    "map_unordered": "iterate",
    "register_serializer": "serialization",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found = getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


__all__ = [
    "ActorPool",
    "PlacementGroup",
    "as_completed",
    "deregister_serializer",
    "get_current_placement_group",
    "get_placement_group",
    "inspect_serializability",
    "list_named_actors",
    "map_unordered",
    "placement_group",
    "placement_group_table",
    "register_serializer",
    "remove_placement_group",
]
