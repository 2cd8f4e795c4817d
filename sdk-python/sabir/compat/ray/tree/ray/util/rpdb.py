"""The debugger of workers."""

from __future__ import annotations

from typing import Any

from sabir.exceptions import NotSupportedError


def set_trace(*_: Any, **__: Any) -> None:
    """Not in this version of Sabir."""
    raise NotSupportedError("ray.util.rpdb: there is no debugger of workers in this version of Sabir")
