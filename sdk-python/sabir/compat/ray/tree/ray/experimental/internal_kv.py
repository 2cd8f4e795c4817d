"""Keys and values of the session."""

from __future__ import annotations

from sabir import _sabir
from sabir.exceptions import NotFoundError


def _key(key: str | bytes, namespace: str | bytes | None) -> str:
    name = key.decode() if isinstance(key, bytes) else key
    space = namespace.decode() if isinstance(namespace, bytes) else namespace or ""
    return f"ray/{space}/{name}"


def _internal_kv_initialized() -> bool:
    return bool(_sabir.is_started())


def _internal_kv_put(
    key: str | bytes, value: str | bytes, overwrite: bool = True, *, namespace: str | bytes | None = None
) -> bool:
    """Whether the key was there before."""
    data = value.encode() if isinstance(value, str) else value
    existed = _internal_kv_exists(key, namespace=namespace)
    _sabir.kv_put(_key(key, namespace), data, overwrite)
    return existed


def _internal_kv_get(key: str | bytes, *, namespace: str | bytes | None = None) -> bytes | None:
    try:
        return _sabir.kv_get(_key(key, namespace))
    except NotFoundError:
        return None


def _internal_kv_exists(key: str | bytes, *, namespace: str | bytes | None = None) -> bool:
    return _internal_kv_get(key, namespace=namespace) is not None


def _internal_kv_del(key: str | bytes, *, namespace: str | bytes | None = None) -> int:
    return int(_sabir.kv_delete(_key(key, namespace)))
