"""What is not a rate: start, idle cost, memory of workers, copies, installed size."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np

_START = """
import time
began = time.perf_counter()
import {api}
imported = time.perf_counter()
{init}
@{api}.remote
def one():
    return 1
assert {api}.get(one.remote()) == 1
print(imported - began, time.perf_counter() - imported)
{api}.shutdown()
"""
_INIT = {
    "sabir": "sabir.init('local', num_cpus=2, log_to_driver=False)",
    "ray": "ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level='error')",
}


def python_of(peer: str) -> tuple[str, dict[str, str]]:
    environment = dict(os.environ)
    if peer == "ray":
        environment.pop("PYTHONPATH", None)
        return os.environ.get("SABIR_PEER_PYTHON", sys.executable), environment
    return sys.executable, environment


def start_to_first_result(peer: str, rounds: int) -> dict[str, Any]:
    """Seconds from init() to the first result, in a new interpreter each time (its import apart)."""
    python, environment = python_of(peer)
    code = _START.format(api=peer, init=_INIT[peer])
    imports: list[float] = []
    starts: list[float] = []
    for _ in range(rounds + 1):  # the first warms the disk
        out = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=120
        ).stdout.split()
        imports.append(float(out[-2]))
        starts.append(float(out[-1]))
    return {
        "import_s": statistics.median(imports[1:]),
        "first_result_s": statistics.median(starts[1:]),
        "minimum_s": min(starts[1:]),
        "maximum_s": max(starts[1:]),
    }


def descendants(pid: int) -> list[int]:
    """A process and everything below it, also what was handed to a child subreaper."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    found = [pid]
    for candidate in found:
        found.extend(child for child, parent in parents.items() if parent == candidate)
    return found


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def pss_bytes(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) * 1024


def private_bytes(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return (
        sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(("Private_Clean:", "Private_Dirty:")))
        * 1024
    )


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(runtime: Any, seconds: float) -> dict[str, Any]:
    """Processes, memory and CPU of a runtime that does nothing, its driver left out."""
    runtime.ask(do="sleep", seconds=1.0)
    pids = descendants(runtime.process.pid)[1:]
    before = {pid: cpu_seconds(pid) for pid in pids}
    runtime.ask(do="sleep", seconds=seconds)
    used = 0.0
    pss = 0
    alive = 0
    for pid in pids:
        try:
            used += cpu_seconds(pid) - before[pid]
            pss += pss_bytes(pid)
            alive += 1
        except OSError:
            continue
    return {"processes": alive, "pss_mib": pss / 2**20, "cpu_percent_of_a_core": 100 * used / seconds}


def worker_memory() -> dict[str, Any]:
    """Private memory of one more worker: actors that import nothing, and ones that use numpy."""
    import sabir

    class Plain:
        def pid(self) -> int:
            return os.getpid()

    class Numeric:
        def pid(self) -> int:
            import numpy

            assert numpy.ones(10).sum() == 10
            return os.getpid()

    with sabir.init("local", num_cpus=2, log_to_driver=False):
        time.sleep(1.5)  # the warm zygote takes over
        result: dict[str, Any] = {}
        for label, cls in (("plain", Plain), ("numpy used", Numeric)):
            actors = [sabir.remote(num_cpus=0)(cls).remote() for _ in range(4)]
            began = time.perf_counter()
            pids = sabir.get([actor.pid.remote() for actor in actors])
            result[f"{label}: private MiB"] = statistics.median(private_bytes(pid) for pid in pids) / 2**20
            result[f"{label}: ms each to start"] = (time.perf_counter() - began) * 1000 / len(actors)
            del actors
        return result


def copies(size_bytes: int, rounds: int) -> dict[str, Any]:
    """put against memcpy of the same array in the same process, alternating; get of it."""
    import sabir

    source = np.ones(size_bytes // 8)
    target = np.empty_like(source)
    target[:] = 0

    def seconds(call: Callable[[], Any]) -> float:
        began = time.perf_counter()
        call()
        return time.perf_counter() - began

    with sabir.init("local", num_cpus=1, log_to_driver=False):
        for _ in range(3):
            sabir.put(source)
            time.sleep(0.2)
        puts, memcpys = [], []
        for _ in range(rounds):
            memcpys.append(seconds(lambda: np.copyto(target, source)))
            puts.append(seconds(lambda: sabir.put(source)))
        ref = sabir.put(source)
        sabir.get(ref)
        gets = [seconds(lambda: sabir.get(ref)) for _ in range(200)]
    gigabytes = size_bytes / 1e9
    return {
        "bytes": size_bytes,
        "put GB/s": gigabytes / statistics.median(puts),
        "memcpy GB/s": gigabytes / statistics.median(memcpys),
        "put / memcpy": statistics.median(memcpys) / statistics.median(puts),
        "get us": statistics.median(gets) * 1e6,
    }


def installed_bytes(package: str, peer: str) -> int:
    """What a package's folder holds on disk."""
    python, environment = python_of(peer)
    code = f"import importlib.util; print(importlib.util.find_spec({package!r}).submodule_search_locations[0])"
    folder = Path(
        subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, env=environment).stdout.strip()
    )
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
