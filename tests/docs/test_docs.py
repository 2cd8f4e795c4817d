"""Every code block of the documents runs, and prints what the document says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import blocks
import pytest
from blocks import ILLUSTRATION, ROOT, Block

import sabir

PACKAGE = Path(sabir.__file__).parent
ANNOUNCE = "=== block at line "
# Lines that workers wrote come when they come.
WORKERS_LINE = re.compile(r"^\(.+ pid=\d+\) ")


def each_page(language: str = "") -> pytest.MarkDecorator:
    """Each document; with a language, those that have blocks of it to run."""
    pages = [path for path in blocks.documents() if not language or blocks.to_run(path, language)]
    return pytest.mark.parametrize("page", pages, ids=lambda path: str(path.relative_to(ROOT)))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since the path of a Unix socket is bounded; also the root of the sessions that are started."""
    with tempfile.TemporaryDirectory(prefix="sabir-docs-", dir="/tmp") as path:
        yield Path(path)


def run(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def compare(block: Block, printed: str) -> None:
    if block.expected is None:
        return
    lines = [line for line in printed.splitlines() if not WORKERS_LINE.match(line)]
    assert "\n".join(lines) + "\n" == block.expected, f"{block.where} prints something else"


@each_page("python")
def test_python_blocks_are_one_program(page: Path, folder: Path) -> None:
    found = blocks.to_run(page, "python")
    program = folder / page.with_suffix(".py").name
    program.write_text(blocks.as_program(found, f'print("{ANNOUNCE}{{}}", flush=True)'))
    printed = blocks.split_output(run([sys.executable, str(program)], folder), ANNOUNCE)
    for block in found:
        compare(block, printed.get(block.line, ""))


@each_page("c")
def test_c_blocks_are_one_program(page: Path, folder: Path) -> None:
    found = blocks.to_run(page, "c")
    source = folder / page.with_suffix(".c").name
    source.write_text(blocks.as_program(found))
    flags = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    library = ["-I", str(ROOT / "runtime/abi"), "-L", str(PACKAGE), "-lsabir", f"-Wl,-rpath,{PACKAGE}"]
    run(["cc", *flags, str(source), *library, "-o", str(folder / "program")], folder)
    compare(found[-1], run([str(folder / "program")], folder))


@each_page("cpp")
def test_cpp_blocks_are_one_program(page: Path, folder: Path) -> None:
    found = blocks.to_run(page, "cpp")
    source = folder / page.with_suffix(".cc").name
    source.write_text(blocks.as_program(found))
    sdk = PACKAGE.parents[1] / "cpp"
    library = [f"-I{sdk}/include", f"-L{sdk}/lib", "-lsabir", f"-Wl,-rpath,{sdk}/lib", "-pthread", "-ldl"]
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror"]
    run(["g++", *flags, str(source), *library, "-o", str(folder / "program")], folder)
    compare(found[-1], run([str(folder / "program")], folder))


@each_page("java")
def test_java_blocks_are_one_program(page: Path, folder: Path) -> None:
    found = blocks.to_run(page, "java")
    name = re.search(r"^class (\w+)", found[0].text, re.MULTILINE)
    assert name is not None, f"{found[0].where}: the class that the blocks make up is not named"
    source = folder / f"{name[1]}.java"
    source.write_text(blocks.as_program(found))
    jar = ROOT / ".build/java/sabir-java.jar"
    java_home = Path(os.environ.get("SABIR_JAVA_HOME", "/usr/lib/jvm/java-17-openjdk-amd64"))
    run([str(java_home / "bin/javac"), "--release", "17", "-cp", str(jar), "-d", str(folder), str(source)], folder)
    java = [str(java_home / "bin/java"), "-XX:+UseSerialGC", "-cp", f"{jar}:{folder}", source.stem]
    compare(found[-1], run(java, folder, XDG_CACHE_HOME=str(folder / "cache")))


def test_the_readme_mixes_its_languages(folder: Path) -> None:
    """The program that uses the others: the C++ one as a library, the Java one as a class."""
    found = blocks.read(ROOT / "README.md")
    cpp, java, mixed = (
        next(block for block in found if block.language == language and text in block.text)
        for language, text in (("cpp", "SABIR_REMOTE"), ("java", "class Sum"), ("python", "cpp_function"))
    )
    (folder / "square.cc").write_text(cpp.text)
    (folder / "Sum.java").write_text(java.text)
    sdk = PACKAGE.parents[1] / "cpp"
    library = [f"-I{sdk}/include", f"-L{sdk}/lib", "-lsabir", "-o", "libsquare.so"]
    run(["g++", "-std=c++17", "-fPIC", "-shared", "square.cc", *library], folder)
    java_home = Path(os.environ.get("SABIR_JAVA_HOME", "/usr/lib/jvm/java-17-openjdk-amd64"))
    jar = str(ROOT / ".build/java/sabir-java.jar")
    run([str(java_home / "bin/javac"), "--release", "17", "-cp", jar, "-d", "classes", "Sum.java"], folder)
    (folder / "mixed.py").write_text(mixed.text)
    environment = {"SABIR_JAVA_JAR": jar, "JAVA_HOME": str(java_home)}
    printed = run([sys.executable, "mixed.py"], folder, **environment)
    assert printed == "0\n1\n5\n14\n"


@each_page("sh")
def test_shell_blocks(page: Path, folder: Path) -> None:
    found = blocks.to_run(page, "sh")
    verbs = known_verbs()
    for block in found:
        lines = block.text.splitlines()
        if all(line.startswith("tools/dev ") for line in lines):
            # These build, measure or test everything: that the verb exists is all that can be asked here.
            assert {line.split()[1] for line in lines} <= verbs, block.where
        else:
            # `sabir` is the package's command.
            command = folder / "bin" / "sabir"
            command.parent.mkdir(exist_ok=True)
            command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sabir "$@"\n')
            command.chmod(0o755)
            path = f"{command.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
            compare(block, run(["bash", "-euo", "pipefail", "-c", block.text], folder, PATH=path))


def known_verbs() -> set[str]:
    usage = run(["tools/dev", "help"], ROOT)
    return set(re.findall(r"^  (\w+)", usage, re.MULTILINE))


@each_page()
def test_every_block_is_run_or_marked(page: Path) -> None:
    for block in blocks.read(page):
        known = block.language in ("python", "c", "cpp", "java", "sh")
        assert known or block.mark == ILLUSTRATION, f"{block.where}: neither run nor marked as illustration"


@each_page()
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
