"""joblib's backend."""

from __future__ import annotations

from typing import Any

from sabir.compat.ray._options import translated
from sabir.util.joblib import SabirBackend


class RayBackend(SabirBackend):
    """Sabir's backend with Ray's names of arguments."""

    def __init__(self, *args: Any, ray_remote_args: dict[str, Any] | None = None, **kwargs: Any) -> None:
        options: dict[str, Any] = {**kwargs, **translated(ray_remote_args or {})}
        super().__init__(*args, **options)
