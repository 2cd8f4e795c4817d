"""sabir-java-worker with a java that counts how often it is asked, and with the real one: WORKER FILE_OF_THE_JAR..."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

WORKER = Path(sys.argv[1]).resolve()
JAR = next(Path(path).resolve() for path in sys.argv[2:] if path.endswith(".jar"))

# Answers with a command that prints its arguments, and writes down that it was asked.
JAVA = """#!/bin/sh
echo "$*" >>"{log}"
sleep "${{ASKED_SLEEP_S:-0}}"
shift 6
printf '["/bin/echo", "%s"' worker
for word in "$@"; do printf ', "%s"' "$word"; done
echo ']'
"""


class Launcher(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.log = self.folder / "asked"
        self.jar = self.folder / "sabir-java-1.jar"
        self.jar.write_bytes(b"PK\x03\x04 one")
        self.home = self.java("jdk", JAVA.format(log=self.log))

    def enterContext(self, context):  # of unittest from Python 3.11 on
        self.stack = getattr(self, "stack", None) or contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        return self.stack.enter_context(context)

    def java(self, name: str, text: str) -> Path:
        program = self.folder / name / "bin/java"
        program.parent.mkdir(parents=True)
        program.write_text(text)
        program.chmod(0o755)
        return self.folder / name

    def environment(self, **more: str) -> dict[str, str]:
        base = {"PATH": "/usr/bin:/bin", "JAVA_HOME": str(self.home), "XDG_CACHE_HOME": str(self.folder / "cache")}
        return {key: value for key, value in {**base, **more}.items() if value}

    def run_worker(self, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        command = [str(word) for word in (WORKER, *arguments)]
        return subprocess.run(
            command, env=self.environment(**more), capture_output=True, text=True, check=False, timeout=50
        )

    def output(self, *arguments: str | Path, **more: str) -> str:
        done = self.run_worker(*arguments, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def failure(self, *arguments: str | Path, **more: str) -> str:
        done = self.run_worker(*arguments, **more)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertTrue(done.stderr.startswith("sabir-java-worker: "), done.stderr)
        return done.stderr

    def asked(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def cached(self) -> list[Path]:
        return sorted((self.folder / "cache/sabir/java").iterdir())

    def test_java_is_asked_once(self) -> None:
        for _ in range(3):
            self.assertEqual(self.output(self.jar, "-Xmx1g", "-Da=b c"), "worker -Xmx1g -Da=b c\n")
        self.assertEqual(self.asked(), 1)
        self.assertIn(f"-cp {self.jar} org.sabir.worker.LaunchCommand -Xmx1g -Da=b c", self.log.read_text())
        self.assertEqual(self.output(self.jar, "-Xmx2g"), "worker -Xmx2g\n")
        self.assertEqual(self.asked(), 2)

    def test_another_jar_or_java_is_asked_again(self) -> None:
        self.output(self.jar)
        self.jar.write_bytes(b"PK\x03\x04 another")
        self.output(self.jar)
        self.assertEqual(self.asked(), 2)
        os.utime(self.jar, ns=(1, 1))
        self.output(self.jar)
        self.assertEqual(self.asked(), 3)
        other = self.java("jdk2", JAVA.format(log=self.log))
        self.output(self.jar, JAVA_HOME=str(other))
        self.assertEqual(self.asked(), 4)

    def test_what_is_kept_is_checked(self) -> None:
        self.output(self.jar)
        (kept,) = self.cached()
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        good = kept.read_bytes()
        for damaged in (b"", good[:-5], good.replace(b"/bin/echo", b"/bin/ech")):
            kept.write_bytes(damaged)
            self.assertEqual(self.output(self.jar), "worker\n")
            self.assertEqual(kept.read_bytes(), good)
        self.assertEqual(self.asked(), 4)
        kept.chmod(0o666)  # others could have written what would be executed
        self.output(self.jar)
        self.assertEqual(self.asked(), 5)
        self.assertEqual(self.cached(), [kept])

    def test_without_a_cache(self) -> None:
        blocked = self.folder / "file"
        blocked.write_text("")
        for more in ({"XDG_CACHE_HOME": str(blocked)}, {"XDG_CACHE_HOME": "", "HOME": ""}):
            before = self.asked()
            self.assertEqual(self.output(self.jar, **more), "worker\n")
            self.assertEqual(self.output(self.jar, **more), "worker\n")
            self.assertEqual(self.asked(), before + 2)
        self.output(self.jar, XDG_CACHE_HOME="", HOME=str(self.folder))
        self.assertTrue(any((self.folder / ".cache/sabir/java").iterdir()))

    def test_many_first_starts_at_once(self) -> None:
        environment = self.environment(ASKED_SLEEP_S="0.3")
        workers = [
            subprocess.Popen([WORKER, self.jar, "-Xmx1g"], env=environment, stdout=subprocess.PIPE, text=True)
            for _ in range(8)
        ]
        for worker in workers:
            self.assertEqual(worker.communicate(timeout=50)[0], "worker -Xmx1g\n")
        self.assertEqual(len(self.cached()), 1)  # and no file that is half written
        before = self.asked()
        self.output(self.jar, "-Xmx1g")
        self.assertEqual(self.asked(), before)

    def test_no_java(self) -> None:
        error = self.failure(self.jar, JAVA_HOME="", PATH=str(self.folder))
        self.assertIn(f"there is no java: JAVA_HOME is not set, and PATH ({self.folder}) has none", error)
        error = self.failure(self.jar, JAVA_HOME="/nowhere", PATH="")
        self.assertIn("JAVA_HOME is /nowhere, which has no bin/java", error)
        # JAVA_HOME without one: PATH serves.
        self.assertEqual(self.output(self.jar, JAVA_HOME="/nowhere", PATH=f"{self.home}/bin:/usr/bin:/bin"), "worker\n")

    def test_no_jar(self) -> None:
        self.assertIn("usage: sabir-java-worker JAR", self.failure())
        self.assertIn(f"cannot read {self.folder}/x.jar: No such file", self.failure(self.folder / "x.jar"))
        self.assertIn("is no file", self.failure(self.folder))
        for content in (b"", b"#!/bin/sh\n"):
            self.jar.write_bytes(content)
            self.assertIn(f"{self.jar} is not a jar", self.failure(self.jar))
        self.assertEqual(self.asked(), 0)

    def test_java_fails(self) -> None:
        broken = self.java("broken", "#!/bin/sh\necho 'Error: Could not find class' >&2\nexit 3\n")
        error = self.failure(self.jar, JAVA_HOME=str(broken))
        self.assertIn("java ended with exit code 3:\nError: Could not find class\n(asked: ", error)
        killed = self.java("killed", "#!/bin/sh\nkill -9 $$\n")
        self.assertIn("was killed by signal 9, without a word", self.failure(self.jar, JAVA_HOME=str(killed)))
        for name, answer in (("chatty", "hello"), ("empty", "[]"), ("silent", "")):
            home = self.java(name, f"#!/bin/sh\necho '{answer}'\n")
            self.assertIn(f"printed no command:\n{answer}", self.failure(self.jar, JAVA_HOME=str(home)))
        endless = self.java("endless", "#!/bin/sh\nexec yes\n")
        self.assertIn("java wrote far more than an answer:\ny\ny\n", self.failure(self.jar, JAVA_HOME=str(endless)))
        gone = self.java("gone", "#!/bin/sh\necho '[\"/nowhere/java\"]'\n")
        self.assertIn("cannot execute /nowhere/java: No such file", self.failure(self.jar, JAVA_HOME=str(gone)))

    def test_the_real_jar(self) -> None:
        java = shutil.which("java", path="/usr/lib/jvm/java-17-openjdk-amd64/bin:" + os.environ.get("PATH", ""))
        home = str(Path(java or "").resolve().parents[1])
        done = self.run_worker(JAR, "-Xmx64m", JAVA_HOME=home)
        # It became the worker, which was not started by a node.
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("SABIR_SESSION", done.stdout + done.stderr)
        natives = [path for path in self.cached() if path.name.startswith("native-") and path.is_dir()]
        (kept,) = (path for path in self.cached() if path.name.startswith("worker-"))
        self.assertIn(f"-Dsabir.native.dir={natives[0]}".encode(), kept.read_bytes())
        # Cleaned away: unpacked again.
        shutil.rmtree(natives[0])
        self.assertIn("SABIR_SESSION", self.run_worker(JAR, "-Xmx64m", JAVA_HOME=home).stderr)
        self.assertTrue((natives[0] / "libsabir.so").exists())
        # A jar of somebody else.
        self.jar.write_bytes(b"PK\x03\x04 no classes")
        self.assertIn("java ended with exit code 1:\n", self.failure(self.jar, JAVA_HOME=home))


if __name__ == "__main__":
    print(json.dumps({"worker": str(WORKER), "jar": str(JAR)}))
    unittest.main(argv=sys.argv[:1], verbosity=2)
