"""Sabir's, under Ray's name."""

from sabir.util.check_serialize import FailureTuple, inspect_serializability

__all__ = ["FailureTuple", "inspect_serializability"]
