"""tests/vectors/tables.jsonl: tables with their bytes, which every language must read, and write again alike.

``tools/dev run python tests/support/table_vectors.py`` writes the file. A JSON object a line:

    {"name", "hex", "rows", "types", "values"}    a table as pyarrow's (origin 1); types and values as Python shows them
    {"name", "hex", "error": true}                bytes that must be refused

Other languages write the same bytes, but for the origin, 4 bytes where the stream begins (docs/values.md).
"""

from __future__ import annotations

import datetime
import decimal
import json
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa

from sabir import _sabir

FILE = Path(__file__).resolve().parents[1] / "vectors/tables.jsonl"
NEUTRAL, TABLE = 1, 3
NONE = 0xFFFFFFFF


def columns() -> dict[str, Any]:
    """Five rows of every layout."""
    numbers = [1, None, 3, 0, 5]
    times = [1000, None, 3000, 0, 5000]  # whole microseconds, also in nanoseconds: Python's types hold no less
    integers = [getattr(pa, f"{sign}int{bits}")() for bits in (8, 16, 32, 64) for sign in ("", "u")]
    made = {str(kind): pa.array(numbers, kind) for kind in [*integers, pa.float32(), pa.float64()]}
    made["halffloat"] = pa.array(numbers, pa.float32()).cast(pa.float16())
    made["null"] = pa.nulls(5)
    made["bool"] = pa.array([True, None, False, True, True])
    for bits, digits in ((32, 9), (64, 18), (128, 38), (256, 76)):
        kind = getattr(pa, f"decimal{bits}")(digits, 2)
        made[f"decimal{bits}"] = pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-3.00")] * 2, kind)[:5]
    texts = ["", None, "b", "much longer than twelve bytes", "\U0001f600"]
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()):
        made[str(kind)] = pa.array(texts, pa.string()).cast(kind)
    made["fixed_binary"] = pa.array([b"abc", None, b"def", b"ghi", b"jkl"], pa.binary(3))
    made["date32"] = pa.array(numbers, pa.int32()).cast(pa.date32())
    made["date64"] = made["date32"].cast(pa.date64())
    for kind in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")):
        made[str(kind)] = pa.array(times, pa.int64() if kind.bit_width == 64 else pa.int32()).cast(kind)
    for unit in ("s", "ms", "us", "ns"):
        made[f"timestamp_{unit}"] = pa.array(times, pa.timestamp(unit))
        made[f"timestamp_{unit}_zone"] = pa.array(times, pa.timestamp(unit, "Europe/Paris"))
        made[f"duration_{unit}"] = pa.array(times, pa.duration(unit))
    made["interval"] = pa.array([(1, 2, 3), None, (4, 5, 6), (7, 8, 9), (0, 0, 0)], pa.month_day_nano_interval())
    lists = [[1, None], [], None, [3], [4, 5, 6]]
    made["list"] = pa.array(lists, pa.list_(pa.int64()))
    made["large_list"] = pa.array(lists, pa.large_list(pa.int64()))
    made["list_view"] = pa.array(lists, pa.list_view(pa.int64()))
    made["large_list_view"] = pa.array(lists, pa.large_list_view(pa.int32()))
    made["fixed_list"] = pa.array([[1, 2], None, [3, None], [5, 6], [7, 8]], pa.list_(pa.int16(), 2))
    made["struct"] = pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 4}, {}])
    made["map"] = pa.array([[("a", 1)], None, [], [("b", None), ("c", 3)], []], pa.map_(pa.string(), pa.int64()))
    made["dictionary"] = pa.array(["x", None, "y", "x", "x"]).dictionary_encode()
    made["run_end"] = pa.RunEndEncodedArray.from_arrays(pa.array([2, 5], pa.int32()), pa.array(["a", None]))
    types = pa.array([0, 1, 1, 0, 1], pa.int8())
    made["sparse_union"] = pa.UnionArray.from_sparse(types, [pa.array(range(5)), pa.array(list("abcde"))])
    made["dense_union"] = pa.UnionArray.from_dense(
        types, pa.array([0, 0, 1, 1, 2], pa.int32()), [pa.array([1, 2]), pa.array(list("abc"))]
    )
    made["nested"] = pa.array([[{"t": [datetime.date(2026, 1, 2)]}], None, [], [{"t": []}, None], [{"t": None}]])
    return made


def tables() -> dict[str, pa.Table]:
    """What the file has, by its names."""
    made = {f"column of {name}": pa.table({"c": column}) for name, column in columns().items()}
    few = pa.table({name: columns()[name] for name in ("int64", "string", "bool", "list", "dictionary", "struct")})
    made["several columns"] = few
    made["with metadata"] = few.select(["int64"]).replace_schema_metadata({"who": "vectors"})
    made["without nulls"] = pa.table({"a": [1, 2, 3], "b": ["x", "y", ""]})
    made["sliced"] = few.slice(1, 3)
    made["sliced to nothing"] = few.slice(5)
    made["without rows"] = few.schema.empty_table()
    made["without columns"] = pa.table({})
    made["two batches"] = pa.concat_tables([few, few.slice(2)])
    return made


def encoded(table: pa.Table) -> bytes:
    encoding, _, variant, data = _sabir._encode(table)
    assert (encoding, variant) == (NEUTRAL, TABLE)
    return bytes(data)


def without_origin(data: bytes) -> bytes:
    """As a language writes it that knows nothing of pyarrow."""
    at = 16 + 8 * int.from_bytes(data[8:12], "little")
    return data[:at] + b"\0\0\0\0" + data[at + 4 :]


# --- bytes by hand, as docs/values.md has them


def frame(stream: bytes, *buffers: bytes, sizes: list[int] | None = None) -> bytes:
    sizes = [len(buffer) for buffer in buffers] if sizes is None else sizes
    out = struct.pack(f"<QII{len(sizes)}Q", len(stream), len(sizes), 0, *sizes) + stream
    for buffer in buffers:
        out += b"\0" * (-len(out) % 64) + buffer
    return out


def field(format_: bytes, *children: bytes, name: bytes = b"c", count: int | None = None) -> bytes:
    count = len(children) if count is None else count
    return struct.pack("<qIIIII", 2, len(format_), len(name), 0, count, 0) + format_ + name + b"".join(children)


def array(length: int, *indices: int, nulls: int = 0, offset: int = 0, inside: bytes = b"") -> bytes:
    return struct.pack(f"<qqqI{len(indices)}I", length, nulls, offset, len(indices), *indices) + inside


def stream(schema: bytes, *batches: bytes, count: int | None = None) -> bytes:
    return struct.pack("<II", 1, len(batches) if count is None else count) + schema + b"".join(batches)


def one_column(format_: bytes, column: bytes, *buffers: bytes, rows: int = 3, **wrong: Any) -> bytes:
    return frame(stream(field(b"+s", field(format_), name=b""), array(rows, NONE, inside=column)), *buffers, **wrong)


def malformed() -> dict[str, bytes]:
    integers = struct.pack("<3q", 1, 2, 3)
    good = one_column(b"l", array(3, NONE, 0), integers)
    _sabir._decode(NEUTRAL, 0, TABLE, good)  # but for what is wrong below, such bytes are read
    offsets = struct.pack("<4i", 0, 2, 1, 3)
    deep = field(b"l")
    for _ in range(70):
        deep = field(b"+s", deep)
    return {
        "no bytes": b"",
        "half a head": good[:12],
        "cut off in the stream": good[:60],
        "cut off in a buffer": good[:-1],
        "stream longer than the value": struct.pack("<Q", 1 << 40) + good[8:],
        "more buffers than bytes": good[:8] + struct.pack("<I", NONE) + good[12:],
        "bytes behind the stream's end": frame(
            stream(field(b"+s", field(b"l"), name=b""), array(3, NONE, inside=array(3, NONE, 0))) + b"\0", integers
        ),
        "buffer larger than the value": one_column(b"l", array(3, NONE, 0), integers, sizes=[1 << 40]),
        "buffer too small for its rows": one_column(b"l", array(3, NONE, 0), integers[:-1]),
        "no buffer of numbers": one_column(b"l", array(3, NONE, NONE)),
        "a buffer that is not there": one_column(b"l", array(3, NONE, 7), integers),
        "a buffer too few": one_column(b"l", array(3, 0), integers),
        "a negative length": one_column(b"l", array(-1, NONE, 0), integers),
        "a negative offset": one_column(b"l", array(3, NONE, 0, offset=-1), integers),
        "an offset beyond all": one_column(b"l", array(3, NONE, 0, offset=1 << 62), integers),
        "a column shorter than its table": one_column(b"l", array(2, NONE, 0), integers),
        "more nulls than rows": one_column(b"l", array(3, NONE, 0, nulls=4), integers),
        "an unknown format": one_column(b"?", array(3, NONE, 0), integers),
        "no format": one_column(b"", array(3, NONE, 0), integers),
        "offsets that decrease": one_column(b"u", array(3, NONE, 0, 1), offsets, b"abc"),
        "offsets beyond the text": one_column(b"u", array(3, NONE, 0, 1), struct.pack("<4i", 0, 1, 2, 9), b"abc"),
        "a negative first offset": one_column(b"u", array(3, NONE, 0, 1), struct.pack("<4i", -1, 0, 1, 3), b"abc"),
        "more children than bytes": frame(stream(field(b"+s", name=b"", count=NONE))),
        "more batches than bytes": frame(stream(field(b"+s", name=b""), count=NONE)),
        "70 structs within each other": frame(stream(field(b"+s", deep, name=b""))),
    }


def lines() -> list[dict[str, Any]]:
    good = [
        {
            "name": name,
            "hex": encoded(table).hex(),
            "rows": table.num_rows,
            "types": [str(column.type) for column in table.columns],
            "values": [repr(column.to_pylist()) for column in table.columns],
        }
        for name, table in tables().items()
    ]
    return good + [{"name": name, "hex": data.hex(), "error": True} for name, data in malformed().items()]


def stored() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    FILE.write_text("".join(json.dumps(line) + "\n" for line in lines()), encoding="utf-8")
