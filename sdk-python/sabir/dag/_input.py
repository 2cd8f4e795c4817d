"""What is known only when a graph is executed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from sabir.dag._node import DAGNode


class DAGInputData:
    """Several inputs of one execution: positional ones by number, named ones by name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._args = args
        self._kwargs = kwargs

    def __getitem__(self, key: int | str) -> Any:
        return self._kwargs[key] if isinstance(key, str) else self._args[key]


class InputNode(DAGNode):
    """Stands for the input: ``with InputNode() as x: dag = f.bind(x)``, then ``dag.execute(3)``.

    ``x[0]``, ``x["key"]`` and ``x.name`` are parts of it: of several inputs, or of a single one.
    """

    def __init__(self, input_type: Any = None) -> None:
        super().__init__()

    def __enter__(self) -> InputNode:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def __getitem__(self, key: int | str) -> InputAttributeNode:
        if not isinstance(key, (int, str)):
            raise TypeError(f"a part of the input has a number or a name, not {key!r}")
        return InputAttributeNode(self, key, by_name=False)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("bind", "remote"):
            return super().__getattr__(name)
        return InputAttributeNode(self, name, by_name=True)

    def _run(self, resolve: Callable[[Any], Any], inputs: tuple[tuple[Any, ...], dict[str, Any]]) -> Any:
        args, kwargs = inputs
        return args[0] if len(args) == 1 and not kwargs else DAGInputData(*args, **kwargs)


class InputAttributeNode(DAGNode):
    """A part of the input."""

    def __init__(self, whole: InputNode, key: int | str, by_name: bool) -> None:
        super().__init__()
        self._whole, self._key, self._by_name = whole, key, by_name

    def _children(self) -> Iterator[DAGNode]:
        yield self._whole

    def _run(self, resolve: Callable[[Any], Any], inputs: Any) -> Any:
        whole = resolve(self._whole)
        if self._by_name and not isinstance(whole, DAGInputData):
            return getattr(whole, str(self._key))
        return whole[self._key]
