"""The examples run, and end with what they promise."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from shipped import ROOT, run


def run_example(name: str, folder: Path, *arguments: str) -> str:
    return run(sys.executable, ROOT / "examples" / name, *arguments, cwd=folder, COLUMNS="120")


def test_forest_sweep(tmp_path: Path) -> None:
    text = run_example("forest_sweep.py", tmp_path, "--data", "diabetes")
    rows = re.findall(r"│ +(\d+) │ +[\d.]+ │ +[\d.]+ │", text)
    assert rows == [str(trees) for trees in range(8, 88, 4)]
    assert "the results are equal" in text
    assert (tmp_path / "forest_sweep.png").read_bytes().startswith(b"\x89PNG")


def test_parameter_server(tmp_path: Path) -> None:
    assert "largest error of a weight 0.0" in run_example(
        "parameter_server.py", tmp_path, "--workers", "2", "--steps", "60"
    )
