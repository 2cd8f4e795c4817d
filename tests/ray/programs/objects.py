"""Programs of Ray's documentation on objects, asyncio, groups, graphs and helpers, in our words."""

import asyncio
import threading

import numpy as np
import ray
from ray.dag import InputNode, MultiOutputNode
from ray.util import ActorPool, as_completed, inspect_serializability, map_unordered
from ray.util.multiprocessing import Pool
from ray.util.placement_group import placement_group, placement_group_table, remove_placement_group
from ray.util.queue import Empty, Queue
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy, PlacementGroupSchedulingStrategy


@ray.remote
def double(x):
    return 2 * x


def program_put_and_get():
    ref = ray.put([1, 2])
    assert ray.get(ref) == [1, 2] and ray.get([ref, ref]) == [[1, 2]] * 2
    assert len({ref, ray.put(1)}) == 2 and ref.hex() == ref.hex() and not ref.is_nil()
    assert isinstance(ref, ray.ObjectID)
    for wrong in (lambda: ray.put(ref),):
        try:
            wrong()
            raise AssertionError
        except TypeError:
            pass
    try:
        ray.get(5)
        raise AssertionError
    except ValueError:
        pass


def program_arrays_are_shared_and_read_only():
    array = ray.get(ray.put(np.zeros(100_000)))
    assert not array.flags.writeable
    try:
        array[0] = 1
        raise AssertionError
    except ValueError:
        pass


def program_futures_and_callbacks():
    assert double.remote(2).future().result(timeout=30) == 4
    found, done = [], threading.Event()
    double.remote(3)._on_completed(lambda value: (found.append(value), done.set()))
    assert done.wait(30) and found == [6]


def program_asyncio():
    async def both():
        assert await double.remote(1) == 2
        return await asyncio.gather(double.remote(2), double.remote(3))

    assert asyncio.run(both()) == [4, 6]


def program_as_completed_and_map_unordered():
    assert sorted(as_completed([double.remote(i) for i in range(3)])) == [0, 2, 4]
    assert sorted(map_unordered(double, range(5))) == [0, 2, 4, 6, 8]


def program_placement_groups():
    group = placement_group([{"CPU": 1}, {"CPU": 1}], strategy="PACK")
    assert group.wait(timeout_seconds=30)
    ray.get(group.ready())
    strategy = PlacementGroupSchedulingStrategy(placement_group=group, placement_group_bundle_index=0)

    @ray.remote(num_cpus=1)
    def where():
        return ray.util.get_current_placement_group() is not None

    assert ray.get(where.options(scheduling_strategy=strategy).remote())
    assert ray.get(where.options(placement_group=group).remote())
    assert len(group.bundle_specs) == 2 and placement_group_table(group) and len(group.id.hex()) >= 32
    remove_placement_group(group)


def program_node_affinity():
    here = ray.get_runtime_context().get_node_id()
    strategy = NodeAffinitySchedulingStrategy(node_id=here, soft=False)
    assert ray.get(double.options(scheduling_strategy=strategy).remote(1)) == 2


def program_graphs():
    @ray.remote
    class Adder:
        def __init__(self, by):
            self.by = by

        def add(self, x):
            return x + self.by

    with InputNode() as x:
        adder = Adder.bind(10)
        graph = MultiOutputNode([double.bind(adder.add.bind(x)), double.bind(x)])
    assert ray.get(graph.execute(1)) == [22, 2]


def program_actor_pool():
    @ray.remote
    class Worker:
        def work(self, x):
            return x + 1

    pool = ActorPool([Worker.remote() for _ in range(2)])
    assert list(pool.map(lambda actor, x: actor.work.remote(x), range(4))) == [1, 2, 3, 4]
    pool.submit(lambda actor, x: actor.work.remote(x), 9)
    assert pool.has_next() and pool.get_next() == 10


def program_a_queue_of_producers_and_consumers():
    queue = Queue(maxsize=3)

    @ray.remote
    def produce(queue):
        for i in range(10):
            queue.put(i)

    @ray.remote
    def consume(queue):
        return [queue.get() for _ in range(10)]

    found, _ = ray.get([consume.remote(queue), produce.remote(queue)])
    assert found == list(range(10))
    try:
        queue.get(block=False)
        raise AssertionError
    except Empty:
        pass


def program_a_process_pool():
    with Pool(2) as pool:
        assert pool.map(lambda x: x * x, range(10)) == [x * x for x in range(10)]
        assert sorted(pool.imap_unordered(abs, [-1, -2])) == [1, 2]
    with Pool(processes=1, ray_remote_args={"num_cpus": 1}) as pool:
        assert pool.apply(max, (1, 2)) == 2


def program_serializability():
    fine, failures = inspect_serializability(threading.Lock(), name="lock")
    assert not fine and failures
    try:
        ray.put(threading.Lock())
        raise AssertionError
    except TypeError:
        pass


def program_custom_serializers():
    class Held:
        def __init__(self, x):
            self.x, self.lock = x, threading.Lock()

    ray.util.register_serializer(Held, serializer=lambda h: h.x, deserializer=lambda x: Held(x))
    assert ray.get(ray.put(Held(4))).x == 4
    ray.util.deregister_serializer(Held)


def program_the_runtime_context():
    context = ray.get_runtime_context()
    assert context.get_job_id() and context.namespace and context.get_task_id() is None
    assert context.job_id.hex() == context.get_job_id() and context.get_accelerator_ids()["GPU"] == []

    @ray.remote
    def inside():
        inner = ray.get_runtime_context()
        return inner.get_job_id(), inner.get_task_name()

    assert ray.get(inside.remote()) == (context.get_job_id(), "inside")
    assert ray.is_initialized()
    try:
        ray.init()
        raise AssertionError
    except RuntimeError:
        pass
    assert ray.init(ignore_reinit_error=True)["session_dir"]


def program_the_state():
    from ray.util.state import list_actors, list_nodes

    @ray.remote
    class Listed:
        def ping(self):
            return 1

    actor = Listed.options(name="listed").remote()
    ray.get(actor.ping.remote())
    (found,) = list_actors(filters=[("name", "=", "listed")])
    assert found.state == "ALIVE" and found["class_name"] == "Listed"
    assert [node.state for node in list_nodes()] == ["ALIVE"]


def program_helpers():
    from ray.experimental import tqdm_ray
    from ray.util.metrics import Counter, Gauge, Histogram

    assert ray.util.log_once("a key") and not ray.util.log_once("a key")
    assert list(tqdm_ray.tqdm(range(3))) == [0, 1, 2]
    Counter("c", tag_keys=("k",)).inc(1, {"k": "v"})
    Gauge("g").set(1)
    Histogram("h", boundaries=[1]).observe(2)
    assert ray.util.get_node_ip_address()


def program_keys_and_values():
    from ray.experimental.internal_kv import _internal_kv_del, _internal_kv_get, _internal_kv_put

    assert not _internal_kv_put("a", "1", namespace="n")
    assert _internal_kv_get(b"a", namespace=b"n") == b"1"
    assert _internal_kv_del("a", namespace="n") and _internal_kv_get("a", namespace="n") is None


def program_what_is_missing_says_so():
    @ray.remote
    class Asynchronous:
        async def work(self):
            return 1

    group = ray.put(1)
    missing = (
        lambda: ray.cancel(group),
        lambda: double.options(num_returns="streaming"),
        lambda: double.options(runtime_env={"pip": ["x"]}),
        lambda: ray.remote(max_concurrency=2)(Asynchronous.__ray_actor_class__),
        lambda: Asynchronous.remote().work.remote(),
        lambda: double.bind(1).experimental_compile(),
        lambda: ray.timeline(),
        lambda: ray.data.from_items([1]),
    )
    for use in missing:
        try:
            use()
            raise AssertionError
        except NotImplementedError as error:
            assert str(error)
    for library in ("tune", "train", "serve", "rllib"):
        try:
            __import__(f"ray.{library}")
            raise AssertionError
        except ImportError as error:
            assert "Sabir" in str(error)
