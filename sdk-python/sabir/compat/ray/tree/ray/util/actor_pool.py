"""Sabir's, under Ray's name."""

from sabir.util.actor_pool import ActorPool

__all__ = ["ActorPool"]
