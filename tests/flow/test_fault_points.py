"""Fault points: what they may be told, what they do, and that no other build has them.

They are in a build of their own, which is made when it is lacking; not under sanitizers.
"""
import os
import re
import signal
import subprocess

import pytest

from helpers import (BUILD, IS_ASAN, ROOT, Fleet, assert_once_and_in_order, box, read_lines,
                     story_file, wait_for)  # noqa: F401 - box is a fixture

FAULTS = ROOT / "build/faults"
pytestmark = pytest.mark.skipif(IS_ASAN, reason="the points are in a build of their own")


@pytest.fixture(scope="module", autouse=True)
def faults_build():
    """Up to date, whoever runs the tests; without the flags of a make that runs us."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    subprocess.run(["make", "-s", "VARIANT=faults", "all"], cwd=ROOT, env=env, check=True)


def run(build, fault, *words):
    return subprocess.run([build / "parley-worker", *words], capture_output=True,
                          text=True, timeout=30, env={**os.environ, "PARLEY_FAULT": fault})


@pytest.mark.parametrize("fault,said", [
    ("worker.strem=kill", "no point 'worker.strem', did you mean worker.stream?"),
    ("comit.sent=kill", "no point 'comit.sent', did you mean commit.sent?"),
    ("worker.read=kil", "no action 'kil', did you mean kill?"),
    ("worker.read=cut", "the point 'worker.read' has no action cut"),
    ("commit.sent=fail", "the point 'commit.sent' has no action fail"),
    ("worker.read", "'worker.read' is not POINT=ACTION"),
    ("start=kill,worker.read=delay", "delay:MS, milliseconds from 0 to"),
    ("worker.read=kill:3", "only delay has an argument"),
    ("worker.read=kill@0", "behind '@' stands a number from 1"),
    ("worker.read=kill%200", "behind '%' stands a number from 0 to 100")])
def test_a_wrong_fault_ends_the_start_with_2_and_is_named(fault, said):
    done = run(FAULTS, fault, "--seat", "1")
    assert done.returncode == 2 and said in done.stderr, done.stderr


def test_a_build_without_points_refuses_a_fault_rather_than_passing_it_over():
    done = run(BUILD, "worker.read=kill", "--seat", "1")
    assert done.returncode == 2 and "this build has no fault points" in done.stderr
    shown = subprocess.run([BUILD / "parley", "--fault-points"], capture_output=True, text=True,
                           timeout=30)
    assert shown.returncode == 2 and shown.stdout == ""


def test_the_documented_table_is_the_one_the_build_prints():
    printed = subprocess.run([FAULTS / "parley", "--fault-points"], capture_output=True,
                             text=True, check=True).stdout
    table, scripts = printed.split("\n\n")
    assert table in (ROOT / "docs/reliability.md").read_text()
    names = sorted(path.stem for path in (ROOT / "common/scripts").glob("*.lua"))
    assert scripts.split(": ")[1].split() == names


def test_each_point_of_the_table_lies_somewhere_in_the_code():
    table = (ROOT / "docs/reliability.md").read_text().split("| point |")[1].split("\n\n")[0]
    named = {name for name in re.findall(r"^\| `([^`]+)`", table, re.M) if "SCRIPT" not in name}
    placed = set()
    for path in [*ROOT.glob("[a-z]*/*.c"), *ROOT.glob("common/*/*.c")]:
        placed.update(re.findall(r'fault_point\("([^"]+)"\)', path.read_text()))
    assert placed == named


# ---- what they do ----

@pytest.fixture
def fleet(box):
    box.env["PARLEY_FAULT_LOG"] = box.path("faults")
    return Fleet(box)


def worker(fleet, fault, seat=1, *more):
    process = subprocess.Popen(
        [FAULTS / "parley", "worker", "--seat", str(seat), "--lease", "2s", *more],
        env={**fleet.box.env, "PARLEY_FAULT": fault, "PARLEY_FAULT_SEED": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    fleet.box.started.append(process)
    return process


def fired(fleet):
    try:
        with open(fleet.box.path("faults"), encoding="utf-8") as file:
            return [line.split()[0] for line in file]
    except FileNotFoundError:
        return []


def test_kill_tells_the_point_and_then_kills(fleet):
    process = worker(fleet, "start.ready=kill,beat.answered=delay:1")
    assert process.wait(30) == -signal.SIGKILL
    assert process.stderr.read().splitlines()[-1] == "fault start.ready kill"
    assert fired(fleet) == ["beat.answered", "start.ready"]
    fleet.box.stop_all()


def test_stop_leaves_a_process_that_goes_on_when_continued(fleet):
    process = worker(fleet, "start.connected=stop")
    wait_for(lambda: fired(fleet) == ["start.connected"], "it came to the point")
    wait_for(lambda: open(f"/proc/{process.pid}/stat").read().split()[2] == "T", "it stands")
    assert not fleet.db.exists("parley:{0}:member:worker-1-1:lock")
    os.kill(process.pid, signal.SIGCONT)
    wait_for(lambda: fleet.db.exists("parley:{0}:member:worker-1-1:lock"), "it is there")
    process.terminate()
    assert process.wait(30) == 0
    fleet.box.stop_all()


def test_a_lost_reply_of_each_script_of_a_turn_changes_nothing(fleet):
    """A3: the commit, the renewal and the claim went through, the worker never hears of it."""
    fleet.simulator("--tokens-per-second", "0", "--first-token-ms", "5")
    fleet.manager()
    others = [worker(fleet, "commit.answered=cut%40,renew.answered=cut%20,claim.answered=cut%40,"
                            "commit.sent=cut%20,beat.before=fail%30,redis.hello=cut%5", seat)
              for seat in (1, 2)]
    conversation = fleet.begin("--turns", 12, "--story", story_file(fleet.box))
    assert fleet.wait_end(conversation)["reason"] == "turns"
    assert_once_and_in_order(fleet.transcript(conversation), 12)
    assert {"commit.answered", "commit.sent"} <= set(fired(fleet))
    fleet.wait_settled()
    for process in others:
        process.terminate()
    assert [process.wait(30) for process in others] == [0, 0]
    fleet.box.stop_all()


def test_a_commit_whose_reply_is_read_late_leaves_no_line_twice_in_the_next_prompt(fleet):
    """The next turn but one can reach a worker before it has read that its own was taken."""
    ledger = fleet.box.path("ledger.jsonl")
    fleet.simulator("--tokens-per-second", "0", "--first-token-ms", "1", "--vary", "--ledger",
                    ledger, "--ledger-bodies")
    fleet.manager()
    others = [worker(fleet, "commit.sent=delay:150%50", seat, "--concurrency", "4")
              for seat in (1, 2)]
    conversation = fleet.begin("--turns", 24, "--story", story_file(fleet.box))
    assert fleet.wait_end(conversation)["reason"] == "turns"
    for process in others:
        process.terminate()
    assert [process.wait(30) for process in others] == [0, 0]
    fleet.box.stop_all()
    lengths = {}
    for call in read_lines(ledger):
        if not call["load"]:
            turn = int(re.match(r".*:(\d+)/", call["id"])[1])
            lengths[turn] = sum(one["role"] != "system" for one in call["body"]["messages"])
    # The first seat's prompts begin with the scene, the second's with the first's words.
    assert lengths == {turn: turn - 1 + turn % 2 for turn in range(1, 25)}
