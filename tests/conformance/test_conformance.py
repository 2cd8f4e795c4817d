"""All scenarios of scenarios.py, for each pair of a caller's and a callee's language; docs/conformance.md tells of them."""

from __future__ import annotations

import os

import pytest
from pairs import WAYS, Outcome, applicable, judge, run_pair
from scenarios import LANGUAGES, SCENARIOS
from table import PAGE, PAIRS, page

CASES = [
    pytest.param(caller, callee, scenario.name, id=f"{caller}-{callee}-{scenario.name}")
    for caller, callee in PAIRS
    for scenario in applicable(caller, callee)
]


def test_the_list() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) == len(set(names)) >= 60
    for scenario in SCENARIOS:
        reasons = [scenario.not_applicable(*pair) for pair in PAIRS]
        assert not all(reasons), f"{scenario.name} applies to no pair"
        assert all(reason and reason.strip() for reason in scenario.without.values())


def test_judge() -> None:
    right = dict.fromkeys(WAYS, "1")
    assert judge("1", {"seen": right}).passed
    assert not judge("2", {"seen": right}).passed
    assert not judge("1", {"seen": {**right, "there and back": "2"}}).passed
    assert not judge("1", {"seen": {}}).passed
    assert judge("", {"passed": True}).passed
    assert judge("", {"passed": False, "detail": "why"}) == Outcome(False, "why")


@pytest.mark.parametrize(("caller", "callee", "name"), CASES)
def test_scenario(caller: str, callee: str, name: str) -> None:
    outcome = run_pair(caller, callee)[0][name]
    assert outcome.passed, outcome.detail


@pytest.mark.parametrize("caller", LANGUAGES)
def test_caller_knows_the_list(caller: str) -> None:
    """All that applies to it with any callee, and nothing else."""
    wanted = {scenario.name for callee in LANGUAGES for scenario in applicable(caller, callee)}
    assert set(run_pair(caller, caller)[1]) == wanted


def test_page_is_what_was_seen() -> None:
    made = page({pair: run_pair(*pair)[0] for pair in PAIRS})
    if os.environ.get("SABIR_WRITE_CONFORMANCE"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made, "renew docs/conformance.md; its head says how"
