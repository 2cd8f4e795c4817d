"""layout.inc leaves nothing out that sabir.h has; header_test.c asserts what it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

header, layout = (Path(path).read_text() for path in sys.argv[1:])
header = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)

declared = {f"TYPE({name}" for name in re.findall(r"typedef u?int\d+_t (\w+);", header)}
declared |= {f"VALUE({name}" for name in re.findall(r"\b(SABIR_[A-Z_]+) = \d+", header)}
structs = re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", header, re.DOTALL)
for name, body in structs:
    kind = "GROWS" if body.lstrip().startswith("size_t struct_size;") else "STRUCT"
    declared.add(f"{kind}({name}")
    declared |= {f"FIELD({name}, {field}" for field in re.findall(r"(\w+)(?:\[\d+\])?;", body)}
assert len(structs) >= 18 and len(declared) > 150, "the header is not written as this test reads it"

listed = set(re.findall(r"^((?:TYPE|STRUCT|GROWS|VALUE)\(\w+|FIELD\(\w+, \w+)", layout, re.MULTILINE))
assert declared == listed, (
    f"to be added to tests/abi/layout.inc: {declared - listed}; not in sabir.h: {listed - declared}"
)
