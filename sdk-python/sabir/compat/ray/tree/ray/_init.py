"""init and shutdown."""

from __future__ import annotations

import inspect
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sabir
from sabir.compat.ray._options import warn_once
from sabir.exceptions import NotFoundError, NotSupportedError

# What is known of the environment of this job's workers (get_runtime_context().runtime_env).
runtime_env: dict[str, Any] = {}


class LoggingConfig:
    """Taken and not used."""

    def __init__(self, encoding: str = "TEXT", log_level: str = "INFO", **more: Any) -> None:
        self.encoding, self.log_level, self.more = encoding, log_level, more


class RayContext:
    """What ``ray.init`` returns."""

    dashboard_url = ""
    protocol_version = None

    def __init__(self, context: Any) -> None:
        self.python_version = platform.python_version()
        self.ray_version = "2.60.0"
        self.ray_commit = "sabir"
        self.address_info = {
            "address": context.session_path,
            "gcs_address": context.session_path,
            "node_id": context.node_id,
            "node_ip_address": "127.0.0.1",
            "object_store_address": context.session_path,
            "raylet_socket_name": context.session_path,
            "session_dir": context.session_path,
            "webui_url": "",
        }

    def __getitem__(self, key: str) -> Any:
        return self.address_info[key]

    def __enter__(self) -> RayContext:
        return self

    def __exit__(self, *raised: object) -> None:
        self.disconnect()

    def disconnect(self) -> None:
        """Leaves the session."""
        shutdown()


def init(
    address: str | None = None,
    *,
    num_cpus: float | None = None,
    num_gpus: float | None = None,
    resources: dict[str, float] | None = None,
    labels: dict[str, str] | None = None,
    object_store_memory: int | None = None,
    local_mode: bool = False,
    ignore_reinit_error: bool = False,
    job_config: Any = None,
    log_to_driver: bool | None = None,
    namespace: str | None = None,
    runtime_env: Any = None,
    **others: Any,
) -> RayContext:
    """Starts a session or joins one. Settings of the dashboard, of logging and of Ray's own processes have no effect."""
    if sabir.is_initialized():
        if not ignore_reinit_error:
            raise RuntimeError(
                "Maybe you called ray.init twice by accident? This error can be suppressed by passing in "
                "'ignore_reinit_error=True' or by calling 'ray.shutdown()' prior to 'ray.init()'."
            )
        return RayContext(sabir.init(ignore_reinit_error=True))
    unknown = [name for name in others if name not in _WITHOUT_EFFECT and not name.startswith("_")]
    if unknown:
        raise RuntimeError(f"Unknown keyword argument(s): {', '.join(unknown)}")
    if local_mode:
        warn_once("local_mode: tasks and actors run in workers, as without it")
    if labels:
        raise NotSupportedError("ray.init(labels=...): labels of a node are given by `sabir start --labels`")
    if job_config is not None:
        namespace = namespace or job_config.ray_namespace
        runtime_env = runtime_env or job_config.runtime_env
    given: dict[str, Any] = {
        "num_cpus": num_cpus,
        "num_gpus": num_gpus,
        "resources": resources,
        "object_store_memory": object_store_memory,
        "namespace": namespace,
        "log_to_driver": log_to_driver is not False,
    }
    if job_config is not None and job_config.code_search_path:
        given["code_search_path"] = job_config.code_search_path
    address = _address(address)
    wanted = dict(runtime_env or {})
    if wanted.get("env_vars") and address is None and not os.environ.get("SABIR_ADDRESS"):
        address = "local"  # its workers get the variables; those of a running session have theirs
    with _environment(wanted, address, given):
        try:
            return RayContext(sabir.init(address, **given))
        except NotFoundError as error:
            raise ConnectionError(f"Could not find any running Ray instance (of Sabir). {error}") from error


def _address(address: str | None) -> str | None:
    address = address or os.environ.get("RAY_ADDRESS") or None
    if address is None or address in ("auto", "local") or address.startswith("sabir://") or os.path.isdir(address):
        return address
    if address.startswith("ray://"):
        raise NotSupportedError("ray:// (Ray Client): programs visit a cluster by what `sabir start --head` prints")
    raise NotSupportedError(f"address {address!r}: give 'auto', 'local', or what `sabir start --head` prints")


@contextmanager
def _environment(wanted: dict[str, Any], address: str | None, given: dict[str, Any]) -> Iterator[None]:
    """The workers of a node that is started here inherit this process's variables."""
    wanted = {key: value for key, value in wanted.items() if value and key != "config"}
    runtime_env.clear()
    runtime_env.update(wanted)
    if wanted and "runtime_env" in inspect.signature(sabir.init).parameters:
        given["runtime_env"] = wanted
        yield
        return
    variables = wanted.pop("env_vars", {})
    if wanted:
        raise NotSupportedError(f"ray.init(runtime_env={{{next(iter(wanted))!r}: ...}}): not in this version of Sabir")
    if variables and address != "local":
        raise NotSupportedError("runtime_env={'env_vars': ...} is for sessions that ray.init() starts: address='local'")
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


_WITHOUT_EFFECT = frozenset(
    (
        "cgroup_path",
        "configure_logging",
        "dashboard_host",
        "dashboard_port",
        "enable_resource_isolation",
        "include_dashboard",
        "logging_config",
        "logging_format",
        "logging_level",
        "object_spilling_directory",
        "proxy_server_url",
        "storage",
        "system_reserved_cpu",
        "system_reserved_memory",
    )
)


def is_initialized() -> bool:
    """Whether this process is in a session."""
    return sabir.is_initialized()


def shutdown(_exiting_interpreter: bool = False) -> None:
    """Leaves the session; one that init() started ends."""
    sabir.shutdown()
    runtime_env.clear()


class _Builder:
    def __init__(self, address: str | None) -> None:
        self._address = address
        self._options: dict[str, Any] = {}

    def env(self, env: dict[str, Any]) -> _Builder:
        self._options["runtime_env"] = env
        return self

    def namespace(self, namespace: str) -> _Builder:
        self._options["namespace"] = namespace
        return self

    def connect(self) -> RayContext:
        return init(self._address, **self._options)


def client(address: str | None = None) -> _Builder:
    """``ray.client(address).connect()``."""
    return _Builder(address)
