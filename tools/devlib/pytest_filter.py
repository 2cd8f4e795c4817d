"""A pytest plugin: only the tests whose id contains SABIR_TEST_FILTER, taken literally."""

from __future__ import annotations

import os

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = os.environ.get("SABIR_TEST_FILTER", "")
    kept = [item for item in items if wanted in item.nodeid]
    config.hook.pytest_deselected(items=[item for item in items if wanted not in item.nodeid])
    items[:] = kept
