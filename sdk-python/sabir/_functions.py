"""Functions travel once: exported by the driver under the hash of their content, loaded once by each worker."""

from __future__ import annotations

import pickle
from typing import Any, Callable

from sabir import _sabir

TASK, CLASS, METHOD = 1, 2, 3
PYTHON = 1

_retry: dict[int, tuple[type[BaseException], ...]] = {}
_names: dict[int, str] = {}


def export(
    kind: int, name: str, function: Callable[..., Any], retry_exceptions: tuple[type[BaseException], ...] = ()
) -> Any:
    """Exports a function or class; raises SerializationError if it cannot be pickled."""
    from sabir._serialization import cloudpickle_dumps, describe_failure
    from sabir.exceptions import SerializationError

    try:
        code = cloudpickle_dumps((function, retry_exceptions))
    except Exception as error:
        raise SerializationError(describe_failure(function, error).replace("value", name, 1)) from error
    return _sabir.export_function(kind, PYTHON, name, code)


_methods: dict[tuple[int, str], Any] = {}


def export_method(name: str, epoch: int) -> _sabir.Function:
    """A method is known by its name alone."""
    key = (epoch, name)
    function = _methods.get(key)
    if function is None:
        function = _methods[key] = _sabir.export_function(METHOD, PYTHON, name, name.encode())
    return function


def load(index: int) -> Any:
    """What a worker runs for this index: a callable, a class, or a method's name."""
    kind, _, name, code = _sabir.get_function(index)
    _names[index] = name
    if kind == METHOD:
        import sys

        return sys.intern(code.decode())
    if code[:1] == b"@":  # exported by name, from another language
        return _by_name(name, code[1:])
    function, retry = pickle.loads(code)
    if retry:
        _retry[index] = retry
    return function


def _by_name(name: str, code: bytes) -> Any:
    """``module:qualified.name``, the form in which other languages export a Python function."""
    import importlib

    module_name, _, path = code.decode().partition(":")
    try:
        target: Any = importlib.import_module(module_name)
    except ImportError as error:
        raise ImportError(f"task {name}: no module {module_name!r} on the worker's path: {error}") from error
    for part in path.split("."):
        try:
            target = getattr(target, part)
        except AttributeError as error:
            raise AttributeError(f"task {name}: module {module_name!r} has no {path!r}") from error
    return getattr(target, "_function", target)


def retry_exceptions(index: int) -> tuple[type[BaseException], ...]:
    return _retry.get(index, ())


def name_of(index: int) -> str:
    return _names.get(index, "")
