"""tools/dev: what it refuses, before it installs or builds anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def dev(*arguments: str, checkout: Path = ROOT, **options: object) -> subprocess.CompletedProcess[str]:
    words = [str(checkout / "tools/dev"), *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, **options)  # type: ignore[call-overload]


@pytest.fixture
def front_door(tmp_path: Path) -> Path:
    """A checkout that holds tools/ alone."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "tools", checkout / "tools")
    (checkout / "VERSION").write_text("0.0.0\n")
    return checkout


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["nonsense"], 2, "there is no verb nonsense"),
        (["test", "--nonsense"], 1, "unknown option --nonsense"),
        (["test", "one", "two"], 1, "one FILTER only"),
        (["run"], 1, "usage: tools/dev run CMD..."),
        (["lint", "x"], 1, "takes no arguments"),
        (["fmt", "no-such-file"], 1, "there is no no-such-file"),
    ],
)
def test_refused(arguments: list[str], status: int, says: str, front_door: Path, tmp_path: Path) -> None:
    done = dev(*arguments, checkout=front_door, cwd=tmp_path)
    assert (done.returncode, says in done.stderr) == (status, True), done.stderr
    assert sorted(path.name for path in front_door.iterdir()) == ["VERSION", "tools"], "nothing was made"


def test_a_path_with_a_blank_is_refused(front_door: Path, tmp_path: Path) -> None:
    checkout = front_door.rename(tmp_path / "a checkout")
    done = dev("run", "true", checkout=checkout)
    assert done.returncode == 1
    assert "path with a blank" in done.stderr


def test_the_java_package_is_named_if_it_was_built(front_door: Path) -> None:
    ask = 'ROOT=$PWD; . tools/devlib/common.sh; . tools/devlib/build.sh; export_java_jar; echo "${SABIR_JAVA_JAR-none}"'
    jar = front_door / ".build/java/sabir-java.jar"

    def named(**more: str) -> str:
        variables = {key: value for key, value in os.environ.items() if key != "SABIR_JAVA_JAR"}
        command = ["bash", "-euc", ask]
        return subprocess.check_output(command, cwd=front_door, env={**variables, **more}, text=True).strip()

    assert named() == "none"
    jar.parent.mkdir(parents=True)
    jar.touch()
    assert named() == str(jar)
    assert named(SABIR_JAVA_JAR="/mine.jar") == "/mine.jar"


def test_the_doctor_says_what_is_missing_and_changes_nothing(front_door: Path) -> None:
    packages = front_door / "tools/devlib/packages.txt"
    packages.write_text(packages.read_text().replace("[lint]", "[lint]\nno-such-package", 1))
    done = dev("doctor", checkout=front_door)
    assert done.returncode == 1
    assert "apt-get install no-such-package" in done.stdout
    assert not (front_door / ".build").exists()
    assert not (front_door / ".venv").exists()


def test_the_build_server_keeps_no_file_of_the_caller_open(front_door: Path, tmp_path: Path) -> None:
    """A stand-in for Bazel lists its descriptors: those of a caller's lock are not among them."""
    programs = tmp_path / "bin"
    programs.mkdir()
    stand_in = programs / "bazel"
    stand_in.write_text("#!/bin/sh\nls -l /proc/$$/fd\n")
    stand_in.chmod(0o755)
    lock = tmp_path / "lock"
    script = (
        f'set -e; ROOT="{front_door}"; exec 9>"{lock}"\n'
        'for part in common build; do . "$ROOT/tools/devlib/$part.sh"; done\nrun_bazel info\n'
    )
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert "/dev/null" in done.stdout or "pipe:" in done.stdout
    assert str(lock) not in done.stdout
