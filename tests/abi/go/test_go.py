"""A fourth language on sabir.h alone: a driver in Go runs tasks and actors of Python and Java."""

from __future__ import annotations

import shutil
from pathlib import Path

from shipped import BUILT, CPP_SDK, LANGUAGE_ENVIRON, compile_java, run

HERE = Path(__file__).resolve().parent


def test_a_driver_in_go(folder: Path) -> None:
    classes = compile_java(folder / "classes", *sorted((HERE / "programs").glob("*.java")))
    # As users have it: the package's own folder, and pkg-config. Go's own downloads are off.
    package = folder / "sabir"
    shutil.copytree(HERE, package, ignore=shutil.ignore_patterns("programs", "*.py", "__pycache__"))
    environment = {
        **LANGUAGE_ENVIRON,
        "PKG_CONFIG_PATH": str(CPP_SDK / "lib/pkgconfig"),
        "GOPROXY": "off",
        "GOFLAGS": "-mod=mod",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "1",
        "GOCACHE": str(BUILT / "go"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "SABIR_TEST_JAVA_WORKER": str(CPP_SDK / "bin/sabir-java-worker"),
        "SABIR_TEST_CODE": f"{HERE / 'programs'}:{classes}",
        "SABIR_TEST_ROOT": str(folder / "s"),
    }
    run("go", "vet", "./...", cwd=package, **environment)
    printed = run("go", "test", "-count=1", "-v", "-timeout=240s", "./...", cwd=package, **environment)
    assert printed.count("--- PASS: ") >= 7, printed


def test_it_is_small_and_stands_on_the_header_alone() -> None:
    lines = [
        line
        for path in HERE.glob("*.go")
        if not path.name.endswith("_test.go")
        for line in path.read_text().splitlines()
    ]
    assert 0 < len(lines) < 500
    included = {line.lstrip("/ ") for line in lines if line.lstrip("/ ").startswith("#include")}
    assert included == {"#include <sabir/sabir.h>"}
    assert run("gofmt", "-l", ".", cwd=HERE) == ""
