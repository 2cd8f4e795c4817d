"""init and shutdown: this process's membership in a session."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from sabir import _errors, _functions, _options, _sabir, _serialization, _signature, _tables, exceptions
from sabir._actor import ActorHandle, special_method
from sabir._languages import code_paths, job_config, language_envs
from sabir._neutral import neutral

_epoch = 0
# Reentrant: a signal's handler may call shutdown() while this thread is in init().
_lock = threading.RLock()
_started_in = 0  # the process that called init()
_is_worker = False
_exiting = False


def _after_fork() -> None:
    # Another thread may have held it; it does not exist here.
    global _lock
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)


def set_hooks(task_begins: Any = lambda gpu_mask: None) -> None:
    """Gives the native half its slow paths; done once per process."""
    _sabir.set_exceptions(exceptions.BY_STATUS)
    _sabir.set_hooks(
        {
            "dumps": _serialization.dumps,
            "loads": _serialization.loads,
            "load_function": _functions.load,
            "failure": _errors.describe_exception,
            "error_value": _errors.exception_of,
            "missing_method": _signature.missing_method,
            "misfit": _signature.misfit,
            "special_method": special_method,
            "actor_handle": ActorHandle,
            "task_begins": task_begins,
            "neutral": neutral,
            "serialization_error": exceptions.SerializationError,
            "table": _tables.restore,
        }
    )


class Context:
    """What ``init`` returns; as a context manager it shuts down at the end of the block."""

    def __init__(self, info: Mapping[str, Any]) -> None:
        self.session_path: str = info["session_path"]
        self.job_id: str = info["job_id"]
        self.node_id: str = info["node_id"]
        self.namespace: str = info["namespace"]

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        if not _in_worker():  # a task that called init(ignore_reinit_error=True)
            shutdown()

    def __repr__(self) -> str:
        return f"Context(session_path={self.session_path!r}, job_id={self.job_id!r})"


def init(
    address: str | None = None,
    *,
    num_cpus: float | None = None,
    num_gpus: float | None = None,
    resources: dict[str, float] | None = None,
    object_store_memory: int | None = None,
    namespace: str | None = None,
    log_to_driver: bool = True,
    ignore_reinit_error: bool = False,
    job_name: str | None = None,
    code_search_path: Sequence[str | os.PathLike[str]] = (),
    cpp_worker: str | os.PathLike[str] | None = None,
    java_jar: str | os.PathLike[str] | None = None,
    java_options: Sequence[str] = (),
    slots_per_jvm: int = 1,
    timeout_s: float = 60.0,
    _session_root: str | None = None,
) -> Context:
    """Joins a session as its driver, starting one on this machine if there is none.

    Args:
        address: None: ``SABIR_ADDRESS``, else a session of this user that ``sabir start`` has started, else a new one.
            ``"local"``: a new one. ``"auto"``: a running one (another driver's own only if there is no other),
            NotFoundError if there is none. ``"sabir://..."``, what ``sabir start --head`` has printed: this program
            visits that cluster, as a node of its own that runs nothing and ends with it. Otherwise the path of a session
            directory.
        num_cpus: CPUs of a new session's node; default: those of the machine.
        num_gpus: GPUs of a new session's node; default 0. Tasks see theirs in ``CUDA_VISIBLE_DEVICES``.
        resources: other resources of a new session's node, by name.
        object_store_memory: bytes for objects of a node that is started; default 30 % of the machine's memory.
        namespace: of actor names; default: one of this job's own.
        log_to_driver: print what workers write.
        ignore_reinit_error: a second call does nothing instead of raising RuntimeError.
        job_name: for people; default: the program's name.
        code_search_path: where workers of all languages look for code, beside ``sys.path``: folders with Python
            modules, shared libraries or Java classes, shared libraries, jars.
        cpp_worker: the program that runs C++ tasks: any that calls ``sabir::init()`` first; default: the one of this
            package, which loads the shared libraries of ``code_search_path``.
        java_jar: the jar ``sabir-java``, for tasks in Java; default: ``SABIR_JAVA_JAR``, else a file
            ``sabir-java*.jar`` in ``code_search_path``, else there are none.
        java_options: options of the JVMs that run Java tasks, such as ``"-Xmx2g"``.
        slots_per_jvm: so many Java tasks of this job run in one JVM at a time, in threads of their own, 1 to 64. More
            than one saves memory; the tasks share static fields, and one that ends its JVM ends the others' with it.
            Actors have a JVM each.
        timeout_s: for the whole start.

    Returns:
        A Context: a context manager that shuts down at its end.
    """
    global _epoch, _started_in
    if _sabir.is_started() and _started_in != os.getpid():
        shutdown()  # a fork of the process that called init(): what it inherited is not its own
    with _lock:
        if _sabir.is_started():
            if ignore_reinit_error:
                return Context(_sabir.info())
            raise RuntimeError(
                "sabir.init() was called already; pass ignore_reinit_error=True or call sabir.shutdown() first"
            )
        config = _config(
            address,
            num_cpus,
            num_gpus,
            resources,
            object_store_memory,
            namespace,
            log_to_driver,
            job_name,
            timeout_s,
            _session_root,
        )
        paths = code_paths(code_search_path)
        config["language_envs"] = language_envs(paths, cpp_worker, java_jar, java_options, slots_per_jvm)
        config["job_config"] = job_config(paths)
        # The first remote function needs it; its import takes longer than the node's start, so both run side by side.
        threading.Thread(target=_import_cloudpickle, name="sabir-import", daemon=True).start()
        _sabir.start(config)
        _epoch += 1
        _started_in = os.getpid()
        atexit.register(_at_exit)
        from sabir import _logs

        _logs.start_reader()
        return Context(_sabir.info())


def _import_cloudpickle() -> None:
    try:
        import cloudpickle  # noqa: F401
    except ImportError:
        pass  # told where it is needed


def _config(
    address: Any,
    num_cpus: Any,
    num_gpus: Any,
    resources: Any,
    object_store_memory: Any,
    namespace: Any,
    log_to_driver: Any,
    job_name: Any,
    timeout_s: float,
    session_root: Any,
) -> dict[str, Any]:
    for name, value in (("address", address), ("namespace", namespace), ("job_name", job_name)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if object_store_memory is not None:
        if isinstance(object_store_memory, bool) or not isinstance(object_store_memory, int):
            raise TypeError(f"object_store_memory must be an int (bytes), not {type(object_store_memory).__name__}")
        if object_store_memory < 1 << 20:
            raise ValueError(f"object_store_memory must be at least 1 MiB, not {object_store_memory} bytes")
    if not timeout_s >= 0:
        raise ValueError(f"timeout_s must be at least 0, not {timeout_s}")
    amounts = _options.node_resources(num_cpus, num_gpus, resources)
    starts_a_node = address is None or address == "local" or address.startswith("sabir://")
    if not starts_a_node and (amounts or object_store_memory is not None):
        raise ValueError(
            f"address={address!r} joins a session: num_cpus, num_gpus, resources and object_store_memory "
            "belong to the one that starts it"
        )
    return {
        "address": address or "",
        "resources": amounts,
        "store_bytes": object_store_memory,
        "namespace": namespace or "",
        "job_name": job_name or os.path.basename(sys.argv[0] if sys.argv else "") or "python",
        "log_to_driver": bool(log_to_driver),
        "timeout_s": timeout_s,
        "session_root": session_root,
    }


def ensure_started() -> int:
    """The number of this start; starts a session if there is none, as Ray does at the first remote call."""
    if not _sabir.is_started():
        if _exiting:
            raise exceptions.NotInitializedError("Sabir was shut down: this process is exiting")
        init(ignore_reinit_error=True)  # another thread may be at it, too
    return _epoch


def _at_exit() -> None:
    global _exiting
    _exiting = True  # what still runs, as finalizers, must not start a session
    shutdown()


def adopt_worker() -> None:
    """A worker has joined by itself: calls of its tasks find a started runtime."""
    global _epoch, _started_in, _is_worker
    _epoch += 1
    _started_in = os.getpid()
    _is_worker = True
    from sabir import _logs

    _logs.start_reader()


def _in_worker() -> bool:
    return _is_worker and _started_in == os.getpid()


def is_initialized() -> bool:
    """True between init() and shutdown(), and inside tasks and actors."""
    return bool(_sabir.is_started()) and _started_in == os.getpid()


def shutdown() -> None:
    """Leaves the session: this job's tasks and actors end, and a session that init() started stops. Idempotent.

    Raises:
        RuntimeError: called in a task or actor, whose process belongs to the session.
    """
    global _is_worker
    if _in_worker():
        raise RuntimeError(
            "sabir.shutdown() is for drivers: a task or actor cannot leave the session (an actor ends with exit_actor())"
        )
    with _lock:
        if not _sabir.is_started():
            return
        _is_worker = False  # in a worker's fork
        atexit.unregister(_at_exit)
        _sabir.shutdown()
        from sabir import _futures, _logs

        left = _futures.take_waiting()
    _futures.settle(left)
    _logs.stop_reader()
