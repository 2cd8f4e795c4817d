"""How values of a class travel between Python processes, where the class does not say it itself."""

from __future__ import annotations

from typing import Any, Callable

from sabir import _serialization


def register_serializer(cls: type, *, serializer: Callable[[Any], Any], deserializer: Callable[[Any], Any]) -> None:
    """Values of exactly this class are sent as ``serializer(value)`` and come back as ``deserializer(that)``.

    It holds for what this process sends; the other side needs no registration, since the deserializer travels along. A
    worker that sends such values back has to register, too.
    """
    if not isinstance(cls, type):
        raise TypeError(f"register_serializer() wants a class, not {cls!r}")
    for name, function in (("serializer", serializer), ("deserializer", deserializer)):
        if not callable(function):
            raise TypeError(f"{name} must be a function, not {function!r}")

    def reduce(value: Any) -> Any:
        return deserializer, (serializer(value),)

    _serialization.reducers[cls] = reduce


def deregister_serializer(cls: type) -> None:
    """Values of the class are sent as if nothing had been registered; nothing happens if nothing was."""
    _serialization.reducers.pop(cls, None)
