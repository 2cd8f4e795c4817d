"""Sessions for the tests. Every test that uses `session` or `own_session` leaves no process and no session directory."""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

import sabir


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sabir.Context]:
    """One session with two CPUs for all tests of a module."""
    with sabir.init("local", num_cpus=2, object_store_memory=256 << 20) as context:
        pid = node_pid()
        yield context
    assert_gone(pid, context.session_path)


@pytest.fixture
def own_session() -> Iterator[Callable[..., sabir.Context]]:
    """Starts a session of the test's own: own_session(num_cpus=1, ...)."""
    started: list[tuple[int, str]] = []

    def start(**options: Any) -> sabir.Context:
        options.setdefault("num_cpus", 2)
        context = sabir.init("local", **options)
        started.append((node_pid(), context.session_path))
        return context

    yield start
    sabir.shutdown()
    for pid, path in started:
        assert_gone(pid, path)


class Screen:
    """What Sabir prints here. Unlike capfd's, its text may be read while the printing thread writes: nothing is lost."""

    def __init__(self) -> None:
        self.stdout = io.StringIO()
        self.stderr = io.StringIO()

    def out(self) -> str:
        return self.stdout.getvalue()

    def err(self) -> str:
        return self.stderr.getvalue()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    shown = Screen()
    # Not sys.stdout itself: pytest puts its own there before each phase of a test.
    monkeypatch.setattr("sabir._logs.sys", shown)
    return shown


@pytest.fixture
def session_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A root of sessions of the test's own, also for the processes that it starts. Short: a socket's path is bounded."""
    with tempfile.TemporaryDirectory(prefix="sabir-test-", dir="/tmp") as path:
        monkeypatch.setenv("XDG_RUNTIME_DIR", path)
        monkeypatch.delenv("SABIR_ADDRESS", raising=False)
        yield Path(path)


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
