"""What must not be left of processes that ended."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Callable


def eventually(condition: Callable[[], bool], what: Callable[[], str], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def zombie(pid: int) -> bool:
    """It has ended, and only waits for whoever is to take note of that."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "(gone)"


def descendants(pid: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    found = [pid]
    for candidate in found:
        found.extend(child for child, parent in parents.items() if parent == candidate)
    return found


def gateway_of(daemon: int) -> int:
    """The process id of the gateway of a node whose sabird is `daemon`."""
    (gateway,) = [pid for pid in descendants(daemon) if "--gateway" in command_of(pid).split()]
    return gateway


def descriptors(pid: int) -> list[str]:
    """What each open descriptor of a process leads to."""
    found = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{number}"))
        except OSError:
            continue
    return sorted(found)


def shared_memory() -> set[str]:
    """Named files of shared memory that may be ours. (All that a session shares has no name, and goes with it.)"""
    return {name for name in os.listdir("/dev/shm") if "sabir" in name}


def assert_ended(pids: list[int], what: str = "processes", timeout_s: float = 30.0) -> None:
    eventually(
        lambda: all(zombie(pid) for pid in pids),
        lambda: f"{what} are left: {[(pid, command_of(pid)) for pid in pids if not zombie(pid)]}",
        timeout_s,
    )
