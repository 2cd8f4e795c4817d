"""Part of ray.dag."""

from sabir.dag import FunctionNode

__all__ = ["FunctionNode"]
