"""What tasks and actors write on other nodes arrives at the driver."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time

import pytest
from nodes import TIMEOUT_S, far, get, status, wait_until

import sabir
from sabir.cluster_utils import Cluster

PROGRAM = """
import sabir, sys, time
sabir.init(sys.argv[1])

@sabir.remote(num_cpus=0, resources={"far": 1})
def far(word):
    print("task", word)
    print("trouble", word, file=sys.stderr)
    return word

@sabir.remote(num_cpus=0, resources={"far": 1})
class Far:
    def speak(self, word):
        print("actor", word)
        return word

@sabir.remote(num_cpus=0, resources={"far": 1})
def flood(lines):
    for index in range(lines):
        print("flood", index)

assert sabir.get(far.remote("one"), timeout=60) == "one"
actor = Far.remote()
assert sabir.get(actor.speak.remote("two"), timeout=60) == "two"
if sys.argv[2:]:
    sabir.get(flood.remote(int(sys.argv[2])), timeout=60)
    for _ in range(100):  # some of these are left out with the flood
        assert sabir.get(far.remote("three"), timeout=60) == "three"
        time.sleep(0.02)
sys.stdin.readline()
sabir.shutdown()
"""


# What the program's other tasks write, at most: two lines each.
OTHER_LINES = 2 * 102


@pytest.fixture(scope="module")
def cluster():
    with Cluster(head_node_args={"num_cpus": 1}) as made:
        made.add_node(num_cpus=1, resources={"far": 2}, name="distant")
        yield made


def run(cluster, *arguments):
    """The program, which goes on until it has a line to read; killed if it does not end."""
    driver = subprocess.Popen(
        [sys.executable, "-u", "-c", PROGRAM, cluster.head.session, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    guard = threading.Timer(TIMEOUT_S, driver.kill)
    guard.daemon = True
    guard.start()
    return driver


def read_until(driver, wanted):
    lines = []
    left = set(wanted)
    while left:
        line = driver.stdout.readline()
        assert line, lines
        lines.append(line)
        left = {words for words in left if words not in line}
    return lines


def test_output_of_other_nodes_arrives_and_says_whose_it_is(cluster):
    driver = run(cluster)
    lines = read_until(driver, ["task one", "trouble one", "actor two"])
    assert all(" on distant pid=" in line for line in lines), lines
    assert any(line.startswith("(far on distant pid=") for line in lines), lines
    _, _ = driver.communicate("\n", timeout=TIMEOUT_S)
    assert driver.returncode == 0


def test_a_flood_there_is_bounded_and_loses_no_calls(cluster):
    count = 600_000
    driver = run(cluster, str(count))
    time.sleep(3)  # nobody reads: what is on its way is as much as its places hold, and the program goes on
    lines = read_until(driver, ["task three"])
    rest, _ = driver.communicate("\n", timeout=TIMEOUT_S)
    assert driver.returncode == 0, rest
    lines += rest.splitlines()
    shown = [
        int(found[1]) for line in lines if (found := re.search(r"^\(flood on distant pid=\d+\) flood (\d+)$", line))
    ]
    assert shown and shown == sorted(set(shown)), "in order, and each once"
    assert shown[0] == 0, "what comes first is shown"
    left_out = sum(int(found[1]) for line in lines if (found := re.search(r"\[(\d+) lines left out", line)))
    assert left_out > 0, "as much as that is kept nowhere"
    # Each line was shown or counted. Those of the small tasks may be among the counted ones.
    assert count <= len(shown) + left_out <= count + OTHER_LINES, (len(shown), left_out)
    far_node = cluster.nodes[1].session
    wait_until(lambda: status(far_node)["counters"]["entries"] == 0, "its objects go")


def test_a_driver_that_does_not_want_it_gets_none(cluster, capfd):
    cluster.connect(log_to_driver=False)
    try:

        @far
        def quiet():
            print("nobody reads this")
            return 1

        assert get([quiet.remote() for _ in range(10)]) == [1] * 10
    finally:
        sabir.shutdown()
    assert "nobody reads" not in capfd.readouterr().out
