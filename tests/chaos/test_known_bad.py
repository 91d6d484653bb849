"""Eight builds of parley, each with one bug that such systems have had: each is caught.

A rig that finds nothing may be blind. So every bug is put into a copy of the sources (tests/
chaos/bugs/*.patch), and a short run is made that ought to break an invariant, which one is
printed. A patch that fits no more fails its test. All eight: `make bugs`; `make test` takes two.
"""
import json
import os
import subprocess
import sys

import pytest

import bugs
from helpers import IS_ASAN, ROOT

LIMIT_S = 150
# Name: the case it is caught by, the run, and the invariants of which one must be broken.
CASES = {
    "ack_first": ("A1", "--mode kill --turns 400 --conversations 20 --every-ms 100 --managers 1 "
                  "--limit-s 12", {"I6", "I10"}),
    "no_dedupe": ("B5", "--mode proxy --turns 600 --conversations 20 --every-ms 50 --limit-s 8",
                  {"I2"}),
    "no_fence": ("A6", "--mode stop --turns 320 --conversations 16 --every-ms 100 --limit-s 45 "
                 "--simulator=--first-token-ms=1200", {"I2"}),
    "no_noscript": ("B1", "--mode redis --kills 1 --turns 400 --conversations 20 --every-ms 100 "
                    "--limit-s 8", {"I1"}),
    "group_dollar": ("A14", "--mode early --turns 40 --conversations 4 --limit-s 4", {"I1"}),
    "trim_pending": ("B16", "--mode kill --turns 200 --conversations 20 --every-ms 300 "
                     "--managers 1 --limit-s 12 --simulator=--first-token-ms=700", {"I6", "I10"}),
    "eof_is_done": ("D6", "--mode kill --turns 100 --conversations 10 --every-ms 5000 --limit-s 10 "
                    '--simulator=--faults=[{"kind":"cut","clean":true,"after_tokens":2,'
                    '"rate":0.2}]', {"I4"}),
    "no_reader_restart": ("B4", "--mode cut --turns 600 --conversations 20 --every-ms 100 "
                          "--limit-s 8", {"I1"}),
}
IN_SHORT = ("eof_is_done", "group_dollar")  # the quickest
IS_LONG = os.environ.get("PARLEY_PROOF") == "long"


def run(build, words, folder):
    """The figures of a run of chaos.py with another build."""
    path = folder / "figures.json"
    done = subprocess.run(
        [sys.executable, ROOT / "tests/chaos/chaos.py", "--seed", "7", *words.split(), "--settle-s",
         "5", "--idle-s", "3", "--json", path], timeout=LIMIT_S, capture_output=True, text=True,
        env={**os.environ, "PARLEY_BUILD": str(build)})
    assert path.exists(), done.stdout + done.stderr
    return json.loads(path.read_text())


def test_every_known_bug_has_its_case():
    assert set(bugs.NAMES) == set(CASES) and len(CASES) == 8


@pytest.mark.skipif(IS_ASAN, reason="the builds are made of the release build's objects")
@pytest.mark.parametrize("name", CASES if IS_LONG else IN_SHORT)
def test_a_build_with_a_known_bug_is_caught(name, tmp_path, capsys):
    case, words, invariants = CASES[name]
    figures = run(bugs.build(name), words, tmp_path)
    broken = {words.split(":")[0] for words in figures["violations"]}
    found = f"caught by {case}, {sorted(broken)}; {bugs.meaning(name)}"
    with capsys.disabled():
        print(f"\n  {name}: {found}")
    print(f"figure: {found}")
    assert broken & invariants, figures
