"""A few of the calls that `make torture` fails, one by one, in every program."""
import json
import subprocess

import pytest

from helpers import IS_ASAN, ROOT, box  # noqa: F401 - box is a fixture


@pytest.mark.skipif(IS_ASAN, reason="make torture VARIANT=asan does it at length")
def test_a_call_that_fails_ends_a_program_in_order_or_not_at_all(box):
    """G1, G2: no crash, no hang, no half commit; a fresh process finishes what was begun."""
    report = box.path("torture.json")
    done = subprocess.run(
        ["/usr/bin/python3", ROOT / "tests/torture/torture.py", "--short", "--jobs", "6", "--only",
         "worker-1,manager,simulator,analyzer", "--json", report],
        capture_output=True, text=True, timeout=300, check=False)
    print(done.stdout, done.stderr)
    with open(report, encoding="utf-8") as file:
        seen = json.load(file)
    assert done.returncode == 0 and seen["violations"] == []
    assert seen["allocations_failed"] >= 6 and seen["system_calls_failed"] >= 20
