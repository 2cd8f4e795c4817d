"""Programs of Ray's documentation on actors, in our words."""

import os
import time

import ray


@ray.remote
class Counter:
    def __init__(self, start=0):
        self.value = start

    def increment(self, by=1):
        self.value += by
        return self.value

    def get(self):
        return self.value

    @ray.method(num_returns=2)
    def pair(self):
        return self.value, -self.value


def program_state():
    counter = Counter.remote(10)
    for _ in range(3):
        counter.increment.remote()
    assert ray.get(counter.get.remote()) == 13
    assert ray.get(counter.pair.remote()) == [13, -13]
    a, b = counter.pair.remote()
    assert ray.get([a, b]) == [13, -13]


def program_handles_are_passed():
    @ray.remote
    def thrice(counter):
        return [ray.get(counter.increment.remote()) for _ in range(3)]

    assert ray.get(thrice.remote(Counter.remote())) == [1, 2, 3]


def program_named_actors():
    made = Counter.options(name="shared", lifetime="detached").remote(5)
    assert ray.get(ray.get_actor("shared").increment.remote()) == 6
    assert ray.get_actor("shared") == made
    assert "shared" in ray.util.list_named_actors()
    same = Counter.options(name="shared", get_if_exists=True).remote()
    assert ray.get(same.get.remote()) == 6
    ray.kill(made)
    for wrong in ("nobody", ""):
        try:
            ray.get_actor(wrong)
            raise AssertionError
        except ValueError:
            pass


def program_namespaces():
    Other = ray.remote(Counter.__ray_actor_class__)
    handle = Other.options(name="there", namespace="elsewhere").remote(1)
    assert ray.get(ray.get_actor("there", namespace="elsewhere").get.remote()) == 1
    try:
        ray.get_actor("there")
        raise AssertionError
    except ValueError:
        pass
    del handle


def program_kill():
    counter = Counter.remote()
    ray.get(counter.get.remote())
    ray.kill(counter)
    try:
        ray.get(counter.get.remote())
        raise AssertionError
    except ray.exceptions.RayActorError as error:
        assert isinstance(error, ray.exceptions.ActorDiedError)
    try:
        ray.kill(1)
        raise AssertionError
    except ValueError:
        pass


def program_restart():
    @ray.remote(max_restarts=1, max_task_retries=-1)
    class Mortal:
        def __init__(self):
            self.count = 0

        def work(self):
            self.count += 1
            return self.count

        def die(self):
            os._exit(1)

    actor = Mortal.remote()
    assert ray.get(actor.work.remote()) == 1
    ray.wait([actor.die.options(num_returns=1).remote()], timeout=20)
    deadline = time.monotonic() + 30
    while True:
        try:
            assert ray.get(actor.work.remote()) >= 1
            break
        except ray.exceptions.RayActorError:
            # die() is retried, and used the restart up
            return
        finally:
            assert time.monotonic() < deadline


def program_a_constructor_that_fails():
    @ray.remote
    class Broken:
        def __init__(self):
            raise RuntimeError("no")

        def work(self):
            return 1

    try:
        ray.get(Broken.remote().work.remote())
        raise AssertionError
    except ray.exceptions.RayActorError as error:
        assert "no" in str(error)


def program_errors_of_methods_leave_the_actor_alive():
    @ray.remote
    class Picky:
        def check(self, x):
            if x < 0:
                raise ValueError("negative")
            return x

    picky = Picky.remote()
    try:
        ray.get(picky.check.remote(-1))
        raise AssertionError
    except ValueError:
        pass
    assert ray.get(picky.check.remote(1)) == 1


def program_exit_from_inside():
    @ray.remote
    class Leaver:
        def leave(self):
            ray.actor.exit_actor()

    leaver = Leaver.remote()
    try:
        ray.get(leaver.leave.remote())
        raise AssertionError
    except ray.exceptions.RayActorError:
        pass


def program_terminate_and_ready():
    counter = Counter.remote()
    ray.get(counter.__ray_ready__.remote())
    ray.wait([counter.__ray_terminate__.remote()], timeout=20)
    try:
        ray.get(counter.get.remote())
        raise AssertionError
    except ray.exceptions.RayActorError:
        pass


def program_a_function_in_the_actor():
    counter = Counter.remote(3)
    assert ray.get(counter.__ray_call__.remote(lambda self, by: self.value * by, 2)) == 6


def program_inheritance_of_plain_classes():
    class Base:
        def name(self):
            return "base"

    class Child(Base):
        def name(self):
            return "child of " + super().name()

    assert ray.get(ray.remote(Child).remote().name.remote()) == "child of base"
    try:

        class Wrong(Counter):
            pass

        raise AssertionError
    except TypeError:
        pass


def program_wrong_use():
    for wrong in (lambda: Counter(), lambda: Counter.remote(1, 2, 3), lambda: Counter.remote().increment()):
        try:
            wrong()
            raise AssertionError
        except TypeError:
            pass
    try:
        Counter.remote().missing.remote()
        raise AssertionError
    except AttributeError:
        pass


def program_a_parameter_server():
    @ray.remote
    class Server:
        def __init__(self):
            self.weight = 10.0

        def apply(self, *gradients):
            self.weight -= 0.1 * sum(gradients) / len(gradients)
            return self.weight

    @ray.remote
    def gradient(weight):
        return 2 * weight

    server = Server.remote()
    weight = server.apply.remote(0)
    for _ in range(20):
        weight = server.apply.remote(*[gradient.remote(weight) for _ in range(2)])
    assert abs(ray.get(weight)) < 1


def program_actors_that_call_actors():
    @ray.remote
    class Front:
        def __init__(self, back):
            self.back = back

        def ask(self):
            return ray.get(self.back.increment.remote(10))

    assert ray.get(Front.remote(Counter.remote(1)).ask.remote()) == 11


def program_ids():
    counter = Counter.remote()
    assert len(counter._actor_id.hex()) == 32

    @ray.remote
    class Who:
        def ids(self):
            context = ray.get_runtime_context()
            return context.get_actor_id(), context.get_node_id(), context.get_actor_name()

    who = Who.options(name="who").remote()
    actor_id, node_id, name = ray.get(who.ids.remote())
    assert actor_id == who._actor_id.hex() and node_id == ray.get_runtime_context().get_node_id() and name == "who"


def program_static_and_class_methods():
    @ray.remote
    class Mixed:
        kind = "mixed"

        @staticmethod
        def twice(x):
            return 2 * x

        @classmethod
        def name(cls):
            return cls.kind

    mixed = Mixed.remote()
    assert ray.get([mixed.twice.remote(2), mixed.name.remote()]) == [4, "mixed"]
    assert ray.get(mixed.twice.options(name="t", enable_task_events=False).remote(1)) == 2
