"""Programs written for Ray run on Sabir (sabir.compat.ray). The programs lie in programs/; Ray itself is not needed."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PROGRAMS = [
    (path.name, name)
    for path in sorted((FOLDER / "programs").glob("*.py"))
    for name in re.findall(r"^def (program_\w+)", path.read_text(), re.MULTILINE)
]


def run_ray(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sabir.compat.ray", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


@functools.cache
def outcomes(file: str) -> dict[str, str]:
    done = run_ray(str(FOLDER / "run_programs.py"), str(FOLDER / "programs" / file))
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_there_are_enough_of_them() -> None:
    assert len(PROGRAMS) >= 40


@pytest.mark.parametrize(("file", "name"), PROGRAMS)
def test_program(file: str, name: str) -> None:
    outcome = outcomes(file)[name]
    assert outcome == "", outcome


SCRIPT = """
import sys, os
import ray

@ray.remote
def variable():
    return os.environ["SET_BY_INIT"]

if __name__ == "__main__":
    with ray.init(num_cpus=1, runtime_env={"env_vars": {"SET_BY_INIT": "yes"}}) as context:
        assert context.address_info["node_id"] == ray.nodes()[0]["NodeID"]
        print(sys.argv[1:], ray.get(variable.remote()), "SET_BY_INIT" in os.environ)
        assert ray.get_runtime_context().runtime_env == {"env_vars": {"SET_BY_INIT": "yes"}}
    assert not ray.is_initialized()
    for address, kind in (("auto", ConnectionError), ("ray://host:10001", NotImplementedError)):
        try:
            ray.init(address)
            raise AssertionError(address)
        except kind:
            pass
"""


def test_a_script_with_its_arguments(folder: Path) -> None:
    path = folder / "script.py"
    path.write_text(SCRIPT)
    done = run_ray(str(path), "--steps", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "['--steps', '3'] yes False"


CLUSTER = """
import time
import ray
from ray.cluster_utils import Cluster
from ray.util.multiprocessing import Pool

def process_of(_):
    time.sleep(0.2)  # the other node's process has to start first
    return ray.get_runtime_context().get_node_id()

if __name__ == "__main__":
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    ray.init(address=cluster.address)
    other = cluster.add_node(num_cpus=1, resources={"far": 1})
    cluster.wait_for_nodes()
    assert len(ray.nodes()) == 2 and ray.cluster_resources()["CPU"] == 2
    assert cluster.worker_nodes == [other]

    @ray.remote(resources={"far": 1})
    def where():
        return ray.get_runtime_context().get_node_id()

    assert ray.get(where.remote()) == other.node_id
    with Pool() as pool:
        assert len(set(pool.map(process_of, range(20), chunksize=1))) == 2
    cluster.remove_node(other)
    ray.shutdown()
    cluster.shutdown()
"""


def test_a_cluster(folder: Path) -> None:
    path = folder / "cluster.py"
    path.write_text(CLUSTER)
    done = run_ray(str(path))
    assert done.returncode == 0, done.stderr


def test_code_modules_and_help() -> None:
    assert run_ray("-c", "import ray; print(ray.__version__)").stdout.startswith("2.")
    assert run_ray("-m", "json.tool", "--help").returncode == 0
    assert "SCRIPT" in run_ray("--help").stdout
    assert run_ray().returncode == 2


def test_it_has_to_be_installed_first() -> None:
    program = """
import sys, types
import sabir, sabir.compat.ray as layer
sys.modules["ray"] = types.ModuleType("ray")  # stands for Ray itself
try:
    layer.install()
    raise AssertionError
except RuntimeError as error:
    assert "before" in str(error)
del sys.modules["ray"]
sabir.init("local", num_cpus=1)
try:
    layer.install()
    raise AssertionError
except RuntimeError as error:
    assert "sabir.init" in str(error)
sabir.shutdown()
layer.install()
layer.install()
import ray
assert ray.__file__.startswith(layer.TREE)
layer.uninstall()
assert "ray" not in sys.modules and layer.TREE not in sys.path
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
