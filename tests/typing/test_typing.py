"""The public surface as type checkers see it: public_api.py passes mypy's strict rules against the built package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sabir

PROGRAM = Path(__file__).with_name("public_api.py")
PACKAGE = Path(sabir.__file__).parent


def mypy(program: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", "--ignore-missing-imports"]
    # No settings of this checkout, and the package as a wheel holds it.
    command += ["--config-file=", "--python-version=3.9", f"--cache-dir={cache}", str(program)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "MYPYPATH": str(PACKAGE.parent)},
    )


def test_a_users_program(tmp_path: Path) -> None:
    done = mypy(PROGRAM, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_test_can_fail(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(PROGRAM.read_text().replace('"list[float]")', '"list[int]")', 1))
    done = mypy(wrong, tmp_path)
    assert done.returncode == 1
    assert "assert-type" in done.stdout


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
    assert (PACKAGE / "_sabir.pyi").exists()
