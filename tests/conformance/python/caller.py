"""Runs scenarios: ``caller.py CALLEE FOLDER FILE``, with the names of the scenarios in FILE, one a line.

What it knows and how each of them went is printed, a JSON object a line. The environment says where code is.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import checks_actors
import checks_calls
import checks_errors
import checks_failures
import checks_resources
import checks_store
from conformance_samples import SAMPLES
from conformance_text import text_of
from peers import Peer, Unexpected
from registry import CHECKS, Pair

import sabir

MODULES = (checks_actors, checks_calls, checks_errors, checks_failures, checks_resources, checks_store)


def say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


def value_seen(peer: Peer, name: str) -> dict[str, str]:
    """The three ways of a value."""
    value = SAMPLES[name]()
    return {
        "as an argument": peer.call("describe", value),
        "there and back": text_of(peer.call("echo", value)),
        "as a result": text_of(peer.call("make", name)),
    }


def run(pair: Pair, name: str) -> None:
    try:
        if name in SAMPLES:
            say(name=name, seen=value_seen(pair.callee, name))
            return
        CHECKS[name](pair)
        say(name=name, passed=True)
    except Unexpected as unexpected:
        say(name=name, passed=False, detail=str(unexpected))
    except Exception:
        say(name=name, passed=False, detail=traceback.format_exc())


def main(callee: str, folder: str, names: str) -> None:
    say(known=sorted([*SAMPLES, *CHECKS]))
    with sabir.init(
        "local",
        num_cpus=2,
        resources={"slot": 1},
        object_store_memory=1 << 30,
        log_to_driver=False,
        namespace="conformance",
        code_search_path=os.environ["CONFORMANCE_PATH"].split(":"),
        cpp_worker=os.environ["CONFORMANCE_CPP_WORKER"],
        java_jar=os.environ["CONFORMANCE_JAVA_JAR"],
    ):
        pair = Pair(Peer(callee), Peer("python"), Path(folder))
        for name in Path(names).read_text().split():
            run(pair, name)


if __name__ == "__main__":
    if sys.argv[1] == "join":
        checks_store.join(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
