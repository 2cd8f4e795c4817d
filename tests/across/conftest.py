"""One session with workers of three languages, on code that the tests compile against what is shipped."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import sabir

HERE = Path(__file__).resolve().parent
BUILT = Path(sabir.__file__).resolve().parents[2]  # `tools/dev build` lays the other SDKs beside the package
JAR = BUILT / "java/sabir-java.jar"
JAVA_HOME = Path(os.environ.get("SABIR_JAVA_HOME", "/usr/lib/jvm/java-17-openjdk-amd64"))


def run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


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
