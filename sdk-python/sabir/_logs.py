"""What the node has to say to this process: workers' output, warnings, wishes to collect garbage."""

from __future__ import annotations

import gc
import sys
import threading
import time
from typing import Any, TextIO

from sabir import _sabir

# A line that comes again within this time is counted instead of printed.
_FOLD_SECONDS = 5.0
_FOLDED_LINES = 500
# What was left out is told at most this often.
_DROPPED_SECONDS = 1.0

# Between collections of garbage there is as much time as the last one took, or this.
_COLLECT_PAUSE_SECONDS = 1.0

_thread: threading.Thread | None = None


class Folder:
    """Folds repeated lines: the first is printed at once, the others as one line with their number."""

    def __init__(self, clock: Any = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, str, int], list[Any]] = {}  # (name, line, stream) -> [first seen, pid, repeats]

    def add(self, name: str, pid: int, stream: int, line: str) -> list[tuple[int, str]]:
        """Lines to print now, with their stream."""
        out = self.flush(only_old=True)
        key = (name, line, stream)
        entry = self._seen.get(key)
        if entry is not None:
            entry[1] = pid
            entry[2] += 1
            return out
        if len(self._seen) >= _FOLDED_LINES:
            out += self.flush(only_old=False)
        self._seen[key] = [self._clock(), pid, 0]
        out.append((stream, f"({name} pid={pid}) {line}"))
        return out

    def counts(self) -> bool:
        """Something has repeats that were not told."""
        return any(entry[2] for entry in self._seen.values())

    def flush(self, only_old: bool) -> list[tuple[int, str]]:
        now = self._clock()
        out = []
        for key, (since, pid, repeats) in list(self._seen.items()):
            if only_old and now - since < _FOLD_SECONDS:
                continue
            del self._seen[key]
            if repeats:
                name, line, stream = key
                out.append((stream, f"({name} pid={pid}) {line} [repeated {repeats}x]"))
        return out


class Dropped:
    """Adds up the lines that were left out: in a flood each piece of it says how many, thousands of times."""

    def __init__(self, clock: Any = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, int], int] = {}
        self._told = float("-inf")

    def add(self, name: str, pid: int, lines: int) -> list[tuple[int, str]]:
        """Lines to print now."""
        if lines:
            self._counts[name, pid] = self._counts.get((name, pid), 0) + lines
        return self.flush() if self._counts and self._clock() - self._told >= _DROPPED_SECONDS else []

    def counts(self) -> bool:
        return bool(self._counts)

    def flush(self) -> list[tuple[int, str]]:
        counts, self._counts = self._counts, {}
        self._told = self._clock()
        return [
            (2, f"({name} pid={pid}) [{lines} lines left out: output faster than it could be shown]")
            for (name, pid), lines in counts.items()
        ]


class Collector:
    """Collects garbage when the store is full: arrays in cycles hold objects there. Half of the time at most."""

    def __init__(self, clock: Any = time.monotonic, collect: Any = gc.collect) -> None:
        self._clock = clock
        self._collect = collect
        self._asked = False
        self._due = float("-inf")

    def ask(self) -> None:
        self._asked = True

    def wait_s(self, otherwise: float | None) -> float | None:
        """How long to wait for notices: `otherwise`, or less."""
        if not self._asked:
            return otherwise
        left: float = max(0.0, self._due - self._clock())
        return left if otherwise is None else min(left, otherwise)

    def run_if_due(self) -> None:
        started = self._clock()
        if self._asked and started >= self._due:
            self._asked = False
            self._collect()
            ended = self._clock()
            self._due = ended + min(ended - started, _COLLECT_PAUSE_SECONDS)


def _print(lines: list[tuple[int, str]]) -> None:
    for stream, text in lines:
        target: TextIO = sys.stderr if stream == 2 else sys.stdout
        try:
            _write(target, text + "\n")
        except Exception:  # the user closed it, or put something of their own there
            continue


def _write(target: TextIO, text: str) -> None:
    try:
        target.write(text)
    except UnicodeEncodeError:  # a terminal that is not UTF-8
        encoding = getattr(target, "encoding", None) or "ascii"
        target.write(text.encode(encoding, "backslashreplace").decode(encoding))
    target.flush()


def warn(text: str) -> None:
    """A sentence that the user should read."""
    _print([(2, f"(sabir) warning: {text}")])


def _handle(folder: Folder, dropped_lines: Dropped, collector: Collector, notice: tuple[Any, ...]) -> None:
    if notice[0] == "log":
        _, name, pid, stream, text, dropped = notice
        _print(dropped_lines.add(name or "worker", pid, dropped))
        for line in text.splitlines():
            _print(folder.add(name or "worker", pid, stream, line))
    elif notice[0] == "warning":
        warn(notice[1])
    elif notice[0] == "collect":
        collector.ask()


def _pump() -> None:
    from sabir.exceptions import SabirError

    folder, dropped, collector = Folder(), Dropped(), Collector()
    while True:
        try:
            # What is counted is told also when nothing else comes.
            counts = folder.counts() or dropped.counts()
            notices = _sabir.next_notices(collector.wait_s(1.0 if counts else None))
        except SabirError:
            notices = None
        if notices is None:
            break
        for notice in notices:
            _handle(folder, dropped, collector, notice)
        collector.run_if_due()
        _print(folder.flush(only_old=True) + dropped.add("", 0, 0))
    _print(folder.flush(only_old=False) + dropped.flush())


def start_reader() -> None:
    """Starts the thread that reads them, in drivers and workers; it ends with the client."""
    global _thread
    _thread = threading.Thread(target=_pump, name="sabir-notices", daemon=True)
    _thread.start()


def stop_reader() -> None:
    """Waits until what arrived before the shutdown is printed."""
    global _thread
    if _thread is not None and _thread is not threading.current_thread():
        _thread.join(timeout=2.0)
    _thread = None
