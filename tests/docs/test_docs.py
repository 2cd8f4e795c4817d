"""Every code block of the documents runs, and prints what the document says."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import blocks
import pytest
from blocks import ILLUSTRATION, Block
from shipped import LANGUAGE_ENVIRON, PACKAGE, ROOT, compile_cpp, compile_java, java, run

ANNOUNCE = "=== block at line "
# Lines that workers wrote come when they come.
WORKERS_LINE = re.compile(r"^\(.+ pid=\d+\) ")


def each_page(language: str = "") -> pytest.MarkDecorator:
    """Each document; with a language, those that have blocks of it to run."""
    pages = [path for path in blocks.documents() if not language or blocks.to_run(path, language)]
    return pytest.mark.parametrize("page", pages, ids=lambda path: str(path.relative_to(ROOT)))


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
    printed = blocks.split_output(run(sys.executable, program, cwd=folder), ANNOUNCE)
    for block in found:
        compare(block, printed.get(block.line, ""))


@each_page("c")
def test_c_blocks_are_one_program(page: Path, folder: Path) -> None:
    found = blocks.to_run(page, "c")
    source = folder / page.with_suffix(".c").name
    source.write_text(blocks.as_program(found))
    flags = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    library = ["-I", str(ROOT / "runtime/abi"), "-L", str(PACKAGE), "-lsabir", f"-Wl,-rpath,{PACKAGE}"]
    run("cc", *flags, source, *library, "-o", folder / "program")
    compare(found[-1], run(folder / "program", cwd=folder))


@each_page("cpp")
def test_cpp_blocks_are_one_program(page: Path, folder: Path) -> None:
    found = blocks.to_run(page, "cpp")
    source = folder / page.with_suffix(".cc").name
    source.write_text(blocks.as_program(found))
    compare(found[-1], run(compile_cpp(folder / "program", source), cwd=folder))


@each_page("java")
def test_java_blocks_are_one_program(page: Path, folder: Path) -> None:
    found = blocks.to_run(page, "java")
    name = re.search(r"^class (\w+)", found[0].text, re.MULTILINE)
    assert name is not None, f"{found[0].where}: the class that the blocks make up is not named"
    source = folder / f"{name[1]}.java"
    source.write_text(blocks.as_program(found))
    program = java(source.stem, classes=compile_java(folder / "classes", source))
    compare(found[-1], run(*program, cwd=folder, XDG_CACHE_HOME=str(folder / "cache")))


def test_the_readme_mixes_its_languages(folder: Path) -> None:
    """The program that uses the others: the C++ one as a library, the Java one as a class."""
    found = blocks.read(ROOT / "README.md")
    in_cpp, in_java, in_python = (
        next(block for block in found if block.language == language and text in block.text)
        for language, text in (("cpp", "SABIR_REMOTE"), ("java", "class Sum"), ("python", "cpp_function"))
    )
    for name, block in {"square.cc": in_cpp, "Sum.java": in_java, "mixed.py": in_python}.items():
        (folder / name).write_text(block.text)
    compile_cpp(folder / "libsquare.so", folder / "square.cc", library=True)
    compile_java(folder / "classes", folder / "Sum.java")
    printed = run(sys.executable, "mixed.py", cwd=folder, **LANGUAGE_ENVIRON)
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
            compare(block, run("bash", "-euo", "pipefail", "-c", block.text, cwd=folder, PATH=path))


def known_verbs() -> set[str]:
    usage = run(ROOT / "tools/dev", "help")
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
