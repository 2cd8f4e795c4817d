"""Calls of many kinds, whose results are known: a steady load to do harm to."""

from __future__ import annotations

import collections
import random
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import sabir
from sabir.exceptions import SabirError

RETRIES = 6
WINDOW = 120  # calls under way
LATER_S = 3  # so long at most a large result stays where it was made before it is looked at
STUCK_S = 120  # without a result: much more than any call takes, or a dead node is waited for


class Planned(Exception):
    """What a call raises that is to fail."""


@sabir.remote(max_retries=RETRIES)
def square(number: int, nap_s: float) -> int:
    time.sleep(nap_s)
    return number * number


@sabir.remote(max_retries=RETRIES)
def total(array: Any, factor: int) -> int:
    return int(array.sum()) * factor


@sabir.remote(max_retries=RETRIES)
def filled(value: int, size: int) -> Any:
    return np.full(size, value, dtype=np.int64)


@sabir.remote(max_retries=RETRIES)
def more(array: Any) -> Any:
    return array + 1


@sabir.remote(max_retries=RETRIES)
def refuse(number: int) -> None:
    raise Planned(number)


@sabir.remote(max_retries=RETRIES)
def follow(box: dict[str, Any]) -> int:
    return sum(int(np.sum(sabir.get(ref))) for ref in box["refs"])


def summary(value: Any) -> Any:
    return (value.size, int(value.min()), int(value.max())) if isinstance(value, np.ndarray) else value


@dataclass
class Load:
    """Keeps calls under way, and judges what comes back. A wrong result, or an error without a type of ours, raises."""

    seed: int
    right: int = 0
    errors: collections.Counter[str] = field(default_factory=collections.Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._open: dict[Any, tuple[Any, str]] = {}
        self._later: list[tuple[float, Any, tuple[Any, str]]] = []
        self._progress_s = time.monotonic()
        self._everybodys = sabir.put(np.arange(300_000))

    def _submit(self) -> None:
        number = self._random.randrange(1000)
        kind = self._random.choice(["small", "small", "small", "shared", "result", "chain", "long", "error", "inside"])
        ref, expected = getattr(self, f"_{kind}")(number)
        self._open[ref] = (expected, f"{kind} {number}")

    # Each: a call, and what summary() is to say of its result.

    def _small(self, number: int) -> Any:
        return square.remote(number, self._random.choice([0, 0.005, 0.03])), number * number

    def _shared(self, number: int) -> Any:
        return total.remote(self._everybodys, number), 44_999_850_000 * number

    def _result(self, number: int) -> Any:
        return filled.remote(number, 150_000), (150_000, number, number)

    def _chain(self, number: int) -> Any:
        return total.remote(filled.remote(number, 40_000), 3), 120_000 * number

    def _long(self, number: int) -> Any:
        """Large values that no other node than theirs has to see, but for the last one."""
        ref = filled.remote(number, 150_000)
        for _ in range(4):
            ref = more.remote(ref)
        return ref, (150_000, number + 4, number + 4)

    def _error(self, number: int) -> Any:
        return refuse.remote(number), ("planned", number)

    def _inside(self, number: int) -> Any:
        box = {"refs": [square.remote(number, 0), sabir.put(np.full(50_000, number))]}
        return follow.remote(box), number * number + 50_000 * number

    def step(self) -> None:
        """Submits up to the window, and judges what is ready within a moment."""
        while len(self._open) < WINDOW:
            self._submit()
        ready, _ = sabir.wait(list(self._open), num_returns=10, timeout=0.2)
        for ref in ready:
            if isinstance(self._open[ref][0], tuple) and self._random.random() < 0.3:
                due = time.monotonic() + self._random.random() * LATER_S
                self._later.append((due, ref, self._open.pop(ref)))
        self._judge([ref for ref in ready if ref in self._open])
        self._judge_later(time.monotonic())
        if ready:
            self._progress_s = time.monotonic()
        stuck = time.monotonic() - self._progress_s > STUCK_S
        assert not stuck, f"nothing ends any more: {[what for _, what in self._open.values()]}"

    def finish(self, timeout_s: float) -> None:
        ready, late = sabir.wait(list(self._open), num_returns=len(self._open), timeout=timeout_s)
        assert not late, f"these calls hang: {[self._open[ref][1] for ref in late]}"
        self._judge(ready)
        self._judge_later(float("inf"))
        del self._everybodys

    def _judge_later(self, now: float) -> None:
        due = [entry for entry in self._later if entry[0] <= now]
        self._later = [entry for entry in self._later if entry[0] > now]
        for _, ref, expected in due:
            self._open[ref] = expected
        self._judge([ref for _, ref, _ in due])

    def _judge(self, refs: list[Any]) -> None:
        for ref in refs:
            expected, what = self._open.pop(ref)
            try:
                found = summary(sabir.get(ref, timeout=30))
            except Planned as error:
                found = ("planned", *error.args)
            except SabirError as error:
                self.errors[f"{what.split()[0]}: {type(error).__name__}: {str(error).splitlines()[0][:200]}"] += 1
                continue
            assert found == expected, f"{what}: {found}"
            self.right += 1
