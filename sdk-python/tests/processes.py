"""What tests ask of processes and sessions."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Callable


def node_pid() -> int:
    from sabir._state import status

    return int(status()["session"]["pid"])


def assert_gone(pid: int, session_path: str) -> None:
    """The node, its workers and its directory are gone soon after the driver has left."""
    eventually(lambda: not children_of_session(session_path), f"processes of {session_path} are left")
    eventually(lambda: not Path(f"/proc/{pid}").exists() or zombie(pid), f"node {pid} still runs")
    eventually(lambda: not Path(session_path).exists(), f"{session_path} still exists")


def zombie(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


def children_of_session(session_path: str) -> list[int]:
    """Processes whose command line or environment names the session."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if session_path.encode() in text and not zombie(int(entry.name)):
            found.append(int(entry.name))
    return found


def eventually(condition: Callable[[], bool], message: str, timeout_s: float = 10.0) -> None:
    """Waits for a condition that other processes bring about."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, message
        time.sleep(0.01)
