"""Actors: state, order, names, handles, ends."""

from __future__ import annotations

import copy
import os
import signal
import time

import pytest
from processes import eventually

import sabir
from sabir.exceptions import ActorDiedError, TaskError

pytestmark = pytest.mark.usefixtures("session")


@sabir.remote
class Counter:
    def __init__(self, start=0, step=1):
        self.value = start
        self.step = step

    def add(self, amount=None):
        self.value += self.step if amount is None else amount
        return self.value

    def get(self):
        return self.value

    def pid(self):
        return os.getpid()

    def fail(self):
        raise KeyError("missing")

    @sabir.method(num_returns=2)
    def two(self):
        return self.value, -self.value

    @staticmethod
    def static(x):
        return x + 1


def test_state_and_arguments():
    counter = Counter.remote(10, step=2)
    assert sabir.get(counter.add.remote()) == 12
    assert sabir.get(counter.add.remote(amount=5)) == 17
    assert sabir.get(counter.static.remote(1)) == 2
    assert sabir.get(counter.two.remote()) == [17, -17]


def test_calls_of_one_sender_stay_in_order():
    counter = Counter.remote()
    assert sabir.get([counter.add.remote() for _ in range(3000)]) == list(range(1, 3001))


def test_a_call_with_an_unready_argument_holds_back_the_later_ones():
    @sabir.remote
    def slow():
        time.sleep(0.2)
        return 100

    counter = Counter.remote()
    first = counter.add.remote(slow.remote())
    second = counter.add.remote(1)
    assert sabir.get([first, second]) == [100, 101]


def test_wrong_arguments():
    counter = Counter.remote()
    with pytest.raises(TypeError):
        counter.add.remote(1, 2)
    with pytest.raises(TypeError):
        Counter.remote(1, 2, 3)
    with pytest.raises(AttributeError, match="no method"):
        counter.nothing.remote()
    with pytest.raises(TypeError, match=r"\.remote"):
        counter.add(1)
    with pytest.raises(TypeError, match=r"\.remote"):
        Counter()


def test_handles_travel():
    @sabir.remote
    def add_three(counter):
        return sabir.get([counter.add.remote() for _ in range(3)])

    @sabir.remote
    class Holder:
        def __init__(self, box):
            self.counter = box["counter"]

        def add(self):
            return sabir.get(self.counter.add.remote())

    counter = Counter.remote()
    assert sabir.get(add_three.remote(counter)) == [1, 2, 3]
    holder = Holder.remote({"counter": counter})
    assert sabir.get(holder.add.remote()) == 4


def test_named_actors():
    counter = Counter.options(name="the counter").remote(5)
    found = sabir.get_actor("the counter")
    assert found == counter
    assert sabir.get(found.add.remote()) == 6
    with pytest.raises(ValueError, match="the counter"):
        Counter.options(name="the counter").remote()
    again = Counter.options(name="the counter", get_if_exists=True).remote()
    assert sabir.get(again.get.remote()) == 6
    with pytest.raises(ValueError, match="nobody"):
        sabir.get_actor("nobody")

    @sabir.remote
    def find():
        return sabir.get(sabir.get_actor("the counter").add.remote())

    assert sabir.get(find.remote()) == 7
    sabir.kill(counter)
    eventually(lambda: name_is_free("the counter"), "the name of a killed actor stays taken")


def name_is_free(name):
    try:
        sabir.get_actor(name)
    except ValueError:
        return True
    return False


def test_errors_of_methods_leave_the_actor_alive():
    counter = Counter.remote()
    with pytest.raises(KeyError, match="missing") as caught:
        sabir.get(counter.fail.remote())
    assert isinstance(caught.value, TaskError)
    assert sabir.get(counter.add.remote()) == 1


def test_an_error_of_the_constructor():
    @sabir.remote
    class Broken:
        def __init__(self):
            raise ValueError("no way")

        def call(self):
            return 1

    broken = Broken.remote()
    with pytest.raises(ActorDiedError, match="no way"):
        sabir.get(broken.call.remote())
    with pytest.raises(ActorDiedError):
        sabir.get(broken.call.remote())


def test_kill():
    counter = Counter.remote()
    pid = sabir.get(counter.pid.remote())
    sabir.kill(counter)
    with pytest.raises(ActorDiedError):
        sabir.get(counter.add.remote())
    eventually(lambda: not os.path.exists(f"/proc/{pid}"), "the killed actor's process is left")
    with pytest.raises(ValueError):
        sabir.kill("x")


def test_a_crash_is_told():
    counter = Counter.remote()
    os.kill(sabir.get(counter.pid.remote()), signal.SIGKILL)
    with pytest.raises(ActorDiedError, match=r"SIGKILL|signal 9"):
        sabir.get(counter.add.remote())


def test_restarts_and_retries():
    @sabir.remote(max_restarts=1, max_task_retries=1)
    class Phoenix:
        def __init__(self):
            self.calls = 0

        def pid(self):
            self.calls += 1
            return os.getpid(), self.calls

    phoenix = Phoenix.remote()
    pid, _ = sabir.get(phoenix.pid.remote())
    os.kill(pid, signal.SIGKILL)
    new_pid, calls = sabir.get(phoenix.pid.remote(), timeout=30)
    assert new_pid != pid and calls == 1  # the constructor ran again; state is not restored
    os.kill(new_pid, signal.SIGKILL)
    with pytest.raises(ActorDiedError):
        sabir.get(phoenix.pid.remote(), timeout=30)


def test_an_actor_ends_when_its_last_handle_goes():
    counter = Counter.remote()
    pid = sabir.get(counter.pid.remote())
    last = counter.add.remote()
    del counter
    assert sabir.get(last) == 1  # calls already sent still run
    eventually(lambda: not os.path.exists(f"/proc/{pid}"), "an actor without handles is left")


def test_exit_actor_and_terminate():
    @sabir.remote
    class Leaver:
        def pid(self):
            return os.getpid()

        def leave(self):
            sabir.exit_actor()

    leaver = Leaver.remote()
    assert sabir.get(leaver.__ray_ready__.remote())
    sabir.get(leaver.pid.remote())
    leaver.leave.remote()
    with pytest.raises(ActorDiedError):
        sabir.get(leaver.pid.remote())
    other = Leaver.remote()
    pid = sabir.get(other.pid.remote())
    sabir.get(other.__ray_terminate__.remote())
    eventually(lambda: not os.path.exists(f"/proc/{pid}"), "a terminated actor is left")
    with pytest.raises(TypeError):
        sabir.exit_actor()


def test_an_actor_calls_tasks_and_itself_is_not_blocked_by_them():
    @sabir.remote
    def square(x):
        return x * x

    @sabir.remote
    class Caller:
        def run(self):
            return sabir.get([square.remote(i) for i in range(10)])

    assert sabir.get(Caller.remote().run.remote()) == [i * i for i in range(10)]


def test_async_methods_are_refused_by_name_and_the_rest_works():
    @sabir.remote
    class Mixed:
        async def wait(self):
            pass

        def call(self):
            return 1

    mixed = Mixed.remote()
    with pytest.raises(NotImplementedError, match=r"wait.*async actors"):
        mixed.wait.remote()
    assert sabir.get(mixed.call.remote()) == 1


def test_an_actor_class_cannot_be_inherited_from():
    with pytest.raises(TypeError, match="cannot be inherited from"):

        class Derived(Counter):
            pass


def test_inherited_methods_properties_and_kinds_of_methods():
    class Base:
        @classmethod
        def of_class(cls, x):
            return cls.__name__, x

        def over(self):
            return "base"

        @property
        def dangerous(self):
            raise RuntimeError("handles must not look at it")

        def __call__(self, x):
            return x + 1

    @sabir.remote
    class Derived(Base):
        def over(self, self_=0, *, name=""):
            return "derived " + super().over() + name

    derived = Derived.remote()
    assert sabir.get(derived.of_class.remote(1)) == ("Derived", 1)
    assert sabir.get(derived.over.remote(name="!")) == "derived base!"
    assert sabir.get(derived.__call__.remote(3)) == 4


def test_a_handle_outlives_who_made_it():
    @sabir.remote
    class Maker:
        def make(self):
            self.made = Counter.remote(5)
            return [self.made]

    @sabir.remote
    def make():
        return Counter.remote(7)

    maker = Maker.remote()
    made = sabir.get(maker.make.remote())[0]
    assert sabir.get(made.add.remote()) == 6
    sabir.kill(maker)
    with pytest.raises(ActorDiedError):
        sabir.get(maker.make.remote())
    assert sabir.get(made.add.remote()) == 7
    assert sabir.get(sabir.get(make.remote()).add.remote()) == 8


def test_a_handle_of_itself():
    @sabir.remote
    class Self:
        def keep(self, box):
            self.me = box[0]

        def ask(self):
            return self.me.answer.remote()

        def answer(self):
            return 42

        def deadlock(self):
            return sabir.get(self.me.answer.remote(), timeout=0.5)

    actor = Self.remote()
    sabir.get(actor.keep.remote([actor]))
    assert sabir.get(sabir.get(actor.ask.remote())) == 42
    with pytest.raises(sabir.exceptions.GetTimeoutError):
        sabir.get(actor.deadlock.remote(), timeout=30)
    assert sabir.get(actor.answer.remote()) == 42
    sabir.kill(actor)  # its handle of itself would keep it


def test_handles_are_compared_copied_and_printed_without_asking_anybody():
    counter = Counter.remote()
    again = sabir.get(sabir.put([counter]))[0]
    assert again == counter and hash(again) == hash(counter) and len({again, counter}) == 1
    assert copy.copy(counter) is counter and copy.deepcopy({"a": [counter]})["a"][0] is counter
    assert repr(again) == repr(counter)
    sabir.kill(counter)
    assert again == counter and "Counter" in repr(counter)


def test_kill_with_many_pending_calls():
    @sabir.remote
    class Sleeper:
        def nap(self, seconds):
            time.sleep(seconds)

    sleeper = Sleeper.remote()
    refs = [sleeper.nap.remote(0), *[sleeper.nap.remote(60) for _ in range(20_000)]]
    sabir.get(refs[0])
    sabir.kill(sleeper)
    for ref in refs[1::1000]:
        with pytest.raises(ActorDiedError):
            sabir.get(ref, timeout=60)
    assert len(sabir.wait(refs, num_returns=len(refs), timeout=60)[0]) == len(refs)


def test_many_actors_at_once():
    counters = [Counter.remote(i) for i in range(25)]
    assert sabir.get([counter.add.remote() for counter in counters], timeout=120) == list(range(1, 26))


def test_an_argument_of_the_constructor_that_is_late_or_fails():
    @sabir.remote
    def late(value):
        time.sleep(0.2)
        return 1 // value

    assert sabir.get(Counter.remote(late.remote(1)).add.remote()) == 2
    with pytest.raises(ActorDiedError, match="ZeroDivisionError"):
        sabir.get(Counter.remote(late.remote(0)).add.remote())


def test_senders_are_independent():
    @sabir.remote
    def send(counter, amount):
        return [sabir.get(counter.add.remote(amount)) for _ in range(50)]

    counter = Counter.remote()
    results = sabir.get([send.remote(counter, 1), send.remote(counter, 1)])
    assert sorted(results[0] + results[1]) == list(range(1, 101))
    assert all(run == sorted(run) for run in results)


def test_a_function_of_the_callers_runs_in_the_actor():
    @sabir.remote
    class Holder:
        def __init__(self):
            self.value = 3

    holder = Holder.remote()
    assert sabir.get(holder.__ray_call__.remote(lambda self, by: self.value * by, 5)) == 15
    assert sabir.get(holder.__sabir_call__.remote(lambda self, by=0: self.value * by, by=2)) == 6
