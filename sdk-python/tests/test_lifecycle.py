"""init, shutdown, fork, signals, several sessions."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from processes import children_of_session, eventually, node_pid

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


def test_the_first_call_starts_a_session(session_root):
    counts = []
    for call in (one.remote, lambda: sabir.put(1), sabir.cluster_resources):
        assert not sabir.is_initialized()
        call()
        counts.append(sabir.get(one.remote()))
        sabir.shutdown()
    assert counts == [1, 1, 1]


def test_threads_that_make_the_first_call_start_one_session(session_root):
    from concurrent.futures import ThreadPoolExecutor

    barrier = threading.Barrier(8)

    def first(i):
        barrier.wait()
        return sabir.get(one.remote()), sabir.get_runtime_context().session_path

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(first, range(8)))
    sabir.shutdown()
    assert {value for value, _ in results} == {1} and len({path for _, path in results}) == 1


def test_a_task_cannot_leave_the_session(own_session):
    own_session()

    @sabir.remote(max_retries=0)
    def leave():
        sabir.shutdown()

    @sabir.remote(max_retries=0)
    def join_again():
        with sabir.init(ignore_reinit_error=True) as context:
            return context.job_id, sabir.get(one.remote())

    with pytest.raises(RuntimeError, match="drivers"):
        sabir.get(leave.remote())
    assert sabir.get(join_again.remote()) == (sabir.get_runtime_context().get_job_id(), 1)


def test_a_session_of_its_own_for_a_fork_of_a_worker(own_session):
    own_session()

    @sabir.remote(max_retries=0)
    def fork():
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                with sabir.init("local", num_cpus=1):
                    status = 0 if sabir.get(one.remote()) == 1 else 2
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert sabir.get(fork.remote(), timeout=60) == 0
    assert sabir.get(one.remote()) == 1


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
    assert len(ref.hex()) == 32 and repr(ref) == f"ObjectRef({ref.hex()})" and hash(ref) == hash(copy.copy(ref))
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


def test_a_handle_after_shutdown(own_session):
    own_session()

    @sabir.remote
    class Echo:
        def call(self):
            return 1

    echo = Echo.remote()
    before = repr(echo), hash(echo)
    inside = sabir.get(sabir.put([echo]))[0]
    assert sabir.get(echo.call.remote()) == 1
    sabir.shutdown()
    assert (repr(echo), hash(echo)) == before and echo == copy.copy(echo) == inside
    assert repr(inside).startswith("ActorHandle(") and echo._actor_id in repr(inside)
    with pytest.raises(NotInitializedError):
        echo.call.remote()
    assert not sabir.is_initialized()
    own_session()
    with pytest.raises(SabirError):
        echo.call.remote()
    with pytest.raises(SabirError):
        sabir.kill(echo)


def test_a_forked_child_that_exits_as_programs_do_takes_nothing_with_it(own_session):
    own_session()
    held = sabir.put("x" * 100_000)
    pid = os.fork()
    if pid == 0:
        try:
            import gc

            del held
            gc.collect()
            sabir.shutdown()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    done = run_python("""
        import os, sys, sabir
        sabir.init("local", num_cpus=1)
        ref = sabir.put("y" * 100_000)
        if os.fork() == 0:
            sys.exit(0)  # with the interpreter's clean-up
        os.wait()
        print(len(sabir.get(ref)), sabir.get(sabir.remote(lambda: 1).remote()))
    """)
    assert done.stdout.split() == ["100000", "1"], done.stderr
    assert len(sabir.get(held)) == 100_000 and sabir.get(one.remote()) == 1


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
