"""The binary interface of libsabir.so as text, and what may change in it: used by the tests and by `tools/dev abi`.

abi.py check LIBRARY HEADER BASELINE    what differs from the baseline in a way that breaks programs; 1 if anything does
abi.py renew LIBRARY HEADER BASELINE    writes the baseline
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

# Nothing of the machine, and only what the header shows.
_DUMP = [
    "abidw",
    "--drop-private-types",
    "--exported-interfaces-only",
    "--no-architecture",
    "--no-comp-dir-path",
    "--no-corpus-path",
    "--no-elf-needed",
    "--no-show-locs",
]
# abidiff's status: 1 and 2 it could not compare, 4 something changed that is not suppressed, 8 surely incompatible.
_FAILED = 1 | 2
_CHANGED = 4 | 8

HOW_TO_RENEW = """
The binary interface has changed in a way that breaks programs which were compiled before (docs/c-abi.md has the rules).
Functions are added; structs that begin with struct_size grow at their end; nothing else changes.
If it must be, raise SABIR_ABI_VERSION; then renew the baseline by `tools/dev abi --renew`, and tests/abi/layout.inc by hand.
"""


def growable_structs(header: str) -> list[str]:
    return re.findall(r"typedef struct (\w+) \{\s*size_t struct_size;", header)


def _public_folder(folder: Path, header: Path) -> Path:
    """The headers whose types are public: the one, alone in a folder, under the name by which it is compiled."""
    public = folder / "public"
    public.mkdir()
    shutil.copyfile(header, public / "sabir.h")
    return public


def dump(library: Path, header: Path) -> str:
    with tempfile.TemporaryDirectory() as name:
        public = _public_folder(Path(name), header)
        command = [*_DUMP, "--headers-dir", str(public), str(library)]
        text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout
    if "<class-decl name='sabir_config'" not in text:
        raise SystemExit(f"{library} has no debug information: abidw cannot see its types")
    return text


def _struct_sizes(root: ElementTree.Element) -> dict[str, int]:
    return {
        struct.attrib["name"]: int(struct.attrib["size-in-bits"])
        for struct in root.iter("class-decl")
        if "size-in-bits" in struct.attrib
    }


def without_growth(current: str, baseline: str, growable: list[str]) -> str:
    """The current dump, with growable structs cut where the baseline's end: what may differ is gone, the rest is there.

    abidiff's own suppression of insertions at the end also hides other changes of the same struct. A field in the
    padding at the end is no growth: struct_size would not say whether a caller has filled it.
    """
    root = ElementTree.fromstring(current)
    sizes = _struct_sizes(ElementTree.fromstring(baseline))
    for struct in root.iter("class-decl"):
        old_bits = sizes.get(struct.attrib["name"])
        if struct.attrib["name"] not in growable or old_bits is None or "size-in-bits" not in struct.attrib:
            continue
        if int(struct.attrib["size-in-bits"]) > old_bits:
            struct.attrib["size-in-bits"] = str(old_bits)
            for member in struct.findall("data-member"):
                if int(member.attrib["layout-offset-in-bits"]) >= old_bits:
                    struct.remove(member)
    return ElementTree.tostring(root, encoding="unicode")


def difference(library: Path, header: Path, baseline: Path) -> str:
    """ "", or a report of what breaks programs."""
    growable = growable_structs(header.read_text())
    with tempfile.TemporaryDirectory() as name:
        current = Path(name) / "current.abi"
        current.write_text(without_growth(dump(library, header), baseline.read_text(), growable))
        command = ["abidiff", "--no-added-syms", "--redundant", str(baseline), str(current)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    if done.returncode & _FAILED:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout if done.returncode & _CHANGED else ""


def main() -> int:
    verb, *paths = sys.argv[1:]
    library, header, baseline = map(Path, paths)
    if verb == "renew":
        baseline.write_text(dump(library, header))
        return 0
    report = difference(library, header, baseline)
    if report:
        print(report + HOW_TO_RENEW, file=sys.stderr)
    return 1 if report else 0


if __name__ == "__main__":
    sys.exit(main())
