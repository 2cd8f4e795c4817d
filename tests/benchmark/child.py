"""One runtime under measurement, driven over stdin and stdout: `python child.py sabir|ray|processpool`.

Commands, one JSON object a line: {"do": "open", "name": WORKLOAD}, {"do": "round", "seconds": S}, {"do": "close"},
{"do": "latency", "name": "task" or "actor", "count": N}, {"do": "sleep", "seconds": S}. One JSON object answers each.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any, Callable

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import process_pool
import workloads


def start(peer: str) -> Any:
    if peer == "processpool":
        return process_pool.start()
    api = importlib.import_module(peer)
    if peer == "ray":
        api.init(num_cpus=os.cpu_count(), include_dashboard=False, log_to_driver=False, logging_level="error")
    else:
        api.init("local", num_cpus=os.cpu_count(), log_to_driver=False)
    return api


def rounds_per_second(work: workloads.Workload, seconds: float) -> float:
    began = time.perf_counter()
    count = 0
    while time.perf_counter() - began < seconds:
        work.run()
        count += 1
    return count * work.operations / (time.perf_counter() - began)


def latencies(api: Any, what: str, count: int) -> dict[str, float]:
    """Percentiles of single calls, in microseconds."""
    method = workloads.make_actor(api).remote().small_value if what == "actor" else api.remote(workloads.small_value)
    for _ in range(min(count, 500)):
        api.get(method.remote())
    times = []
    for _ in range(count):
        began = time.perf_counter_ns()
        api.get(method.remote())
        times.append(time.perf_counter_ns() - began)
    times.sort()
    return {"p50_us": times[len(times) // 2] / 1e3, "p99_us": times[len(times) * 99 // 100] / 1e3}


def serve(
    api: Any,
    peer: str,
    table: dict[str, Callable[[Any], workloads.Workload]],
    more: dict[str, Callable[[dict[str, Any]], dict[str, Any]]],
) -> None:
    """Carries out the commands on standard input: the workloads of `table`, and what `more` names."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer

    def answer(fields: dict[str, Any]) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    answer({"ready": True})
    work: workloads.Workload | None = None
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "open":
            make = table[command["name"]]
            if peer == "processpool" and command["name"] not in process_pool.SUPPORTED:
                answer({"unsupported": True})
                continue
            work = make(api)
            work.run()
            answer({"unit": work.unit})
        elif command["do"] == "round":
            assert work is not None
            answer({"rate": rounds_per_second(work, command["seconds"])})
        elif command["do"] == "close":
            work = None
            answer({})
        elif command["do"] == "latency":
            answer(latencies(api, command["name"], command["count"]))
        elif command["do"] == "sleep":
            time.sleep(command["seconds"])
            answer({})
        else:
            answer(more[command["do"]](command))


def main() -> None:
    api = start(sys.argv[1])
    serve(api, sys.argv[1], {**workloads.WORKLOADS, **workloads.PYTHON_WORKLOADS}, {})
    api.shutdown()


if __name__ == "__main__":
    main()
