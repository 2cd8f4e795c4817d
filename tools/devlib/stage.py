"""Copies what a package manifest of Bazel names: stage.py MANIFEST DESTINATION.

A line of the manifest is "path inside the package<TAB>file, from the checkout's root". Files that did not change stay
as they are; a changed one is replaced at once, so that a process that has it mapped keeps the old one; files that
are no longer named go.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read_manifest(manifest: Path) -> dict[str, Path]:
    lines = (line.split("\t") for line in manifest.read_text().splitlines() if line)
    # What is built lies in bazel-out, of Bazel's execution root; the rest is a source.
    execution_root = next(p for p in manifest.resolve().parents if p.name == "bazel-out").parent
    return {inside: (execution_root if path.startswith("bazel-out/") else ROOT) / path for inside, path in lines}


def same(source: Path, target: Path) -> bool:
    if not target.exists():
        return False
    a, b = source.stat(), target.stat()
    return (a.st_size, a.st_mtime_ns, a.st_mode & 0o111) == (b.st_size, b.st_mtime_ns, b.st_mode & 0o111)


def stage(files: dict[str, Path], destination: Path) -> None:
    for inside, source in files.items():
        target = destination / inside
        if same(source, target):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(target.name + ".new")
        shutil.copy2(source, fresh)
        fresh.chmod(0o755 if os.access(source, os.X_OK) and "." not in target.name else 0o644)
        os.utime(fresh, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
        fresh.replace(target)
    for path in sorted(destination.rglob("*"), reverse=True):
        if path.is_dir():
            if path.name == "__pycache__" or any(path.iterdir()):
                continue
            path.rmdir()
        elif "__pycache__" not in path.parts and str(path.relative_to(destination)) not in files:
            path.unlink()


def main() -> None:
    manifest, destination = map(Path, sys.argv[1:])
    destination.mkdir(parents=True, exist_ok=True)
    stage(read_manifest(manifest), destination)


if __name__ == "__main__":
    main()
