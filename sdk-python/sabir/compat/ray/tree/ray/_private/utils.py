"""Helpers that programs use."""

from __future__ import annotations

import os


def get_system_memory() -> int:
    """Of this machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def get_num_cpus() -> int:
    """Of this machine."""
    return os.cpu_count() or 1
