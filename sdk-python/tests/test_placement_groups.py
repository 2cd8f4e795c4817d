"""Placement groups on one machine."""

import json
import os
import time

import pytest

import sabir
from sabir import _sabir
from sabir.exceptions import ActorDiedError, GetTimeoutError, NameTakenError, TaskPlacementGroupRemoved
from sabir.util import (
    get_current_placement_group,
    get_placement_group,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from sabir.util.scheduling_strategies import NodeAffinitySchedulingStrategy, PlacementGroupSchedulingStrategy


@pytest.fixture
def session():
    with sabir.init(num_cpus=4, num_gpus=2, resources={"slot": 8}):
        yield


def strategy(group, index=-1, capture=False):
    return PlacementGroupSchedulingStrategy(group, index, capture)


def until(condition, timeout=20.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


def free(name="CPU"):
    return sabir.available_resources().get(name, 0.0)


@sabir.remote
def pid():
    return os.getpid()


@sabir.remote
def hold(seconds):
    time.sleep(seconds)
    return os.getpid()


@sabir.remote(num_cpus=0)
def group_here():
    group = get_current_placement_group()
    return None if group is None else group.id


@sabir.remote(num_cpus=0)
class Asker:
    def group(self):
        group = get_current_placement_group()
        return None if group is None else group.id

    def child(self):
        return sabir.get(group_here.remote())

    def gpus(self):
        return sabir.get_runtime_context().get_gpu_ids()

    def pid(self):
        return os.getpid()


@pytest.mark.parametrize("kind", ["PACK", "SPREAD", "STRICT_PACK"])
def test_a_group_reserves_and_gives_back(session, kind):
    group = placement_group([{"CPU": 1}, {"CPU": 2, "slot": 3}], strategy=kind)
    assert sabir.get(group.ready(), timeout=20) == group
    assert group.wait(20)
    assert (group.bundle_count, group.bundle_specs) == (2, [{"CPU": 1}, {"CPU": 2, "slot": 3}])
    assert (free(), free("slot")) == (1, 5)
    table = placement_group_table(group)
    assert table["state"] == "CREATED" and table["strategy"] == kind and not table["reason"]
    assert set(table["bundles_to_node_id"].values()) == {sabir.get_runtime_context().get_node_id()}
    remove_placement_group(group)
    until(lambda: (free(), free("slot")) == (4, 8))
    assert placement_group_table(group)["state"] == "REMOVED"
    assert placement_group_table() == {}


def test_what_runs_in_a_bundle_takes_from_it_and_from_nothing_else(session):
    group = placement_group([{"CPU": 2}, {"CPU": 2}])
    assert group.wait(20)
    assert free() == 0
    outside = pid.remote()
    inside = [hold.options(scheduling_strategy=strategy(group, index)).remote(1) for index in (0, 0, 1, 1, 1)]
    assert len(set(sabir.get(inside, timeout=60))) <= 5
    done, _ = sabir.wait([outside], timeout=0.2)
    assert not done, "the node's CPUs are the group's"
    remove_placement_group(group)
    sabir.get(outside, timeout=20)


def test_a_bundle_gives_no_more_than_it_has(session):
    group = placement_group([{"CPU": 1}])

    @sabir.remote
    def times(seconds):
        began = time.monotonic()
        time.sleep(seconds)
        return began, time.monotonic()

    calls = [times.options(scheduling_strategy=strategy(group, index)).remote(0.3) for index in (0, -1, 0)]
    assert free() == 3, "three others are free all the time"
    ran = sorted(sabir.get(calls, timeout=60))
    assert all(earlier[1] <= later[0] for earlier, later in zip(ran, ran[1:])), ran


def test_gpus_of_a_bundle_are_the_nodes(session):
    group = placement_group([{"GPU": 1, "CPU": 1}, {"GPU": 1}])
    assert group.wait(20)
    actors = [Asker.options(num_gpus=1, scheduling_strategy=strategy(group, index)).remote() for index in range(2)]
    assert sorted(sabir.get([actor.gpus.remote() for actor in actors], timeout=60)) == [[0], [1]]


def test_an_actor_lives_in_its_bundle_also_after_a_restart(session):
    group = placement_group([{"CPU": 1}])
    actor = Asker.options(
        num_cpus=1, max_restarts=1, max_task_retries=2, scheduling_strategy=strategy(group, 0)
    ).remote()
    assert sabir.get(actor.group.remote(), timeout=60) == group.id
    os.kill(sabir.get(actor.pid.remote()), 9)
    assert sabir.get(actor.group.remote(), timeout=60) == group.id
    assert free() == 3


def test_children_are_captured_when_that_was_asked_for(session):
    group = placement_group([{"CPU": 2}])
    for capture in (True, False):
        actor = Asker.options(scheduling_strategy=strategy(group, 0, capture)).remote()
        assert sabir.get(actor.child.remote(), timeout=60) == (group.id if capture else None)

    @sabir.remote
    def parent():
        outside = group_here.options(scheduling_strategy=PlacementGroupSchedulingStrategy(None)).remote()
        actor = Asker.remote()
        return sabir.get([group_here.remote(), outside, actor.group.remote(), actor.child.remote()])

    captured = parent.options(scheduling_strategy=strategy(group, 0, True)).remote()
    assert sabir.get(captured, timeout=60) == [group.id, None, group.id, group.id]
    assert sabir.get(parent.options(scheduling_strategy=strategy(group, 0)).remote(), timeout=60) == [None] * 4
    assert sabir.get(group_here.remote(), timeout=20) is None
    assert get_current_placement_group() is None


def test_a_nested_call_in_a_bundle_of_one_cpu(session):
    group = placement_group([{"CPU": 1}])

    @sabir.remote
    def nested(depth):
        return depth if depth == 0 else sabir.get(nested.remote(depth - 1)) + 1

    assert sabir.get(nested.options(scheduling_strategy=strategy(group, 0, True)).remote(4), timeout=60) == 4


def test_waiting_for_room(session):
    first = placement_group([{"CPU": 3}])
    assert first.wait(20)
    second = placement_group([{"CPU": 2}], name="second")
    ready = second.ready()
    assert not second.wait(0.2)
    with pytest.raises(GetTimeoutError):
        sabir.get(ready, timeout=0.1)
    early = pid.options(scheduling_strategy=strategy(second)).remote()
    row = placement_group_table(second)
    assert row["state"] == "PENDING" and not row["infeasible"] and "CPU" in row["reason"]
    group = next(one for one in json.loads(_sabir.status())["placement_groups"] if one["name"] == "second")
    assert group["state"] == "pending" and "CPU" in group["reason"]
    remove_placement_group(first)
    assert sabir.get(ready, timeout=20) == second
    sabir.get(early, timeout=60)


def test_a_group_takes_the_room_of_idle_leases(session):
    sabir.get([pid.remote() for _ in range(40)], timeout=60)
    group = placement_group([{"CPU": 4}], strategy="STRICT_PACK")
    assert group.wait(20)


def test_what_no_node_can_have_says_so(session):
    group = placement_group([{"CPU": 64}])
    assert not group.wait(0.2)
    row = placement_group_table(group)
    assert row["infeasible"] and "64" in row["reason"]
    strict = placement_group([{"CPU": 1}, {"CPU": 1}], strategy="STRICT_SPREAD")
    assert not strict.wait(0.2)
    assert placement_group_table(strict)["infeasible"]
    labelled = placement_group([{"CPU": 1}], bundle_label_selector=[{"zone": "eu"}])
    assert not labelled.wait(0.2)
    assert "zone" in placement_group_table(labelled)["reason"]


def test_removal_ends_what_runs_in_it(session):
    group = placement_group([{"CPU": 1}, {"CPU": 1}])
    assert group.wait(20)
    running = hold.options(scheduling_strategy=strategy(group, 0)).remote(600)
    queued = pid.options(scheduling_strategy=strategy(group, 0)).remote()
    actor = Asker.options(num_cpus=1, max_restarts=-1, scheduling_strategy=strategy(group, 1)).remote()
    sabir.get(actor.pid.remote(), timeout=60)
    until(lambda: any(worker["running"] == "hold" for worker in sabir._state.status()["nodes"][0]["workers"]))
    later = group.ready()
    remove_placement_group(group)
    remove_placement_group(group)
    for ref in (running, queued):
        with pytest.raises(TaskPlacementGroupRemoved):
            sabir.get(ref, timeout=30)
    with pytest.raises(ActorDiedError, match="placement group"):
        sabir.get(actor.pid.remote(), timeout=30)
    assert sabir.get(later, timeout=5) == group
    until(lambda: free() == 4)


def test_use_of_a_removed_group(session):
    group = placement_group([{"CPU": 1}])
    task = pid.options(scheduling_strategy=strategy(group))
    sabir.get(task.remote(), timeout=60)
    remove_placement_group(group)
    with pytest.raises(TaskPlacementGroupRemoved):
        sabir.get(task.remote(), timeout=20)
    with pytest.raises(TaskPlacementGroupRemoved):
        sabir.get(hold.options(num_cpus=0.5, scheduling_strategy=strategy(group)).remote(1), timeout=20)
    with pytest.raises(TaskPlacementGroupRemoved):
        Asker.options(scheduling_strategy=strategy(group)).remote()
    with pytest.raises(TaskPlacementGroupRemoved):
        sabir.get(group.ready(), timeout=20)
    assert not group.wait(5)


def test_names(session):
    group = placement_group([{"CPU": 1}], name="ours")
    assert get_placement_group("ours") == group
    assert get_placement_group("ours").bundle_specs == [{"CPU": 1}]
    with pytest.raises(NameTakenError):
        placement_group([{"CPU": 1}], name="ours")
    with pytest.raises(ValueError, match="theirs"):
        get_placement_group("theirs")
    remove_placement_group(group)
    with pytest.raises(ValueError, match="ours"):
        get_placement_group("ours")
    placement_group([{"CPU": 1}], name="ours")


def test_handles_travel(session):
    group = placement_group([{"CPU": 1}])

    @sabir.remote
    def use(given):
        assert given.wait(20)
        ref = group_here.options(scheduling_strategy=strategy(given, 0)).remote()
        return given, sabir.get(ref), given.bundle_specs

    assert sabir.get(use.remote(group), timeout=60) == (group, group.id, [{"CPU": 1}])

    @sabir.remote
    def made():
        inner = placement_group([{"slot": 1}])
        return inner, inner.ready()

    inner, ready = sabir.get(made.remote(), timeout=60)
    assert sabir.get(ready, timeout=20) == inner

    @sabir.remote
    def after(given):
        return given.id

    assert sabir.get(after.remote(inner.ready()), timeout=60) == inner.id


def test_bad_input(session):
    group = placement_group([{"CPU": 1}, {"CPU": 2}])
    with pytest.raises(ValueError, match="empty"):
        placement_group([])
    with pytest.raises(ValueError, match="nothing"):
        placement_group([{"CPU": 0}])
    with pytest.raises(ValueError, match="nothing"):
        placement_group([{}])
    with pytest.raises(TypeError, match="list"):
        placement_group({"CPU": 1})
    with pytest.raises(ValueError, match="at least 0"):
        placement_group([{"CPU": -1}])
    with pytest.raises(ValueError, match="STRICT_PACK"):
        placement_group([{"CPU": 1}], strategy="TIGHT")
    with pytest.raises(ValueError, match="lifetime"):
        placement_group([{"CPU": 1}], lifetime="for ever")
    with pytest.raises(ValueError, match="each of the 1"):
        placement_group([{"CPU": 1}], bundle_label_selector=[{}, {}])
    with pytest.raises(ValueError, match="none of"):
        placement_group([{"CPU": 1}], bundle_label_selector=[{"zone": "in("}])
    with pytest.raises(ValueError, match="256"):
        placement_group([{"CPU": 0.001}] * 257)
    with pytest.raises(ValueError, match="2 bundles"):
        strategy(group, 2)
    with pytest.raises(ValueError, match="at least -1"):
        strategy(group, -2)
    bare = type(group)(group.id)
    with pytest.raises(ValueError, match="no bundle 5"):
        pid.options(scheduling_strategy=strategy(bare, 5)).remote()
    with pytest.raises(ValueError, match="bundle 0"):
        pid.options(num_cpus=2, scheduling_strategy=strategy(group, 0)).remote()
    with pytest.raises(ValueError, match="no bundle"):
        pid.options(num_cpus=3, scheduling_strategy=strategy(group)).remote()
    with pytest.raises(ValueError, match="no bundle"):
        Asker.options(resources={"slot": 1}, scheduling_strategy=strategy(group)).remote()
    with pytest.raises(TypeError, match="PlacementGroup"):
        PlacementGroupSchedulingStrategy("it")
    with pytest.raises(ValueError, match="label_selector"):
        pid.options(scheduling_strategy=strategy(group), label_selector={"zone": "eu"})
    with pytest.raises(TypeError, match="PlacementGroup"):
        remove_placement_group("it")
    here = sabir.get_runtime_context().get_node_id()
    assert sabir.get(pid.options(scheduling_strategy=NodeAffinitySchedulingStrategy(here)).remote(), timeout=60)


def test_many_groups_in_a_loop_leave_nothing(session):
    before = len(json.loads(_sabir.status())["nodes"][0]["workers"])
    for round_number in range(30):
        groups = [placement_group([{"CPU": 0.01}, {"slot": 0.01}]) for _ in range(20)]
        if round_number % 3 == 0:
            groups[0].wait(20)
            sabir.get(pid.options(num_cpus=0.01, scheduling_strategy=strategy(groups[0])).remote(), timeout=60)
        refs = [group.ready() for group in groups]
        if round_number % 2 == 0:
            sabir.get(refs, timeout=30)
        for group in groups:
            remove_placement_group(group)
    until(lambda: (free(), free("slot")) == (4, 8))
    status = json.loads(_sabir.status())
    assert status["placement_groups"] == [] and status["nodes"][0]["bundles"] == []
    assert len(status["nodes"][0]["workers"]) <= before + 6


def test_groups_end_with_their_job():
    import subprocess
    import sys

    program = """
import sabir
from sabir.util import placement_group
sabir.init(address={address!r}, namespace="n")
assert placement_group([{{"CPU": 1}}], name="short").wait(20)
assert placement_group([{{"CPU": 1}}], name="long", lifetime="detached").wait(20)
"""
    with sabir.init(num_cpus=4, namespace="n"):
        address = sabir.get_runtime_context().session_path
        subprocess.run([sys.executable, "-c", program.format(address=address)], check=True, timeout=60)
        until(lambda: [row["name"] for row in placement_group_table().values()] == ["long"])
        assert free() == 3
        group = get_placement_group("long")
        assert sabir.get(group_here.options(scheduling_strategy=strategy(group)).remote(), timeout=60) == group.id
        remove_placement_group(group)
        until(lambda: free() == 4)
