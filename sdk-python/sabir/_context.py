"""Where the calling code runs."""

from __future__ import annotations

from typing import Any

from sabir import _functions, _sabir
from sabir._runtime import ensure_started


class RuntimeContext:
    """Ids and names of the job, node, worker, task and actor that the calling code belongs to."""

    def __init__(self) -> None:
        ensure_started()
        self._info = _sabir.info()

    @property
    def namespace(self) -> str:
        """The namespace of this job's actor names."""
        return str(self._info["namespace"])

    @property
    def session_path(self) -> str:
        """The session's directory, an address for ``init``."""
        return str(self._info["session_path"])

    def get_job_id(self) -> str:
        """The id of the job: of the driver whose code this is."""
        return str(self._info["job_id"])

    def get_node_id(self) -> str:
        """The id of the node that this process runs on."""
        return str(self._info["node_id"])

    def get_worker_id(self) -> str:
        """The id of this process, a worker's or the driver's; no two processes ever have the same."""
        return str(self._info["process_id"])

    def get_task_id(self) -> str | None:
        """The running task's id, None in a driver."""
        running = _sabir.context()
        return running["task_id"].hex() if running else None

    def get_task_name(self) -> str | None:
        """The running task's name, None in a driver."""
        running = _sabir.context()
        return _functions.name_of(running["function"]) if running else None

    def get_actor_id(self) -> str | None:
        """The id of the actor that this process hosts, or None."""
        return str(self._info["actor_id"]) or None

    def get_actor_name(self) -> str | None:
        """The registered name of the actor that this process hosts, or None."""
        actor_id = self.get_actor_id()
        if actor_id is None:
            return None
        from sabir._state import actors

        return next((actor.get("name") or None for actor in actors() if actor.get("actor_id") == actor_id), None)

    def get_attempt(self) -> int:
        """0 for a first run, counting up with retries."""
        running: Any = _sabir.context()
        return int(running["attempt"]) if running else 0

    def get_gpu_ids(self) -> list[int]:
        """The GPUs that the running task may use."""
        from sabir import _worker

        return _worker.gpu_ids()


def get_runtime_context() -> RuntimeContext:
    """The context of the calling code."""
    return RuntimeContext()


def get_gpu_ids() -> list[int]:
    """The GPUs that the running task or actor may use."""
    from sabir import _worker

    return _worker.gpu_ids()
