"""Actors across nodes, in clusters that are made for one test."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from nodes import far, get, here, status, wait_until

import sabir
from sabir.cluster_utils import Cluster
from sabir.exceptions import ActorDiedError, ActorUnavailableError, ObjectLostError


class Counter:
    def __init__(self, start=0):
        self.value = start

    def add(self, by=1):
        self.value += by
        return self.value

    def pid(self):
        return os.getpid()

    def die(self):
        os._exit(7)


def test_a_stand_in_takes_no_tasks_calls():
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=2, resources={"far": 100})
        cluster.connect(log_to_driver=False)
        first_class = far(here)
        assert get(first_class.remote()) == node.session
        counter = sabir.remote(num_cpus=0, resources={"far": 1})(Counter).remote(0)
        assert get(counter.add.remote()) == 1
        time.sleep(2)  # the relay of the tasks leaves when it has none
        assert get(first_class.remote()) == node.session


def test_a_killed_actors_result_that_finds_no_room_ends_nothing_else():
    class Maker:
        def ready(self):
            return True

        def make(self):
            return np.ones(60_000_000 // 8)

    with Cluster(head_node_args={"num_cpus": 1, "object_store_memory": 100_000_000}) as cluster:
        node = cluster.add_node(num_cpus=2, resources={"far": 100})
        cluster.connect(log_to_driver=False)
        kept = sabir.put(np.ones(70_000_000 // 8))
        maker = sabir.remote(num_cpus=0, resources={"far": 1})(Maker).remote()
        assert get(maker.ready.remote())
        made = maker.make.remote()
        time.sleep(1)  # it has come to the gateway, and waits there
        sabir.kill(maker)
        with pytest.raises((ActorDiedError, ActorUnavailableError, ObjectLostError)):
            get(made)
        assert get(far(here).remote()) == node.session, "what follows does not wait for room"
        assert get(kept).size == 70_000_000 // 8


def test_a_handle_that_several_nodes_have():
    class Keeper:
        def __init__(self):
            self.counter = None

        def keep(self, box):
            self.counter = box["counter"] if box else None
            return None if box is None else sabir.get(self.counter.add.remote())

        def die(self):
            self.counter.die.remote()

        def pid(self):
            return sabir.get(self.counter.pid.remote())

    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        nodes = [cluster.add_node(num_cpus=2, resources={name: 10}) for name in "abc"]
        cluster.connect(log_to_driver=False)
        keepers = [sabir.remote(num_cpus=0, resources={name: 1})(Keeper).remote() for name in "abc"]
        for _ in range(3):
            counter = sabir.remote(num_cpus=0, max_restarts=1)(Counter).remote(0)
            values = get([keeper.keep.remote({"counter": counter}) for keeper in keepers])
            assert sorted(values) == [1, 2, 3], "each node heard that it lives"
            get(keepers[0].die.remote())
            for keeper in keepers:
                wait_until(lambda keeper=keeper: _has_pid(keeper), "a node did not hear of the restart")
            del counter
            get([keeper.keep.remote(None) for keeper in keepers])
        for session in (cluster.head.session, *(node.session for node in nodes)):
            wait_until(
                lambda session=session: (
                    not [a for a in status(session)["actors"] if a["class"] == "Counter" and a["state"] != "dead"]
                ),
                lambda session=session: f"actors are left: {status(session)['actors']}",
            )


def _has_pid(keeper):
    try:
        return get(keeper.pid.remote()) > 0
    except ActorUnavailableError:
        return False


def test_an_actor_that_only_another_node_holds_restarts():
    class Keeper:
        def keep(self, box):
            self.actor = box["actor"]
            return sabir.get(self.actor.pid.remote())

        def end(self):
            self.actor.die.remote()

        def pid(self):
            return sabir.get(self.actor.pid.remote())

    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        cluster.add_node(num_cpus=2, resources={"far": 1})
        cluster.connect(log_to_driver=False)
        keeper = sabir.remote(num_cpus=0, resources={"far": 1})(Keeper).remote()
        for _ in range(4):
            counter = sabir.remote(num_cpus=0, max_restarts=5)(Counter).remote()
            before = get(keeper.keep.remote({"actor": counter}))
            del counter
            time.sleep(0.3)  # until nobody here has it
            get(keeper.end.remote())

            def lives(before=before):
                try:
                    return get(keeper.pid.remote()) != before
                except ActorUnavailableError:
                    return False

            wait_until(lives, "it restarts")


class Place:
    def where(self):
        return here()


def test_an_actor_that_waits_at_a_full_node_goes_where_there_is_room():
    with Cluster(head_node_args={"num_cpus": 0}) as cluster:
        nodes = [cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)]
        cluster.connect(log_to_driver=False)
        maker = sabir.remote(num_cpus=1)(Place)
        holders = [maker.remote(), maker.remote()]
        held_by = {get(holder.where.remote()): holder for holder in holders}
        # One attempt and no restart: what happens to it meanwhile counts as nothing.
        waiting = maker.options(max_restarts=0, max_task_retries=0).remote()
        answer = waiting.where.remote()

        def waits_at():
            return [
                node.session
                for node in nodes
                if any(actor["state"] == "waiting for resources" for actor in status(node.session)["actors"])
            ]

        wait_until(waits_at, "it is sent to a node that is full")
        (full,) = waits_at()
        (other,) = held_by.keys() - {full}
        sabir.kill(held_by[other])
        assert get(answer) == other
        # The place where it waited is free for others.
        sabir.kill(held_by[full])
        assert get(maker.remote().where.remote()) == full


def test_an_actor_that_waits_at_a_full_node_begins_there_when_there_is_room():
    with Cluster(head_node_args={"num_cpus": 0}) as cluster:
        node = cluster.add_node(num_cpus=1)
        cluster.connect(log_to_driver=False)
        maker = sabir.remote(num_cpus=1)(Place)
        holder = maker.remote()
        assert get(holder.where.remote()) == node.session
        waiting = maker.remote()
        wait_until(lambda: len(status(node.session)["actors"]) == 2, "it is sent there")
        time.sleep(4)  # its home has asked, and nobody else had room
        sabir.kill(holder)
        assert get(waiting.where.remote()) == node.session


def test_an_actor_that_waits_takes_the_first_room_there_is():
    with Cluster(head_node_args={"num_cpus": 0}) as cluster:
        nodes = [cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)]
        cluster.connect(log_to_driver=False)
        maker = sabir.remote(num_cpus=1)(Place)
        for turn in range(2):
            holders = [maker.remote(), maker.remote()]
            at = get([holder.where.remote() for holder in holders])
            assert set(at) == {node.session for node in nodes}
            waiting = maker.remote()
            answer = waiting.where.remote()
            time.sleep(0.5)  # no node has room
            assert sabir.wait([answer], timeout=0) == ([], [answer])
            sabir.kill(holders[turn])
            assert get(answer) == at[turn]
            sabir.kill(holders[1 - turn])
            sabir.kill(waiting)
