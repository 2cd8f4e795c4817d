"""Settings of a job."""

from __future__ import annotations

from typing import Any


class JobConfig:
    """What a program says of its job; of it, ``ray.init`` takes the namespace, the code path and the environment."""

    def __init__(
        self,
        jvm_options: Any = None,
        code_search_path: Any = None,
        runtime_env: Any = None,
        _client_job: bool = False,
        metadata: Any = None,
        ray_namespace: str | None = None,
        default_actor_lifetime: str = "non_detached",
        **_: Any,
    ) -> None:
        self.jvm_options = list(jvm_options or [])
        self.code_search_path = list(code_search_path or [])
        self.runtime_env = dict(runtime_env or {})
        self.metadata = dict(metadata or {})
        self.ray_namespace = ray_namespace

    def set_metadata(self, key: str, value: str) -> None:
        """A note of the program's own."""
        self.metadata[key] = value

    def set_ray_namespace(self, ray_namespace: str) -> None:
        """The namespace of actors' names."""
        self.ray_namespace = ray_namespace

    def set_runtime_env(self, runtime_env: Any, validate: bool = False) -> None:
        """The environment of the job's workers."""
        self.runtime_env = dict(runtime_env or {})
