"""The command `sabir`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import sabir


def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "sabir", *arguments], capture_output=True, text=True, timeout=60, check=check
    )


def test_version():
    assert run("version").stdout.startswith("sabir 0.")


def test_start_join_status_stop(session_root):
    assert run("status", check=False).returncode == 3
    run("start", "--num-cpus", "2", "--resources", '{"slot": 3}')
    try:
        state = json.loads(run("status", "--json").stdout)
        assert state["nodes"][0]["resources_total"]["slot"] == 3
        with sabir.init("auto"):
            assert sabir.get(sabir.remote(lambda: 7).remote()) == 7
            assert sabir.cluster_resources()["CPU"] == 2
        text = run("status").stdout
        assert "slot" in text and "Store" in text
    finally:
        run("stop")
    assert run("stop", check=False).returncode == 3
    with pytest.raises(sabir.exceptions.NotFoundError):
        sabir.init("auto")
