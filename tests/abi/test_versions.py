"""Packages of another release meet a session: a typed error that names both, and the session goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped import BUILT, JAR, PACKAGE, java, run

import sabir

# What `tools/dev test` builds of tests/abi/other.
OTHER = BUILT / "other"
OTHER_VERSION = "99.0.0"
DIFFERENCES = ["layout", "protocol"]


@pytest.fixture
def session(folder: Path) -> Iterator[str]:
    """Of this release; afterwards it still runs tasks."""
    with sabir.init("local", num_cpus=1, _session_root=str(folder / "s")) as context:
        yield context.session_path
        assert sabir.get(sabir.remote(sum).remote([40, 2])) == 42


def mixed_package(folder: Path, *replaced: str) -> Path:
    """The Python package with some of its files from the other release."""
    copy = folder / "package"
    shutil.copytree(PACKAGE, copy / "sabir", ignore=shutil.ignore_patterns("__pycache__"))
    for name in replaced:
        shutil.copy(OTHER / name, copy / "sabir" / name)
    return copy


def run_python(package: Path, difference: str, *init: str) -> str:
    code = (
        "import sys, sabir\n"
        "try:\n"
        "    sabir.init(sys.argv[1], _session_root=sys.argv[2] or None)\n"
        "except sabir.exceptions.IncompatibleVersionError as error:\n"
        "    print('refused:', error)\n"
    )
    environment = {"PYTHONPATH": str(package), "SABIR_TEST_OTHER": difference}
    return run(sys.executable, "-c", code, *init, **environment)


def check_refusal(printed: str) -> None:
    assert printed.startswith("refused: "), printed
    assert OTHER_VERSION in printed and sabir.__version__ in printed, printed
    assert "use the same release on both sides" in printed


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_python_of_another_release(folder: Path, session: str, difference: str) -> None:
    package = mixed_package(folder, "libsabir.so")
    for _ in range(2):
        check_refusal(run_python(package, difference, session, ""))


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_python_meets_a_daemon_of_another_release(folder: Path, difference: str) -> None:
    """One that it has started, which ends then, and one that runs."""
    package = mixed_package(folder, "sabird")
    root = folder / "r"
    check_refusal(run_python(package, difference, "local", str(root)))
    assert list(root.iterdir()) == []
    daemon = subprocess.Popen(
        [OTHER / "sabird", "--session-dir", root / "other"],
        env={**os.environ, "SABIR_TEST_OTHER": difference},
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            if (root / "other/node.sock").exists():
                break
            with pytest.raises(subprocess.TimeoutExpired):
                daemon.wait(0.05)
        check_refusal(run_python(PACKAGE.parent, difference, str(root / "other"), ""))
        assert daemon.poll() is None
    finally:
        daemon.terminate()
        assert daemon.wait(20) == 0


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_java_of_another_release(folder: Path, session: str, difference: str) -> None:
    natives = folder / "natives"
    with zipfile.ZipFile(JAR) as jar:
        for name in jar.namelist():
            if name.endswith("/libsabir_jni.so"):
                natives.mkdir()
                (natives / "libsabir_jni.so").write_bytes(jar.read(name))
    shutil.copy(OTHER / "libsabir.so", natives)
    (folder / "Join.java").write_text(
        "import org.sabir.*;\n"
        "public class Join {\n"
        "  public static void main(String[] args) {\n"
        "    try {\n"
        "      Sabir.init(SabirOptions.builder().address(args[0]).build());\n"
        "    } catch (IncompatibleVersionException refused) {\n"
        '      System.out.println("refused: " + refused.getMessage());\n'
        "    }\n"
        "  }\n"
        "}\n"
    )
    program = java(f"-Dsabir.native.dir={natives}", folder / "Join.java", session)
    check_refusal(run(*program, SABIR_TEST_OTHER=difference, XDG_CACHE_HOME=str(folder / "cache")))
