"""The command ``sabir``: start, stop and look at a session of this machine."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from sabir import _languages, _options, _sabir, _scheduling
from sabir.exceptions import NotFoundError, SabirError


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except NotFoundError as error:
        print(f"sabir: {error}", file=sys.stderr)
        return 3
    except (SabirError, ValueError, TypeError) as error:
        print(f"sabir: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sabir", description="Start, stop and look at a Sabir session.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="{start,stop,status,drain,language-env,version}")

    start = verbs.add_parser("start", help="start a session that outlives this command")
    start.add_argument("--num-cpus", type=float, help="CPUs of the node (default: the machine's)")
    start.add_argument("--num-gpus", type=float, help="GPUs of the node (default: 0)")
    start.add_argument("--resources", type=json.loads, default={}, metavar="JSON", help='others, as {"name": amount}')
    start.add_argument("--object-store-memory", type=int, metavar="BYTES", help="default: 30 %% of the memory")
    role = start.add_mutually_exclusive_group()
    role.add_argument("--head", action="store_true", help="the first node of a cluster: prints what others join with")
    role.add_argument("--join", metavar="STRING", help="a further node of the cluster whose head printed this")
    start.add_argument(
        "--host",
        default="",
        help="address that other nodes reach this one at (default: of the head 127.0.0.1, of others this machine's "
        "address on the way to the head)",
    )
    start.add_argument("--port", type=int, default=0, help="port for other nodes (default: any that is free)")
    start.add_argument("--name", default="", help="of the node, for people (default: the host's name)")
    start.add_argument("--labels", default="", metavar="KEY=VALUE,...", help="of the node: tasks may ask for them")
    start.add_argument(
        "--join-life",
        type=float,
        metavar="SECONDS",
        help="of the head: so long its join string lets nodes in (default: for ever)",
    )
    start.add_argument(
        "--state-dir",
        default="",
        metavar="PATH",
        help="of the head: where the cluster's state is kept; a head that is started again with it goes on "
        "(default: $XDG_STATE_HOME/sabir/head, else ~/.local/state/sabir/head)",
    )
    start.add_argument(
        "--durable", action="store_true", help="of the head: what it has answered outlives a loss of power, too"
    )
    start.add_argument(
        "--insecure", action="store_true", help="plain TCP between nodes: everybody on the network reads and writes"
    )
    start.set_defaults(run=_start)

    stop = verbs.add_parser("stop", help="stop a session with its jobs and workers")
    stop.add_argument("--address", default="", help="a session directory (default: the newest of this user)")
    stop.set_defaults(run=_stop)

    status = verbs.add_parser("status", help="resources, workers, queues and store in one screen")
    status.add_argument("--address", default="", help="a session directory (default: the newest of this user)")
    status.add_argument("--json", action="store_true", help="the whole state as JSON")
    status.set_defaults(run=_status)

    drain = verbs.add_parser("drain", help="give a node of the cluster nothing new; it leaves when it is empty")
    drain.add_argument("node", help="its name, or the beginning of its id")
    drain.add_argument(
        "--deadline", type=float, metavar="SECONDS", help="then it is stopped (default: it has as long as it takes)"
    )
    drain.add_argument("--address", default="", help="a session directory (default: the newest of this user)")
    drain.set_defaults(run=_drain)

    env = verbs.add_parser("language-env", help="for drivers in other languages: how workers of this Python start")
    env.set_defaults(run=_language_env)

    version = verbs.add_parser("version", help="print the version")
    version.set_defaults(run=_version)
    return parser


def _start(options: Any) -> int:
    amounts = _options.node_resources(options.num_cpus, options.num_gpus, options.resources)
    if options.join_life is not None and not (options.head and 0 < options.join_life < float("inf")):
        raise ValueError("--join-life SECONDS is above 0, and the head's alone")
    if not options.head and (options.state_dir or options.durable):
        raise ValueError("--state-dir and --durable are the head's alone")
    config = {
        "resources": amounts,
        "store_bytes": options.object_store_memory,
        "labels": _scheduling.node_labels("--labels", options.labels),
    }
    if options.head or options.join:
        return _start_in_cluster(options, config)
    session = _sabir.node_start(config)
    print(
        f"Session started: {session}\n\nJoin it with sabir.init() or sabir.init({session!r}).\n"
        f"Look at it with `sabir status`, end it with `sabir stop`."
    )
    return 0


def _start_in_cluster(options: Any, config: dict[str, Any]) -> int:
    if options.insecure:
        print("sabir: --insecure: everybody on the network can read, change and run things here", file=sys.stderr)
    session = _sabir.node_start(
        {
            **config,
            "cluster_role": 1 if options.head else 2,
            "join_string": options.join or "",
            "node_host": options.host,
            "node_port": options.port,
            "node_name": options.name,
            "insecure": options.insecure,
            "join_life_s": options.join_life,
            "state_dir": options.state_dir,
            "durable": options.durable,
        }
    )
    with open(os.path.join(session, "cluster.json"), encoding="utf-8") as file:
        facts = json.load(file)
    print(f"Node started: {session}\nOther nodes reach it at {facts['address']}")
    if options.head:
        print(f"\nOn each further machine:\n\n    sabir start --join '{facts['join_string']}'")
    print(f"\nPrograms on this machine join it with sabir.init(), or sabir.init({session!r}).")
    return 0


def _stop(options: Any) -> int:
    _sabir.node_stop(options.address, 10.0)
    print("Session stopped.")
    return 0


def _drain(options: Any) -> int:
    if options.deadline is not None and not 0 <= options.deadline < float("inf"):
        raise ValueError("--deadline is a number of seconds, 0 or more")
    deadline_s = -1.0 if options.deadline is None else options.deadline
    if not deadline_s < 1e9:
        raise ValueError("--deadline SECONDS is below 1e9")
    node_id = _sabir.node_drain(options.address, options.node, deadline_s, 30.0)
    print(f"Node {node_id} gets nothing new, and leaves when it has nothing left to do.")
    return 0


def _language_env(options: Any) -> int:
    print(json.dumps(_languages.describe()))
    return 0


def _version(options: Any) -> int:
    print(f"sabir {_sabir.version()}")
    return 0


def _status(options: Any) -> int:
    text = _sabir.node_status(options.address, 10.0)
    if options.json:
        print(json.dumps(json.loads(text), indent=2))
    else:
        print("\n".join(render(json.loads(text))))
    return 0


def render(state: dict[str, Any]) -> list[str]:
    """The state as lines for a terminal."""
    session = state["session"]
    lines = [f"Session {session['path']} (version {session['version']}, node process {session['pid']})"]
    lines += _node(state["nodes"][0])
    lines += _control(state["nodes"][0])
    if state["nodes"][1:]:
        lines += ["", f"Other nodes: {len(state['nodes']) - 1}"]
        for node in state["nodes"][1:]:
            lines += _other_node(node)
    actors = state.get("actors", [])
    lines += ["", f"Actors: {len(actors)}"]
    for actor in actors:
        name = f" {actor['name']!r}" if actor.get("name") else ""
        lines.append(
            f"  {actor['class']}{name}  {actor['state']}  pid {actor.get('pid', '-')}  "
            f"restarts {actor.get('restarts', 0)}"
        )
    jobs = state.get("jobs", [])
    lines += ["", f"Jobs: {len(jobs)}"]
    for job in jobs:
        lines.append(f"  {job['name']}  {job['state']}  driver {job.get('driver_pid', '-')}")
    return lines + _cluster_jobs(state)


def _cluster_jobs(state: dict[str, Any]) -> list[str]:
    """The jobs of all nodes, if this one is a node of a cluster."""
    jobs = state.get("cluster_jobs", [])
    if not jobs:
        return []
    names = {node["node_id"]: node["name"] for node in state["nodes"]}
    lines = ["", f"Jobs of the cluster: {sum(job['state'] == 'running' for job in jobs)} running"]
    for job in jobs:
        end = f"  ({job['end']})" if job["end"] else ""
        where = names.get(job["node_id"], job["node_id"][:8])
        lines.append(f"  {job['name']}  {job['state']}  driver {job['driver_pid']} on {where}{end}")
    return lines


def _control(node: dict[str, Any]) -> list[str]:
    """The control store, of a head."""
    control = node.get("control")
    if not control:
        return []
    trouble = f"  DOWN: {control['trouble']}" if control["trouble"] else ""
    return ["", f"Control store: process {control['pid']}, restarts {control['restarts']}{trouble}"]


def _node(node: dict[str, Any]) -> list[str]:
    lines = [f"Node {_title(node)}", "", "Resources            available / total"]
    for name, total in sorted(node["resources_total"].items()):
        free = node["resources_available"].get(name, 0.0)
        shown = (_bytes(free), _bytes(total)) if name == "memory" else (f"{free:g}", f"{total:g}")
        lines.append(f"  {name:<18} {shown[0]:>9} / {shown[1]}")
    store = node["store"]
    lines += [
        "",
        f"Store: {_bytes(store['used_bytes'])} of {_bytes(store['capacity_bytes'])} in {store['objects']} objects",
    ]
    workers = node.get("workers", [])
    lines += ["", f"Workers: {len(workers)}"]
    for worker in workers:
        running = f"  runs {worker['running']}" if worker.get("running") else ""
        lines.append(f"  pid {worker['pid']:<8} {worker['state']:<9}{running}")
    queues = [queue for queue in node.get("queues", []) if queue["queued"] or queue["overflow"]]
    lines += ["", f"Queues with calls: {len(queues)}"]
    for queue in queues:
        wanted = ", ".join(f"{name} {amount:g}" for name, amount in sorted(queue["resources"].items())) or "nothing"
        place = f" ({queue['strategy']})" if queue.get("strategy") else ""
        note = f"  waits: {queue['reason']}" if queue.get("reason") else ""
        note = f"  WAITS: {queue['infeasible']}" if queue.get("infeasible") else note
        lines.append(f"  {queue['queued'] + queue['overflow']} calls that want {wanted}{place}{note}")
    return lines


def _title(node: dict[str, Any]) -> str:
    """Its id, name, address and the labels that a user gave it."""
    labels = [f"{key}={value}" for key, value in sorted(node["labels"].items()) if not key.startswith("sabir.io/")]
    parts = [node["node_id"], node["name"], node.get("address", ""), f"labels {', '.join(labels)}" if labels else ""]
    parts.append("DRAINING" if node.get("draining") else "")
    return "  ".join(part for part in parts if part)


def _other_node(node: dict[str, Any]) -> list[str]:
    if not node["alive"]:
        return [f"  {_title(node)}  DEAD"]
    free = []
    for name, total in sorted(node["resources_total"].items()):
        amount = node["resources_available"].get(name, 0.0)
        shown = (_bytes(amount), _bytes(total)) if name == "memory" else (f"{amount:g}", f"{total:g}")
        free.append(f"{name} {shown[0]} / {shown[1]}")
    return [f"  {_title(node)}", f"    available / total: {', '.join(free) or 'not known yet'}"]


def _bytes(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


if __name__ == "__main__":
    sys.exit(main())
