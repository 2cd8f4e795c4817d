"""Old names."""

from ray._private.worker import global_worker

__all__ = ["global_worker"]
