"""Fixtures of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from network import Network, why_not
from places import Place, places


@pytest.fixture(params=places())
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Where nodes may be started."""
    made = Place(Network() if request.param == "namespaces" else None)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def machines() -> Iterator[Place]:
    """The same in namespaces only, for faults of the links."""
    if why := why_not():
        pytest.skip(why)
    made = Place(Network())
    try:
        yield made
    finally:
        made.close()
