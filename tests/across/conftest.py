"""One session with workers of three languages, on code that the tests compile against what is shipped."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped import ARROW, BUILT, HERE, JAR, JAVA_HOME, JAVA_OPTIONS, run

import sabir


@pytest.fixture(scope="session")
def code() -> Iterator[Path]:
    """A folder with a shared library, a jar's classes and a Python module."""
    with tempfile.TemporaryDirectory(prefix="sabir-code-", dir="/tmp") as name:
        folder = Path(name)
        flags = ["-std=c++17", "-O1", "-fPIC", "-shared", "-Wall", "-Werror", f"-I{BUILT / 'cpp/include'}"]
        run("g++", *flags, HERE / "code/engine.cc", "-o", folder / "libengine.so", f"-L{BUILT / 'cpp/lib'}", "-lsabir")
        arrow = sorted(ARROW.glob("*.jar"))
        assert arrow, f"arrow-java is not in {ARROW}: run tools/dev setup"
        class_path = os.pathsep.join(map(str, [JAR, *arrow]))
        sources = [HERE / "code/Prices.java", HERE / "code/Columns.java"]
        run(JAVA_HOME / "bin/javac", "--release", "17", "-cp", class_path, "-d", folder, *sources)
        for jar in arrow:
            (folder / jar.name).symlink_to(jar)
        (folder / "functions.py").write_text((HERE / "code/functions.py").read_text())
        yield folder


@pytest.fixture(scope="module")
def session(code: Path) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="sabir-s-", dir="/tmp") as root:
        sys.path.insert(0, str(code))
        with sabir.init(
            "local",
            num_cpus=2,
            code_search_path=[code, *sorted(code.glob("*.jar"))],
            java_jar=JAR,
            java_options=JAVA_OPTIONS,
            log_to_driver=False,
            _session_root=root,
        ):
            yield
        sys.path.remove(str(code))
