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

    def add_node(self, wait: bool = True, **arguments: Any) -> Any:  # type: ignore[override]
        """Starts a node."""
        return super().add_node(**_known(arguments))

    def wait_for_nodes(self, timeout: float = 30) -> None:  # type: ignore[override]
        """Waits until all nodes know each other."""
        super().wait_for_nodes(timeout)


AutoscalingCluster: Any = None
