"""Writes one wheel from the staged package: wheel.py STAGE PYTHON DIST, for example `wheel.py .build/python 3.11 dist`.

Takes the extension modules of that interpreter only, strips what is compiled, and names the oldest glibc the binaries
run with in the wheel's tag. The same input gives the same bytes.
"""

from __future__ import annotations

import base64
import glob
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = (ROOT / "VERSION").read_text().strip()
NAME = "sabir"

METADATA = """\
Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: Distributed tasks, actors and objects: one runtime for Python, Java and C++
License: Apache-2.0
Requires-Python: >={python},<{next_python}
Requires-Dist: cloudpickle>=2.2
Classifier: License :: OSI Approved :: Apache Software License
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Python :: {python}
Description-Content-Type: text/markdown

{description}"""

ENTRY_POINTS = f"[console_scripts]\n{NAME} = {NAME}._cli:main\n"

# What is linked into the binaries wants its licence told: name -> text, of Debian's packages and of the package of .venv.
LICENSES = {
    "capnproto": "/usr/share/doc/capnproto/copyright",
    "cli11": "/usr/share/doc/libcli11-dev/copyright",
    "flatbuffers": "/usr/share/doc/libflatbuffers-dev/copyright",
    "jemalloc": "/usr/share/doc/libjemalloc-dev/copyright",
    "libstdc++": "/usr/share/doc/libstdc++-12-dev/copyright",
    "libuv": "/usr/share/doc/libuv1-dev/copyright",
    "nlohmann-json": "/usr/share/doc/nlohmann-json3-dev/copyright",
    "openssl": "/usr/share/doc/libssl-dev/copyright",
    "pybind11": f"{ROOT}/.venv/lib/python3*/site-packages/pybind11-*.dist-info/licenses/LICENSE",
    "sqlite": "/usr/share/doc/libsqlite3-dev/copyright",
    "xxhash": "/usr/share/doc/libxxhash-dev/copyright",
}

FILE_MODE = 0o100644 << 16
PROGRAM_MODE = 0o100755 << 16


def is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def stripped(path: Path) -> bytes:
    with tempfile.TemporaryDirectory() as work:
        copy = Path(shutil.copy(path, work))
        copy.chmod(0o700)
        subprocess.run(["strip", "--strip-unneeded", copy], check=True)
        return copy.read_bytes()


def glibc_needed(path: Path) -> tuple[int, int]:
    listing = subprocess.run(["objdump", "-T", path], check=True, capture_output=True, text=True).stdout
    versions = re.findall(r"\(?GLIBC_(\d+)\.(\d+)", listing)
    return max(((int(major), int(minor)) for major, minor in versions), default=(2, 17))


def package_files(stage: Path, tag: str) -> list[Path]:
    """Files of the package, without the extension modules of other interpreters."""

    def wanted(path: Path) -> bool:
        if not path.is_file() or "__pycache__" in path.parts:
            return False
        module = re.search(r"\.(cpython-\d+)-[^/]*\.so$", path.name)
        return module is None or module.group(1) == tag

    return sorted(path for path in (stage / NAME).rglob("*") if wanted(path))


def license_texts() -> dict[str, str]:
    texts = {}
    for name, pattern in LICENSES.items():
        found = sorted(glob.glob(pattern))
        if not found:
            sys.exit(f"no licence text of {name}: {pattern} is not there")
        texts[f"licenses/{name}"] = Path(found[-1]).read_text()
    return texts


def record_line(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def write_wheel(path: Path, contents: dict[str, tuple[bytes, int]], record: str) -> None:
    lines = "".join(record_line(name, data) for name, (data, _) in contents.items())
    entries = {**contents, record: ((lines + f"{record},,\n").encode(), FILE_MODE)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        for name, (data, mode) in entries.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode
            wheel.writestr(info, data)


def build(stage: Path, python: str, dist: Path) -> Path:
    minor = int(python.split(".")[1])
    tag = f"cpython-3{minor}"
    files = package_files(stage, tag)
    binaries = [path for path in files if is_elf(path)]
    if not any(tag in path.name for path in binaries):
        sys.exit(f"no extension module of CPython {python} in {stage}")

    glibc = max(glibc_needed(path) for path in binaries)
    platform = f"manylinux_{glibc[0]}_{glibc[1]}_x86_64"
    wheel_tag = f"cp3{minor}-cp3{minor}-{platform}"

    contents: dict[str, tuple[bytes, int]] = {}
    for path in files:
        program = path in binaries and path.suffix != ".so"
        data = stripped(path) if path in binaries else path.read_bytes()
        contents[str(path.relative_to(stage))] = (data, PROGRAM_MODE if program else FILE_MODE)

    info = f"{NAME}-{VERSION}.dist-info"
    metadata = METADATA.format(
        name=NAME,
        version=VERSION,
        python=python,
        next_python=f"3.{minor + 1}",
        description=(ROOT / "README.md").read_text(),
    )
    wheel = f"Wheel-Version: 1.0\nGenerator: sabir\nRoot-Is-Purelib: false\nTag: {wheel_tag}\n"
    for name, text in {
        "METADATA": metadata,
        "WHEEL": wheel,
        "entry_points.txt": ENTRY_POINTS,
        "LICENSE": (ROOT / "LICENSE").read_text(),
        **license_texts(),
    }.items():
        contents[f"{info}/{name}"] = (text.encode(), FILE_MODE)

    path = dist / f"{NAME}-{VERSION}-{wheel_tag}.whl"
    write_wheel(path, contents, f"{info}/RECORD")
    return path


def main() -> None:
    stage, python, dist = sys.argv[1:]
    path = build(Path(stage), python, Path(dist))
    print(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
