"""Fixtures of all folders here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped import short_folder


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder with a short path; sessions that a test starts have their root in it."""
    with short_folder() as path:
        monkeypatch.setenv("XDG_RUNTIME_DIR", path)
        monkeypatch.setenv("XDG_STATE_HOME", f"{path}/state")
        yield Path(path)
