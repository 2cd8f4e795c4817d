"""A process pool with the standard library's interface, whose processes are actors."""

from __future__ import annotations

import itertools
import threading
import time
import types
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable

import sabir
from sabir import _sabir
from sabir._futures import settle_later
from sabir.util.multiprocessing import _batches
from sabir.util.multiprocessing._batches import APPLY, MAP, STARMAP, Runner
from sabir.util.multiprocessing._results import AsyncResult, IMapIterator, IMapUnorderedIterator, Job, MapResult
from sabir.util.scheduling_strategies import NodeAffinitySchedulingStrategy

__all__ = ["AsyncResult", "IMapIterator", "IMapUnorderedIterator", "MapResult", "Pool"]

_RUN, _CLOSE, _TERMINATE = "RUN", "CLOSE", "TERMINATE"
_Callback = Callable[[Any], object]

# Of an iterator's items, so many batches for each process are taken before results are there.
_AHEAD = 8


class _Process:
    """One actor, and the batches that it has."""

    def __init__(self, actor: Any, place: str | None) -> None:
        self.run = actor.run
        self.actor = actor
        self.place = place
        self.outstanding = 0
        self.started = 0


class _Sent:
    """A batch that a process has, as the future of its result (settle_later)."""

    __slots__ = ("_began", "_index", "_job", "_pool", "_process", "_size")

    def __init__(self, pool: Pool, process: _Process, job: Job, index: int, size: int) -> None:
        self._pool, self._process, self._job, self._index, self._size = pool, process, job, index, size
        self._began = time.monotonic()

    def set_result(self, outcome: tuple[list[Any], bool]) -> None:
        self._done(None, outcome)

    def set_exception(self, error: BaseException) -> None:
        self._done(error, ([], False))

    def _done(self, error: BaseException | None, outcome: tuple[list[Any], bool]) -> None:
        pool, job = self._pool, self._job
        job.measured((time.monotonic() - self._began) / self._process.outstanding, self._size)
        pool._is_free(self._process, error)  # first: its next batch shall not wait
        try:
            if error is not None:
                job.broken(self._index, error)
            else:
                job.finished(self._index, *outcome)
        finally:
            with pool._lock:
                pool._one_done(job)


def _places() -> list[str | None]:
    """The ids of the nodes, each as often as it has CPUs, in turn. None for one node: where else should they be."""
    nodes = [node for node in sabir.nodes() if node["Alive"]]
    if len(nodes) < 2:
        return []
    turns: list[tuple[int, str]] = [
        (turn, node["NodeID"]) for node in nodes for turn in range(int(node["Resources"].get("CPU", 0)))
    ]
    return [node for _, node in sorted(turns)]


def _resolve(ref: Any, sent: _Sent) -> None:
    try:
        outcome = sabir.get(ref)
    except Exception as error:
        sent.set_exception(error)
    else:
        sent.set_result(outcome)


class Pool:
    """Processes that call functions, with the interface of ``multiprocessing.Pool``.

    Args:
        processes: their number; default: the CPUs of the session.
        initializer, initargs: called in each process before its first task.
        maxtasksperchild: after so many tasks (batches of items) a process is replaced.
        context: taken for compatibility; processes are always Sabir's.
        address: as of ``sabir.init``, if that was not called yet.
        remote_args: options of the actors; without any they ask for no CPU.
    """

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., Any] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: Any = None,
        address: str | None = None,
        remote_args: Mapping[str, Any] | None = None,
    ) -> None:
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if maxtasksperchild is not None and (not isinstance(maxtasksperchild, int) or maxtasksperchild <= 0):
            raise ValueError("maxtasksperchild must be a positive int or None")
        if processes is not None and processes < 1:
            raise ValueError("Number of processes must be at least 1")
        if not sabir.is_initialized():
            sabir.init(address, ignore_reinit_error=True)
        self._size = processes or max(1, int(sabir.cluster_resources().get("CPU", 1)))
        self._max_tasks = maxtasksperchild
        options = {"num_cpus": 0, **(remote_args or {})}
        self._runner = sabir.remote(Runner).options(**options)
        self._arguments = (initializer, tuple(initargs))
        self._state = _RUN
        self._lock = threading.RLock()
        self._quiet = threading.Condition(self._lock)  # notified when the last job has ended
        self._pending: deque[tuple[Job, int, Sequence[Any]]] = deque()
        self._unfinished: dict[Job, int] = {}  # its batches that are not done, and one while it may get more
        self._pumping = False
        self._codes: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        places: list[str | None] = [None]
        if not {"scheduling_strategy", "label_selector"} & set(options):
            places = _places() or places
        self._processes = [self._start(places[index % len(places)]) for index in range(self._size)]

    # What the standard library's pool has.

    def apply(self, func: Callable[..., Any], args: Iterable[Any] = (), kwds: Mapping[str, Any] = {}) -> Any:
        """Calls ``func(*args, **kwds)`` in a process and returns its result."""
        return self.apply_async(func, args, kwds).get()

    def apply_async(
        self,
        func: Callable[..., Any],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] = {},
        callback: _Callback | None = None,
        error_callback: _Callback | None = None,
    ) -> AsyncResult:
        """Starts the call. ``callback(result)`` or ``error_callback(error)`` is called in a thread of this process."""
        self._check_running()
        job = AsyncResult(self._code(func), APPLY, callback, error_callback)
        self._submit(job, [[(tuple(args), dict(kwds or {}))]])
        return job

    def map(self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int | None = None) -> list[Any]:
        """Calls ``func`` for each item; the results in the order of the items."""
        return self._map_here(MAP, func, iterable, chunksize)

    def map_async(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: _Callback | None = None,
        error_callback: _Callback | None = None,
    ) -> MapResult:
        """As map(), but returns at once."""
        return self._map(MAP, func, iterable, chunksize, callback, error_callback)

    def starmap(
        self, func: Callable[..., Any], iterable: Iterable[Iterable[Any]], chunksize: int | None = None
    ) -> list[Any]:
        """As map(), with items that are the arguments of a call each."""
        return self._map_here(STARMAP, func, iterable, chunksize)

    def starmap_async(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: _Callback | None = None,
        error_callback: _Callback | None = None,
    ) -> MapResult:
        """As starmap(), but returns at once."""
        return self._map(STARMAP, func, iterable, chunksize, callback, error_callback)

    def imap(self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int | None = 1) -> IMapIterator:
        """As map(), but an iterator: each result as soon as it and those before it are there.

        An iterator's items are taken by a thread, ahead of the results by a bounded number of batches.
        """
        return self._imap(IMapIterator, func, iterable, chunksize)

    def imap_unordered(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int | None = 1
    ) -> IMapIterator:
        """As imap(), but each result as soon as it is there."""
        return self._imap(IMapUnorderedIterator, func, iterable, chunksize)

    def close(self) -> None:
        """No more calls: the processes end when those made are done."""
        with self._lock:
            if self._state == _RUN:
                self._state = _CLOSE
            if not self._unfinished:
                self._processes = []

    def terminate(self) -> None:
        """Ends the processes at once; results that are not there yet raise RuntimeError."""
        with self._lock:
            self._state = _TERMINATE
            self._pending.clear()
            jobs = list(self._unfinished)
            self._unfinished.clear()
            processes, self._processes = self._processes, []
            self._quiet.notify_all()
        for job in jobs:  # before the deaths of their processes are known
            job.abandon(RuntimeError("the pool was terminated"))
        if sabir.is_initialized():
            for process in processes:
                sabir.kill(process.actor)

    def join(self) -> None:
        """Waits for the end after close() or terminate()."""
        if self._state == _RUN:
            raise ValueError("Pool is still running")
        with self._lock:
            while self._unfinished:
                self._quiet.wait()
            self._processes = []

    def __enter__(self) -> Pool:
        self._check_running()
        return self

    def __exit__(self, *raised: object) -> None:
        self.terminate()

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__qualname__} state={self._state} pool_size={self._size}>"

    def __reduce__(self) -> Any:
        raise NotImplementedError("pool objects cannot be passed between processes or pickled")

    # How it works.

    def _start(self, place: str | None) -> _Process:
        runner = self._runner
        if place is not None:
            runner = runner.options(scheduling_strategy=NodeAffinitySchedulingStrategy(place, soft=True))
        return _Process(runner.remote(*self._arguments), place)

    def _check_running(self) -> None:
        if self._state != _RUN:
            raise ValueError("Pool not running")

    def _code(self, func: Callable[..., Any]) -> Any:
        # Functions do not change; what is bound to an object may.
        if not isinstance(func, types.FunctionType):
            return _batches.code_of(func)
        code = self._codes.get(func)
        if code is None:
            code = self._codes[func] = _batches.code_of(func)
        return code

    def _map(
        self,
        kind: int,
        func: Callable[..., Any],
        iterable: Iterable[Any],
        chunksize: int | None,
        callback: _Callback | None,
        error_callback: _Callback | None,
    ) -> MapResult:
        items = self._items(iterable, chunksize)
        job = MapResult(self._code(func), kind, callback, error_callback, len(items))
        self._submit_rest(job, items, 0, chunksize)
        return job

    def _items(self, iterable: Iterable[Any], chunksize: int | None) -> Sequence[Any]:
        self._check_running()
        if chunksize is not None and chunksize < 1:
            raise ValueError(f"Chunksize must be 1+, not {chunksize}")
        return iterable if isinstance(iterable, (list, tuple, range)) else list(iterable)

    def _submit_rest(self, job: MapResult, items: Sequence[Any], begin: int, chunksize: int | None) -> None:
        with self._lock:
            for size in _batches.sizes(len(items) - begin, chunksize, self._size):
                job.cut(begin, size)
                self._submit(job, [items[begin : begin + size]], begin)
                begin += size

    def _map_here(
        self, kind: int, func: Callable[..., Any], iterable: Iterable[Any], chunksize: int | None
    ) -> list[Any]:
        """As _map(), but this thread, which waits anyway, hands out the batches: no other thread is woken for each."""
        items = self._items(iterable, chunksize)
        job = MapResult(self._code(func), kind, None, None, len(items))
        smallest = _batches.smallest_of(len(items), self._size)
        running: dict[Any, _Sent] = {}
        begin = 0
        while begin < len(items) or running:
            with self._lock:
                while begin < len(items) and not self._pending and self._processes:
                    process = self._with_room(job.depth)
                    if process is None:
                        break
                    left = len(items) - begin
                    size = min(left, chunksize or _batches.next_size(left, self._size, smallest, job.item_s))
                    job.cut(begin, size)
                    self._unfinished[job] = self._unfinished.get(job, 0) + 1
                    started = self._start_batch(process, job, begin, items[begin : begin + size])
                    begin += size
                    if started is not None:
                        running[started[0]] = started[1]
            if not running:  # others have all processes, or the pool was terminated
                self._submit_rest(job, items, begin, chunksize)
                break
            for ref in sabir.wait(list(running), num_returns=1)[0]:
                _resolve(ref, running.pop(ref))
        return list(job.get())

    def _imap(
        self, kind: type[IMapIterator], func: Any, iterable: Iterable[Any], chunksize: int | None
    ) -> IMapIterator:
        self._check_running()
        size = 1 if chunksize is None else chunksize
        if size < 1:
            raise ValueError(f"Chunksize must be 1+, not {size}")
        job = kind(self._code(func), MAP, _AHEAD * self._size)
        if isinstance(iterable, (list, tuple, range)):
            batches = list(_batches.sliced(iterable, _batches.sizes(len(iterable), size, self._size)))
            job.ends(len(batches))
            self._submit(job, batches)
            return job
        items = iter(iterable)
        with self._lock:
            self._unfinished[job] = 1
        threading.Thread(target=self._feed, args=(job, items, size), name="sabir-pool", daemon=True).start()
        return job

    def _feed(self, job: IMapIterator, items: Iterator[Any], size: int) -> None:
        count = 0
        error: BaseException | None = None
        try:
            while batch := list(itertools.islice(items, size)):
                job.room.acquire()
                if job not in self._unfinished:  # terminated
                    return
                self._submit(job, [batch], count)
                count += 1
        except BaseException as raised:
            error = raised
        job.ends(count, error)
        with self._lock:
            self._one_done(job)

    def _submit(self, job: Job, batches: Iterable[Sequence[Any]], first: int = 0) -> None:
        with self._lock:
            if self._state == _TERMINATE:
                raise ValueError("Pool not running")
            before = len(self._pending)
            self._pending.extend((job, index, batch) for index, batch in enumerate(batches, first))
            added = len(self._pending) - before
            if added:
                self._unfinished[job] = self._unfinished.get(job, 0) + added
            self._pump()

    def _pump(self) -> None:
        """Gives waiting batches to processes that have room for them. The lock is held."""
        if self._pumping:  # a result that was there at once: the loop below goes on
            return
        self._pumping = True
        try:
            while self._pending and self._processes:
                job, index, items = self._pending[0]
                process = self._with_room(job.depth)
                if process is None:
                    return
                self._pending.popleft()
                self._send(process, job, index, items)
        finally:
            self._pumping = False

    def _with_room(self, depth: int) -> _Process | None:
        found = None
        for process in self._processes:
            if self._max_tasks is not None and process.started >= self._max_tasks:
                continue
            if process.outstanding < depth and (found is None or process.outstanding < found.outstanding):
                found = process
        return found

    def _send(self, process: _Process, job: Job, index: int, items: Sequence[Any]) -> None:
        on_its_way = self._start_batch(process, job, index, items)
        if on_its_way is not None:
            settle_later(on_its_way[1], on_its_way[0], _sabir.get)

    def _start_batch(self, process: _Process, job: Job, index: int, items: Sequence[Any]) -> tuple[Any, _Sent] | None:
        try:
            ref = process.run.remote(job.code, job.kind, items)
        except Exception as error:  # the items cannot be sent, or the session is gone
            self._one_done(job)
            job.broken(index, error)
            return None
        process.outstanding += 1
        process.started += 1
        return ref, _Sent(self, process, job, index, len(items))

    def _is_free(self, process: _Process, error: BaseException | None) -> None:
        with self._lock:
            process.outstanding -= 1
            self._renew(process, isinstance(error, sabir.exceptions.ActorError))
            self._pump()

    def _renew(self, process: _Process, died: bool) -> None:
        """Replaces a process that has died or has done its number of tasks. The lock is held."""
        used_up = self._max_tasks is not None and process.started >= self._max_tasks and process.outstanding == 0
        if (died or used_up) and process in self._processes:
            self._processes.remove(process)
            if self._state == _RUN or self._pending or self._unfinished:
                self._processes.append(self._start(process.place))

    def _one_done(self, job: Job) -> None:
        """The lock is held."""
        left = self._unfinished.get(job)
        if left is None:
            return
        if left > 1:
            self._unfinished[job] = left - 1
            return
        del self._unfinished[job]
        if not self._unfinished:
            if self._state != _RUN:
                self._processes = []
            self._quiet.notify_all()
