"""A fourth language on sabir.h alone: a driver in Go runs tasks and actors of Python and Java."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import sabir

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SDK = Path(sabir.__file__).resolve().parents[2] / "cpp"
JAR = ROOT / ".build/java/sabir-java.jar"
JAVA_HOME = Path(os.environ.get("SABIR_JAVA_HOME", "/usr/lib/jvm/java-17-openjdk-amd64"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since the path of a Unix socket is bounded."""
    with tempfile.TemporaryDirectory(prefix="sabir-go-", dir="/tmp") as path:
        yield Path(path)


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_driver_in_go(folder: Path) -> None:
    classes = folder / "classes"
    sources = sorted((HERE / "programs").glob("*.java"))
    run(JAVA_HOME / "bin/javac", "--release", "17", "-Xlint:all", "-Werror", "-d", classes, *sources, cwd=folder)
    # As users have it: the package's own folder, and pkg-config. Go's own downloads are off.
    package = folder / "sabir"
    shutil.copytree(HERE, package, ignore=shutil.ignore_patterns("programs", "*.py", "__pycache__"))
    environment = {
        "PKG_CONFIG_PATH": str(SDK / "lib/pkgconfig"),
        "GOPROXY": "off",
        "GOFLAGS": "-mod=mod",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "1",
        "GOCACHE": str(ROOT / ".build/go"),
        "JAVA_HOME": str(JAVA_HOME),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "SABIR_PYTHON": sys.executable,
        "SABIR_JAVA_JAR": str(JAR),
        "SABIR_TEST_JAVA_WORKER": str(SDK / "bin/sabir-java-worker"),
        "SABIR_TEST_CODE": f"{HERE / 'programs'}:{classes}",
        "SABIR_TEST_ROOT": str(folder / "s"),
    }
    run("go", "vet", "./...", cwd=package, **environment)
    printed = run("go", "test", "-count=1", "-v", "-timeout=240s", "./...", cwd=package, **environment)
    assert printed.count("--- PASS: ") >= 7, printed


def test_it_is_small_and_stands_on_the_header_alone() -> None:
    lines = [
        line.strip()
        for path in HERE.glob("*.go")
        if not path.name.endswith("_test.go")
        for line in path.read_text().splitlines()
    ]
    code = [line for line in lines if line and not line.startswith("//")]
    assert 0 < len(code) < 500
    included = {line.lstrip("/ ") for line in lines if line.lstrip("/ ").startswith("#include")}
    assert included == {"#include <sabir/sabir.h>", "#include <stdlib.h>"}
    assert run("gofmt", "-l", ".", cwd=HERE) == ""
