"""References as futures: asyncio and concurrent.futures."""

from __future__ import annotations

import asyncio
import time

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
