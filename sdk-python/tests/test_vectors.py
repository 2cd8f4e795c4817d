"""tests/vectors/values.jsonl: values with their bytes, the same in every language (sdk-cpp/tests/vectors.cc)."""

from __future__ import annotations

import json
import math
import struct
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sabir import _sabir

NULL, NEUTRAL, TENSOR = 0, 1, 2
FLEX, PLAIN = 0, 1
LINES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "tests/vectors/values.jsonl").read_text(encoding="utf-8").splitlines()
]
GOOD = [line for line in LINES if not line.get("error")]
MALFORMED = [line for line in LINES if line.get("error")]
# Its keys 1 and true are one in a dict.
EQUAL_KEYS = "map with other keys"
# numpy has no bfloat16: its bytes are read as those of uint16.
DTYPES = {"bool": "bool", "bfloat16": "uint16"}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def without(name: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["name"] != name]


def name_of(line: dict[str, Any]) -> str:
    return str(line["name"])


def decode(line: dict[str, Any]) -> Any:
    return _sabir._decode(line["encoding"], 0, line["variant"], bytes.fromhex(line["hex"]))


def bits(number: float) -> bytes:
    return struct.pack("<d", number)


def moment(ns: int, offset_s: int | None) -> datetime:
    # Python's times end at microseconds, and one without an offset is UTC.
    return (EPOCH + timedelta(microseconds=ns // 1000)).astimezone(timezone(timedelta(seconds=offset_s or 0)))


def check(value: Any, wanted: Any) -> None:
    """That ``value`` is what a line of the file describes."""
    if not isinstance(wanted, dict):
        assert value is wanted
        return
    ((kind, content),) = wanted.items()
    if kind == "int":
        assert type(value) is int and value == int(content)
    elif kind == "float64":
        assert type(value) is float and bits(value) == bits(float(content))
    elif kind == "float32":
        assert type(value) is float and bits(value) == bits(np.float32(content).item())
    elif kind == "text":
        assert type(value) is str and value == content
    elif kind == "bytes":
        assert type(value) is bytes and value == bytes.fromhex(content)
    elif kind == "time":
        assert type(value) is datetime and value == moment(int(content[0]), content[1])
        assert value.utcoffset() == timedelta(seconds=content[1] or 0)
    elif kind in ("list", "tuple"):
        assert type(value) is {"list": list, "tuple": tuple}[kind] and len(value) == len(content)
        for item, described in zip(value, content):
            check(item, described)
    elif kind == "map":
        assert type(value) is dict and len(value) == len(content)
        for (key, item), (described_key, described_item) in zip(value.items(), content):
            check(key, described_key)
            check(item, described_item)
    else:
        assert kind == "tensor"
        check_array(value, content)


def check_array(array: Any, wanted: dict[str, Any]) -> None:
    assert array.dtype == np.dtype(DTYPES.get(wanted["dtype"], wanted["dtype"]))
    assert list(array.shape) == wanted["shape"] and not array.flags.writeable
    data = bytes.fromhex(wanted["hex"])
    if array.size != 0:
        assert list(array.strides) == wanted["strides"]
        # As their bytes: what is no number equals nothing.
        same = np.ndarray(array.shape, array.dtype, data, 0, wanted["strides"])
        assert same.tobytes() == array.tobytes()


def test_there_are_both():
    assert len(GOOD) > 50 and len(MALFORMED) > 10


@pytest.mark.parametrize("line", without(EQUAL_KEYS, GOOD), ids=name_of)
def test_read_as_what_it_is(line):
    check(decode(line), line["value"])


def loses_something(wanted: Any) -> bool:
    """In Python: widths of floats, nanoseconds, whether a time has an offset; bfloat16."""
    if isinstance(wanted, list):
        return any(map(loses_something, wanted))
    if not isinstance(wanted, dict):
        return False
    ((kind, content),) = wanted.items()
    if kind == "time":
        return content[1] is None or int(content[0]) % 1000 != 0
    if kind == "tensor":
        return content["dtype"] == "bfloat16"
    return kind == "float32" or (kind in ("list", "tuple", "map") and loses_something(content))


@pytest.mark.parametrize("line", [line for line in without(EQUAL_KEYS, GOOD) if line["writers"]], ids=name_of)
def test_written_in_the_same_bytes(line):
    value = decode(line)
    encoding, _, variant, data = _sabir._encode(value)
    again = _sabir._decode(encoding, 0, variant, data)
    # Whatever form it has here, it is the same value.
    if not loses_something(line["value"]):
        check(again, line["value"])
    if (encoding, variant) == (NEUTRAL, FLEX):
        # Single values: Python writes them so. In a list they have the plain form of all languages.
        encoding, _, variant, data = _sabir._encode([value])
        assert data[:5] == b"l\1\0\0\0"
        data = data[5:]
    if not loses_something(line["value"]):
        assert (encoding, variant, data.hex()) == (line["encoding"], line["variant"], line["hex"])


def test_most_are_written_alike():
    same = [line for line in GOOD if line["writers"] and not loses_something(line["value"])]
    assert len(same) > 40


def test_keys_that_are_equal_in_python_are_refused():
    (line,) = (line for line in GOOD if line["name"] == EQUAL_KEYS)
    with pytest.raises(ValueError, match="two keys that are equal in Python"):
        decode(line)
    # All but the one with the key true.
    data = bytes.fromhex(line["hex"]).replace(b"Ts\4\0\0\0bool", b"").replace(b"d\6", b"d\5")
    assert list(_sabir._decode(NEUTRAL, 0, PLAIN, data)) == [1, 0.5, None, (1, "x"), b"\0\0"]


@pytest.mark.parametrize("line", MALFORMED, ids=name_of)
def test_refused(line):
    with pytest.raises(ValueError):  # also of UTF-8
        decode(line)


def test_numbers_that_are_none():
    """nan is in no vector, since it equals nothing."""
    for number in (math.nan, -math.inf):
        encoding, language, variant, data = _sabir._encode([number])
        assert bits(_sabir._decode(encoding, language, variant, data)[0]) == bits(number)
