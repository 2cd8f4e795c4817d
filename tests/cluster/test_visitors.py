"""Drivers that join a cluster from outside, by its join string: sabir.init("sabir://...")."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import leaks
import pytest
from nodes import TIMEOUT_S, get, here, settled, status, wait_until

import sabir
from sabir.cluster_utils import Cluster
from sabir.exceptions import SabirError


@pytest.fixture
def cluster():
    with Cluster(head_node_args={"num_cpus": 1}) as made:
        made.add_node(num_cpus=2)
        yield made


class Place:
    def where(self):
        return here()


def visit(cluster, **arguments):
    return sabir.init(cluster.head.join_string, log_to_driver=False, **arguments)


def test_a_visitor_has_the_whole_cluster_and_brings_nothing(cluster):
    with visit(cluster) as context:
        assert context.session_path not in {node.session for node in cluster.nodes}
        wait_until(lambda: sabir.cluster_resources().get("CPU") == 3, sabir.cluster_resources)
        with pytest.raises(SabirError, match="detached"):
            sabir.remote(Place).options(name="stays", lifetime="detached").remote()

        @sabir.remote
        def work(data):
            return len(data), here()

        data = sabir.put(b"x" * (8 << 20))
        results = get([work.remote(data) for _ in range(30)])
        assert {size for size, _ in results} == {8 << 20}
        assert {session for _, session in results} <= {node.session for node in cluster.nodes}
        del data, results
    wait_until(lambda: len(_alive(cluster.head.session)) == 2, "it has left")
    wait_until(lambda: settled(cluster.head.session), lambda: status(cluster.head.session))


def test_what_wants_no_cpu_does_not_run_at_the_visitor_either(cluster):
    with visit(cluster) as context:

        @sabir.remote(num_cpus=0)
        def where():
            return here()

        actor = sabir.remote(Place).remote()
        found = {get(actor.where.remote()), *get([where.remote() for _ in range(20)])}
        assert context.session_path not in found


def test_bad_addresses_say_why(cluster):
    text = cluster.head.join_string
    address, token, fingerprint = text.split("#")
    other = ("0" if fingerprint[0] != "0" else "1") + fingerprint[1:]
    for bad, words in [
        ("sabir://nowhere", "sabir://"),
        (f"{address}#{token}#{other}", "fingerprint"),
        (f"{address}#{token}#insecure", "TLS"),
    ]:
        with pytest.raises(SabirError, match=words):
            sabir.init(bad, timeout_s=TIMEOUT_S)
        assert not sabir.is_initialized()
    with pytest.raises(SabirError, match="no resources"):
        visit(cluster, num_cpus=1)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(SabirError, match="refused"):
            sabir.init(f"sabir://127.0.0.1:{closed.getsockname()[1]}#{token}#{fingerprint}", timeout_s=TIMEOUT_S)


def test_a_start_that_nobody_answers_can_be_interrupted(folder):
    token = "A" * 43
    with socket.socket() as silent:  # takes connections, and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"sabir://127.0.0.1:{silent.getsockname()[1]}#{token}#{'a' * 64}"
        program = (
            "import sabir, signal, sys\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # whatever started the tests ignored
            "print('begins', flush=True)\n"
            "try:\n    sabir.init(sys.argv[1])\n"
            "except KeyboardInterrupt:\n    print('interrupted')\n"
        )
        driver = subprocess.Popen([sys.executable, "-c", program, address], stdout=subprocess.PIPE, text=True)
        assert driver.stdout.readline() == "begins\n"

        def started():
            """What runs for its session, whoever's child it is."""
            pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
            its_own = [pid for pid in pids if str(folder) in leaks.command_of(pid)]
            return sorted({*its_own, *leaks.descendants(driver.pid)[1:]})

        wait_until(lambda: any("--gateway" in leaks.command_of(pid) for pid in started()), "its gateway starts")
        time.sleep(0.3)
        ends = started()
        driver.send_signal(signal.SIGINT)
        assert driver.communicate(timeout=TIMEOUT_S)[0] == "interrupted\n"
        leaks.assert_ended(ends, "processes of a start that was interrupted")
        assert not list(folder.glob("sabir/*/info.json")), "its session is left"


def test_a_visitor_that_is_killed_leaves_nothing(cluster):
    program = (
        "import sabir, sys, time\n"
        "sabir.init(sys.argv[1], log_to_driver=False)\n"
        "@sabir.remote\ndef long():\n    time.sleep(1000)\n"
        "refs = [long.remote() for _ in range(4)]\n"
        "print(sabir.get_runtime_context().get_node_id(), flush=True)\n"
        "time.sleep(1000)\n"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", program, cluster.head.join_string], stdout=subprocess.PIPE, text=True
    )
    assert driver.stdout.readline().strip() in _alive(cluster.head.session)
    heads = cluster.head.session
    wait_until(lambda: status(heads)["nodes"][0]["resources_available"]["CPU"] == 0, lambda: status(heads))
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    wait_until(lambda: len(_alive(heads)) == 2, lambda: status(heads))
    wait_until(lambda: settled(heads), lambda: status(heads))


def _alive(session):
    return {node["node_id"] for node in status(session)["nodes"] if node["alive"]}
