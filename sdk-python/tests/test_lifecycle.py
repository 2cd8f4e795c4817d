"""init, shutdown, fork, signals, several sessions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from conftest import children_of_session, eventually, node_pid

import sabir
from sabir.exceptions import ForkedError, NotInitializedError, SabirError


@sabir.remote
def one():
    return 1


@sabir.remote
def sleep(seconds):
    time.sleep(seconds)


def run_python(code: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_not_initialized():
    for call in (lambda: sabir.get(1), lambda: sabir.wait([])):
        with pytest.raises(NotInitializedError, match="init"):
            call()
    assert not sabir.is_initialized()
    sabir.shutdown()


def test_init_twice(own_session):
    own_session()
    with pytest.raises(RuntimeError, match="already"):
        sabir.init()
    assert sabir.init(ignore_reinit_error=True).session_path
    assert sabir.is_initialized()


def test_init_again_after_shutdown(own_session):
    for _ in range(3):
        own_session()
        assert sabir.get(one.remote()) == 1
        sabir.shutdown()


def test_a_reference_after_shutdown(own_session):
    own_session()
    ref = one.remote()
    assert sabir.get(ref) == 1
    sabir.shutdown()
    with pytest.raises(NotInitializedError):
        sabir.get(ref)
    assert len(ref.hex()) == 32
    own_session()
    with pytest.raises(SabirError):
        sabir.get(sleep.remote(ref))
    del ref


def test_shutdown_ends_waits_of_other_threads(own_session):
    own_session()
    ref = sleep.remote(30)
    seen = []

    def wait():
        try:
            sabir.get(ref)
        except SabirError as error:
            seen.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    sabir.shutdown()
    thread.join(timeout=10)
    assert not thread.is_alive() and len(seen) == 1


def test_ctrl_c_in_get(own_session):
    own_session()
    ref = sleep.remote(5)
    sabir.get(one.remote())
    began = time.monotonic()
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        sabir.get(ref)
    assert time.monotonic() - began < 3
    assert sabir.get(one.remote()) == 1


def test_a_signal_handler_that_returns_does_not_end_get(own_session):
    own_session()
    seen = []
    old = signal.signal(signal.SIGUSR2, lambda *_: seen.append(1))
    try:
        ref = sleep.remote(0.6)
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR2)).start()
        sabir.get(ref)
        assert seen
    finally:
        signal.signal(signal.SIGUSR2, old)


def test_fork_after_init(own_session):
    own_session()
    ref = one.remote()
    sabir.get(ref)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        outcome = b"?"
        try:
            sabir.get(ref)
        except ForkedError:
            outcome = b"forked"
        except BaseException as error:
            outcome = repr(error).encode()
        os.write(write, outcome)
        os._exit(0)
    os.close(write)
    assert os.read(read, 1000) == b"forked"
    os.waitpid(pid, 0)
    os.close(read)
    assert sabir.get(one.remote()) == 1


def test_a_forked_child_may_start_its_own(own_session):
    own_session()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            assert not sabir.is_initialized()
            sabir.init("local", num_cpus=1)
            status = 0 if sabir.get(one.remote()) == 1 else 2
            sabir.shutdown()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert sabir.get(one.remote()) == 1


def test_a_forked_child_outlives_its_parent():
    done = run_python("""
        import os, time, sabir
        context = sabir.init("local", num_cpus=1)
        sabir.get(sabir.remote(lambda: 1).remote())
        print(context.session_path, flush=True)
        if os.fork() == 0:
            os.close(1); os.close(2)
            time.sleep(3)
            os._exit(0)
    """)
    assert done.returncode == 0, done.stderr
    path = done.stdout.strip()
    eventually(lambda: not os.path.exists(path), "the session lives on with a forked child", timeout_s=2.5)


def test_atexit_cleans_up():
    done = run_python("""
        import sabir
        print(sabir.init("local", num_cpus=1).session_path)
        assert sabir.get(sabir.remote(lambda: 1).remote()) == 1
    """)
    assert done.returncode == 0, done.stderr
    path = done.stdout.split()[0]
    eventually(lambda: not os.path.exists(path) and not children_of_session(path), "something is left")


def test_a_driver_killed_takes_everything_with_it():
    driver = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent("""
        import os, subprocess, time, sabir
        path = sabir.init("local", num_cpus=2).session_path
        @sabir.remote
        def spawn():
            return subprocess.Popen(["sleep", "1000"]).pid
        pids = sabir.get([spawn.remote(), spawn.remote()])
        print(path, *pids, flush=True)
        time.sleep(100)
    """),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    path, *pids = driver.stdout.readline().split()
    driver.kill()
    driver.wait()
    eventually(lambda: not children_of_session(path), "workers are left", timeout_s=2)
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "a worker's child is left", timeout_s=2)
    eventually(lambda: not os.path.exists(path), "the session directory is left", timeout_s=2)
    driver.stdout.close()


def test_a_killed_node_is_told(own_session):
    own_session()
    ref = sleep.remote(30)
    os.kill(node_pid(), signal.SIGKILL)
    with pytest.raises(SabirError):
        sabir.get(ref, timeout=20)
    sabir.shutdown()
    # Nobody was left to remove its directory: the next session does.
    own_session()
    assert sabir.get(one.remote()) == 1


def test_two_sessions_side_by_side(own_session):
    own_session()
    done = run_python("""
        import sabir
        with sabir.init("local", num_cpus=1):
            print(sabir.get(sabir.remote(lambda: 41 + 1).remote()))
    """)
    assert done.stdout.strip() == "42", done.stderr
    assert sabir.get(one.remote()) == 1


def test_context_manager():
    with sabir.init("local", num_cpus=1) as context:
        assert os.path.isdir(context.session_path)
        assert sabir.get(one.remote()) == 1
    assert not sabir.is_initialized()


def test_a_script_as_main_is_found_by_workers(tmp_path):
    script = tmp_path / "script.py"
    (tmp_path / "helper_module.py").write_text("def triple(x):\n    return 3 * x\n")
    script.write_text(
        textwrap.dedent("""
        import sabir
        from helper_module import triple

        class Box:
            def __init__(self, x):
                self.x = x

        @sabir.remote
        def use(box):
            return Box(triple(box.x))

        if __name__ == "__main__":
            sabir.init("local", num_cpus=1)
            print(sabir.get(use.remote(Box(5))).x)
    """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "15", done.stderr
