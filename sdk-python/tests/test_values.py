"""The bytes of values (docs/values.md): what every language reads, and what damaged bytes do."""

from __future__ import annotations

import os
import pickle
import random
import struct
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

import sabir
from sabir import _sabir
from sabir.exceptions import SerializationError

NULL, NEUTRAL, TENSOR, NATIVE = 0, 1, 2, 3
PLAIN, PLAIN_WITH_BUFFERS = 1, 2

EAST = timezone(timedelta(hours=5, minutes=30))
NEUTRAL_VALUES = [
    [],
    (),
    {},
    [None, True, False],
    [0, -1, 127, -128, 128, -129, 2**63 - 1, -(2**63)],
    [2**63, 2**64 - 1],
    [2**64, -(2**63) - 1, 10**40, -(10**40), -(2**71)],
    2**63,
    2**200,
    [1.5, float("inf")],
    ["", "é", "a\0b", "\U0001f600"],
    [b"", b"\0\xff"],
    (1, (2, [3, (4,)])),
    {"b": 1, "a": 2},
    {1: "x", None: 2, (1, "k"): [3], 2.5: {}, b"k": True},
    datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=timezone.utc),
    [datetime(1969, 12, 31, 1, 2, 3, 4, tzinfo=EAST), datetime(2000, 2, 29, tzinfo=timezone.utc)],
    ["x" * 300_000, list(range(40_000))],
]


def encode(value: Any) -> tuple[int, int, int, bytes]:
    return _sabir._encode(value)


@pytest.mark.parametrize("value", NEUTRAL_VALUES, ids=lambda value: repr(value)[:30])
def test_what_every_language_has_is_neutral(value):
    encoded = encode(value)
    assert encoded[:3] == (NEUTRAL, 0, PLAIN)
    copy = _sabir._decode(*encoded)
    assert copy == value
    assert type(copy) is type(value)
    assert encode(copy) == encoded
    if isinstance(value, dict):
        assert list(copy) == list(value)


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        bytearray(b"x"),
        1 + 2j,
        "\ud800",
        datetime(2026, 1, 1),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1), "CET")),
        datetime(1, 1, 1, tzinfo=timezone.utc),
        range(3),
        [np.float64(1.0)],
        np.array(["2026-01-01"], dtype="M8[s]"),
        np.zeros(2, dtype=[("a", "i4"), ("b", "f8")]),
        np.zeros(2, dtype=">i4"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_only_python_has_is_pickled(value):
    assert encode(value)[:3] == (NATIVE, 1, 2)


def test_bytes_of_the_plain_form():
    # What docs/values.md says, spelled out once.
    assert encode([1, -129, "é"])[3] == b"l" + struct.pack("<I", 3) + b"i\x01" + b"I" + struct.pack("<q", -129) + (
        b"s" + struct.pack("<I", 2) + "é".encode()
    )
    assert encode({"k": (None, True)})[3] == (
        b"d" + struct.pack("<I", 1) + b"s" + struct.pack("<I", 1) + b"k" + b"t" + struct.pack("<I", 2) + b"NT"
    )
    assert encode([2**64 - 1, 2**64])[3] == (
        b"l" + struct.pack("<I", 2) + b"U" + b"\xff" * 8 + b"n" + struct.pack("<I", 9) + b"\0" * 8 + b"\1"
    )
    moment = datetime(1970, 1, 1, 1, 0, 1, 7, tzinfo=timezone(timedelta(hours=1)))
    assert encode([moment])[3] == b"l" + struct.pack("<I", 1) + b"D" + struct.pack("<qi", 1_000_007_000, 3600)


DTYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "longlong", "ulonglong"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_are_tensors(dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for variant in (array, np.asfortranarray(array), array[:, ::2], array.T, array[0, 0, 0:1], array[:0]):
        encoded = encode(variant)
        assert encoded[:3] == (TENSOR, 0, 0)
        copy = _sabir._decode(*encoded)
        assert copy.dtype == variant.dtype
        assert copy.shape == variant.shape
        assert not copy.flags.writeable
        np.testing.assert_array_equal(copy, variant)
    zero_dimensional = _sabir._decode(*encode(np.array(5, dtype=dtype)))
    assert zero_dimensional.shape == ()
    assert zero_dimensional == np.array(5, dtype=dtype)


def test_a_tensor_keeps_its_order():
    array = np.asfortranarray(np.ones((3, 4)))
    assert _sabir._decode(*encode(array)).flags.f_contiguous
    # The header: float64, 2 dimensions, data at 64.
    header = encode(array)[3][:48]
    assert header == struct.pack("<BBHIQ2Q2q", 13, 2, 0, 64, 96, 3, 4, 8, 24)


def test_arrays_inside_containers_lie_beside_the_stream():
    value = {"x": np.arange(5), "more": [np.zeros((2, 2), "f4"), "text"]}
    encoded = encode(value)
    assert encoded[:3] == (NEUTRAL, 0, PLAIN_WITH_BUFFERS)
    copy = _sabir._decode(*encoded)
    np.testing.assert_array_equal(copy["x"], value["x"])
    assert copy["more"][0].dtype == np.float32
    assert copy["more"][1] == "text"


def test_shared_containers_keep_their_identity_and_others_stay_neutral():
    inner = [1]
    kept_by_a_variable = {"a": inner}
    assert encode(kept_by_a_variable)[:3] == (NEUTRAL, 0, PLAIN)
    assert encode({"a": inner, "b": inner})[:3] == (NATIVE, 1, 2)
    many = [[i] for i in range(100)]
    assert encode([list(many)])[:3] == (NEUTRAL, 0, PLAIN)
    assert encode([many, many[70]])[:3] == (NATIVE, 1, 2)
    assert encode([(), ()])[:3] == (NEUTRAL, 0, PLAIN)


def test_deep_values():
    value: list = []
    for _ in range(63):
        value = [value]
    assert encode(value)[:3] == (NEUTRAL, 0, PLAIN)
    assert _sabir._decode(*encode(value)) == value
    assert encode([[value]])[:3] == (NATIVE, 1, 2)
    too_deep = b"".join(b"l" + struct.pack("<I", 1) for _ in range(70)) + b"N"
    with pytest.raises(ValueError, match="deeper"):
        _sabir._decode(NEUTRAL, 0, PLAIN, too_deep)


MALFORMED = [
    (NEUTRAL, 0, PLAIN, b""),
    (NEUTRAL, 0, PLAIN, b"?"),
    (NEUTRAL, 0, PLAIN, b"NN"),
    (NEUTRAL, 0, PLAIN, b"I\0"),
    (NEUTRAL, 0, PLAIN, b"l\xff\xff\xff\xff"),
    (NEUTRAL, 0, PLAIN, b"d\x01\0\0\0l\0\0\0\0N"),
    (NEUTRAL, 0, PLAIN, b"s\x02\0\0\0\xff\xff"),
    (NEUTRAL, 0, PLAIN, b"n\0\0\0\0"),
    (NEUTRAL, 0, PLAIN, b"r\0\0\0\0"),
    (NEUTRAL, 0, PLAIN, b"h\0\0\0\0"),
    (NEUTRAL, 0, PLAIN, b"D" + struct.pack("<qi", 0, 90_000)),
    (NEUTRAL, 0, PLAIN, b"a\x0d\x00\0\0\0\0\0\0"),
    (NEUTRAL, 0, PLAIN_WITH_BUFFERS, b"\0" * 15),
    (NEUTRAL, 0, PLAIN_WITH_BUFFERS, struct.pack("<QII", 1 << 60, 0, 0)),
    (NEUTRAL, 0, PLAIN_WITH_BUFFERS, struct.pack("<QII", 0, 1 << 31, 0)),
    (NEUTRAL, 0, 9, b"N"),
    (TENSOR, 0, 0, b""),
    (TENSOR, 0, 0, struct.pack("<BBHIQ", 99, 0, 0, 64, 0).ljust(64, b"\0")),
    (TENSOR, 0, 0, struct.pack("<BBHIQ", 13, 33, 0, 64, 0).ljust(64, b"\0")),
    (TENSOR, 0, 0, struct.pack("<BBHIQQq", 13, 1, 0, 64, 8, 2, 8).ljust(72, b"\0")),
    (TENSOR, 0, 0, struct.pack("<BBHIQQq", 13, 1, 0, 64, 8, 1, -8).ljust(72, b"\0")[:70]),
    (TENSOR, 0, 0, struct.pack("<BBHIQQq", 13, 1, 0, 64, 8, 1 << 63, 8).ljust(72, b"\0")),
    (TENSOR, 0, 0, struct.pack("<BBHIQ2Q2q", 13, 2, 0, 64, 8, 1 << 62, 1 << 62, 8, 8).ljust(72, b"\0")),
    (TENSOR, 0, 0, struct.pack("<BBHIQQq", 13, 1, 0, 64, 16, 2, 1 << 62).ljust(80, b"\0")),
    # Strides whose sum or product wraps around to something small.
    (TENSOR, 0, 0, struct.pack("<BBHIQ2Q2q", 13, 2, 0, 64, 16, 2, 2, 1 << 62, -(1 << 62)).ljust(80, b"\0")),
    (TENSOR, 0, 0, struct.pack("<BBHIQQq", 13, 1, 0, 64, 16, 5, 1 << 62).ljust(80, b"\0")),
    (TENSOR, 0, 0, struct.pack("<BBHIQ3Q3q", 13, 3, 0, 64, 16, 3, 3, 1, 1 << 62, 1 << 62, 8).ljust(80, b"\0")),
    (TENSOR, 0, 0, struct.pack("<BBHIQQq", 13, 1, 0, 64, 16, (1 << 61) + 1, 8).ljust(80, b"\0")),
]


@pytest.mark.parametrize("encoded", MALFORMED, ids=lambda encoded: repr(encoded)[:40])
def test_malformed_bytes_are_refused(encoded):
    with pytest.raises((ValueError, TypeError, UnicodeDecodeError)):
        _sabir._decode(*encoded)


def test_another_languages_own_form_is_refused_by_name():
    with pytest.raises(SerializationError, match="a form that only Java reads; let it be numbers"):
        _sabir._decode(NATIVE, 2, 1, b"rO0AB")
    note = b"result[2] (java.util.BitSet)"
    noted = struct.pack("<I", len(note)) + note
    with pytest.raises(SerializationError, match=r"a form that only Java reads: result\[2\] \(java.util.BitSet\)"):
        _sabir._decode(NATIVE, 2, 0x81, noted.ljust(64, b"\0") + b"rO0AB")
    for damaged in (b"", b"\xff\xff\xff\xff", noted[:10]):
        with pytest.raises(SerializationError):
            _sabir._decode(NATIVE, 2, 0x81, damaged)
        with pytest.raises((ValueError, pickle.UnpicklingError)):
            _sabir._decode(NATIVE, 1, 0x82, damaged)


def test_damaged_bytes_never_do_more_than_raise():
    seed = int(os.environ.get("SABIR_SEED", random.randrange(1 << 32)))
    print(f"SABIR_SEED={seed}")
    rng = random.Random(seed)
    samples = [encode(value) for value in NEUTRAL_VALUES[:-1]]
    samples += [encode(np.arange(24.0).reshape(4, 6)), encode({"x": np.arange(5), "y": [1, "t", b"b"]})]
    for _ in range(4000):
        encoding, language, variant, data = rng.choice(samples)
        damaged = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            what = rng.randrange(3)
            if what == 0 and damaged:
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            elif what == 1:
                del damaged[rng.randrange(len(damaged) + 1) :]
            else:
                at = rng.randrange(len(damaged) + 1)
                damaged[at:at] = rng.randbytes(rng.randrange(9))
        try:
            repr(_sabir._decode(encoding, language, variant, bytes(damaged)))
        except (ValueError, TypeError, OverflowError, MemoryError, sabir.exceptions.SabirError):
            continue


def test_handles_inside_containers(session):
    @sabir.remote
    class Counter:
        def __init__(self):
            self.total = 0

        def add(self, n):
            self.total += n
            return self.total

    @sabir.remote
    def use(box):
        handle = box["counter"][0]
        assert isinstance(handle, sabir.ActorHandle)
        return sabir.get(handle.add.remote(2)), repr(handle).startswith("ActorHandle(Counter, ")

    counter = Counter.remote()
    assert sabir.get(use.remote({"counter": [counter]})) == (2, True)
    copy = sabir.get(sabir.put((counter,)))[0]
    assert copy == counter
    assert sabir.get(copy.add.remote(1)) == 3
