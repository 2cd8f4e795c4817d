"""Several nodes on this machine, for tests."""

from __future__ import annotations

import inspect
from typing import Any

import sabir.cluster_utils

_ADD_NODE = frozenset(inspect.signature(sabir.cluster_utils.Cluster.add_node).parameters)


def _known(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name in _ADD_NODE and value is not None}


class Cluster(sabir.cluster_utils.Cluster):
    """Ray's test cluster; settings of Ray's own processes have no effect."""

    def __init__(
        self,
        initialize_head: bool = False,
        connect: bool = False,
        head_node_args: dict[str, Any] | None = None,
        shutdown_at_exit: bool = True,
        **_: Any,
    ) -> None:
        super().__init__(initialize_head=initialize_head, head_node_args=_known(head_node_args or {}))
        if connect:
            self.connect()

    @property
    def address(self) -> str:
        """For ``ray.init(address=cluster.address)``."""
        return self.head.session

    gcs_address = address

    @property
    def head_node(self) -> Any:
        """The first node."""
        return self.head

    @property
    def worker_nodes(self) -> list[Any]:
        """The others."""
        return [node for node in self.nodes if not node.is_head]

    def list_all_nodes(self) -> list[Any]:
        """All nodes."""
        return list(self.nodes)

    def add_node(self, wait: bool = True, **arguments: Any) -> Any:  # type: ignore[override]
        """Starts a node."""
        return super().add_node(**_known(arguments))

    def wait_for_nodes(self, timeout: float = 30) -> None:  # type: ignore[override]
        """Waits until all nodes know each other."""
        super().wait_for_nodes(timeout)

    def remove_node(self, node: Any, allow_graceful: bool = True) -> None:  # type: ignore[override]
        """Ends a node."""
        super().remove_node(node, allow_graceful=allow_graceful)


AutoscalingCluster: Any = None
