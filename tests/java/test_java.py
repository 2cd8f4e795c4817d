"""The Java package from outside: programs against the jar that is shipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
JAR = ROOT / ".build/java/sabir-java.jar"
PROGRAMS = Path(__file__).parent / "programs"
JAVA_HOME = Path(os.environ.get("SABIR_JAVA_HOME", "/usr/lib/jvm/java-17-openjdk-amd64"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since the path of a Unix socket is bounded."""
    with tempfile.TemporaryDirectory(prefix="sabir-java-", dir="/tmp") as path:
        yield Path(path)


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def compile_java(folder: Path, *sources: Path) -> str:
    run(JAVA_HOME / "bin/javac", "--release", "17", "-Xlint:all,-try", "-Werror", "-cp", JAR, "-d", folder, *sources)
    return f"{JAR}:{folder}"


def test_java_calls_python(folder: Path) -> None:
    class_path = compile_java(folder, PROGRAMS / "CallPython.java")
    java = [JAVA_HOME / "bin/java", "-XX:+UseSerialGC", "-cp", class_path]
    printed = run(*java, "CallPython", sys.executable, PROGRAMS, folder / "s", XDG_CACHE_HOME=str(folder / "cache"))
    assert "all done" in printed


def test_the_natives_are_unpacked_once(folder: Path) -> None:
    """Two programs at once, with an empty cache: one of them unpacks, both run."""
    (folder / "Hello.java").write_text(
        "import org.sabir.*;\n"
        "public class Hello {\n"
        "  public static void main(String[] args) {\n"
        '    try (Session s = Sabir.init(SabirOptions.builder().address("local").cpus(1).sessionRoot(args[0]).build())) {\n'
        "      System.out.println(Sabir.put(42).get());\n"
        "    }\n"
        "  }\n"
        "}\n"
    )
    class_path = compile_java(folder, folder / "Hello.java")
    cache = folder / "cache"
    programs = [
        subprocess.Popen(
            [JAVA_HOME / "bin/java", "-Dsabir.classes.archive=off", "-cp", class_path, "Hello", folder / str(i)],
            env={**os.environ, "XDG_CACHE_HOME": str(cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for i in range(2)
    ]
    for program in programs:
        assert program.communicate(timeout=120)[0] == "42\n"
    (unpacked,) = (path for path in (cache / "sabir/java").iterdir() if path.is_dir())
    files = ["DIGEST", "libsabir.so", "libsabir_jni.so", "sabir-cpp-worker", "sabird"]
    assert sorted(path.name for path in unpacked.iterdir()) == files
    before = {path.name: path.stat().st_mtime_ns for path in unpacked.iterdir()}
    run(JAVA_HOME / "bin/java", "-cp", class_path, "Hello", folder / "2", XDG_CACHE_HOME=str(cache))
    assert {path.name: path.stat().st_mtime_ns for path in unpacked.iterdir()} == before


def test_drivers_in_other_languages_learn_how_workers_start(folder: Path) -> None:
    import json

    java = [JAVA_HOME / "bin/java", "-cp", JAR, "org.sabir.worker.LaunchCommand", "-Xmx64m"]
    command = json.loads(run(*java, XDG_CACHE_HOME=str(folder)))
    assert command[0].endswith("/bin/java") and "-Xmx64m" in command
    assert command[-3:] == ["-cp", str(JAR), "org.sabir.worker.Main"]
    natives = next(word for word in command if word.startswith("-Dsabir.native.dir=")).split("=", 1)[1]
    assert shutil.which("sabird", path=natives)


def test_a_maven_project_outside_of_the_repository(folder: Path) -> None:
    """Offline: what Maven itself needs lies in tools/dev's cache; the package is put beside it, as an install would."""
    version = (ROOT / "VERSION").read_text().strip()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sabir/java/m2"
    repository = folder / "m2"
    shutil.copytree(cache, repository, symlinks=True)
    package = repository / "org/sabir/sabir-java" / version
    package.mkdir(parents=True)
    shutil.copy(JAR, package / f"sabir-java-{version}.jar")
    pom = (ROOT / "sdk-java/pom.xml.in").read_text().replace("@VERSION@", version)
    (package / f"sabir-java-{version}.pom").write_text(pom)

    project = folder / "project"
    sources = project / "src/main/java/example"
    sources.mkdir(parents=True)
    maven = Path(__file__).parent / "maven"
    shutil.copy(maven / "pom.xml", project)
    shutil.copy(maven / "App.java", sources)
    goals = [
        "compile",
        "dependency:build-classpath",
        f"-Dmdep.outputFile={folder / 'path'}",
        f"-Dsabir.version={version}",
    ]
    local = f"-Dmaven.repo.local={repository}"
    run("mvn", "-o", "-q", "-B", local, "-f", project / "pom.xml", *goals, JAVA_HOME=str(JAVA_HOME))
    class_path = f"{project / 'target/classes'}:{(folder / 'path').read_text()}"
    java = [JAVA_HOME / "bin/java", "-cp", class_path, "example.App", folder / "s"]
    assert run(*java, XDG_CACHE_HOME=str(folder / "cache")).splitlines()[-1] == "14"
