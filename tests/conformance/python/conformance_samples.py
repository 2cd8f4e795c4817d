"""The values of the scenarios, by their names, as Python writes them. Caller and callee make them both."""

from __future__ import annotations

import datetime
from typing import Any, Callable

import numpy
import pyarrow


def pattern(size: int) -> bytes:
    """Bytes in which a shift, a gap or a repeated block shows."""
    # i * 31 + (i >> 8) * 7 + (i >> 16) * 13 + 5, in steps of 64 KiB, since Python would take long for each byte.
    low = numpy.arange(1 << 16, dtype=numpy.uint32)
    block = (low * 31 + (low >> 8) * 7 + 5).astype(numpy.uint8)
    blocks = (numpy.arange((size >> 16) + 1) * 13).astype(numpy.uint8)
    return (blocks[:, None] + block).tobytes()[:size]


def _deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def _time(hours: int | None, *parts: int) -> datetime.datetime:
    zone = datetime.timezone.utc if hours is None else datetime.timezone(datetime.timedelta(hours=hours))
    return datetime.datetime(*parts, tzinfo=zone)  # type: ignore[arg-type,misc]


def counting_table(rows: int) -> Any:
    return pyarrow.table({"n": pyarrow.array(numpy.arange(rows, dtype=numpy.int64))})


SAMPLES: dict[str, Callable[[], Any]] = {
    "null": lambda: None,
    "true": lambda: True,
    "false": lambda: False,
    "int-zero": lambda: 0,
    "int-negative": lambda: -1,
    "int-min": lambda: -(2**63),
    "int-max": lambda: 2**63 - 1,
    "uint-max": lambda: 2**64 - 1,
    "big-positive": lambda: 2**70 + 1,
    "big-negative": lambda: -(2**70),
    "float": lambda: 1.5,
    "float32": lambda: 0.25,
    "float-negative-zero": lambda: -0.0,
    "float-smallest": lambda: 5e-324,
    "float-infinity": lambda: float("-inf"),
    "float-nan": lambda: float("nan"),
    "text-empty": lambda: "",
    "text-ascii": lambda: 'say "hello" \\ bye',
    "text-unicode": lambda: "gr\u00fc\u00df \u20ac \U0001f40d",
    "text-nul": lambda: "a\0b",
    "text-long": lambda: "\u20ac" * (1 << 18),
    "bytes-empty": lambda: b"",
    "bytes-short": lambda: b"\x00\x7f\x80\xff",
    "time-utc": lambda: _time(None, 2020, 9, 13, 12, 26, 40, 123456),
    "time-offset": lambda: _time(-7, 2020, 9, 13, 5, 26, 40),
    "time-before-1970": lambda: _time(None, 1901, 1, 1, 0, 0, 0, 1),
    "list-empty": list,
    "list-mixed": lambda: [None, True, -7, 2.5, "x", b"y", 2**64],
    "list-long": lambda: list(range(10_000)),
    "tuple": lambda: (1, "a", (2.5, None)),
    "map-empty": dict,
    "map-ordered": lambda: {"zebra": 1, "ant": [2], "m": {"inner": None}},
    "map-other-keys": lambda: {1: "int", "1": "text", 2.5: "float", b"k": "bytes"},
    "nested": lambda: {"rows": [{"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": []}], "next": [[[{}]]]},
    "nested-64": lambda: _deep(64),
    "tensor-bool": lambda: numpy.array([True, False, True]),
    "tensor-int8": lambda: numpy.array([-128, 0, 127], numpy.int8),
    "tensor-int16": lambda: numpy.array([-(2**15), 1], numpy.int16),
    "tensor-int32": lambda: numpy.array([-(2**31), 1], numpy.int32),
    "tensor-int64": lambda: numpy.array([-(2**63), 1], numpy.int64),
    "tensor-uint8": lambda: numpy.array([0, 255], numpy.uint8),
    "tensor-uint16": lambda: numpy.array([0, 2**16 - 1], numpy.uint16),
    "tensor-uint32": lambda: numpy.array([0, 2**32 - 1], numpy.uint32),
    "tensor-uint64": lambda: numpy.array([0, 2**64 - 1], numpy.uint64),
    "tensor-float16": lambda: numpy.array([1.5, -2], numpy.float16),
    "tensor-bfloat16": lambda: numpy.array([0x3FC0, 0xC000], numpy.uint16),
    "tensor-float32": lambda: numpy.array([1.5, -0.25], numpy.float32),
    "tensor-float64": lambda: numpy.array([1.5, -0.25]),
    "tensor-complex64": lambda: numpy.array([1.5 - 2j], numpy.complex64),
    "tensor-complex128": lambda: numpy.array([1.5 - 2j], numpy.complex128),
    "tensor-single": lambda: numpy.array(2.5),
    "tensor-empty": lambda: numpy.zeros((0, 3), numpy.int32),
    "tensor-3d": lambda: numpy.arange(24, dtype=numpy.int16).reshape(2, 3, 4),
    "tensor-fortran": lambda: numpy.asfortranarray(numpy.arange(6, dtype=numpy.int32).reshape(2, 3)),
    "tensor-strided": lambda: numpy.arange(12, dtype=numpy.int32).reshape(3, 4)[:, ::2],
    "tensors-inside": lambda: {"a": [numpy.array([1, 2], numpy.uint8)], "b": numpy.arange(1000, dtype=numpy.float64)},
    "table": lambda: pyarrow.table({"n": [1, None, 3], "s": ["a", "", "\u00fc"]}),
    "table-empty": lambda: counting_table(0),
    "table-sliced": lambda: counting_table(5).slice(2),
    "table-large": lambda: counting_table(1 << 20),
    "size-0": lambda: pattern(0),
    "size-1": lambda: pattern(1),
    "size-store-minus-1": lambda: pattern((64 << 10) - 1),
    "size-store": lambda: pattern(64 << 10),
    "size-store-plus-1": lambda: pattern((64 << 10) + 1),
    "size-64-mib": lambda: pattern(64 << 20),
    "size-64-mib-tensor": lambda: numpy.frombuffer(pattern(64 << 20), numpy.float32).reshape(4096, -1),
}
