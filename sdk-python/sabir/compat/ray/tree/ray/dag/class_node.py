"""Part of ray.dag."""

from sabir.dag import ClassMethodNode, ClassNode

__all__ = ["ClassMethodNode", "ClassNode"]
