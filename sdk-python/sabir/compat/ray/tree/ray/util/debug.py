"""Log lines that are written once."""

from __future__ import annotations

_logged: set[str] = set()
_disabled = False


def log_once(key: str) -> bool:
    """True for the first call with this key."""
    if _disabled or key in _logged:
        return False
    _logged.add(key)
    return True


def disable_log_once_globally() -> None:
    """log_once() is false from now on."""
    global _disabled
    _disabled = True


def enable_periodic_logging() -> None:
    """Nothing happens: a key counts once."""
