"""Managers that are killed, stopped and started twice, and who looks on while they are: no turn is
lost, none is routed twice, and an old leader's word counts for nothing.

A killed leader's place is taken at once by who knows it dead, else after five seconds; where that is
not what a test shows, K:leader is removed, as if it had run out.
"""
import json
import os
import pathlib
import random
import signal
import time

import pytest

from helpers import (FAST, Fleet, assert_once_and_in_order, box, story_file, turns_of,
                     wait_for)  # noqa: F401 - box is a fixture
from model_servers import tell

K = "parley:{0}:"
IS_LONG = os.environ.get("PARLEY_PROOF") == "long"
SEED = int(os.environ.get("PARLEY_TEST_SEED") or random.SystemRandom().randrange(10**6))
SLOW = ["--tokens-per-second", 150, "--first-token-ms", 20, "--reply-tokens", "15..30"]
LEASE = ["--lease", "2s"]


@pytest.fixture
def fleet(box):
    fleet = Fleet(box)
    fleet.simulator(*SLOW)
    return fleet


@pytest.fixture
def chance(request):
    print(f"PARLEY_TEST_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


def leader(fleet):
    """(number, name) of the leadership given last."""
    number, name, _ = (fleet.db.get(K + "epoch") or "0:none:").split(":")
    return int(number), name


def pid_of(fleet, name):
    return int(fleet.db.hget(K + "member:" + name, "pid"))


def free_the_lead(fleet):
    """The leader's time has run out; another leads."""
    number, _ = leader(fleet)
    fleet.db.delete(K + "leader")
    wait_for(lambda: leader(fleet)[0] > number, "another leads")


def reap(fleet, pid):
    os.kill(pid, signal.SIGKILL)
    next(one for one in fleet.box.started if one.pid == pid).wait()


def log_of(fleet, pid):
    with open(next(one for one in fleet.box.started if one.pid == pid).err_path,
              encoding="utf-8") as file:
        return file.read()


def progress_ids(fleet, conversation):
    return [one["id"] for _, one in fleet.db.xrange(K + "events")
            if one["conversation"] == conversation and one["event"] == "dialogue.progress"]


def finish(fleet, conversation, turns):
    assert fleet.wait_end(conversation)["reason"] == "turns"
    assert_once_and_in_order(fleet.transcript(conversation), turns)
    assert progress_ids(fleet, conversation) == [f"{conversation}:{n + 1}" for n in range(turns)]
    fleet.wait_settled()
    fleet.box.stop_all()


def test_leaders_killed_again_and_again_amid_their_routing_lose_and_double_nothing(fleet, chance):
    """A4: a leader dies at a random moment, its successor goes on; each point of it in turn is what
    the fault points are for.
    """
    fleet.crew(*LEASE)
    conversation = fleet.begin("--turns", 16, "--story", story_file(fleet.box))
    for number in range(5):
        fleet.manager(*LEASE)
        fleet.wait_turns(conversation, 1 + 3 * number)
        time.sleep(chance.random() * 0.2)  # a random moment of a turn, not a wait for something
        reap(fleet, pid_of(fleet, leader(fleet)[1]))
        free_the_lead(fleet)
    finish(fleet, conversation, 16)


SOON_S = 3  # the leadership of five seconds was renewed within the last one


def test_a_standby_leads_as_soon_as_the_leader_is_dead(fleet):
    """A4: it does not wait for the rest of the five seconds, three times on end."""
    fleet.crew(*LEASE)
    conversation = fleet.begin("--turns", 16, "--story", story_file(fleet.box))
    worst_s = 0
    for _ in range(3):
        fleet.manager(*LEASE)
        wait_for(lambda: len([name for name in fleet.db.zrange(K + "members", 0, -1)
                              if name.startswith("manager-")]) > 1, "there is a standby")
        number, name = leader(fleet)
        reap(fleet, pid_of(fleet, name))
        died_at = time.monotonic()
        wait_for(lambda: leader(fleet)[0] > number, "another leads")
        worst_s = max(worst_s, time.monotonic() - died_at)
        fleet.db.zrem(K + "members", name)
    assert worst_s < SOON_S
    tell(f"a killed leader's standby led at most {worst_s:.3f} s later")
    finish(fleet, conversation, 16)


def test_a_leader_started_anew_leads_at_once_under_its_old_name(fleet):
    """A4: there is no standby; the successor takes the name over, and with it the leadership."""
    fleet.crew(*LEASE)
    conversation = fleet.begin("--turns", 6, "--story", story_file(fleet.box))
    fleet.wait_turns(conversation, 1)
    number, name = leader(fleet)
    reap(fleet, pid_of(fleet, name))
    died_at = time.monotonic()
    fleet.manager(*LEASE)
    wait_for(lambda: leader(fleet)[0] > number, "its successor leads")
    assert time.monotonic() - died_at < SOON_S and leader(fleet) == (number + 1, name)
    finish(fleet, conversation, 6)


def test_of_two_managers_that_fight_for_the_lead_only_one_routes_each_turn(fleet, chance):
    """A5: the leadership goes to and fro ten times while both are well."""
    fleet.crew(*LEASE)
    fleet.manager(*LEASE)
    fleet.wait_ready("manager-2")
    conversation = fleet.begin("--turns", 14, "--story", story_file(fleet.box))
    fleet.wait_turns(conversation, 1)
    for _ in range(10):
        time.sleep(chance.random() * 0.1)  # a random moment of a turn
        free_the_lead(fleet)
    assert leader(fleet)[0] >= 11
    finish(fleet, conversation, 14)


def test_a_leader_that_was_stopped_wakes_up_to_find_itself_fenced(fleet):
    """A7: SIGSTOP, another leads meanwhile, SIGCONT: STALE, it steps down, nothing is doubled."""
    fleet.crew(*LEASE)
    fleet.manager(*LEASE)
    fleet.wait_ready("manager-2")
    turns = 100 if IS_LONG else 12
    conversation = fleet.begin("--turns", turns, "--story", story_file(fleet.box))
    fleet.wait_turns(conversation, 2)
    pid = pid_of(fleet, leader(fleet)[1])
    os.kill(pid, signal.SIGSTOP)
    try:
        if IS_LONG:
            time.sleep(10)  # as long as the case says: its leadership runs out by itself
        else:
            free_the_lead(fleet)
        fleet.wait_turns(conversation, int(fleet.talk(conversation)["turns"]) + 3)
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: "leads no longer" in log_of(fleet, pid), "it steps down")
    finish(fleet, conversation, turns)


def test_an_observer_that_was_stopped_goes_on_without_a_gap(fleet):
    """A11: the observer stands still for turns on end; the turns do not wait, it misses none."""
    fleet.crew(*LEASE)
    conversation = fleet.begin("--turns", 14 if not IS_LONG else 400, "--story",
                               story_file(fleet.box))
    observer = fleet.box.start("observe", "--mode", "json", conversation)
    wait_for(lambda: '"event":"turn"' in open(observer.out_path).read(), "it shows a turn")
    os.kill(observer.pid, signal.SIGSTOP)
    before = int(fleet.talk(conversation)["turns"])
    if IS_LONG:
        time.sleep(60)
    fleet.wait_turns(conversation, before + 5)
    os.kill(observer.pid, signal.SIGCONT)
    ended = int(fleet.wait_end(conversation, 90)["turns"])
    assert observer.wait(20) == 0
    lines = [json.loads(line) for line in open(observer.out_path)]
    assert [line["turn"] for line in lines if line["event"] == "turn"] == list(range(1, ended + 1))
    fleet.box.stop_all()


def test_an_analyzer_that_is_killed_leaves_the_old_report_or_the_new_one(box, chance):
    """A12: killed at a random moment, twenty times; what --out names is whole each time."""
    out = pathlib.Path(box.path("D"))
    done = box.parley("run", "--simulate", "--story", story_file(box), "--turns", 6, "--observe",
                      "none", "--out", out, *FAST)
    assert done.returncode == 0, done.stderr
    report = pathlib.Path(box.path("report.json"))
    report.write_text('{"old": true}\n')
    old, new = 0, 0
    for _ in range(20):
        process = box.start("analyze", out, "--json", "--out", report)
        time.sleep(chance.random() * 0.02)  # a random moment of its life
        process.kill()
        process.wait()
        found = json.loads(report.read_text())
        old, new = old + ("old" in found), new + ("old" not in found)
    assert box.parley("analyze", out, "--json", "--out", report).returncode == 0
    assert "old" not in json.loads(report.read_text())
    tell(f"analyzer killed 20 times: the old report stood {old} times, the new one {new} times, "
         "half a report never")


def test_a_manager_killed_at_its_first_start_leaves_nothing_the_next_one_stumbles_over(fleet, chance):
    """A14: lanes, groups and scripts are made, or half made, by managers that die at once."""
    for _ in range(10):
        fleet.db.flushall()
        fleet.db.script_flush()
        process = fleet.manager(*LEASE)
        time.sleep(chance.random() * 0.05)  # a random moment of its start
        process.kill()
        process.wait()
    fleet.db.delete(K + "leader")
    fleet.manager(*LEASE)
    fleet.worker(1, *LEASE)
    fleet.worker(2, *LEASE)
    wait_for(lambda: fleet.db.zcard(K + "members") >= 3, "all are members")
    finish(fleet, fleet.begin("--turns", 4, "--story", story_file(fleet.box)), 4)


def test_managers_that_come_and_go_leave_no_more_behind_than_one(fleet):
    """Growth: consumers, members and keys after many restarts are those after the first few."""
    restarts = 1000 if IS_LONG else 12
    fleet.crew(*LEASE)
    after = []
    for number in range(restarts):
        process = fleet.manager(*LEASE)
        wait_for(lambda pid=process.pid: any(
            fleet.db.hget(K + "member:" + name, "pid") == str(pid)
            for name in fleet.db.zrange(K + "members", 0, -1)), "it is a member")
        process.kill() if number % 2 else process.terminate()
        process.wait()
        if number in (3, restarts - 1):
            after.append((fleet.db.dbsize(), fleet.db.zcard(K + "members"), sum(
                group["consumers"] for lane in range(1, 17)
                for group in fleet.db.xinfo_groups(f"{K}response:{lane}"))))
    (keys, members, consumers), (keys_then, members_then, consumers_then) = after
    tell(f"{restarts} restarts of a manager: keys {keys} -> {keys_then}, members {members} -> "
         f"{members_then}, consumers {consumers} -> {consumers_then}")
    assert keys_then <= keys + 4 and members_then <= members + 2
    assert consumers_then <= consumers + 32
    finish(fleet, fleet.begin("--turns", 2, "--story", story_file(fleet.box)), 2)
