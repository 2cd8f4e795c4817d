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


def test_an_actor_is_called_by_drivers_whose_functions_have_other_numbers(session_root):
    maker = (
        "import sabir, sys\n"
        "@sabir.remote\n"
        "class A:\n"
        "    def f(self): return 'f'\n"
        "    def g(self): return 'g'\n"
        "sabir.init('auto', namespace='n')\n"
        "a = A.options(name='a', lifetime='detached').remote()\n"
        "print(sabir.get([a.f.remote(), a.g.remote()], timeout=60), flush=True)\n"
        "sys.stdin.read()\n"
    )
    caller = (
        "import sabir\n"
        "sabir.init('auto', namespace='n')\n"
        "others = [sabir.remote(lambda i=i: i).remote() for i in range(3)]\n"
        "a = sabir.get_actor('a')\n"
        "print(sabir.get([a.g.remote(), a.f.remote(), *others, a.g.remote()], timeout=60))\n"
    )
    run("start", "--num-cpus", "2")
    try:
        with subprocess.Popen(
            [sys.executable, "-c", maker], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as first:
            assert first.stdout is not None and first.stdin is not None
            assert first.stdout.readline() == "['f', 'g']\n"
            called = subprocess.run(
                [sys.executable, "-c", caller], capture_output=True, text=True, timeout=100, check=True
            )
            assert called.stdout == "['g', 'f', 0, 1, 2, 'g']\n"
            first.stdin.close()
            assert first.wait(timeout=30) == 0
        # The actor outlives the job that made it, and takes calls of others.
        again = subprocess.run([sys.executable, "-c", caller], capture_output=True, text=True, timeout=100, check=True)
        assert again.stdout == "['g', 'f', 0, 1, 2, 'g']\n"
    finally:
        run("stop")
