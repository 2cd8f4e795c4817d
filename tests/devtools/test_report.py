"""tools/devlib/report.py: what `tools/dev test` counts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools/devlib/report.py"


@pytest.fixture
def tally(tmp_path: Path) -> Path:
    return tmp_path / "tally"


def run(tally: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(SCRIPT), str(tally), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def write_xml(path: Path, *cases: str) -> Path:
    path.write_text("<testsuites><testsuite>" + "".join(cases) + "</testsuite></testsuites>")
    return path


PASSED = '<testcase name="a" classname="A"/>'
SKIPPED = '<testcase name="s" classname="A"><skipped/></testcase>'
FAILED = '<testcase name="b" classname="B"><failure>no</failure></testcase>'


def test_nothing_is_no_failure(tally: Path) -> None:
    result = run(tally, "total")
    assert (result.stdout, result.returncode) == ("0 passed, 0 failed\n", 0)


def test_a_filter_that_matches_nothing_is_a_failure(tally: Path) -> None:
    result = run(tally, "total", "no such")
    assert (result.stdout, result.returncode) == ("no test has 'no such' in its name\n", 1)
    run(tally, "junit", write_xml(tally.with_name("x.xml"), SKIPPED), 0)
    assert run(tally, "total", "s").returncode == 1, "a skipped test proves nothing"
    run(tally, "add", "lint:one", 1, 0)
    result = run(tally, "total", "one")
    assert (result.stdout, result.returncode) == ("1 passed, 0 failed\n", 0)


def test_total_names_what_failed_and_ends_with_one_line(tally: Path) -> None:
    run(tally, "add", "lint:one", 1, 0)
    run(tally, "add", "lint:two", 0, 1)
    result = run(tally, "total")
    assert result.stdout == "failed:\n  lint:two\n1 passed, 1 failed\n"
    assert result.returncode == 1


def test_junit_counts_cases(tally: Path, tmp_path: Path) -> None:
    xml = write_xml(tmp_path / "cp313.xml", PASSED, PASSED, SKIPPED, FAILED)
    run(tally, "junit", xml, 1)
    assert run(tally, "total").stdout == "failed:\n  cp313: B.b\n2 passed, 1 failed\n"


@pytest.mark.parametrize(("status", "failed"), [(0, 0), (5, 0), (2, 1)])
def test_junit_believes_the_exit_status(tally: Path, tmp_path: Path, status: int, failed: int) -> None:
    run(tally, "junit", tmp_path / "absent.xml", status)
    assert run(tally, "total").stdout.endswith(f"0 passed, {failed} failed\n")


def bazel_event(label: str, status: str, xml: Path) -> dict[str, object]:
    return {
        "id": {"testResult": {"label": label}},
        "testResult": {"status": status, "testActionOutput": [{"name": "test.xml", "uri": xml.as_uri()}]},
    }


def write_events(path: Path, *events: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_bazel_counts_cases_of_its_targets(tally: Path, tmp_path: Path) -> None:
    good = write_xml(tmp_path / "good.xml", PASSED, PASSED)
    bad = write_xml(tmp_path / "bad.xml", PASSED, FAILED)
    events = write_events(
        tmp_path / "events",
        bazel_event("//a:good", "PASSED", good),
        bazel_event("//a:bad", "FAILED", bad),
        bazel_event("//a:hangs", "TIMEOUT", tmp_path / "absent.xml"),
        {"id": {"targetCompleted": {"label": "//a:good"}}, "completed": {"success": True}},
        {"id": {"targetCompleted": {"label": "//a:broken"}}, "completed": {}},
    )
    run(tally, "bazel", events, 1)
    assert run(tally, "total").stdout == (
        "failed:\n  //a:bad\n  //a:hangs\n  //a:broken (does not build)\n3 passed, 3 failed\n"
    )


def test_bazel_that_does_not_start_is_a_failure(tally: Path, tmp_path: Path) -> None:
    run(tally, "bazel", tmp_path / "absent", 1)
    assert run(tally, "total").stdout.endswith("0 passed, 1 failed\n")


def test_bazel_without_tests_is_no_failure(tally: Path, tmp_path: Path) -> None:
    run(tally, "bazel", tmp_path / "absent", 4)
    assert run(tally, "total").stdout.endswith("0 passed, 0 failed\n")
