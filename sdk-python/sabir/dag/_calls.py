"""Nodes that are calls: of functions, of constructors, of methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from sabir.dag._node import DAGNode, nodes_in


class FunctionNode(DAGNode):
    """A call of a remote function: what ``f.bind(...)`` makes."""

    def __init__(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__(args, kwargs)
        self._function = function

    def _run(self, resolve: Callable[[Any], Any], inputs: Any) -> Any:
        return self._function.remote(*resolve(self._bound_args), **resolve(self._bound_kwargs))

    def __repr__(self) -> str:
        return f"FunctionNode({self._function.__name__})"


class ClassNode(DAGNode):
    """An actor that each execution makes anew: what ``Class.bind(...)`` makes. Its methods can be bound."""

    def __init__(self, actor_class: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__(args, kwargs)
        self._actor_class = actor_class
        self._last_call: ClassMethodNode | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("bind", "remote", "_actor_class"):
            return super().__getattr__(name)
        getattr(self._actor_class._cls, name)  # AttributeError if the class has none
        return _UnboundMethod(self, name, {})

    def _run(self, resolve: Callable[[Any], Any], inputs: Any) -> Any:
        return self._actor_class.remote(*resolve(self._bound_args), **resolve(self._bound_kwargs))

    def __repr__(self) -> str:
        return f"ClassNode({self._actor_class.__name__})"


class _UnboundMethod:
    def __init__(self, owner: ClassNode, name: str, options: dict[str, Any]) -> None:
        self._owner, self._name, self._options = owner, name, options

    def options(self, **options: Any) -> _UnboundMethod:
        return _UnboundMethod(self._owner, self._name, {**self._options, **options})

    def bind(self, *args: Any, **kwargs: Any) -> ClassMethodNode:
        made = ClassMethodNode(self._owner, self._name, self._options, args, kwargs, self._owner._last_call)
        self._owner._last_call = made
        return made


class ClassMethodNode(DAGNode):
    """A call of a method, of a ClassNode's actor or of one that lives: what ``actor.method.bind(...)`` makes.

    Calls of one ClassNode's actor are made in the order in which they were bound, also when their results are not used.
    """

    def __init__(
        self,
        owner: Any,
        name: str,
        options: dict[str, Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        previous: ClassMethodNode | None = None,
    ) -> None:
        super().__init__(args, kwargs)
        self._owner, self._name, self._options, self._previous = owner, name, options, previous

    def _children(self) -> Iterator[DAGNode]:
        if self._previous is not None:
            yield self._previous
        yield from nodes_in((self._owner, self._bound_args, self._bound_kwargs))

    def _run(self, resolve: Callable[[Any], Any], inputs: Any) -> Any:
        method = getattr(resolve(self._owner), self._name)
        if self._options:
            method = method.options(**self._options)
        return method.remote(*resolve(self._bound_args), **resolve(self._bound_kwargs))

    def __repr__(self) -> str:
        return f"ClassMethodNode({self._name})"
