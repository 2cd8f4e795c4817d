"""What CallPython.java calls."""

from __future__ import annotations

import datetime
from typing import Any

import sabir


def add(a: int, b: int, *, scale: int = 1) -> int:
    return (a + b) * scale


@sabir.remote
def echo(value: Any) -> Any:
    return value


def kind(value: Any) -> str:
    return type(value).__name__


def fail(text: str) -> None:
    try:
        int(text)
    except ValueError as error:
        raise RuntimeError(f"cannot count {text}") from error


def total(array: Any) -> float:
    return float(array.sum()) if hasattr(array, "sum") else float(sum(array))


def many() -> list[Any]:
    return [
        1,
        "two",
        3.0,
        None,
        True,
        b"six",
        2**70,
        {"z": [7], 8: (9,)},
        datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    ]


def follow(values: dict[str, Any]) -> int:
    return sabir.get(values["ref"]) + sabir.get(values["counter"].add.remote(1))


def pickled() -> set[int]:
    return {1, 2}


class Counter:
    def __init__(self, start: int) -> None:
        self.count = start

    def add(self, by: int) -> int:
        self.count += by
        return self.count
