"""Actors that live on another node, and handles that travel: as on one machine, but for where things are."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator

import numpy as np
import pytest
from nodes import far, get, here, settled, status, wait_until

import sabir
from sabir.cluster_utils import Cluster, Node
from sabir.exceptions import ActorDiedError, ActorUnavailableError


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Cluster, Node]]:
    """A head with one CPU, and a node with two; this program is on the head."""
    with Cluster(head_node_args={"num_cpus": 1}) as cluster:
        node = cluster.add_node(num_cpus=2, resources={"far": 100})
        cluster.connect(log_to_driver=False)
        yield cluster, node


class Counter:
    def __init__(self, start=0):
        self.value = start

    def add(self, by=1):
        self.value += by
        return self.value

    def where(self):
        return here()

    def pid(self):
        return os.getpid()

    def total(self, array):
        return float(array.sum())

    def large(self, size):
        return np.full(size, self.value)

    def fail(self):
        raise ValueError("from an actor far away")

    def slow(self, seconds):
        time.sleep(seconds)
        return seconds

    def later(self, seconds):
        @sabir.remote(num_cpus=0)
        def sleep():
            time.sleep(seconds)
            return "later"

        return [sleep.remote()]

    def leave(self):
        sabir.exit_actor()

    def identity(self):
        context = sabir.get_runtime_context()
        return context.get_actor_id()

    def die(self):
        os._exit(7)


def far_actor(**options):
    return sabir.remote(num_cpus=0, resources={"far": 1}, **options)(Counter)


def near_actor(**options):
    return sabir.remote(num_cpus=0, **options)(Counter)


def test_an_actor_lives_where_there_is_room(pair):
    _, node = pair
    counter = far_actor().remote(10)
    assert get(counter.where.remote()) == node.session
    assert get(counter.identity.remote()) == counter._actor_id
    assert get([counter.add.remote() for _ in range(100)]) == list(range(11, 111))
    matrix = np.ones((1000, 1000))
    assert get(counter.total.remote(matrix)) == 1e6
    assert get(counter.total.remote(sabir.put(matrix))) == 1e6
    assert get(counter.large.remote(300_000)).sum() == 110 * 300_000
    with pytest.raises(ValueError, match="from an actor far away"):
        get(counter.fail.remote())
    (pending,) = get(counter.later.remote(1))
    assert get(pending) == "later"


def test_a_large_argument_of_the_constructor(pair):
    class Keeper:
        def __init__(self, array, *, name):
            self.array = array
            self.name = name

        def facts(self):
            return here(), self.name, self.array.sum()

    keeper = sabir.remote(num_cpus=0, resources={"far": 1})(Keeper).remote(sabir.put(np.ones(500_000)), name="k")
    assert get(keeper.facts.remote()) == (pair[1].session, "k", 500_000)


def test_calls_keep_their_order_whatever_their_size(pair):
    class Log:
        def __init__(self):
            self.seen = []

        def note(self, number, array=None):
            self.seen.append(number)

        def all(self):
            return self.seen

    log = sabir.remote(num_cpus=0, resources={"far": 1})(Log).remote()
    for number in range(60):
        log.note.remote(number, np.ones(200_000) * number if number % 3 == 0 else None)
    assert get(log.all.remote()) == list(range(60))


def test_a_constructor_that_fails_there(pair):
    class Broken:
        def __init__(self):
            raise KeyError("no such thing")

        def never(self):
            pass

    broken = sabir.remote(num_cpus=0, resources={"far": 1})(Broken).remote()
    with pytest.raises(ActorDiedError, match="no such thing"):
        get(broken.never.remote())


def test_a_handle_goes_to_another_node(pair):
    _, node = pair
    counter = near_actor().remote(0)
    assert get(counter.where.remote()) != node.session

    @far
    def use(counter, times):
        values = [sabir.get(counter.add.remote()) for _ in range(times)]
        return here(), values, counter

    session, values, back = get(use.remote(counter, 5))
    assert session == node.session and values == [1, 2, 3, 4, 5]
    assert get(back.add.remote()) == 6, "the handle came home to the same actor"
    assert get(use.remote({"x": counter}["x"], 2))[1] == [7, 8]
    assert get(counter.identity.remote()) == back._actor_id == counter._actor_id and back == counter


def test_a_handle_of_an_actor_there_goes_there(pair):
    _, node = pair
    counter = far_actor().remote(0)

    @far
    def use(counter):
        return here(), sabir.get(counter.where.remote()), sabir.get([counter.add.remote() for _ in range(3)])

    assert get(use.remote(counter)) == (node.session, node.session, [1, 2, 3])
    assert get(counter.add.remote()) == 4


def test_an_actor_there_calls_back(pair):
    class Caller:
        def __init__(self, target):
            self.target = target

        def relay(self, times):
            return sabir.get([self.target.add.remote() for _ in range(times)])

    counter = near_actor().remote(0)
    caller = sabir.remote(num_cpus=0, resources={"far": 1})(Caller).remote(counter)
    assert get(caller.relay.remote(4)) == [1, 2, 3, 4]
    del counter
    assert get(caller.relay.remote(2)) == [5, 6], "a handle on another node keeps an actor alive"


def test_an_actor_ends_with_its_last_handle(pair):
    counter = far_actor().remote(0)
    pid = get(counter.pid.remote())
    last = counter.slow.remote(0.5)
    del counter
    assert get(last) == 0.5, "what was called before runs"
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "its process ends")


def test_kill_from_either_side(pair):
    counter = far_actor().remote(0)
    pid = get(counter.pid.remote())
    running = counter.slow.remote(30)
    time.sleep(0.2)
    sabir.kill(counter)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "it is killed there")
    for ref in (running, counter.add.remote()):
        with pytest.raises(ActorDiedError):
            get(ref)

    near = near_actor().remote(0)
    get(near.add.remote())

    @far
    def end(counter):
        sabir.get(counter.add.remote())
        sabir.kill(counter)
        try:
            for _ in range(100):
                sabir.get(counter.add.remote())
                time.sleep(0.05)
        except ActorDiedError as error:
            return str(error)
        return "alive"

    assert "kill" in get(end.remote(near))
    with pytest.raises(ActorDiedError):
        get(near.add.remote())


def test_it_restarts_after_a_crash(pair):
    counter = far_actor(max_restarts=2).remote(100)
    first = get(counter.pid.remote())
    assert get(counter.add.remote()) == 101
    with pytest.raises((ActorUnavailableError, ActorDiedError)):
        get(counter.die.remote())
    assert get(counter.add.remote()) == 101, "a new one, made of the same arguments"
    assert get(counter.pid.remote()) != first
    os.kill(get(counter.pid.remote()), signal.SIGKILL)
    wait_until(lambda: _answers(counter), "it restarts")
    os.kill(get(counter.pid.remote()), signal.SIGKILL)
    with pytest.raises(ActorDiedError, match="restarts"):
        for _ in range(100):
            try:
                get(counter.add.remote())
            except ActorUnavailableError:
                pass
            time.sleep(0.05)


def _answers(counter):
    try:
        get(counter.add.remote())
    except ActorUnavailableError:
        return False
    return True


def test_calls_are_retried_across_a_restart(pair):
    class Once:
        def __init__(self, path):
            self.path = path

        def crash_first(self):
            if not os.path.exists(self.path):
                open(self.path, "w").close()
                os._exit(3)
            return "done"

    with tempfile.TemporaryDirectory() as folder:
        once = sabir.remote(num_cpus=0, resources={"far": 1}, max_restarts=1, max_task_retries=1)(Once).remote(
            os.path.join(folder, "mark")
        )
        assert get(once.crash_first.remote()) == "done"


def test_a_stand_in_follows_a_restart_at_home(pair):
    counter = near_actor(max_restarts=3).remote(5)

    @far
    def follow(counter):
        first = sabir.get(counter.pid.remote())
        os.kill(first, signal.SIGKILL)
        for _ in range(200):
            try:
                second = sabir.get(counter.pid.remote())
                if second != first:
                    return True
            except ActorUnavailableError:
                pass
            time.sleep(0.05)
        return False

    assert get(follow.remote(counter))
    assert get(counter.add.remote()) == 6


def test_it_leaves_in_order(pair):
    counter = far_actor(max_restarts=5).remote(0)
    get(counter.add.remote())
    counter.leave.remote()
    with pytest.raises(ActorDiedError):
        for _ in range(100):
            get(counter.add.remote())
            time.sleep(0.05)


def test_only_what_no_node_can_host_is_warned_of(pair, capfd):
    counter = far_actor().remote(0)
    get(counter.add.remote())
    nowhere = sabir.remote(num_cpus=0, resources={"nowhere": 1})(Counter).remote(0)
    seen = ""

    def warned():
        nonlocal seen
        seen += capfd.readouterr().err
        return "no node can host it" in seen

    wait_until(warned, "a warning")
    assert "nowhere" in seen and "far" not in seen
    sabir.kill(nowhere)


def test_many_actors_at_once(pair):
    counters = [far_actor().remote(index) for index in range(12)]
    assert get([counter.add.remote() for counter in counters]) == list(range(1, 13))
    assert {get(counter.where.remote()) for counter in counters} == {pair[1].session}


def test_a_name_is_one_actors_in_the_whole_cluster(pair):
    _, node = pair
    here_first = near_actor().options(name="first").remote(10)
    get(here_first.add.remote())

    @far
    def meet():
        found = sabir.get_actor("first")
        values = [sabir.get(found.add.remote()) for _ in range(2)]
        try:
            near_actor().options(name="first").remote(0)
        except ValueError as error:
            refused = str(error)
        same = near_actor().options(name="first", get_if_exists=True).remote(0)
        values.append(sabir.get(same.add.remote()))
        # One that has its home there, for this program to find.
        second = near_actor().options(name="second").remote(100)
        sabir.get(second.add.remote())
        return values, refused, second, found._actor_id

    values, refused, second, found_id = get(meet.remote())
    assert values == [12, 13, 14] and "another node" in refused and found_id == here_first._actor_id
    found = sabir.get_actor("second")
    assert found == second and get(found.add.remote()) == 102 and get(found.where.remote()) == node.session
    with pytest.raises(ValueError, match="second"):
        near_actor().options(name="second").remote(0)
    with pytest.raises(ValueError, match="nobody"):
        sabir.get_actor("nobody")
    del second, found
    wait_until(lambda: not _has_name("second"), "its name is free with its last handle")
    again = near_actor().options(name="second").remote(5)
    assert get(again.add.remote()) == 6 and get(again.where.remote()) != node.session


def _has_name(name):
    try:
        sabir.get_actor(name)
    except ValueError:
        return False
    return True


def test_a_kill_right_after_the_handle_came(pair):
    @far
    def end(counter):
        sabir.kill(counter)  # its stand-in has not joined yet, and the handle goes at once

    counters = [near_actor().remote(0) for _ in range(20)]
    get([counter.add.remote() for counter in counters])
    get([end.remote(counter) for counter in counters])
    for counter in counters:
        wait_until(lambda counter=counter: _is_dead(counter), "a kill was lost")


def _is_dead(counter):
    try:
        get(counter.add.remote())
    except ActorDiedError:
        return True
    return False


def test_retries_are_counted_once(pair, tmp_path):
    class Runs:
        def __init__(self, path):
            self.path = path

        def run(self):
            with open(self.path, "a") as file:
                file.write("x")
            if os.path.getsize(self.path) == 1:
                os._exit(3)
            return os.path.getsize(self.path)

        def count(self):
            return os.path.getsize(self.path)

    path = str(tmp_path / "runs")
    runs = sabir.remote(num_cpus=0, max_restarts=1, max_task_retries=1)(Runs).remote(path)

    @far
    def use(runs):
        return sabir.get(runs.run.remote())

    assert get(use.remote(runs)) == 2, "its home must not retry on its own what the caller's node retries"
    assert get(runs.count.remote()) == 2


def test_nothing_is_left(pair):
    cluster, node = pair
    for session in (cluster.head.session, node.session):
        wait_until(lambda session=session: settled(session), f"something is left in {session}: {status(session)}")
        wait_until(
            lambda session=session: not [a for a in status(session)["actors"] if a["state"] != "dead"],
            f"actors are left in {session}",
        )
