"""A worker's life: join, take over the driver's import paths, run calls until the node says leave."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_gpu_ids: list[int] = []


def gpu_ids() -> list[int]:
    return list(_gpu_ids)


def _task_begins(gpu_mask: int) -> None:
    """The GPUs of this worker changed: what a library finds by CUDA_VISIBLE_DEVICES."""
    _gpu_ids[:] = [index for index in range(64) if gpu_mask >> index & 1]
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, _gpu_ids))


def run(session: str, token: str) -> None:
    """Joins the session with a launch token and works until asked to leave."""
    from sabir import _runtime, _sabir

    _runtime.set_hooks(task_begins=_task_begins)
    _sabir.start_worker(session, token)
    _runtime.adopt_worker()
    _take_over(json.loads(_sabir.info()["job_config"] or b"{}"))
    try:
        _sabir.run_worker()
    finally:
        _flush()
        _sabir.shutdown()


def _take_over(job: Any) -> None:
    """The driver's import paths and working directory."""
    if "sys_path" in job:
        own = [path for path in sys.path if path not in job["sys_path"]]
        sys.path[:] = job["sys_path"] + own
        import importlib

        importlib.invalidate_caches()
    try:
        os.chdir(job.get("cwd", "."))
    except OSError:
        pass  # gone since; the worker stays where the node runs
    for stream in (sys.stdout, sys.stderr):
        # A pipe is block buffered otherwise, and the driver would see lines late. It reads UTF-8, whatever the locale.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
