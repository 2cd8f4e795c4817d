"""tests/vectors/tables.jsonl: what pyarrow's tables are on the wire, and bytes that are refused."""

from __future__ import annotations

import pytest

pytest.importorskip("pyarrow", reason="this interpreter has no pyarrow")

import table_vectors

from sabir import _sabir

LINES = table_vectors.stored()
TABLES = table_vectors.tables()
GOOD = [line for line in LINES if not line.get("error")]
MALFORMED = [line for line in LINES if line.get("error")]


def decode(line):
    return _sabir._decode(table_vectors.NEUTRAL, 0, table_vectors.TABLE, bytes.fromhex(line["hex"]))


def test_the_file_has_all():
    assert {line["name"] for line in GOOD} == set(TABLES)
    assert {line["name"]: line["hex"] for line in MALFORMED} == {
        name: data.hex() for name, data in table_vectors.malformed().items()
    }


@pytest.mark.parametrize("line", GOOD, ids=lambda line: line["name"])
def test_read_as_what_it_is_and_written_alike(line):
    table = decode(line)
    table.validate(full=True)
    assert table.schema.equals(TABLES[line["name"]].schema, check_metadata=True)
    assert table.num_rows == line["rows"]
    assert table.to_pylist() == TABLES[line["name"]].to_pylist()
    assert [repr(column.to_pylist()) for column in table.columns] == line["values"]
    assert table_vectors.encoded(table).hex() == line["hex"]
    assert table_vectors.encoded(TABLES[line["name"]]).hex() == line["hex"]


@pytest.mark.parametrize("line", MALFORMED, ids=lambda line: line["name"])
def test_refused(line):
    with pytest.raises(ValueError):
        decode(line)
