"""``@sabir.remote`` on classes: actors, their handles and methods."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Callable, Generic, Optional, TypeVar

from sabir import _functions, _sabir, _scheduling
from sabir._languages import CPP, PYTHON
from sabir._options import actor_options, method_options, resource_amounts
from sabir._signature import check_call, is_async, positional_range
from sabir.exceptions import NotSupportedError, SabirError

if TYPE_CHECKING:
    from sabir.dag import ClassMethodNode, ClassNode

C = TypeVar("C")

# Methods that every actor has beside those of its class.
_NO_ARGUMENTS = (0, 0)
_SPECIAL_METHODS = {
    "__ray_call__": (1, -1),
    "__ray_ready__": _NO_ARGUMENTS,
    "__ray_terminate__": _NO_ARGUMENTS,
    "__sabir_call__": (1, -1),
    "__sabir_ready__": _NO_ARGUMENTS,
    "__sabir_terminate__": _NO_ARGUMENTS,
}


def method(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Sets options of an actor's method: ``@sabir.method(num_returns=2)``."""
    checked = method_options(options)

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__sabir_method__ = checked  # type: ignore[attr-defined]
        return function

    return mark


def _methods_of(cls: type) -> dict[str, dict[str, Any]]:
    """What a handle knows of a class: its methods with their number of arguments and returns."""
    found: dict[str, dict[str, Any]] = {}
    for name in dir(cls):
        if name.startswith("__") and name != "__call__":
            continue
        raw = _raw_attribute(cls, name)
        static = isinstance(raw, staticmethod)
        function = raw.__func__ if isinstance(raw, (staticmethod, classmethod)) else raw
        if not callable(function) or isinstance(function, type):
            continue
        minimum, maximum = positional_range(function, skip=0 if static else 1)
        options = getattr(function, "__sabir_method__", {})
        found[name] = {"args": [minimum, maximum], "returns": options.get("num_returns", 1)}
        if is_async(function):
            found[name]["async"] = True
    for name, arguments in _SPECIAL_METHODS.items():
        found[name] = {"args": list(arguments), "returns": 1}
    return found


def _raw_attribute(cls: type, name: str) -> Any:
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


def create_actor(
    function: _sabir.Function, options: dict[str, Any], class_info: bytes, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _sabir.Actor:
    checked = {
        # As in Ray: without a wish for CPUs an actor holds none while it lives.
        "resources": resource_amounts(options, default_cpus=0),
        "name": options.get("name"),
        "namespace": options.get("namespace"),
        "max_restarts": options.get("max_restarts", 0),
        "max_task_retries": options.get("max_task_retries", 0),
        "detached": options.get("lifetime") == "detached",
        "get_if_exists": options.get("get_if_exists", False),
        "class_info": class_info,
        "scheduling": _scheduling.native(options),
    }
    return _sabir.create_actor(function, checked, args, kwargs)


class ActorClass(Generic[C]):
    """A class whose instances live in workers: ``Counter.remote(...)`` makes one and returns its handle."""

    def __init__(self, cls: type, options: dict[str, Any]) -> None:
        self._cls = cls
        self._options = actor_options(options)
        self._exported: tuple[int, Any, list[Any]] = (-1, None, [])
        self.__name__ = cls.__name__
        self.__qualname__ = cls.__qualname__
        self.__module__ = cls.__module__
        self.__doc__ = cls.__doc__

    def options(self, **options: Any) -> ActorClass[C]:
        """The same class with some options changed."""
        changed: ActorClass[C] = type(self)(self._cls, {**self._options, **options})
        if "runtime_env" not in options:
            changed._exported = self._exported
        return changed

    def remote(self, *args: Any, **kwargs: Any) -> ActorHandle[C]:
        """Starts an actor. Returns at once; an error of the constructor reaches the first call's ``get``."""
        from sabir._runtime import ensure_started

        epoch = ensure_started()
        constructor = _raw_attribute(self._cls, "__init__")
        if constructor is not object.__init__:
            check_call(constructor, self._cls.__name__, 1, args, kwargs)
        elif args or kwargs:
            raise TypeError(f"{self._cls.__name__}() takes no arguments")
        if self._exported[0] != epoch:
            self._exported = (epoch, *_functions.export(_functions.CLASS, self._cls.__name__, self._cls, self._options))
        _, function, captured = self._exported
        if captured:
            kwargs[_sabir.CAPTURED] = captured
        methods = _methods_of(self._cls)
        native = create_actor(function, self._options, json.dumps(methods).encode(), args, kwargs)
        return ActorHandle(native, self._cls.__name__, methods, PYTHON)

    def bind(self, *args: Any, **kwargs: Any) -> ClassNode:
        """An actor as a node of a graph, whose methods can be bound, too (sabir.dag)."""
        from sabir.dag import ClassNode

        return ClassNode(self, args, kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self.__name__} is an actor class: use {self.__name__}.remote(...)")

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        raise TypeError(
            f"{self.__name__} is an actor class and cannot be inherited from: "
            "inherit from a plain class, and apply sabir.remote to the result"
        )

    def __reduce__(self) -> Any:
        return _rebuild_class, (type(self),), {"cls": self._cls, "options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        ActorClass.__init__(self, state["cls"], state["options"])


def _rebuild_class(kind: type[ActorClass[Any]] = ActorClass) -> ActorClass[Any]:
    return kind.__new__(kind)


class ActorMethod:
    """A method of an actor: ``handle.method.remote(...)``."""

    __slots__ = ("_about", "_language", "_name", "_native", "_options", "remote")

    def __init__(
        self, native: _sabir.Actor, name: str, language: int, about: dict[str, Any], options: dict[str, Any]
    ) -> None:
        self._native = native
        self._name = name
        self._language = language
        self._about = about
        self._options = options
        if about.get("async"):
            raise NotSupportedError(
                f"{name} is an async method: async actors are not in this version of Sabir. "
                "Make it a plain method (it may call asyncio.run)."
            )
        minimum, maximum = about["args"]
        # Not bound to this object: in a cycle, a dropped handle would keep its actor until the next garbage collection.
        prepare = functools.partial(_prepare_method, name, language)
        check = functools.partial(_check_method, name, language, minimum, maximum)
        returns = options.get("num_returns", about["returns"])
        self.remote = _sabir.MethodStub(native, prepare, returns, minimum, maximum, check)

    def options(self, **options: Any) -> ActorMethod:
        """The same method with other options (num_returns)."""
        changed = {**self._options, **method_options(options)}
        return ActorMethod(self._native, self._name, self._language, self._about, changed)

    def bind(self, *args: Any, **kwargs: Any) -> ClassMethodNode:
        """A call as a node of a graph, which ``execute()`` makes later (sabir.dag)."""
        from sabir.dag import ClassMethodNode

        handle = ActorHandle._from_native(self._native)
        return ClassMethodNode(handle, self._name, self._options, args, kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self._name} is an actor's method: use .{self._name}.remote(...)")


def _prepare_method(name: str, language: int) -> _sabir.Function:
    from sabir._runtime import ensure_started

    return _functions.export_method(name, language, ensure_started())


def check_named(name: str, language: int, kwargs: dict[str, Any]) -> None:
    if kwargs and language == CPP:
        raise TypeError(f"{name}() is a function of C++: it takes positional arguments only, not {', '.join(kwargs)}")


def _check_method(
    name: str, language: int, minimum: int, maximum: int, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    check_named(name, language, kwargs)
    # Without the class at hand only the number of arguments can be judged; (1, 0) says: not even that.
    if (minimum, maximum) == (1, 0):
        return
    if maximum >= 0 and len(args) > maximum:
        raise TypeError(f"{name}() takes at most {maximum} positional arguments, not {len(args)}")
    if len(args) + len(kwargs) < minimum:
        raise TypeError(f"{name}() takes at least {minimum} arguments, not {len(args) + len(kwargs)}")


# By name; None: any name is tried, since whoever made the actor did not know its class.
_Methods = Optional[dict[str, dict[str, Any]]]
_UNKNOWN = {"args": [1, 0], "returns": 1}


def _methods_in(class_info: bytes) -> _Methods:
    methods: dict[str, dict[str, Any]] = json.loads(class_info) if class_info else {}
    return methods if any(name not in _SPECIAL_METHODS for name in methods) else None


class ActorHandle(Generic[C]):
    """A handle of an actor. It can be passed to tasks and other actors; the actor lives while handles do."""

    def __init__(self, native: Any, class_name: str, methods: _Methods, language: int) -> None:
        self._native = native
        self._class_name = class_name
        self._methods = methods
        self._language = language

    @classmethod
    def _from_native(cls, native: Any) -> ActorHandle[Any]:
        handle = cls.__new__(cls)
        handle._native = native
        return handle

    def __getattr__(self, name: str) -> Any:
        if "_native" not in self.__dict__:
            raise AttributeError(name)
        if name in ("_class_name", "_methods", "_language"):
            # A handle that came inside a value: the node is asked when somebody wants to know.
            info = self._native.info()
            self._class_name = info["class_name"]
            self._methods = _methods_in(info["class_info"])
            self._language = info["language"]
            return self.__dict__[name]
        if name.startswith("__") and name not in _SPECIAL_METHODS and name != "__call__":
            raise AttributeError(name)  # what libraries try on any object
        methods = self._methods
        if methods is not None and name not in methods:
            listed = ", ".join(method for method in methods if method not in _SPECIAL_METHODS)
            raise AttributeError(f"actor {self._class_name} has no method {name!r}; it has: {listed or 'none'}")
        about = _UNKNOWN if methods is None else methods[name]
        made = ActorMethod(self._native, name, self._language, about, {})
        self.__dict__[name] = made  # the next call finds it without coming here
        return made

    @property
    def _actor_id(self) -> str:
        return str(self._native.hex())

    def __repr__(self) -> str:
        try:
            name = self._class_name
        except SabirError:  # it came inside a value, and now nobody can be asked any more
            name = "?"
        return f"ActorHandle({name}, {self._actor_id})"

    def __copy__(self) -> ActorHandle[C]:
        return self

    def __deepcopy__(self, memo: Any) -> ActorHandle[C]:
        return self

    def __hash__(self) -> int:
        return hash(self._actor_id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActorHandle) and self._actor_id == other._actor_id

    def __reduce__(self) -> Any:
        return _handle_at, (self._native._collect(), self._class_name, self._methods, self._language)


def _handle_at(index: int, class_name: str, methods: _Methods, language: int) -> ActorHandle[Any]:
    return ActorHandle(_sabir._actor_at(index), class_name, methods, language)


def get_actor(name: str, namespace: str | None = None) -> ActorHandle[Any]:
    """The handle of a named actor. ValueError if there is none of that name."""
    from sabir._runtime import ensure_started
    from sabir.exceptions import NotFoundError

    if not isinstance(name, str) or not name:
        raise ValueError(f"an actor's name must be a non-empty str, not {name!r}")
    ensure_started()
    try:
        return ActorHandle._from_native(_sabir.lookup_actor(name, namespace or ""))
    except NotFoundError as error:
        raise ValueError(str(error)) from None


def kill(actor: ActorHandle[Any], *, no_restart: bool = True) -> None:
    """Ends an actor's process at once; calls that wait for it fail with ActorDiedError."""
    if not isinstance(actor, ActorHandle):
        raise ValueError(f"kill() wants an actor handle, not {type(actor).__name__}")
    actor._native.kill(no_restart)


def exit_actor() -> None:
    """Ends the actor that calls it; it is not restarted. Its calls, the running one too, fail with ActorDiedError."""
    from sabir._errors import ActorExit

    if _sabir.actor_instance() is None:
        raise TypeError("exit_actor() can only be called inside an actor")
    _sabir.exit_worker()
    raise ActorExit(0)


def special_method(instance: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Runs a method whose name begins with two underscores (the worker's hook)."""
    if name in ("__ray_ready__", "__sabir_ready__"):
        return True
    if name in ("__ray_call__", "__sabir_call__"):  # a function of the caller's, with the instance before its arguments
        return args[0](instance, *args[1:], **kwargs)
    if name in ("__ray_terminate__", "__sabir_terminate__"):
        _sabir.exit_worker()
        return None
    return getattr(instance, name)(*args, **kwargs)
