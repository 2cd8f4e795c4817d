"""Programs of Ray's documentation on tasks, in our words."""

import os
import time

import numpy as np
import ray


@ray.remote
def square(x):
    return x * x


def program_parallel_squares():
    assert ray.get([square.remote(i) for i in range(4)]) == [0, 1, 4, 9]


def program_refs_are_arguments():
    first = square.remote(3)
    assert ray.get(square.remote(first)) == 81


def program_a_list_of_refs_is_not_resolved():
    @ray.remote
    def total(refs):
        assert all(isinstance(ref, ray.ObjectRef) for ref in refs)
        return sum(ray.get(refs))

    assert ray.get(total.remote([square.remote(i) for i in range(3)])) == 5


def program_keyword_arguments():
    @ray.remote
    def scaled(x, *, by=1, offset=0):
        return x * by + offset

    assert ray.get(scaled.remote(2, by=ray.put(3), offset=1)) == 7


def program_several_returns():
    @ray.remote(num_returns=3)
    def triple():
        return 0, 1, 2

    a, b, c = triple.remote()
    assert ray.get([a, b, c]) == [0, 1, 2]

    @ray.remote(num_returns=2)
    def generated():
        yield from range(2)

    assert ray.get(generated.remote()) == [0, 1]
    assert ray.get(square.options(num_returns=1).remote(5)) == 25


def program_nested_tasks():
    @ray.remote
    def outer():
        return ray.get([square.remote(i) for i in range(3)])

    assert ray.get(outer.remote()) == [0, 1, 4]


def program_recursion():
    @ray.remote
    def fib(n):
        return n if n < 2 else sum(ray.get([fib.remote(n - 1), fib.remote(n - 2)]))

    assert ray.get(fib.remote(6)) == 8


def program_wait_for_the_first():
    @ray.remote
    def sleep(seconds):
        time.sleep(seconds)
        return seconds

    refs = [sleep.remote(s) for s in (0.4, 0.0)]
    ready, rest = ray.wait(refs, num_returns=1)
    assert ray.get(ready) == [0.0] and rest == [refs[0]]
    ready, rest = ray.wait(rest, timeout=0)
    assert len(ready) + len(rest) == 1
    assert ray.wait([]) == ([], [])
    for wrong in (refs[0], (refs[0],)):
        try:
            ray.wait(wrong)
            raise AssertionError
        except TypeError:
            pass
    for bad in ({"num_returns": 5}, {"timeout": -1}):
        try:
            ray.wait(refs, **bad)
            raise AssertionError
        except ValueError:
            pass


def program_limit_pending_tasks():
    pending, done = [], 0
    for i in range(50):
        if len(pending) > 5:
            ready, pending = ray.wait(pending, num_returns=1)
            done += len(ray.get(ready))
        pending.append(square.remote(i))
    assert done + len(ray.get(pending)) == 50


def program_errors_have_two_types():
    @ray.remote
    def fail():
        raise ZeroDivisionError("by zero")

    try:
        ray.get(fail.remote())
        raise AssertionError
    except ZeroDivisionError as error:
        assert isinstance(error, ray.exceptions.RayTaskError)
        assert isinstance(error, ray.exceptions.RayError)
        assert isinstance(error.cause, ZeroDivisionError)
        assert "by zero" in str(error)
    try:
        ray.get(square.remote(fail.remote()))
        raise AssertionError
    except ray.exceptions.RayTaskError:
        pass


def program_timeouts():
    @ray.remote
    def slow():
        time.sleep(0.5)
        return 1

    ref = slow.remote()
    try:
        ray.get(ref, timeout=0.01)
        raise AssertionError
    except ray.exceptions.GetTimeoutError as error:
        assert isinstance(error, TimeoutError)
    assert ray.get(ref) == 1


def program_retries_of_exceptions():
    path = f"/tmp/ray-program-{os.getpid()}"

    @ray.remote(max_retries=3, retry_exceptions=[ValueError])
    def flaky():
        with open(path, "a") as file:
            file.write("x")
        if os.path.getsize(path) < 3:
            raise ValueError
        return os.path.getsize(path)

    try:
        assert ray.get(flaky.remote()) == 3
    finally:
        os.unlink(path)


def program_a_crash_of_the_worker():
    @ray.remote(max_retries=0)
    def crash():
        os._exit(1)

    try:
        ray.get(crash.remote())
        raise AssertionError
    except ray.exceptions.WorkerCrashedError:
        pass


def program_wrong_use():
    for wrong in (lambda: square(1), lambda: ray.remote(square)):
        try:
            wrong()
            raise AssertionError
        except TypeError:
            pass
    for wrong in (lambda: ray.remote(5), lambda: ray.remote()):
        try:
            wrong()
        except AssertionError as error:
            assert "must be applied" in str(error)
        else:
            raise AssertionError
    try:
        ray.remote(bad_option=1)(lambda: 1)
        raise AssertionError
    except ValueError:
        pass


def program_resources():
    @ray.remote(num_cpus=2, resources=None, memory=1)
    def both():
        return ray.get_runtime_context().get_node_id()

    assert ray.get(both.remote()) == ray.nodes()[0]["NodeID"]
    assert ray.cluster_resources()["CPU"] == 2
    name = next(key for key in ray.cluster_resources() if key.startswith("node:") and "internal" not in key)
    assert ray.get(square.options(resources={name: 0.01}).remote(3)) == 9


def program_map_reduce():
    @ray.remote
    def count(text):
        found = {}
        for word in text.split():
            found[word] = found.get(word, 0) + 1
        return found

    @ray.remote
    def merge(a, b):
        return {word: a.get(word, 0) + b.get(word, 0) for word in {*a, *b}}

    parts = [count.remote(text) for text in ("a b a", "b c", "a", "c c")]
    while len(parts) > 1:
        parts = [*parts[2:], merge.remote(parts[0], parts[1])]
    assert ray.get(parts[0]) == {"a": 3, "b": 2, "c": 3}


def program_monte_carlo_pi():
    @ray.remote
    def inside(count, seed):
        points = np.random.default_rng(seed).random((count, 2))
        return int(((points**2).sum(axis=1) <= 1).sum())

    hits = sum(ray.get([inside.remote(20_000, seed) for seed in range(4)]))
    assert 3.0 < 4 * hits / 80_000 < 3.3


def program_tree_reduce():
    @ray.remote
    def add(a, b):
        return a + b

    values = [ray.put(i) for i in range(1, 9)]
    while len(values) > 1:
        values = [add.remote(*values[i : i + 2]) for i in range(0, len(values), 2)]
    assert ray.get(values[0]) == 36


def program_options_that_have_no_effect_here():
    @ray.remote(enable_task_events=False, max_calls=0, scheduling_strategy="SPREAD", runtime_env={})
    def work():
        return 1

    assert ray.get(work.options(name="other", _labels={"a": "b"}).remote()) == 1


def program_dynamic_returns():
    @ray.remote(num_returns="dynamic")
    def parts(count):
        for i in range(count):
            if i == 3:
                raise ValueError("three")
            yield i

    refs = ray.get(parts.remote(3))
    assert len(refs) == 3 and [ray.get(ref) for ref in refs] == [0, 1, 2]
    *good, bad = ray.get(parts.remote(5))
    assert ray.get(good) == [0, 1, 2]
    try:
        ray.get(bad)
        raise AssertionError
    except ValueError:
        pass


def program_no_returns():
    @ray.remote(num_returns=0)
    def nothing():
        return 1

    assert not nothing.remote()
