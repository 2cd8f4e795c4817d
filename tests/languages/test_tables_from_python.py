"""Tables between Python (pyarrow), C++ and Java (arrow-java)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import table_vectors
from shipped import CACHE, JAR, compile_cpp, compile_java, short_folder

import sabir
from sabir._state import status
from sabir.exceptions import SerializationError, TaskError

pa = pytest.importorskip("pyarrow", reason="this interpreter has no pyarrow")
TIMEOUT_S = 60
HERE = Path(__file__).resolve().parent / "from_python"
ARROW = CACHE / "java/arrow"
# Whole tables through: as any value, as structs of the C data interface, as vectors of arrow-java.
ECHOES = {
    "C++": sabir.cpp_function("echo"),
    "C++ structs": sabir.cpp_function("through_structs"),
    "Java": sabir.java_function("Prices", "echo"),
    "arrow-java": sabir.java_function("Columns", "throughArrow"),
}
SUMS = {"C++": sabir.cpp_function("sum_of_column"), "Java": sabir.java_function("Columns", "sum")}
WHERES = {"C++": sabir.cpp_function("where"), "Java": sabir.java_function("Columns", "where")}


@pytest.fixture(scope="module", autouse=True)
def session() -> Iterator[None]:
    """On a folder with a shared library and classes, and the jars of arrow-java."""
    jars = sorted(ARROW.glob("*.jar"))
    assert jars, f"arrow-java is not in {ARROW}: run tools/dev setup"
    with short_folder() as root:
        code = compile_java(Path(root) / "code", HERE / "Prices.java", HERE / "Columns.java", libraries=jars)
        compile_cpp(code / "libengine.so", HERE / "engine.cc", library=True)
        options = {"num_cpus": 2, "code_search_path": [code, *jars], "java_jar": JAR, "log_to_driver": False}
        arrow = ["--add-opens=java.base/java.nio=ALL-UNNAMED"]  # it wants that of the JVM
        with sabir.init("local", **options, java_options=arrow, _session_root=root):
            yield


def get(ref):
    return sabir.get(ref, timeout=TIMEOUT_S)


COLUMNS = table_vectors.columns()


def same(back, sent):
    assert back.schema.equals(sent.schema, check_metadata=True)
    back.validate(full=True)
    assert back.num_rows == sent.num_rows
    assert back.to_pylist() == sent.to_pylist()


@pytest.mark.parametrize("echo", ECHOES)
def test_vectors_come_back_byte_for_byte(echo):
    refs = {}
    lines = [line for line in table_vectors.stored() if not line.get("error")]
    for line in lines:
        table = sabir._sabir._decode(table_vectors.NEUTRAL, 0, table_vectors.TABLE, bytes.fromhex(line["hex"]))
        refs[line["name"]] = ECHOES[echo].remote(table)
    different = []
    for line in lines:
        data, wanted = table_vectors.encoded(get(refs[line["name"]])), bytes.fromhex(line["hex"])
        if table_vectors.without_origin(data) != table_vectors.without_origin(wanted):
            different.append(line["name"])
    assert different == []


@pytest.mark.parametrize("echo", ECHOES)
def test_every_layout_comes_back(echo):
    table = pa.table(COLUMNS).replace_schema_metadata({"who": "test"})
    for part in (table, table.slice(1, 3), table.slice(4), table.slice(5), pa.concat_tables([table, table.slice(2)])):
        back = get(ECHOES[echo].remote(part))
        if echo in ("C++", "Java"):  # passed on as it is, and so it comes back as it was
            assert type(back) is pa.Table
        same(pa.table(back), part)


@pytest.mark.parametrize("echo", ["C++", "Java"])
def test_a_batch_stays_one(echo):
    batch = pa.record_batch({"n": [1, 2, 3]})
    for sent in (batch, batch.slice(3)):
        back = get(ECHOES[echo].remote(sent))
        assert type(back) is pa.RecordBatch
        assert back.equals(sent)


def objects():
    return status()["nodes"][0]["store"]["objects"]


def mapping_of(address):
    with open("/proc/self/maps") as maps:
        for line in maps:
            begin, end = (int(number, 16) for number in line.split()[0].split("-"))
            if begin <= address < end:
                return line.partition("/")[2]
    return ""


@pytest.mark.parametrize("language", ["C++", "Java"])
def test_64_mb_lie_once_in_the_store(language):
    count = 8 << 20
    deadline = time.monotonic() + TIMEOUT_S
    while objects() != 0:
        assert time.monotonic() < deadline, "objects of earlier tests are left"
        time.sleep(0.01)
    ref = sabir.put(pa.table({"n": pa.array(range(count), pa.int64())}))
    assert get(SUMS[language].remote(ref)) == count * (count - 1) // 2
    assert "memfd:" in get(WHERES[language].remote(ref))
    assert objects() == 1


@pytest.mark.parametrize("maker", ["C++", "Java"])
def test_large_results_are_read_where_they_lie(maker):
    count = 8 << 20
    if maker == "Java":
        result = get(sabir.java_function("Columns", "numbers").remote(count))
    else:
        result = get(ECHOES["C++ structs"].remote(pa.table({"n": pa.array(range(count), pa.int64())})))
    assert type(result) is sabir.Table
    (column,) = pa.table(result)["n"].chunks
    assert "memfd:" in mapping_of(column.buffers()[1].address)
    assert column.buffers()[1].address % 64 == 0
    assert column.equals(pa.array(range(count), pa.int64()))


class Exporter:
    """Another library's frame."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("language", ["C++", "Java"])
def test_any_exporter_is_an_argument(language):
    table = pa.table({"n": [1, 2, 3]})
    for sent in (Exporter(table), sabir.Table(table), table.to_batches()[0], sabir.put(sabir.Table(table))):
        assert get(SUMS[language].remote(sent)) == 6


def test_java_describes_it():
    text = get(sabir.java_function("Columns", "text").remote(pa.table({"n": [1, 2, 3]})))
    assert text == "Table(3 rows, 1 columns) 1"


@pytest.mark.parametrize("language", ["C++", "Java"])
def test_inside_other_values_they_are_refused(language):
    table = pa.table({"n": [1]})
    with pytest.raises(SerializationError, match=r"argument 1\[0\].*whole argument"):
        ECHOES[language].remote([table])
    with pytest.raises(SerializationError, match="whole argument"):
        ECHOES[language].remote({"t": sabir.Table(table)})
    in_a_list = {"C++": sabir.cpp_function("in_a_list"), "Java": sabir.java_function("Columns", "inAList")}
    with pytest.raises((SerializationError, TaskError, ValueError)):
        get(in_a_list[language].remote(table))


@pytest.mark.parametrize("language", ["C++", "Java"])
def test_wrong_types_are_errors(language):
    with pytest.raises(Exception, match=r"(?i)table"):
        get(SUMS[language].remote(3))
    with pytest.raises(SerializationError, match="disk is gone"):
        SUMS[language].remote(Broken())


class Broken:
    def __arrow_c_stream__(self, requested_schema=None):
        raise OSError("the disk is gone")
