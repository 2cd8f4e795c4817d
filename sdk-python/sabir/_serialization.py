"""The slow half of serialization: what the native encoders do not write goes through pickle protocol 5."""

from __future__ import annotations

import copyreg
import functools
import io
import pickle
import types
from collections import ChainMap
from typing import Any, Callable

from sabir.exceptions import SerializationError

_PROTOCOL = 5
# Below this size a buffer is cheaper inside the pickle than beside it.
_OUT_OF_BAND_BYTES = 1024
# By class, what sabir.util.register_serializer registered; empty in most programs, which then pay nothing.
reducers: dict[type, Callable[[Any], Any]] = {}


def dumps(value: Any) -> tuple[bytes, list[pickle.PickleBuffer]]:
    """Pickles ``value``; large contiguous buffers stay where they are and are returned beside the pickle."""
    buffers: list[pickle.PickleBuffer] = []

    def take(buffer: pickle.PickleBuffer) -> bool:
        try:
            raw = buffer.raw()
        except BufferError:  # not contiguous: pickle copies it
            return True
        if raw.nbytes < _OUT_OF_BAND_BYTES:
            return True
        buffers.append(buffer)
        return False

    try:
        data = _plain_dumps(value, take)
        # What lives in __main__ is named by pickle, but another process's __main__ is another program.
        if b"__main__" not in data:
            return data, buffers
    except Exception:
        pass
    buffers.clear()
    try:
        return cloudpickle_dumps(value, take), buffers
    except Exception as error:
        raise SerializationError(describe_failure(value, error)) from error


def _plain_dumps(value: Any, take: Callable[[pickle.PickleBuffer], bool]) -> bytes:
    if not reducers:
        return pickle.dumps(value, protocol=_PROTOCOL, buffer_callback=take)
    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol=_PROTOCOL, buffer_callback=take)
    pickler.dispatch_table = ChainMap(reducers, copyreg.dispatch_table)  # type: ignore[arg-type]
    pickler.dump(value)
    return out.getvalue()


def cloudpickle_dumps(value: Any, buffer_callback: Any = None) -> bytes:
    out = io.BytesIO()
    _pickler()(out, protocol=_PROTOCOL, buffer_callback=buffer_callback).dump(value)
    return out.getvalue()


@functools.cache
def _pickler() -> Any:
    """cloudpickle's, but functions keep the names of their files: from 3.1.3 on it writes one name for all, and a
    remote traceback would show no source.
    """
    import cloudpickle

    table = cloudpickle.Pickler.dispatch_table
    reduce = table[types.CodeType]

    def reduce_code(code: types.CodeType) -> Any:
        make, arguments = reduce(code)
        return make, tuple(code.co_filename if item == "<dynamic-code>" else item for item in arguments)

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        dispatch_table = ChainMap(reducers, {types.CodeType: reduce_code}, table)

    return Pickler


def loads(data: Any, buffers: list[Any]) -> Any:
    return pickle.loads(data, buffers=buffers)


def describe_failure(value: Any, error: BaseException) -> str:
    """What in ``value`` cannot be pickled: the path of attributes and items that leads to it, and the reason."""
    path, culprit, reason = _find_culprit(value, "value", error, depth=0, seen=set())
    if isinstance(culprit, types.GeneratorType):
        reason = "a generator has no end to send; return a list, or give num_returns for several results"
    kind = f"{type(culprit).__module__}.{type(culprit).__qualname__}"
    return (
        f"cannot send {path} ({kind}) to another process: {reason}. "
        f"Make it inside the task, pass what it is made from, or give its class a __reduce__ method."
    )


def _failure_of(value: Any) -> BaseException | None:
    try:
        cloudpickle_dumps(value)
    except Exception as error:
        return error
    return None


def _children(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{key!r}]", item) for key, item in list(value.items())[:1000]]
    if isinstance(value, (list, tuple)):
        return [(f"[{index}]", item) for index, item in enumerate(value[:1000])]
    if isinstance(value, (set, frozenset)):
        return [("{...}", item) for item in list(value)[:1000]]
    children: list[tuple[str, Any]] = []
    closure = getattr(value, "__closure__", None)
    code = getattr(value, "__code__", None)
    if closure and code is not None:
        for name, cell in zip(code.co_freevars, closure):
            try:
                children.append((f".<closure>.{name}", cell.cell_contents))
            except ValueError:
                continue
    if code is not None:
        names = getattr(value, "__globals__", {})
        children.extend((f".<global>.{name}", names[name]) for name in code.co_names if name in names)
    attributes = getattr(value, "__dict__", None)
    if isinstance(attributes, dict):
        children.extend((f".{name}", item) for name, item in list(attributes.items())[:1000])
    return children


def _find_culprit(value: Any, path: str, error: BaseException, depth: int, seen: set[int]) -> tuple[str, Any, str]:
    if depth < 8 and id(value) not in seen:
        seen.add(id(value))
        for step, child in _children(value):
            child_error = _failure_of(child)
            if child_error is not None:
                return _find_culprit(child, path + step, child_error, depth + 1, seen)
    return path, value, str(error) or type(error).__name__
