"""Names that programs import from Ray's native half."""

from ray import DynamicObjectRefGenerator, ObjectRef, ObjectRefGenerator
from ray._ids import ActorID, JobID, NodeID, PlacementGroupID, TaskID, UniqueID, WorkerID

__all__ = [
    "ActorID",
    "DynamicObjectRefGenerator",
    "JobID",
    "NodeID",
    "ObjectRef",
    "ObjectRefGenerator",
    "PlacementGroupID",
    "TaskID",
    "UniqueID",
    "WorkerID",
]
