"""What the tests of clusters have in common."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import sabir
from sabir import _sabir

TIMEOUT_S = 60


def here() -> str:
    return os.environ["SABIR_SESSION"]


def far(function: Any) -> Any:
    """A task that only the second node can run."""
    return sabir.remote(num_cpus=0, resources={"far": 1})(function)


def get(refs: Any) -> Any:
    return sabir.get(refs, timeout=TIMEOUT_S)


def status(session: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(_sabir.node_status(session, 10.0))
    return state


def wait_until(condition: Any, what: Any) -> None:
    """`what` is awaited: a text, or a function that says what there is instead."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.05)


def settled(session: str) -> bool:
    """Nothing is left of calls: no objects, no deaths that somebody has not taken note of, no calls."""
    state = status(session)
    counters = state["counters"]
    queued = sum(queue["queued"] + queue["overflow"] for queue in state["nodes"][0]["queues"])
    return counters["deaths_unsettled"] == 0 and counters["entries"] == 0 and queued == 0 and not counters["violations"]
