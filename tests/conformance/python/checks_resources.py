"""Times and resources."""

from __future__ import annotations

from typing import Any

from peers import equal, error_of, expect, get, require, until
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


@scenario("timeout-negative")
def _(pair: Pair) -> None:
    add = pair.callee.function("add")(1, 2)
    equal(get(add), 3)
    for ref in (add, pair.callee.function("sleep")(100)):
        for action in (lambda ref=ref: sabir.get(ref, timeout=-1), lambda ref=ref: sabir.wait([ref], timeout=-1)):
            require(isinstance(error_of(action).error, ValueError))


@scenario("cluster-resources")
def _(pair: Pair) -> None:
    total = sabir.cluster_resources()
    equal((total["CPU"], total["slot"]), (2.0, 1.0))
    (node,) = sabir.nodes()
    equal((node["Alive"], node["Resources"]), (True, total))
    until(lambda: sabir.available_resources()["slot"] == 1, "the slot is free")
    recorder = pair.callee.recorder(0, resources={"slot": 0.5})
    get(recorder.add.remote(1))
    equal(sabir.available_resources()["slot"], 0.5)
    sabir.kill(recorder)
    until(lambda: sabir.available_resources()["slot"] == 1, "the slot is free again")


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
