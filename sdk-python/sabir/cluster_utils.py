"""Several nodes on one machine, for tests: each is a daemon with a session, resources and a store of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from typing import Any

import sabir
from sabir import _options, _sabir, _scheduling
from sabir.exceptions import GetTimeoutError, SabirError

_POLL_S = 0.02


class Node:
    """One node of a :class:`Cluster`."""

    def __init__(self, session: str, is_head: bool, facts: dict[str, Any], process: int, node_id: str) -> None:
        self.session = session
        self.is_head = is_head
        self.address: str = facts["address"]
        self.join_string: str = facts.get("join_string", "")
        self.pid = process
        self.node_id = node_id

    def __repr__(self) -> str:
        return f"<Node {self.node_id[:8]} at {self.address}{' (head)' if self.is_head else ''}>"


class Cluster:
    """Starts and ends nodes. A context manager: all of them end with it, and with this process, however that ends.

    Args:
        initialize_head: start the head at once.
        head_node_args: how, as for :meth:`add_node`.
        connect: and join it with :func:`sabir.init`.
    """

    def __init__(
        self,
        initialize_head: bool = True,
        *,
        head_node_args: dict[str, Any] | None = None,
        connect: bool = False,
    ) -> None:
        self._root = tempfile.mkdtemp(prefix="sabir-cluster-")
        self._head_args: dict[str, Any] = {}
        self.nodes: list[Node] = []
        if initialize_head:
            self.add_node(**(head_node_args or {}))
        if connect:
            self.connect()

    @property
    def head(self) -> Node:
        """The first node."""
        for node in self.nodes:
            if node.is_head:
                return node
        raise ValueError("the cluster has no head: add_node() starts it")

    def add_node(
        self,
        *,
        num_cpus: float | None = 1,
        num_gpus: float | None = None,
        resources: dict[str, float] | None = None,
        object_store_memory: int = 128 << 20,
        name: str = "",
        labels: dict[str, str] | None = None,
        insecure: bool = False,
        wait: bool = True,
        state_dir: str = "",
        durable: bool = False,
    ) -> Node:
        """Starts a node: the head, if there is none, else one that joins it.

        Args:
            num_cpus: CPUs that it claims to have; None: the machine's.
            num_gpus: GPUs, the same.
            resources: others, by name.
            object_store_memory: bytes for its objects.
            name: for people.
            labels: of the node, by key.
            insecure: plain TCP between the nodes.
            wait: until all living nodes know it.
            state_dir: of the head: where the cluster's state is kept; default: with the sessions.
            durable: of the head: what the control store has answered outlives a loss of power.

        Returns:
            The node.
        """
        is_head = not any(node.is_head for node in self.nodes)
        config = {
            "resources": _options.node_resources(num_cpus, num_gpus, resources or {}),
            "store_bytes": object_store_memory,
            "session_root": self._root,
            "labels": _scheduling.node_labels("labels", labels),
            "cluster_role": 1 if is_head else 2,
            "join_string": "" if is_head else self.head.join_string,
            "node_host": "127.0.0.1",
            "node_name": name or f"node-{len(self.nodes)}",
            "insecure": insecure,
            "ends_with_caller": True,
            "state_dir": (state_dir or self.state_dir) if is_head else "",
            "durable": durable and is_head,
        }
        if is_head:
            self._head_args = {
                "num_cpus": num_cpus,
                "num_gpus": num_gpus,
                "resources": resources,
                "object_store_memory": object_store_memory,
                "name": name,
                "labels": labels,
                "insecure": insecure,
                "state_dir": state_dir,
                "durable": durable,
            }
        session = _sabir.node_start(config)
        with open(os.path.join(session, "cluster.json"), encoding="utf-8") as file:
            facts = json.load(file)
        state = _status(session)
        node = Node(session, is_head, facts, state["session"]["pid"], state["nodes"][0]["node_id"])
        self.nodes.append(node)
        if wait:
            self.wait_for_nodes()
        return node

    @property
    def state_dir(self) -> str:
        """Where the head keeps the cluster's state, unless it was told another place."""
        return self._head_args.get("state_dir") or os.path.join(self._root, "head")

    def control_pid(self) -> int:
        """The process of the control store; 0 while it is down."""
        return int(_status(self.head.session)["nodes"][0]["control"]["pid"])

    def kill_control(self) -> int:
        """Kills the process of the control store, as a crash would; the head starts it again. Returns its pid."""
        pid = self.control_pid()
        if pid:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it was about to end
        return pid

    def kill_head(self) -> None:
        """Kills the daemon of the head, as a crash would. Then :meth:`restart_head`."""
        self.remove_node(self.head, allow_graceful=False)

    def restart_head(self, *, wait: bool = True) -> Node:
        """Starts the head again after :meth:`kill_head`, with the same state and options."""
        node = self.add_node(**self._head_args, wait=False)
        self.nodes.remove(node)
        self.nodes.insert(0, node)
        if wait:
            self.wait_for_nodes()
        return node

    def remove_node(self, node: Node, *, allow_graceful: bool = True) -> None:
        """Stops it; or kills its daemon, as a crash would."""
        self.nodes.remove(node)
        if allow_graceful:
            _sabir.node_stop(node.session, 10.0)
            return
        os.kill(node.pid, signal.SIGKILL)
        while os.path.exists(f"/proc/{node.pid}"):
            try:
                os.waitpid(node.pid, os.WNOHANG)
            except ChildProcessError:
                pass
            time.sleep(_POLL_S)

    def wait_for_nodes(self, timeout_s: float = 30.0) -> None:
        """Until each node knows the resources of all of them. GetTimeoutError if that does not come."""
        wanted = {node.node_id for node in self.nodes}
        deadline = time.monotonic() + timeout_s
        for node in self.nodes:
            while known := wanted - _alive(node.session):
                if time.monotonic() > deadline:
                    raise GetTimeoutError(f"{node} does not know of {sorted(known)}")
                time.sleep(_POLL_S)

    def connect(self, node: Node | None = None, **arguments: Any) -> Any:
        """As :func:`sabir.init`, at this node; default: at the head."""
        return sabir.init((node or self.head).session, **arguments)

    def shutdown(self) -> None:
        """Ends everything: this program's session, and all nodes."""
        if sabir.is_initialized():
            sabir.shutdown()
        for node in reversed(self.nodes):
            try:
                _sabir.node_stop(node.session, 10.0)
            except SabirError:
                pass  # it is gone already
        self.nodes.clear()
        shutil.rmtree(self._root, ignore_errors=True)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()


def _status(session: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(_sabir.node_status(session, 10.0))
    return state


def _alive(session: str) -> set[str]:
    return {node["node_id"] for node in _status(session)["nodes"] if node["alive"] and node["resources_total"]}
