"""Graphs of calls, written with ``.bind`` and run with ``.execute``; the names are Ray's."""

from sabir.dag._calls import ClassMethodNode, ClassNode, FunctionNode
from sabir.dag._input import DAGInputData, InputAttributeNode, InputNode
from sabir.dag._node import DAGNode, MultiOutputNode

__all__ = [
    "ClassMethodNode",
    "ClassNode",
    "DAGInputData",
    "DAGNode",
    "FunctionNode",
    "InputAttributeNode",
    "InputNode",
    "MultiOutputNode",
]
