"""Graphs by .bind: each node runs once per execution, in the order that its arguments ask for."""

from __future__ import annotations

from collections import namedtuple

import pytest

import sabir
from sabir.dag import DAGNode, InputNode, MultiOutputNode

pytestmark = pytest.mark.usefixtures("session")


@sabir.remote
def add(a, b=0):
    return a + b


@sabir.remote
def total(refs, more):
    return sum(sabir.get(refs)) + sabir.get(more["x"])


@sabir.remote
class Counter:
    def __init__(self, value=0):
        self.value = value

    def add(self, amount):
        self.value += amount
        return self.value

    def get(self):
        return self.value


def test_functions():
    dag = add.bind(add.bind(1, 2), b=add.bind(3))
    assert isinstance(dag, DAGNode)
    assert sabir.get(dag.execute()) == 6
    assert sabir.get(add.options(name="other").bind(1, 1).execute()) == 2
    assert dag.get_kwargs().keys() == {"b"} and len(dag.get_args()) == 1


def test_nodes_inside_values_become_references():
    dag = total.bind([add.bind(1), add.bind(2)], {"x": add.bind(3)})
    assert sabir.get(dag.execute()) == 6


def test_a_shared_node_runs_once():
    log = Counter.remote()
    shared = log.add.bind(1)
    assert sabir.get(add.bind(shared, shared).execute()) == 2
    assert sabir.get(log.get.remote()) == 1


def test_a_long_chain():
    dag = add.bind(0, 1)
    for _ in range(2000):
        dag = add.bind(dag, 1)
    assert sabir.get(dag.execute()) == 2001


def test_inputs():
    with InputNode() as x:
        dag = add.bind(x, 10)
    assert sabir.get(dag.execute(5)) == 15
    assert sabir.get(dag.execute(6)) == 16
    with InputNode() as x:
        parts = add.bind(x[0], x.b)
        by_key = add.bind(x["a"], x["b"])
        by_name = add.bind(x.a, x.b)
    assert sabir.get(parts.execute(1, b=2)) == 3
    assert sabir.get(by_key.execute({"a": 1, "b": 3})) == 4
    assert sabir.get(by_name.execute(namedtuple("Pair", "a b")(2, 3))) == 5
    with pytest.raises(AttributeError):
        x.bind()
    with pytest.raises(TypeError):
        x[1.5]


def test_actors_are_made_anew_and_calls_keep_their_order():
    counter = Counter.bind(10)
    counter.add.bind(2)  # its result is not used, and it is made
    counter.add.bind(3)
    dag = counter.get.bind()
    assert sabir.get(dag.execute()) == 15
    assert sabir.get(dag.execute()) == 15
    assert sabir.get(counter.add.options(name="last").bind(1).execute()) == 16
    handle = counter.execute()
    assert sabir.get(handle.get.remote()) == 10
    with pytest.raises(AttributeError):
        counter.missing  # noqa: B018


def test_methods_of_a_living_actor():
    counter = Counter.remote(1)
    with InputNode() as x:
        dag = add.bind(counter.add.bind(x), 100)
    assert [sabir.get(dag.execute(n)) for n in (1, 2)] == [102, 104]


def test_several_ends():
    with InputNode() as x:
        dag = MultiOutputNode([add.bind(x, 1), add.bind(x, 2), x])
    *refs, given = dag.execute(1)
    assert sabir.get(refs) == [2, 3] and given == 1


def test_what_is_not_there():
    dag = add.bind(1)
    with pytest.raises(NotImplementedError, match="compiled"):
        dag.experimental_compile()
    for wrong in ("bind", "remote"):
        with pytest.raises(AttributeError, match="execute"):
            getattr(dag, wrong)
    with pytest.raises(ValueError):
        MultiOutputNode(dag)
