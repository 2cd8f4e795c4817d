"""Runs workloads on Sabir and, in alternation, on a peer, and sums up the rounds."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("child.py")


class Runtime:
    """A child process with one runtime in it."""

    def __init__(self, name: str, script: Path = CHILD) -> None:
        self.name = name
        python = sys.executable
        environment = dict(os.environ)
        if name == "ray":
            python = os.environ.get("SABIR_PEER_PYTHON", python)
            environment.pop("PYTHONPATH", None)
        self.process = subprocess.Popen(
            [python, str(script), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if name == "ray" else None,
            text=True,
            env=environment,
        )
        self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with status {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _say(self, command: dict[str, Any]) -> str:
        return json.dumps(command)

    def ask(self, **command: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(self._say(command) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)


def summary(rates: list[float]) -> dict[str, float]:
    return {"median": statistics.median(rates), "minimum": min(rates), "maximum": max(rates), "rounds": len(rates)}


def run_workload(name: str, runtimes: list[Runtime], rounds: int, seconds: float) -> dict[str, Any]:
    """The rates of one workload on each runtime: rounds in alternation, so that noise of the box meets both."""
    result: dict[str, Any] = {"name": name}
    taking_part = []
    for runtime in runtimes:
        opened = runtime.ask(do="open", name=name)
        if opened.get("unsupported"):
            continue
        result["unit"] = opened["unit"]
        taking_part.append(runtime)
    rates: dict[str, list[float]] = {runtime.name: [] for runtime in taking_part}
    for runtime in taking_part:  # warm-up
        runtime.ask(do="round", seconds=seconds / 4)
    for _ in range(rounds):
        for runtime in taking_part:
            rates[runtime.name].append(runtime.ask(do="round", seconds=seconds)["rate"])
    for runtime in taking_part:
        runtime.ask(do="close")
        result[runtime.name] = summary(rates[runtime.name])
    return result


def ratio(result: dict[str, Any], peer: str | None) -> float | None:
    if peer is None or peer not in result or "sabir" not in result:
        return None
    return float(result["sabir"]["median"] / result[peer]["median"])
