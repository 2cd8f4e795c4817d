"""Whole programs: how they are started, what their workers find, how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from processes import eventually

TIMEOUT_S = 60


def run(*arguments: str, text: str | None = None, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *arguments],
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        **options,
    )


# Functions, classes, errors and enumerations of __main__, as they come back.
PROGRAM = """
import enum, sabir

class Box:
    def __init__(self, x):
        self.x = x

class Bad(Exception):
    pass

class Color(enum.Enum):
    RED = 1

@sabir.remote
def use(box):
    return Box(box.x + 1), Color.RED

@sabir.remote
def fail():
    raise Bad("bad")

@sabir.remote
class Keeper:
    def keep(self, box):
        self.box = box
        return [box]

session = sabir.init("local", num_cpus=1)
box, color = sabir.get(use.remote(Box(1)))
kept = sabir.get(Keeper.remote().keep.remote(box))[0]
double = sabir.remote(lambda x: 2 * x)
try:
    sabir.get(fail.remote())
except Bad as error:
    caught = error

print(type(box) is Box, type(kept) is Box, color is Color.RED, box.x, sabir.get(double.remote(4)), caught.args)
"""
WANTED = "True True True 2 8 ('bad',)"


def test_a_program_given_as_text():
    done = run("-c", PROGRAM)
    assert done.stdout.strip() == WANTED, done.stderr


def test_a_program_from_standard_input():
    done = run("-", text=PROGRAM)
    assert done.stdout.strip() == WANTED, done.stderr


def test_an_interactive_interpreter():
    done = run("-i", "-q", text=PROGRAM + "\n")
    assert WANTED in done.stdout, done.stderr


def test_a_script_and_the_modules_beside_it(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "code" / "beside.py").write_text(
        "import os, sabir\nclass Thing: pass\n"
        "@sabir.remote\ndef where():\n    return Thing(), os.getcwd(), os.environ.get('SABIR_TEST_MARK')\n"
    )
    script = tmp_path / "code" / "script.py"
    script.write_text(
        PROGRAM
        + textwrap.dedent("""
        import beside, os
        thing, cwd, mark = sabir.get(beside.where.remote())
        print(type(thing) is beside.Thing, cwd == os.getcwd(), mark)
        """)
    )
    done = run(str(script), cwd=tmp_path / "elsewhere", env={**os.environ, "SABIR_TEST_MARK": "here"})
    assert done.stdout.splitlines() == [WANTED, "True True here"], done.stderr


def test_a_package_run_with_m(tmp_path):
    package = tmp_path / "app"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tools.py").write_text("def triple(x):\n    return 3 * x\n")
    (package / "__main__.py").write_text(
        "import sabir\nfrom app.tools import triple\n"
        "with sabir.init('local', num_cpus=1):\n    print(sabir.get(sabir.remote(triple).remote(5)))\n"
    )
    done = run("-m", "app", cwd=tmp_path)
    assert done.stdout.strip() == "15", done.stderr


ENDS = {
    "a thread in get": """
        import threading
        threading.Thread(target=sabir.get, args=(nap.remote(1),)).start()
    """,
    "a daemon thread in get": """
        import threading, time
        def wait(ref):
            try:
                sabir.get(ref)
            except sabir.exceptions.SabirError:
                pass
        threading.Thread(target=wait, args=(nap.remote(100),), daemon=True).start()
        time.sleep(0.2)
    """,
    "a pending future": """
        future = nap.remote(100).future()
    """,
    "a finalizer that calls": """
        class Late:
            def __del__(self):
                try:
                    sabir.get(nap.remote(0), timeout=5)
                except sabir.exceptions.NotInitializedError:
                    print("refused")
        keep = Late()
    """,
    "an exit handler that calls": """
        import atexit
        atexit.register(lambda: print(sabir.get(nap.remote(0))))
    """,
    "an error": """
        refs = [nap.remote(100) for _ in range(1000)]
        raise SystemExit(0)
    """,
    "a thread pool": """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(4)
        futures = [pool.submit(sabir.get, nap.remote(0.1)) for _ in range(8)]
    """,
    "a cycle of references": """
        cycle = [sabir.put(1), nap.remote(0), sabir.put("x" * 1000000)]
        cycle.append(cycle)
    """,
}


@pytest.mark.parametrize("end", ENDS)
def test_a_program_ends(end):
    program = """
        import time, sabir
        print(sabir.init("local", num_cpus=2).session_path, flush=True)
        @sabir.remote
        def nap(seconds):
            time.sleep(seconds)
        sabir.get(nap.remote(0))
    """
    done = run("-c", textwrap.dedent(program) + textwrap.dedent(ENDS[end]))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "Fatal" not in done.stderr
    path = done.stdout.split()[0]
    eventually(lambda: not os.path.exists(path), "the session is left")


@pytest.mark.parametrize("call", ["sabir.get(nap.remote(100))", "sabir.wait([nap.remote(100)])", "futures()"])
def test_ctrl_c_ends_a_program_wherever_it_waits(call):
    program = f"""
        import asyncio, time, sabir
        sabir.init("local", num_cpus=1)
        @sabir.remote
        def nap(seconds):
            time.sleep(seconds)
        def futures():
            async def main():
                await nap.remote(100)
            asyncio.run(main())
        sabir.get(nap.remote(0))
        print("waits", flush=True)
        try:
            {call}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "waits\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=TIMEOUT_S)
    assert out == "interrupted\n" and process.returncode == 0


def test_ctrl_c_again_and_again_loses_nothing(tmp_path):
    # The signals come from another process: an interrupt inside of threading's own locks would spoil those.
    program = f"""
        import faulthandler, os, signal, subprocess, sys, time, sabir
        faulthandler.dump_traceback_later({TIMEOUT_S - 15}, exit=True)
        sabir.init("local", num_cpus=2)
        @sabir.remote
        def one(x):
            return 1
        sabir.get(one.remote(0))
        done = {str(tmp_path / "done")!r}
        annoy = (
            "import os, signal, time\\n"
            "for _ in range(300):\\n    os.kill(os.getppid(), signal.SIGINT)\\n    time.sleep(0.003)\\n"
            f"open({{done!r}}, 'w').close()\\n"
        )
        def interrupt(*_):
            global armed
            if armed:
                armed = False
                raise KeyboardInterrupt
        armed, caught = False, 0
        signal.signal(signal.SIGINT, interrupt)
        sender = subprocess.Popen([sys.executable, "-c", annoy], start_new_session=True)
        while not os.path.exists(done):
            try:
                armed = True
                refs = [one.remote(sabir.put(i)) for i in range(20)]
                sabir.wait(refs, num_returns=5)
                sabir.get(refs)
                sabir.get(sabir.put(b"x" * 200_000))
                armed = False
            except KeyboardInterrupt:
                caught += 1
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sender.wait()
        assert sum(sabir.get([one.remote(i) for i in range(1000)])) == 1000
        sabir.shutdown()
        print("good" if caught > 10 else f"caught only {{caught}}")
    """
    done = run("-c", textwrap.dedent(program))
    assert done.stdout.strip() == "good", done.stderr
