"""The scenarios that this program knows, beside the values."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from peers import Peer


@dataclass(frozen=True)
class Pair:
    callee: Peer
    own: Peer  # this program's language, as it calls itself
    folder: Path

    def empty_folder(self) -> str:
        return tempfile.mkdtemp(dir=self.folder)


CHECKS: dict[str, Callable[[Pair], None]] = {}


def scenario(name: str) -> Callable[[Callable[[Pair], None]], Callable[[Pair], None]]:
    def register(check: Callable[[Pair], None]) -> Callable[[Pair], None]:
        CHECKS[name] = check
        return check

    return register
