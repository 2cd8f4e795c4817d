"""Strategies in drivers of C++ and Java, on a cluster of two nodes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped import LANGUAGE_ENVIRON, compile_cpp, compile_java, java, run, short_folder

from sabir.cluster_utils import Cluster

HERE = Path(__file__).resolve().parent
PRINTED = [
    "here is in eu, alive 1",
    "far is in us, alive 1",
    "node: far here",
    "soft: 1",
    "labels: far here",
    "fallback: far",
    "spread: 2",
    "hard: it may run on one node only, and that can never be: node aaaaaaaa is not in the cluster",
    "refused",
]


@pytest.fixture(scope="module")
def session() -> Iterator[str]:
    head = {"num_cpus": 2, "name": "here", "labels": {"zone": "eu"}}
    with Cluster(head_node_args=head) as nodes:
        nodes.add_node(num_cpus=2, name="far", labels={"zone": "us"})
        yield nodes.head.session


def lines(*command: str | Path) -> list[str]:
    return run(*command, environ={**os.environ, **LANGUAGE_ENVIRON}).splitlines()


def test_cpp(session: str) -> None:
    with short_folder() as root:
        program = compile_cpp(Path(root) / "strategies", HERE / "strategies.cc")
        assert lines(program, session) == PRINTED


def test_java(session: str) -> None:
    with short_folder() as root:
        classes = compile_java(Path(root) / "code", HERE / "Strategies.java")
        assert lines(*java("Strategies", session, classes=classes)) == PRINTED
