"""Libraries that know Ray run on Sabir: Modin, Dask, joblib with scikit-learn. Skipped where they are not installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from test_ray_programs import FOLDER, run_ray

NEEDED = {"modin": ["modin", "pandas"], "dask": ["dask", "pandas"], "joblib": ["joblib", "sklearn"]}


@pytest.mark.parametrize("library", sorted(NEEDED))
def test_library(library: str, folder: Path) -> None:
    for module in NEEDED[library]:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed for this interpreter")
    done = run_ray(str(FOLDER / "programs_of_libraries.py"), library, str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
