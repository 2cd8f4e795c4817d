"""Code blocks of the documents, with the marks that say what a test does with them.

A fenced block has a language. ```python, ```c, ```cpp, ```java and ```sh are run; ```text after the mark
`<!-- output -->` is what the block before it prints; anything else needs the mark `<!-- illustration -->`. A mark
stands on the line before its fence.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shipped import ROOT

OUTPUT = "<!-- output -->"
ILLUSTRATION = "<!-- illustration -->"


@dataclass
class Block:
    path: Path
    line: int  # of the opening fence, from 1
    language: str
    mark: str
    text: str
    expected: str | None = None  # what it prints

    @property
    def where(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]


def read(path: Path) -> list[Block]:
    """All blocks of a document; those that are outputs become `expected` of the block before."""
    blocks: list[Block] = []
    lines = path.read_text().splitlines()
    number = 0
    while number < len(lines):
        if not lines[number].startswith("```"):
            number += 1
            continue
        end = next(i for i in range(number + 1, len(lines)) if lines[i].rstrip() == "```")
        mark = lines[number - 1].strip() if number > 0 and lines[number - 1].startswith("<!--") else ""
        text = "\n".join(lines[number + 1 : end]) + "\n"
        block = Block(path, number + 1, lines[number][3:].strip(), mark, text)
        if mark == OUTPUT:
            assert blocks and blocks[-1].expected is None, f"{block.where}: the output of what?"
            blocks[-1].expected = text
        else:
            blocks.append(block)
        number = end + 1
    return blocks


def to_run(path: Path, language: str) -> list[Block]:
    return [block for block in read(path) if block.language == language and block.mark != ILLUSTRATION]


def as_program(blocks: list[Block], announce: str = "") -> str:
    """Blocks of one document as one source, each at its own lines, so that errors name the document's lines.

    `announce`, formatted with the block's line, stands where its fence was.
    """
    lines: list[str] = []
    for block in blocks:
        lines += [""] * (block.line - 1 - len(lines))
        lines.append(announce.format(block.line))
        lines += block.text.splitlines()
    return "\n".join(lines) + "\n"


def split_output(output: str, prefix: str) -> dict[int, str]:
    """What each block printed, by the line of its fence: `announce` printed `prefix` and that line."""
    printed: dict[int, list[str]] = {}
    current: list[str] = []
    for line in output.splitlines():
        if line.startswith(prefix):
            current = printed.setdefault(int(line[len(prefix) :]), [])
        else:
            current.append(line)
    return {number: "\n".join(lines) + "\n" if lines else "" for number, lines in printed.items()}
