"""Sabir's, under Ray's name."""

from sabir.util.queue import Empty, Full, Queue

__all__ = ["Empty", "Full", "Queue"]
