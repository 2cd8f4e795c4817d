"""Errors of user code, of workers, of values that cannot travel."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest

import sabir
from sabir.exceptions import SerializationError, TaskError, WorkerCrashedError

pytestmark = pytest.mark.usefixtures("session")


@sabir.remote
def fail(kind, *args):
    raise kind(*args)


def test_the_type_that_was_raised_is_kept():
    with pytest.raises(ZeroDivisionError) as caught:
        sabir.get(sabir.remote(lambda: 1 // 0).remote())
    error = caught.value
    assert isinstance(error, TaskError)
    assert isinstance(error.cause, ZeroDivisionError)
    assert "Traceback" in str(error) and "1 // 0" in str(error)
    with pytest.raises(TaskError):
        sabir.get(fail.remote(RuntimeError, "x"))


def test_attributes_of_the_original_are_there():
    with pytest.raises(OSError) as caught:
        sabir.get(fail.remote(OSError, 13, "no"))
    assert caught.value.errno == 13
    with pytest.raises(KeyError) as key:
        sabir.get(fail.remote(KeyError, "k"))
    assert key.value.args == ("k",)


def test_an_error_passes_through_calls_that_depend_on_it():
    @sabir.remote
    def never(x):
        raise AssertionError("must not run")

    with pytest.raises(ValueError, match="first"):
        sabir.get(never.remote(never.remote(fail.remote(ValueError, "first"))))


def test_an_error_inside_nested_tasks_keeps_its_type_and_both_tracebacks():
    @sabir.remote
    def outer():
        return sabir.get(fail.remote(LookupError, "inner"))

    with pytest.raises(LookupError) as caught:
        sabir.get(outer.remote())
    text = str(caught.value)
    assert "in outer" in text and "in fail" in text


def test_exceptions_that_cannot_be_pickled_or_rebuilt():
    class Strange(Exception):
        def __init__(self, a, b):
            super().__init__(f"{a} {b}")
            self.lock = threading.Lock()

    class Rude(Exception):
        def __str__(self):
            raise RuntimeError("no")

        __repr__ = __str__

    with pytest.raises(TaskError, match="1 2"):
        sabir.get(fail.remote(Strange, 1, 2))
    with pytest.raises(TaskError, match="Rude"):
        sabir.get(fail.remote(Rude))


class Coded(Exception):
    """As many write theirs: the constructor wants something else than what Exception keeps."""

    def __init__(self, code, lock=None):
        super().__init__(f"code {code}")
        self.code = code
        self.lock = lock


class TwoArguments(Exception):
    def __init__(self, what, why):
        super().__init__(f"{what}: {why}")
        self.why = why


def test_exceptions_with_a_constructor_of_their_own_keep_their_type():
    with pytest.raises(Coded, match=r"Coded: code 7$") as caught:
        sabir.get(fail.remote(Coded, 7))
    assert caught.value.code == 7 and caught.value.args == ("code 7",)
    with pytest.raises(TwoArguments) as caught:
        sabir.get(fail.remote(TwoArguments, "disk", "full"))
    assert caught.value.why == "full" and isinstance(caught.value, TaskError)

    @sabir.remote
    def locked():
        raise Coded(1, threading.Lock())

    with pytest.raises(Coded) as caught:  # what cannot travel stays behind
        sabir.get(locked.remote())
    assert caught.value.code == 1 and not hasattr(caught.value.cause, "lock")


def test_an_exception_that_cannot_even_be_asked():
    class Hostile(Exception):
        def __reduce__(self):
            raise RuntimeError("no")

        def __getattribute__(self, name):
            if name in ("args", "__dict__", "__traceback__"):
                raise RuntimeError("no")
            return super().__getattribute__(name)

    with pytest.raises(TaskError, match="Hostile"):
        sabir.get(fail.remote(Hostile), timeout=30)
    assert sabir.get(sabir.put(1)) == 1


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_exceptions_beside_exception_do_not_end_the_worker(kind):
    with pytest.raises(TaskError, match=kind.__name__):
        sabir.get(fail.remote(kind))


def test_recursion_without_end():
    @sabir.remote
    def deep():
        def again(n):
            return again(n + 1)

        return again(0)

    with pytest.raises(RecursionError):
        sabir.get(deep.remote())


def test_a_result_that_cannot_travel():
    @sabir.remote
    def locked():
        return {"lock": threading.Lock()}

    with pytest.raises(TypeError, match="lock"):
        sabir.get(locked.remote())


def test_an_argument_that_cannot_travel_names_the_place():
    class Engine:
        def __init__(self):
            self.parts = [1, {"lock": threading.Lock()}]

    with pytest.raises(SerializationError, match=r"value\.parts\[1\]\['lock'\]"):
        fail.remote(Engine())
    with pytest.raises(TypeError, match=r"\['lock'\]"):
        sabir.put([{"lock": threading.Lock()}])


def test_a_value_that_cannot_be_rebuilt():
    class Broken:
        def __init__(self):
            self.x = 1

        def __setstate__(self, state):
            raise RuntimeError("cannot be rebuilt")

    with pytest.raises(RuntimeError, match="cannot be rebuilt") as caught:  # as an argument: at the worker
        sabir.get(fail.remote(Broken()))
    assert isinstance(caught.value, TaskError)
    with pytest.raises(RuntimeError, match="cannot be rebuilt"):  # as a result: here
        sabir.get(sabir.put(Broken()))

    class Unwilling:
        def __reduce__(self):
            raise RuntimeError("not me")

    with pytest.raises(SerializationError, match="not me"):
        sabir.put([Unwilling()])


def test_finalizers_that_raise_harm_nobody(capfd):
    class Bad:
        def __del__(self):
            raise RuntimeError("in a finalizer")

    @sabir.remote
    def make(bad):
        Bad()
        return "made"

    assert sabir.get([make.remote(Bad()) for _ in range(20)]) == ["made"] * 20
    capfd.readouterr()


def test_a_generator_as_a_result_is_explained():
    @sabir.remote
    def generate():
        yield 1

    with pytest.raises(TypeError, match="num_returns"):
        sabir.get(generate.remote())


def test_a_function_that_cannot_travel_names_the_place():
    lock = threading.Lock()

    @sabir.remote
    def use():
        return lock

    with pytest.raises(SerializationError, match="lock"):
        use.remote()


def test_a_module_that_the_worker_lacks():
    @sabir.remote
    def lacking():
        import no_such_module_anywhere  # noqa: F401

    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        sabir.get(lacking.remote())


@pytest.mark.parametrize("end", ["kill", "exit", "abort", "segfault"])
def test_the_death_of_a_worker_is_told_and_the_rest_goes_on(end):
    @sabir.remote(max_retries=0)
    def die():
        if end == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif end == "exit":
            os._exit(7)
        elif end == "abort":
            os.abort()
        else:
            import ctypes

            ctypes.string_at(0)

    wanted = {"kill": "SIGKILL", "exit": "7", "abort": "SIGABRT", "segfault": "SIGSEGV"}[end]
    with pytest.raises(WorkerCrashedError, match=wanted):
        sabir.get(die.remote(), timeout=30)
    assert sabir.get([fail._function is not None and sabir.put(1)]) == [1]
    assert sabir.get(sabir.remote(lambda: 5).remote(), timeout=30) == 5


def test_retries_after_a_death(tmp_path):
    marks = tmp_path / "marks"

    @sabir.remote(max_retries=2)
    def twice():
        with open(marks, "a") as file:
            file.write("x")
        if marks.stat().st_size < 3:
            os._exit(1)
        return sabir.get_runtime_context().get_attempt()

    assert sabir.get(twice.remote(), timeout=60) == 2


def test_retries_of_user_errors(tmp_path):
    marks = tmp_path / "marks"

    @sabir.remote(max_retries=3, retry_exceptions=[ValueError])
    def flaky(kind):
        with open(marks, "a") as file:
            file.write("x")
        if marks.stat().st_size < 3:
            raise kind("again")
        return "done"

    assert sabir.get(flaky.remote(ValueError), timeout=60) == "done"
    marks.unlink()
    with pytest.raises(KeyError):
        sabir.get(flaky.remote(KeyError), timeout=60)
    assert marks.stat().st_size == 1


def test_an_error_in_a_list_is_raised():
    with pytest.raises(ValueError, match="bad"):
        sabir.get([sabir.put(1), fail.remote(ValueError, "bad"), sabir.put(2)])


def test_hierarchy():
    exceptions = sabir.exceptions
    for name in (
        "TaskError",
        "WorkerCrashedError",
        "ActorDiedError",
        "ActorUnavailableError",
        "GetTimeoutError",
        "ObjectStoreFullError",
        "ObjectLostError",
        "NotInitializedError",
        "TaskCancelledError",
    ):
        assert issubclass(getattr(exceptions, name), exceptions.SabirError)
    assert sys.modules["sabir.exceptions"] is exceptions


def test_causes_travel_as_error_values():
    """What drivers in other languages read of ``raise ... from ...``."""
    from sabir import _sabir
    from sabir._errors import describe_exception

    def fail():
        try:
            try:
                raise KeyError("k")
            except KeyError:
                raise ValueError("in the middle")  # noqa: B904 - the context counts, too
        except ValueError as error:
            raise RuntimeError("outside") from error

    with pytest.raises(RuntimeError) as caught:
        fail()
    fields = describe_exception(caught.value, 0)
    cause = _sabir._decode(1, 0, 0, fields["cause"])
    assert (cause["kind"], cause["language"], cause["type"]) == (12, 1, "builtins.ValueError")
    assert "in the middle" in cause["message"] and "in fail" in cause["stack"]
    assert cause["cause"]["type"] == "builtins.KeyError" and "cause" not in cause["cause"]
    with pytest.raises(RuntimeError) as suppressed:
        try:
            raise KeyError("k")
        except KeyError:
            raise RuntimeError("alone") from None
    assert "cause" not in describe_exception(suppressed.value, 0)
