"""Sabir's pool with Ray's names of arguments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable

from sabir.compat.ray._options import translated
from sabir.util.multiprocessing import pool
from sabir.util.multiprocessing.pool import AsyncResult, IMapIterator, IMapUnorderedIterator, MapResult

__all__ = ["AsyncResult", "IMapIterator", "IMapUnorderedIterator", "MapResult", "Pool"]


class Pool(pool.Pool):
    """A pool of processes that are actors."""

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., Any] | None = None,
        initargs: Iterable[Any] | None = None,
        maxtasksperchild: int | None = None,
        context: Any = None,
        ray_address: str | None = None,
        ray_remote_args: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            processes,
            initializer,
            initargs or (),
            maxtasksperchild,
            context,
            ray_address,
            translated(ray_remote_args or {}),
        )
