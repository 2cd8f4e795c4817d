"""Exceptions to error values and back."""

from __future__ import annotations

import pickle
from typing import Any, TypeVar

from sabir import _functions, _sabir
from sabir._languages import NAMES, PYTHON
from sabir._signature import MisfitError, MissingMethodError
from sabir.exceptions import BY_STATUS, ActorDiedError, SabirError, SerializationError, TaskError

T = TypeVar("T")

_INVALID_ARGUMENT = 1
_NOT_FOUND = 2
_TASK_FAILED = 12
_ACTOR_DIED = 14
_STACK_CHARACTERS = 64 << 10
_NATIVE_BYTES = 1 << 20
_CAUSES_MAX = 15


class ActorExit(SystemExit):
    """Raised by exit_actor(): the actor's calls, this one too, end as those of a dead actor."""


def describe_exception(error: BaseException, function_index: int) -> dict[str, Any]:
    """The fields of an error value (``sabir_failure``) for an exception of user code."""
    if isinstance(error, ActorExit):
        return {"kind": _ACTOR_DIED, "message": "the actor has ended itself by exit_actor()"}
    if isinstance(error, (_functions.CodeNotFoundError, MissingMethodError)):
        return {"kind": _NOT_FOUND, "message": str(error)}
    if isinstance(error, MisfitError):
        return {"kind": _INVALID_ARGUMENT, "message": str(error)}
    if isinstance(error, SerializationError) and error.__traceback__ is None:  # of an argument: nothing has run yet
        return {"kind": _INVALID_ARGUMENT, "message": f"{_functions.name_of(function_index)}: {error}"}
    message = _text_of(error)
    name = _functions.name_of(function_index)
    fields = {
        "message": f"{name}: {message}" if name else message,
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "stack": _stack_of(error),
        "retryable": _functions.is_retried(function_index, error),
    }
    native = _pickled(error, name)
    if native is not None:
        fields["native"] = native
    cause = _cause_of(error)
    if cause is not None:
        fields["cause"] = cause
    return fields


def _cause_of(error: BaseException, depth: int = 0) -> bytes | None:
    """What caused an exception, as an error value that all languages read; one that came as such passes unchanged."""
    cause: BaseException | None = error
    if _wire_of(error) is None:
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is None or depth == _CAUSES_MAX:
        return None
    wire = _wire_of(cause)
    if wire is not None:
        return wire
    fields: dict[str, Any] = {
        "message": _text_of(cause),
        "type": f"{type(cause).__module__}.{type(cause).__qualname__}",
        "stack": _stack_of(cause, chain=False),
    }
    beneath = _cause_of(cause, depth + 1)
    return _sabir.error_map({**fields, "cause": beneath} if beneath else fields)


def _wire_of(error: BaseException) -> bytes | None:
    """The error value that an exception came as."""
    return error.__dict__.get("_wire") if isinstance(error, SabirError) else None


def _text_of(error: BaseException) -> str:
    try:
        # A TaskError's text has its own remote traceback, which is in the stack already.
        text = error.message if isinstance(error, TaskError) else str(error)
    except Exception:
        text = "<no message: str() of the exception failed>"
    return _sendable(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _sendable(text: str) -> str:
    """Half of a surrogate pair, which may stand in a str, is no text for others."""
    return text.encode(errors="backslashreplace").decode()


def _stack_of(error: BaseException, chain: bool = True) -> str:
    import traceback

    try:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__, chain=chain))
    except Exception:
        text = f"<no traceback: formatting the {type(error).__name__} failed>"
    if len(text) > _STACK_CHARACTERS:
        half = _STACK_CHARACTERS // 2
        text = text[:half] + "\n... (shortened) ...\n" + text[-half:]
    return _sendable(text)


def _pickled(error: BaseException, name: str) -> bytes | None:
    """The exception itself, in the first form that survives a round trip."""
    from sabir._serialization import cloudpickle_dumps

    cause = error.cause if isinstance(error, TaskError) and error.cause is not None else error
    for dump in (_plain_pickle, cloudpickle_dumps, _pickle_in_parts):
        try:
            data = dump(cause)
            if len(data) <= _NATIVE_BYTES and (dump is _pickle_in_parts or _survives(cause, data)):
                return data
        except Exception:
            continue
    return None


def _survives(error: BaseException, data: bytes) -> bool:
    """Also with the same ``args``: an __init__ that makes its message of its argument would make it twice."""
    copy = pickle.loads(data)
    if not isinstance(copy, BaseException):
        return False
    try:
        return bool(copy.args == error.args)
    except Exception:  # arrays, and others that cannot say
        return True


def _plain_pickle(error: BaseException) -> bytes:
    data = pickle.dumps(error, protocol=5)
    if b"__main__" in data:  # another process's __main__ is another program
        raise pickle.PicklingError("a class of __main__")
    return data


def _pickle_in_parts(error: BaseException) -> bytes:
    """For types whose __init__ wants other arguments than ``args``: the instance is made without it.

    Attributes that cannot travel (locks, connections) stay behind.
    """
    from sabir._serialization import cloudpickle_dumps

    state = {}
    for name, value in vars(error).items():
        try:
            pickle.loads(cloudpickle_dumps(value))
        except Exception:
            continue
        state[name] = value
    return cloudpickle_dumps(_Parts(type(error), error.args, state))


class _Parts:
    """Pickles as an exception of the given type."""

    def __init__(self, kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> None:
        self._parts = (kind, args, state)

    def __reduce__(self) -> Any:
        return _from_parts, self._parts


def _from_parts(kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:
    made = kind.__new__(kind, *args)
    made.args = args
    vars(made).update(state)
    return made


def exception_of(fields: dict[str, Any], wire: bytes = b"") -> BaseException:
    """The exception to raise for an error value; ``wire``: its bytes, for whoever passes it on.

    The fields come from another process: those of a wrong type count as missing.
    """
    error: SabirError
    kind = _field(fields, "kind", int, _TASK_FAILED)
    message = _field(fields, "message", str, "")
    cause = _field(fields, "cause", dict, None)
    if kind == _TASK_FAILED:
        error = _task_error(fields)
    else:
        error = BY_STATUS.get(kind, SabirError)(message)
        if cause:
            error.__cause__ = exception_of(cause)
            stack = _field(cause, "stack", str, "")
            if isinstance(error, ActorDiedError) and stack:
                error.args = (f"{message}\n\nRemote traceback:\n{stack.rstrip()}",)
    if wire:
        error.__dict__["_wire"] = wire
    return error


def _field(fields: dict[str, Any], name: str, kind: type[T], default: Any) -> Any:
    value = fields.get(name, default)
    return value if isinstance(value, kind) else default


def _task_error(fields: dict[str, Any]) -> TaskError:
    message = _field(fields, "message", str, "")
    name, _, _ = message.partition(": ")
    language = NAMES.get(_field(fields, "language", int, 0), "")
    native = _load_native(_field(fields, "native", bytes, None)) if language == NAMES[PYTHON] else None
    error = TaskError(
        message,
        function_name=name,
        traceback_str=_field(fields, "stack", str, ""),
        cause=native,
        type_name=_field(fields, "type", str, ""),
        language=language,
    ).as_instanceof_cause()
    cause = _field(fields, "cause", dict, None)
    beneath = exception_of(cause) if cause and not (native is not None and _is_pythons(cause)) else None
    # The whole chain shows in a traceback: this error, the exception itself if it is Python's, what caused it. Causes in
    # Python are in its text already.
    if native is not None:
        native.__cause__ = native.__cause__ or beneath
        error.__cause__ = native
    else:
        error.__cause__ = beneath
    return error


def _is_pythons(cause: dict[str, Any]) -> bool:
    """No other language had a part in it."""
    beneath = _field(cause, "cause", dict, None)
    return cause.get("language") == PYTHON and (beneath is None or _is_pythons(beneath))


def _load_native(native: bytes | None) -> BaseException | None:
    if not native:
        return None
    try:
        cause = pickle.loads(native)
    except Exception:
        return None
    return cause if isinstance(cause, BaseException) else None
