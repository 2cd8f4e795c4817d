"""Progress bars of workers: lines, since workers' output is lines."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

_EVERY_S = 1.0


def safe_print(*args: Any, **kwargs: Any) -> None:
    """As print."""
    print(*args, **kwargs)


class tqdm:
    """tqdm's interface; says at most once a second how far it is."""

    def __init__(
        self,
        iterable: Iterable[Any] | None = None,
        desc: str = "",
        total: int | None = None,
        unit: str = "it",
        **_: Any,
    ) -> None:
        self._iterable, self._desc, self._total = iterable, desc, total
        if total is None and hasattr(iterable, "__len__"):
            self._total = len(iterable)  # type: ignore[arg-type]
        self._done = 0
        self._told = time.monotonic()

    def __iter__(self) -> Iterator[Any]:
        for item in self._iterable or ():
            yield item
            self.update(1)
        self.close()

    def set_description(self, desc: str) -> None:
        """Its name."""
        self._desc = desc

    def update(self, n: int = 1) -> None:
        """So many more are done."""
        self._done += n
        if time.monotonic() - self._told >= _EVERY_S:
            self.refresh()

    def refresh(self) -> None:
        """Says how far it is."""
        self._told = time.monotonic()
        print(f"{self._desc or 'progress'}: {self._done}" + (f"/{self._total}" if self._total else ""))

    def close(self) -> None:
        """The end."""
