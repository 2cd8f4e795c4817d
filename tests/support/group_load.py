"""A driver that makes and removes placement groups, all the time, and knows what it was answered.

Arguments: the session, and a name of its own. Reads "stop" from standard input, checks that all it was told is so, removes
its groups, and prints a summary as JSON. Names and groups are those of the namespace "load".
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
import traceback

import sabir
from sabir.exceptions import SabirError
from sabir.util import (
    PlacementGroup,
    get_placement_group,
    placement_group,
    placement_group_table,
    remove_placement_group,
)

PATIENCE_S = 120


class Load:
    def __init__(self, name: str) -> None:
        self.name = name
        self.chance = random.Random(name)
        self.groups: dict[str, PlacementGroup] = {}  # by name, as answered
        self.unknown: dict[str, PlacementGroup | None] = {}  # there was no answer
        self.done = {"created": 0, "ready": 0, "removed": 0, "errors": 0}
        self.slowest_s = 0.0

    def step(self) -> None:
        begun = time.monotonic()
        try:
            self.change()
        except (SabirError, TimeoutError):
            self.done["errors"] += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun)

    def change(self) -> None:
        if len(self.groups) >= 4 or (self.groups and self.chance.random() < 0.3):
            name = self.chance.choice(list(self.groups))
            self.unknown[name] = group = self.groups.pop(name)
            remove_placement_group(group)
            del self.unknown[name]
            self.done["removed"] += 1
            return
        name = f"{self.name}-{self.done['created'] + self.done['errors']}"
        bundles = [{"CPU": 0.1}] * self.chance.randint(1, 3)
        self.unknown[name] = None
        group = placement_group(bundles, strategy=self.chance.choice(["PACK", "SPREAD"]), name=name)
        del self.unknown[name]
        self.groups[name] = group
        self.done["created"] += 1
        if self.chance.random() < 0.5:
            assert group.wait(PATIENCE_S), placement_group_table(group)
            self.done["ready"] += 1

    def check(self) -> None:
        for name, group in self.groups.items():
            assert get_placement_group(name) == group, f"{name} is another group"
            assert group.wait(PATIENCE_S), placement_group_table(group)
        there = {row["name"] for row in placement_group_table().values() if row["name"].startswith(self.name + "-")}
        lost = set(self.groups) - there
        assert not lost, f"made, and not there: {lost}"
        left = there - set(self.groups) - set(self.unknown)
        assert not left, f"there, and not made or removed: {left}"
        for name in there:
            remove_placement_group(get_placement_group(name))
        for name in there:
            try:
                get_placement_group(name)
            except ValueError:
                continue
            raise AssertionError(f"{name} is there, and was removed")


def main() -> None:
    session, name = sys.argv[1:]
    sabir.init(session, namespace="load", log_to_driver=False)
    load = Load(name)
    faults: list[str] = []
    stopping = threading.Event()

    def forever() -> None:
        try:
            while not stopping.is_set():
                load.step()
        except Exception:  # anything is a fault, and told
            faults.append(traceback.format_exc())

    thread = threading.Thread(target=forever)
    thread.start()
    print("under way", flush=True)
    assert sys.stdin.readline() == "stop\n"
    stopping.set()
    thread.join()
    if not faults:
        try:
            load.check()
        except Exception:
            faults.append(traceback.format_exc())
    print(json.dumps({"faults": faults, "slowest_s": round(load.slowest_s, 3), **load.done}), flush=True)


if __name__ == "__main__":
    main()
