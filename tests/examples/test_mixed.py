"""Examples of programs in several languages: built as their first lines say, and run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import sabir

ROOT = Path(__file__).resolve().parents[2]
BUILT = Path(sabir.__file__).resolve().parents[2]  # `tools/dev build` lays the other SDKs beside the package
JAR = BUILT / "java/sabir-java.jar"
JAVA_HOME = Path(os.environ.get("SABIR_JAVA_HOME", "/usr/lib/jvm/java-17-openjdk-amd64"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since the path of a Unix socket is bounded; also the root of the sessions that are started."""
    with tempfile.TemporaryDirectory(prefix="sabir-x-", dir="/tmp") as path:
        yield Path(path)


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "XDG_RUNTIME_DIR": str(folder), "JAVA_HOME": str(JAVA_HOME), **more}


def run(folder: Path, *command: str | Path, **more: str) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=folder, env=environment(folder, **more), capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def compile_java(folder: Path, source: Path) -> Path:
    classes = folder / "classes"
    run(
        folder,
        JAVA_HOME / "bin/javac",
        "--release",
        "17",
        "-Xlint:all,-try",
        "-Werror",
        "-cp",
        JAR,
        "-d",
        classes,
        source,
    )
    return classes


def test_a_driver_in_cpp_with_actors_in_java(folder: Path) -> None:
    source = ROOT / "examples/cpp_ledger"
    classes = compile_java(folder, source / "Ledger.java")
    flags = run(
        folder, "pkg-config", "--cflags", "--libs", "sabir", PKG_CONFIG_PATH=str(BUILT / "cpp/lib/pkgconfig")
    ).split()
    warnings = ["-Wall", "-Wextra", "-Werror"]
    run(folder, "g++", "-std=c++17", *warnings, source / "ledger.cc", *flags, "-o", folder / "ledger")
    printed = run(folder, folder / "ledger", classes, SABIR_JAVA_JAR=str(JAR))
    assert printed.splitlines() == [
        "refused: 0 of alice, 75 of bob",
        "alice has 0.50",
        "bob has 0.00",
        "carol has 3.25",
        "java.lang.IllegalStateException",
        "transfer: IllegalStateException: bob has 0.00 only, not 1000000",
    ]


def ask(address: str, rows: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address.replace("1,2,3", rows), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_service_in_java_with_a_model_in_python(folder: Path) -> None:
    source = ROOT / "examples/java_service"
    classes = compile_java(folder, source / "PredictionService.java")
    command = [JAVA_HOME / "bin/java", "-cp", f"{JAR}:{classes}", "PredictionService", sys.executable, source]
    with subprocess.Popen(
        [str(word) for word in command],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as service:
        try:
            assert service.stdin and service.stdout
            address = service.stdout.readline().strip()
            assert ask(address, "1,2,3") == (200, "14.00\n")
            assert ask(address, "1,0,0;0,1,0;0,0,-1") == (200, "1.00;2.00;-3.00\n")
            with ThreadPoolExecutor(8) as threads:
                answers = list(threads.map(lambda i: ask(address, f"{i},0,0"), range(50)))
            assert answers == [(200, f"{i}.00\n") for i in range(50)]
            status, text = ask(address, "1,2")
            assert status == 400 and "builtins.ValueError" in text and "a row has 3 features" in text
            assert ask(address, "1,2;3")[0] == 400
            service.stdin.close()
            assert service.wait(60) == 0
        finally:
            service.kill()


def test_pipeline(folder: Path) -> None:
    code = folder / "code"
    code.mkdir()
    example = ROOT / "examples/pipeline"
    flags = run(folder, "pkg-config", "--cflags", "--libs", "sabir", PKG_CONFIG_PATH=str(BUILT / "cpp/lib/pkgconfig"))
    run(
        folder,
        *("g++", "-std=c++17", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", example / "means.cc"),
        *flags.split(),
        *("-o", code / "libmeans.so"),
    )
    run(folder, JAVA_HOME / "bin/javac", "--release", "17", "-cp", JAR, "-d", code, example / "Deviations.java")
    text = run(folder, sys.executable, example / "pipeline.py", code, "--json", SABIR_JAVA_JAR=str(JAR))
    figures = json.loads(text)
    assert figures["outliers"] == 250_000 * 50 // 10_000
    # Of ten thousand items one is 100, the others 10 on the average with a deviation of 2.
    assert figures["mean"] == pytest.approx(10.009, abs=0.01)
    assert figures["deviation"] == pytest.approx(2.19, abs=0.01)
    # Written once, read by three languages: what is in the store is that matrix and nothing else.
    assert figures["objects"] == 1
    assert 0 <= figures["used_bytes"] - figures["matrix_bytes"] < 4096
