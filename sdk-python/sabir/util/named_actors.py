"""The names of living actors."""

from __future__ import annotations

from typing import Any

from sabir import _sabir
from sabir._state import actors
from sabir.exceptions import SabirError


def list_named_actors(all_namespaces: bool = False) -> list[Any]:
    """The names of the living actors of this program's namespace that this node knows of, sorted.

    Those are the actors that were made or run on it, and those that something on it has handles of.
    ``all_namespaces`` is a NotImplementedError: nodes do not tell the namespaces of actors.
    """
    if all_namespaces:
        raise NotImplementedError(
            "list_named_actors(all_namespaces=True): nodes do not tell the namespaces of actors in this version of Sabir"
        )
    named = [actor for actor in actors() if actor.get("name") and actor["state"] != "dead"]
    return sorted({actor["name"] for actor in named if _id_here(actor["name"]) == actor["actor_id"]})


def _id_here(name: str) -> str | None:
    """The id of the actor with this name in this program's namespace."""
    try:
        return _sabir.lookup_actor(name, "").hex()
    except SabirError:
        return None
