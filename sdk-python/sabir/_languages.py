"""How workers of each language are started, and where they look for code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

PYTHON, JAVA, CPP = 1, 2, 3
NAMES = {0: "", PYTHON: "Python", JAVA: "Java", CPP: "C++", 4: "C"}
_ZYGOTE, _EXEC = 1, 2
_SLOTS_MAX = 64  # workers that share a process


def python_env(paths: Sequence[str] = ()) -> list[str]:
    """The command of a zygote that forks workers of this interpreter (schema/zygote.md)."""
    zygote = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_zygote.py")
    return [sys.executable, "-I", "-S", zygote, json.dumps([path for path in paths or sys.path if path])]


def describe() -> dict[str, list[str]]:
    """What a driver in another language has to know of this interpreter: ``python -m sabir language-env``."""
    paths = [path for path in sys.path[1:] if path]  # the first is where the command was called
    return {"argv": python_env(paths), "path": paths}


def code_paths(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """``code_search_path`` as absolute paths. ValueError for one that does not exist."""
    if isinstance(paths, (str, bytes)):
        raise TypeError("code_search_path must be a list of paths, not one text")
    absolute = [os.path.abspath(os.fspath(path)) for path in paths]
    for path in absolute:
        if not os.path.exists(path):
            raise ValueError(f"code_search_path: {path} does not exist")
    return absolute


def job_config(paths: list[str]) -> bytes:
    """What workers of all languages are told of the job; each takes what it knows."""
    modules = [path for path in paths if os.path.isdir(path)]
    config = {
        "code_search_path": paths,
        "sys_path": modules + [path if path else os.getcwd() for path in sys.path],
        "cwd": os.getcwd(),
    }
    return json.dumps(config).encode()


def language_envs(
    paths: list[str],
    cpp_worker: str | os.PathLike[str] | None,
    java_jar: str | os.PathLike[str] | None,
    java_options: Sequence[str],
    slots_per_jvm: int,
) -> list[tuple[int, int, list[str], int]]:
    """As sabir_language_env, and how many workers share a process.

    Python's first, so that the node starts a worker of it ahead of demand.
    """
    if isinstance(slots_per_jvm, bool) or not isinstance(slots_per_jvm, int):
        raise TypeError(f"slots_per_jvm must be an int, not {type(slots_per_jvm).__name__}")
    if not 1 <= slots_per_jvm <= _SLOTS_MAX:
        raise ValueError(f"{slots_per_jvm} slots per JVM: 1 to {_SLOTS_MAX}")
    envs = [(PYTHON, _ZYGOTE, python_env(), 1)]
    worker = _program("cpp_worker", cpp_worker, "sabir-cpp-worker")
    if worker:
        envs.append((CPP, _EXEC, [worker], 1))
    jar = _jar(paths, java_jar)
    launcher = _beside("sabir-java-worker")
    if java_jar is not None and not launcher:
        raise ValueError("java_jar: this installation of Sabir has no sabir-java-worker beside its library")
    if jar and launcher:
        envs.append((JAVA, _EXEC, [launcher, jar, *_texts("java_options", java_options)], slots_per_jvm))
    return envs


def _program(name: str, given: Any, default: str) -> str:
    """An executable that was given, or else the one of this package."""
    if given is None:
        return _beside(default)
    path: str = os.fspath(given)
    if not os.access(path, os.X_OK):
        raise ValueError(f"{name}: {path} is not a program that can be run")
    return os.path.abspath(path)


def _beside(name: str) -> str:
    """A program that comes with this package; "" if it does not."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    return path if os.access(path, os.X_OK) else ""


def _jar(paths: list[str], given: Any) -> str:
    jar = os.fspath(given) if given is not None else os.environ.get("SABIR_JAVA_JAR", "")
    if jar and not os.path.isfile(jar):
        raise ValueError(f"{'java_jar' if given is not None else 'SABIR_JAVA_JAR'}: {jar} is not a file")
    if jar:
        return os.path.abspath(jar)
    for path in paths:
        name = os.path.basename(path)
        if name.startswith("sabir-java") and name.endswith(".jar"):
            return path
    return ""


def _texts(name: str, values: Sequence[str]) -> list[str]:
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{name} must be a list of str")
    return list(values)
