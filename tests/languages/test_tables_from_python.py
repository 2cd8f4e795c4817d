"""Tables between Python (pyarrow), C++ and Java (arrow-java)."""

from __future__ import annotations

import datetime
import decimal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
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


def columns():
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


COLUMNS = columns()


def same(back, sent):
    assert back.schema.equals(sent.schema, check_metadata=True)
    back.validate(full=True)
    assert back.num_rows == sent.num_rows
    assert back.to_pylist() == sent.to_pylist()


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
