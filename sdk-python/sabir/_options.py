"""Options of tasks and actors: the names users of Ray know, checked where they are given."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from sabir import _runtime_env, _scheduling
from sabir.exceptions import NotSupportedError

RESOURCE_UNITS = 10_000


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}")
    if math.isnan(value) or math.isinf(value) or value < 0:
        raise ValueError(f"{name} must be at least 0 and finite, not {value}")
    if 0 < value < 1 / RESOURCE_UNITS:
        raise ValueError(f"{name} is counted in units of {1 / RESOURCE_UNITS}; {value} is below one")
    if value > 1e12 and name != "memory":
        raise ValueError(f"{name} is too large: {value}")
    return float(value)


def _integer(minimum: int) -> Callable[[str, Any], int]:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{name} must be an int, not {type(value).__name__}")
        if value < minimum or value > 2**31 - 1:
            raise ValueError(f"{name} must be at least {minimum} and below 2**31, not {value}")
        return int(value)

    return check


def _returns(name: str, value: Any) -> int:
    if value in ("streaming", "dynamic"):
        raise NotSupportedError(
            f"{name}={value!r}: streaming generators are not in this version of Sabir; give a number"
        )
    number = _integer(0)(name, value)
    if number > 65535:
        raise ValueError(f"{name} must be at most 65535, not {value}")
    return number


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, not {type(value).__name__}")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{name} must not be empty")
    return value


def _lifetime(name: str, value: Any) -> str:
    if value not in ("detached", "non_detached"):
        raise ValueError(f"{name} must be None, 'detached' or 'non_detached', not {value!r}")
    return str(value)


def _named_amounts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict of name to amount, not {type(value).__name__}")
    for key, amount in value.items():
        if not isinstance(key, str) or not key:
            raise TypeError(f"{name}: names must be non-empty strings, not {key!r}")
        yield key, amount


def _resources(name: str, value: Any) -> dict[str, float]:
    checked = {}
    for key, amount in _named_amounts(name, value):
        if key in ("CPU", "GPU", "memory"):
            option = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}[key]
            raise ValueError(f"{name}: use the option {option} instead of {key!r}")
        checked[key] = _number(f"{name}[{key!r}]", amount)
    return checked


def bundle(name: str, value: Any) -> dict[str, float]:
    """Of a placement group: amounts by name, "CPU", "GPU" and "memory" among them."""
    checked = {}
    for key, amount in _named_amounts(name, value):
        checked[key] = _number(key if key == "memory" else f"{name}[{key!r}]", amount)
    if not any(checked.values()):
        raise ValueError(f"{name} reserves nothing: {dict(value)!r}")
    return checked


def _retry_exceptions(name: str, value: Any) -> tuple[type[BaseException], ...]:
    if isinstance(value, bool):
        return (Exception,) if value else ()
    if isinstance(value, (list, tuple)) and all(isinstance(t, type) and issubclass(t, BaseException) for t in value):
        return tuple(value)
    raise TypeError(f"{name} must be a bool or a list of exception types, not {value!r}")


def _concurrency(name: str, value: Any) -> int:
    number = _integer(1)(name, value)
    if number > 1:
        raise NotSupportedError(
            f"{name}={value}: threaded and async actors are not in this version of Sabir, only {name}=1"
        )
    return number


# Options of Ray that a user may bring along: told apart from misspelt ones.
_NOT_YET = {
    **dict.fromkeys(("concurrency_groups", "concurrency_group"), "threaded and async actors"),
    "accelerator_type": "a label_selector says it",
    **dict.fromkeys(
        ("placement_group", "placement_group_bundle_index", "placement_group_capture_child_tasks"),
        "scheduling_strategy=PlacementGroupSchedulingStrategy(...) says it",
    ),
    "max_pending_calls": "a limit of pending calls",
    "max_calls": "a limit of calls per worker",
    "allow_out_of_order_execution": "calls out of their order",
}

# What checks an option's value and gives its checked form; None stands for the default and is not checked.
_Checks = dict[str, Callable[[str, Any], Any]]

_BOTH: _Checks = {
    "num_cpus": _number,
    "num_gpus": _number,
    "memory": _number,
    "resources": _resources,
    "name": _text,
    "runtime_env": _runtime_env.checked,
    "scheduling_strategy": _scheduling.strategy,
    "label_selector": _scheduling.selector,
    "fallback_strategy": _scheduling.fallbacks,
}
_TASK: _Checks = {**_BOTH, "num_returns": _returns, "max_retries": _integer(-1), "retry_exceptions": _retry_exceptions}
_ACTOR: _Checks = {
    **_BOTH,
    "max_restarts": _integer(-1),
    "max_task_retries": _integer(-1),
    "namespace": _text,
    "lifetime": _lifetime,
    "get_if_exists": _boolean,
    "max_concurrency": _concurrency,
}
_METHOD: _Checks = {"num_returns": _returns, "name": _text}


def _check(kind: str, known: _Checks, options: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for name, value in options.items():
        check = known.get(name)
        if check is None and name in _NOT_YET:
            raise NotSupportedError(f"{kind} {name!r}: not in this version of Sabir ({_NOT_YET[name]})")
        if check is None:
            from difflib import get_close_matches

            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; known options: {', '.join(sorted(known))}"
            raise ValueError(f"unknown {kind} {name!r}{hint}")
        if value is not None:
            checked[name] = check(name, value)
    return checked


def task_options(options: Mapping[str, Any]) -> dict[str, Any]:
    checked = _check("option of a task", _TASK, options)
    _scheduling.check_together(checked)
    return checked


def actor_options(options: Mapping[str, Any]) -> dict[str, Any]:
    checked = _check("option of an actor", _ACTOR, options)
    if checked.get("get_if_exists") and "name" not in checked:
        raise ValueError("get_if_exists needs a name")
    _scheduling.check_together(checked)
    return checked


def method_options(options: Mapping[str, Any]) -> dict[str, Any]:
    return _check("option of a method", _METHOD, options)


def any_options(options: Mapping[str, Any]) -> None:
    """Checks what can be checked of options before it is known whether they are a task's or an actor's."""
    _check("option", {**_TASK, **_ACTOR}, options)


def resource_amounts(options: Mapping[str, Any], default_cpus: float) -> dict[str, float]:
    """The resources a call or actor holds, by name; those of amount 0 are left out."""
    amounts = dict(options.get("resources") or {})
    amounts["CPU"] = options.get("num_cpus", default_cpus)
    amounts["GPU"] = options.get("num_gpus", 0)
    amounts["memory"] = options.get("memory", 0)
    return {name: amount for name, amount in amounts.items() if amount}


def node_resources(num_cpus: Any, num_gpus: Any, resources: Any) -> dict[str, float]:
    """The resources of a node to start; CPU is left to the daemon unless given."""
    amounts = _resources("resources", resources or {})
    if num_cpus is not None:
        amounts["CPU"] = _number("num_cpus", num_cpus)
    if num_gpus is not None:
        amounts["GPU"] = _number("num_gpus", num_gpus)
    return amounts
