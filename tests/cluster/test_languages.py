"""Functions of C++ and Java on another node, called from Python."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from nodes import get
from shipped import JAR, ROOT, compile_cpp, compile_java, short_folder

import sabir
from sabir.cluster_utils import Cluster
from sabir.exceptions import InvalidArgumentError

CODE = ROOT / "tests" / "languages" / "from_python"
FAR = {"num_cpus": 0, "resources": {"far": 1}}


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    with short_folder() as root:
        code = compile_java(Path(root) / "code", CODE / "Prices.java")
        compile_cpp(code / "libengine.so", CODE / "engine.cc", library=True)
        shutil.copy(CODE / "functions.py", code)
        with Cluster(head_node_args={"num_cpus": 1}) as nodes:
            nodes.add_node(num_cpus=1, resources={"far": 2})
            nodes.connect(code_search_path=[code], java_jar=JAR, log_to_driver=False)
            yield


@pytest.mark.parametrize(
    "echo", [sabir.cpp_function("echo"), sabir.java_function("Prices", "echo")], ids=["cpp", "java"]
)
def test_values(echo):
    far = echo.options(**FAR)
    for value in (None, 1, 2.5, "text", [1, [2, {"a": "b"}]], b"\0" * 100_000):
        assert get(far.remote(value)) == value
    matrix = np.arange(300_000, dtype=np.int32).reshape(300, 1000)
    assert np.array_equal(get(far.remote(matrix)), matrix)


def test_a_chain_through_three_languages_and_two_nodes():
    first = sabir.cpp_function("add").options(**FAR).remote(1, 2)
    second = sabir.java_function("Prices", "sum").remote(first, 3)
    assert get(sabir.cpp_function("add").options(**FAR).remote(second, first)) == 9


def test_an_error_of_the_other_node_says_what_it_is():
    with pytest.raises(InvalidArgumentError, match="no method fits the arguments"):
        get(sabir.java_function("Prices", "sum").options(**FAR).remote("a", 1))


@pytest.mark.parametrize(
    "actor_class", [sabir.cpp_actor_class("Counter"), sabir.java_actor_class("Prices")], ids=["cpp", "java"]
)
def test_actors(actor_class):
    actor = actor_class.options(**FAR).remote(10)
    assert get([actor.add.remote(1) for _ in range(20)]) == list(range(11, 31))
    assert get(sabir.java_function("Prices", "sum").options(**FAR).remote(actor.add.remote(1), 4)) == 35
