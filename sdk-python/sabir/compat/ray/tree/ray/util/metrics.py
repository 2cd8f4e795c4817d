"""Metrics, which are kept in the process and reach nobody: Sabir exports none yet."""

from __future__ import annotations

from collections.abc import Sequence

from sabir.compat.ray._options import warn_once


class Metric:
    """A name with values by tags."""

    def __init__(self, name: str, description: str = "", tag_keys: Sequence[str] | None = None) -> None:
        if not name:
            raise ValueError("Empty name is not allowed. Please provide a metric name.")
        warn_once("ray.util.metrics: metrics are not exported in this version of Sabir")
        self._name, self._description, self._tag_keys = name, description, tuple(tag_keys or ())
        self._default_tags: dict[str, str] = {}
        self._values: dict[tuple[tuple[str, str], ...], float] = {}

    @property
    def info(self) -> dict[str, object]:
        """What it is."""
        return {
            "name": self._name,
            "description": self._description,
            "tag_keys": self._tag_keys,
            "default_tags": self._default_tags,
        }

    def set_default_tags(self, default_tags: dict[str, str]) -> Metric:
        """Tags of values that are given none."""
        self._default_tags = dict(default_tags)
        return self

    def _key(self, tags: dict[str, str] | None) -> tuple[tuple[str, str], ...]:
        found = {**self._default_tags, **(tags or {})}
        unknown = set(found) - set(self._tag_keys)
        if unknown:
            raise ValueError(f"Unrecognized tag keys: {sorted(unknown)}")
        return tuple(sorted(found.items()))


class Counter(Metric):
    """Goes up."""

    def inc(self, value: float = 1.0, tags: dict[str, str] | None = None) -> None:
        """Adds to it."""
        if value <= 0:
            raise ValueError(f"value must be >0, got {value}")
        key = self._key(tags)
        self._values[key] = self._values.get(key, 0.0) + value


class Gauge(Metric):
    """Has a value."""

    def set(self, value: float, tags: dict[str, str] | None = None) -> None:
        """Sets it."""
        self._values[self._key(tags)] = value


class Histogram(Metric):
    """Counts values by size."""

    def __init__(
        self,
        name: str,
        description: str = "",
        boundaries: Sequence[float] | None = None,
        tag_keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(name, description, tag_keys)
        self.boundaries = list(boundaries or ())

    def observe(self, value: float, tags: dict[str, str] | None = None) -> None:
        """Takes a value."""
        self._values[self._key(tags)] = value
