"""Writes the C++ SDK's archive as it is shipped: cpp_archive.py BUILT DIST adds the licences of what is linked into it.

The same input gives the same bytes.
"""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
from pathlib import Path

import wheel

ONLY_IN_WHEELS = {"licenses/pybind11"}


def build(built: Path, dist: Path) -> Path:
    name = f"sabir-cpp-{wheel.VERSION}-linux-x86_64"
    path = dist / f"{name}.tar.gz"
    plain = io.BytesIO()
    with tarfile.open(built) as source, tarfile.open(fileobj=plain, mode="w") as target:
        for member in source:
            target.addfile(member, source.extractfile(member) if member.isreg() else None)
        for file, text in sorted(wheel.license_texts().items()):
            if file not in ONLY_IN_WHEELS:
                about = tarfile.TarInfo(f"{name}/{file}")
                data = text.encode()
                about.size = len(data)
                about.mode = 0o644
                target.addfile(about, io.BytesIO(data))
    path.write_bytes(gzip.compress(plain.getvalue(), 9, mtime=0))
    return path


if __name__ == "__main__":
    print(build(Path(sys.argv[1]), Path(sys.argv[2])))
