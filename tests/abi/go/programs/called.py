"""What the Go tests call in Python."""

from __future__ import annotations

from typing import Any


def same(value: Any) -> Any:
    return value


def minus(a: int, b: int) -> int:
    return a - b


def fail(text: str) -> None:
    try:
        int(text)
    except ValueError as error:
        raise RuntimeError(f"cannot count {text}") from error


class Counter:
    def __init__(self, start: int) -> None:
        self.value = start

    def add(self, amount: int) -> int:
        self.value += amount
        return self.value


def own_object() -> Counter:
    return Counter(1)
