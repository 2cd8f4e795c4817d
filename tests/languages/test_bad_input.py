"""Code of Java and C++ that does not end well: a typed error each time, and the next call of the session succeeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped import JAR, compile_cpp, compile_java, short_folder

import sabir
from sabir.exceptions import (
    ActorDiedError,
    InvalidArgumentError,
    NotFoundError,
    SabirError,
    SerializationError,
    TaskError,
    WorkerCrashedError,
)

FAULTS = Path(__file__).resolve().parent / "faults"
TIMEOUT_S = 100
MESSAGE_BYTES = 64 << 10
# Its second registration of a name, and a symbol that nobody has.
OTHER = """
#include <sabir/sabir.hpp>
int64_t twice() { return 2; }
SABIR_REMOTE_AS("twice", twice);
"""
UNRESOLVED = """
#include <sabir/sabir.hpp>
int64_t nobody_has_this(int64_t value);
int64_t unresolved(int64_t value) { return nobody_has_this(value); }
SABIR_REMOTE(unresolved);
"""


@pytest.fixture(scope="module")
def code_folder() -> Iterator[Path]:
    with short_folder() as name:
        folder = Path(name)
        (folder / "other.cc").write_text(OTHER)
        (folder / "unresolved.cc").write_text(UNRESOLVED)
        for source in (FAULTS / "faults.cc", folder / "other.cc", folder / "unresolved.cc"):
            compile_cpp(folder / f"lib{source.stem}.so", source, library=True)
        compile_java(folder, FAULTS / "Faults.java")
        (folder / "Faults$Missing.class").unlink()
        yield folder


@pytest.fixture(scope="module", autouse=True)
def session(code_folder: Path) -> Iterator[None]:
    with short_folder() as root:
        options = {"java_options": ["-Xmx700m"], "log_to_driver": False, "_session_root": root}
        with sabir.init("local", num_cpus=2, code_search_path=[code_folder], java_jar=JAR, **options):
            yield


@pytest.fixture(autouse=True)
def the_session_goes_on(session: None) -> Iterator[None]:
    yield
    assert get(sabir.java_function("Faults", "add").remote(1, 2)) == 3
    assert get(sabir.cpp_function("add").remote(1, 2)) == 3


def get(ref):
    return sabir.get(ref, timeout=TIMEOUT_S)


def error_of(ref) -> SabirError:
    with pytest.raises(SabirError) as caught:
        get(ref)
    return caught.value


def java(how: str):
    return sabir.java_function("Faults", "fail").options(max_retries=0).remote(how)


def cpp(how: str):
    return sabir.cpp_function("fail").options(max_retries=0).remote(how)


JAVA_ERRORS = [
    ("constructor", "java.lang.IllegalStateException", "not even made"),
    ("silent", "Faults$Silent", "getMessage() threw"),
    ("unreadable", "Faults$Unreadable", "cannot be read again"),
    ("stack", "java.lang.StackOverflowError", "StackOverflowError"),
    ("memory", "java.lang.OutOfMemoryError", "heap space"),
    ("surrogate message", "java.lang.IllegalStateException", "of a pair"),
]
CPP_ERRORS = [
    ("int", "int", "not derived from std::exception"),
    ("struct", "faults::Odd", "not derived from std::exception"),
    ("quiet", "faults::Quiet", "faults::Quiet"),
    ("bytes in the message", "std::runtime_error", "half \ufffd of it"),
]


@pytest.mark.parametrize(("how", "type_name", "text"), JAVA_ERRORS, ids=[case[0] for case in JAVA_ERRORS])
def test_exceptions_of_java(how, type_name, text):
    actor = sabir.java_actor_class("Faults").remote()
    for error in (error_of(java(how)), error_of(actor.failing.remote(how))):
        assert isinstance(error, TaskError)
        assert (error.language, error.type_name) == ("Java", type_name)
        assert text in error.message
    # The actor lives.
    assert "what" in error_of(actor.failing.remote("what")).message


@pytest.mark.parametrize(("how", "type_name", "text"), CPP_ERRORS, ids=[case[0] for case in CPP_ERRORS])
def test_exceptions_of_c_plus_plus(how, type_name, text):
    actor = sabir.cpp_actor_class("Faulty").remote()
    for error in (error_of(cpp(how)), error_of(actor.failing.remote(how))):
        assert isinstance(error, TaskError)
        assert (error.language, error.type_name) == ("C++", type_name)
        assert text in error.message
    assert "what" in error_of(actor.failing.remote("what")).message


def test_system_exit_in_java():
    error = error_of(java("exit"))
    assert isinstance(error, TaskError) and "System.exit() was called" in error.message
    actor = sabir.java_actor_class("Faults").remote()
    error = error_of(actor.failing.remote("exit"))
    assert "System.exit() was called" in str(error)
    assert isinstance(error_of(actor.failing.remote("what")), ActorDiedError)


@pytest.mark.parametrize("how", ["segfault", "abort", "terminate"])
def test_crashes_in_c_plus_plus(how):
    signal = "11" if how == "segfault" else "6"
    error = error_of(cpp(how))
    assert isinstance(error, WorkerCrashedError) and signal in str(error)
    actor = sabir.cpp_actor_class("Faulty").remote()
    error = error_of(actor.failing.remote(how))
    assert isinstance(error, ActorDiedError) and signal in str(error)


def test_an_initializer_that_throws():
    call = sabir.java_function("Faults$Initializer", "call")
    # The JVM has other words for it the second time; it may be another JVM, too.
    for _ in range(4):
        error = error_of(call.remote())
        assert isinstance(error, TaskError)
        assert error.type_name in ("java.lang.ExceptionInInitializerError", "java.lang.NoClassDefFoundError")
        assert "NumberFormatException" in error.traceback_str and "no number" in error.traceback_str
    error = error_of(sabir.java_actor_class("Faults$Initializer").remote().x.remote())
    assert isinstance(error, ActorDiedError) and "Initializer" in str(error)


def test_classes_whose_dependencies_are_missing(code_folder):
    error = error_of(sabir.java_function("Faults$NeedsMissing", "call").remote())
    assert isinstance(error, TaskError) and error.type_name == "java.lang.NoClassDefFoundError"
    assert "Faults$Missing" in error.message
    error = error_of(sabir.java_function("Faults$SignatureNeedsMissing", "call").remote())
    assert isinstance(error, NotFoundError)
    assert "the class Faults$SignatureNeedsMissing needs Faults$Missing" in str(error)
    assert str(code_folder) in str(error)


@pytest.mark.parametrize("call", [java, cpp], ids=["Java", "C++"])
def test_huge_messages_keep_their_beginning_and_their_end(call):
    error = error_of(call("huge"))
    assert isinstance(error, TaskError)
    assert len(error.message) <= MESSAGE_BYTES and len(error.traceback_str) <= 2 * MESSAGE_BYTES
    assert "beginxxx" in error.message and error.message.endswith("xxxend")


def test_huge_messages_of_python():
    @sabir.remote
    def fail(text):
        raise RuntimeError("begin" + "x" * (64 << 20) + text)

    error = error_of(fail.remote("end"))
    assert len(error.message) <= MESSAGE_BYTES
    assert "beginxxx" in error.message and error.message.endswith("xxxend")
    error = error_of(fail.remote("\ud800"))
    assert error.message.endswith("xxx\\ud800")


@pytest.mark.parametrize("language", ["Java", "C++"])
def test_huge_texts_travel(language):
    if language == "Java":
        length, repeated = sabir.java_function("Faults", "length"), sabir.java_function("Faults", "repeated")
    else:
        length, repeated = sabir.cpp_function("length"), sabir.cpp_function("repeated")
    size = 64 << 20
    assert get(length.remote("x" * size)) == size
    assert get(repeated.remote("ab", size // 2)) == "ab" * (size // 2)


def test_text_that_is_none():
    error = error_of(java("surrogate"))
    assert isinstance(error, SerializationError)
    assert "a form that only Java reads" in str(error) and "[1]" in str(error) and "surrogate" in str(error)
    error = error_of(cpp("bytes in the result"))
    assert "the result" in str(error) and "UTF-8" in str(error)


def test_libraries_that_cannot_be_loaded_say_why(code_folder):
    error = error_of(sabir.cpp_function("unresolved").remote(1))
    assert isinstance(error, NotFoundError)
    assert f"{code_folder / 'libunresolved.so'}: cannot be loaded" in str(error)
    assert "undefined symbol" in str(error) and "nobody_has_this" in str(error)


def test_a_name_in_two_libraries_is_refused(code_folder):
    error = error_of(sabir.cpp_function("twice").remote())
    assert isinstance(error, InvalidArgumentError)
    assert "'twice' is registered in two libraries of the code path" in str(error)
    assert str(code_folder / "libfaults.so") in str(error) and str(code_folder / "libother.so") in str(error)
