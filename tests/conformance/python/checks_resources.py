"""Times and resources."""

from __future__ import annotations

from typing import Any

from peers import equal, expect, get
from registry import Pair, scenario

import sabir

# How long a task waits for another that must not come; a slow machine makes the proof weaker, never wrong.
APART_MS = 250


def _meet(pair: Pair, milliseconds: int, **options: Any) -> list[bool]:
    meet, folder = pair.callee.function("meet", **options), pair.empty_folder()
    return list(get([meet(folder, name, 2, milliseconds) for name in "ab"]))


@scenario("get-timeout")
def _(pair: Pair) -> None:
    ref = pair.callee.function("sleep")(300)
    expect(lambda: sabir.get(ref, timeout=0.05), "timeout")
    equal(get(ref), 300)


@scenario("wait-timeout")
def _(pair: Pair) -> None:
    ref = pair.callee.function("sleep")(300)
    equal(sabir.wait([ref], num_returns=1, timeout=0.05), ([], [ref]))
    equal(get(ref), 300)


@scenario("cpus-two")
def _(pair: Pair) -> None:
    equal(_meet(pair, APART_MS, num_cpus=2), [False, False])


@scenario("cpus-half")
def _(pair: Pair) -> None:
    equal(_meet(pair, 30_000, num_cpus=0.5), [True, True])


@scenario("resource-custom")
def _(pair: Pair) -> None:
    equal(_meet(pair, APART_MS, resources={"slot": 1}), [False, False])


@scenario("resource-of-actor")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder(0, resources={"slot": 1})
    get(recorder.add.remote(1))
    ref = pair.callee.function("add", resources={"slot": 1})(1, 2)
    expect(lambda: sabir.get(ref, timeout=APART_MS / 1000), "timeout")
    sabir.kill(recorder)
    equal(get(ref), 3)


@scenario("resource-impossible")
def _(pair: Pair) -> None:
    ref = pair.callee.function("add", resources={"slot": 2})(1, 2)
    expect(lambda: sabir.get(ref, timeout=APART_MS / 1000), "timeout")
