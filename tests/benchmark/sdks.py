"""Drivers in C++ and Java under measurement, each with workers of one language; and what is to be reached.

The programs are in tests/benchmark/sdk; they are built against the SDKs as they are shipped, into .build/bench.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.benchmark import measures, runner
from tests.support import shipped
from tests.support.shipped import CPP_SDK, JAR, JAVA_HOME, LANGUAGE_ENVIRON

SOURCES = Path(__file__).with_name("sdk")
BUILT = shipped.BUILT / "bench"
CLASSES = BUILT / "classes"
LIBRARY = BUILT / "libcallee.so"

LANGUAGES = ("cpp", "java", "python")

# Of callers and workers of one language: tasks per second in a pipeline, median of a synchronous task, private memory
# of one worker. Between languages: half of the slower of the two.
TARGETS = {"cpp": (500e3, 10.0, 6.0), "java": (100e3, 40.0, 40.0)}
PIPELINE = "single client tasks async"
ACROSS = 0.5


def _build(target: Path, needs: list[Path], command: list[str | Path]) -> None:
    """Runs the command unless the target was made of the same files by the same command."""
    key = hashlib.sha256(repr(command).encode())
    for path in sorted(needs):
        key.update(path.read_bytes())
    stamp = BUILT / f"{target.name}.stamp"
    if stamp.exists() and stamp.read_text() == key.hexdigest():
        return
    BUILT.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{target.name} does not build:\n{done.stdout}{done.stderr}")
    stamp.write_text(key.hexdigest())


def _build_cpp(target: Path, sources: list[str], *options: str) -> Path:
    environment = {**os.environ, "PKG_CONFIG_PATH": str(CPP_SDK / "lib/pkgconfig")}
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "sabir"], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    files = [SOURCES / name for name in sources]
    needs = [*files, SOURCES / "callee.hpp", *(CPP_SDK / "include/sabir").iterdir()]
    _build(target, needs, ["g++", "-std=c++17", "-O2", *options, *files, *flags, "-o", target])
    return target


def _build_java() -> None:
    files = [SOURCES / "Callee.java", SOURCES / "Driver.java"]
    _build(CLASSES, [*files, JAR], [JAVA_HOME / "bin/javac", "--release", "17", "-cp", JAR, "-d", CLASSES, *files])


def _command(caller: str, callee: str) -> list[str | Path]:
    code: list[str | Path] = [SOURCES]
    if "java" in (caller, callee):
        _build_java()
        code.append(CLASSES)
    if (caller, callee) == ("java", "cpp"):
        code.append(_build_cpp(LIBRARY, ["callee.cc"], "-shared", "-fPIC"))
    arguments = [callee, sys.executable, *code]
    if caller == "cpp":
        return [_build_cpp(BUILT / "driver", ["driver.cc", "callee.cc"]), *arguments]
    return [JAVA_HOME / "bin/java", "-cp", f"{JAR}:{CLASSES}", "Driver", *arguments]


class Driver(runner.Runtime):
    """A child process that runs workloads, as runner.Runtime, in another language."""

    def __init__(self, caller: str, callee: str) -> None:
        self.name = f"{caller} to {callee}"
        self.process = subprocess.Popen(
            [str(word) for word in _command(caller, callee)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **LANGUAGE_ENVIRON},
        )
        self._answer()

    def _say(self, command: dict[str, Any]) -> str:
        return " ".join(str(word) for word in command.values())


def start(pair: tuple[str, str]) -> runner.Runtime:
    if pair == ("python", "python"):
        runtime = runner.Runtime("sabir")
        runtime.name = "python to python"
        return runtime
    return Driver(*pair)


def pairs_of(caller: str, callees: list[str]) -> list[tuple[str, str]]:
    """The pairs that are asked for, and those of one language that they are compared with."""
    wanted = [(caller, callee) for callee in callees]
    same = [(language, language) for language in LANGUAGES if language in {caller, *callees}]
    across = any(callee != caller for callee in callees)
    return wanted + [pair for pair in same if across and pair not in wanted]


def worker_memory(driver: runner.Runtime, count: int = 4) -> float:
    """MiB that belong to one worker alone: the median of some."""
    pids = driver.ask(do="pids", count=count)["pids"]
    mib = statistics.median(measures.private_bytes(pid) for pid in pids) / 2**20
    driver.ask(do="close")
    return mib


def verdict(reached: bool) -> str:
    return "reached" if reached else "missed"


def targets(caller: str, callee: str, found: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Lines of (what, measured, wanted, verdict) for one pair, as far as it was measured."""
    name = f"{caller} to {callee}"
    lines = []
    rates, p50 = found["rates"], found["p50_us"]
    if caller == callee and caller in TARGETS:
        rate, us, mib = TARGETS[caller]
        if name in rates:
            lines.append((f"{name}: tasks/s", f"{rates[name]:,.0f}", f"{rate:,.0f}", verdict(rates[name] >= rate)))
        if name in p50:
            lines.append((f"{name}: p50", f"{p50[name]:.1f} us", f"{us:g} us", verdict(p50[name] <= us)))
    elif caller != callee:
        same = [f"{language} to {language}" for language in (caller, callee)]
        if all(who in rates for who in (name, *same)):
            ratio = rates[name] / min(rates[who] for who in same)
            lines.append((f"{name}: rate / slower", f"{ratio:.2f}", f"{ACROSS:g}", verdict(ratio >= ACROSS)))
        if all(who in p50 for who in (name, *same)):
            ratio = p50[name] / max(p50[who] for who in same)
            lines.append((f"{name}: p50 / slower", f"{ratio:.2f}", f"{1 / ACROSS:g}", verdict(ratio <= 1 / ACROSS)))
    if name in found["mib"] and callee in TARGETS:
        mib = TARGETS[callee][2]
        got = found["mib"][name]
        lines.append((f"{name}: a worker's memory", f"{got:.1f} MiB", f"{mib:g} MiB", verdict(got < mib)))
    return lines
