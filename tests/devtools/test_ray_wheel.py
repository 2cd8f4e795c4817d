"""The wheel `sabir-ray`: `import ray` finds Sabir, without a call of install()."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from shipped import ROOT

PROGRAM = """
import ray
from ray.util import ActorPool
import sabir.compat.ray

@ray.remote
def found():
    import ray
    return ray.__file__

ray.init(num_cpus=1)
assert ray.get(found.remote()) == ray.__file__
assert ray.__file__.startswith(sabir.compat.ray.TREE)
ray.shutdown()
"""


def test_import_ray_finds_sabir(folder: Path) -> None:
    made = subprocess.run(
        [sys.executable, str(ROOT / "tools/devlib/ray_wheel.py"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        assert sorted(name.split("/")[-1] for name in archive.namelist() if "dist-info" in name) == [
            "LICENSE",
            "METADATA",
            "RECORD",
            "WHEEL",
        ]
        archive.extractall(site)
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
