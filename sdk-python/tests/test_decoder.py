"""Any value makes its way through bytes; any bytes give a value or one of the errors that are documented for it."""

from __future__ import annotations

import math
import pickle
import struct
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sabir import _sabir
from sabir._neutral import neutral
from sabir.exceptions import SabirError, SabirSystemError, SerializationError, TaskError

NULL, NEUTRAL, TENSOR, NATIVE = range(4)
FLEX, PLAIN, PLAIN_WITH_BUFFERS = range(3)
PYTHON, JAVA = 1, 2
PICKLE, NOTED = 2, 0x80

# The machine may be busy: no test here is about time.
lasting = settings(
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

MOMENTS = st.datetimes(min_value=datetime(1678, 1, 1), max_value=datetime(2261, 12, 31)).flatmap(
    lambda moment: st.integers(-1439, 1439).map(
        lambda minutes: moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    )
)
TEXT = st.text(st.characters(blacklist_categories=["Cs"]))
KEYS = st.one_of(TEXT, st.binary(max_size=8), st.integers(), st.none())
SINGLE = st.one_of(KEYS, st.booleans(), st.floats(), st.integers(-(2**200), 2**200), MOMENTS)
DTYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]


@st.composite
def arrays(draw: Any) -> Any:
    shape = draw(st.lists(st.integers(0, 3), max_size=4))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    data = draw(st.binary(min_size=math.prod(shape) * dtype.itemsize, max_size=math.prod(shape) * dtype.itemsize))
    array = np.frombuffer(data, np.uint8).view(dtype).reshape(shape)
    return np.asfortranarray(array) if draw(st.booleans()) else array


def containers(items: Any) -> Any:
    return st.one_of(
        st.lists(items, max_size=5),
        st.lists(items, max_size=5).map(tuple),
        st.dictionaries(KEYS, items, max_size=5),
    )


VALUES = st.recursive(st.one_of(SINGLE, arrays()), containers, max_leaves=12)


def same(a: Any, b: Any) -> bool:
    """Equal with their types; numbers and arrays bit by bit, since nan equals nothing."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("<d", a) == struct.pack("<d", b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(same, a.values(), b.values()))
    if isinstance(a, datetime):
        return a == b and a.utcoffset() == b.utcoffset()
    return bool(a == b)


@lasting
@given(VALUES)
def test_values_come_back(value):
    encoded = _sabir._encode(value)
    assert same(_sabir._decode(*encoded), value)


@lasting
@given(VALUES)
def test_values_for_other_languages_come_back(value):
    converted = neutral(value, "value")
    encoded = _sabir._encode(converted)
    assert encoded[0] in (NULL, NEUTRAL, TENSOR)
    assert same(_sabir._decode(*encoded), value)


# Forms ----------------------------------------------------------------------------------------------------------------


def noted(note: bytes, body: bytes) -> bytes:
    head = struct.pack("<I", len(note)) + note
    return head + bytes(-len(head) % 64) + body


def flex_map(fields: dict[str, Any]) -> bytes:
    """A FlexBuffers map as the core writes errors, with all widths of 8 bytes."""
    out = bytearray()

    def put(value: Any) -> tuple[int, int]:
        """Writes it; where it lies and its packed type."""
        if isinstance(value, dict):
            names = sorted(value)
            places = [put(value[name]) for name in names]
            keys = []
            for name in names:
                keys.append(len(out))
                out.extend(name.encode() + b"\0")
            align()
            out.extend(struct.pack("<Q", len(names)))
            keys_at = len(out)
            for key in keys:
                out.extend(struct.pack("<Q", len(out) - key))
            out.extend(struct.pack("<QQQ", len(out) - keys_at, 8, len(names)))
            at = len(out)
            for place, packed in places:
                out.extend(struct.pack("<Q", place & (1 << 64) - 1 if packed == 1 << 2 | 3 else len(out) - place))
            out.extend(bytes(packed for _, packed in places))
            align()
            return at, 9 << 2 | 3
        if isinstance(value, int):
            return value, 1 << 2 | 3
        data = value.encode() if isinstance(value, str) else value
        align()
        out.extend(struct.pack("<Q", len(data)))
        at = len(out)
        out.extend(data + b"\0")
        align()
        return at, (5 if isinstance(value, str) else 25) << 2 | 3

    def align() -> None:
        out.extend(bytes(-len(out) % 8))

    at, packed = put(fields)
    return bytes(out) + struct.pack("<Q", len(out) - at) + bytes([packed, 8])


ERROR = {
    "kind": 12,
    "language": PYTHON,
    "message": "f: ValueError: no",
    "type": "builtins.ValueError",
    "stack": "Traceback",
    "native": pickle.dumps(ValueError("no"), protocol=5),
    "cause": {"kind": 14, "language": JAVA, "message": "gone", "type": "", "stack": "", "cause": {"kind": 13}},
}
RICH = {
    "a": [1, -129, 2**70, 1.5, "text", b"bytes", None, True],
    (1, "k"): {"x": ()},
    2: [datetime(2026, 1, 1, tzinfo=timezone.utc)],
}

FORMS = {
    "plain": (*_sabir._encode(RICH), False),
    "with buffers": (*_sabir._encode({"x": np.arange(5.0), "y": [np.ones((2, 3), "i2"), "text"]}), False),
    "tensor": (*_sabir._encode(np.arange(24, dtype="i4").reshape(4, 6)), False),
    "flex text": (*_sabir._encode("some text that is longer than a small one " * 3), False),
    "flex map": (NEUTRAL, 0, FLEX, flex_map({"a": 1, "b": {"c": "text", "d": b"\1\2"}}), False),
    "error": (NEUTRAL, 0, FLEX, flex_map(ERROR), True),
    "pickle": (*_sabir._encode({1, 2, "three"}), False),
    "pickle with buffers": (*_sabir._encode({"x": {1}, "y": np.arange(300.0)}), False),
    "pickle with a note": (NATIVE, PYTHON, PICKLE | NOTED, noted(b"the set at [0]", _sabir._encode({1, 2})[3]), False),
    "another language's": (NATIVE, JAVA, 1 | NOTED, noted(b"result[2] (java.util.BitSet)", b"\xac\xed\0\5"), False),
}
# What a damaged pickle may raise is up to pickle: any Exception. Its bytes are Python's own, and trusted as code is.
DOCUMENTED = {
    "pickle": Exception,
    "pickle with buffers": Exception,
    "pickle with a note": Exception,
    "error": SabirError,
    "another language's": SerializationError,
}


@st.composite
def damaged(draw: Any, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(out) - 1, 0)))
        how = draw(st.sampled_from(["set", "flip", "cut", "insert", "remove", "numbers"]))
        if how == "set" and out:
            out[at] = draw(st.integers(0, 255))
        elif how == "flip" and out:
            out[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "cut":
            del out[at:]
        elif how == "insert":
            out[at:at] = draw(st.binary(max_size=9))
        elif how == "remove":
            del out[at : at + draw(st.integers(1, 9))]
        elif how == "numbers":
            number = draw(st.sampled_from([0, 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1, len(data), -len(data)]))
            out[at : at + 8] = (number & (1 << 64) - 1).to_bytes(8, "little")
    return bytes(out)


def test_the_forms_are_what_they_are_called():
    heads = {name: form[:3] for name, form in FORMS.items()}
    assert heads["plain"] == (NEUTRAL, 0, PLAIN)
    assert heads["with buffers"] == (NEUTRAL, 0, PLAIN_WITH_BUFFERS)
    assert heads["flex text"] == (NEUTRAL, 0, FLEX)
    assert heads["pickle"] == heads["pickle with buffers"] == (NATIVE, PYTHON, PICKLE)
    assert _sabir._decode(*FORMS["flex map"]) == {"a": 1, "b": {"c": "text", "d": b"\1\2"}}
    assert _sabir._decode(*FORMS["pickle with a note"]) == {1, 2}
    with pytest.raises(TaskError, match="f: ValueError: no") as caught:
        _sabir._decode(*FORMS["error"])
    assert isinstance(caught.value, ValueError) and str(caught.value.__cause__.__cause__) == "gone"


@pytest.mark.parametrize("name", FORMS)
@lasting
@given(st.data())
def test_damaged_bytes_never_do_more_than_raise(name, data):
    encoding, language, variant, good, is_error = FORMS[name]
    read(name, encoding, language, variant, data.draw(damaged(good)), is_error)


@pytest.mark.parametrize("name", ["plain", "with buffers", "tensor", "flex map", "error", "another language's"])
def test_every_byte_and_every_length(name):
    encoding, language, variant, good, is_error = FORMS[name]
    for at in range(len(good)):
        read(name, encoding, language, variant, good[:at], is_error)
        for change in (1, 0x80, 0xFF):
            bad = good[:at] + bytes([good[at] ^ change]) + good[at + 1 :]
            read(name, encoding, language, variant, bad, is_error)


@lasting
@given(st.sampled_from([(NEUTRAL, FLEX), (NEUTRAL, PLAIN), (NEUTRAL, PLAIN_WITH_BUFFERS), (TENSOR, 0)]), st.data())
def test_noise(form, data):
    tags = st.sampled_from(list(b"NTFiIUnfesbltdrhDa\0\0\0\1\2\3\4\x08\x10\x24\x28\x40"))
    noise = bytes(data.draw(st.lists(st.one_of(tags, tags, tags, st.integers(0, 255)), max_size=60)))
    read("noise", form[0], 0, form[1], noise, False)
    read("error", NEUTRAL, 0, FLEX, noise, True)


def read(name: str, encoding: int, language: int, variant: int, data: bytes, is_error: bool) -> None:
    try:
        value = _sabir._decode(encoding, language, variant, data, is_error)
    except DOCUMENTED.get(name, ValueError) as error:
        repr(error)
        str(error)
    else:
        assert not is_error, "an error value is raised, never returned"
        repr(value)


# Hostile FlexBuffers --------------------------------------------------------------------------------------------------


def vectors_of_vectors(levels: int, times: int) -> bytes:
    """Each vector has the one before it so many times."""
    out = bytearray([1, 1, 1 << 2])
    before = 1
    for _ in range(levels):
        out.append(times)
        start = len(out)
        for _ in range(times):
            out.append(len(out) - before)
        out += bytes([10 << 2]) * times
        before = start
    return bytes(out) + bytes([len(out) - before, 10 << 2, 1])


def test_parts_that_are_shared_too_often_are_refused():
    for levels, times in ((12, 8), (20, 3), (5, 8), (30, 2)):
        for is_error in (False, True):
            with pytest.raises((ValueError, SabirSystemError)):
                _sabir._decode(NEUTRAL, 0, FLEX, vectors_of_vectors(levels, times), is_error)
    # One text of 100 kB in a thousand places.
    text = struct.pack("<Q", 100_000) + b"x" * 100_000 + bytes(8)
    places = b"".join(struct.pack("<Q", 100_000 + 16 + 8 * i) for i in range(1000))
    whole = text + struct.pack("<Q", 1000) + places + bytes([5 << 2 | 3]) * 1000
    whole += struct.pack("<Q", 9000) + bytes([10 << 2 | 3, 8])
    with pytest.raises(ValueError, match="malformed neutral value"):
        _sabir._decode(NEUTRAL, 0, FLEX, whole)


def test_vectors_that_contain_themselves_are_refused():
    for offset in (0, 1, 255):
        with pytest.raises(ValueError, match="malformed"):
            _sabir._decode(NEUTRAL, 0, FLEX, bytes([1, offset, 10 << 2, 2, 10 << 2, 1]))


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"kind": "text"}, TaskError),
        ({"kind": 99}, SabirError),
        ({"message": 5}, TaskError),
        ({"stack": {}}, TaskError),
        ({"native": "text"}, TaskError),
        ({"native": b"\x80\5\xff"}, TaskError),
        ({"native": pickle.dumps(5)}, TaskError),
        ({"language": "Python"}, TaskError),
        ({"cause": "text"}, TaskError),
        ({"kind": 14, "cause": {"kind": "x", "stack": 3, "message": {}, "cause": 1}}, SabirError),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_error_maps_with_wrong_fields(change, wanted):
    with pytest.raises(wanted):
        _sabir._decode(NEUTRAL, 0, FLEX, flex_map({**ERROR, **change}), True)


def test_an_error_value_that_is_no_map():
    with pytest.raises(SabirSystemError, match="cannot be read"):
        _sabir._decode(*_sabir._encode("text"), True)
