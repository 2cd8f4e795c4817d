"""Nodes that are cut off from each other, in one direction or both, for a while or for good. All links are real ones."""

from __future__ import annotations

import socket
import time

import leaks
import nodes
import pytest
from network import why_not_slow
from places import Node, Place, Program, assert_all_right


def resends_each_second() -> bool:
    """Whether the kernel lets a socket ask for that (TCP_RTO_MAX_MS, Linux 6.15)."""
    with socket.socket() as one:
        try:
            one.setsockopt(socket.IPPROTO_TCP, 44, 1000)
        except OSError:
            return False
    return True


# A node counts as dead after 10 s.
BLACKOUT_S = 8 if resends_each_second() else 5


def begin_calls(program: Program) -> None:
    """Calls for both nodes, some of them under way on the second when this returns."""
    program.ask("submit", count=60, seconds=0.2)
    program.ask("wait", count=6)


def assert_given_up(head: Node, node: Node) -> None:
    nodes.wait_until(lambda: head.others() == {node.node_id: False}, "the head gives the node up")


def assert_healed(place: Place, head: Node, program: Program) -> None:
    """Nothing is left of the node that went, and another one takes its place."""
    nodes.wait_until(lambda: nodes.settled(head.session), lambda: nodes.status(head.session))
    fresh = place.start("--resources", '{"far": 4}', join=head.join_string, cpus=2)
    nodes.wait_until(lambda: place.knows(head, fresh) and place.knows(fresh, head), "a new node joins")
    program.ask("submit", count=30, seconds=0.02, far=True)
    results = program.ask("results")
    assert_all_right(results, 30)
    assert results["where"] == {fresh.session: 30}


def test_a_node_that_is_cut_off_ends_itself_and_its_calls_run_again(machines: Place) -> None:
    head, node = machines.pair()
    with Program(head) as program:
        begin_calls(program)
        head.note_descriptors()
        gone = node.pids()
        node.spot.cut()
        results = program.ask("results")
        assert_all_right(results, 60)
        assert set(results["where"]) <= {head.session, node.session}
        leaks.assert_ended(gone, "processes of a node that is cut off")
        assert_given_up(head, node)
        node.spot.mend()
        assert_healed(machines, head, program)
    head.assert_no_descriptor_leaked()


@pytest.mark.parametrize("deaf", ["the head hears nothing", "the node hears nothing"])
def test_a_link_that_works_one_way_only(machines: Place, deaf: str) -> None:
    head, node = machines.pair()
    with Program(head) as program:
        begin_calls(program)
        head.note_descriptors()
        gone = node.pids()
        if deaf == "the head hears nothing":
            node.spot.deafen(head.spot)
        else:
            head.spot.deafen(node.spot)
        assert_all_right(program.ask("results"), 60)
        assert_given_up(head, node)
        leaks.assert_ended(gone, "processes of a node that was given up")
        node.spot.mend()
        head.spot.mend()
        assert_healed(machines, head, program)
    head.assert_no_descriptor_leaked()


@pytest.mark.parametrize("where", ["at the cable", "in the network"])
def test_a_blackout_that_nobody_notices(machines: Place, where: str) -> None:
    head, node = machines.pair()
    with Program(head) as program:
        # One attempt each: a call that was lost would be an error.
        program.ask("submit", count=60, seconds=0.1, retries=0)
        program.ask("submit", count=20, seconds=0.1, far=True, retries=0)
        program.ask("wait", count=6)
        if where == "at the cable":
            node.spot.cut()
        else:  # no interface says that it is down: TCP tries again at longer and longer intervals
            node.spot.deafen(head.spot)
            head.spot.deafen(node.spot)
        time.sleep(BLACKOUT_S)
        node.spot.mend()
        head.spot.mend()
        results = program.ask("results")
        assert_all_right(results, 80)
        assert results["where"][node.session] >= 20
        assert program.ask("carry", size_bytes=4 << 20)["right"]
    assert head.others() == {node.node_id: True} and node.others() == {head.node_id: True}
    assert "is dead" not in head.log()


def test_connections_of_a_machine_that_lost_its_power(machines: Place) -> None:
    """Nobody closes them: the head has half of each, and lets go of it."""
    head, node = machines.pair()
    with Program(head) as program:
        begin_calls(program)
        assert program.ask("carry", size_bytes=4 << 20)["right"]  # a bulk connection, too
        assert any(peer.startswith(node.spot.address) for peer in head.spot.established())
        node.spot.cut()
        node.spot.kill_all()
        assert_all_right(program.ask("results"), 60)
        assert_given_up(head, node)
        leaks.eventually(
            lambda: not any(peer.startswith(node.spot.address) for peer in head.spot.established()),
            lambda: f"connections are left: {head.spot.established()}",
        )
        node.spot.mend()
        # The machine starts again, with the address that it had.
        fresh = machines.start("--resources", '{"far": 4}', spot=node.spot, join=head.join_string, cpus=2)
        nodes.wait_until(lambda: machines.knows(head, fresh), "it is back")
        program.ask("submit", count=30, seconds=0.02, far=True)
        assert_all_right(program.ask("results"), 30)
        nodes.wait_until(lambda: head.others() == {node.node_id: False, fresh.node_id: True}, "another life of it")


def test_all_nodes_end_with_the_head(machines: Place) -> None:
    head, node = machines.pair()
    with Program(head) as program:
        program.ask("submit", count=20, seconds=60)
        nodes.wait_until(lambda: any(worker["running"] for worker in node.workers()), "calls run on the node")
        ends = node.pids()
        head.spot.cut()
        head.spot.kill_all()
        leaks.assert_ended(ends, "processes of a node without a head")


def test_a_slow_link_is_no_dead_one(machines: Place) -> None:
    if why := why_not_slow():
        pytest.skip(why)
    head, node = machines.pair()
    with Program(head) as program:
        program.ask("submit", count=10, seconds=0, far=True)
        assert_all_right(program.ask("results"), 10)
        node.spot.slow_down("6mbit")
        # Some 6 s in each direction, and small calls from another program on the same link.
        with Program(head) as other:
            other.ask("submit", count=300, seconds=0.05, far=True, retries=0)
            carried = program.ask("carry", size_bytes=5 << 20)
            assert carried["right"]
            assert_all_right(other.ask("results"), 300)
    assert head.others() == {node.node_id: True}
    assert "is dead" not in head.log() and "is down" not in head.log()
