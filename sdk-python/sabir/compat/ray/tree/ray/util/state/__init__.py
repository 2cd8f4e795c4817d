"""The state of the cluster: actors, nodes, placement groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sabir
from sabir._state import status
from sabir.exceptions import NotSupportedError
from sabir.util import placement_group_table

_ACTOR_STATES = {"alive": "ALIVE", "dead": "DEAD", "restarting": "RESTARTING", "leaving": "DEAD"}


class State(dict[str, Any]):
    """What is known of one thing, by key and by attribute."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def _filtered(found: list[State], filters: Sequence[tuple[str, str, Any]] | None, limit: int) -> list[State]:
    for key, predicate, value in filters or ():
        wanted = str(value).lower()
        if predicate not in ("=", "!="):
            raise ValueError(f"Unsupported filter predicate {predicate}")
        found = [one for one in found if (str(one.get(key)).lower() == wanted) == (predicate == "=")]
    return found[:limit]


def list_actors(
    address: str | None = None, filters: Any = None, limit: int = 100, timeout: int = 30, **_: Any
) -> list[State]:
    """The actors that this node knows of."""
    found = [
        State(
            actor_id=actor["actor_id"],
            class_name=actor["class"],
            state=_ACTOR_STATES.get(actor["state"], "PENDING_CREATION"),
            name=actor["name"],
            pid=actor["pid"],
            num_restarts=actor["restarts"],
            is_detached=actor["detached"],
            death_cause=actor["death_reason"] or None,
        )
        for actor in status()["actors"]
    ]
    return _filtered(found, filters, limit)


def list_nodes(
    address: str | None = None, filters: Any = None, limit: int = 100, timeout: int = 30, **_: Any
) -> list[State]:
    """The nodes."""
    found = [
        State(
            node_id=node["NodeID"],
            node_ip=node["NodeManagerAddress"] or "127.0.0.1",
            node_name=node["NodeName"],
            state="ALIVE" if node["Alive"] else "DEAD",
            resources_total=node["Resources"],
            labels=node["Labels"],
        )
        for node in sabir.nodes()
    ]
    return _filtered(found, filters, limit)


def list_placement_groups(
    address: str | None = None, filters: Any = None, limit: int = 100, timeout: int = 30, **_: Any
) -> list[State]:
    """The placement groups."""
    return _filtered([State(group) for group in placement_group_table().values()], filters, limit)


def get_actor(id: str, **_: Any) -> State | None:
    """One actor."""
    return next((actor for actor in list_actors(limit=10**9) if actor["actor_id"] == str(id)), None)


def get_node(id: str, **_: Any) -> State | None:
    """One node."""
    return next((node for node in list_nodes(limit=10**9) if node["node_id"] == str(id)), None)


def _missing(name: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotSupportedError(f"ray.util.state.{name}: not in this version of Sabir (see `sabir status`)")

    return refuse


list_tasks, list_objects, list_workers, list_jobs, list_logs, list_runtime_envs = map(
    _missing, ("list_tasks", "list_objects", "list_workers", "list_jobs", "list_logs", "list_runtime_envs")
)
summarize_tasks, summarize_actors, summarize_objects = map(
    _missing, ("summarize_tasks", "summarize_actors", "summarize_objects")
)
get_task, get_objects, get_worker, get_job, get_log = map(
    _missing, ("get_task", "get_objects", "get_worker", "get_job", "get_log")
)
