"""Tables of pyarrow: they travel in Arrow's layouts, are read where they lie, and come back as they were."""

from __future__ import annotations

import gc
import pickle
import sys
import weakref

import pytest

import sabir
from sabir import _sabir, _tables
from sabir.exceptions import InvalidArgumentError

pa = pytest.importorskip("pyarrow", reason="this interpreter has no pyarrow; test_tables.py is what runs without it")
NEUTRAL, NATIVE, TABLE = 1, 3, 3


def form(value):
    encoding, _, variant, _ = _sabir._encode(value)
    return encoding, variant


def through_bytes(value):
    return _sabir._decode(*_sabir._encode(value))


@sabir.remote
def kind_of(value):
    return type(value).__module__ + "." + type(value).__name__


@sabir.remote
def echo(value):
    return value


def table_of_three():
    return pa.table({"n": [1, None, 3], "s": ["a", "bc", None], "l": [[1], [], None]}).replace_schema_metadata(
        {"who": "test"}
    )


def test_types_come_back():
    table = table_of_three()
    for value in (table, table.slice(1, 1), table.slice(3), table.to_batches()[0], table.to_batches()[0].slice(3)):
        assert form(value) == (NEUTRAL, TABLE)
        back = through_bytes(value)
        assert type(back) is type(value)
        assert back.equals(value, check_metadata=True)
        back.validate(full=True)


def test_no_rows_no_columns():
    for value in (pa.table({}), pa.table({"a": pa.array([], pa.string())})):
        assert through_bytes(value).equals(value)


def test_a_table_of_ours_stays_one():
    wrapped = sabir.Table(table_of_three())
    assert (wrapped.num_rows, wrapped.num_columns, wrapped.num_batches) == (3, 3, 1)
    assert repr(wrapped) == "<sabir.Table of 3 rows, 3 columns>"
    back = through_bytes(wrapped)
    assert type(back) is sabir.Table
    for _ in range(2):  # each stream begins anew
        assert pa.table(back).equals(table_of_three())
    assert pa.table(sabir.Table(back)).equals(table_of_three())
    assert pa.table(pickle.loads(pickle.dumps(back))).equals(table_of_three())


def test_columns_alone():
    column = pa.chunked_array([["a", "b"], [], ["c"]])
    back = through_bytes(sabir.Table(column))
    assert pa.chunked_array(back).equals(column)
    array = sabir.Table(pa.array([1, 2, 3]))
    assert array.num_rows == 3


def test_without_pyarrow_the_reader_gets_ours(monkeypatch):
    encoded = _sabir._encode(table_of_three())
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pyarrow", None)
        back = _sabir._decode(*encoded)
    assert type(back) is sabir.Table
    assert pa.table(back).equals(table_of_three())
    assert type(through_bytes(back)) is pa.Table  # what it was is not forgotten


def test_extension_types_keep_their_pickle():
    class Meters(pa.ExtensionType):
        def __init__(self):
            super().__init__(pa.float64(), "test.meters")

        def __arrow_ext_serialize__(self):
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage, serialized):
            return cls()

    table = pa.table({"m": pa.ExtensionArray.from_storage(Meters(), pa.array([1.0, 2.0]))})
    assert form(table)[0] == NATIVE


def test_inside_other_values_they_are_pickled():
    value = [table_of_three(), sabir.Table(table_of_three())]
    assert form(value)[0] == NATIVE
    first, second = through_bytes(value)
    assert first.equals(table_of_three())
    assert type(second) is sabir.Table
    assert pa.table(second).equals(table_of_three())


def test_what_a_producer_raises_is_told():
    def batches():
        yield pa.record_batch({"a": [1]})
        raise OSError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"a": pa.int64()}), batches())
    with pytest.raises(InvalidArgumentError, match="the disk is gone"):
        sabir.Table(reader)


def test_buffers_live_as_long_as_they_are_used():
    array = pa.array(range(1000))
    kept = weakref.ref(array)
    wrapped = sabir.Table(pa.table({"a": array}))
    del array
    gc.collect()
    again = pa.table(wrapped)
    del wrapped
    gc.collect()
    assert kept() is None  # only the buffers stay
    assert again["a"].to_pylist() == list(range(1000))


def test_restore_is_told_what_it_was():
    wrapped = sabir.Table(table_of_three())
    assert type(_tables.restore(wrapped, 1)) is pa.Table
    assert type(_tables.restore(wrapped, 2)) is pa.RecordBatch


@pytest.mark.usefixtures("session")
def test_arguments_results_and_objects():
    table = table_of_three()
    ref = sabir.put(table)
    assert sabir.get(kind_of.remote(ref), timeout=60) == "pyarrow.lib.Table"
    assert sabir.get(kind_of.remote(sabir.Table(table)), timeout=60) == "sabir.Table"
    for value in (table, ref, table.to_batches()[0]):
        back = sabir.get(echo.remote(value), timeout=60)
        assert back.equals(table if value is ref else value)


@pytest.mark.usefixtures("session")
def test_large_tables_are_read_where_they_lie():
    table = pa.table({"n": pa.array(range(200_000), pa.int64())})
    ref = sabir.put(table)
    one, two = (sabir.get(ref, timeout=60) for _ in range(2))
    (chunk,) = one["n"].chunks
    (other,) = two["n"].chunks
    assert chunk.buffers()[1].address == other.buffers()[1].address  # one object, no copies
    assert chunk.buffers()[1].address % 64 == 0
    del ref, one, two, other
    gc.collect()
    assert chunk.to_pylist() == list(range(200_000))  # the buffer holds the object
