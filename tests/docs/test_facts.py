"""What the documents say of the code is so: cited rules are defined, fields of the status exist, files have these names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import blocks
from shipped import ROOT

import sabir
from sabir._cli import render
from sabir.util import placement_group

RULE = re.compile(r"\b([TDQRHOLPN][1-9])\b")
SOURCES = ("*.h", "*.cc", "*.c", "*.capnp", "*.pml", "*.py")
FOLDERS = ("runtime", "schema", "sdk-python", "tests/models", "tests/abi", "tests/simulation", "tests/integration")


def sources() -> list[Path]:
    return [path for folder in FOLDERS for pattern in SOURCES for path in sorted((ROOT / folder).rglob(pattern))]


def test_every_cited_rule_is_defined() -> None:
    defined = set(re.findall(r"^- \*\*([A-Z]\d)\*\*", (ROOT / "docs/protocol.md").read_text(), re.MULTILINE))
    cited: dict[str, str] = {}
    for path in sources():
        for comment in re.findall(r"//.*|^\s*#.*|^ \* .*|^/\*.*", path.read_text(errors="replace"), re.MULTILINE):
            for rule in RULE.findall(comment):
                cited.setdefault(rule, str(path.relative_to(ROOT)))
    assert len(cited) > 20
    assert {rule: where for rule, where in cited.items() if rule not in defined} == {}


def shape(value: Any) -> Any:
    """The keys of a JSON value; of a list, those of its first item. Amounts by name have no fixed keys."""
    if isinstance(value, dict):
        return {key: None if key.startswith("resources") else shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None


def test_the_status_has_the_documented_fields() -> None:
    (example,) = (block for block in blocks.read(ROOT / "docs/status.md") if block.language == "json")
    with sabir.init("local", num_cpus=2):
        group = placement_group([{"CPU": 1}], name="pair")
        assert group.wait(60)

        @sabir.remote
        class Actor:
            def ready(self) -> bool:
                return True

        actor = Actor.remote()
        assert sabir.get(actor.ready.remote())
        assert sabir.get(sabir.remote(abs_of).remote(-1)) == 1
        from sabir._state import status

        assert shape(status()) == shape(json.loads(example.text))


def abs_of(number: int) -> int:
    return abs(number)


def test_files_that_documents_name_exist() -> None:
    name = re.compile(r"\b((?:runtime|schema|sdk-cpp|sdk-java|sdk-python|tests|tools|examples|docs)/[\w./-]*\w)")
    # ARCHITECTURE.md names files of the runtime by folder.
    short = re.compile(r"(?<![\w/-])((?:base|loop|shm|store|rpc|control|node|client|abi|daemon)/\w+\.(?:h|cc))\b")
    missing = []
    for page in blocks.documents():
        text = page.read_text()
        for path in [*name.findall(text), *(f"runtime/{file}" for file in short.findall(text))]:
            if not (ROOT / path).exists() and not list(ROOT.glob(path + "*")):
                missing.append(f"{page.relative_to(ROOT)}: {path}")
    assert missing == []


def test_the_screen_shows_what_the_example_says() -> None:
    (example,) = (block for block in blocks.read(ROOT / "docs/status.md") if block.language == "json")
    state = json.loads(example.text)
    text = "\n".join(render(state))
    for shown in (
        "1 / 2",
        "8.0 GiB",
        "76.3 MiB of 2.4 GiB",
        "runs train",
        "3 calls that want CPU 1",
        "counter",
        "train.py",
    ):
        assert shown in text, text
    state["nodes"][0]["queues"][0]["infeasible"] = "needs 4 CPU, this node has 2"
    assert "needs 4 CPU" in "\n".join(render(state))
