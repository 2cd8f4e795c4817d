"""sabir.Table where there is no library for tables: producers made by hand, and values that are none."""

from __future__ import annotations

import pytest

import sabir
from sabir import _sabir
from sabir.exceptions import InvalidArgumentError

NEUTRAL, TABLE = 1, 3


def form(value):
    encoding, _, variant, _ = _sabir._encode(value)
    return encoding, variant


class Fake:
    """A producer whose answers are given."""

    def __init__(self, **answers):
        self.answers = answers

    def __getattr__(self, name):
        try:
            answer = self.__dict__["answers"][name]
        except KeyError:
            raise AttributeError(name) from None
        return answer


def test_what_is_no_table_is_refused():
    with pytest.raises(TypeError, match=r"__arrow_c_stream__.*not of int"):
        sabir.Table(3)
    with pytest.raises((TypeError, ValueError)):
        sabir.Table(Fake(__arrow_c_stream__=lambda: None))
    with pytest.raises((TypeError, ValueError)):
        sabir.Table(Fake(__arrow_c_array__=lambda: (1, 2)))

    def broken():
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        sabir.Table(Fake(__arrow_c_stream__=broken))
    with pytest.raises(TypeError):
        sabir.Table()


@pytest.mark.parametrize("size", [0, 15, 16, 40, 200])
def test_damaged_tables_are_refused(size):
    with pytest.raises(InvalidArgumentError, match="damaged table"):
        _sabir._decode(NEUTRAL, 0, TABLE, b"\xff" * size)


def test_other_values_do_not_become_tables():
    for value in (3, "a", [1], {1, 2}, object, Fake):
        assert form(value) != (NEUTRAL, TABLE)
