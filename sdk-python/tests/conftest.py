"""Sessions for the tests. Every test that uses `session` or `own_session` leaves no process and no session directory."""

from __future__ import annotations

import io
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from processes import assert_gone, node_pid

import sabir

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a shell: programs that the tests start would inherit it, and never see a Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
