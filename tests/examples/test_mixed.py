"""Examples of programs in several languages: built as their first lines say, and run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from shipped import LANGUAGE_ENVIRON, ROOT, compile_cpp, compile_java, java, run


def test_a_driver_in_cpp_with_actors_in_java(folder: Path) -> None:
    source = ROOT / "examples/cpp_ledger"
    classes = compile_java(folder / "classes", source / "Ledger.java")
    program = compile_cpp(folder / "ledger", source / "ledger.cc")
    printed = run(program, classes, **LANGUAGE_ENVIRON)
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
    classes = compile_java(folder / "classes", source / "PredictionService.java")
    with subprocess.Popen(
        java("PredictionService", sys.executable, source, classes=classes),
        cwd=folder,
        env={**os.environ, **LANGUAGE_ENVIRON},
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
    example = ROOT / "examples/pipeline"
    code = compile_java(folder / "code", example / "Deviations.java")
    compile_cpp(code / "libmeans.so", example / "means.cc", library=True)
    text = run(sys.executable, example / "pipeline.py", code, "--json", **LANGUAGE_ENVIRON)
    figures = json.loads(text)
    assert figures["outliers"] == 250_000 * 50 // 10_000
    # Of ten thousand items one is 100, the others 10 on the average with a deviation of 2.
    assert figures["mean"] == pytest.approx(10.009, abs=0.01)
    assert figures["deviation"] == pytest.approx(2.19, abs=0.01)
    # Written once, read by three languages: what is in the store is that matrix and nothing else.
    assert figures["objects"] == 1
    assert 0 <= figures["used_bytes"] - figures["matrix_bytes"] < 4096
