"""Strategies in a session of one node. With several: tests/cluster/test_strategies.py."""

from __future__ import annotations

import pickle

import pytest

import sabir
from sabir.exceptions import InvalidArgumentError, TaskUnschedulableError
from sabir.util.scheduling_strategies import (
    DoesNotExist,
    Exists,
    In,
    NodeAffinitySchedulingStrategy,
    NodeLabelSchedulingStrategy,
    NotIn,
)


@sabir.remote
def where() -> str:
    return sabir.get_runtime_context().get_node_id()


@sabir.remote
class Place:
    def where(self) -> str:
        return sabir.get_runtime_context().get_node_id()


def here() -> str:
    return sabir.get_runtime_context().get_node_id()


def options_that_fit() -> list[dict[str, object]]:
    return [
        {"scheduling_strategy": "DEFAULT"},
        {"scheduling_strategy": "SPREAD"},
        {"scheduling_strategy": NodeAffinitySchedulingStrategy(here(), soft=False)},
        {"scheduling_strategy": NodeAffinitySchedulingStrategy("ab" * 16, soft=True)},
        {"scheduling_strategy": NodeLabelSchedulingStrategy({"sabir.io/node-id": In(here()), "x": NotIn("a", "b")})},
        {"scheduling_strategy": NodeLabelSchedulingStrategy({"x": DoesNotExist()}, {"x": Exists()})},
        {"label_selector": {"sabir.io/node-id": here(), "zone": "!eu"}},
        {"label_selector": {"zone": "eu"}, "fallback_strategy": [{"label_selector": {"zone": "!exists()"}}]},
    ]


@pytest.mark.usefixtures("session")
def test_what_this_node_meets_runs_here():
    for options in options_that_fit():
        assert sabir.get(where.options(**options).remote(), timeout=60) == here(), options
        assert sabir.get(Place.options(**options).remote().where.remote(), timeout=60) == here(), options


@pytest.mark.usefixtures("session")
def test_a_node_that_there_is_not():
    strategy = NodeAffinitySchedulingStrategy("ab" * 16, soft=False)
    bound = where.options(scheduling_strategy=strategy)
    for ref in [bound.remote() for _ in range(3)]:
        with pytest.raises(TaskUnschedulableError, match="node abababab is not in this session"):
            sabir.get(ref, timeout=60)
    with pytest.raises(TaskUnschedulableError):
        Place.options(scheduling_strategy=strategy).remote()


@pytest.mark.usefixtures("session")
def test_labels_that_no_node_has_wait(capsys):
    ref = where.options(label_selector={"zone": "eu"}).remote()
    assert sabir.wait([ref], timeout=0.5) == ([], [ref])
    with pytest.raises(TaskUnschedulableError, match="zone = eu"):
        Place.options(label_selector={"zone": "eu"}).remote()
    assert sabir.get(where.remote(), timeout=60) == here(), "and keep nobody else from running"


@pytest.mark.usefixtures("session")
def test_conditions_that_cannot_be_read():
    for text in ("in(", "in()", "a(b)", "!!a"):
        with pytest.raises(InvalidArgumentError, match="zone"):
            where.options(label_selector={"zone": text}).remote()


def test_options_are_checked_where_they_are_given():
    for options in (
        {"scheduling_strategy": 1},
        {"label_selector": "zone=eu"},
        {"label_selector": {"zone": 1}},
        {"label_selector": {"": "eu"}},
        {"label_selector": {"zone": "eu"}, "fallback_strategy": {"zone": "us"}},
    ):
        with pytest.raises(TypeError):
            where.options(**options)
    for options in (
        {"scheduling_strategy": "PACK"},
        {"label_selector": {"zone": "eu"}, "fallback_strategy": [{"zone": "us"}]},
        {"fallback_strategy": [{"label_selector": {"zone": "us"}}]},
    ):
        with pytest.raises(ValueError):
            where.options(**options)
        with pytest.raises(ValueError):
            sabir.remote(**options)(lambda: None)
    for bad in (lambda: In(), lambda: NotIn(1), lambda: NodeLabelSchedulingStrategy({"a": "b"})):
        with pytest.raises(TypeError):
            bad()
    with pytest.raises(ValueError, match="both empty"):
        NodeLabelSchedulingStrategy({})


def test_strategies_are_values():
    strategy = NodeAffinitySchedulingStrategy("ab" * 16, soft=True)
    assert pickle.loads(pickle.dumps(strategy)) == strategy
    assert where.options(scheduling_strategy=strategy).options(num_cpus=2)._options["scheduling_strategy"] == strategy
