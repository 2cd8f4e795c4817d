"""The wheel of the built package, installed with pip into a new environment outside the checkout, does its work there.

Nothing of the machine is on PATH but the environment's own programs: no compiler, no tool. What the wheel depends on is
copied from the environment that runs the tests, since no test uses the network.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from shipped import PACKAGE, ROOT, run, short_folder

import sabir

PYTHON = f"3.{sys.version_info[1]}"
WHEEL_MB_LIMIT = 12

PROGRAM = """
import os, sys
import numpy
import sabir

@sabir.remote
def where(x):
    return os.getpid(), x * 2

@sabir.remote
class Counter:
    def __init__(self):
        self.value = 0
    def add(self, amount):
        self.value += amount
        return self.value

@sabir.remote
def total(array):
    return float(array.sum()), array.flags.writeable, array.flags.owndata

with sabir.init("local", num_cpus=2):
    pid, value = sabir.get(where.remote(21))
    assert (value, pid != os.getpid()) == (42, True)
    counter = Counter.remote()
    assert sabir.get([counter.add.remote(n) for n in (1, 2, 3)]) == [1, 3, 6]
    ref = sabir.put(numpy.ones(1_000_000))
    assert sabir.get(total.remote(ref)) == (1_000_000.0, False, False)
    first, second = sabir.get(ref), sabir.get(ref)
    assert first.ctypes.data == second.ctypes.data and not first.flags.owndata
print(sabir.__file__)
"""


def wheel_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("devlib_wheel", ROOT / "tools/devlib/wheel.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One for all tests, since the installed wheel lies in it."""
    with short_folder() as path:
        yield Path(path)


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    return wheel_module().build(PACKAGE.parent, PYTHON, folder)


def copy_distribution(name: str, site: Path) -> None:
    """Every file of an installed distribution that lies in site-packages."""
    distribution = importlib.metadata.distribution(name)
    for file in distribution.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(str(distribution.locate_file(file)), target)


@pytest.fixture(scope="module")
def environment(folder: Path, wheel: Path) -> Path:
    place = folder / "venv"
    venv.create(place, with_pip=True, symlinks=True)
    site = place / f"lib/python{PYTHON}/site-packages"
    for name in ("cloudpickle", "numpy"):
        copy_distribution(name, site)
    # pip checks the wheel's record, its tag, and that what it requires is there.
    run_installed(place, folder, "python", "-m", "pip", "install", "--quiet", "--no-index", str(wheel))
    return place


def run_installed(place: Path, folder: Path, *command: str) -> str:
    environ = {"PATH": str(place / "bin"), "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    return run(place / "bin" / command[0], *command[1:], cwd=folder, environ=environ)


def test_task_actor_and_arrays(environment: Path, folder: Path) -> None:
    printed = run_installed(environment, folder, "python", "-c", PROGRAM)
    assert Path(printed.splitlines()[-1]).is_relative_to(environment), "the installed package, not the checkout's"


def test_the_command(environment: Path, folder: Path) -> None:
    assert sabir.__version__ in run_installed(environment, folder, "sabir", "version")
    run_installed(environment, folder, "sabir", "start", "--num-cpus", "1")
    try:
        state = json.loads(run_installed(environment, folder, "sabir", "status", "--json"))
        assert state["nodes"][0]["resources_total"]["CPU"] == 1
        assert "Resources" in run_installed(environment, folder, "sabir", "status")
    finally:
        run_installed(environment, folder, "sabir", "stop")
    gone = subprocess.run(
        [str(environment / "bin/sabir"), "status"],
        env={"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)},
        capture_output=True,
        check=False,
    )
    assert gone.returncode == 3


def test_only_the_package_is_in_it(wheel: Path) -> None:
    assert wheel.stat().st_size < WHEEL_MB_LIMIT * 1_000_000
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = next(name for name in names if name.endswith("/METADATA")).rpartition("/")[0]
        native = r"libsabir\.so|sabird|sabir-cpp-worker|sabir-java-worker|_sabir\.[\w-]+\.so"
        kinds = re.compile(
            rf"sabir/((dag/|compat/(ray/(tree/ray/(\w+/)*)?)?|util/(multiprocessing/)?)?\w+\.pyi?|py\.typed|{native})|{re.escape(info)}/.+"
        )
        assert [name for name in names if not kinds.fullmatch(name)] == []
        metadata = archive.read(f"{info}/METADATA").decode()
        assert "sabir = sabir._cli:main" in archive.read(f"{info}/entry_points.txt").decode()
        linked = {name.rpartition("/")[2] for name in names if "/licenses/" in name}
        assert {"capnproto", "libuv", "jemalloc", "libstdc++", "pybind11"} <= linked
    for field in ("Name: sabir", "License: Apache-2.0", f"Requires-Python: >={PYTHON},", "Requires-Dist: cloudpickle"):
        assert re.search(rf"^{re.escape(field)}", metadata, re.MULTILINE), field


def test_binaries_need_glibc_alone_and_no_newer_one_than_the_tag_says(wheel: Path, folder: Path) -> None:
    glibc = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"}
    tag = re.search(r"manylinux_(\d+)_(\d+)_", wheel.name)
    assert tag is not None
    unpacked = folder / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    binaries = [path for path in unpacked.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    assert len(binaries) == 5
    # Of the system's, as the shared libraries that it loads: exceptions pass from one to the other.
    more = {"_sabir": {"libsabir.so"}, "sabir-cpp-worker": {"libsabir.so", "libstdc++.so.6", "libgcc_s.so.1"}}
    for path in binaries:
        dynamic = subprocess.run(["readelf", "-dV", path], check=True, capture_output=True, text=True).stdout
        needed = set(re.findall(r"NEEDED.*\[(.*)\]", dynamic))
        assert needed <= glibc | more.get(path.name.partition(".")[0], set()), path.name
        versions = {(int(a), int(b)) for a, b in re.findall(r"Name: GLIBC_(\d+)\.(\d+)", dynamic)}
        assert versions and max(versions) <= (int(tag[1]), int(tag[2])), path.name
