"""What a type checker says about a user's program. Not run: mypy reads it (test_typing.py).

`assert_type` is an error where the inferred type is another one. A line with `type: ignore[code]` must be an error of
that code: ignores that nothing needs are errors themselves here.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

from typing_extensions import assert_type

import sabir
from sabir import ActorClass, ActorHandle, ObjectRef, RemoteFunction


@sabir.remote
def scale(values: list[float], factor: float = 1.0) -> list[float]:
    return [factor * value for value in values]


@sabir.remote(num_cpus=2, max_retries=0)
def name_of(number: int, *, upper: bool) -> str:
    return str(number).upper() if upper else str(number)


class Counter:
    def __init__(self, start: int = 0) -> None:
        self.value = start

    @sabir.method(num_returns=2)
    def pair(self) -> tuple[int, int]:
        return self.value, self.value


class Model:
    pass


def functions() -> None:
    ref = scale.remote([1.0], factor=2.0)
    assert_type(ref, "ObjectRef[list[float]]")
    assert_type(sabir.get(ref), "list[float]")
    assert_type(sabir.get([ref, ref], timeout=1.5), "list[list[float]]")
    assert_type(name_of.remote(3, upper=True), "ObjectRef[str]")
    changed = name_of.options(name="other").remote(1, upper=False)
    assert_type(changed, "ObjectRef[str]")


def wrong_calls() -> None:
    scale.remote()  # type: ignore[call-overload]
    scale.remote([1.0], factor="2")  # type: ignore[call-overload]
    name_of.remote(1, True)  # type: ignore[call-overload]
    name_of.remote("1", upper=True)  # type: ignore[call-overload]
    sabir.get((1, 2))  # type: ignore[call-overload]
    sabir.get(scale)  # type: ignore[call-overload]
    sabir.wait(scale.remote([]))  # type: ignore[arg-type]
    sabir.init(cpus=2)  # type: ignore[call-arg]


def references_stand_for_values() -> None:
    data = sabir.put([1.0, 2.0])
    assert_type(data, "ObjectRef[list[float]]")
    assert_type(scale.remote(data), "ObjectRef[list[float]]")
    assert_type(scale.remote(scale.remote(data), 2.0), "ObjectRef[list[float]]")
    assert_type(scale.remote([1.0], sabir.put(2.0)), "ObjectRef[list[float]]")


def waiting() -> None:
    refs = [scale.remote([1.0]) for _ in range(3)]
    ready, rest = sabir.wait(refs, num_returns=2, timeout=0.5)
    assert_type(ready, "list[ObjectRef[list[float]]]")
    assert_type(rest, "list[ObjectRef[list[float]]]")
    assert_type(refs[0].future(), "Future[list[float]]")
    assert_type(refs[0].hex(), str)


async def awaiting() -> None:
    assert_type(await scale.remote([1.0]), "list[float]")
    assert_type(await asyncio.gather(scale.remote([1.0]), name_of.remote(1, upper=True)), "tuple[list[float], str]")


def actors() -> None:
    # mypy does not look at what a class decorator returns, so the call is written out; pyright takes @sabir.remote.
    counters = sabir.remote(Counter)
    assert_type(counters, "ActorClass[Counter]")
    counter = counters.remote(3)
    assert_type(counter, "ActorHandle[Counter]")
    named = counters.options(name="counter", lifetime="detached").remote()
    assert_type(sabir.remote(num_gpus=0.5, max_restarts=1)(Model), "ActorClass[Model]")
    sabir.kill(counter, no_restart=True)
    sabir.get(named.pair.remote())
    handle: ActorHandle[Any] = sabir.get_actor("counter")
    sabir.kill("counter")  # type: ignore[arg-type]
    del handle


def session() -> None:
    with sabir.init("local", num_cpus=2, resources={"disk": 1.5}, object_store_memory=1 << 30) as context:
        assert_type(context, sabir.Context)
        assert_type(context.session_path, str)
    assert_type(sabir.is_initialized(), bool)
    assert_type(sabir.cluster_resources(), "dict[str, float]")
    assert_type(sabir.nodes(), "list[dict[str, Any]]")
    assert_type(sabir.get_runtime_context().get_task_id(), "str | None")


def as_annotations(ref: ObjectRef[int], function: RemoteFunction[[int], str], actor: ActorClass[Any]) -> Future[int]:
    assert_type(function.remote(sabir.get(ref)), "ObjectRef[str]")
    actor.remote()
    return ref.future()
