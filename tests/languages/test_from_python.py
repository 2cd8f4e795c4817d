"""Python calls C++ and Java, in one session with workers of all; its code is in from_python."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from shipped import JAR, compile_cpp, compile_java, short_folder

import sabir
from sabir.exceptions import (
    ActorDiedError,
    NotFoundError,
    SabirError,
    SerializationError,
    TaskError,
    WorkerCrashedError,
)

HERE = Path(__file__).resolve().parent / "from_python"
TIMEOUT_S = 60
ECHOES = {"C++": sabir.cpp_function("echo"), "Java": sabir.java_function("Prices", "echo")}


@pytest.fixture(scope="module", autouse=True)
def session() -> Iterator[None]:
    """On a folder with a shared library, a class and a Python module."""
    with short_folder() as root:
        code = compile_java(Path(root) / "code", HERE / "Prices.java")
        compile_cpp(code / "libengine.so", HERE / "engine.cc", library=True)
        shutil.copy(HERE / "functions.py", code)
        sys.path.insert(0, str(code))
        options = {"num_cpus": 2, "code_search_path": [code], "java_jar": JAR, "log_to_driver": False}
        with sabir.init("local", **options, _session_root=root):
            yield
        sys.path.remove(str(code))


def get(ref):
    return sabir.get(ref, timeout=TIMEOUT_S)


@pytest.fixture(params=ECHOES)
def echo(request):
    return ECHOES[request.param]


def test_functions():
    assert get(sabir.cpp_function("add").remote(1, 2)) == 3
    assert get(sabir.java_function("Prices", "sum").remote(1, 2)) == 3
    assert get(sabir.java_function("Prices", "sum").remote("a", "b")) == "ab"
    # A reference stands for its value, whoever made it.
    three = sabir.cpp_function("add").remote(1, 2)
    assert get(sabir.java_function("Prices", "sum").remote(three, sabir.put(4))) == 7


VALUES = [
    None,
    True,
    -5,
    2**63,
    -(2**80),
    1.5,
    "text \U0001f600",
    "",
    b"bytes",
    b"",
    [1, "a", [2.5, None]],
    {"k": [1, 2], "z": {"deep": b"x"}},
    {1: "one", 2: "two"},
    datetime.datetime(2026, 5, 4, 3, 2, 1, tzinfo=datetime.timezone.utc),
    "x" * 100_000,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
def test_values_come_back_as_they_were(echo, value):
    result = get(echo.remote(value))
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32", "uint64", "float16", "float32", "float64"])
def test_arrays(echo, dtype):
    array = np.arange(24).reshape(4, 6).astype(dtype)
    for sent in (array, np.asfortranarray(array), array[::2, 1:], array[:0], np.array(3, dtype)):
        result = get(echo.remote(sent))
        assert result.dtype == sent.dtype and result.shape == sent.shape
        assert np.array_equal(result, sent)


def test_large_arrays_are_read_in_place():
    array = np.arange(1 << 20, dtype=np.float64)
    stored = sabir.put(array)
    assert get(sabir.cpp_function("total").remote(stored)) == array.sum()
    assert get(sabir.java_function("Prices", "total").remote(stored)) == array.sum()


def test_references_inside_containers():
    refs = [sabir.put(i) for i in range(5)]
    assert get(sabir.java_function("Prices", "followed").remote(refs)) == 10
    (same,) = get(ECHOES["C++"].remote([refs[3]]))
    assert same == refs[3] and get(same) == 3


class Color(enum.IntEnum):
    RED = 1


def test_what_has_a_plain_meaning_is_converted(echo):
    sent = {
        "np": np.float32(0.5),
        "int": np.int64(7),
        "bool": np.bool_(True),
        "enum": Color.RED,
        "ordered": collections.OrderedDict(a=1),
        "bytearray": bytearray(b"x"),
        "swapped": np.array([1, 2], dtype=">i4"),
    }
    result = get(echo.remote(sent))
    assert np.array_equal(result.pop("swapped"), [1, 2])
    assert result == {"np": 0.5, "int": 7, "bool": True, "enum": 1, "ordered": {"a": 1}, "bytearray": b"x"}
    shared = [1]
    assert get(echo.remote([shared, shared])) == [[1], [1]]


@dataclasses.dataclass
class Point:
    x: float
    y: float


def test_converters():
    norm = sabir.cpp_function("norm")
    with pytest.raises(SerializationError, match=r"argument 1 \(.*Point\) to another language.*register_converter"):
        norm.remote(Point(3, 4))
    sabir.register_converter(Point, dataclasses.asdict)
    try:
        assert get(norm.remote(Point(3.0, 4.0))) == 25
        assert get(ECHOES["Java"].remote([Point(1.0, 2.0)])) == [{"x": 1.0, "y": 2.0}]
        assert sabir.get(sabir.put(Point(1.0, 2.0))) == Point(1.0, 2.0)  # in Python the class stays
    finally:
        from sabir._neutral import _converters

        _converters.clear()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, {2, 3}]}, r"argument 1\['a'\]\[1\] \(builtins.set\)"),
        ([1j], r"argument 1\[0\] \(builtins.complex\)"),
        (lambda: 1, r"argument 1 \(builtins.function\)"),
        (datetime.datetime(2026, 1, 1), "no time zone"),
        ("\ud800", "surrogate"),
        (np.array([object()]), "array of object"),
    ],
    ids=["set", "complex", "function", "naive datetime", "surrogate", "objects"],
)
def test_what_only_python_knows_is_refused_with_its_place(echo, value, place):
    with pytest.raises(SerializationError, match=place):
        echo.remote(value)


def test_cyclic_and_deep_values_are_refused(echo):
    cyclic: list = []
    cyclic.append(cyclic)
    with pytest.raises(SerializationError, match="contains itself"):
        echo.remote(cyclic)
    deep: list = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(SerializationError, match="64 containers"):
        echo.remote(deep)


def test_named_arguments():
    with pytest.raises(TypeError, match=r"C\+\+: it takes positional arguments only, not b"):
        sabir.cpp_function("add").remote(1, b=2)
    # Java's classes have the names of parameters if they were compiled so.
    with pytest.raises(SabirError, match="compiled with -parameters"):
        get(sabir.java_function("Prices", "parse").remote(text="1"))


def test_actors():
    counters = [sabir.cpp_actor_class("Counter").remote(10), sabir.java_actor_class("Prices").remote(10)]
    for counter in counters:
        refs = [counter.add.remote(1) for _ in range(100)]
        assert sabir.get(refs, timeout=TIMEOUT_S) == list(range(11, 111))
        (same,) = get(ECHOES["C++"].remote([counter]))
        assert same == counter and get(same.add.remote(1)) == 111
        (again,) = get(ECHOES["Java"].remote([same]))
        assert get(again.add.remote(1)) == 112
        sabir.kill(counter)
        with pytest.raises(ActorDiedError):
            get(counter.add.remote(1))


def test_named_actors_and_options():
    made = sabir.java_actor_class("Prices").options(name="prices", max_restarts=1).remote(1)
    found = sabir.get_actor("prices")
    assert get(found.add.remote(1)) == 2
    assert get(made.add.remote(1)) == 3

    @sabir.remote
    def use(handle):
        return sabir.get(handle.add.remote(5), timeout=TIMEOUT_S)

    assert get(use.remote(found)) == 8
    quotient, rest = sabir.cpp_function("divide").options(num_returns=2, num_cpus=0.5, name="div").remote(7, 2)
    assert (get(quotient), get(rest)) == (3, 1)
    with pytest.raises(TypeError, match="retry_exceptions must be a bool or a list of names"):
        sabir.cpp_function("add").options(retry_exceptions=[ValueError])


def test_errors_of_the_other_language():
    with pytest.raises(TaskError, match="no such place") as caught:
        get(sabir.cpp_function("fail").remote("no such place"))
    assert (caught.value.language, caught.value.type_name) == ("C++", "std::out_of_range")
    with pytest.raises(TaskError, match="NumberFormatException") as caught:
        get(sabir.java_function("Prices", "parse").remote("twelve"))
    assert (caught.value.language, caught.value.type_name) == ("Java", "java.lang.NumberFormatException")
    assert "Prices.parse" in caught.value.traceback_str
    with pytest.raises(TaskError, match="the counter is at 3"):
        get(sabir.cpp_actor_class("Counter").remote(3).fail.remote())
    with pytest.raises(TaskError, match="the count is 3"):
        get(sabir.java_actor_class("Prices").remote(3).fail.remote())


@pytest.mark.parametrize(
    "caller",
    [sabir.cpp_function("through_python"), sabir.java_function("Prices", "throughPython")],
    ids=["C++", "Java"],
)
def test_the_chain_of_causes_through_two_languages(caller):
    @sabir.remote
    def outer(text):
        return sabir.get(caller.remote(text), timeout=TIMEOUT_S)

    with pytest.raises(TaskError) as caught:
        get(outer.remote("at the bottom"))
    chain = []
    link = caught.value
    while link is not None:
        chain.append(link)
        link = link.__cause__
    languages = [error.language for error in chain if isinstance(error, TaskError)]
    assert languages[0] == "Python" and languages[-1] == "Python"
    assert any(language in ("C++", "Java") for language in languages)
    assert isinstance(chain[-1], ValueError) and chain[-1].args == ("at the bottom",)
    assert any("functions.py" in error.traceback_str for error in chain if isinstance(error, TaskError))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: sabir.cpp_function("subtract").remote(1), r"(?s)no function 'subtract'.*libengine.so: has .*add"),
        (
            lambda: sabir.cpp_actor_class("Meter").remote().add.remote(1),
            r"(?s)no factory of actors 'Meter'.*libengine.so",
        ),
        (lambda: sabir.java_function("Prizes", "sum").remote(1, 2), r"Prizes"),
        (lambda: sabir.java_function("Prices", "minus").remote(1, 2), r"minus.*sum"),
    ],
    ids=["C++ function", "C++ class", "Java class", "Java method"],
)
def test_missing_names_say_what_is_there(call, text):
    with pytest.raises((NotFoundError, ActorDiedError), match=text):
        get(call())


def test_arguments_that_do_not_fit():
    with pytest.raises(SabirError, match="sum"):
        get(sabir.java_function("Prices", "sum").remote(1.5, [2]))
    with pytest.raises(SabirError, match="argument 2: expected an int64, found a string"):
        get(sabir.cpp_function("add").remote(1, "two"))
    with pytest.raises(SabirError, match="add"):
        get(sabir.cpp_function("add").remote(1))


def test_a_crash_in_c_plus_plus_is_an_error_of_its_task():
    with pytest.raises(WorkerCrashedError):
        get(sabir.cpp_function("die").options(max_retries=0).remote())
    assert get(sabir.cpp_function("add").remote(1, 2)) == 3


def test_calls_from_inside_a_task():
    @sabir.remote
    def relay(x):
        doubled = sabir.cpp_function("add").remote(x, x)
        return sabir.get(sabir.java_function("Prices", "sum").remote(doubled, 1), timeout=TIMEOUT_S)

    assert get(relay.remote(20)) == 41


def test_code_of_one_task(tmp_path):
    """A library and a class that lie on no code path but that of the call."""
    (tmp_path / "extra.cc").write_text(
        "#include <sabir/sabir.hpp>\nint64_t triple(int64_t x) { return 3 * x; }\nSABIR_REMOTE(triple);\n"
    )
    (tmp_path / "Extra.java").write_text(
        "public class Extra {\n"
        "  public static long triple(long x) { return 3 * x; }\n"
        "  public long twice(long x) { return 2 * x; }\n"
        "}\n"
    )
    compile_cpp(tmp_path / "libextra.so", tmp_path / "extra.cc", library=True)
    compile_java(tmp_path, tmp_path / "Extra.java")
    env = {"code_search_path": [tmp_path]}
    for triple in (sabir.cpp_function("triple"), sabir.java_function("Extra", "triple")):
        with pytest.raises(NotFoundError):
            get(triple.remote(2))
        assert get(triple.options(runtime_env=env).remote(2)) == 6
    actor = sabir.java_actor_class("Extra").options(runtime_env=env).remote()
    assert get(actor.twice.remote(4)) == 8
