"""A run whose manager or Redis stands still (SIGSTOP) says so, and ends soon when it is told to."""
import json
import os
import pathlib
import signal
import time

import pytest

from helpers import IS_SLOW, box, story_file, wait_for  # noqa: F401 - box is a fixture

TOLD = {"redis-server": "Redis has not answered for 5 s", "manager": "no manager leads"}
BACK = {"redis-server": "Redis answers again", "manager": "a manager leads again"}


def begin(box):  # noqa: F811
    out = pathlib.Path(box.path("D"))
    run = box.start("run", "--simulate", "--story", story_file(box), "--turns", 5000, "--out", out,
                    "--observe", "none", "--tokens-per-second", 60, "--first-token-ms", 20)
    transcript = out / "transcript.jsonl"
    wait_for(lambda: transcript.exists() and '"kind":"turn"' in transcript.read_text(),
             "the first turn")
    return run, out


def pid_of(box, what):  # noqa: F811
    found = [pid for pid, words in box.processes().items()
             if what in os.path.basename(words[0].split(" ")[0])]
    assert len(found) == 1, box.processes()
    return found[0]


def err_of(run):
    with open(run.err_path, encoding="utf-8") as file:
        return file.read()


LONG = os.environ.get("PARLEY_PROOF") == "long"
END_S = 20 if IS_SLOW else 10  # the sanitizers end late, too


def assert_ends_soon(run, out):
    asked = time.monotonic()
    run.send_signal(signal.SIGINT)
    assert run.wait(40) == 130
    assert time.monotonic() - asked < END_S, err_of(run)
    assert json.loads((out / "run.json").read_text())["ended_at"] is not None


@pytest.mark.parametrize("who", ["redis-server", "manager"] if LONG else ["redis-server"])
def test_who_stands_still_is_told_and_the_end_comes_soon(box, who):  # noqa: F811
    run, out = begin(box)
    pid = pid_of(box, who)
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: TOLD[who] in err_of(run), "it is told", 20)
    assert_ends_soon(run, out)


@pytest.mark.skipif(not LONG, reason="PARLEY_PROOF=long: it takes as long as it takes to notice")
@pytest.mark.parametrize("who", ["redis-server", "manager"])
def test_its_return_is_told_and_a_ctrl_c_before_it_is_noticed_ends_too(box, who):  # noqa: F811
    run, out = begin(box)
    pid = pid_of(box, who)
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: TOLD[who] in err_of(run), "it is told", 20)
    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: BACK[who] in err_of(run), "its return is told")
    os.kill(pid, signal.SIGSTOP)
    assert_ends_soon(run, out)
