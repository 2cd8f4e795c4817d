"""Deaths of actors and of workers, restarts and retries."""

from __future__ import annotations

from typing import Any

from peers import equal, expect, get, require, until
from registry import Pair, scenario

import sabir


def _restarted(recorder: Any) -> int:
    """Adds 1 as soon as the actor takes calls again."""

    def add() -> int:
        try:
            return int(get(recorder.add.remote(1)))
        except sabir.exceptions.ActorUnavailableError:
            return 0

    return int(until(add, "an actor that restarts"))


@scenario("kill")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder()
    get(recorder.add.remote(1))
    sabir.kill(recorder)
    expect(lambda: get(recorder.add.remote(1)), "actor died")


@scenario("kill-running")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder()
    get(recorder.add.remote(1))
    running = recorder.sleep.remote(60_000)
    expect(lambda: sabir.get(running, timeout=0.2), "timeout")
    sabir.kill(recorder)
    expect(lambda: get(running), "actor died")


@scenario("kill-restart")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder(100, max_restarts=1)
    equal(get(recorder.add.remote(5)), 105)
    sabir.kill(recorder, no_restart=False)
    until(lambda: _restarted(recorder) == 101, "a state that is new")


@scenario("actor-crash")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder()
    expect(lambda: get(recorder.die.remote("abort")), "actor died")
    expect(lambda: get(recorder.add.remote(1)), "actor died")


@scenario("actor-restart")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder(100, max_restarts=1)
    before = get(recorder.pid.remote())
    get(recorder.add.remote(5))
    expect(lambda: get(recorder.die.remote("abort")), "actor unavailable")
    equal(_restarted(recorder), 101)
    require(get(recorder.pid.remote()) != before, "the same process")


@scenario("actor-retry")
def _(pair: Pair) -> None:
    recorder = pair.callee.recorder(0, max_restarts=1, max_task_retries=1)
    equal(get(recorder.mortal.remote(1)), 1)


@scenario("task-abort")
def _(pair: Pair) -> None:
    expect(lambda: pair.callee.call("die", "abort", max_retries=0), "worker crashed")


@scenario("task-segfault")
def _(pair: Pair) -> None:
    expect(lambda: pair.callee.call("die", "segfault", max_retries=0), "worker crashed")


@scenario("task-exit")
def _(pair: Pair) -> None:
    seen = expect(lambda: pair.callee.call("die", "exit", max_retries=0), "worker crashed")
    require("7" in seen.text, seen.text)


@scenario("task-retry-crash")
def _(pair: Pair) -> None:
    equal(pair.callee.call("mortal", 2, max_retries=2), 2)


@scenario("task-retry-error")
def _(pair: Pair) -> None:
    equal(pair.callee.call("flaky", 2, max_retries=2, retry_exceptions=True), 2)


@scenario("task-retry-type")
def _(pair: Pair) -> None:
    types: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
        "python": ([ValueError], [LookupError, Exception], [LookupError]),
        "cpp": (["std::runtime_error"], ["std::bad_alloc", "std::exception"], ["std::logic_error"]),
        "java": (
            ["java.lang.IllegalStateException"],
            ["java.io.IOException", "java.lang.RuntimeException"],
            ["java.io.IOException"],
        ),
    }
    own, base, other = types[pair.callee.language]
    for retry in (own, base):
        equal(pair.callee.call("flaky", 2, max_retries=2, retry_exceptions=retry), 2)
    seen = expect(lambda: pair.callee.call("flaky", 2, max_retries=2, retry_exceptions=other), "task failed")
    require("attempt 0 fails" in seen.text, seen.text)


@scenario("task-no-retry-error")
def _(pair: Pair) -> None:
    seen = expect(lambda: pair.callee.call("flaky", 2, max_retries=2), "task failed")
    require("attempt 0 fails" in seen.text, seen.text)


@scenario("crash-and-others")
def _(pair: Pair) -> None:
    add = pair.callee.function("add")
    before = [add(i, 1) for i in range(20)]
    dying = pair.callee.function("die", max_retries=0)("abort")
    after = [add(i, 2) for i in range(20)]
    expect(lambda: get(dying), "worker crashed")
    equal(get(before + after), [i + 1 for i in range(20)] + [i + 2 for i in range(20)])
