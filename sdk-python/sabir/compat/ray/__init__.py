"""Programs written for Ray: ``import ray`` finds Sabir.

::

    import sabir.compat.ray

    sabir.compat.ray.install()  # before the first `import ray`

or ``python -m sabir.compat.ray script.py``. docs/ray.md says what is the same, what is better and what is missing. Ray
itself is never imported.
"""

from __future__ import annotations

import importlib
import os
import sys

# The folder with the package `ray`. On sys.path, so that workers find it, too.
TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tree")


def install() -> None:
    """Makes ``import ray`` find this layer, here and in the workers of sessions that are started afterwards.

    Raises:
        RuntimeError: Ray itself was imported already, or a session was started before.
    """
    found = sys.modules.get("ray")
    if found is not None and not str(getattr(found, "__file__", "")).startswith(TREE):
        raise RuntimeError("Ray itself was imported already: call sabir.compat.ray.install() before `import ray`")
    if TREE in sys.path:
        return
    import sabir

    if sabir.is_initialized():
        raise RuntimeError("call sabir.compat.ray.install() before sabir.init(): its workers would not find it")
    sys.path.insert(0, TREE)
    importlib.invalidate_caches()


def uninstall() -> None:
    """Undoes install(): what was imported of it is forgotten."""
    if TREE in sys.path:
        sys.path.remove(TREE)
    for name in [name for name in sys.modules if name == "ray" or name.startswith("ray.")]:
        if str(getattr(sys.modules[name], "__file__", "") or "").startswith(TREE):
            del sys.modules[name]
