"""Checks a call's arguments against a function's signature where the call is made."""

from __future__ import annotations

from typing import Any, Callable

from sabir.exceptions import InvalidArgumentError, NotFoundError

_VARIADIC = 0x04
_COROUTINE = 0x80
_ASYNC_GENERATOR = 0x200


def is_async(function: Any) -> bool:
    """True for what ``async def`` makes."""
    code = getattr(function, "__code__", None)
    return bool(getattr(code, "co_flags", 0) & (_COROUTINE | _ASYNC_GENERATOR))


def positional_range(function: Callable[..., Any], skip: int = 0) -> tuple[int, int]:
    """How many positional arguments a call without keywords may have: (minimum, maximum), maximum -1 without limit.

    (1, 0) if every call needs the full check (`check_call`). ``skip`` leading parameters are bound (self).
    """
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        return 1, 0
    if code.co_kwonlyargcount > len(getattr(function, "__kwdefaults__", None) or {}):
        return 1, 0
    count = code.co_argcount - skip
    if count < 0:
        return 1, 0
    minimum = count - len(getattr(function, "__defaults__", None) or ())
    return max(minimum, 0), -1 if code.co_flags & _VARIADIC else count


def check_call(
    function: Callable[..., Any], name: str, skip: int, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Raises TypeError if the call does not fit the signature."""
    import inspect

    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin that has none
        return
    try:
        signature.bind(*((None,) * skip + args), **kwargs)
    except TypeError as error:
        raise TypeError(f"{name}{_without(signature, skip)}: {error}") from None


def _without(signature: Any, skip: int) -> Any:
    return signature.replace(parameters=list(signature.parameters.values())[skip:])


class MisfitError(InvalidArgumentError):
    """A worker was told to call something with arguments that it does not take."""


class MissingMethodError(NotFoundError):
    """A worker was told to call a method that its actor does not have."""


def misfit(error: TypeError, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exception:
    """What a call raises that raised ``error`` before its first line: a MisfitError if the arguments are the reason."""
    name = getattr(target, "__name__", type(target).__name__)
    try:
        check_call(target, name, 0, args, kwargs)
    except TypeError as reason:
        return MisfitError(str(reason))
    return error


def missing_method(instance: Any, name: str) -> Exception:
    """What a call of a method raises that the actor does not have."""
    methods = [
        each for each in dir(type(instance)) if each[:1] != "_" and callable(getattr(type(instance), each, None))
    ]
    there = ", ".join(methods)[:2000] or "none"
    return MissingMethodError(f"there is no method of {type(instance).__qualname__} {name!r}. It has: {there}")
