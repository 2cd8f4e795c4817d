"""The jar on JDKs after 17, as driver and worker; virtual threads, which 17 has not."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from shipped import JAR

PROGRAMS = Path(__file__).parent / "programs"
VIRTUAL_THREADS_SINCE = 21


def later_jdk() -> Path | None:
    """The newest JDK with virtual threads: of SABIR_LATER_JAVA_HOME, else where distributions put them."""
    named = os.environ.get("SABIR_LATER_JAVA_HOME")
    found = [Path(named)] if named else list(Path("/usr/lib/jvm").glob("*"))
    versions = []
    for home in found:
        release = home / "release"
        text = release.read_text() if release.exists() and (home / "bin/javac").exists() else ""
        match = re.search(r'JAVA_VERSION="(\d+)', text)
        if match and int(match[1]) >= VIRTUAL_THREADS_SINCE:
            versions.append((int(match[1]), home.resolve()))
    return max(versions)[1] if versions else None


JDK = later_jdk()
pytestmark = pytest.mark.skipif(
    JDK is None, reason=f"no JDK {VIRTUAL_THREADS_SINCE} or later in /usr/lib/jvm or SABIR_LATER_JAVA_HOME"
)


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    assert JDK is not None
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "JAVA_HOME": str(JDK)}
    words = [str(word) for word in command]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


def test_a_thousand_virtual_threads_wait_on_two_carriers(folder: Path) -> None:
    assert JDK is not None
    source = PROGRAMS / "VirtualThreads.java"
    run(folder, JDK / "bin/javac", "--release", "21", "-Xlint:all,-try", "-cp", JAR, "-d", folder, source)
    two = [f"-Djdk.virtualThreadScheduler.{limit}=2" for limit in ("parallelism", "maxPoolSize")]
    native = "--enable-native-access=ALL-UNNAMED"
    java = [JDK / "bin/java", "-XX:+UseSerialGC", native, *two, "-cp", f"{JAR}:{folder}"]
    done = run(folder, *java, "VirtualThreads", folder / "s", folder / "gate")
    assert done.stdout == "timed out\nall done\n"
    # Nor do workers complain of native code in them.
    assert "WARNING" not in done.stderr
