"""Dask's graphs as tasks."""

from __future__ import annotations

from sabir.util.dask import disable_dask_on_sabir as disable_dask_on_ray
from sabir.util.dask import enable_dask_on_sabir as enable_dask_on_ray
from sabir.util.dask import sabir_dask_get as ray_dask_get

__all__ = ["disable_dask_on_ray", "enable_dask_on_ray", "ray_dask_get"]
