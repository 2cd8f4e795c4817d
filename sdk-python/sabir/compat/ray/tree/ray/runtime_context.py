"""Where the calling code runs."""

from __future__ import annotations

from typing import Any

import sabir
from ray import _init
from ray._ids import ActorID, JobID, NodeID, TaskID
from sabir import get_gpu_ids
from sabir.exceptions import NotSupportedError

__all__ = ["RuntimeContext", "get_gpu_ids", "get_resource_ids", "get_runtime_context"]


class RuntimeContext(sabir.RuntimeContext):
    """Sabir's, with what Ray's has beside it."""

    @property
    def job_id(self) -> JobID:
        """As get_job_id()."""
        return JobID(self.get_job_id())

    @property
    def node_id(self) -> NodeID:
        """As get_node_id()."""
        return NodeID(self.get_node_id())

    @property
    def task_id(self) -> TaskID | None:
        """As get_task_id()."""
        found = self.get_task_id()
        return TaskID(found) if found else None

    @property
    def actor_id(self) -> ActorID | None:
        """As get_actor_id()."""
        found = self.get_actor_id()
        return ActorID(found) if found else None

    @property
    def gcs_address(self) -> str:
        """An address for init()."""
        return self.session_path

    @property
    def runtime_env(self) -> dict[str, Any]:
        """The environment that init() was given in this process."""
        return dict(_init.runtime_env)

    def get_runtime_env_string(self) -> str:
        """The environment as JSON."""
        import json

        return json.dumps(self.runtime_env)

    @property
    def current_actor(self) -> Any:
        """The handle of the actor that this process hosts, if it has a name."""
        if self.get_actor_id() is None:
            raise RuntimeError("This method is only available in an actor.")
        name = self.get_actor_name()
        if not name:
            raise NotSupportedError("current_actor: only of actors with a name in this version of Sabir")
        return sabir.get_actor(name)

    def get_task_function_name(self) -> str | None:
        """As get_task_name()."""
        return self.get_task_name()

    def get_accelerator_ids(self) -> dict[str, list[str]]:
        """The GPUs that this task may use."""
        return {"GPU": [str(index) for index in self.get_gpu_ids()]}

    def get_resource_ids(self) -> dict[str, list[str]]:
        """As get_accelerator_ids()."""
        return self.get_accelerator_ids()

    def get_assigned_resources(self) -> dict[str, float]:
        """Not in this version of Sabir."""
        raise NotSupportedError("get_assigned_resources: a task does not know its resources in this version of Sabir")

    def get_placement_group_id(self) -> str | None:
        """The id of the placement group that this code runs in."""
        from sabir.util import get_current_placement_group

        group = get_current_placement_group()
        return group.id if group is not None else None

    @property
    def current_placement_group_id(self) -> str | None:
        """As get_placement_group_id()."""
        return self.get_placement_group_id()

    def get_dashboard_url(self) -> str:
        """There is none."""
        return ""

    def get(self) -> dict[str, Any]:
        """The ids in a dict."""
        found = {"job_id": self.job_id, "node_id": self.node_id, "namespace": self.namespace}
        more = {"task_id": self.task_id, "actor_id": self.actor_id}
        return {**found, **{name: value for name, value in more.items() if value}}


def get_runtime_context() -> RuntimeContext:
    """The context of the calling code."""
    return RuntimeContext()


def get_resource_ids() -> dict[str, list[tuple[int, float]]]:
    """The GPUs that this task may use, each with its share."""
    return {"GPU": [(index, 1.0) for index in get_gpu_ids()]}
