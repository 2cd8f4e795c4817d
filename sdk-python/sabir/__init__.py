"""Sabir: functions become tasks, classes become actors, values become objects, in Python, Java and C++ alike.

Example::

    import sabir

    @sabir.remote
    def square(x):
        return x * x

    sabir.init()
    print(sabir.get([square.remote(i) for i in range(4)]))  # [0, 1, 4, 9]
"""

from __future__ import annotations

from sabir import _futures, exceptions
from sabir._actor import ActorClass, ActorHandle, ActorMethod, exit_actor, get_actor, kill, method
from sabir._context import RuntimeContext, get_gpu_ids, get_runtime_context
from sabir._foreign import cpp_actor_class, cpp_function, java_actor_class, java_function
from sabir._neutral import register_converter
from sabir._objects import get, put, wait
from sabir._remote import RemoteFunction, remote
from sabir._runtime import Context, init, is_initialized, set_hooks, shutdown
from sabir._sabir import ObjectRef, Table, version
from sabir._state import available_resources, cluster_resources, nodes

set_hooks()
__version__ = version()
del set_hooks, _futures, version

__all__ = [
    "ActorClass",
    "ActorHandle",
    "ActorMethod",
    "Context",
    "ObjectRef",
    "RemoteFunction",
    "RuntimeContext",
    "Table",
    "available_resources",
    "cluster_resources",
    "cpp_actor_class",
    "cpp_function",
    "exceptions",
    "exit_actor",
    "get",
    "get_actor",
    "get_gpu_ids",
    "get_runtime_context",
    "init",
    "is_initialized",
    "java_actor_class",
    "java_function",
    "kill",
    "method",
    "nodes",
    "put",
    "register_converter",
    "remote",
    "shutdown",
    "wait",
]
