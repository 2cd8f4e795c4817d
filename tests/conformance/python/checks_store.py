"""A store that is too small for all that is made, and a second driver that shares it."""

from __future__ import annotations

import os
import subprocess

from conformance_samples import SAMPLES
from peers import equal, get, require
from registry import Pair, scenario

import sabir


@scenario("pressure-results")
def _(pair: Pair) -> None:
    for _ in range(20):
        equal(pair.callee.call("make", "size-64-mib-tensor").shape, (4096, 4096))


@scenario("pressure-slices")
def _(pair: Pair) -> None:
    tensor, recorder = SAMPLES["size-64-mib-tensor"](), pair.callee.recorder()
    equal([get(recorder.hold.remote(sabir.put(tensor))) for _ in range(12)], list(range(1, 13)))
    get(recorder.drop.remote())
    refs = [sabir.put(tensor) for _ in range(8)]
    equal(len(refs), 8)
    sabir.kill(recorder)


@scenario("driver-second")
def _(pair: Pair) -> None:
    recorder = pair.own.recorder(1, name="shared")
    get(recorder.keep.remote([sabir.put(5), pair.callee.function("add")(3, 4)]))
    session = sabir.get_runtime_context().session_path
    command = f"{os.environ['CONFORMANCE_SECOND']} join '{session}' shared"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    require(done.returncode == 0, done.stdout, done.stderr)
    equal(get(recorder.add.remote(1)), 4)
    equal(get(recorder.total.remote()), 42)
    sabir.kill(recorder)


def join(address: str, name: str) -> None:
    """The second driver."""
    with sabir.init(address, namespace="conformance", log_to_driver=False):
        recorder = sabir.get_actor(name)
        equal(get(recorder.add.remote(2)), 3)
        equal(get(get(recorder.lend.remote())), [5, 7])
        get(recorder.keep.remote([sabir.put(40), sabir.put(2)]))
        equal(get(recorder.total.remote()), 42)
