"""Classes as actors."""

from __future__ import annotations

from typing import Any

import sabir
from sabir import ActorHandle, ActorMethod, exit_actor
from sabir.compat.ray._options import translated

__all__ = ["ActorClass", "ActorClassInheritanceException", "ActorHandle", "ActorMethod", "exit_actor"]


class ActorClassInheritanceException(TypeError):
    """A class inherits from an actor class."""


class ActorClass(sabir.ActorClass):  # type: ignore[type-arg]
    """A class that ``@ray.remote`` made an actor class."""

    def __init__(self, cls: Any, options: Any) -> None:
        super().__init__(cls, translated(options))

    @property
    def __ray_actor_class__(self) -> Any:
        return self._cls

    def options(self, **options: Any) -> Any:
        """The same class with some options changed."""
        return super().options(**translated(options))

    def __mro_entries__(self, bases: Any) -> Any:
        raise ActorClassInheritanceException(
            f"Inheriting from actor classes is not currently supported. {self.__name__} is one: inherit from a plain "
            "class, and apply ray.remote to the result"
        )
