"""Environments of workers, as dicts with names."""

from __future__ import annotations

from typing import Any


class RuntimeEnv(dict[str, Any]):
    """A runtime_env; what of it this version of Sabir has is decided where it is used."""

    def __init__(self, **fields: Any) -> None:
        super().__init__({name: value for name, value in fields.items() if value is not None})

    def to_dict(self) -> dict[str, Any]:
        """As a plain dict."""
        return dict(self)


class RuntimeEnvConfig(dict[str, Any]):
    """Settings of an environment's making."""

    def __init__(self, setup_timeout_seconds: int = 600, eager_install: bool = True, **more: Any) -> None:
        super().__init__(setup_timeout_seconds=setup_timeout_seconds, eager_install=eager_install, **more)
