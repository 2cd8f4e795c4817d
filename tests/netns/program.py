"""A program that the tests here steer: a JSON object a line comes in, and one goes out."""

from __future__ import annotations

import collections
import json
import os
import sys
import time
from typing import Any

import sabir

GET_S = 120


def work(index: int, seconds: float) -> Any:
    time.sleep(seconds)
    return index * index + 1, os.environ["SABIR_SESSION"], os.getpid()


def checksum(data: bytes) -> Any:
    return sum(data[::4096]), len(data), data


class Steered:
    def __init__(self) -> None:
        self.refs: list[Any] = []

    def submit(self, count: int, seconds: float, far: bool = False, retries: int = 5) -> Any:
        """Calls that the node itself, or only the other one, can run."""
        options: dict[str, Any] = {"max_retries": retries}
        if far:
            options.update(num_cpus=0, resources={"far": 1})
        task = sabir.remote(**options)(work)
        first = len(self.refs)
        self.refs += [task.remote(index, seconds) for index in range(first, first + count)]
        return {"submitted": len(self.refs)}

    def wait(self, count: int) -> Any:
        ready, _ = sabir.wait(self.refs, num_returns=count, timeout=GET_S)
        return {"ready": len(ready)}

    def results(self) -> Any:
        """Of all that was submitted: how many were right, which were not, and where they ran."""
        errors: collections.Counter[str] = collections.Counter()
        where: collections.Counter[str] = collections.Counter()
        wrong = []
        for index, ref in enumerate(self.refs):
            try:
                value, session, _ = sabir.get(ref, timeout=GET_S)
            except Exception as error:
                errors[type(error).__name__] += 1
                continue
            where[session] += 1
            if value != index * index + 1:
                wrong.append(index)
        count = len(self.refs)
        self.refs = []
        return {"right": count - len(wrong) - sum(errors.values()), "wrong": wrong, "errors": errors, "where": where}

    def carry(self, size_bytes: int) -> Any:
        """Bytes to the other node and back."""
        data = os.urandom(4096) * (size_bytes // 4096)
        task = sabir.remote(num_cpus=0, resources={"far": 1})(checksum)
        began = time.monotonic()
        total, size, back = sabir.get(task.remote(data), timeout=GET_S)
        good = (total, size) == checksum(data)[:2] and back == data
        return {"right": good, "seconds": time.monotonic() - began}


def main() -> None:
    sabir.init(sys.argv[1], log_to_driver=False)
    steered = Steered()
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(getattr(steered, command.pop("do"))(**command)), flush=True)
    sabir.shutdown()


if __name__ == "__main__":
    main()
