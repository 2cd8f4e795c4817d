"""sabir.util.queue: first in, first out, between processes; who waits holds up nobody."""

from __future__ import annotations

import asyncio
import threading

import pytest

import sabir
from sabir.util.queue import Empty, Full, Queue

pytestmark = pytest.mark.usefixtures("session")


def test_first_in_first_out_and_sizes():
    queue = Queue()
    assert queue.empty() and not queue.full() and len(queue) == 0
    for item in (1, None, [2]):
        queue.put(item)
    assert queue.size() == queue.qsize() == 3
    assert [queue.get() for _ in range(3)] == [1, None, [2]]


def test_empty_and_full():
    queue = Queue(maxsize=1)
    with pytest.raises(Empty):
        queue.get_nowait()
    with pytest.raises(Empty):
        queue.get(timeout=0.05)
    queue.put_nowait(1)
    assert queue.full()
    with pytest.raises(Full):
        queue.put_nowait(2)
    with pytest.raises(Full):
        queue.put(2, timeout=0.05)
    assert queue.get() == 1
    for call in (lambda: queue.get(timeout=-1), lambda: queue.put(1, timeout=-1)):
        with pytest.raises(ValueError):
            call()


def test_batches_are_all_or_nothing():
    queue = Queue(maxsize=3)
    queue.put_nowait_batch([1, 2])
    with pytest.raises(Full):
        queue.put_nowait_batch([3, 4])
    with pytest.raises(Empty):
        queue.get_nowait_batch(3)
    assert queue.get_nowait_batch(2) == [1, 2] and queue.get_nowait_batch(0) == []
    with pytest.raises(TypeError):
        queue.put_nowait_batch(1)
    with pytest.raises(TypeError):
        queue.get_nowait_batch("x")
    with pytest.raises(ValueError):
        queue.get_nowait_batch(-1)


def test_a_waiting_get_is_woken_by_a_put():
    queue = Queue()
    timer = threading.Timer(0.2, queue.put, ["late"])
    timer.start()
    assert queue.get(timeout=30) == "late"
    timer.join()


def test_consumers_that_wait_in_tasks_lend_their_cpu():
    queue, results = Queue(), Queue()

    @sabir.remote(num_cpus=1)
    def consume():
        results.put(queue.get(timeout=60) * 10)

    @sabir.remote(num_cpus=1)
    def produce(count):
        for item in range(count):
            queue.put(item)

    # More consumers than CPUs, before anything is there.
    consumers = [consume.remote() for _ in range(3)]
    sabir.wait(consumers, timeout=0.3)
    sabir.get(produce.remote(3), timeout=60)
    sabir.get(consumers, timeout=60)
    assert sorted(results.get_nowait_batch(3)) == [0, 10, 20]


def test_async():
    async def both():
        queue = Queue(maxsize=1)
        getting = asyncio.ensure_future(queue.get_async(timeout=30))
        await asyncio.sleep(0.05)
        await queue.put_async("x")
        assert await getting == "x"
        with pytest.raises(Empty):
            await queue.get_async(block=False)
        with pytest.raises(Empty):
            await queue.get_async(timeout=0.02)
        await queue.put_async(1)
        with pytest.raises(Full):
            await queue.put_async(2, timeout=0.02)

    asyncio.run(both())


def test_options_and_shutdown():
    queue = Queue(actor_options={"name": "items of a queue"})
    assert sabir.get_actor("items of a queue") == queue.actor
    actor = queue.actor
    queue.shutdown()
    queue.shutdown()
    with pytest.raises(sabir.exceptions.ActorDiedError):
        sabir.get(actor.qsize.remote(), timeout=30)
    other = Queue()
    actor = other.actor
    other.shutdown(force=True)
    with pytest.raises(sabir.exceptions.ActorDiedError):
        sabir.get(actor.qsize.remote(), timeout=30)
