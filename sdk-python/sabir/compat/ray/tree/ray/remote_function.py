"""Functions as tasks."""

from __future__ import annotations

from typing import Any

import sabir
from sabir.compat.ray._options import translated


class RemoteFunction(sabir.RemoteFunction):  # type: ignore[type-arg]
    """A function that ``@ray.remote`` made a task."""

    def __init__(self, function: Any, options: Any) -> None:
        super().__init__(function, translated(options))

    def options(self, **options: Any) -> Any:
        """The same function with some options changed."""
        return super().options(**translated(options))
