"""The C++ SDK as it is shipped: programs outside of the repository are built against the archive, and call Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped import CPP_SDK, ROOT, compile_cpp, run

import sabir

HERE = Path(__file__).resolve().parent


def test_find_package(folder: Path) -> None:
    project = folder / "project"
    shutil.copytree(HERE / "project", project)
    sdk = f"-DCMAKE_PREFIX_PATH={CPP_SDK}"
    run("cmake", "-S", project, "-B", project / "build", sdk, "-DCMAKE_CXX_FLAGS=-Wall -Werror")
    run("cmake", "--build", project / "build", "--parallel", "2")
    program = project / "build/program"
    assert run(program) == "42\n"
    # With workers of the archive, which load the library.
    assert run(program, "world") == "hello world\n"


def test_pkg_config_and_python(folder: Path) -> None:
    program = compile_cpp(folder / "across", HERE / "across.cc")
    assert run(program, sys.executable, HERE) == "passed\n"
    assert run("pkg-config", "--modversion", CPP_SDK / "lib/pkgconfig/sabir.pc").strip() == sabir.__version__


@pytest.fixture
def bazel(folder: Path) -> Iterator[list[str | Path]]:
    """Bazel with a server of its own. Not without the system's settings: Debian's Bazel finds itself by them."""
    root = folder / "bazel"
    startup: list[str | Path] = ["bazel", "--nohome_rc", f"--output_user_root={root}"]
    workspace = folder / "workspace"
    workspace.mkdir()
    try:
        yield [*startup, "--max_idle_secs=300"]
    finally:
        subprocess.run([*startup, "--max_idle_secs=300", "shutdown"], cwd=workspace, check=False, timeout=60)
        # What Bazel made cannot be removed otherwise.
        subprocess.run(["chmod", "-R", "u+w", root], check=False, timeout=60)


@pytest.mark.skipif(shutil.which("bazel") is None, reason="there is no bazel on PATH")
def test_bazel(folder: Path, bazel: list[str | Path]) -> None:
    workspace = folder / "workspace"
    for source in (*(HERE / "project").glob("*.cc"), *(HERE / "bazel").iterdir()):
        shutil.copy(source, workspace / source.name.replace(".in", ""))
    text = (workspace / "WORKSPACE").read_text()
    (workspace / "WORKSPACE").write_text(text.replace("@SDK@", str(CPP_SDK)))
    # What this version of Bazel would download for any rule of C++.
    rules = ROOT / "third_party/bazel"
    options = [f"--override_repository={path.name}={path}" for path in rules.iterdir()]
    options += ["--experimental_repository_disable_download", "--cxxopt=-std=c++17", "--noshow_progress", "--jobs=2"]
    run(*bazel, "build", *options, "//...", cwd=workspace)
    assert run(*bazel, "run", *options, "//:program", cwd=workspace).splitlines()[-1] == "42"
    # With workers of the archive, which load the library.
    printed = run(*bazel, "run", *options, "//:program", "--", "world", cwd=workspace)
    assert printed.splitlines()[-1] == "hello world"


def test_archive_needs_nothing_of_ours() -> None:
    names = {str(path.relative_to(CPP_SDK)) for path in CPP_SDK.rglob("*") if not path.is_dir()}
    assert {"include/sabir/sabir.hpp", "include/sabir/sabir.h", "lib/libsabir.so", "bin/sabird"} <= names
    assert {
        "bin/sabir-cpp-worker",
        "bin/sabir-java-worker",
        "lib/cmake/sabir/sabirConfig.cmake",
        "BUILD.bazel",
        "WORKSPACE",
        "README.md",
        "LICENSE",
    } <= names
    for program in ("sabird", "sabir-cpp-worker", "sabir-java-worker"):
        assert (CPP_SDK / "lib" / program).resolve() == CPP_SDK / "bin" / program
    for path in CPP_SDK.rglob("*.hpp"):
        for line in path.read_text().splitlines():
            if line.startswith("#include"):
                assert '"sabir/' in line or "<" in line, f"{path.name}: {line}"


def test_compilers(folder: Path) -> None:
    """The front header stands alone, with both compilers and in both standards, without a warning."""
    source = folder / "all.cc"
    source.write_text("#include <sabir/sabir.hpp>\n")
    for compiler, standard in (("g++", "c++17"), ("clang++-14", "c++20")):
        if shutil.which(compiler):
            flags = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-fsyntax-only"]
            run(compiler, f"-std={standard}", *flags, f"-I{CPP_SDK}/include", source)
