"""Parts of a node that stand still, as under a debugger or on a machine that swaps, while the rest of it runs."""

from __future__ import annotations

import os
import signal
import time

import leaks
import nodes
from places import Place, Program, assert_all_right, stop


def test_a_daemon_that_stood_still_ends_its_workers_when_it_goes_on(place: Place) -> None:
    head, node = place.pair()
    with Program(head) as program:
        program.ask("submit", count=60, seconds=0.2)
        program.ask("wait", count=6)
        gone = node.pids()
        stop(node.pid)
        try:
            # It was given up, and what it had runs again, although its workers go on.
            nodes.wait_until(lambda: head.others() == {node.node_id: False}, "it is given up")
            assert_all_right(program.ask("results"), 60)
        finally:
            os.kill(node.pid, signal.SIGCONT)
        leaks.assert_ended(gone, "processes of a node that was given up")
        nodes.wait_until(lambda: nodes.settled(head.session), lambda: nodes.status(head.session))


def test_a_gateway_that_stands_still_is_the_end_of_its_node(place: Place) -> None:
    head, node = place.pair()
    with Program(head) as program:
        program.ask("submit", count=60, seconds=0.2)
        program.ask("wait", count=6)
        gone = node.pids()
        stop(node.gateway_pid)
        assert_all_right(program.ask("results"), 60)
        leaks.assert_ended(gone, "processes of a node with a gateway that stands still")
        nodes.wait_until(lambda: head.others() == {node.node_id: False}, "it is given up")
        nodes.wait_until(lambda: nodes.settled(head.session), lambda: nodes.status(head.session))


def test_a_daemon_that_stands_still_for_a_moment_loses_nothing(place: Place) -> None:
    head, node = place.pair()
    with Program(head) as program:
        program.ask("submit", count=60, seconds=0.1, far=True, retries=0)
        program.ask("wait", count=2)
        for pid in (node.pid, node.gateway_pid, head.pid, head.gateway_pid):
            stop(pid)
            time.sleep(1.5)
            os.kill(pid, signal.SIGCONT)
        assert_all_right(program.ask("results"), 60)
    assert head.others() == {node.node_id: True} and node.others() == {head.node_id: True}


def test_the_gateway_of_the_head_stands_still(place: Place) -> None:
    """The head has lost the others, and they it: they end, and it goes on alone."""
    head, node = place.pair()
    with Program(head) as program:
        program.ask("submit", count=40, seconds=0.2)
        program.ask("wait", count=6)
        gone = node.pids()
        stop(head.gateway_pid)
        try:
            leaks.assert_ended(gone, "processes of a node without a head")
            nodes.wait_until(lambda: head.others() == {node.node_id: False}, "the head gives the node up")
        finally:
            os.kill(head.gateway_pid, signal.SIGCONT)
        assert_all_right(program.ask("results"), 40)
