"""The soak itself, for some seconds: it judges, removes and samples; and it sees what grows."""
import argparse
import json
import os
import subprocess
import sys

import samples
from growth import Growth

from helpers import BUILD, ROOT

MB = 1024
LIMITS = argparse.Namespace(slope=1, descriptors=8)


def grown(memory_kb, descriptors=lambda at_s: 9):
    """What is said of a process that was sampled for ten minutes."""
    growth = Growth(None, ["worker-1-1"])
    growth.of["worker-1-1"] = [samples.Sample(at_s, memory_kb(at_s), 0, descriptors(at_s), 1)
                               for at_s in range(0, 600, 10)]
    figures = {"processes": {name: samples.summary(taken, 0)
                             for name, taken in growth.of.items()}}
    return growth.violations(figures, 0, LIMITS)


def test_a_process_that_grows_is_told_and_one_that_only_wavers_is_not():
    found, = grown(lambda at_s: 4 * MB + at_s * 20 * MB // 3600)
    assert found.startswith("growth: worker-1-1: 20.0")
    assert grown(lambda at_s: 4 * MB + (at_s * 7919 % 13) * 10) == []


def test_descriptors_that_are_not_given_back_are_told():
    found, = grown(lambda _: 4 * MB, lambda at_s: 9 + at_s // 30)
    assert found == "growth: worker-1-1: 28 descriptors, 18 in the first half"
    assert grown(lambda _: 4 * MB, lambda at_s: 9 + at_s // 10 % 8) == []


def test_some_seconds_of_soak_are_judged_and_removed(tmp_path):
    path = tmp_path / "soak.json"
    done = subprocess.run(
        [sys.executable, ROOT / "tests/chaos/soak.py", "--minutes", "0.05", "--rate", "20",
         "--turns", "4", "--every", "300", "--lease-ms", "5000", "--json", path],
        capture_output=True, text=True, timeout=240, check=False,
        env={**os.environ, "PARLEY_BUILD": str(BUILD)})
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(path.read_text())
    assert result["violations"] == [] and result["faults_done"] > 3
    assert result["turns"] == 4 * result["conversations"] > 0
    assert result["calls"] == result["turns"] + result["wasted"]
