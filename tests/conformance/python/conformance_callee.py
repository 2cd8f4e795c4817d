"""What is called, in Python: the same functions and the same actor as cpp/callee.cc and java/Callee.java have.

What they do is said in ``../scenarios.py``, for all three.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy
from conformance_samples import SAMPLES
from conformance_text import text_of

import sabir

WAIT_S = 60


def function_of(language: str, name: str) -> Any:
    """A function of this suite, in any language."""
    if language == "python":
        return sabir.remote(globals()[name])
    if language == "cpp":
        return sabir.cpp_function(name)
    return sabir.java_function("conformance.Callee", name)


def describe(value: Any) -> str:
    return text_of(value)


def echo(value: Any) -> Any:
    return value


def make(name: str) -> Any:
    return SAMPLES[name]()


def add(a: int, b: int) -> int:
    return a + b


def join(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, i: Any, j: Any) -> str:
    return text_of([a, b, c, d, e, f, g, h, i, j])


def nothing() -> None:
    pass


def pair(a: Any, b: Any) -> tuple[Any, Any]:
    return b, a


def scaled(number: float, *, factor: float = 1, offset: float = 0) -> float:
    return number * factor + offset


def total(tensor: numpy.ndarray) -> float:
    return float(tensor.sum(dtype=numpy.float64))


def store(value: Any) -> list[Any]:
    return [sabir.put(value)]


def later(milliseconds: int) -> list[Any]:
    return [sabir.remote(sleep).remote(milliseconds)]


def gather(refs: list[Any]) -> int:
    return sum(sabir.get(refs, timeout=WAIT_S))


def idof(refs: list[Any]) -> str:
    return refs[0].hex()


def fail(message: str) -> NoReturn:
    raise ValueError(message)


def chain(message: str) -> NoReturn:
    try:
        fail(message)
    except ValueError as error:
        raise RuntimeError("around it") from error


class Odd(Exception):
    def __str__(self) -> str:
        raise ValueError("this exception has no text")


def odd() -> NoReturn:
    raise Odd


def through(languages: list[str], message: str) -> int:
    if not languages:
        fail(message)
    return sabir.get(function_of(languages[0], "through").remote(languages[1:], message), timeout=WAIT_S)


def relay(language: str, a: int, b: int) -> int:
    return sabir.get(function_of(language, "add").remote(a, b), timeout=WAIT_S)


def fibonacci(n: int) -> int:
    if n < 2:
        return n
    again = sabir.remote(fibonacci)
    return sum(sabir.get([again.remote(n - 1), again.remote(n - 2)], timeout=WAIT_S))


def flaky(attempts: int) -> int:
    attempt = sabir.get_runtime_context().get_attempt()
    if attempt < attempts:
        raise ValueError(f"attempt {attempt} fails")
    return attempt


def mortal(attempts: int) -> int:
    attempt = sabir.get_runtime_context().get_attempt()
    if attempt < attempts:
        die("abort")
    return attempt


def die(how: str) -> NoReturn:
    if how == "exit":
        os._exit(7)
    # Not a fault handler's, nor a core file: as if nobody had prepared for it.
    number = signal.SIGSEGV if how == "segfault" else signal.SIGABRT
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    threading.Event().wait(WAIT_S)
    raise AssertionError("a signal that did not kill")


def sleep(milliseconds: int) -> int:
    time.sleep(milliseconds / 1000)
    return milliseconds


def pid() -> int:
    return os.getpid()


def meet(folder: str, name: str, count: int, milliseconds: int) -> bool:
    mine = Path(folder, name)
    mine.touch()
    deadline = time.monotonic() + milliseconds / 1000
    while True:
        met = len(list(mine.parent.iterdir())) >= count
        if met or time.monotonic() > deadline:
            break
        time.sleep(0.005)
    if not met:
        mine.unlink()
    return met


def nudge(handle: Any, amount: int) -> int:
    return sabir.get(handle.add.remote(amount), timeout=WAIT_S)


def nudge_all(handles: list[Any], amount: int) -> int:
    return sum(nudge(handle, amount) for handle in handles)


def nudge_named(name: str, amount: int) -> int:
    return nudge(sabir.get_actor(name), amount)


def own() -> Any:
    return {1, 2}


class Recorder:
    def __init__(self, start: int) -> None:
        if start < 0:
            raise ValueError("a recorder below zero")
        self.value = start
        self.amounts: list[int] = []
        self.kept: list[Any] = []
        self.friends: list[Any] = []
        self.held: list[Any] = []

    def add(self, amount: int) -> int:
        self.value += amount
        self.amounts.append(amount)
        return self.value

    def history(self) -> list[int]:
        return self.amounts

    def fail(self, message: str) -> NoReturn:
        raise ValueError(message)

    def sleep(self, milliseconds: int) -> int:
        return sleep(milliseconds)

    def die(self, how: str) -> NoReturn:
        die(how)

    def mortal(self, attempts: int) -> int:
        return mortal(attempts)

    def pid(self) -> int:
        return os.getpid()

    def keep(self, refs: list[Any]) -> None:
        self.kept = refs

    def total(self) -> int:
        return gather(self.kept)

    def lend(self) -> list[Any]:
        return self.kept

    def hold(self, tensor: numpy.ndarray) -> int:
        self.held.append(tensor[1:2])
        return len(self.held)

    def drop(self) -> None:
        self.held.clear()

    def befriend(self, handles: list[Any]) -> None:
        self.friends = handles

    def forward(self, amount: int) -> int:
        return nudge_all(self.friends, amount)

    def leave(self) -> None:
        sabir.exit_actor()
