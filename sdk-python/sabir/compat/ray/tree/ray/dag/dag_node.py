"""Part of ray.dag."""

from sabir.dag import DAGNode

__all__ = ["DAGNode"]
