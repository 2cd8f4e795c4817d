"""Marks of interfaces; without effect."""

from __future__ import annotations

from typing import Any


def _mark(*args: Any, **_: Any) -> Any:
    return args[0] if len(args) == 1 and callable(args[0]) else lambda target: target


PublicAPI = DeveloperAPI = Deprecated = _mark
RayDeprecationWarning = DeprecationWarning
