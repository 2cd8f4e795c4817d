"""Functions travel once: exported by the driver under the hash of their content, loaded once by each worker."""

from __future__ import annotations

import functools
import pickle
import sys
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Callable

from sabir import _runtime_env, _sabir
from sabir._languages import PYTHON
from sabir.exceptions import NotFoundError

TASK, CLASS, METHOD = 1, 2, 3

# The types of exceptions that are retried, or their names.
_retry: dict[int, tuple[type[BaseException], ...] | frozenset[str]] = {}
_names: dict[int, str] = {}


# How the code of an exported function begins: neither is a pickle's first byte.
_BY_NAME = b"@"
_CAPTURING = b"*"


def export(
    kind: int, name: str, function: Callable[..., Any], options: Mapping[str, Any]
) -> tuple[_sabir.Function, list[_sabir.ObjectRef[Any]]]:
    """Exports a function or class; raises SerializationError if it cannot be pickled.

    Returns it with the references in its closure and globals: each call has to carry them (captured.h).
    """
    retry = options.get("retry_exceptions", ())
    code, captured = _sabir.collect(functools.partial(_pickled, name, function, retry))
    if captured:
        # With their ids: the same code with other references is another function.
        ids = b"".join(ref.binary() for ref in captured)
        code = _CAPTURING + len(captured).to_bytes(4, "little") + ids + code
    return _sabir.export_function(kind, PYTHON, name, _runtime_env.before(code, options)), captured


def _pickled(name: str, function: Callable[..., Any], retry_exceptions: tuple[type[BaseException], ...]) -> bytes:
    from sabir._serialization import cloudpickle_dumps, describe_failure
    from sabir.exceptions import SerializationError

    try:
        return cloudpickle_dumps((function, retry_exceptions))
    except Exception as error:
        raise SerializationError(describe_failure(function, error).replace("value", name, 1)) from error


_methods: dict[tuple[int, int, str], Any] = {}


def export_method(name: str, language: int, epoch: int) -> _sabir.Function:
    """A method is known by its name alone, in the language of its actor."""
    key = (epoch, language, name)
    function = _methods.get(key)
    if function is None:
        function = _methods[key] = _sabir.export_function(METHOD, language, name, name.encode())
    return function


def load(index: int) -> Any:
    """What a worker runs for this index: a callable, a class, or a method's name."""
    kind, _, name, code = _sabir.get_function(index)
    _names[index] = name
    if kind == METHOD:
        return sys.intern(code.decode())
    code, retry_names = _runtime_env.enter(code)
    if code[:1] == _BY_NAME:  # from another language, which has only names of types
        _retry[index] = retry_names or (Exception,)
        return _by_name(kind, name, code[1:])
    if code[:1] == _CAPTURING:
        return _Capturing(index)
    return _unpickled(index, code)


def _unpickled(index: int, code: bytes) -> Any:
    function, retry = pickle.loads(code)
    if retry:
        _retry[index] = retry
    return function


class _Capturing:
    """In a worker: a function with references in its closure or globals. They come with each call."""

    # The functions that were made, the last used at the end. Bounded: each keeps what it refers to alive.
    _made: OrderedDict[int, Any] = OrderedDict()
    _MADE_MAX = 16

    def __init__(self, index: int) -> None:
        self._index = index

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        refs = kwargs.pop(_sabir.CAPTURED)
        made = self._made
        if self._index not in made:
            _, _, _, exported = _sabir.get_function(self._index)
            code, _ = _runtime_env.enter(exported)
            begin = 5 + 16 * int.from_bytes(code[1:5], "little")
            made[self._index] = _sabir.with_refs(refs, functools.partial(_unpickled, self._index, code[begin:]))
            if len(made) > self._MADE_MAX:
                made.popitem(last=False)
        made.move_to_end(self._index)
        return made[self._index](*args, **kwargs)


class CodeNotFoundError(NotFoundError):
    """A function or class of another language's call is not on the worker's path."""


def _by_name(kind: int, name: str, code: bytes) -> Any:
    """``module:qualified.name``, the form in which other languages export a Python function or class."""
    import importlib

    module_name, _, path = code.decode().partition(":")
    what = "class" if kind == CLASS else "task"
    try:
        target: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        looked = ", ".join(path for path in sys.path if path)
        raise CodeNotFoundError(f"{what} {name}: there is no module {error.name!r}. Looked for in: {looked}") from error
    except Exception as error:
        raise CodeNotFoundError(f"{what} {name}: module {module_name!r} cannot be imported: {error}") from error
    for part in path.split("."):
        owner = target
        try:
            target = getattr(owner, part)
        except AttributeError:
            there = (
                ", ".join(item for item in vars(owner) if not item.startswith("_"))
                if hasattr(owner, "__dict__")
                else ""
            )
            raise CodeNotFoundError(
                f"{what} {name}: {module_name!r} has no {path!r}. It has: {there[:2000] or 'nothing public'}"
            ) from None
    # What @sabir.remote made of it.
    for wrapped in ("_function", "_cls"):
        if type(target).__module__.startswith("sabir."):
            target = getattr(target, wrapped, target)
    if (kind == CLASS and not isinstance(target, type)) or not callable(target):
        raise CodeNotFoundError(f"{what} {name}: {module_name}.{path} is a {type(target).__name__}")
    return target


def is_retried(index: int, error: BaseException) -> bool:
    """Whether the options ask for it. A name is ``module.Type``, for built-in ones ``Type``, too; bases count."""
    retry = _retry.get(index, ())
    if isinstance(retry, tuple):
        return isinstance(error, retry)
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    return not retry.isdisjoint(names | {name.removeprefix("builtins.") for name in names})


def name_of(index: int) -> str:
    return _names.get(index, "")
