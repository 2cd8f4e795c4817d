"""One session with workers of three languages, on code that the tests compile against what is shipped."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped import BUILT, HERE, JAR, JAVA_HOME, run

import sabir


@pytest.fixture(scope="session")
def code() -> Iterator[Path]:
    """A folder with a shared library, a jar's classes and a Python module."""
    with tempfile.TemporaryDirectory(prefix="sabir-code-", dir="/tmp") as name:
        folder = Path(name)
        flags = ["-std=c++17", "-O1", "-fPIC", "-shared", "-Wall", "-Werror", f"-I{BUILT / 'cpp/include'}"]
        run("g++", *flags, HERE / "code/engine.cc", "-o", folder / "libengine.so", f"-L{BUILT / 'cpp/lib'}", "-lsabir")
        run(JAVA_HOME / "bin/javac", "--release", "17", "-cp", JAR, "-d", folder, HERE / "code/Prices.java")
        (folder / "functions.py").write_text((HERE / "code/functions.py").read_text())
        yield folder


@pytest.fixture(scope="module")
def session(code: Path) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="sabir-s-", dir="/tmp") as root:
        sys.path.insert(0, str(code))
        with sabir.init(
            "local", num_cpus=2, code_search_path=[code], java_jar=JAR, log_to_driver=False, _session_root=root
        ):
            yield
        sys.path.remove(str(code))
