"""Workers and managers killed with -9 in mid-conversation: each turn stands there exactly once.

The moments are drawn from a seed that is printed; PARLEY_TEST_SEED repeats a run of it.
"""
import json
import os
import pathlib
import random
import signal
import socket
import time

import pytest

from helpers import (Fleet, assert_once_and_in_order, assert_run_folder, box, read_lines,
                     story_file, turns_of, wait_for)  # noqa: F401 - box is a fixture

SEED = int(os.environ.get("PARLEY_TEST_SEED") or random.SystemRandom().randrange(10**6))
LEASE = ["--lease", "2s"]
SLOW = ["--tokens-per-second", 150, "--first-token-ms", 20, "--reply-tokens", "15..30"]


@pytest.fixture
def moments(request):
    print(f"PARLEY_TEST_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def fleet(box):
    return Fleet(box)


def running(box, program):
    """The pids of a program's processes in this sandbox."""
    return sorted(pid for pid, words in box.processes().items()
                  if os.path.basename(words[0]) == f"parley-{program}")


def kill_one(box, program, moments):
    pids = wait_for(lambda: running(box, program), f"a {program} runs")
    pid = moments.choice(pids)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: pid not in box.processes(), "it is gone")


def turns_there(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().count('"kind":"turn"')
    except FileNotFoundError:
        return 0


# ---- a run restarts its own ----

@pytest.mark.parametrize("program", ["worker", "manager"])
def test_a_run_goes_on_when_a_process_of_its_is_killed(box, moments, program):
    out = pathlib.Path(box.path("D"))
    run = box.start("run", "--simulate", "--story", story_file(box), "--turns", 8, "--observe",
                    "none", "--patience", "3s", "--out", out, *LEASE, *SLOW)
    wait_for(lambda: turns_there(out / "transcript.jsonl") >= 2, "two turns")
    time.sleep(moments.random() * 0.3)  # a random moment of a turn, not a wait for something
    kill_one(box, program, moments)
    assert run.wait(30) == 0, open(run.err_path).read()
    assert_run_folder(out)
    assert_once_and_in_order(read_lines(out / "transcript.jsonl"), 8)


def test_a_worker_then_the_manager_killed_amid_many_conversations_lose_and_double_nothing(
        box, moments):
    out = pathlib.Path(box.path("D"))
    run = box.start("run", "--simulate", "--parallel", 64, "--story", story_file(box),
                    "--conversations", 8, "--concurrency", 8, "--turns", 12, "--observe", "none",
                    "--patience", "3s", "--out", out, *LEASE, *SLOW)
    for program, turns in (("worker", 10), ("manager", 25), ("worker", 40)):
        wait_for(lambda least=turns: turns_there(out / "transcript.jsonl") >= least,
                 f"{turns} turns")
        time.sleep(moments.random() * 0.2)
        kill_one(box, program, moments)
    assert run.wait(60) == 0, open(run.err_path).read()
    conversations = assert_run_folder(out, 8)["conversations"]
    transcript = read_lines(out / "transcript.jsonl")
    for conversation in conversations:
        assert_once_and_in_order(turns_of(transcript, conversation), 12)


def test_a_dead_simulator_ends_the_run_as_failed_and_is_named(box):
    out = pathlib.Path(box.path("D"))
    run = box.start("run", "--simulate", "--story", story_file(box), "--turns", 500, "--observe",
                    "none", "--out", out, *LEASE, *SLOW)
    wait_for(lambda: turns_there(out / "transcript.jsonl") >= 2, "two turns")
    pid, = running(box, "simulator")
    os.kill(pid, signal.SIGKILL)
    assert run.wait(30) == 1
    assert "refused" in open(run.err_path).read() or "simulator" in open(run.err_path).read()
    assert_run_folder(out)
    count = len(turns_of(read_lines(out / "transcript.jsonl")))
    assert_once_and_in_order(read_lines(out / "transcript.jsonl"), count)


def test_a_run_that_is_killed_takes_its_processes_with_it(box):
    out = pathlib.Path(box.path("D"))
    run = box.start("run", "--simulate", "--story", story_file(box), "--turns", 500, "--observe",
                    "none", "--out", out, *LEASE, *SLOW)
    wait_for(lambda: turns_there(out / "transcript.jsonl") >= 1, "a turn")
    assert len(box.processes()) >= 5
    run.kill()
    run.wait()
    wait_for(lambda: not box.processes(), "all are gone", 8)
    for name in ("transcript", "calls", "events"):
        read_lines(out / f"{name}.jsonl")
    told = box.parley("analyze", out)
    assert told.returncode == 0 and "the run was cut off" in told.stderr, told.stderr
    state = json.loads(box.parley("analyze", out, "--json").stdout)["conversations"][0]["state"]
    assert state is None, "nobody knows how it stands: it does not run"
    left = list(box.runtime.glob("parley-*"))  # a killed process cannot remove its folder
    assert [[path.name for path in one.iterdir()] for one in left] in ([[]], [["redis.sock"]])
    box.parley("run", "--dry-run", "--turns", 2, "--observe", "none", "--out", box.path("E"))
    assert left[0].exists(), "it might be of a run that begins just now"
    if not list(left[0].iterdir()):  # the socket of one that ended badly
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(left[0] / "redis.sock"))
    os.utime(left[0], (time.time() - 100, time.time() - 100))
    box.parley("run", "--dry-run", "--turns", 2, "--observe", "none", "--out", box.path("F"))
    assert not left[0].exists(), "the next run removes it"


# ---- a fleet by hand: the test starts the successors ----

def deliveries(fleet):
    return [int(fields["delivery"]) for _, fields in fleet.db.xrange("parley:{0}:calls")]


def test_a_successor_takes_over_what_a_killed_worker_had_in_hand(fleet, moments):
    fleet.simulator(*SLOW)
    fleet.crew(*LEASE)
    conversation = fleet.begin("--turns", 8, "--story", story_file(fleet.box))
    for lane in (1, 2):
        fleet.wait_turns(conversation, lane)
        _, pid = fleet.wait_holder(lane)
        time.sleep(moments.random() * 0.1)
        os.kill(pid, signal.SIGKILL)
        next(one for one in fleet.box.started if one.pid == pid).wait()
        fleet.worker(lane, *LEASE)
    assert fleet.wait_end(conversation)["reason"] == "turns"
    assert_once_and_in_order(fleet.transcript(conversation), 8)
    fleet.wait_settled()
    fleet.box.stop_all()


def test_a_lane_mate_takes_over_without_anybody_being_started(fleet):
    fleet.simulator(*SLOW)
    fleet.crew(*LEASE)
    fleet.worker(1, *LEASE)
    fleet.wait_ready("worker-1-2")
    conversation = fleet.begin("--turns", 8, "--story", story_file(fleet.box))
    fleet.wait_turns(conversation, 1)
    name, pid = fleet.wait_holder(1)
    os.kill(pid, signal.SIGKILL)
    killed_at = time.monotonic()
    next(one for one in fleet.box.started if one.pid == pid).wait()
    assert fleet.wait_end(conversation)["reason"] == "turns"
    # Within the lease and a second's look round: not by the manager's patience of 15 s.
    assert time.monotonic() - killed_at < 8
    assert_once_and_in_order(fleet.transcript(conversation), 8)
    assert 2 in deliveries(fleet), name
    fleet.wait_settled()
    fleet.box.stop_all()


def test_a_standby_manager_takes_the_lead_from_a_killed_one(fleet, moments):
    fleet.simulator(*SLOW)
    leader, _, _ = fleet.crew(*LEASE)
    fleet.manager(*LEASE)
    fleet.wait_ready("manager-2")
    conversation = fleet.begin("--turns", 10, "--story", story_file(fleet.box))
    fleet.wait_turns(conversation, 1)
    first = fleet.db.get("parley:{0}:epoch")
    time.sleep(moments.random() * 0.3)
    leader.kill()
    leader.wait()
    wait_for(lambda: fleet.db.get("parley:{0}:epoch") != first, "the standby leads", 8)
    number, name, _ = fleet.db.get("parley:{0}:epoch").split(":")
    assert (int(number), name) == (int(first.split(":")[0]) + 1, "manager-2")
    assert fleet.wait_end(conversation)["reason"] == "turns"
    assert_once_and_in_order(fleet.transcript(conversation), 10)
    fleet.wait_settled()
    fleet.box.stop_all()
