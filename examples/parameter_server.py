"""A parameter server: an actor holds the weights of a linear model, workers send it gradients.

Each worker is an actor with its own part of the data. It fetches the weights, computes a gradient and sends it to the
server; nobody waits for anybody else. A handle of the server is passed to the workers like any other argument.

    tools/dev run python examples/parameter_server.py
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

import sabir


@sabir.remote
class ParameterServer:
    """Holds the weights and applies gradients to them."""

    def __init__(self, size: int, rate: float) -> None:
        self.weights = np.zeros(size)
        self.rate = rate
        self.updates = 0

    def get_weights(self) -> np.ndarray:
        return self.weights

    def apply(self, gradient: np.ndarray) -> int:
        self.weights = self.weights - self.rate * gradient
        self.updates += 1
        return self.updates


@sabir.remote
class Worker:
    """Computes gradients on its own part of the data."""

    def __init__(self, server: Any, seed: int, true_weights: np.ndarray) -> None:
        random = np.random.default_rng(seed)
        self.server = server
        self.x = random.normal(size=(2000, len(true_weights)))
        self.y = self.x @ true_weights + random.normal(scale=0.01, size=2000)

    def train(self, steps: int) -> float:
        for _ in range(steps):
            weights = sabir.get(self.server.get_weights.remote())
            error = self.x @ weights - self.y
            sabir.get(self.server.apply.remote(2 * self.x.T @ error / len(error)))
        return float(np.mean((self.x @ weights - self.y) ** 2))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args(arguments)

    true_weights = np.linspace(-1, 1, 10)
    with sabir.init():
        server = ParameterServer.remote(len(true_weights), rate=0.05)
        workers = [Worker.remote(server, seed, true_weights) for seed in range(options.workers)]
        losses = sabir.get([worker.train.remote(options.steps) for worker in workers])
        weights = sabir.get(server.get_weights.remote())
    distance = float(np.abs(weights - true_weights).max())
    print(
        f"{options.workers} workers, {options.steps} steps each: loss {max(losses):.5f}, "
        f"largest error of a weight {distance:.5f}"
    )
    return 0 if distance < 0.05 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
