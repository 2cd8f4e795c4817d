"""Tables as what they were to their sender."""

from __future__ import annotations

from typing import Any

from sabir import _sabir

# As in native/table.h.
_PYARROW_BATCH = 2


def restore(table: _sabir.Table, origin: int) -> Any:
    """A ``pyarrow.Table`` or ``RecordBatch`` over the same buffers; the table as it is where there is no pyarrow."""
    try:
        import pyarrow
    except ImportError:
        return table
    reader = pyarrow.RecordBatchReader.from_stream(table)
    return reader.read_next_batch() if origin == _PYARROW_BATCH else reader.read_all()


def is_exporter(value: Any) -> bool:
    return hasattr(type(value), "__arrow_c_stream__") or hasattr(type(value), "__arrow_c_array__")
