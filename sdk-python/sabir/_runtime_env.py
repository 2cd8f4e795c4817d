"""Where one task or actor finds its code, beside the code path of its job: ``runtime_env={"code_search_path": [...]}``.

It travels in front of the function's code, in all languages: ``%``, a JSON object, a line feed (docs/values.md). So do
the names of the exceptions of another language's function that are retried.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from sabir.exceptions import NotSupportedError

_MARK = b"%"


def checked(name: str, value: Any) -> dict[str, list[str]]:
    """The option's value with absolute paths; TypeError or ValueError that says what is wrong."""
    from sabir._languages import code_paths

    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict, not {type(value).__name__}")
    for key in value:
        if key != "code_search_path":
            raise NotSupportedError(f"{name}[{key!r}]: not in this version of Sabir, only 'code_search_path' is")
    paths = code_paths(value.get("code_search_path", ()))
    return {"code_search_path": paths} if paths else {}


def before(code: bytes, options: Mapping[str, Any], retry_exceptions: Sequence[str] = ()) -> bytes:
    """The code of a function with the environment that its options ask for."""
    head: dict[str, Any] = dict(options.get("runtime_env") or {})
    if retry_exceptions:
        head["retry_exceptions"] = list(retry_exceptions)
    return _MARK + json.dumps(head).encode() + b"\n" + code if head else code


def enter(code: bytes) -> tuple[bytes, frozenset[str]]:
    """In a worker: makes modules of the environment importable.

    Returns the code behind it, and the names of the exceptions that are retried, if it says so. The folders stay on
    ``sys.path`` of this worker, behind what is there: they cannot hide modules of other functions.
    """
    if code[:1] != _MARK:
        return code, frozenset()
    text, _, rest = code[1:].partition(b"\n")
    head = json.loads(text)
    folders = [path for path in head.get("code_search_path", ()) if os.path.isdir(path)]
    fresh = [path for path in folders if path not in sys.path]
    if fresh:
        import importlib

        sys.path.extend(fresh)
        importlib.invalidate_caches()
    return rest, frozenset(head.get("retry_exceptions", ()))
