"""Nodes that speak another version of the protocol between nodes: refused with both ranges named, at nobody's cost.

SABIR_TEST_NODE_PROTOCOL has a node say that it speaks these versions.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from nodes import TIMEOUT_S, far, get, here, status

import sabir
from sabir.cluster_utils import Cluster

VARIABLE = "SABIR_TEST_NODE_PROTOCOL"
# Of a head, and of who wants to join it.
APART = [("1-3", "4-9", "versions 1 to 3", "versions 4 to 9"), ("3-4", "1", "versions 3 to 4", "version 1")]


def join(cluster: Cluster, versions: str, folder: object) -> subprocess.CompletedProcess[str]:
    """What the command line says."""
    return subprocess.run(
        [sys.executable, "-m", "sabir", "start", "--join", cluster.head.join_string, "--num-cpus", "1"],
        env={**os.environ, VARIABLE: versions, "XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )


def start(monkeypatch: pytest.MonkeyPatch, cluster: Cluster, versions: str, **options: object) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(VARIABLE, versions)
        cluster.add_node(**options)


@pytest.mark.parametrize(("heads", "joiners", "of_head", "of_joiner"), APART)
def test_who_speaks_no_version_of_the_head_is_told_both_ranges(folder, monkeypatch, heads, joiners, of_head, of_joiner):
    with Cluster(initialize_head=False) as cluster:
        start(monkeypatch, cluster, heads, num_cpus=1)
        start(monkeypatch, cluster, heads, num_cpus=1, resources={"far": 1})
        cluster.connect(log_to_driver=False)

        @sabir.remote(num_cpus=0, resources={"far": 0.1}, max_retries=0)
        def work(index):
            return index, here()

        refs = [work.remote(index) for index in range(200)]
        refused = join(cluster, joiners, folder)
        assert refused.returncode != 0 and refused.stdout == ""
        for words in ("version skew", of_head, of_joiner, "use the same release on both"):
            assert words in refused.stderr, refused.stderr
        assert cluster.head.join_string.split("#")[1] not in refused.stderr
        assert not list(folder.glob("sabir/*/info.json")), "it left its session"
        # So is who only visits.
        with monkeypatch.context() as patch:
            patch.setenv(VARIABLE, joiners)
            program = "import sabir, sys; sabir.init(sys.argv[1], timeout_s=60)"
            visit = [sys.executable, "-c", program, cluster.head.join_string]
            visitor = subprocess.run(visit, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
        assert visitor.returncode != 0 and of_head in visitor.stderr and of_joiner in visitor.stderr, visitor.stderr
        # Nobody has lost anything, and nobody is there that was not.
        assert get(refs) == [(index, cluster.nodes[1].session) for index in range(200)]
        for node, other in (cluster.nodes, reversed(cluster.nodes)):
            known = status(node.session)["nodes"][1:]
            assert [(one["node_id"], one["alive"]) for one in known] == [(other.node_id, True)]
        start(monkeypatch, cluster, heads, num_cpus=1)


def test_nodes_that_have_a_version_in_common_speak_it(monkeypatch):
    with Cluster(initialize_head=False) as cluster:
        start(monkeypatch, cluster, "1-2", num_cpus=1)
        start(monkeypatch, cluster, "1", num_cpus=1, resources={"far": 1})
        start(monkeypatch, cluster, "1-5", num_cpus=1, resources={"farther": 1})
        cluster.connect(log_to_driver=False)
        assert get(far(here).remote()) == cluster.nodes[1].session

        def through():
            return sabir.get(far(here).remote()), here()

        way = sabir.remote(num_cpus=0, resources={"farther": 1})(through)
        assert get(way.remote()) == tuple(node.session for node in cluster.nodes[1:])
