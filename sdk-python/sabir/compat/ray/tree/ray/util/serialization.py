"""Sabir's, under Ray's name."""

from sabir.util.serialization import deregister_serializer, register_serializer

__all__ = ["deregister_serializer", "register_serializer"]
