"""Placement groups in drivers of C++ and Java, on a cluster of two nodes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped import LANGUAGE_ENVIRON, compile_cpp, compile_java, java, run, short_folder

from sabir.cluster_utils import Cluster

HERE = Path(__file__).resolve().parent
PRINTED = [
    "ready: 11",
    "STRICT_SPREAD ready 2 2",
    "named: 1",
    "bundle 0: 1",
    "bundle 1: 1",
    "captured: 1",
    "passed: 1",
    "actor: 1",
    "empty: refused",
    "index: refused",
    "large: 01",
    "removed: refused refused 0",
]


@pytest.fixture(scope="module")
def session() -> Iterator[str]:
    with Cluster(head_node_args={"num_cpus": 2, "name": "here"}) as nodes:
        nodes.add_node(num_cpus=2, name="far")
        yield nodes.head.session


def lines(*command: str | Path) -> list[str]:
    return run(*command, environ={**os.environ, **LANGUAGE_ENVIRON}).splitlines()


def test_cpp(session: str) -> None:
    with short_folder() as root:
        program = compile_cpp(Path(root) / "groups", HERE / "groups.cc")
        assert lines(program, session) == PRINTED


def test_java(session: str) -> None:
    with short_folder() as root:
        classes = compile_java(Path(root) / "code", HERE / "Groups.java")
        assert lines(*java("Groups", session, classes=classes)) == PRINTED
