"""``num_returns="dynamic"``: as many references as a task yields values, in one value."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Callable

import sabir


class DynamicObjectRefGenerator:
    """The references to what a task has yielded: what ``ray.get`` gives of such a task."""

    def __init__(self, refs: list[Any]) -> None:
        self._refs = refs

    def __iter__(self) -> Iterator[Any]:
        return iter(self._refs)

    def __len__(self) -> int:
        return len(self._refs)

    def __getitem__(self, index: int) -> Any:
        return self._refs[index]


def _raise(error: BaseException) -> None:
    raise error


def dynamic(function: Callable[..., Any]) -> Callable[..., DynamicObjectRefGenerator]:
    """The function as a task with one result. An error in the middle is that of the last reference."""

    @functools.wraps(function)
    def collected(*args: Any, **kwargs: Any) -> DynamicObjectRefGenerator:
        refs: list[Any] = []
        try:
            for item in function(*args, **kwargs):
                refs.append(sabir.put(item))
        except Exception as error:
            if not refs:
                raise
            refs.append(sabir.remote(num_cpus=0, max_retries=0)(_raise).remote(error))
        return DynamicObjectRefGenerator(refs)

    return collected
