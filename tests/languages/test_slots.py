"""Java tasks that share a JVM, called from Python."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from shipped import JAR, compile_java, short_folder

import sabir
from sabir.exceptions import WorkerCrashedError

HERE = Path(__file__).resolve().parent / "from_python"
SLOTS = 3
TIMEOUT_S = 60


@pytest.fixture(scope="module", autouse=True)
def session() -> Iterator[Path]:
    """Its folder: classes of the job are in `code`, some for single tasks in `extra`, none in `other`."""
    with short_folder() as root:
        code = compile_java(Path(root) / "code", HERE / "Slots.java")
        compile_java(Path(root) / "extra", HERE / "Extra.java", libraries=[code])
        (Path(root) / "other").mkdir()
        options = {"num_cpus": SLOTS, "code_search_path": [code], "java_jar": JAR, "log_to_driver": False}
        with sabir.init("local", slots_per_jvm=SLOTS, **options, _session_root=root):
            yield Path(root)


def test_tasks_meet_in_one_process():
    meet = sabir.java_function("Slots", "meet")
    pids = sabir.get([meet.remote(SLOTS) for _ in range(SLOTS)], timeout=TIMEOUT_S)
    assert len(set(pids)) == 1


def test_a_crash_takes_the_neighbours_along():
    wait = sabir.java_function("Slots", "waitForever").options(max_retries=0)
    waiting = [wait.remote() for _ in range(SLOTS - 1)]
    crash = sabir.java_function("Slots", "crash").options(max_retries=0).remote(SLOTS - 1)
    for ref in [*waiting, crash]:
        with pytest.raises(WorkerCrashedError, match="exited with status 7"):
            sabir.get(ref, timeout=TIMEOUT_S)
    assert sabir.get(sabir.java_function("Slots", "pid").remote(), timeout=TIMEOUT_S) > 0


def test_a_future_looks_for_classes_where_its_task_does(session: Path):
    def function(class_name: str, name: str, *more_code: str):
        env = {"code_search_path": [str(session / folder) for folder in more_code]}
        return sabir.java_function(class_name, name).options(runtime_env=env)

    produced = function("Extra", "produce", "extra").remote()
    pid = function("Extra", "read", "extra").remote([produced])
    sabir.get(function("Slots", "awaitArrivals").remote(2), timeout=TIMEOUT_S)
    # The value comes when a neighbour was the last that began to look elsewhere.
    sabir.get(function("Slots", "openGate", "other").remote(), timeout=TIMEOUT_S)
    assert sabir.get(pid, timeout=TIMEOUT_S) > 0


@pytest.mark.parametrize("slots", [0, 65, -1, 2**40, 2**70])
def test_a_number_of_slots_that_cannot_be(slots: int):
    sabir.shutdown()
    with pytest.raises(ValueError, match=f"^{slots} slots per JVM: 1 to 64$"):
        sabir.init("local", java_jar=JAR, slots_per_jvm=slots)
