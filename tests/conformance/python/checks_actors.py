"""Actors, their handles and their names."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from peers import equal, error_of, expect, get, require, until
from registry import Pair, scenario

import sabir


@scenario("actor-state")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder(10)
    equal([get(recorder.add.remote(1)) for _ in range(3)], [11, 12, 13])
    equal(get(recorder.history.remote()), [1, 1, 1])


@scenario("actor-order")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder()
    for i in range(100):
        recorder.add.remote(i)
    equal(get(recorder.history.remote()), list(range(100)))


@scenario("actor-order-pending")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder()
    recorder.add.remote(pair.callee.function("sleep")(200))
    recorder.add.remote(1)
    equal(get(recorder.history.remote()), [200, 1])


@scenario("actor-two")
def _(pair: Pair) -> None:
    one, two = pair.callee.recorder(1), pair.callee.recorder(100)
    equal(get([one.add.remote(1), two.add.remote(1), one.add.remote(1)]), [2, 101, 3])


@scenario("actor-process")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder()
    pids = get([recorder.pid.remote() for _ in range(3)])
    require(len(set(pids)) == 1 and os.getpid() not in pids, pids)
    os.kill(pids[0], 0)


@scenario("actor-threads")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: [get(recorder.add.remote(i)) for _ in range(25)], range(1, 5)))
    history = get(recorder.history.remote())
    equal([history.count(i) for i in range(1, 5)], [25] * 4)


@scenario("actor-keeps-references")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder()
    get(recorder.keep.remote([sabir.put(i) for i in (1, 2, 3)]))
    equal([get(recorder.total.remote()) for _ in range(2)], [6, 6])


@scenario("handle-argument")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder(1)
    equal(pair.callee.call("nudge", recorder, 10), 11)
    equal(get(recorder.add.remote(1)), 12)


@scenario("handle-in-list")
def _(pair: Pair) -> None:
    recorders = [pair.callee.recorder(1), pair.callee.recorder(2)]
    equal(pair.callee.call("nudge_all", recorders, 10), 23)
    equal(pair.callee.call("describe", {"h": recorders}), '{"h": [actor, actor]}')


@scenario("handle-to-caller")
def _(pair: Pair) -> None:
    equal(pair.own.call("nudge", pair.callee.recorder(1), 10), 11)


@scenario("handle-of-caller")
def _(pair: Pair) -> None:
    recorder = pair.own.recorder(1)
    equal(pair.callee.call("nudge", recorder, 10), 11)
    equal(get(recorder.add.remote(1)), 12)


@scenario("handle-to-actor")
def _(pair: Pair) -> None:
    first, second, own = pair.callee.recorder(), pair.callee.recorder(1), pair.own.recorder(2)
    get(first.befriend.remote([second, own]))
    equal(get(first.forward.remote(10)), 23)
    equal(get(second.history.remote()), [10])


@scenario("handle-returned")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder(1)
    (back,) = pair.callee.call("echo", [recorder])
    equal(get(back.add.remote(1)), 2)
    equal(back, recorder)


@scenario("actor-missing-method")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder()
    seen = expect(lambda: get(recorder.no_such_method.remote(1)), "not found")
    require("no_such_method" in seen.text, seen.text)
    equal(get(recorder.add.remote(1)), 1)


@scenario("name-lookup")
def _(pair: Pair) -> None:
    kept = pair.callee.recorder(1, name="lookup")
    equal(get(sabir.get_actor("lookup").add.remote(1)), 2)
    sabir.kill(kept)


@scenario("name-in-callee")
def _(pair: Pair) -> None:
    kept = pair.callee.recorder(1, name="in-callee")
    equal(pair.callee.call("nudge_named", "in-callee", 1), 2)
    sabir.kill(kept)


@scenario("name-of-caller")
def _(pair: Pair) -> None:
    kept = pair.own.recorder(1, name="of-caller")
    equal(pair.callee.call("nudge_named", "of-caller", 1), 2)
    sabir.kill(kept)


@scenario("name-taken")
def _(pair: Pair) -> None:
    kept = pair.callee.recorder(1, name="taken")
    expect(lambda: pair.callee.recorder(1, name="taken"), "name taken")
    equal(get(kept.add.remote(1)), 2)
    sabir.kill(kept)


@scenario("name-get-if-exists")
def _(pair: Pair) -> None:
    options: dict[str, Any] = {"name": "either", "get_if_exists": True}
    first = pair.callee.recorder(1, **options)
    equal(get(first.add.remote(1)), 2)
    equal(get(pair.callee.recorder(1, **options).add.remote(1)), 3)
    sabir.kill(first)


@scenario("name-unknown")
def _(pair: Pair) -> None:
    require("nobody" in expect(lambda: sabir.get_actor("nobody"), "not found").text)
    require("nobody" in error_of(lambda: pair.callee.call("nudge_named", "nobody", 1)).text)


@scenario("name-free-again")
def _(pair: Pair) -> None:
    first = pair.callee.recorder(1, name="again")
    get(first.add.remote(1))
    sabir.kill(first)

    def taken_again() -> Any:
        try:
            return pair.callee.recorder(100, name="again")
        except sabir.exceptions.NameTakenError:
            return None

    second = until(taken_again, "a name that is free again")
    equal(get(second.add.remote(1)), 101)
    sabir.kill(second)


def _unknown(name: str) -> bool:
    gc.collect()
    try:
        sabir.get_actor(name)
    except ValueError:
        return True
    return False


@scenario("actor-detached")
def _(pair: Pair) -> None:
    get(pair.callee.recorder(1, name="detached", lifetime="detached").add.remote(1))
    gc.collect()
    found = sabir.get_actor("detached")
    equal(get(found.add.remote(1)), 3)
    sabir.kill(found)
    until(lambda: _unknown("detached"), "the end of a detached actor that was killed")


@scenario("actor-ends")
def _(pair: Pair) -> None:
    pid = get(pair.callee.recorder(1, name="ends").pid.remote())

    def gone() -> bool:  # not by its name: a look-up makes a handle
        gc.collect()
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    until(gone, "the end of an actor without handles")
    until(lambda: _unknown("ends"), "the end of its name")


@scenario("actor-leaves")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder()
    get(recorder.add.remote(1))
    expect(lambda: get(recorder.leave.remote()), "actor died")
    expect(lambda: get(recorder.add.remote(1)), "actor died")
