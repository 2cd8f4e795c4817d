"""Options and resources."""

from __future__ import annotations

import math
import time

import pytest
from processes import eventually

import sabir
from sabir import _runtime


@sabir.remote
def nothing():
    return None


@sabir.remote
class Holder:
    def ready(self):
        return True


@pytest.mark.parametrize(
    "options",
    [
        {"num_cpus": -1},
        {"num_cpus": math.nan},
        {"num_cpus": math.inf},
        {"num_cpus": 0.00001},
        {"num_gpus": -0.5},
        {"memory": -1},
        {"resources": {"x": -1}},
        {"resources": {"CPU": 1}},
        {"num_returns": -1},
        {"num_returns": 70_000},
        {"max_retries": -2},
        {"name": ""},
        {"cpus": 1},
    ],
)
def test_bad_values(options):
    with pytest.raises(ValueError):
        sabir.remote(**options)(lambda: None)
    with pytest.raises(ValueError):
        nothing.options(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"num_cpus": "1"},
        {"num_cpus": True},
        {"resources": [1]},
        {"resources": {1: 1}},
        {"num_returns": 1.5},
        {"max_retries": None.__class__},
        {"retry_exceptions": "x"},
        {"retry_exceptions": [1]},
        {"name": 1},
    ],
)
def test_bad_types(options):
    with pytest.raises(TypeError):
        nothing.options(**options)


def test_unknown_options_suggest_the_known_one():
    with pytest.raises(ValueError, match="num_cpus"):
        nothing.options(num_cpu=1)
    with pytest.raises(ValueError, match="max_restarts"):
        Holder.options(max_restart=1)
    with pytest.raises(ValueError, match="get_if_exists needs a name"):
        Holder.options(get_if_exists=True)


def test_options_of_ray_that_are_not_there_yet_are_told_from_misspelt_ones():
    for options in ({"runtime_env": {"pip": ["x"]}}, {"accelerator_type": "T4"}, {"max_pending_calls": 3}):
        with pytest.raises(ValueError, match="not in this version"):
            Holder.options(**options)
        with pytest.raises(ValueError, match="not in this version"):
            nothing.options(**options)
    with pytest.raises(ValueError, match="threaded and async actors"):
        Holder.options(max_concurrency=2)
    with pytest.raises(ValueError, match="threaded and async actors"):
        sabir.remote(max_concurrency=8)
    with pytest.raises(ValueError, match="streaming generators"):
        nothing.options(num_returns="streaming")
    with pytest.raises(ValueError, match="max_concurrency"):
        Holder.options(max_concurrency=0)
    Holder.options(max_concurrency=1)


def test_remote_wants_a_function_or_a_class():
    with pytest.raises(TypeError):
        sabir.remote(1)
    with pytest.raises(TypeError):
        sabir.remote(nothing)


def test_init_checks_its_arguments():
    for options in ({"num_cpus": -1}, {"num_cpus": math.nan}, {"resources": {"x": -1}}, {"object_store_memory": 5}):
        with pytest.raises(ValueError):
            sabir.init("local", **options)
    for options in ({"num_cpus": "2"}, {"object_store_memory": 1.5}, {"namespace": 1}, {"address": 1}):
        with pytest.raises(TypeError):
            sabir.init(**options)
    with pytest.raises(TypeError):
        sabir.init(no_such_option=1)
    assert not sabir.is_initialized()


def test_init_checks_the_number_of_slots_without_a_jar_too():
    for slots in (0, -1, 65, 2**40, 2**70, -(2**70)):
        with pytest.raises(ValueError, match=f"^{slots} slots per JVM: 1 to 64$"):
            sabir.init("local", slots_per_jvm=slots)
    for slots in (1.0, "4", True, None):
        with pytest.raises(TypeError, match="slots_per_jvm must be an int"):
            sabir.init("local", slots_per_jvm=slots)
    assert not sabir.is_initialized()


def test_resources_are_counted(own_session):
    own_session(num_cpus=3, num_gpus=2, resources={"slot": 1.5})
    assert sabir.cluster_resources() == pytest.approx({"CPU": 3, "GPU": 2, "slot": 1.5}, rel=0, abs=1e-9) or {
        k: v for k, v in sabir.cluster_resources().items() if k != "memory"
    } == {"CPU": 3, "GPU": 2, "slot": 1.5}
    holder = Holder.options(num_cpus=1, num_gpus=0.5, resources={"slot": 0.25}).remote()
    sabir.get(holder.ready.remote())
    free = sabir.available_resources()
    assert (free["CPU"], free["GPU"], free["slot"]) == (2, 1.5, 1.25)
    sabir.kill(holder)
    eventually(lambda: sabir.available_resources()["CPU"] == 3, "the resources of a killed actor stay taken")
    sabir.get([nothing.remote() for _ in range(10)])
    eventually(lambda: sabir.available_resources()["CPU"] == 3, "idle workers hold resources")


def test_resources_bound_what_runs_at_a_time(own_session, tmp_path):
    own_session(num_cpus=4, resources={"slot": 1})
    log = tmp_path / "log"

    @sabir.remote(num_cpus=0, resources={"slot": 1})
    def exclusive():
        with open(log, "a") as file:
            file.write("<")
            file.flush()
            time.sleep(0.05)
            file.write(">")

    sabir.get([exclusive.remote() for _ in range(6)])
    assert log.read_text() == "<>" * 6


def test_tasks_without_cpus_run_beside_those_that_hold_them_all(own_session):
    own_session(num_cpus=1)

    @sabir.remote
    def hold():
        time.sleep(60)

    @sabir.remote(num_cpus=0)
    def light(x):
        return x

    held = hold.remote()
    eventually(lambda: sabir.available_resources()["CPU"] == 0, "the CPU is not taken")
    assert sabir.get([light.remote(i) for i in range(5)], timeout=30) == list(range(5))
    assert sabir.get(nothing.options(num_cpus=0).remote(), timeout=30) is None
    assert sabir.wait([held], timeout=0)[0] == []


def test_gpus_are_assigned_by_index(own_session):
    own_session(num_cpus=4, num_gpus=2)

    @sabir.remote(num_gpus=1)
    def mine():
        import os

        time.sleep(0.3)
        return os.environ["CUDA_VISIBLE_DEVICES"], sabir.get_gpu_ids()

    (first, first_ids), (second, second_ids) = sabir.get([mine.remote(), mine.remote()])
    assert {first, second} == {"0", "1"}
    assert first_ids == [int(first)] and second_ids == [int(second)]


def test_a_resource_that_no_node_has_is_told_and_waits(own_session, screen):
    own_session(num_cpus=1)
    ref = nothing.options(resources={"unobtainium": 1}).remote()
    ready, _ = sabir.wait([ref], timeout=0.5)
    assert ready == []
    eventually(lambda: "unobtainium" in screen.err(), "no warning")
    from sabir._state import status

    queues = status()["nodes"][0]["queues"]
    assert any("unobtainium" in (queue.get("infeasible") or "") for queue in queues)
    assert sabir.get(nothing.remote(), timeout=30) is None


def test_code_of_one_task_or_actor(session, tmp_path):
    (tmp_path / "only_here.py").write_text("def value():\n    return 'found'\n")
    env = {"code_search_path": [tmp_path]}

    @sabir.remote
    def use():
        import only_here

        return only_here.value()

    @sabir.remote
    class User:
        def use(self):
            import only_here

            return only_here.value()

    with pytest.raises(ModuleNotFoundError):
        sabir.get(use.remote())
    assert sabir.get(use.options(runtime_env=env).remote()) == "found"
    assert sabir.get(User.options(runtime_env=env).remote().use.remote()) == "found"
    with pytest.raises(TypeError, match="runtime_env must be a dict"):
        use.options(runtime_env=[str(tmp_path)])
    with pytest.raises(ValueError, match="does not exist"):
        use.options(runtime_env={"code_search_path": [tmp_path / "nothing"]})


@pytest.mark.parametrize("wrong", [-1, float("nan")])
def test_the_start_has_no_negative_timeout(wrong):
    with pytest.raises(ValueError, match="timeout_s must be at least 0"):
        _runtime._config("local", None, None, None, None, None, True, None, wrong, None)
