"""Nodes that come and go: each test has a cluster of its own on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import leaks
import pytest
from nodes import TIMEOUT_S, far, get, here, settled, status, wait_until

import sabir
from sabir.cluster_utils import Cluster
from sabir.exceptions import ActorDiedError, ActorUnavailableError, SabirError


def test_a_node_that_is_killed_loses_no_result():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        victim = cluster.add_node(num_cpus=2)
        cluster.connect(log_to_driver=False)

        @sabir.remote(max_retries=5)
        def work(index):
            time.sleep(0.05)
            return index, here()

        refs = [work.remote(index) for index in range(120)]
        sabir.wait(refs, num_returns=20, timeout=30)
        cluster.remove_node(victim, allow_graceful=False)
        results = get(refs)
        assert [index for index, _ in results] == list(range(120))
        head = cluster.head.session
        wait_until(lambda: [node["alive"] for node in status(head)["nodes"][1:]] == [False], "it is given up")
        # Another one takes its place.
        again = cluster.add_node(num_cpus=2)
        results = get([work.remote(index) for index in range(60)])
        assert again.session in {session for _, session in results}
        del refs, results
        wait_until(lambda: settled(head), lambda: status(head))


def test_a_node_whose_gateway_is_killed_loses_no_result():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        victim = cluster.add_node(num_cpus=2)
        cluster.connect(log_to_driver=False)

        @sabir.remote(max_retries=5)
        def work(index):
            time.sleep(0.05)
            return index

        refs = [work.remote(index) for index in range(120)]
        sabir.wait(refs, num_returns=20, timeout=30)
        ends = leaks.descendants(victim.pid)
        os.kill(leaks.gateway_of(victim.pid), signal.SIGKILL)
        assert get(refs) == list(range(120))
        leaks.assert_ended(ends, "processes of a node without its gateway")
        assert not os.path.exists(victim.session), "it ended in order"
        cluster.remove_node(victim, allow_graceful=False)
        del refs
        wait_until(lambda: settled(cluster.head.session), lambda: status(cluster.head.session))


# Has calls under way on another node, with a large argument, and waits for them.
GUEST = """
import sys, time
import sabir
sabir.init(sys.argv[1], log_to_driver=False)
@sabir.remote(num_cpus=0, resources={"far": 1})
def forever(data):
    time.sleep(1000)
refs = [forever.remote(sabir.put(b"x" * 3_000_000)) for _ in range(20)]
print("under way", flush=True)
sabir.get(refs)
"""


def test_a_driver_that_is_killed_leaves_nothing_on_another_node():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=1, resources={"far": 2})
        command = [sys.executable, "-c", GUEST, cluster.head.session]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as guest:
            assert guest.stdout.readline() == "under way\n"
            wait_until(lambda: any(w["running"] for w in status(node.session)["nodes"][0]["workers"]), "it runs there")
            guest.kill()
        for session in (node.session, cluster.head.session):
            wait_until(lambda session=session: settled(session), lambda session=session: status(session))
            wait_until(lambda session=session: not status(session)["nodes"][0]["workers"], "its workers are ended")


class Counter:
    def __init__(self, start):
        self.value = start

    def add(self):
        self.value += 1
        return self.value, here()


def reached(call):
    """What the actor answers, as soon as it lives again."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return get(call.remote())
        except ActorUnavailableError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_an_actor_survives_its_node():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        victim = cluster.add_node(num_cpus=1, resources={"far": 1})
        cluster.connect(log_to_driver=False)
        counter = sabir.remote(num_cpus=0, resources={"far": 1}, max_restarts=1)(Counter).remote(10)
        assert get([counter.add.remote() for _ in range(3)])[-1] == (13, victim.session)
        other = cluster.add_node(num_cpus=1, resources={"far": 1})
        cluster.remove_node(victim, allow_graceful=False)
        assert reached(counter.add) == (11, other.session), "made anew on the node that has room"
        cluster.remove_node(other, allow_graceful=False)
        with pytest.raises(ActorDiedError, match="after 1 restarts"):
            reached(counter.add)
        del counter
        wait_until(lambda: settled(cluster.head.session), lambda: status(cluster.head.session))


def test_a_handle_outlives_its_home_as_one_of_a_dead_actor():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        victim = cluster.add_node(num_cpus=1, resources={"far": 2})
        cluster.connect(log_to_driver=False)

        @far
        def make():
            counter = sabir.remote(num_cpus=0)(Counter).remote(0)
            return counter, sabir.get(counter.add.remote())

        counter, (value, session) = get(make.remote())
        assert (value, session) == (1, victim.session)
        assert get(counter.add.remote()) == (2, victim.session), "the home is where it was made"
        cluster.remove_node(victim, allow_graceful=False)
        with pytest.raises(ActorDiedError, match="node is gone"):
            reached(counter.add)


# Makes two nodes with a call under way on the second, says who they are, and waits.
MAKER = """
import json, sys, time
import sabir
from sabir.cluster_utils import Cluster
cluster = Cluster(head_node_args={"num_cpus": 1})
cluster.add_node(num_cpus=1, resources={"far": 1})
cluster.connect(log_to_driver=False)
@sabir.remote(num_cpus=0, resources={"far": 1})
def forever(path):
    open(path, "w").close()
    time.sleep(1000)
ref = forever.remote(sys.argv[1])
print(json.dumps([(node.pid, node.session) for node in cluster.nodes]), flush=True)
time.sleep(1000)
"""


def test_nodes_end_with_the_process_that_made_them(folder):
    started = folder / "started"
    with subprocess.Popen([sys.executable, "-c", MAKER, str(started)], stdout=subprocess.PIPE, text=True) as maker:
        nodes = json.loads(maker.stdout.readline())
        wait_until(started.exists, "the call runs")
        pids = [pid for daemon, _ in nodes for pid in leaks.descendants(daemon)]
        assert len(pids) >= 5, "two daemons, two gateways, a worker"
        maker.send_signal(signal.SIGKILL)
    leaks.assert_ended(pids)
    for _, session in nodes:
        assert not os.path.exists(session), "it ended in order"


def test_a_job_ends_on_all_nodes():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=1, resources={"far": 1})
        cluster.connect(log_to_driver=False)

        @far
        def forever():
            time.sleep(1000)

        forever.remote()
        wait_until(lambda: any(worker["running"] for worker in status(node.session)["nodes"][0]["workers"]), "it runs")
        sabir.shutdown()
        wait_until(lambda: not status(node.session)["nodes"][0]["workers"], "its workers are ended there, too")
        assert settled(node.session) or wait_until(lambda: settled(node.session), "") is None


def test_without_tls():
    with Cluster(head_node_args={"num_cpus": 1, "insecure": True}) as cluster:
        assert cluster.head.join_string.endswith("#insecure")
        node = cluster.add_node(num_cpus=1, resources={"far": 1}, insecure=True)
        cluster.connect(log_to_driver=False)
        assert get(far(here).remote()) == node.session
        with pytest.raises(SabirError, match="--insecure"):
            cluster.add_node(insecure=False)


def test_who_may_not_join():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        good = cluster.head.join_string
        address, token, fingerprint = good.split("#")
        other_token = ("A" if token[0] != "A" else "B") + token[1:]
        other_print = ("0" if fingerprint[0] != "0" else "1") + fingerprint[1:]
        for join_string, complaint in (
            (f"{address}#{other_token}#{fingerprint}", "wrong token"),
            (f"{address}#{token}#{other_print}", "wrong fingerprint|fingerprint"),
            (f"{address}#{token}", "join string|character"),
            ("nonsense", "join string|character"),
        ):
            cluster.head.join_string = join_string
            with pytest.raises(SabirError, match=complaint) as refused:
                cluster.add_node(num_cpus=1)
            assert token not in str(refused.value)
        cluster.head.join_string = good
        # What is no node does not disturb those that are.
        host, port = cluster.head.address.split(":")
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 5000, b""):
            with socket.create_connection((host, int(port))) as stranger:
                stranger.sendall(garbage)
        cluster.add_node(num_cpus=1)
        assert len(status(cluster.head.session)["nodes"]) == 2


def test_a_job_outlives_a_node_that_called_back():
    with Cluster(head_node_args={"num_cpus": 1, "resources": {"near": 1}}) as cluster:
        node = cluster.add_node(num_cpus=1, resources={"far": 1})
        cluster.connect(log_to_driver=False)

        @sabir.remote(num_cpus=0, resources={"near": 1})
        def near():
            return here()

        @far
        def back():
            return sabir.get(near.remote()), here()

        assert get(back.remote()) == (cluster.head.session, node.session)
        kept = near.remote()
        cluster.remove_node(node, allow_graceful=False)
        time.sleep(1)  # the link is down, and who was a guest here has left
        assert get([kept, near.remote()]) == [cluster.head.session] * 2
