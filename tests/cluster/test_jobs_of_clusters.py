"""The control store knows the jobs of all nodes: which run, since when, and how they ended."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from nodes import status, wait_until

from sabir.cluster_utils import Cluster

PROGRAM = """
import sys, sabir
sabir.init(sys.argv[1], job_name=sys.argv[2], log_to_driver=False)
print(sabir.get_runtime_context().get_job_id(), flush=True)
sys.stdin.readline()
sabir.shutdown()
"""


@contextlib.contextmanager
def driver(session: str, name: str) -> Iterator[Any]:
    command = [sys.executable, "-c", PROGRAM, session, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            program.job_id = program.stdout.readline().strip()
            yield program
        finally:
            program.kill()


def jobs(session: str) -> dict[str, dict[str, Any]]:
    return {job["name"]: job for job in status(session)["cluster_jobs"]}


def states(session: str) -> dict[str, str]:
    return {name: job["state"] for name, job in jobs(session).items()}


def test_jobs_are_known_to_all_nodes_and_end_with_their_drivers():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=1)
        both = [cluster.head.session, node.session]
        with driver(cluster.head.session, "first") as first, driver(node.session, "second") as second:
            for session in both:
                wait_until(
                    lambda session=session: states(session) == {"first": "running", "second": "running"},
                    lambda session=session: jobs(session),
                )
            known = jobs(node.session)
            assert known["first"]["node_id"] == cluster.head.node_id
            assert known["second"]["node_id"] == node.node_id
            assert known["second"]["driver_pid"] == second.pid
            assert all(job["started_unix_ms"] > 0 and job["ended_unix_ms"] == 0 for job in known.values())
            killed = cluster.kill_control()
            second.kill()  # its end is told to the next one
            first.stdin.write("end\n")
            first.stdin.flush()
            first.wait(timeout=60)
            wait_until(lambda: cluster.control_pid() not in (0, killed), "another one serves")
            for session in both:
                wait_until(
                    lambda session=session: states(session) == {"first": "ended", "second": "ended"},
                    lambda session=session: jobs(session),
                )
            ended = jobs(node.session)
            assert all("its driver" in job["end"] for job in ended.values()), ended
            assert all(job["ended_unix_ms"] >= job["started_unix_ms"] > 0 for job in ended.values())
        shown = subprocess.run(
            [sys.executable, "-m", "sabir", "status", "--address", node.session],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert "Jobs of the cluster: 0 running" in shown and "(its driver " in shown, shown


def test_a_job_whose_node_dies_is_ended_in_the_record():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=1)
        with driver(cluster.head.session, "at-head"), driver(node.session, "at-node"):
            wait_until(lambda: len(states(node.session)) == 2, lambda: jobs(node.session))
            cluster.kill_head()
            cluster.restart_head()
            for session in (cluster.head.session, node.session):
                wait_until(
                    lambda session=session: states(session) == {"at-head": "ended", "at-node": "running"},
                    lambda session=session: jobs(session),
                )
            assert "its node is gone" in jobs(node.session)["at-head"]["end"]
            cluster.remove_node(node, allow_graceful=False)
            wait_until(
                lambda: states(cluster.head.session) == {"at-head": "ended", "at-node": "ended"},
                lambda: jobs(cluster.head.session),
            )
