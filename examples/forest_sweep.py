"""A sweep of random forests: 20 regressors trained in parallel, compared with the same sweep one after the other.

The train and test sets go into the object store once; every task reads them there, without a copy. Results are taken
as they finish. At the end there is a table, the serial and the parallel time, and a picture of the error over the
number of trees.

    tools/dev demo
    tools/dev run python examples/forest_sweep.py --data california --output sweep.png
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import sabir

TREES = list(range(8, 88, 4))  # 8, 12, ... 84
RANDOM_STATE = 201
TEST_SIZE = 0.2

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass
class Score:
    """One forest of the sweep."""

    n_estimators: int
    mse: float
    seconds: float


def load(name: str) -> tuple[str, Arrays]:
    """The data set's description and its split: (x_train, x_test, y_train, y_test)."""
    from sklearn.datasets import fetch_california_housing, load_diabetes, load_digits
    from sklearn.model_selection import train_test_split

    if name in ("auto", "california"):
        try:
            data = fetch_california_housing(download_if_missing=name == "california")
            description = f"California housing, {len(data.target)} districts"
        except OSError as error:
            if name == "california":
                raise SystemExit(
                    f"California housing is neither in scikit-learn's cache nor to be had: {error}"
                ) from None
            name = "digits"
    if name == "digits":
        data = load_digits()
        description = f"handwritten digits (ships with scikit-learn), {len(data.target)} pictures"
    elif name == "diabetes":
        data = load_diabetes()
        description = f"diabetes progression (ships with scikit-learn), {len(data.target)} patients"
    split = train_test_split(data.data, data.target, test_size=TEST_SIZE, random_state=RANDOM_STATE)
    return description, tuple(np.ascontiguousarray(part) for part in split)


def score_forest(
    n_estimators: int, x_train: np.ndarray, x_test: np.ndarray, y_train: np.ndarray, y_test: np.ndarray
) -> Score:
    """Trains one forest and measures its error on the test set."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.metrics import mean_squared_error

    began = time.perf_counter()
    forest = RandomForestRegressor(n_estimators=n_estimators, random_state=RANDOM_STATE, n_jobs=1)
    forest.fit(x_train, y_train)
    mse = mean_squared_error(y_test, forest.predict(x_test))
    return Score(n_estimators, float(mse), time.perf_counter() - began)


def progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def sweep_in_parallel(arrays: Arrays, console: Console) -> tuple[dict[int, Score], float]:
    """All forests as tasks; the data is in the store once."""
    task = sabir.remote(score_forest)
    began = time.perf_counter()
    data = [sabir.put(part) for part in arrays]
    # The largest first: the last tasks to finish are then short ones.
    waiting = [task.remote(n, *data) for n in reversed(TREES)]
    scores: dict[int, Score] = {}
    with progress_bar(console) as progress:
        bar = progress.add_task("parallel", total=len(waiting))
        while waiting:
            ready, waiting = sabir.wait(waiting, num_returns=1)
            for score in sabir.get(ready):
                scores[score.n_estimators] = score
                progress.advance(bar)
    return scores, time.perf_counter() - began


def sweep_serially(arrays: Arrays, console: Console) -> tuple[dict[int, Score], float]:
    """The same forests one after the other, in this process."""
    began = time.perf_counter()
    scores: dict[int, Score] = {}
    with progress_bar(console) as progress:
        bar = progress.add_task("serial", total=len(TREES))
        for n in TREES:
            scores[n] = score_forest(n, *arrays)
            progress.advance(bar)
    return scores, time.perf_counter() - began


def show(scores: dict[int, Score], console: Console) -> None:
    table = Table(title="Random forests")
    for heading in ("n_estimators", "MSE", "seconds"):
        table.add_column(heading, justify="right")
    for n in TREES:
        table.add_row(str(n), f"{scores[n].mse:.4f}", f"{scores[n].seconds:.2f}")
    console.print(table)


def draw(scores: dict[int, Score], description: str, path: str) -> None:
    """Writes a PNG of the error over the number of trees."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    axes.plot(TREES, [scores[n].mse for n in TREES], marker="o")
    axes.set(title=f"Random forests on {description}", xlabel="trees (n_estimators)", ylabel="mean squared error")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data",
        choices=("auto", "california", "digits", "diabetes"),
        default="auto",
        help="auto: California housing if scikit-learn has it cached, else digits; diabetes is small: start-up dominates",
    )
    parser.add_argument("--output", default="forest_sweep.png", help="the picture's file (PNG)")
    parser.add_argument("--no-serial", action="store_true", help="leave the serial sweep and the comparison out")
    options = parser.parse_args(arguments)

    console = Console()
    description, arrays = load(options.data)
    console.print(f"Data: {description}; {len(arrays[0])} rows to train, {len(arrays[1])} to test")
    with sabir.init():
        cpus = sabir.cluster_resources().get("CPU", 0)
        console.print(f"Runtime: a local session with {cpus:g} CPUs")
        scores, parallel_s = sweep_in_parallel(arrays, console)
    if not options.no_serial:
        serial_scores, serial_s = sweep_serially(arrays, console)
        different = [n for n in TREES if scores[n].mse != serial_scores[n].mse]
        if different:
            console.print(f"The parallel and the serial results differ for {different}", style="bold red")
            return 1
    show(scores, console)
    if options.no_serial:
        console.print(f"parallel {parallel_s:.2f} s")
    else:
        console.print(
            f"serial {serial_s:.2f} s, parallel {parallel_s:.2f} s: {serial_s / parallel_s:.2f} times as fast; "
            "the results are equal"
        )
    draw(scores, description, options.output)
    console.print(f"Picture: {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
