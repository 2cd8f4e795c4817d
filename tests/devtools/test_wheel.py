"""tools/devlib/stage.py and wheel.py: from built files to a wheel that pip accepts."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

DEVLIB = Path(__file__).resolve().parents[2] / "tools/devlib"
MINOR = sys.version_info[1]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"devlib_{name}", DEVLIB / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    """A package with modules of two interpreters and a program; any executable serves as a binary."""
    binary = Path(shutil.which("true") or "/bin/true").resolve()
    package = tmp_path / "stage/sabir"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("ANSWER = 42\n")
    for version in (f"3{MINOR}", "36"):
        shutil.copy(binary, package / f"_sabir.cpython-{version}-x86_64-linux-gnu.so")
    shutil.copy(binary, package / "sabird")
    return package.parent


def test_wheel_has_one_interpreter_and_a_true_record(staged: Path, tmp_path: Path) -> None:
    path = load("wheel").build(staged, f"3.{MINOR}", tmp_path)
    assert path.name.startswith("sabir-") and f"-cp3{MINOR}-cp3{MINOR}-manylinux_2_" in path.name
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        assert f"sabir/_sabir.cpython-3{MINOR}-x86_64-linux-gnu.so" in names
        assert "sabir/_sabir.cpython-36-x86_64-linux-gnu.so" not in names
        assert wheel.getinfo("sabir/sabird").external_attr >> 16 & stat.S_IXUSR
        record = next(name for name in names if name.endswith("RECORD"))
        lines = [line.split(",") for line in wheel.read(record).decode().splitlines()]
        assert sorted(line[0] for line in lines) == sorted(names)
        for name, digest, size in lines:
            if name != record:
                data = wheel.read(name)
                expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                assert (digest, int(size)) == (f"sha256={expected}", len(data))


def test_same_input_same_wheel(staged: Path, tmp_path: Path) -> None:
    wheel = load("wheel")
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    assert (
        wheel.build(staged, f"3.{MINOR}", first).read_bytes() == wheel.build(staged, f"3.{MINOR}", second).read_bytes()
    )


def test_pip_installs_it(staged: Path, tmp_path: Path) -> None:
    path = load("wheel").build(staged, f"3.{MINOR}", tmp_path)
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(path)], check=True)
    assert (target / "sabir/__init__.py").exists()
    assert os.access(target / "sabir/sabird", os.X_OK)
    assert (target / "bin/sabir").exists()


def test_stage_follows_the_manifest(tmp_path: Path) -> None:
    stage = load("stage").stage
    source, other = tmp_path / "a.py", tmp_path / "b.so"
    source.write_text("1\n")
    other.write_text("2\n")
    destination = tmp_path / "out"

    stage({"sabir/a.py": source, "sabir/native/b.so": other}, destination)
    staged_file = destination / "sabir/a.py"
    assert staged_file.read_text() == "1\n"
    before = staged_file.stat().st_ino

    stage({"sabir/a.py": source}, destination)
    assert staged_file.stat().st_ino == before, "an unchanged file stays as it is"
    assert not (destination / "sabir/native").exists(), "what is no longer named goes"

    source.write_text("33\n")
    stage({"sabir/a.py": source}, destination)
    assert staged_file.read_text() == "33\n"
    assert staged_file.stat().st_ino != before, "a changed file is replaced, not written into"
