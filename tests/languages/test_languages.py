"""Drivers of three languages with workers of all of them, built against what is shipped."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from shipped import CPP_SDK, JAR, LANGUAGE_ENVIRON, compile_cpp, compile_java, java, run, short_folder

HERE = Path(__file__).resolve().parent
LANGUAGES = ("python", "java", "cpp")
ENVIRON = {**os.environ, **LANGUAGE_ENVIRON, "CPP_WORKER": str(CPP_SDK / "bin/sabir-cpp-worker")}


@dataclass(frozen=True)
class Code:
    folder: Path  # a shared library, classes and a module: the code path
    cpp_driver: Path
    starting: Path

    def driver(self, language: str) -> list[str]:
        if language == "cpp":
            return [str(self.cpp_driver)]
        if language == "python":
            return [sys.executable, str(HERE / "driver.py")]
        return java("across.Driver", classes=self.folder)

    def run(self, language: str, *arguments: str) -> str:
        return run(*self.driver(language), session_root(self), self.folder, *arguments, environ=ENVIRON)


def session_root(code: Code) -> Path:
    return code.folder.parent / "s"


@pytest.fixture(scope="module")
def code() -> Iterator[Code]:
    with short_folder() as name:
        root = Path(name)
        sources = [HERE / name for name in ("Functions.java", "Driver.java", "Classes.java")]
        folder = compile_java(root / "code", *sources)
        compile_cpp(folder / "libfunctions.so", HERE / "functions.cc", library=True)
        driver, starting = (compile_cpp(root / name, HERE / f"{name}.cc") for name in ("driver", "starting"))
        (folder / "across/Removed.class").unlink()
        newer = folder / "across/Newer.class"
        content = newer.read_bytes()
        newer.write_bytes(content[:6] + b"\x03\xe7" + content[8:])  # version 999
        (folder / "functions.py").write_text((HERE / "functions.py").read_text())
        yield Code(folder, driver, starting)


@pytest.mark.parametrize("driver", LANGUAGES)
def test_handles_of_every_language_in_every_language(code: Code, driver: str) -> None:
    printed = code.run(driver, "handles", *LANGUAGES)
    pairs = {f"{caller} calls {callee}" for caller in LANGUAGES for callee in LANGUAGES}
    assert set(printed.splitlines()) == pairs


# What the last one throws, what a middle one does that did not catch it, and what its stack shows.
THROWN = {"python": "builtins.ValueError", "java": "java.lang.IllegalStateException", "cpp": "std::out_of_range"}
PASSED_ON = {
    "python": "sabir.exceptions.TaskError",
    "java": "org.sabir.TaskException",
    "cpp": "sabir::TaskError",
}
STACKS = {"python": 'functions.py", line', "java": "at across.Functions.chain", "cpp": "in chain"}


@pytest.mark.parametrize("driver", LANGUAGES)
def test_errors_through_languages_have_all_stacks_and_types(code: Code, driver: str) -> None:
    orders = [",".join(order) for order in itertools.permutations(LANGUAGES)]
    orders += [",".join(order) for order in itertools.permutations(LANGUAGES, 2)]
    orders += [f"{language},{language}" for language in LANGUAGES]
    orders.append(",".join(["cpp"] * 12))
    printed = code.run(driver, "chain", *orders)
    names = {"Python": "python", "PYTHON": "python", "Java": "java", "JAVA": "java", "C++": "cpp", "CPP": "cpp"}
    blocks = printed.split("\nend\n")[:-1]
    assert len(blocks) == len(orders), printed
    for block, order in zip(blocks, orders):
        head, _, text = block.partition("\ntext ")
        first, *levels = head.splitlines()
        assert first == f"chain {order}"
        languages = order.split(",")
        last = languages[-1]
        # Python raises an error of Python's again with its type.
        passed_on = {
            **PASSED_ON,
            "python": THROWN["python"] if languages == ["python", "python"] else PASSED_ON["python"],
        }
        wanted = [(name, passed_on[name]) for name in languages[:-1]] + [(last, THROWN[last])]
        pairs = [level.split(" ")[1:] for level in levels]
        found = [(names[language], type_) for language, type_ in pairs]
        if driver == "python":
            # A TaskError that Python raised again is there as what was raised, and as what caused it.
            found = [level for level, _ in itertools.groupby(found)]
            wanted = [level for level, _ in itertools.groupby(wanted)]
        assert found == wanted, block
        for language in languages:
            assert STACKS[language] in text, f"{language}: {block}"
        assert "the end of the chain" in text


def test_what_is_missing_or_does_not_fit(code: Code) -> None:
    """Which, where it was looked for, and what is there."""
    printed = code.run("cpp", "missing", "all")
    errors = dict(block.split(": ", 1) for block in printed.split("\nend\n")[:-1])
    library = str(code.folder / "libfunctions.so")
    wanted = {
        "java class": ["NOT_FOUND", "there is no class across.Nothing on the worker's code path", str(code.folder)],
        "java package": ["NOT_FOUND", "no class other.Functions", "There is across.Functions"],
        "java method": [
            "NOT_FOUND",
            "the class across.Functions has no method none. It has add_to(ActorHandle, int), ",
        ],
        "java count": ["INVALID_ARGUMENT", "1 arguments for add_to(ActorHandle, int)"],
        "java type": ["INVALID_ARGUMENT", "argument 1 of Functions.add_to_named", "String"],
        "java newer class": ["INVALID_ARGUMENT", "across.Newer cannot be loaded", "class file version 999"],
        "java initializer": ["TASK_FAILED", "ExceptionInInitializerError"],
        # In the same JVM the class could not be initialized before; another one tries it for the first time.
        "java initializer again": ["TASK_FAILED", "Broken.g: "],
        "java dependency": [
            "NOT_FOUND",
            "across.Dependent needs across.Removed, which is not on the worker's code path",
        ],
        "cpp function": ["NOT_FOUND", "there is no function 'none'", f"{library}: has Counter::create, Counter::add"],
        "cpp count": ["INVALID_ARGUMENT", "it takes 2 arguments, not 1"],
        "cpp type": ["INVALID_ARGUMENT", "add_to_named", "argument 1"],
        "python module": ["nothing", str(code.folder)],
        "python function": ["'functions' has no 'none'", "add_to_named"],
        "python count": ["add_to", "by"],
    }
    assert errors.keys() == wanted.keys(), printed
    for name, parts in wanted.items():
        for part in parts:
            assert part in errors[name], f"{name}: no {part!r} in {errors[name]}"


def java_home(folder: Path, script: str) -> str:
    program = folder / "bin/java"
    program.parent.mkdir(parents=True)
    program.write_text(script)
    program.chmod(0o755)
    return str(folder)


def test_jvms_that_cannot_start(code: Code, tmp_path: Path) -> None:
    """A typed error with the last output of what was to be a worker, soon; and the session goes on."""
    no_jar = tmp_path / "sabir-java-0.jar"
    no_jar.write_text("no jar")
    damaged = tmp_path / "sabir-java-1.jar"
    damaged.write_bytes(JAR.read_bytes()[:5000])
    dying = java_home(tmp_path / "dying", "#!/bin/sh\necho 'no room for a JVM' >&2\nexit 9\n")
    cases: list[tuple[str, list[str], dict[str, str]]] = [
        ("is not a jar", [], {"SABIR_JAVA_JAR": str(no_jar)}),
        ("java ended with exit code 1:\nError: ", [], {"SABIR_JAVA_JAR": str(damaged)}),
        ("Initial heap size set to a larger value", ["-Xmx4m"], {}),
        ("Unrecognized option: -no-such-option", ["-no-such-option"], {}),
        (
            f"there is no java: JAVA_HOME is not set, and PATH ({tmp_path})",
            [],
            {"JAVA_HOME": "", "PATH": str(tmp_path)},
        ),
        ("no room for a JVM", [], {"JAVA_HOME": dying}),
    ]
    for wanted, options, more in cases:
        variables = {"XDG_CACHE_HOME": str(tmp_path / "cache"), **more}
        printed = run(code.starting, session_root(code), "java", *options, environ=ENVIRON, **variables)
        task, actor, rest = printed.split("end\n")
        assert task.startswith("task: SYSTEM: workers cannot be started"), printed
        assert wanted in task and "its last output:" in task, printed
        assert actor.startswith("actor: ACTOR_DIED: ") and wanted in actor, printed
        assert rest == "then: 2\n"


def test_a_program_as_worker_for_cpp(code: Code) -> None:
    """Its own functions are found, beside those of libraries."""
    assert code.run("java", "own", str(code.starting)) == "42\n"


@pytest.mark.parametrize(("language", "name"), [("java", "Java"), ("python", "Python")])
def test_languages_that_the_driver_does_not_bring(code: Code, language: str, name: str) -> None:
    printed = run(code.starting, session_root(code), language, environ=ENVIRON, SABIR_JAVA_JAR="", SABIR_PYTHON="")
    for block in printed.split("end\n")[:-1]:
        assert f"this job has no workers for {name}" in block, printed
    assert printed.endswith("then: 2\n")


def test_interpreters_without_the_package(code: Code, tmp_path: Path) -> None:
    for command, wanted in (("echo Warning >&2; exit 3", "Warning"), ("echo '{}'", "{}")):
        interpreter = tmp_path / "python"
        interpreter.write_text(f"#!/bin/sh\n{command}\n")
        interpreter.chmod(0o755)
        for driver in ("cpp", "java"):
            arguments = [*code.driver(driver), str(session_root(code)), str(code.folder), "chain", "cpp"]
            done = subprocess.run(
                arguments,
                env={**ENVIRON, "SABIR_PYTHON": str(interpreter)},
                capture_output=True,
                text=True,
                check=False,
                timeout=100,
            )
            assert done.returncode != 0 and str(interpreter) in done.stderr and wanted in done.stderr, done.stderr
            assert "package sabir" in done.stderr
