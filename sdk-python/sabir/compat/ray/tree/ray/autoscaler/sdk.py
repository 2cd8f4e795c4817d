"""Wishes for nodes."""

from __future__ import annotations

from typing import Any

from sabir.compat.ray._options import warn_once


def request_resources(num_cpus: int | None = None, bundles: Any = None, bundle_label_selectors: Any = None) -> None:
    """Nothing happens: nodes are not started by demand in this version of Sabir."""
    warn_once("ray.autoscaler.sdk.request_resources: nodes are not started by demand in this version of Sabir")
