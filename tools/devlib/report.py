"""Counts test results: report.py TALLY add NAME PASSED FAILED | bazel EVENTS STATUS | junit XML STATUS | total [FILTER].

Each call appends lines "name passed failed" to the file TALLY; `total` prints what failed and, last, one line
"N passed, N failed"; a FILTER that matched no test is a failure. STATUS is the exit status of the
program that wrote the results: a failure that left no trace in them counts as one.
"""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import unquote, urlparse

Result = tuple[str, int, int]

# pytest's status for "nothing was collected", which a filter may cause.
NOTHING_COLLECTED = 5
# bazel's status for "no test found", likewise.
NO_TESTS = 4


def failed_cases(cases: list[ET.Element]) -> list[str]:
    bad = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    return [f"{case.get('classname', '')}.{case.get('name')}" for case in bad]


def count_xml(path: Path) -> tuple[int, list[str]]:
    """Passed cases, and the names of failed ones, of a JUnit XML file."""
    cases = list(ET.parse(path).getroot().iter("testcase"))
    ran = [c for c in cases if c.find("skipped") is None and c.get("status") != "notrun"]
    failed = failed_cases(ran)
    return len(ran) - len(failed), failed


def bazel_results(events: list[dict]) -> list[Result]:
    results: list[Result] = []
    for event in events:
        if "testResult" in event:
            label = event["id"]["testResult"]["label"]
            result = event["testResult"]
            passed = result["status"] in ("PASSED", "FLAKY")
            files = {f["name"]: f.get("uri", "") for f in result.get("testActionOutput", [])}
            count, failed = 0, []
            path = Path(unquote(urlparse(files.get("test.xml", "")).path))
            if path.is_file():
                count, failed = count_xml(path)
            if passed:
                results.append((label, max(count, 1), 0))
            else:
                results.append((label, count, max(len(failed), 1)))
        elif "completed" in event and not event["completed"].get("success", False):
            target = event["id"].get("targetCompleted", {})
            if "aspect" not in target:
                results.append((f"{target.get('label', 'target')} (does not build)", 0, 1))
    return results


def read_bazel(path: Path, status: int) -> list[Result]:
    lines = path.read_text().splitlines() if path.exists() else []
    events = [json.loads(line) for line in lines if line.startswith("{")]
    results = bazel_results(events)
    # A test target that failed is reported as a target that did not complete, too.
    tested = {name for name, _, _ in results if not name.endswith("(does not build)")}
    results = [r for r in results if r[0].removesuffix(" (does not build)") not in tested or r[0] in tested]
    if status not in (0, NO_TESTS) and not any(failed for _, _, failed in results):
        results.append((f"bazel (exit status {status})", 0, 1))
    return results


def read_junit(path: Path, status: int) -> list[Result]:
    suite = path.stem
    passed, failed = count_xml(path) if path.exists() else (0, [])
    results = [(suite, passed, 0)] + [(f"{suite}: {name}", 0, 1) for name in failed]
    if status not in (0, NOTHING_COLLECTED) and not failed:
        results.append((f"{suite} (pytest's exit status {status})", 0, 1))
    return results


def print_total(tally: Path, wanted: str) -> int:
    lines = tally.read_text().splitlines() if tally.exists() else []
    results = [(name, int(passed), int(failed)) for name, passed, failed in (line.rsplit(" ", 2) for line in lines)]
    bad = [name for name, _, failed in results if failed]
    if bad:
        print("failed:")
        for name in bad:
            print("  " + name)
    if wanted and not any(passed or failed for _, passed, failed in results):
        print(f"no test has {wanted!r} in its name")
        return 1
    total_failed = sum(failed for _, _, failed in results)
    print(f"{sum(passed for _, passed, _ in results)} passed, {total_failed} failed")
    return 1 if total_failed else 0


def main() -> int:
    tally, verb, *rest = Path(sys.argv[1]), *sys.argv[2:]
    if verb == "total":
        return print_total(tally, "".join(rest))
    if verb == "add":
        results = [(rest[0], int(rest[1]), int(rest[2]))]
    elif verb == "bazel":
        results = read_bazel(Path(rest[0]), int(rest[1]))
    else:
        results = read_junit(Path(rest[0]), int(rest[1]))
    with tally.open("a") as out:
        out.writelines(f"{name} {passed} {failed}\n" for name, passed, failed in results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
