"""References as futures: asyncio and concurrent.futures."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future

import pytest

import sabir

pytestmark = pytest.mark.usefixtures("session")


@sabir.remote
def later(seconds, value):
    time.sleep(seconds)
    if value is None:
        raise ValueError("none")
    return value


def test_future():
    assert later.remote(0.1, 5).future().result(timeout=30) == 5
    assert sabir.put(6).future().result(timeout=30) == 6
    with pytest.raises(ValueError):
        later.remote(0, None).future().result(timeout=30)


def test_await():
    async def main():
        first = later.remote(0.2, 1)
        values = await asyncio.gather(first, later.remote(0, 2), sabir.put(3))
        with pytest.raises(ValueError):
            await later.remote(0, None)
        return values

    assert asyncio.run(main()) == [1, 2, 3]


def test_the_loop_runs_while_a_reference_is_awaited():
    async def main():
        ticks = 0
        pending = asyncio.ensure_future(asyncio.wait_for(later.remote(0.5, "x"), 30))
        while not pending.done():
            ticks += 1
            await asyncio.sleep(0.01)
        return ticks, await pending

    ticks, value = asyncio.run(main())
    assert value == "x" and ticks > 5


def test_many_futures():
    futures = [later.remote(0, i).future() for i in range(500)]
    assert [future.result(timeout=30) for future in futures] == list(range(500))


def test_a_task_that_raises_stop_iteration_does_not_end_an_await_with_a_value():
    @sabir.remote
    def empty():
        next(iter([]))

    async def main():
        with pytest.raises(RuntimeError, match="StopIteration"):
            await empty.remote()

    asyncio.run(main())
    with pytest.raises(StopIteration):
        empty.remote().future().result(timeout=30)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, RuntimeError])
def test_a_callback_that_raises_does_not_stop_the_other_futures(error):
    def refuse(_):
        raise error("no")

    first = later.remote(0.1, 1).future()
    first.add_done_callback(refuse)
    assert later.remote(0.3, 2).future().result(timeout=30) == 2
    assert first.result(timeout=30) == 1


def test_a_callback_may_use_sabir():
    chained: Future = Future()
    first = later.remote(0, 1).future()
    first.add_done_callback(lambda done: chained.set_result(sabir.get(later.remote(0, done.result() + 1))))
    assert chained.result(timeout=30) == 2


def test_an_abandoned_await_and_a_closed_loop_leave_the_rest_working():
    async def give_up():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.ensure_future(waits(later.remote(0.4, 1))), 0.05)
        asyncio.ensure_future(waits(later.remote(0.4, 2)))  # noqa: RUF006 - the loop closes before it is there
        await asyncio.sleep(0)

    async def waits(ref):
        return await ref

    asyncio.run(give_up())
    sabir.get(later.remote(0.5, 3))
    assert later.remote(0, 4).future().result(timeout=30) == 4
