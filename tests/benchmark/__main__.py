"""tools/dev bench [NAME] [--peer ray|processpool] [--sdk cpp|java [--callee python|java|cpp]] [--json FILE]

NAME is part of a workload's name, or one of: start, idle, memory, copies, size, latency. Without it everything runs,
but for "cluster": calls and objects between nodes, joins, memory of a node; beside it the peer can be Ray.
With --sdk the driver is in that language, and its workers in one of --callee (given more than once, or all three);
measures are then latency and memory, and the pairs of one language run beside those of two.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.benchmark import clusters, measures, runner, sdks
from tests.benchmark.workloads import PYTHON_WORKLOADS, UNAVAILABLE, WORKLOADS

MEASURES = ("latency", "start", "idle", "memory", "copies", "size")


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def show_rates(result: dict[str, Any], peer: str | None) -> None:
    parts = []
    for name in ("sabir", peer):
        if name is not None and name in result:
            got = result[name]
            parts.append(
                f"{name} {number(got['median'])}{result['unit']} [{number(got['minimum'])}..{number(got['maximum'])}]"
            )
    times = runner.ratio(result, peer)
    print(f"{result['name']}: {', '.join(parts)}" + (f"  ratio {times:.3g}" if times else ""), flush=True)


def show(name: str, result: dict[str, Any]) -> None:
    for who, fields in result.items():
        text = ", ".join(f"{key} {number(value)}" for key, value in fields.items())
        print(f"{name} ({who}): {text}", flush=True)


def run_measure(name: str, runtimes: list[runner.Runtime], peer: str | None) -> dict[str, Any]:
    peers = ["sabir"] + (["ray"] if peer == "ray" else [])
    if name == "latency":
        found: dict[str, Any] = {}
        for runtime in runtimes:
            if runtime.name != "processpool":
                for kind in ("task", "actor"):
                    count = 20_000 if runtime.name == "sabir" else 500
                    found[f"{runtime.name} {kind}"] = runtime.ask(do="latency", name=kind, count=count)
        return found
    if name == "start":
        return {who: measures.start_to_first_result(who, 10 if who == "sabir" else 2) for who in peers}
    if name == "idle":
        return {runtime.name: measures.idle(runtime, 5.0) for runtime in runtimes if runtime.name != "processpool"}
    if name == "memory":
        return {"sabir": measures.worker_memory()}
    if name == "copies":
        return {"sabir": measures.copies(100_000_000, 15)}
    return {who: {"MiB": measures.installed_bytes(who, who) / 2**20} for who in peers}


def run_sdk(options: argparse.Namespace) -> int:
    """Drivers in another language: each workload on all pairs, in alternation."""
    names = [name for name in WORKLOADS if options.name in name] if options.name not in MEASURES else []
    chosen = [name for name in ("latency", "memory") if options.name in ("", name)]
    if not names and not chosen:
        raise SystemExit(
            f"drivers in {options.sdk} have no {options.name!r}; there are: {', '.join(WORKLOADS)}, latency, memory"
        )
    missing = {} if options.name in MEASURES else {n: why for n, why in UNAVAILABLE.items() if options.name in n}
    for name, why in missing.items():
        print(f"{name}: not available, needs {why}", flush=True)
    pairs = sdks.pairs_of(options.sdk, options.callee or list(sdks.LANGUAGES))
    found: dict[str, Any] = {"rates": {}, "p50_us": {}, "mib": {}}
    results: dict[str, Any] = {"workloads": [], "measures": {}, "targets": [], "unavailable": missing}
    runtimes: list[runner.Runtime] = []
    try:
        for pair in pairs:
            runtimes.append(sdks.start(pair))
        if "latency" in chosen:
            for runtime in runtimes:
                for kind in ("task", "actor"):
                    got = runtime.ask(do="latency", name=kind, count=20_000)
                    results["measures"][f"latency: {runtime.name} {kind}"] = got
                    show("latency", {f"{runtime.name}, {kind}": got})
                    if kind == "task":
                        found["p50_us"][runtime.name] = got["p50_us"]
        for name in names:
            result = runner.run_workload(name, runtimes, options.rounds, options.seconds)
            results["workloads"].append(result)
            for runtime in runtimes:
                if runtime.name in result:
                    got = result[runtime.name]
                    spread = f"[{number(got['minimum'])}..{number(got['maximum'])}]"
                    print(f"{name}: {runtime.name} {number(got['median'])}{result['unit']} {spread}", flush=True)
            if name == sdks.PIPELINE:
                found["rates"] = {runtime.name: result[runtime.name]["median"] for runtime in runtimes}
        for runtime in runtimes:
            if "memory" in chosen and isinstance(runtime, sdks.Driver):
                found["mib"][runtime.name] = sdks.worker_memory(runtime)
                show("memory", {runtime.name: {"private MiB of a worker": found["mib"][runtime.name]}})
    finally:
        for runtime in runtimes:
            runtime.close()
    results["measures"]["memory"] = found["mib"]
    results["targets"] = [line for pair in pairs for line in sdks.targets(*pair, found)]
    for what, measured, wanted, reached in results["targets"]:
        print(f"target  {what:32} {measured:>12} {wanted:>12}  {reached}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0


def at_least(smallest: float, kind: type) -> Any:
    def parse(text: str) -> Any:
        value = kind(text)
        if not value >= smallest:
            raise argparse.ArgumentTypeError(f"{text} is below {smallest:g}")
        return value

    return parse


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tools/dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--peer", choices=("ray", "processpool"))
    parser.add_argument("--sdk", choices=("cpp", "java"), help="of the driver")
    parser.add_argument("--callee", choices=sdks.LANGUAGES, action="append", help="of the workers, with --sdk")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--rounds", type=at_least(1, int), default=5)
    parser.add_argument("--seconds", type=at_least(0.001, float), default=1.0, help="of one round")
    options = parser.parse_args()
    if options.sdk:
        if options.peer:
            parser.error("--peer is for drivers in Python")
        return run_sdk(options)
    if options.callee:
        parser.error("--callee needs --sdk")
    if options.name == "cluster":
        if options.peer not in (None, "ray"):
            parser.error("the peer of a cluster can be ray")
        results = clusters.run(options, show_rates, show)
        if options.json:
            options.json.write_text(json.dumps(results, indent=2) + "\n")
        return 0

    known = [*WORKLOADS, *PYTHON_WORKLOADS]
    names = [name for name in known if options.name in name] if options.name not in MEASURES else []
    chosen = [name for name in MEASURES if options.name in ("", name)]
    missing = {} if options.name in MEASURES else {n: why for n, why in UNAVAILABLE.items() if options.name in n}
    for name, why in missing.items():
        print(f"{name}: not available, needs {why}", flush=True)
    if missing and not names and not chosen:
        return 1
    if not names and not chosen:
        parser.error(f"no workload has {options.name!r} in its name; there are: {', '.join([*known, *MEASURES])}")
    results = {"workloads": [], "measures": {}, "unavailable": missing}
    peers = ["sabir"] + ([options.peer] if options.peer else [])
    runtimes: list[runner.Runtime] = []
    try:
        # Before other runtimes run on the box.
        for name in chosen:
            if name not in ("idle", "latency"):
                results["measures"][name] = run_measure(name, [], options.peer)
                show(name, results["measures"][name])
        if names or set(chosen) & {"idle", "latency"}:
            runtimes = [runner.Runtime(peer) for peer in peers]
        for name in chosen:
            if name in ("idle", "latency"):
                results["measures"][name] = run_measure(name, runtimes, options.peer)
                show(name, results["measures"][name])
        for name in names:
            result = runner.run_workload(name, runtimes, options.rounds, options.seconds)
            results["workloads"].append(result)
            show_rates(result, options.peer)
    finally:
        for runtime in runtimes:
            runtime.close()
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
