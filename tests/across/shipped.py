"""What `tools/dev build` made, and how the tests here compile code against it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import sabir

HERE = Path(__file__).resolve().parent
BUILT = Path(sabir.__file__).resolve().parents[2]  # `tools/dev build` lays the other SDKs beside the package
JAR = BUILT / "java/sabir-java.jar"
ARROW = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sabir/java/arrow"
# What arrow-java wants of the JVM.
JAVA_OPTIONS = ["--add-opens=java.base/java.nio=ALL-UNNAMED"]
JAVA_HOME = Path(os.environ.get("SABIR_JAVA_HOME", "/usr/lib/jvm/java-17-openjdk-amd64"))


def run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
