"""What all nodes have: the search for the nodes below, and the execution of each of them once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Callable


class DAGNode:
    """A call that is not made yet. Its arguments may be nodes, also inside lists, tuples, sets and dicts."""

    def __init__(self, args: Iterable[Any] = (), kwargs: Mapping[str, Any] | None = None) -> None:
        self._bound_args = tuple(args)
        self._bound_kwargs = dict(kwargs or {})

    def get_args(self) -> tuple[Any, ...]:
        """The arguments that it was bound with."""
        return self._bound_args

    def get_kwargs(self) -> dict[str, Any]:
        """The named arguments that it was bound with."""
        return dict(self._bound_kwargs)

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Makes the calls of the graph that this node needs, each once, and returns this one's reference.

        Nothing waits: each call gets the references of those before it. ``args`` and ``kwargs`` are what an InputNode
        in the graph stands for.
        """
        inputs = (args, kwargs)
        values: dict[int, Any] = {}
        stack = [self]
        while stack:  # not recursive: chains may be long
            node = stack[-1]
            missing = [child for child in node._children() if id(child) not in values]
            if missing:
                stack.extend(reversed(missing))
                continue
            stack.pop()
            if id(node) not in values:
                values[id(node)] = node._run(lambda value: _replaced(value, values), inputs)
        return values[id(self)]

    def experimental_compile(self, *args: Any, **kwargs: Any) -> Any:
        """Not in this version of Sabir."""
        raise NotImplementedError("compiled graphs are not in this version of Sabir: use dag.execute(...)")

    def _children(self) -> Iterator[DAGNode]:
        return nodes_in((self._bound_args, self._bound_kwargs))

    def _run(self, resolve: Callable[[Any], Any], inputs: tuple[tuple[Any, ...], dict[str, Any]]) -> Any:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name in ("bind", "remote"):
            raise AttributeError(f".{name}() is not for nodes of a graph: a {type(self).__name__} has .execute()")
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")


class MultiOutputNode(DAGNode):
    """Several nodes as the end of a graph: execute() gives the list of their references."""

    def __init__(self, args: Iterable[Any]) -> None:
        if isinstance(args, DAGNode):
            raise ValueError("MultiOutputNode wants a list of nodes")
        super().__init__(args)

    def _run(self, resolve: Callable[[Any], Any], inputs: Any) -> Any:
        return [resolve(arg) for arg in self._bound_args]


def nodes_in(value: Any) -> Iterator[DAGNode]:
    if isinstance(value, DAGNode):
        yield value
    elif type(value) in (list, tuple, set, frozenset):
        for item in value:
            yield from nodes_in(item)
    elif type(value) is dict:
        yield from nodes_in(list(value.values()))


def _replaced(value: Any, values: dict[int, Any]) -> Any:
    if isinstance(value, DAGNode):
        return values[id(value)]
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return kind(_replaced(item, values) for item in value)
    if kind is dict:
        return {key: _replaced(item, values) for key, item in value.items()}
    return value
