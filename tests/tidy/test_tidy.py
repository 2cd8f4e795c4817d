"""What keeps the tree small and free of what belongs to one machine."""

from __future__ import annotations

import re
import statistics
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

CODE = {".bzl", ".c", ".capnp", ".cc", ".fbs", ".h", ".hpp", ".pml", ".py", ".pyi", ".sh"}
LINES_MEDIAN_LIMIT = 150
LINES_MAX = 800

# Hosts that a text may name. No file names the host of a package registry: their clients know where they are.
# maven.apache.org is in the name of the language that a pom.xml is written in.
HOSTS = {"www.apache.org", "maven.apache.org", "localhost", "127.0.0.1", "example.com"}

# Folders of one person or machine; a relative path, a variable or a temporary directory serves everybody.
PRIVATE_PATH = re.compile(rf"(?<![\w./~}}-])(?:/(?:home|root|Users|work|mnt|media)/[\w.-]+|{re.escape(str(ROOT))}\b)")


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / name for name in listing.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


FILES = tracked()
TEXTS = {path.relative_to(ROOT): text for path in FILES if (text := text_of(path)) is not None}


def code_lines() -> dict[Path, int]:
    return {path: text.count("\n") for path, text in TEXTS.items() if path.suffix in CODE}


def test_files_are_small() -> None:
    assert {path: lines for path, lines in code_lines().items() if lines > LINES_MAX} == {}


def test_median_file_is_small() -> None:
    assert statistics.median(code_lines().values()) < LINES_MEDIAN_LIMIT


def test_front_door_files_are_small() -> None:
    front_door = [p for p in TEXTS if p.parts[:2] in {("tools", "dev"), ("tools", "devlib")}]
    assert front_door
    assert [p for p in front_door if TEXTS[p].count("\n") >= 300] == []


def test_no_generated_binaries() -> None:
    pictures = {".png", ".svg", ".jpg"}
    binaries = [p.relative_to(ROOT) for p in FILES if p.relative_to(ROOT) not in TEXTS and p.suffix not in pictures]
    assert binaries == []


@pytest.mark.parametrize("path", TEXTS, ids=str)
def test_text(path: Path) -> None:
    text = TEXTS[path]
    assert "\r" not in text
    assert text == "" or text.endswith("\n"), "no line break at the end"
    assert [line for line in text.split("\n") if line != line.rstrip()] == [], "blanks at the end of a line"
    assert PRIVATE_PATH.findall(text) == [], "a path of one machine"
    hosts = set(re.findall(r"\b(?:https?|git|ssh)://([\w.-]+)", text))
    assert hosts <= HOSTS, "hosts that are not on the list in this test"
