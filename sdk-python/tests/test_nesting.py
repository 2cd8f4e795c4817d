"""Tasks that wait for tasks: what a blocked one lends, and where the limit is (protocol L4)."""

from __future__ import annotations

import os
import time

import pytest

import sabir
from sabir._state import status


def test_a_recursion_deeper_than_the_limit_of_processes_is_an_error(own_session):
    own_session(num_cpus=2)

    @sabir.remote(max_retries=0)
    def chain(depth):
        return 0 if depth == 0 else 1 + sabir.get(chain.remote(depth - 1))

    with pytest.raises(sabir.exceptions.SabirError, match="nested too deeply"):
        sabir.get(chain.remote(280), timeout=120)
    assert sabir.get(chain.remote(5), timeout=60) == 5


def test_a_blocked_get_lends_its_cpu_for_as_long_as_it_lasts(own_session):
    """Though it looks for signals in between: what it lent stays lent."""
    own_session(num_cpus=1)

    @sabir.remote
    def child():
        time.sleep(0.6)
        return os.getpid()

    @sabir.remote
    def parent():
        return sabir.get(child.remote()), os.getpid()

    ref = parent.remote()
    blocked = []
    while not sabir.wait([ref], timeout=0.01)[0]:
        states = [worker["state"] for worker in status()["nodes"][0]["workers"]]
        if "blocked" in states or blocked:
            blocked.append("blocked" in states)
    child_pid, parent_pid = sabir.get(ref)
    assert child_pid != parent_pid
    # From the first time it was seen so, until the child ended.
    assert len(blocked) > 5
    assert all(blocked[:-2])
