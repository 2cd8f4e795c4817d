"""The Java package from outside: programs against the jar that is shipped."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from shipped import CACHE, JAR, JAVA_HOME, ROOT, compile_java, java, run

PROGRAMS = Path(__file__).parent / "programs"


def test_java_calls_python(folder: Path) -> None:
    classes = compile_java(folder / "classes", PROGRAMS / "CallPython.java")
    program = java("CallPython", sys.executable, PROGRAMS, folder / "s", classes=classes)
    printed = run(*program, XDG_CACHE_HOME=str(folder / "cache"))
    assert "all done" in printed


def test_the_natives_are_unpacked_once(folder: Path) -> None:
    """Two programs at once, with an empty cache: one of them unpacks, both run."""
    (folder / "Hello.java").write_text(
        "import org.sabir.*;\n"
        "public class Hello {\n"
        "  public static void main(String[] args) {\n"
        '    try (Session s = Sabir.init(SabirOptions.builder().address("local").numCpus(1).sessionRoot(args[0]).build())) {\n'
        "      System.out.println(Sabir.put(42).get());\n"
        "    }\n"
        "  }\n"
        "}\n"
    )
    classes = compile_java(folder / "classes", folder / "Hello.java")
    cache = folder / "cache"
    programs = [
        subprocess.Popen(
            java("-Dsabir.classes.archive=off", "Hello", folder / str(i), classes=classes),
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
    run(*java("Hello", folder / "2", classes=classes), XDG_CACHE_HOME=str(cache))
    assert {path.name: path.stat().st_mtime_ns for path in unpacked.iterdir()} == before


def test_drivers_in_other_languages_learn_how_workers_start(folder: Path) -> None:
    command = json.loads(run(*java("org.sabir.worker.LaunchCommand", "-Xmx64m"), XDG_CACHE_HOME=str(folder)))
    assert command[0].endswith("/bin/java") and "-Xmx64m" in command
    assert command[-3:] == ["-cp", str(JAR), "org.sabir.worker.Main"]
    natives = next(word for word in command if word.startswith("-Dsabir.native.dir=")).split("=", 1)[1]
    assert shutil.which("sabird", path=natives)


def test_a_maven_project_outside_of_the_repository(folder: Path) -> None:
    """Offline: what Maven itself needs lies in tools/dev's cache; the package is put beside it, as an install would."""
    version = (ROOT / "VERSION").read_text().strip()
    repository = folder / "m2"
    shutil.copytree(CACHE / "java/m2", repository, symlinks=True)
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
    program = [JAVA_HOME / "bin/java", "-cp", class_path, "example.App", folder / "s"]
    assert run(*program, XDG_CACHE_HOME=str(folder / "cache")).splitlines()[-1] == "14"
