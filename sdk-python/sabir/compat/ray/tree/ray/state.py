"""Old names."""

from ray._state import available_resources, cluster_resources, nodes

__all__ = ["available_resources", "cluster_resources", "nodes"]
