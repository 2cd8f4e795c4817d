"""Old names."""

from ray.util._address import get_node_ip_address

__all__ = ["get_node_ip_address"]
