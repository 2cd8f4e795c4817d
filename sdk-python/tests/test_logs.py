"""Output of workers at the driver."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

from processes import eventually

import sabir
from sabir._logs import Dropped, Folder


def test_lines_come_with_name_and_pid(own_session, screen):
    own_session(num_cpus=1)

    @sabir.remote
    def speak():
        print("hello out")
        print("hello err", file=sys.stderr)
        os.write(1, b"from below\n")
        return os.getpid()

    pid = sabir.get(speak.remote())
    eventually(lambda: f"(speak pid={pid}) from below" in screen.out(), "no line arrived")
    assert f"(speak pid={pid}) hello out" in screen.out()
    eventually(lambda: f"(speak pid={pid}) hello err" in screen.err(), "no line of stderr arrived")


def test_a_flood_is_bounded_and_does_not_stop_the_worker(own_session, capfd):
    own_session(num_cpus=1)

    @sabir.remote
    def flood():
        began = time.monotonic()
        for i in range(200_000):
            print("x" * 100, i)
        return time.monotonic() - began

    assert sabir.get(flood.remote(), timeout=60) < 30
    sabir.shutdown()
    capfd.readouterr()


def test_what_was_left_out_is_added_up():
    now = [0.0]
    dropped = Dropped(lambda: now[0])
    assert dropped.add("f", 1, 0) == []
    assert dropped.add("f", 1, 5) == [(2, "(f pid=1) [5 lines left out: output faster than it could be shown]")]
    assert [dropped.add("f", 1, 10) for _ in range(1000)] == [[]] * 1000
    now[0] = 1.5
    assert dropped.add("g", 2, 0) == [(2, "(f pid=1) [10000 lines left out: output faster than it could be shown]")]
    dropped.add("g", 2, 3)
    assert dropped.flush() == [(2, "(g pid=2) [3 lines left out: output faster than it could be shown]")]
    assert dropped.flush() == []


SPEAKER = r"""
import os, time, sabir

@sabir.remote
def speak():
    print("ünï ✓ 漢字")
    print("\udc80 lone")
    os.write(1, b"\xff raw\n")
    print("no newline", end="")

with sabir.init("local", num_cpus=1):
    sabir.get(speak.remote())
    sabir.get(sabir.remote(lambda: print("last")).remote())
    time.sleep(1)
"""


def test_any_text_arrives_whatever_the_locale(tmp_path):
    script = tmp_path / "speaker.py"
    script.write_text(SPEAKER, encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, env={**os.environ, **plain}, timeout=60, check=False
    )
    out = done.stdout.decode("ascii")
    assert r"\xfcn\xef \u2713 \u6f22\u5b57" in out, done.stderr.decode()
    assert r"\udc80 lone" in out and "raw" in out and "no newlinelast" in out


def test_log_to_driver_off(own_session, screen):
    own_session(num_cpus=1, log_to_driver=False)
    sabir.get(sabir.remote(lambda: print("silence")).remote())
    sabir.shutdown()
    assert "silence" not in screen.out() + screen.err()


def test_repeats_are_told_also_when_nothing_else_comes(own_session, screen):
    own_session(num_cpus=1)

    @sabir.remote
    def speak():
        print("the same line")

    sabir.get([speak.remote() for _ in range(7)])
    eventually(
        lambda: re.search(r"\(speak pid=\d+\) the same line \[repeated 6x\]", screen.out()),
        "the repeats were not told",
        timeout_s=20,
    )
    assert len(re.findall("the same line", screen.out())) == 2


def test_folding():
    now = [0.0]
    folder = Folder(lambda: now[0])
    assert folder.add("f", 1, 1, "same") == [(1, "(f pid=1) same")]
    for pid in range(2, 9):
        assert folder.add("f", pid, 1, "same") == []
    assert folder.add("f", 1, 1, "other") == [(1, "(f pid=1) other")]
    now[0] = 6.0
    assert folder.add("f", 1, 1, "third") == [(1, "(f pid=8) same [repeated 7x]"), (1, "(f pid=1) third")]
    for i in range(10_000):
        folder.add("f", 1, 1, str(i))
    assert len(folder._seen) <= 500
    assert not any(re.search("repeated", line) for _, line in folder.flush(only_old=False))
