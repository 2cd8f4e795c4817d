"""What the programs here have called in Python; Functions.java and functions.cc have the same."""

from __future__ import annotations

from typing import Any

import sabir


class Counter:
    def __init__(self, start: int) -> None:
        self.count = start

    def add(self, by: int) -> int:
        self.count += by
        return self.count


def add_to(counter: Any, by: int) -> int:
    return sabir.get(counter.add.remote(by))


def add_to_named(name: str, by: int) -> int:
    return sabir.get(sabir.get_actor(name).add.remote(by))


def same(value: Any) -> Any:
    return value


def chain(languages: list[str]) -> Any:
    """Has the rest of the chain called in its first language; the last one raises."""
    if not languages:
        raise ValueError("the end of the chain")
    return sabir.get(_chain_in(languages[0]).remote(languages[1:]))


def _chain_in(language: str) -> Any:
    if language == "cpp":
        return sabir.cpp_function("chain")
    if language == "java":
        return sabir.java_function("across.Functions", "chain")
    return sabir.remote(chain)
