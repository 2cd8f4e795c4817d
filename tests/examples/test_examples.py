"""The examples run, and end with what they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(example: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / example), *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_forest_sweep(tmp_path: Path) -> None:
    text = run("forest_sweep.py", tmp_path, "--data", "diabetes")
    rows = re.findall(r"│ +(\d+) │ +[\d.]+ │ +[\d.]+ │", text)
    assert rows == [str(trees) for trees in range(8, 88, 4)]
    assert "the results are equal" in text
    assert (tmp_path / "forest_sweep.png").read_bytes().startswith(b"\x89PNG")


def test_parameter_server(tmp_path: Path) -> None:
    assert "largest error of a weight 0.0" in run("parameter_server.py", tmp_path, "--workers", "2", "--steps", "60")
