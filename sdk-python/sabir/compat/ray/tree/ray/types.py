"""Names for annotations."""

from sabir import ObjectRef

__all__ = ["ObjectRef"]
