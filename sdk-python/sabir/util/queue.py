"""A queue for tasks, actors and drivers: first in, first out, in an actor of its own.

Actors run one call at a time, so the actor never waits: who has to wait asks again, at growing distances of
_POLL_S at most. Those who wait are therefore served in no particular order.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Iterator
from queue import Empty, Full
from typing import Any

import sabir

__all__ = ["Empty", "Full", "Queue"]

_POLL_FIRST_S = 0.0002
_POLL_S = 0.01
_HOLD_S = 20.0


class _Latch:
    """Something that is not there yet: in a task, waiting for it lends the CPU to those who will fill the queue."""

    def hold(self) -> None:
        time.sleep(_HOLD_S)


class _QueueActor:
    """The items. No method waits."""

    def __init__(self, maxsize: int) -> None:
        self._maxsize = maxsize
        self._items: deque[Any] = deque()
        self._latch: Any = None

    def qsize(self) -> int:
        return len(self._items)

    def put(self, items: list[Any]) -> bool:
        """All of them or, when there is no room for all, none."""
        if self._maxsize > 0 and len(self._items) + len(items) > self._maxsize:
            return False
        self._items.extend(items)
        return True

    def get(self) -> Any:
        return [self._items.popleft()] if self._items else None

    def get_batch(self, count: int) -> Any:
        """So many, or the number that there is."""
        if len(self._items) < count:
            return len(self._items)
        return [self._items.popleft() for _ in range(count)]

    def latch(self) -> Any:
        if self._latch is None:
            self._latch = sabir.remote(num_cpus=0)(_Latch).remote()
        return self._latch


class Queue:
    """A queue that can be passed to tasks and actors. It lives while handles of it do.

    ``maxsize``: how many items it holds; 0: any number. ``actor_options``: of the actor that holds them, which asks for
    no CPU otherwise.
    """

    def __init__(self, maxsize: int = 0, actor_options: dict[str, Any] | None = None) -> None:
        options: dict[str, Any] = {"num_cpus": 0, **(actor_options or {})}
        self.maxsize = maxsize
        self.actor: Any = sabir.remote(_QueueActor).options(**options).remote(maxsize)

    def __len__(self) -> int:
        return self.size()

    def __reduce__(self) -> Any:
        return _with_actor, (self.maxsize, self.actor)

    def size(self) -> int:
        """The number of items, which others may change at any moment."""
        return int(sabir.get(self.actor.qsize.remote()))

    def qsize(self) -> int:
        """As size()."""
        return self.size()

    def empty(self) -> bool:
        """Whether there is no item now."""
        return self.size() == 0

    def full(self) -> bool:
        """Whether there is no room now; never, of an unbounded queue."""
        return self.maxsize > 0 and self.size() >= self.maxsize

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Adds an item; waits for room, ``timeout`` seconds at most if that is given. Full if there is none."""
        waiting = _Waiting(self, block, timeout)
        while not sabir.get(self.actor.put.remote([item])):
            if not waiting.again():
                raise Full

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Takes the first item; waits for one, ``timeout`` seconds at most if that is given. Empty if there is none."""
        waiting = _Waiting(self, block, timeout)
        while True:
            got = sabir.get(self.actor.get.remote())
            if got is not None:
                return got[0]
            if not waiting.again():
                raise Empty

    async def put_async(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """As put(), in an event loop."""
        delays = _delays(block, timeout)
        while not await self.actor.put.remote([item]):
            delay = next(delays, None)
            if delay is None:
                raise Full
            await asyncio.sleep(delay)

    async def get_async(self, block: bool = True, timeout: float | None = None) -> Any:
        """As get(), in an event loop."""
        delays = _delays(block, timeout)
        while True:
            got = await self.actor.get.remote()
            if got is not None:
                return got[0]
            delay = next(delays, None)
            if delay is None:
                raise Empty
            await asyncio.sleep(delay)

    def put_nowait(self, item: Any) -> None:
        """Adds an item, or raises Full."""
        self.put(item, block=False)

    def put_nowait_batch(self, items: Iterable[Any]) -> None:
        """Adds all of the items, or raises Full and adds none."""
        if not isinstance(items, Iterable):
            raise TypeError("Argument 'items' must be an Iterable")
        batch = list(items)
        if not sabir.get(self.actor.put.remote(batch)):
            raise Full(f"Cannot add {len(batch)} items to queue of size {self.size()} and maxsize {self.maxsize}.")

    def get_nowait(self) -> Any:
        """Takes the first item, or raises Empty."""
        return self.get(block=False)

    def get_nowait_batch(self, num_items: int) -> list[Any]:
        """Takes so many items, or raises Empty and takes none."""
        if isinstance(num_items, bool) or not isinstance(num_items, int):
            raise TypeError("Argument 'num_items' must be an int")
        if num_items < 0:
            raise ValueError("'num_items' must be nonnegative")
        got = sabir.get(self.actor.get_batch.remote(num_items))
        if isinstance(got, int):
            raise Empty(f"Cannot get {num_items} items from queue of size {got}.")
        return list(got)

    def shutdown(self, force: bool = False, grace_period_s: float = 5) -> None:
        """Ends the actor; what waits in put() and get() then fails. Without ``force`` calls already made still run, for
        ``grace_period_s`` seconds at most."""
        if self.actor is None:
            return
        actor, self.actor = self.actor, None
        if not force:
            sabir.wait([actor.__sabir_terminate__.remote()], timeout=grace_period_s)
        sabir.kill(actor)


def _with_actor(maxsize: int, actor: Any) -> Queue:
    made = Queue.__new__(Queue)
    made.maxsize = maxsize
    made.actor = actor
    return made


def _delays(block: bool, timeout: float | None) -> Iterator[float]:
    """How long to wait before each further attempt; the last one is made at the deadline."""
    if block and timeout is not None and timeout < 0:
        raise ValueError("'timeout' must be a non-negative number")
    return _growing(timeout) if block else iter(())


def _growing(timeout: float | None) -> Iterator[float]:
    deadline = None if timeout is None else time.monotonic() + timeout
    delay = _POLL_FIRST_S
    while True:
        left = delay if deadline is None else deadline - time.monotonic()
        if left <= 0:
            return
        yield min(delay, left)
        delay = min(delay * 2, _POLL_S)


class _Waiting:
    """One blocking put() or get()."""

    def __init__(self, queue: Queue, block: bool, timeout: float | None) -> None:
        self._queue = queue
        self._delays = _delays(block, timeout)
        self._held: Any = None

    def again(self) -> bool:
        """Waits for a moment; False at the deadline."""
        delay = next(self._delays, None)
        if delay is None:
            return False
        if delay < _POLL_S or sabir.get_runtime_context().get_task_id() is None:
            time.sleep(delay)
            return True
        if self._held is None or self._held._ready():
            self._held = sabir.get(self._queue.actor.latch.remote()).hold.remote()
        sabir.wait([self._held], timeout=delay)
        return True
