"""What in a value cannot be sent, found part by part."""

from __future__ import annotations

import inspect
import sys
from typing import Any, NamedTuple, TextIO

from sabir import _serialization


class FailureTuple(NamedTuple):
    """One part that cannot be sent: the object, its name, and the object that it was found in."""

    obj: Any
    name: str
    parent: Any


def inspect_serializability(
    base_obj: Any, name: str | None = None, depth: int = 3, print_file: TextIO | None = None
) -> tuple[bool, set[FailureTuple]]:
    """Whether a value can be sent to another process, and if not, which parts of it are the reason.

    Looks into closures, globals, attributes and items, ``depth`` levels deep, and prints what it finds to ``print_file``
    (standard output).
    """
    out = print_file if print_file is not None else sys.stdout
    title = name or getattr(base_obj, "__name__", None) or repr(base_obj)[:80]
    print(f"Checking whether {title} can be sent to another process", file=out)
    found: list[FailureTuple] = []
    if _fails(base_obj):
        _search(base_obj, str(title), None, depth, found, set(), out, 1)
    if not found:
        print("  it can", file=out)
        return True, set()
    print("These cannot be sent:", file=out)
    for failure in found:
        print(f"  {failure.name} ({type(failure.obj).__qualname__}), found in {_short(failure.parent)}", file=out)
    return False, {failure for failure in found if _hashable(failure)}


def _fails(value: Any) -> bool:
    try:
        _serialization.cloudpickle_dumps(value)
    except Exception:
        return True
    return False


def _parts(value: Any) -> list[tuple[str, Any]]:
    if inspect.isfunction(value):
        variables = inspect.getclosurevars(value)
        return [*variables.nonlocals.items(), *variables.globals.items()]
    if inspect.ismethod(value):
        return [("__self__", value.__self__)]
    if isinstance(value, dict):
        return [(f"[{key!r}]", item) for key, item in value.items()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [(f"[{index}]", item) for index, item in enumerate(value)]
    attributes = getattr(value, "__dict__", None)
    return list(attributes.items()) if attributes else []


def _search(
    value: Any, name: str, parent: Any, depth: int, found: list[FailureTuple], seen: set[int], out: TextIO, level: int
) -> None:
    if id(value) in seen:
        return
    seen.add(id(value))
    print(f"{'  ' * level}{name} cannot be sent", file=out)
    before = len(found)
    if depth > 0:
        for part, item in _parts(value):
            if _fails(item):
                _search(item, str(part), value, depth - 1, found, seen, out, level + 1)
    if len(found) == before:  # no part of it is to blame
        found.append(FailureTuple(value, name, parent))


def _hashable(failure: FailureTuple) -> bool:
    try:
        hash(failure)
    except TypeError:
        return False
    return True


def _short(value: Any) -> str:
    return "the value itself" if value is None else repr(value)[:80]
