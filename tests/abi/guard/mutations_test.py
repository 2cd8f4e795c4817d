"""The guard of the binary interface notices what breaks programs, and allows what does not.

Each case edits a copy of sabir.h, builds a library of it whose functions do nothing, and compares that with the
stored baseline.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable

from tests.abi.guard import abi

Edit = Callable[[str], str]
HEADER, BASELINE = map(Path, sys.argv[1:])

FUNCTION = re.compile(r"^SABIR_API ([^;]*\));", re.MULTILINE)


def replace(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert text.count(old) == 1, f"{text.count(old)} times in sabir.h: {old}"
        return text.replace(old, new)

    return edit


def both(*edits: Edit) -> Edit:
    def edit(text: str) -> str:
        for one in edits:
            text = one(text)
        return text

    return edit


SWAPPED = replace(
    "uint32_t num_returns;\n  int32_t max_retries;\n  uint8_t",
    "int32_t max_retries;\n  uint32_t num_returns;\n  uint8_t",
)
GROWN = replace("scheduling;\n} sabir_task_options;", "scheduling;\n  int64_t more;\n} sabir_task_options;")

# What it is, how the header is edited, and a part of the report; None: nothing to report.
CASES = [
    ("the header as it is", lambda text: text, None),
    ("an added function", replace("SABIR_API uint32_t sabir_abi_version", "SABIR_API int sabir_new(int x);\nSABIR_API uint32_t sabir_abi_version"), None),
    ("a struct with struct_size that grows", GROWN, None),
    ("an added status", replace("SABIR_INTERNAL = 19", "SABIR_INTERNAL = 19, SABIR_NEW = 99"), None),
    ("a removed function", replace("SABIR_API int32_t sabir_ref_ready(sabir_ref* ref);", ""), "sabir_ref_ready"),
    ("a renamed function", replace("sabir_ref_ready(", "sabir_ref_is_ready("), "sabir_ref_ready"),
    ("a parameter of another type", replace("sabir_actor* actor, uint8_t no_restart", "sabir_actor* actor, uint64_t no_restart"), "sabir_actor_kill"),
    ("a parameter more", replace("sabir_ref_ready(sabir_ref* ref)", "sabir_ref_ready(sabir_ref* ref, int how)"), "sabir_ref_ready"),
    ("another result", replace("int32_t sabir_ref_ready(", "uint8_t sabir_ref_ready("), "sabir_ref_ready"),
    ("two fields that changed places", SWAPPED, "sabir_task_options"),
    ("a struct that grows, with two fields that changed places", both(GROWN, SWAPPED), "sabir_task_options"),
    ("a field of another type", replace("sabir_string text;", "sabir_span text;"), "sabir_log_view"),
    ("a field that is gone", replace("  uint64_t gpu_mask;\n", ""), "sabir_work_view"),
    ("a field in the middle", replace("uint64_t store_bytes;", "uint64_t more;\n  uint64_t store_bytes;"), "sabir_config"),
    ("a field in the padding at the end", replace("sabir_language language;\n} sabir_actor_info;", "sabir_language language;\n  uint8_t more;\n} sabir_actor_info;"), "sabir_actor_info"),
    ("a struct of fixed size that grows", replace("} sabir_work_view;", "  uint64_t more;\n} sabir_work_view;"), "sabir_work_view"),
    ("another width of a number", replace("typedef uint8_t sabir_encoding;", "typedef uint32_t sabir_encoding;"), "sabir_value"),
]  # fmt: skip


def build(folder: Path, header: str) -> tuple[Path, Path]:
    """A library with the header's functions, and the header."""
    path = folder / "sabir.h"
    path.write_text(header)
    source = folder / "library.c"
    bodies = [f"{declaration} {{ __builtin_trap(); }}\n" for declaration in FUNCTION.findall(header)]
    source.write_text('#include "sabir.h"\n' + "".join(bodies))
    (folder / "exports.map").write_text("SABIR_1 { global: sabir_*; local: *; };\n")
    library = folder / "libsabir.so"
    flags = ["-g", "-shared", "-fPIC", f"-Wl,--version-script={folder / 'exports.map'}", "-Wl,-soname,libsabir.so"]
    subprocess.run(["gcc", *flags, str(source), "-o", str(library)], check=True, timeout=120)
    return library, path


def main() -> None:
    original = re.sub(r"[ ]*/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)
    wrong = []
    for name, edit, reported in CASES:
        with tempfile.TemporaryDirectory() as folder:
            report = abi.difference(*build(Path(folder), edit(original)), BASELINE)
        if (reported or "") not in report or bool(report) != (reported is not None):
            wrong.append(
                f"--- {name}: {'a report with ' + reported if reported else 'no report'} was expected:\n{report}"
            )
    if wrong:
        raise SystemExit("\n".join(wrong))


main()
