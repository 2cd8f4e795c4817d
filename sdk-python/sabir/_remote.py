"""``@sabir.remote`` on functions."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Callable, Generic, TypeVar, overload

from sabir import _functions, _sabir, _scheduling
from sabir._options import any_options, resource_amounts, task_options
from sabir._runtime import ensure_started  # here: at the interpreter's end nothing can be imported
from sabir._signature import check_call, is_async, positional_range
from sabir.exceptions import NotSupportedError

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    from sabir._actor import ActorClass
    from sabir._sabir import ObjectRef
    from sabir.dag import FunctionNode

    P = ParamSpec("P")
else:
    P = TypeVar("P")
R = TypeVar("R")
C = TypeVar("C")


def prepare_task(function: _sabir.Function, name: str, options: dict[str, Any]) -> _sabir.Task:
    """A function with its options; a warning if no node can run it now."""
    task = _sabir.prepare_task(
        function,
        resource_amounts(options, default_cpus=1),
        options.get("num_returns", 1),
        options.get("max_retries", 3),
        bool(options.get("retry_exceptions")),
        name,
        _scheduling.native(options),
    )
    if task.infeasible:
        from sabir._logs import warn

        warn(f"{name}: {task.infeasible}")
    return task


class RemoteFunction(Generic[P, R]):
    """A function whose calls run in a worker: ``f.remote(...)`` returns an ObjectRef at once.

    Made by ``@sabir.remote``. ``f.options(...)`` gives the same function with other options.
    """

    def __init__(self, function: Callable[..., R], options: dict[str, Any]) -> None:
        if is_async(function):
            raise NotSupportedError(
                f"{function.__qualname__} is an async function: a task is a plain one "
                "(call asyncio.run(...) in it); async tasks and actors are not in this version of Sabir"
            )
        self._function = function
        self._options = task_options(options)
        self._exported: dict[int, Any] = {}
        self._bind()
        functools.update_wrapper(self, function)

    def _bind(self) -> None:
        minimum, maximum = positional_range(self._function)
        # An instance attribute: calls reach the native stub without a Python frame.
        self.__dict__["remote"] = _sabir.TaskStub(self._prepare, minimum, maximum, self._check)

    if TYPE_CHECKING:
        # References stand for their values: a call with one among its first arguments is not checked further.
        @overload
        def remote(self, *args: P.args, **kwargs: P.kwargs) -> ObjectRef[R]: ...
        @overload
        def remote(self, a: ObjectRef[Any], /, *args: Any, **kwargs: Any) -> ObjectRef[R]: ...
        @overload
        def remote(self, a: Any, b: ObjectRef[Any], /, *args: Any, **kwargs: Any) -> ObjectRef[R]: ...
        @overload
        def remote(self, a: Any, b: Any, c: ObjectRef[Any], /, *args: Any, **kwargs: Any) -> ObjectRef[R]: ...
        def remote(self, *args: Any, **kwargs: Any) -> ObjectRef[R]:
            """Sends the call and returns a reference to its result (a list of them for ``num_returns`` above 1)."""
            ...

    def options(self, **options: Any) -> RemoteFunction[P, R]:
        """The same function with some options changed."""
        return type(self)(self._function, {**self._options, **options})

    def bind(self, *args: Any, **kwargs: Any) -> FunctionNode:
        """A call as a node of a graph, which ``execute()`` makes later (sabir.dag)."""
        from sabir.dag import FunctionNode

        return FunctionNode(self, args, kwargs)

    def map(self, *iterables: Iterable[Any], in_flight: int = 100, timeout: float | None = None) -> Iterator[R]:
        """Calls the function for each item (for several iterables, as ``map``: with one item of each).

        At most ``in_flight`` calls are on their way: the first start at once, the others as results are taken. The
        results come in the order of the items; waiting for one takes ``timeout`` seconds at most, then GetTimeoutError
        is raised, and the next ``next()`` waits for the same one. An error is raised in its place, and the results
        behind it can still be taken.
        """
        from sabir.util.iterate import OrderedMap

        return OrderedMap(self, iterables, in_flight, timeout)

    def _check(self, args: Any, kwargs: Any) -> None:
        check_call(self._function, self._function.__name__, 0, args, kwargs)

    def _prepare(self) -> Any:
        name = self._options.get("name") or self._function.__qualname__.rpartition(".")[2]
        ensure_started()
        function, captured = _functions.export(_functions.TASK, name, self._function, self._options)
        task = prepare_task(function, name, self._options)
        return (task, captured) if captured else task

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"{self._function.__name__} is a remote function: call {self._function.__name__}.remote(...), "
            f"or {self._function.__name__}._function(...) to run it here"
        )

    def __reduce__(self) -> Any:
        return _rebuild_function, (type(self),), {"function": self._function, "options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        RemoteFunction.__init__(self, state["function"], state["options"])


def _rebuild_function(kind: type[RemoteFunction[Any, Any]] = RemoteFunction) -> RemoteFunction[Any, Any]:
    # The function follows as state: it may refer to this object (recursion).
    return kind.__new__(kind)


class _RemoteDecorator:
    """What ``sabir.remote(num_cpus=2)`` returns."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options

    @overload  # a class is callable, too: the first that fits counts
    def __call__(self, target: type[C]) -> ActorClass[C]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, target: Callable[P, R]) -> RemoteFunction[P, R]: ...
    def __call__(self, target: Any) -> Any:
        return _make_remote(target, self._options)


def _make_remote(target: Any, options: dict[str, Any]) -> Any:
    if isinstance(target, type):
        from sabir._actor import ActorClass

        return ActorClass(target, options)
    if isinstance(target, RemoteFunction):
        raise TypeError(f"{target._function.__name__} is remote already")
    if not callable(target) or not hasattr(target, "__qualname__"):
        raise TypeError(f"@sabir.remote wants a function or a class, not {type(target).__name__}")
    return RemoteFunction(target, options)


@overload  # a class is callable, too: the first that fits counts
def remote(target: type[C]) -> ActorClass[C]: ...  # type: ignore[overload-overlap]
@overload
def remote(target: Callable[P, R]) -> RemoteFunction[P, R]: ...
@overload
def remote(**options: Any) -> _RemoteDecorator: ...
def remote(*args: Any, **options: Any) -> Any | _RemoteDecorator:
    """Makes a function a task or a class an actor.

    Bare (``@sabir.remote``) or with options (``@sabir.remote(num_cpus=2, max_retries=0)``).

    Options of both: num_cpus, num_gpus, memory (bytes), resources (dict), name, runtime_env
    (``{"code_search_path": [...]}``: where its code lies, beside ``init(code_search_path=...)``).
    And where it runs: scheduling_strategy ("DEFAULT", "SPREAD" or an object of sabir.util.scheduling_strategies),
    label_selector (``{"zone": "eu"}``; "!eu", "in(eu, us)", "!in(eu, us)"), fallback_strategy
    (``[{"label_selector": {...}}, ...]``, tried in this order while no node that meets the earlier ones has room).
    Tasks: num_returns, max_retries (3; after a worker's death), retry_exceptions (bool or list of types).
    Actors: max_restarts, max_task_retries, namespace, lifetime ("detached"), get_if_exists.
    """
    if len(args) == 1 and not options:
        return _make_remote(args[0], {})
    if args:
        raise TypeError("use @sabir.remote without arguments, or with keyword options only")
    # Options are checked where they are written, also before it is known what is decorated.
    any_options(options)
    return _RemoteDecorator(options)
