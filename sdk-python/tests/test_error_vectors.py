"""tests/vectors/errors.jsonl: error values of the core, with their causes, and damaged ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sabir import _sabir
from sabir.exceptions import BY_STATUS, SabirError, SabirSystemError, TaskError

NEUTRAL, FLEX = 1, 0
TASK_FAILED = 12
LINES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "tests/vectors/errors.jsonl").read_text(encoding="utf-8").splitlines()
]


def error_of(line) -> SabirError:
    with pytest.raises(SabirError) as raised:
        _sabir._decode(NEUTRAL, 0, FLEX, bytes.fromhex(line["hex"]), True)
    return raised.value


@pytest.mark.parametrize("line", [line for line in LINES if "errors" in line], ids=lambda line: line["name"])
def test_read_with_all_causes(line):
    error: BaseException | None = error_of(line)
    for wanted in line["errors"]:
        assert type(error) is BY_STATUS[wanted["kind"]]
        assert wanted["message"] in str(error)
        if wanted["kind"] == TASK_FAILED:
            assert isinstance(error, TaskError)
            assert error.type_name == wanted["type"] and wanted["stack"] in error.traceback_str
        error = error.__cause__
    assert error is None


@pytest.mark.parametrize("line", [line for line in LINES if line.get("damaged")], ids=lambda line: line["name"])
def test_damaged_ones_are_internal_errors(line):
    assert type(error_of(line)) is SabirSystemError
