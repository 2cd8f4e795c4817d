"""Tasks: arguments, returns, nesting, functions of every kind."""

from __future__ import annotations

import functools
import os
import time

import pytest

import sabir

pytestmark = pytest.mark.usefixtures("session")


@sabir.remote
def add(a, b=10, *, c=0):
    return a + b + c


@sabir.remote
def identity(value):
    return value


@sabir.remote
def fib(n):
    if n < 2:
        return n
    return sum(sabir.get([fib.remote(n - 1), fib.remote(n - 2)]))


def test_arguments():
    assert sabir.get(add.remote(1)) == 11
    assert sabir.get(add.remote(1, 2)) == 3
    assert sabir.get(add.remote(1, b=2, c=3)) == 6
    assert sabir.get(add.remote(a=1)) == 11


@pytest.mark.parametrize("arguments", [((), {}), ((1, 2, 3), {}), ((1,), {"d": 4}), ((1,), {"a": 1})])
def test_wrong_arguments_fail_where_the_call_is_made(arguments):
    args, kwargs = arguments
    with pytest.raises(TypeError, match="add"):
        add.remote(*args, **kwargs)


def test_references_as_arguments_are_resolved():
    assert sabir.get(add.remote(add.remote(1, 1), b=add.remote(2, 2))) == 6


def test_references_in_containers_are_not_resolved():
    @sabir.remote
    def inspect(items, mapping):
        assert all(isinstance(item, sabir.ObjectRef) for item in [*items, *mapping.values()])
        return sabir.get([*items, *mapping.values()])

    refs = [identity.remote(i) for i in range(3)]
    assert sabir.get(inspect.remote(refs[:2], {"x": refs[2]})) == [0, 1, 2]


def test_references_that_come_back_in_a_result():
    @sabir.remote
    def make():
        return {"put": sabir.put([1, 2]), "pending": identity.remote("later")}

    refs = sabir.get(make.remote())
    assert sabir.get(refs["put"]) == [1, 2]
    assert sabir.get(refs["pending"]) == "later"


def test_a_pending_reference_inside_an_argument():
    @sabir.remote
    def slow():
        time.sleep(0.2)
        return "done"

    @sabir.remote
    def wait_inside(box):
        return sabir.get(box[0])

    assert sabir.get(wait_inside.remote([slow.remote()])) == "done"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_num_returns(count):
    @sabir.remote(num_returns=count)
    def several():
        return None if count == 0 else 7 if count == 1 else tuple(range(count))

    refs = several.remote()
    if count == 0:
        assert refs is None
    elif count == 1:
        assert sabir.get(refs) == 7
    else:
        assert sabir.get(refs) == list(range(count))


def test_a_generator_gives_several_returns():
    @sabir.remote(num_returns=3)
    def generate():
        yield from "abc"

    assert sabir.get(generate.remote()) == ["a", "b", "c"]


def test_a_wrong_number_of_returns_is_an_error():
    @sabir.remote(num_returns=3)
    def two():
        return 1, 2

    with pytest.raises(ValueError, match=r"3 values.* 2$"):
        sabir.get(two.remote()[0])

    @sabir.remote(num_returns=3)
    def endless():
        while True:
            yield 1

    for ref in endless.remote():
        with pytest.raises(ValueError, match=r"3 values.*more"):
            sabir.get(ref, timeout=30)

    @sabir.remote(num_returns=3)
    def none():
        return None

    with pytest.raises(TypeError, match=r"3 values.*NoneType"):
        sabir.get(none.remote()[0])

    @sabir.remote(num_returns=3)
    def fails_on_the_way():
        yield 1
        raise KeyError("second")

    with pytest.raises(KeyError, match="second"):
        sabir.get(fails_on_the_way.remote()[0])


def test_closures_lambdas_and_partials():
    factor = 3
    triple = sabir.remote(lambda x: factor * x)
    assert sabir.get(triple.remote(5)) == 15

    captured = {"a": [1, 2]}

    @sabir.remote
    def read():
        return captured

    assert sabir.get(read.remote()) == {"a": [1, 2]}
    wrapped = functools.partial(lambda a, b: (a, b), 1)
    assert sabir.get(sabir.remote(lambda b: wrapped(b)).remote(2)) == (1, 2)


def test_recursion_on_two_cpus_does_not_deadlock():
    assert sabir.get(fib.remote(9), timeout=60) == 34


def test_nested_chain():
    @sabir.remote
    def chain(depth):
        return 0 if depth == 0 else 1 + sabir.get(chain.remote(depth - 1))

    assert sabir.get(chain.remote(6), timeout=60) == 6


def test_a_chain_of_dependencies_runs_without_the_driver():
    marks = [identity.remote(0)]
    for _ in range(50):
        marks.append(add.remote(marks[-1], 1))
    time.sleep(0.5)  # the driver does nothing; its dependent calls must go out all the same
    assert marks[-1]._ready()
    assert sabir.get(marks[-1]) == 50


def test_names_of_arguments_are_free():
    @sabir.remote
    def names(self=1, args=2, kwargs=3, name=4, /, function=5, **more):
        return self, args, kwargs, name, function, more

    wanted = (9, 2, 3, 4, 8, {"self": 7, "refs": "x"})
    assert sabir.get(names.remote(9, function=8, self=7, refs=sabir.put("x"))) == wanted


def test_the_same_reference_several_times():
    @sabir.remote
    def same(a, b, *, c):
        return a == b == c == "x" * 100_000

    ref = sabir.put("x" * 100_000)
    assert sabir.get(same.remote(ref, ref, c=ref))


def test_defaults_and_variadic_arguments():
    @sabir.remote
    def variadic(a, b=(), *args, k=3, **kwargs):
        return a, b, args, k, kwargs

    assert sabir.get(variadic.remote(1)) == (1, (), (), 3, {})
    wanted = (1, 2, (3, 4), "k", {"z": "z"})
    assert sabir.get(variadic.remote(1, 2, 3, sabir.put(4), k=sabir.put("k"), z="z")) == wanted
    assert sabir.get(variadic.remote(*range(1000), **{f"k{i}": i for i in range(200)}))[2][-1] == 999
    with pytest.raises(ValueError, match="65535"):
        variadic.remote(*range(70_000))


def test_a_function_defined_again_is_another():
    results = []
    for i in range(5):
        space = {"sabir": sabir}
        exec(f"@sabir.remote\ndef again():\n    return {i}\n", space)
        results.append(sabir.get(space["again"].remote()))
    assert results == [0, 1, 2, 3, 4]


def test_async_functions_are_refused_by_name():
    with pytest.raises(ValueError, match="async function"):

        @sabir.remote
        async def wait():
            pass

    with pytest.raises(ValueError, match="async function"):

        @sabir.remote(num_cpus=1)
        async def generate():
            yield 1


def test_options_do_not_change_the_original():
    two = add.options(num_returns=2, name="two")
    assert two._options["num_returns"] == 2
    assert "num_returns" not in add._options
    assert sabir.get(add.remote(1)) == 11


def test_a_remote_function_cannot_be_called():
    with pytest.raises(TypeError, match=r"\.remote"):
        add(1)


def test_tasks_run_in_other_processes_at_the_same_time():
    @sabir.remote
    def meet(seconds):
        time.sleep(seconds)
        return os.getpid()

    pids = sabir.get([meet.remote(0.5), meet.remote(0.5)])
    assert os.getpid() not in pids
    assert len(set(pids)) == 2


def test_recursion_deeper_than_there_are_workers():
    @sabir.remote
    def down(depth):
        return 0 if depth == 0 else 1 + sabir.get(down.remote(depth - 1))

    assert sabir.get(down.remote(40), timeout=120) == 40


def test_what_a_task_may_start_itself():
    @sabir.remote
    def threads():
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(4) as pool:
            return sum(pool.map(lambda i: sabir.get(identity.remote(i)), range(50)))

    @sabir.remote
    def loop():
        import asyncio

        async def main():
            return sum(await asyncio.gather(*[identity.remote(i) for i in range(10)]))

        return asyncio.run(main())

    @sabir.remote
    def processes():
        import multiprocessing

        with multiprocessing.get_context("fork").Pool(2) as pool:
            return sum(pool.map(abs, [-1, -2]))

    # Side by side, so that all CPUs are held by those that wait: by their threads, or by an event loop.
    calls = [threads, threads, loop, loop, processes, threads, loop, processes]
    assert sabir.get([call.remote() for call in calls], timeout=120) == [
        {threads: 1225, loop: 45, processes: 3}[call] for call in calls
    ]


def test_a_thread_that_a_task_leaves_behind_holds_up_nobody():
    @sabir.remote
    def leave_behind():
        import threading

        never = sabir.remote(lambda: time.sleep(3)).remote()
        threading.Thread(target=sabir.get, args=([never],), daemon=True).start()
        time.sleep(0.1)
        return os.getpid()

    for _ in range(3):
        sabir.get([leave_behind.remote() for _ in range(2)], timeout=60)
        assert sabir.get([identity.remote(i) for i in range(200)], timeout=60) == list(range(200))


def test_many_calls():
    assert sabir.get([identity.remote(i) for i in range(20_000)]) == list(range(20_000))


def test_a_flood_larger_than_every_queue_is_in_order_of_results():
    refs = [identity.remote(i) for i in range(50_000)]
    assert sabir.get(refs[-1]) == 49_999
    assert sum(sabir.get(refs)) == sum(range(50_000))


def test_threads_submit_side_by_side():
    from concurrent.futures import ThreadPoolExecutor

    def work(base):
        return sum(sabir.get([add.remote(base, i) for i in range(500)]))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [500 * base + sum(range(500)) for base in range(4)]


def test_a_large_argument_and_a_large_result():
    data = os.urandom(3 << 20)
    assert sabir.get(identity.remote(data)) == data


def test_sizes_around_every_limit():
    for size in [0, 1, 40, 56, 57, 63, 64, 65, 4096, 65_000, 65_535, 65_536, 65_537, 1 << 20]:
        data = b"x" * size
        assert sabir.get(identity.remote(data)) == data, size


def test_runtime_context():
    @sabir.remote(name="named")
    def about():
        context = sabir.get_runtime_context()
        return context.get_task_name(), context.get_task_id(), context.get_job_id(), context.get_attempt()

    name, task_id, job_id, attempt = sabir.get(about.remote())
    assert name == "named"
    assert len(task_id) == 32
    assert job_id == sabir.get_runtime_context().get_job_id()
    assert attempt == 0
    assert sabir.get_runtime_context().get_task_id() is None
