"""A driver that changes what the control store keeps, all the time, and knows what it was answered.

Arguments: the session, a name of its own, and what to do ("values", "names", "calls", "tasks"; default: all of it).
Reads "stop" from standard input, checks that all it was told is so, and prints a summary as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from typing import Any

import sabir
from sabir import _sabir
from sabir.exceptions import SabirError

KEYS = 8


class Holder:
    def __init__(self, number: int) -> None:
        self.number = number
        self.calls = 0

    def add(self) -> tuple[int, int]:
        self.calls += 1
        return self.number, self.calls


class Load:
    def __init__(self, name: str) -> None:
        self.name = name
        self.stopping = threading.Event()
        self.faults: list[str] = []
        self.values: dict[str, bytes | None] = {f"{name}/{index}": None for index in range(KEYS)}
        self.names: dict[str, int] = {}
        self.done = {"values": 0, "names": 0, "calls": 0, "tasks": 0}
        self.slowest_s = 0.0

    def forever(self, step: Any) -> None:
        try:
            while not self.stopping.is_set():
                step()
        except Exception:  # anything is a fault, and told
            self.faults.append(traceback.format_exc())

    def timed(self, function: Any, *arguments: Any) -> Any:
        begun = time.monotonic()
        result = function(*arguments)
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        return result

    def change_values(self) -> None:
        number = self.done["values"]
        key = f"{self.name}/{number % KEYS}"
        known = self.values[key]
        if number % 5 == 4:
            assert self.timed(_sabir.kv_delete, key) == (known is not None), "it was answered something else"
            self.values[key] = None
        else:
            value = b"%d" % number
            assert self.timed(_sabir.kv_put, key, value, True) == (known is None), "it was answered something else"
            self.values[key] = value
        assert self.timed(read, key) == self.values[key]
        self.done["values"] += 1

    def change_names(self) -> None:
        number = self.done["names"]
        name = f"{self.name}-{number}"
        actor = (
            sabir.remote(num_cpus=0)(Holder).options(name=name, namespace="load", lifetime="detached").remote(number)
        )
        assert sabir.get(actor.add.remote(), timeout=60) == (number, 1)
        self.names[name] = number
        if len(self.names) > 2:
            oldest = next(iter(self.names))
            sabir.kill(sabir.get_actor(oldest, namespace="load"))
            del self.names[oldest]
        self.done["names"] += 1
        time.sleep(0.1)

    def call(self) -> None:
        if not hasattr(self, "actor"):
            self.actor = sabir.remote(num_cpus=0)(Holder).remote(0)
        assert sabir.get(self.actor.add.remote(), timeout=60) == (0, self.done["calls"] + 1)
        self.done["calls"] += 1
        time.sleep(0.005)

    def run_tasks(self) -> None:
        @sabir.remote(max_retries=0)
        def add(a: int, b: int) -> int:
            time.sleep(0.02)
            return a + b

        refs = [add.remote(index, 1) for index in range(20)]
        assert sabir.get(refs, timeout=60) == [index + 1 for index in range(20)]
        self.done["tasks"] += 20

    def check(self) -> None:
        for key, value in self.values.items():
            assert read(key) == value, f"{key} is {read(key)!r}, and was answered to be {value!r}"
        for name, number in self.names.items():
            held = sabir.get(sabir.get_actor(name, namespace="load").add.remote(), timeout=60)
            assert held[0] == number, f"{name} is another actor"
        for number in range(self.done["names"]):
            name = f"{self.name}-{number}"
            if name not in self.names:
                try:
                    sabir.get_actor(name, namespace="load")
                except ValueError:
                    continue
                raise AssertionError(f"{name} is there, and was killed")


def read(key: str) -> bytes | None:
    try:
        return _sabir.kv_get(key)
    except SabirError as error:
        if type(error).__name__ != "NotFoundError":
            raise
        return None


def main() -> None:
    session, name, *kinds = sys.argv[1:]
    sabir.init(session, namespace="load", log_to_driver=False)
    load = Load(name)
    steps = {
        "values": load.change_values,
        "names": load.change_names,
        "calls": load.call,
        "tasks": load.run_tasks,
    }
    threads = [threading.Thread(target=load.forever, args=(steps[kind],)) for kind in kinds or steps]
    for thread in threads:
        thread.start()
    print("under way", flush=True)
    assert sys.stdin.readline() == "stop\n"
    load.stopping.set()
    for thread in threads:
        thread.join()
    if not load.faults:
        try:
            load.check()
        except Exception:
            load.faults.append(traceback.format_exc())
    print(json.dumps({"faults": load.faults, "slowest_s": round(load.slowest_s, 3), **load.done}), flush=True)


if __name__ == "__main__":
    main()
