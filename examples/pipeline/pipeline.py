"""A pipeline of three languages over one matrix of 100 MB, of which there is only one copy.

Python makes the matrix, C++ the means of its columns, Java their deviations, Python looks for outliers. Each stage runs
in a process of its own and gets references; the matrix is written once, and all read it where it lies.

    g++ -std=c++17 -O2 -fPIC -shared means.cc $(pkg-config --cflags --libs sabir) -o code/libmeans.so
    javac -cp sabir-java.jar -d code Deviations.java
    SABIR_JAVA_JAR=sabir-java.jar python pipeline.py code
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

import sabir

ROWS, COLUMNS = 250_000, 50


@sabir.remote
def measure(seed: int) -> np.ndarray:
    """A matrix of measurements, 1 in 10,000 of them wrong."""
    random = np.random.default_rng(seed)
    matrix = random.normal(10, 2, (ROWS, COLUMNS))
    matrix.ravel()[random.choice(matrix.size, matrix.size // 10_000, replace=False)] = 100
    return matrix


@sabir.remote
def outliers(matrix: np.ndarray, means: np.ndarray, deviations: np.ndarray) -> int:
    """How many items lie more than eight deviations from their column's mean."""
    far = 0
    for rows in np.array_split(matrix, 100):  # what is computed here stays small
        far += int((np.abs(rows - means) > 8 * deviations).sum())
    return far


def store() -> dict[str, Any]:
    return sabir.nodes()[0]["Store"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("code", help="the folder with libmeans.so and Deviations.class")
    parser.add_argument("--json", action="store_true", help="print figures for programs")
    options = parser.parse_args()
    column_means = sabir.cpp_function("column_means")
    deviations_of = sabir.java_function("Deviations", "ofColumns")
    with sabir.init("local", code_search_path=[options.code]):
        matrix = measure.remote(1)
        means = column_means.remote(matrix)
        deviations = deviations_of.remote(matrix, means)
        found = sabir.get(outliers.remote(matrix, means, deviations), timeout=300)
        used = store()
        figures = {
            "outliers": found,
            "mean": float(np.mean(sabir.get(means))),
            "deviation": float(np.mean(sabir.get(deviations))),
            "objects": used["objects"],
            "used_bytes": used["used_bytes"],
            "matrix_bytes": ROWS * COLUMNS * 8,
        }
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{found} outliers; means about {figures['mean']:.2f}, deviations about {figures['deviation']:.2f}")
    print(
        f"Three languages have read {figures['matrix_bytes'] / 1e6:.0f} MB in three processes; the store holds "
        f"{figures['objects']} object of {figures['used_bytes'] / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
