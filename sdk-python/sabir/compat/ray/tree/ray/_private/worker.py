"""What programs look up of the worker."""

from __future__ import annotations

from typing import Any

import sabir

blocking_get_inside_async_warned = False


class _Worker:
    @property
    def connected(self) -> bool:
        return sabir.is_initialized()

    @property
    def mode(self) -> int | None:
        if not self.connected:
            return None
        context = sabir.get_runtime_context()
        return 1 if context.get_task_id() is not None or context.get_actor_id() is not None else 0

    @property
    def node_id(self) -> str:
        return sabir.get_runtime_context().get_node_id()

    @property
    def namespace(self) -> str:
        return sabir.get_runtime_context().namespace

    def check_connected(self) -> None:
        if not self.connected:
            raise RuntimeError("Ray has not been started yet. You can start Ray with 'ray.init()'.")


global_worker: Any = _Worker()
