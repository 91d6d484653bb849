"""The campaign over all fault points in its short form; `make points N=100` is the long one."""
import json
import os
import re
import subprocess
import sys

import pytest

from helpers import IS_ASAN, ROOT

pytestmark = pytest.mark.skipif(IS_ASAN, reason="the points are in a build of their own")
CAMPAIGN = ROOT / "tests/chaos/points.py"
LIMIT_S = 240  # on a busy machine; some 30 otherwise


def campaign(tmp_path, *words):
    """The figures, whatever was found; the build is made where it is lacking."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    subprocess.run(["make", "-s", "VARIANT=faults", "all"], cwd=ROOT, env=env, check=True,
                   stdout=subprocess.DEVNULL)
    path = tmp_path / "figures.json"
    done = subprocess.run([sys.executable, CAMPAIGN, *words, "--json", path], cwd=ROOT,
                          env={**env, "PARLEY_BUILD": "build/faults"}, timeout=LIMIT_S,
                          capture_output=True, text=True)
    print(done.stdout[-6000:], done.stderr[-3000:])
    figures = json.loads(path.read_text())
    assert done.returncode == (1 if figures["violations"] else 0)
    return figures


def test_every_point_of_manager_and_worker_kills_once_and_nothing_is_lost_or_doubled(tmp_path):
    """A2, A3, A4, A14: before and after each script, in the stream, at the first start."""
    figures = campaign(tmp_path, "--kills", "1", "--jobs", "3", "--round", "15")
    assert figures["violations"] == []
    assert figures["least"] >= 1 and figures["kills"] >= figures["points"]
    table = (ROOT / "docs/reliability.md").read_text().split("| point |")[1].split("\n\n")[0]
    for name in re.findall(r"^\| `((?:worker|manager|start)[^`]*)`", table, re.M):
        assert figures["hits"][name] >= 1, name


def test_delays_failures_and_cuts_by_chance_everywhere_lose_and_double_nothing(tmp_path):
    figures = campaign(tmp_path, "--faults", "--rounds", "1", "--jobs", "1", "--round", "8")
    assert figures["violations"] == []
    assert sum(figures["hits"].values()) >= 10 and figures["turns"] >= 20
