"""Writes the wheel `sabir-ray`, for those who want `import ray` itself to find Sabir: ray_wheel.py DIST.

It has one file, which hands over to sabir.compat.ray, and cannot be installed beside Ray, since both have that file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wheel import FILE_MODE, ROOT, VERSION, write_wheel

NAME = "sabir-ray"

PACKAGE = '''"""`import ray` finds Sabir (sabir.compat.ray)."""

import importlib
import sys

from sabir.compat.ray import TREE

del sys.modules["ray"]  # this file, whose place the layer takes
if TREE not in sys.path:
    sys.path.insert(0, TREE)
importlib.invalidate_caches()
importlib.import_module("ray")
'''

METADATA = f"""\
Metadata-Version: 2.1
Name: {NAME}
Version: {VERSION}
Summary: `import ray` finds Sabir
License: Apache-2.0
Requires-Python: >=3.9
Requires-Dist: sabir=={VERSION}
"""


def build(dist: Path) -> Path:
    info = f"{NAME.replace('-', '_')}-{VERSION}.dist-info"
    texts = {
        "ray/__init__.py": PACKAGE,
        f"{info}/METADATA": METADATA,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: sabir\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/LICENSE": (ROOT / "LICENSE").read_text(),
    }
    path = dist / f"{NAME.replace('-', '_')}-{VERSION}-py3-none-any.whl"
    write_wheel(path, {name: (text.encode(), FILE_MODE) for name, text in texts.items()}, f"{info}/RECORD")
    return path


if __name__ == "__main__":
    made = build(Path(sys.argv[1]))
    print(f"{made.relative_to(ROOT) if made.is_relative_to(ROOT) else made}  {made.stat().st_size / 1e3:.1f} kB")
