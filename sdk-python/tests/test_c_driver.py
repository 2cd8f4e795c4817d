"""A program in C calls Python functions by their names, in a session that a Python program started."""

from __future__ import annotations

import subprocess
from pathlib import Path

import sabir
from sabir._languages import python_env

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = Path(sabir.__file__).parent

MODULE = """
import time

def add(a, b):
    return a + b

class Naps:
    def nap(value, seconds):
        time.sleep(seconds)
        return value + seconds
"""


def test_a_c_program_calls_python_functions(own_session, tmp_path):
    program = tmp_path / "driver"
    source = Path(__file__).with_name("c_driver.c")
    command = ["cc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-I", str(ROOT), str(source)]
    subprocess.run(
        [*command, f"-L{LIBRARY}", "-lsabir", f"-Wl,-rpath,{LIBRARY}", "-o", str(program)], check=True, timeout=120
    )
    (tmp_path / "c_driver_module.py").write_text(MODULE)
    path = own_session(num_cpus=2).session_path
    done = subprocess.run(
        [str(program), path, str(tmp_path), *python_env()], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "poll 1 7",
        "sum 42",
        "interrupted 1",
        "forked 1",
        "nap 31",
        "failed 1",
        "missing 1",
    ]
    # The other job goes on.
    assert sabir.get(sabir.remote(lambda: 1).remote(), timeout=30) == 1
