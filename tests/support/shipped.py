"""What `tools/dev` built as it is shipped, how tests compile code against it, and commands that must succeed.

pyproject.toml puts this folder on the path of pytest; tests/benchmark uses it, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".build"
PACKAGE = BUILT / "python/sabir"
CPP_SDK = BUILT / "cpp"
JAR = BUILT / "java/sabir-java.jar"
# Of tools/dev: sources and jars that it has fetched.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sabir"
JAVA_HOME = Path(os.environ.get("SABIR_JAVA_HOME", "/usr/lib/jvm/java-17-openjdk-amd64"))

# What tells a driver of any language where those of the others are.
LANGUAGE_ENVIRON = {"SABIR_JAVA_JAR": str(JAR), "SABIR_PYTHON": sys.executable, "JAVA_HOME": str(JAVA_HOME)}

COMMAND_S = 300  # more than a command takes on a busy machine


def run(
    *command: str | Path, cwd: Path | None = None, environ: Mapping[str, str] = os.environ, **variables: str
) -> str:
    """The standard output of a command that must succeed, in the environment `environ` with `variables` added.

    Raises AssertionError with all that it printed if it fails, and subprocess.TimeoutExpired after COMMAND_S seconds.
    """
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_S,
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def short_folder() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder with a short path, since that of a Unix socket is bounded."""
    return tempfile.TemporaryDirectory(prefix="sabir-t-", dir="/tmp")


def compile_cpp(target: Path, *sources: Path, library: bool = False) -> Path:
    """Makes a program, or a shared library, of sources that use the C++ SDK; returns `target`. Errors as of `run`."""
    flags = run("pkg-config", "--cflags", "--libs", "sabir", PKG_CONFIG_PATH=str(CPP_SDK / "lib/pkgconfig")).split()
    kind = ["-fPIC", "-shared"] if library else []
    run("g++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", *kind, *sources, *flags, "-o", target)
    return target


def compile_java(folder: Path, *sources: Path, libraries: Sequence[Path] = ()) -> Path:
    """Makes classes in `folder` of sources that use the Java SDK, and other jars; returns it. Errors as of `run`."""
    lint = ["-Xlint:all,-try,-classfile", "-Werror"]  # classfile: what other jars were compiled with
    path = ":".join(str(jar) for jar in (JAR, *libraries))
    run(JAVA_HOME / "bin/javac", "--release", "17", *lint, "-cp", path, "-d", folder, *sources)
    return folder


def java(*command: str | Path, classes: Path | None = None) -> list[str]:
    """The words of a command: a JVM with the Java SDK, and `classes`, on its class path."""
    path = f"{JAR}:{classes}" if classes else str(JAR)
    return [str(word) for word in (JAVA_HOME / "bin/java", "-XX:+UseSerialGC", "-cp", path, *command)]
