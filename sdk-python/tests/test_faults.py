"""Small faults around a session: strangers, stopped processes, limits, what was left behind."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from processes import eventually, node_pid

import sabir
from sabir.exceptions import NodeDiedError, NotFoundError, NotInitializedError, ObjectStoreFullError


@sabir.remote
def pid_of():
    return os.getpid()


@sabir.remote
def nap(seconds, path=None):
    if path:
        Path(path).write_text(str(os.getpid()))
    time.sleep(seconds)
    return seconds


def run_python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_worker_whose_node_died_while_it_was_forked_does_not_wait_for_it():
    """Its parent is neither the process between nor the node any more: nobody would ever end it."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    done = run_python(f"from sabir import _sabir; _sabir.die_with({gone.pid}, {gone.pid})")
    assert done.returncode == 1 and "ConnectionError: the node died while this worker started" in done.stderr


def test_a_stranger_on_the_socket_loses_its_connection_and_nothing_else(own_session):
    path = os.path.join(own_session().session_path, "node.sock")
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 4096, b"\0" * 64, b"\x10\0\0\0" + os.urandom(16)):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.settimeout(20)
            stranger.connect(path)
            stranger.sendall(garbage)
            stranger.shutdown(socket.SHUT_WR)
            try:
                while stranger.recv(4096):
                    pass
            except ConnectionError:
                pass
    assert sabir.get(nap.remote(0)) == 0


def test_session_directories_are_private(own_session):
    path = Path(own_session().session_path)
    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "node.sock").stat().st_mode & 0o777 == 0o600


def test_a_stopped_worker_holds_up_its_own_call_only(own_session, tmp_path):
    own_session(num_cpus=2)
    started = tmp_path / "pid"
    stopped = nap.remote(0.2, str(started))
    eventually(lambda: started.exists() and started.read_text(), "the task did not start")
    pid = int(started.read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        assert sabir.get([nap.remote(0) for _ in range(50)], timeout=30) == [0] * 50
        assert sabir.wait([stopped], timeout=0.3)[0] == []
    finally:
        os.kill(pid, signal.SIGCONT)
    assert sabir.get(stopped, timeout=30) == 0.2


def test_an_object_larger_than_the_store(own_session):
    own_session(object_store_memory=32 << 20)
    with pytest.raises(ObjectStoreFullError, match=r"\d"):
        sabir.put(np.zeros(64 << 20, dtype=np.uint8))

    @sabir.remote
    def too_much():
        return np.zeros(64 << 20, dtype=np.uint8)

    with pytest.raises(ObjectStoreFullError):
        sabir.get(too_much.remote(), timeout=60)
    assert sabir.get(sabir.put(b"x" * (1 << 20))) == b"x" * (1 << 20)


def test_a_put_waits_for_room(own_session):
    own_session(object_store_memory=64 << 20)
    held = [sabir.put(np.zeros(40 << 20, dtype=np.uint8))]
    timer = threading.Timer(0.5, held.clear)
    timer.start()
    assert len(sabir.get(sabir.put(np.ones(40 << 20, dtype=np.uint8)))) == 40 << 20
    timer.join()


def test_what_a_killed_node_left_behind_is_no_session(session_root):
    done = run_python(
        """
        import os, signal, sabir
        path = sabir.init("local", num_cpus=1).session_path
        from sabir._state import status
        os.kill(status()["session"]["pid"], signal.SIGKILL)
        print(path, flush=True)
        os._exit(0)
        """
    )
    stale = Path(done.stdout.strip())
    assert stale.parent.parent == session_root and stale.exists(), done.stderr
    missing = run_python(
        """
        import sabir
        try:
            sabir.init("auto")
        except sabir.exceptions.NotFoundError:
            print("none")
        """
    )
    assert missing.stdout.strip() == "none", missing.stderr
    done = run_python('import sabir; print(sabir.init("local", num_cpus=1).session_path)')
    assert done.returncode == 0, done.stderr
    assert not stale.exists()


def test_an_address_that_is_no_session(tmp_path):
    with pytest.raises(NotFoundError):
        sabir.init(str(tmp_path / "nothing"))
    assert not sabir.is_initialized()


def test_sessions_leave_no_descriptor_and_no_thread(own_session):
    own_session()
    sabir.get(nap.remote(0))
    sabir.shutdown()
    files, threads = open_files(), len(os.listdir("/proc/self/task"))
    for _ in range(5):
        own_session()
        sabir.get([nap.remote(0), sabir.put(np.zeros(1 << 20))])
        sabir.shutdown()
    assert open_files() == files
    assert len(os.listdir("/proc/self/task")) == threads


def test_no_descriptors_left():
    done = run_python(
        """
        import os, resource, sabir
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        files = []
        try:
            while True:
                files.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        try:
            sabir.init("local", num_cpus=1)
            print("started")
        except sabir.exceptions.SabirError as error:
            print(type(error).__name__, error)
        for file in files:
            os.close(file)
        with sabir.init("local", num_cpus=1):
            print(sabir.get(sabir.remote(lambda: 42).remote()))
        """
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.strip().splitlines()
    assert first != "started" and "Error" in first
    assert second == "42"


def test_a_limit_of_memory_is_a_typed_error():
    done = run_python(
        """
        import sabir
        try:
            sabir.init("local", num_cpus=1, object_store_memory=1 << 60)
            print("started")
        except (sabir.exceptions.SabirError, ValueError) as error:
            print(type(error).__name__)
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() != "started"


@pytest.mark.parametrize(
    ("limit", "value", "reason"),
    [("RLIMIT_AS", 2 << 30, "address space"), ("RLIMIT_FSIZE", 1 << 20, "File too large")],
)
def test_limits_of_the_process_are_typed_errors(limit, value, reason):
    done = run_python(
        f"""
        import resource, sabir
        resource.setrlimit(resource.{limit}, ({value}, resource.getrlimit(resource.{limit})[1]))
        try:
            sabir.init("local", num_cpus=1)
            print("started")
        except sabir.exceptions.SabirError as error:
            print(type(error).__name__, error)
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() != "started"
    assert reason in done.stdout


def test_a_full_dev_shm_hinders_nobody():
    # The memory files of a node lie in no file system.
    script = """
        mount --make-rprivate / && mount -t tmpfs -o size=64k none /dev/shm || exit 77
        head -c 1000000 /dev/zero >/dev/shm/full 2>/dev/null
        exec "$0" -c "$1"
    """
    program = """if True:
        import os, sabir
        stat = os.statvfs("/dev/shm")
        with sabir.init("local", num_cpus=1):
            value = sabir.put(bytes(8 << 20))
            print(stat.f_bavail, sabir.get(sabir.remote(len).remote(value)))
        """
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, sys.executable, program], capture_output=True, text=True, timeout=60
    )
    if done.returncode in (1, 77) and "sabir" not in done.stderr:
        pytest.skip(f"no mount namespace of our own: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", str(8 << 20)]


def test_a_worker_that_runs_out_of_memory_is_told(own_session):
    own_session(num_cpus=1)

    @sabir.remote(max_retries=0)
    def greedy():
        resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))
        return bytes(1 << 30)

    with pytest.raises((MemoryError, sabir.exceptions.SabirError)):
        sabir.get(greedy.remote(), timeout=60)
    assert node_pid() > 0


def test_futures_end_when_the_node_dies(own_session):
    own_session(num_cpus=1)
    ref = nap.remote(60)
    pending = ref.future()

    async def wait():
        return await ref

    timer = threading.Timer(0.3, os.kill, (node_pid(), signal.SIGKILL))
    timer.start()
    with pytest.raises(NodeDiedError):
        asyncio.run(asyncio.wait_for(wait(), 20))
    with pytest.raises(NodeDiedError):
        pending.result(timeout=20)
    sabir.shutdown()
    own_session(num_cpus=1)
    assert nap.remote(0).future().result(timeout=20) == 0


def test_futures_end_with_a_shutdown_and_the_next_session_has_its_own(own_session):
    for _ in range(3):
        own_session(num_cpus=1)
        pending = nap.remote(60).future()
        assert nap.options(num_cpus=0).remote(0).future().result(timeout=20) == 0
        sabir.shutdown()
        with pytest.raises(NotInitializedError):
            pending.result(timeout=20)
