"""Functions and classes of other languages, known by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from sabir import _functions, _runtime_env, _sabir
from sabir._actor import ActorHandle, check_named, create_actor
from sabir._languages import CPP, JAVA
from sabir._options import actor_options, task_options
from sabir._remote import prepare_task
from sabir._runtime import ensure_started

F = TypeVar("F", bound="_Foreign")


class _Foreign:
    """What workers of another language find by a name."""

    _what: ClassVar[str]

    def __init__(self, language: int, name: str, code: str, options: dict[str, Any]) -> None:
        self._language = language
        self._name = name
        self._code = code
        self._options = options

    def options(self: F, **options: Any) -> F:
        """The same with some options changed: those of `sabir.remote`."""
        return type(self)(self._language, self._name, self._code, {**self._options, **options})

    def _export(self, kind: int) -> _sabir.Function:
        ensure_started()
        retry = self._options.get("retry_exceptions")
        names = retry if isinstance(retry, list) else ()
        code = _runtime_env.before(self._code.encode(), self._options, names)
        return _sabir.export_function(kind, self._language, self._name, code)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self._name} is {self._what} of another language: call .remote(...)")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._code})"

    def __reduce__(self) -> Any:
        return type(self), (self._language, self._name, self._code, self._options)


def _function_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The checked options; retry_exceptions stays a bool, or a list of names of types of the other language."""
    retry = options.get("retry_exceptions")
    if not isinstance(retry, (list, tuple)):
        return {**task_options(options), **({} if retry is None else {"retry_exceptions": retry})}
    if not all(isinstance(name, str) and name for name in retry):
        raise TypeError(
            "retry_exceptions must be a bool or a list of names of types for a function of another language, "
            f"such as 'std::out_of_range' or 'java.io.IOException', not {retry!r}"
        )
    return {**task_options({**options, "retry_exceptions": bool(retry)}), "retry_exceptions": list(retry)}


class ForeignFunction(_Foreign):
    """A function of another language: ``f.remote(...)`` returns an ObjectRef at once.

    Arguments are positional (Java takes names, too, of classes compiled with ``-parameters``). They and the result are
    what every language has: None, bool, numbers, text, bytes, lists, dicts, datetimes, arrays, tables, references, actor
    handles; `sabir.register_converter` adds classes.
    """

    _what = "a function"

    def __init__(self, language: int, name: str, code: str, options: dict[str, Any]) -> None:
        super().__init__(language, name, code, _function_options(options))
        # An instance attribute: calls reach the native stub without a Python frame.
        self.remote = _sabir.TaskStub(self._prepare, 0, -1, self._check)

    def _check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        check_named(self._name, self._language, kwargs)

    def _prepare(self) -> _sabir.Task:
        return prepare_task(self._export(_functions.TASK), self._options.get("name") or self._name, self._options)


class ForeignActorClass(_Foreign):
    """A class of another language: ``Counter.remote(...)`` makes an actor and returns its handle."""

    _what = "an actor class"

    def __init__(self, language: int, name: str, code: str, options: dict[str, Any]) -> None:
        super().__init__(language, name, code, actor_options(options))

    def remote(self, *args: Any, **kwargs: Any) -> ActorHandle[Any]:
        """Starts an actor. Returns at once; an error of the constructor reaches the first call's ``get``."""
        check_named(self._name, self._language, kwargs)
        native = create_actor(self._export(_functions.CLASS), self._options, b"", args, kwargs)
        return ActorHandle(native, self._name, None, self._language)


def _checked(what: str, name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(f"{what} must be a non-empty str, not {name!r}")
    return name


def cpp_function(name: str) -> ForeignFunction:
    """The C++ function registered under ``name`` (``SABIR_REMOTE(name);``).

    Its shared library must be in ``init(code_search_path=...)``, or the function in the program ``cpp_worker``.
    """
    return ForeignFunction(CPP, _checked("the function's name", name), name, {})


def cpp_actor_class(factory: str) -> ForeignActorClass:
    """The C++ class whose factory is registered under this name, as ``"Counter::create"``."""
    return ForeignActorClass(CPP, _checked("the factory's name", factory), factory, {})


def java_function(class_name: str, method: str) -> ForeignFunction:
    """The static method of a Java class (``"com.example.Prices"``); the arguments choose among those of one name."""
    _checked("the class's name", class_name)
    _checked("the method's name", method)
    return ForeignFunction(JAVA, method, f"{class_name}::{method}", {})


def java_actor_class(class_name: str) -> ForeignActorClass:
    """A Java class; the arguments choose among its constructors."""
    _checked("the class's name", class_name)
    return ForeignActorClass(JAVA, class_name.rpartition(".")[2], class_name, {})
