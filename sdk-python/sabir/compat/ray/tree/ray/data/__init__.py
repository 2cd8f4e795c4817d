"""Ray Data, which Sabir does not have: programs that only import it run."""

from __future__ import annotations

from typing import Any

from sabir.exceptions import NotSupportedError


class Dataset:
    """A dataset of Ray Data, of which there are none."""


def _missing(name: str) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotSupportedError(f"ray.data.{name}: Ray Data is not part of Sabir")

    return refuse


from_pandas_refs = _missing("from_pandas_refs")
from_pandas = _missing("from_pandas")
from_items = _missing("from_items")
read_parquet = _missing("read_parquet")
read_csv = _missing("read_csv")
range = _missing("range")
