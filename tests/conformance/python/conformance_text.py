"""A value as text, in the form that all three languages of this suite write: see ``../scenarios.py``."""

from __future__ import annotations

import datetime
import struct
import zlib
from typing import Any

import numpy
import pyarrow

import sabir

SHORT_BYTES = 64
LISTED_ROWS = 16
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def text_of(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return "float:" + struct.pack(">d", value).hex()
    if isinstance(value, str):
        return _text(value.encode())
    if isinstance(value, bytes):
        return "bytes:" + _content(value)
    if isinstance(value, datetime.datetime):
        return _time(value)
    if isinstance(value, (list, tuple)):
        items = ", ".join(text_of(item) for item in value)
        return f"({items})" if isinstance(value, tuple) else f"[{items}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{text_of(key)}: {text_of(item)}" for key, item in value.items()) + "}"
    if isinstance(value, numpy.ndarray):
        shape = ",".join(str(length) for length in value.shape)
        return f"tensor:{value.dtype.name}:[{shape}]:{_content(value.tobytes())}"
    if isinstance(value, (pyarrow.Table, sabir.Table)):
        return "table:" + ", ".join(_column(name, column) for name, column in _columns(value))
    if isinstance(value, sabir.ObjectRef):
        return f"ref({text_of(sabir.get(value, timeout=60))})"
    if isinstance(value, sabir.ActorHandle):
        return "actor"
    raise TypeError(f"a value of type {type(value).__module__}.{type(value).__qualname__}, which no scenario has")


def _integer(value: int) -> str:
    if -(2**63) <= value < 2**64:
        return str(value)
    return "big:" + value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True).hex()


def _text(utf8: bytes) -> str:
    if len(utf8) > SHORT_BYTES:
        return "text:" + _content(utf8)
    return '"' + "".join(chr(c) if 0x20 <= c < 0x7F and c not in b'"\\' else f"\\x{c:02x}" for c in utf8) + '"'


def _content(data: bytes) -> str:
    return data.hex() if len(data) <= SHORT_BYTES else f"{len(data)}:{zlib.crc32(data):08x}"


def _columns(table: Any) -> list[tuple[str, Any]]:
    read = pyarrow.RecordBatchReader.from_stream(table).read_all()
    return list(zip(read.column_names, read.columns))


def _column(name: str, column: Any) -> str:
    text = f"{name}:{column.type}:"
    if len(column) <= LISTED_ROWS:
        return text + text_of(column.to_pylist())
    return text + text_of(column.to_numpy().tobytes())


def _time(value: datetime.datetime) -> str:
    offset = value.utcoffset()
    if offset is None:
        raise TypeError("a time without a zone")
    # In whole microseconds: a float of the timestamp would lose some.
    microseconds = (value - EPOCH) // datetime.timedelta(microseconds=1)
    return f"time:{microseconds * 1000}:{offset // datetime.timedelta(seconds=1)}"
