"""joblib's backend "ray"."""

from __future__ import annotations

from typing import Any


def register_ray() -> None:
    """Makes the backend ``"ray"`` known to joblib."""
    from joblib import register_parallel_backend

    from ray.util.joblib.ray_backend import RayBackend

    register_parallel_backend("ray", RayBackend)


__all__: list[Any] = ["register_ray"]
