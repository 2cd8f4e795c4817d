"""Instructions per call in submit, execute, complete and get, held against a baseline by ratio.

Counts do not depend on what else runs on the machine, so this can guard the hot path where a clock cannot. The baseline
is of the C interface with a small argument and result; after a change that is meant to cost or save, write it anew:

    SABIR_UPDATE_BASELINE=1 tools/dev test instructions
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
from pathlib import Path

import pytest

import sabir

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BASELINE = HERE / "baseline.json"
PACKAGE = Path(sabir.__file__).parent
CALLS_PER_BATCH = 900  # as in calls.c
RATIO_MAX = 1.1


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


def build(folder: Path) -> Path:
    program = folder / "calls"
    flags = ["-std=c11", "-D_DEFAULT_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"]
    library = ["-I", str(ROOT / "runtime/abi"), "-L", str(PACKAGE), "-lsabir", f"-Wl,-rpath,{PACKAGE}"]
    run(["cc", *flags, str(HERE / "calls.c"), *library, "-o", str(program)], folder)
    return program


def instructions(folder: Path) -> dict[str, float]:
    """Per phase the median over its batches, per call."""
    found: dict[str, list[float]] = {}
    for dump in folder.glob("*.out.*"):
        text = dump.read_text(errors="replace")
        trigger = re.search(r"^desc: Trigger: Client Request: (\w+)$", text, re.MULTILINE)
        total = re.search(r"^totals: (\d+)", text, re.MULTILINE)
        if trigger and total:
            found.setdefault(trigger[1], []).append(int(total[1]) / CALLS_PER_BATCH)
    return {phase: round(statistics.median(counts), 1) for phase, counts in sorted(found.items())}


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_call_takes_no_more_instructions_than_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = build(tmp_path)
    pid_file = str(tmp_path / "pid")
    valgrind = ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--quiet"]
    run([*valgrind, f"--callgrind-out-file={tmp_path}/driver.out", str(program), str(program), pid_file], tmp_path)
    run([str(program), str(program), pid_file, f"--callgrind-out-file={tmp_path}/worker.out"], tmp_path)
    counts = instructions(tmp_path)
    assert set(counts) == {"submit", "execute", "complete", "get"}
    if os.environ.get("SABIR_UPDATE_BASELINE"):
        BASELINE.write_text(json.dumps(counts, indent=2) + "\n")
    baseline = json.loads(BASELINE.read_text())
    with capsys.disabled():
        shown = ", ".join(f"{phase} {count:.0f} (baseline {baseline[phase]:.0f})" for phase, count in counts.items())
        print(f"\ninstructions per call: {shown}")
    assert {phase: count for phase, count in counts.items() if count > RATIO_MAX * baseline[phase]} == {}
