"""Dask's graphs as tasks: each of a graph's tasks is one of Sabir, and results stay in the store until they are wanted."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import dask

import sabir

core: Any = importlib.import_module("dask.core")
try:  # Dask from 2024.12 on has objects for tasks; before, they were tuples
    spec: Any = importlib.import_module("dask._task_spec")
except ImportError:
    spec = None

_before: list[Any] = []


def _run_node(node: Any, names: list[Any], *values: Any) -> Any:
    return node(dict(zip(names, values)))


def _run_tuple(task: Any, names: list[Any], *values: Any) -> Any:
    return core._execute_task(task, dict(zip(names, values)))


def sabir_dask_get(dsk: Any, keys: Any, remote_args: Mapping[str, Any] | None = None, **_: Any) -> Any:
    """A scheduler of Dask: ``dask.compute(x, scheduler=sabir_dask_get)``.

    ``remote_args`` are options of all tasks; those of ``dask.annotate(sabir_remote_args=...)`` are not read.
    """
    # Dask's newer collections are expressions, which know their graph.
    graph = dict(dsk if isinstance(dsk, Mapping) else dsk.__dask_graph__())
    refs = _submit_nodes(graph, remote_args or {}) if spec is not None else _submit_tuples(graph, remote_args or {})
    wanted = keys if isinstance(keys, list) else [keys]
    names = list(dict.fromkeys(core.flatten(wanted)))
    held = [name for name in names if isinstance(refs[name], sabir.ObjectRef)]
    values: dict[Any, Any] = dict(refs)
    values.update(zip(held, sabir.get([refs[name] for name in held])))
    return _nested(keys, values)


def _nested(keys: Any, values: dict[Any, Any]) -> Any:
    return [_nested(key, values) for key in keys] if isinstance(keys, list) else values[keys]


def _name(key: Any) -> str:
    return f"dask:{key if isinstance(key, str) else key[0] if isinstance(key, tuple) and key else key}"


def _submit_nodes(graph: dict[Any, Any], remote_args: Mapping[str, Any]) -> dict[Any, Any]:
    nodes = spec.convert_legacy_graph(graph)
    run = sabir.remote(_run_node)
    made: dict[Any, Any] = {}
    for key in core.toposort(nodes, {key: set(node.dependencies) for key, node in nodes.items()}):
        node = nodes.get(key)
        if isinstance(node, spec.Alias):
            made[key] = made[node.target]
        elif isinstance(node, spec.DataNode):
            made[key] = node.value
        else:
            names = list(node.dependencies)
            task = run.options(name=_name(key), **remote_args)
            made[key] = task.remote(node, names, *[made[name] for name in names])
    return made


def _submit_tuples(graph: dict[Any, Any], remote_args: Mapping[str, Any]) -> dict[Any, Any]:
    run = sabir.remote(_run_tuple)
    made: dict[Any, Any] = {}
    for key in core.toposort(graph):
        value = graph[key]
        names = list(core.get_dependencies(graph, key))
        if not names and not core.istask(value) and not isinstance(value, (list, dict)):
            made[key] = value
        else:
            task = run.options(name=_name(key), **remote_args)
            made[key] = task.remote(value, names, *[made[name] for name in names])
    return made


def enable_dask_on_sabir(shuffle: str | None = "tasks", **config: Any) -> Any:
    """Makes this the scheduler of Dask's collections, until disable_dask_on_sabir() or the end of a ``with`` block."""
    settings = {"scheduler": sabir_dask_get, **config}
    if shuffle is not None:
        settings["dataframe.shuffle.method"] = shuffle
    made = dask.config.set(settings)
    _before.append(made)
    return made


def disable_dask_on_sabir() -> None:
    """Undoes enable_dask_on_sabir()."""
    if _before:
        _before.pop().__exit__(None, None, None)
