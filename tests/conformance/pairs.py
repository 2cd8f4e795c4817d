"""Runs the callers: a session for each pair of languages."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios import SCENARIOS, Scenario
from shipped import CPP_SDK, JAVA_HOME, ROOT, run

HERE = Path(__file__).resolve().parent
# Of a whole pair. What takes longer is told as scenarios without a result.
PAIR_S = 240
# How each value travels.
WAYS = {"as an argument", "there and back", "as a result"}


@dataclass(frozen=True)
class Outcome:
    passed: bool
    detail: str = ""


@functools.lru_cache(maxsize=1)
def programs() -> Path:
    """Where Bazel has put the callers and callees."""
    quiet = ["--noshow_progress", "--ui_event_filters=-info"]
    targets = ["//tests/conformance:all", "//sdk-java:sabir-java"]
    subprocess.run(["bazel", "build", *quiet, *targets], cwd=ROOT, check=True, timeout=1800)
    return Path(run("bazel", "info", "bazel-bin", cwd=ROOT).strip())


def command(caller: str) -> list[str]:
    built = programs() / "tests/conformance"
    if caller == "python":
        return [sys.executable, str(HERE / "python/caller.py")]
    if caller == "cpp":
        return [str(built / "cpp_caller")]
    jars = f"{programs() / 'sdk-java/sabir-java.jar'}:{built / 'conformance.jar'}"
    return [str(JAVA_HOME / "bin/java"), "-XX:+UseSerialGC", "-cp", jars, "conformance.Caller"]


def second(callee: str) -> str:
    """The shell's words for a driver in the callee's language that joins a session."""
    library = [f"LD_LIBRARY_PATH={CPP_SDK / 'lib'}"] if callee == "cpp" else []
    return shlex.join(["env", *library, *command(callee)])


def environment(caller: str, callee: str, folder: Path) -> dict[str, str]:
    built = programs() / "tests/conformance"
    code = [HERE / "python", built / "libconformance_callee.so", built / "conformance.jar"]
    extra = [HERE / "python/extra", built / "libconformance_extra.so", built / "conformance_extra.jar"]
    # Beside the library of the archive lies what starts Java's workers.
    library = {"LD_LIBRARY_PATH": str(CPP_SDK / "lib")} if caller == "cpp" else {}
    return {
        **os.environ,
        **library,
        "XDG_RUNTIME_DIR": str(folder),
        "XDG_CACHE_HOME": str(cache()),
        "JAVA_HOME": str(JAVA_HOME),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CONFORMANCE_PATH": ":".join(str(path) for path in code),
        "CONFORMANCE_EXTRA": ":".join(str(path) for path in extra),
        "CONFORMANCE_PYTHON": sys.executable,
        "CONFORMANCE_CPP_WORKER": str(CPP_SDK / "bin/sabir-cpp-worker"),
        "CONFORMANCE_SECOND": second(callee),
        "CONFORMANCE_JAVA_JAR": str(programs() / "sdk-java/sabir-java.jar"),
    }


@functools.lru_cache(maxsize=1)
def cache() -> Path:
    """Of unpacked natives and archives of classes, for all pairs; removed when pytest ends."""
    folder = tempfile.mkdtemp(prefix="sabir-cache-", dir="/tmp")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def applicable(caller: str, callee: str) -> list[Scenario]:
    return [scenario for scenario in SCENARIOS if not scenario.not_applicable(caller, callee)]


@functools.cache
def run_pair(caller: str, callee: str) -> tuple[dict[str, Outcome], list[str]]:
    """How each scenario went, and the names that the caller knows."""
    # A short path, since that of a Unix socket is bounded.
    folder = Path(tempfile.mkdtemp(prefix="sabir-pair-", dir="/tmp"))
    try:
        names = folder / "names"
        names.write_text("".join(f"{scenario.name}\n" for scenario in applicable(caller, callee)))
        words = [*command(caller), callee, str(folder), str(names)]
        lines, ended = _run(words, environment(caller, callee, folder), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # after a caller that was killed its node may still be ending
    known: list[str] = []
    outcomes: dict[str, Outcome] = {}
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    for line in lines:
        said = json.loads(line)
        if "known" in said:
            known = said["known"]
        elif said["name"] in by_name:
            outcomes[said["name"]] = judge(by_name[said["name"]].expected(caller, callee), said)
    for scenario in applicable(caller, callee):
        outcomes.setdefault(scenario.name, Outcome(False, f"the caller did not come to it; {ended}"))
    return outcomes, known


def _run(words: list[str], environ: dict[str, str], folder: Path) -> tuple[list[str], str]:
    """The lines that were printed, and how it ended."""
    errors = folder / "stderr"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=PAIR_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its sabird notices, and ends its workers
            output, _ = process.communicate(timeout=60)
    tail = errors.read_text(errors="replace")[-2000:]
    return output.splitlines(), f"it ended with {process.returncode}, and wrote:\n{tail}"


def judge(expected: str, said: dict[str, Any]) -> Outcome:
    if "seen" not in said:
        return Outcome(said["passed"], said.get("detail", ""))
    if set(said["seen"]) != WAYS:
        return Outcome(False, f"the caller tells of {sorted(said['seen'])} instead of {sorted(WAYS)}")
    wrong = {way: text[:500] for way, text in said["seen"].items() if text != expected}
    detail = "\n".join(f"{way}: {text}" for way, text in wrong.items())
    return Outcome(not wrong, f"expected {expected[:500]}\n{detail}" if wrong else "")
