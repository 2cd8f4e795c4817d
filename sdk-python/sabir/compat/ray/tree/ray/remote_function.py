"""Functions as tasks."""

from __future__ import annotations

from typing import Any

import sabir
from ray._dynamic import dynamic
from sabir.compat.ray._options import translated


class RemoteFunction(sabir.RemoteFunction):  # type: ignore[type-arg]
    """A function that ``@ray.remote`` made a task."""

    def __init__(self, function: Any, options: Any) -> None:
        left = translated(options)
        if left.get("num_returns") == "dynamic":
            left["num_returns"] = 1
            function = dynamic(function)
        super().__init__(function, left)

    def options(self, **options: Any) -> Any:
        """The same function with some options changed."""
        return super().options(**translated(options))
