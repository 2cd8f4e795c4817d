"""A language as this program calls it: its functions and actors by their names, and its errors."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable

import conformance_callee

import sabir
from sabir import exceptions

WAIT_S = 60

# The language of exceptions, and what their stacks have of a function.
TYPES = {
    "python": "builtins.ValueError",
    "cpp": "std::invalid_argument",
    "java": "java.lang.IllegalArgumentException",
}
STACKS = {"python": "in {}\n", "cpp": "in {}\n", "java": "at conformance.Callee.{}("}

KINDS = {
    exceptions.TaskError: "task failed",
    exceptions.WorkerCrashedError: "worker crashed",
    exceptions.ActorDiedError: "actor died",
    exceptions.ActorUnavailableError: "actor unavailable",
    exceptions.GetTimeoutError: "timeout",
    exceptions.NotFoundError: "not found",
    exceptions.NameTakenError: "name taken",
    exceptions.InvalidArgumentError: "invalid argument",
    exceptions.SerializationError: "invalid argument",
}


class Unexpected(Exception):
    """What a scenario saw and did not want."""


def require(condition: bool, *about: Any) -> None:
    if not condition:
        raise Unexpected(" ".join(str(part) for part in about))


def equal(found: Any, wanted: Any) -> None:
    require(found == wanted, "found", repr(found), "instead of", repr(wanted))


def get(ref: Any) -> Any:
    return sabir.get(ref, timeout=WAIT_S)


@dataclass(frozen=True)
class Peer:
    language: str

    def function(self, name: str, **options: Any) -> Any:
        """The function's `remote`."""
        function = conformance_callee.function_of(self.language, name)
        return (function.options(**options) if options else function).remote

    def call(self, name: str, *args: Any, **options: Any) -> Any:
        return get(self.function(name, **options)(*args))

    def recorder(self, start: int = 0, **options: Any) -> Any:
        if self.language == "python":
            made = sabir.remote(conformance_callee.Recorder)
        elif self.language == "cpp":
            made = sabir.cpp_actor_class("Recorder::create")
        else:
            made = sabir.java_actor_class("conformance.Recorder")
        return (made.options(**options) if options else made).remote(start)


@dataclass(frozen=True)
class Seen:
    """An error, as this program sees it."""

    kind: str
    text: str
    error: BaseException

    @property
    def type_name(self) -> str:
        return str(getattr(self.error, "type_name", ""))


def _text_of(error: BaseException) -> str:
    try:
        return f"{error}\n{getattr(error, 'traceback_str', '')}"
    except Exception:  # an exception whose text is one, too
        return type(error).__name__


def error_of(action: Callable[[], Any]) -> Seen:
    try:
        value = action()
    except (exceptions.SabirError, ValueError, TypeError, LookupError, AttributeError) as error:
        # Python's own refusals, before anything is sent.
        local = {TypeError: "invalid argument", ValueError: "not found", AttributeError: "not found"}.get(
            type(error), ""
        )
        kind = next((name for type_, name in KINDS.items() if isinstance(error, type_)), local)
        texts: list[str] = []
        at: BaseException | None = error
        while at is not None and len(texts) < 20:
            texts.append(_text_of(at))
            at = at.__cause__
        return Seen(kind, "\n".join(texts), error)
    raise Unexpected(f"no error, but {value!r}")


def expect(action: Callable[[], Any], *kinds: str) -> Seen:
    seen = error_of(action)
    require(seen.kind in kinds, f"{seen.kind or type(seen.error)} instead of {' or '.join(kinds)}: {seen.text}")
    return seen


def until(action: Callable[[], Any], what: str) -> Any:
    """The first true result."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        result = action()
        if result:
            return result
        time.sleep(0.02)
    raise Unexpected(f"not within {WAIT_S} s: {what}")
