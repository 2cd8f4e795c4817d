"""Part of ray.dag."""

from sabir.dag import MultiOutputNode

__all__ = ["MultiOutputNode"]
