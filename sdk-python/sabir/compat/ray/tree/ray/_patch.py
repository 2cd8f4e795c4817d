"""What Ray's objects have beside Sabir's: added to Sabir's own types, so that it is there wherever they come from."""

from __future__ import annotations

from typing import Any, Callable

import sabir
from ray._ids import ActorID, JobID, PlacementGroupID, TaskID
from sabir.compat.ray._options import translated
from sabir.util.placement_group import PlacementGroup


def _on_completed(self: Any, callback: Callable[[Any], object]) -> None:
    def call(future: Any) -> None:
        error = future.exception()
        callback(future.result() if error is None else error)

    self.future().add_done_callback(call)


_Ref: Any = sabir.ObjectRef
_Ref._on_completed = _on_completed
_Ref.is_nil = lambda self: False
_Ref.task_id = lambda self: TaskID(self.hex())
_Ref.job_id = lambda self: JobID(sabir.get_runtime_context().get_job_id())
_Ref.owner_address = lambda self: b""
_Ref.call_site = lambda self: ""

_Handle: Any = sabir.ActorHandle
_actor_id_text = _Handle._actor_id.fget
_Handle._actor_id = property(lambda self: ActorID(_actor_id_text(self)))
_Handle._ray_actor_id = _Handle._actor_id

_Method: Any = sabir.ActorMethod
_method_options = _Method.options
_Method.options = lambda self, **options: _method_options(self, **translated(options))

_Group: Any = PlacementGroup
_group_id_text = _Group.id.fget
_Group.id = property(lambda self: PlacementGroupID(_group_id_text(self)))

_Error: Any = sabir.exceptions.ActorError
_Error.preempted = False
