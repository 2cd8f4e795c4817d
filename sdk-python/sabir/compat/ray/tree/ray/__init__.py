"""Ray's interface on Sabir (sabir.compat.ray)."""

# ruff: noqa: F401 (the names are for programs)
from __future__ import annotations

from typing import Any

from sabir import ObjectRef

from ray import _patch  # isort: skip
from ray import actor, exceptions, runtime_context, util
from ray._calls import cancel, get, get_actor, kill, method, put, remote, show_in_dashboard, timeline, wait
from ray._dynamic import DynamicObjectRefGenerator
from ray._ids import ActorID, FunctionID, JobID, NodeID, PlacementGroupID, TaskID, UniqueID, WorkerID
from ray._init import LoggingConfig, client, init, is_initialized, shutdown
from ray._private import ray_constants
from ray._state import available_resources, cluster_resources, nodes
from ray.actor import ActorHandle
from ray.cross_language import cpp_actor_class, cpp_function, java_actor_class, java_function
from ray.job_config import JobConfig
from ray.runtime_context import get_gpu_ids, get_resource_ids, get_runtime_context

__version__ = "2.60.0"
__commit__ = "sabir"
ObjectID = ObjectRef
SCRIPT_MODE, WORKER_MODE, LOCAL_MODE = 0, 1, 2


class ObjectRefGenerator:
    """Of streaming generators, which are not in this version of Sabir."""


class Language:
    """Of a function or actor."""

    PYTHON, JAVA, CPP = "PYTHON", "JAVA", "CPP"


_LAZY = (
    "autoscaler",
    "cluster_utils",
    "dag",
    "data",
    "experimental",
    "remote_function",
    "runtime_env",
    "services",
    "state",
    "types",
    "worker",
)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return importlib.import_module(f"ray.{name}")
    if name in ("tune", "train", "serve", "rllib", "air", "workflow", "job_submission", "llm"):
        raise AttributeError(f"ray.{name} is not part of Sabir, which has Ray's Core interface only")
    raise AttributeError(f"module 'ray' has no attribute {name!r} (Sabir's layer for programs of Ray, docs/ray.md)")
