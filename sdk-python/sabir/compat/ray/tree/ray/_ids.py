"""Ids, which Sabir has as text."""

from __future__ import annotations

from typing import Any


class BaseID(str):
    """An id: its text, with the methods that Ray's ids have."""

    def hex(self) -> str:
        """The text."""
        return str(self)

    def binary(self) -> bytes:
        """As bytes."""
        return bytes.fromhex(self)

    def is_nil(self) -> bool:
        """Whether it stands for nothing."""
        return not self

    @classmethod
    def nil(cls) -> Any:
        """The id of nothing."""
        return cls("")

    @classmethod
    def from_hex(cls, text: str) -> Any:
        """The id with this text."""
        return cls(text)


class UniqueID(BaseID): ...


class ActorID(BaseID): ...


class FunctionID(BaseID): ...


class JobID(BaseID): ...


class NodeID(BaseID): ...


class PlacementGroupID(BaseID): ...


class TaskID(BaseID): ...


class WorkerID(BaseID): ...
