"""The public surface: what is exported, that it is documented, and that its parameters have Ray's names."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import pytest

import sabir

PUBLIC = {
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
}

# Parameters as in Ray; "*" stands for "what follows is keyword-only".
SIGNATURES = {
    "get": ["object_refs", "*", "timeout"],
    "put": ["value"],
    "wait": ["object_refs", "*", "num_returns", "timeout", "fetch_local"],
    "kill": ["actor", "*", "no_restart"],
    "java_function": ["class_name", "method"],
    "java_actor_class": ["class_name"],
    "cpp_function": ["name"],
    "cpp_actor_class": ["factory"],
    "get_actor": ["name", "namespace"],
    "nodes": [],
    "cluster_resources": [],
    "available_resources": [],
    "get_runtime_context": [],
    "get_gpu_ids": [],
    "is_initialized": [],
    "shutdown": [],
    "exit_actor": [],
}

INIT_PARAMETERS = {
    "address",
    "num_cpus",
    "num_gpus",
    "resources",
    "object_store_memory",
    "namespace",
    "log_to_driver",
    "ignore_reinit_error",
}

RAY_EXCEPTIONS = {
    "ActorDiedError",
    "ActorUnavailableError",
    "GetTimeoutError",
    "ObjectLostError",
    "ObjectStoreFullError",
    "OutOfMemoryError",
    "TaskCancelledError",
    "TaskPlacementGroupRemoved",
    "TaskUnschedulableError",
    "WorkerCrashedError",
}

CONTEXT_METHODS = ["get_job_id", "get_node_id", "get_worker_id", "get_task_id", "get_task_name", "get_actor_id"]


def public_members(owner: Any) -> list[tuple[str, Any]]:
    found = [(name, member) for name, member in vars(owner).items() if not name.startswith("_")]
    return [(name, getattr(member, "fget", member)) for name, member in found]


def parameters(function: Any) -> list[str]:
    names: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in names:
            names.append("*")
        names.append(parameter.name)
    return names


def test_exported_names() -> None:
    assert set(sabir.__all__) == PUBLIC
    assert list(sabir.__all__) == sorted(sabir.__all__)
    missing = [name for name in sabir.__all__ if not hasattr(sabir, name)]
    assert missing == []


def test_nothing_else_is_public() -> None:
    # Submodules that were imported are attributes of a package; ours are private but for `exceptions` and, when they were
    # imported, `cluster_utils`, `compat`, `dag` and `util`.
    others = {name for name in vars(sabir) if not name.startswith("_")} - PUBLIC
    assert others <= {"annotations", "cluster_utils", "compat", "dag", "util"}


def test_the_version_is_the_librarys() -> None:
    assert sabir.__version__.count(".") == 2
    assert sabir.__version__ == sys.modules["sabir._sabir"].version()


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_documented(name: str) -> None:
    member = getattr(sabir, name)
    assert (member.__doc__ or "").strip(), f"sabir.{name} has no docstring"
    if inspect.isclass(member):
        for method_name, method in public_members(member):
            if callable(method):
                assert (method.__doc__ or "").strip(), f"sabir.{name}.{method_name} has no docstring"


def test_every_exception_is_documented_and_a_sabir_error() -> None:
    for name, member in public_members(sabir.exceptions):
        if inspect.isclass(member) and issubclass(member, BaseException):
            assert issubclass(member, sabir.exceptions.SabirError), name
            assert (member.__doc__ or "").strip(), name


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_parameters_have_rays_names(name: str) -> None:
    assert parameters(getattr(sabir, name)) == SIGNATURES[name]


def test_parameters_of_init() -> None:
    names = parameters(sabir.init)
    assert names[:2] == ["address", "*"]
    assert set(names) >= INIT_PARAMETERS


def test_exceptions_have_rays_names() -> None:
    assert {name for name in RAY_EXCEPTIONS if not hasattr(sabir.exceptions, name)} == set()


def test_the_runtime_context_has_rays_methods() -> None:
    assert [name for name in CONTEXT_METHODS if not callable(getattr(sabir.RuntimeContext, name, None))] == []


def test_every_status_of_the_core_has_an_exception() -> None:
    assert sorted(sabir.exceptions.BY_STATUS) == [-1, *range(1, 22)]
