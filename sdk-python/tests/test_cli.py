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


def test_nobody_joins_another_drivers_own_session_unasked(session_root):
    """It would end with that driver, at any moment."""
    program = (
        "import sabir, sys\n"
        "context = sabir.init(sys.argv[1] or None)\n"
        "print(context.session_path, flush=True)\n"
        "sys.stdin.read()\n"
    )

    def start(address: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    first, path = start("")
    second, other = start("")
    asked, newest = start("auto")
    try:
        assert path and other and path != other
        assert newest in (path, other)
        assert json.loads(run("status", "--json").stdout)["session"]["path"] in (path, other)
        first.communicate(timeout=60)
        assert second.poll() is None
    finally:
        for process in (first, second, asked):
            if process.poll() is None:
                process.communicate(timeout=60)
    assert first.returncode == second.returncode == 0


def test_what_is_not_there(session_root):
    for verb in ("status", "stop"):
        done = run(verb, "--address", str(session_root / "nothing"), check=False)
        assert done.returncode == 3 and "sabir:" in done.stderr
    assert run("start", "--num-cpus", "-1", check=False).returncode == 1
    assert run("nonsense", check=False).returncode == 2


def test_a_second_session_and_its_address(session_root):
    first = run("start", "--num-cpus", "1").stdout.split()[2]
    second = run("start", "--num-cpus", "3").stdout.split()[2]
    try:
        for path, cpus in ((first, 1), (second, 3)):
            state = json.loads(run("status", "--json", "--address", path).stdout)
            assert state["nodes"][0]["resources_total"]["CPU"] == cpus
        with sabir.init(first):
            assert sabir.cluster_resources()["CPU"] == 1
        with pytest.raises(ValueError, match="joins a session"):
            sabir.init(first, num_cpus=2)
    finally:
        run("stop", "--address", first)
        run("stop", "--address", second)
    assert list((session_root / "sabir").iterdir()) == []
