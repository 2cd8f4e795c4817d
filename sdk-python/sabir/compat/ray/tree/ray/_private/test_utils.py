"""Helpers of tests."""

from __future__ import annotations

import time
from typing import Any, Callable

import ray


def wait_for_condition(
    condition_predictor: Callable[..., Any], timeout: float = 10, retry_interval_ms: float = 100, **kwargs: Any
) -> None:
    """Waits until a function returns something true; RuntimeError if it does not in time."""
    deadline = time.monotonic() + timeout
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            if condition_predictor(**kwargs):
                return
            last = None
        except Exception as error:
            last = error
        time.sleep(retry_interval_ms / 1000)
    raise RuntimeError("The condition wasn't met before the timeout expired.") from last


class _Counted:
    def __init__(self) -> None:
        self.count = 0

    def add(self) -> int:
        self.count += 1
        return self.count


def make_counter() -> Any:
    """An actor that counts."""
    return ray.remote(_Counted).remote()
