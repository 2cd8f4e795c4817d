"""tests/benchmark as a user meets it: names, rounds, the file of results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmark.workloads import WORKLOADS  # noqa: E402

WITHOUT_PEER = ["--rounds", "2", "--seconds", "0.02"]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    words = [sys.executable, "-m", "tests.benchmark", *arguments]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_a_peer_runs_the_same_workload(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    done = bench("client tasks sync", "--peer", "processpool", "--json", str(file), *WITHOUT_PEER)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(file.read_text())["workloads"]
    assert result["name"] == "single client tasks sync"
    for who in ("sabir", "processpool"):
        assert result[who]["rounds"] == 2
        assert 0 < result[who]["minimum"] <= result[who]["median"] <= result[who]["maximum"]
    assert done.stdout.startswith("single client tasks sync: sabir ")
    assert "ratio" in done.stdout


def test_a_cluster_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    done = bench("cluster", "--json", str(file), *WITHOUT_PEER)
    assert done.returncode == 0, done.stderr
    results = json.loads(file.read_text())
    for result in results["workloads"]:
        assert 0 < result["sabir"]["minimum"] <= result["sabir"]["median"], result
    assert results["measures"]["transfer"]["sabir"]["rounds"] == 2
    join = results["measures"]["join"]["sabir"]
    assert 0 < join["started after s"] <= join["all known after s"]
    assert results["measures"]["memory"]["sabir"]["node, PSS MiB"] > 0
    assert "target  a node without its workers, MiB" in done.stdout


def test_what_the_peer_cannot_do_runs_alone() -> None:
    done = bench("1:1 actor calls sync", "--peer", "processpool", *WITHOUT_PEER)
    assert done.returncode == 0, done.stderr
    assert "processpool" not in done.stdout


def test_rows_that_cannot_run_yet_are_named_with_the_reason() -> None:
    done = bench("placement group")
    assert (done.returncode, done.stdout) == (
        1,
        "placement group create/removal: not available, needs placement groups\n",
    )


def test_an_unknown_name_lists_the_known() -> None:
    done = bench("no such")
    assert done.returncode == 2
    assert "single client tasks sync" in done.stderr and "latency" in done.stderr


@pytest.mark.parametrize("wrong", [["--rounds", "0"], ["--seconds", "nan"], ["--peer", "nobody"]])
def test_wrong_options(wrong: list[str]) -> None:
    assert bench("tasks sync", *wrong).returncode == 2


@pytest.mark.parametrize("language", ["cpp", "java"])
def test_drivers_in_other_languages_run_every_workload(language: str, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    done = bench("--sdk", language, "--callee", language, "--rounds", "1", "--seconds", "0.001", "--json", str(file))
    assert done.returncode == 0, done.stderr
    results = json.loads(file.read_text())
    pair = f"{language} to {language}"
    assert [result["name"] for result in results["workloads"]] == list(WORKLOADS)
    for result in results["workloads"]:
        assert result[pair]["median"] > 0, result
    assert results["measures"]["memory"][pair] > 0
    assert [what for what, *_ in results["targets"]] == [
        f"{pair}: tasks/s",
        f"{pair}: p50",
        f"{pair}: a worker's memory",
    ]


def test_a_pair_of_languages_is_compared_with_the_slower_of_the_two() -> None:
    done = bench("tasks async", "--sdk", "cpp", "--callee", "python", *WITHOUT_PEER)
    assert done.returncode == 0, done.stderr
    for pair in ("cpp to python", "cpp to cpp", "python to python"):
        assert f"single client tasks async: {pair} " in done.stdout
    assert "cpp to python: rate / slower" in done.stdout


def test_the_callee_is_one_of_an_sdk() -> None:
    assert "--callee needs --sdk" in bench("--callee", "java").stderr
