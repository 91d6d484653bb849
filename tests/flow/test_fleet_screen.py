"""The fleet screen on a terminal, and the commands given from the observer: asked first, carried
out by the manager, told how they ended; nothing of them in a read-only one.
"""
import os
import re
import signal
import time

import pytest

from helpers import FAST, Fleet, box, story_file, wait_for  # noqa: F401 - box is a fixture
from tmux_rig import Pane

ID = "k3v9q2m4x7ab"
SIZES = [(80, 24), (120, 40)]


@pytest.fixture
def fleet(box):  # noqa: F811
    return Fleet(box)


def bury(fleet, conversation=ID, text="delivered 6 times"):
    """A record of a turn given up; its id."""
    return fleet.db.xadd("parley:{0}:dead", {
        "conversation": conversation, "turn": 7, "issue": 1, "seat": 1, "lane": 1,
        "request": "1-1", "deliveries": 6, "worker": "worker-1-1", "error": "poison",
        "at": fleet.db.time()[0] * 1_000_000, "text": text})


def fleet_pane(fleet, *words, cols=80, rows=24):
    return Pane(fleet.box, "observe", "--mode", "tui", "--screen", "fleet", *words, cols=cols,
                rows=rows)


def line_with(pane, text):
    return [line for line in pane.lines() if text in line]


@pytest.mark.parametrize("cols, rows", SIZES)
def test_the_screen_shows_who_is_there_and_what_they_do(fleet, cols, rows):
    fleet.simulator(*FAST)
    fleet.crew()
    conversation = fleet.begin("--turns", 4, "--story", story_file(fleet.box))
    fleet.wait_end(conversation)
    record = bury(fleet)
    with fleet_pane(fleet, cols=cols, rows=rows) as pane:
        pane.wait("dialogue.resolve", "events are there")
        pane.wait(record, "the turn given up is there")
        pane.wait("ollama ", "the servers are there")
        text = pane.wait("worker-1-1", "the members are there")
        assert re.search(r"worker-1-1 +serving +1 +0/\d+ +2 ", text), text
        assert re.search(r"manager-1 +leading", text)
        assert re.search(r"ollama +local up +0/\d+ +0 +0 +\d+", text), text
        assert re.search(r"manager-1  3 members, 0 silent  1 conversation  Redis [\d.]+ MiB", text)
        assert "calls of the last minute: 4 (0.1/s), wasted 0" in text
        assert re.search(rf"{record} +{ID} +7 +1 +6 +\d+s +delivered", text), text
        assert re.search(rf"dialogue.resolve +{conversation} +4 ended +turns", text)
        pane.wait(lambda text: re.search(r"^ +1 +0 +0 +- +1$", text, re.M), "the lane is served")
    fleet.box.kill_all()


def test_breakers_with_their_windows_and_lanes_nobody_serves_are_told(fleet):
    """A server that is down, one that is tried again, one that never failed; two requests lie there."""
    soon_ms = int(time.time() * 1000) + 60_000
    for name, fields in {
            "cloud": {"state": "open", "window": 4, "failed": 2, "retry_at": soon_ms,
                      "reason": "connection refused"},
            "local": {"state": "half", "window": 2, "reason": "probing"},
            "third": {"tier": "local", "window": 8, "ok": 5}}.items():
        key = f"parley:{{endpoints}}:http://{name}"
        fleet.db.hset(key, mapping={"name": name, "tier": "local", **fields})
        fleet.db.zadd(f"{key}:held", {"one": 1, "two": 2})
    request = "parley:{0}:request:1"
    fleet.db.xgroup_create(request, "workers", id="0", mkstream=True)
    for turn in range(3):
        fleet.db.xadd(request, {"turn": turn})
    fleet.db.xreadgroup("workers", "worker-1-1", {request: ">"}, count=1)
    done = fleet.box.parley("observe", "--screen", "fleet", "--once", "--size", "120x40")
    assert done.returncode == 0, done.stderr
    for wanted in (r"^cloud +local down +2/4 +0 +2 +-  connection refused; tried again in \d+s$",
                   r"^local +local tried +2/2 +0 +0 +-  probing$",
                   r"^third +local up +2/8 +0 +0 +- *$",
                   r"^ +1 +2 +1 +\d+s +0 +nobody serves it$"):
        assert re.search(wanted, done.stdout, re.M), (wanted, done.stdout)
    fleet.box.kill_all()


def test_more_calls_than_are_read_are_told_as_the_least_there_were(fleet):
    def head():
        done = fleet.box.parley("observe", "--screen", "fleet", "--once", "--size", "120x40")
        assert done.returncode == 0, done.stderr
        return done.stdout.split("\n")[1]

    pipe = fleet.db.pipeline()
    for _ in range(1999):
        pipe.xadd("parley:{0}:calls", {"outcome": "done", "tokens_generated": 1})
    pipe.execute()
    assert head().startswith("calls of the last minute: 1999 (33.3/s), wasted 0, tokens 1999 ")
    for _ in range(2):
        fleet.db.xadd("parley:{0}:calls", {"outcome": "done", "tokens_generated": 1})
    assert head().startswith("calls of the last minute: at least 2000 (33.3/s), wasted 0, ")
    fleet.box.kill_all()


def test_events_are_filtered_and_the_filter_is_taken_away(fleet):
    fleet.simulator(*FAST)
    fleet.crew()
    conversation = fleet.begin("--turns", 4, "--story", story_file(fleet.box))
    fleet.wait_end(conversation)
    with fleet_pane(fleet) as pane:
        pane.wait("dialogue.open", "events are there")
        pane.keys("/")
        pane.type("resolve")
        pane.keys("Enter")
        pane.wait(lambda text: "dialogue.open" not in text, "the others are gone")
        assert len(line_with(pane, "dialogue.")) == 1
        pane.keys("G", "Enter")  # the last line: that event's conversation
        pane.wait("ended: turns  4 of 4 turns")
        pane.keys("q")
        pane.wait("EVENTS, NEWEST FIRST")
        pane.keys("/")
        pane.keys("C-u")
        pane.type("!progress")
        pane.keys("Enter")
        pane.wait("dialogue.open", "all but those")
        assert line_with(pane, "progress ") == []
        pane.keys("Escape")
        pane.wait("dialogue.progress", "all are back")
    fleet.box.kill_all()


def selected(pane):
    """The row of the selected line: the one in reverse video above the bar. None: there is none."""
    rows = re.sub(r"[34]8;5;\d+", "", pane.styled()).split("\n")[:-2]
    reverse = [row for row, line in enumerate(rows) if re.search(r"\x1b\[(?:\d*;)*7[;m]", line)]
    return reverse[0] if reverse else None


def to_record(pane, record):
    """Selects its line, from the first one down; what D asks is about it, and a no is no."""
    pane.wait(record, "the record is shown")
    pane.keys("g")
    at = wait_for(lambda: selected(pane), "a line is selected")
    while record not in pane.lines()[at]:
        pane.keys("j")
        at = wait_for(lambda before=at: selected(pane) not in (None, before) and selected(pane),
                      "the next line is selected")
    pane.keys("D")
    pane.wait("Drop the record", "it asks")
    pane.keys("n")
    pane.wait(lambda text: "Drop the record" not in text, "no is no")


def test_a_turn_given_up_is_dropped_after_asking_and_its_answer_shown(fleet):
    fleet.manager()
    fleet.wait_ready("manager-1")
    record = bury(fleet)
    with fleet_pane(fleet) as pane:
        to_record(pane, record)
        assert fleet.db.xlen("parley:{0}:control") == 0, "a no must ask nobody"
        pane.keys("R")
        pane.wait("Ask again for the turn given up", "it asks first")
        pane.keys("y")
        pane.wait("there is no such conversation", "the answer is shown")
        pane.keys("D")
        pane.wait("Drop the record", "it asks first")
        pane.keys("y")
        wait_for(lambda: fleet.db.xlen("parley:{0}:dead") == 0, "it is gone")
        pane.wait(f"{record}: the record is dropped", "the answer is shown")
        pane.wait(lambda text: f"{record}  " not in text, "the line goes")
    fleet.box.kill_all()


def test_who_stands_still_is_marked_silent_and_commands_to_it_are_void(fleet):
    manager = fleet.manager()
    fleet.wait_ready("manager-1")
    record = bury(fleet)
    os.kill(manager.pid, signal.SIGSTOP)
    with fleet_pane(fleet) as pane:
        to_record(pane, record)
        pane.keys("D")
        pane.wait("Drop the record", "it asks first")
        pane.keys("y")
        pane.wait(lambda text: re.search(r"manager-1 +silent", text), "it is silent")
        assert "1 silent" in pane.text()
        pane.wait("no manager took it within 5 s", "it is told")
    assert fleet.db.xlen("parley:{0}:dead") == 1
    fleet.box.kill_all()


def test_pause_and_stop_from_the_wall_are_carried_out(fleet):
    fleet.simulator("--tokens-per-second", 0, "--first-token-ms", 50)
    fleet.crew()
    conversation = fleet.begin("--turns", "none", "--duration", "1h", "--story",
                               story_file(fleet.box))
    fleet.wait_turns(conversation, 1)
    with Pane(fleet.box, "observe", "--mode", "tui", "--screen", "wall") as pane:
        pane.wait("running", "its row is there")
        pane.keys("p")
        pane.wait(f"Pause {conversation}?", "it asks first")
        pane.keys("y")
        wait_for(lambda: fleet.talk(conversation)["state"] == "paused", "it is paused")
        pane.wait(f"{conversation}: is paused", "the answer is shown")
        pane.keys("x")
        pane.wait(f"Stop {conversation} at once?", "it asks first")
        pane.keys("y")
        assert fleet.wait_end(conversation)["reason"] == "stopped"
        pane.wait(f"{conversation}: has ended", "the answer is shown")
    fleet.box.kill_all()


def asked_and_answered(pane, key, question, answer="y"):
    pane.keys(key)
    pane.wait(question, "it asks first")
    pane.keys(answer)
    pane.wait(lambda text: question not in text, "it is answered")


def said(fleet, conversation, kind):
    return [(message["content"]["message"], message["to"])
            for message in fleet.transcript(conversation) if message["kind"] == kind]


def say_to_who_spoke(pane):
    """Up from the last line to a turn; the name of whom `s` then speaks to."""
    for _ in range(8):
        pane.keys("k", "s")
        found = re.search(r"say to (Ada|Bo):", pane.wait("say to "))
        if found:
            return found.group(1)
        pane.keys("Escape")
        pane.wait(lambda text: "say to " not in text, "the prompt is gone")
    raise AssertionError(pane.text())


def test_commands_from_a_conversation_are_asked_about_and_carried_out(fleet):
    """Paused, told of an event, whispered to, resumed and stopped: each by its key."""
    fleet.simulator("--tokens-per-second", 0, "--first-token-ms", 50)
    fleet.crew()
    talk = fleet.begin("--turns", "none", "--duration", "1h", "--story", story_file(fleet.box))
    fleet.wait_turns(talk, 1)
    with Pane(fleet.box, "observe", "--mode", "tui", talk, cols=120, rows=30) as pane:
        pane.wait("Story  A pier.", "names are shorter than that")
        pane.wait("following")
        asked_and_answered(pane, "p", f"Pause {talk}?", "n")
        assert fleet.talk(talk)["state"] == "running", "a no must ask nobody"
        asked_and_answered(pane, "p", f"Pause {talk}?")
        wait_for(lambda: (fleet.talk(talk)["state"], fleet.talk(talk)["phase"])
                 == ("paused", "idle"), "it is paused, the turn in flight was finished")
        pane.wait(f"{talk}: is paused", "the answer is shown")
        pane.keys("i")
        pane.wait("what happens:")
        pane.type("The lamp goes out.")
        asked_and_answered(pane, "Enter", f"Let this happen in {talk}?")
        pane.wait("stage direction: The lamp goes out.")
        assert said(fleet, talk, "event") == [("The lamp goes out.", None)]
        name = say_to_who_spoke(pane)
        pane.type("You have the key.")
        asked_and_answered(pane, "Enter", f"Say this in {talk}?")
        pane.keys("G")
        pane.wait("whispered: ")
        assert said(fleet, talk, "whisper") == [("You have the key.", [1 + (name == "Bo")])]
        asked_and_answered(pane, "r", f"Let {talk} go on?")
        wait_for(lambda: fleet.talk(talk)["state"] == "running", "it goes on")
        asked_and_answered(pane, "x", f"Stop {talk} at once?")
        assert fleet.wait_end(talk)["reason"] == "stopped"
    fleet.box.kill_all()


def test_a_read_only_observer_gives_no_command(fleet):
    record = bury(fleet)
    with fleet_pane(fleet, "--read-only") as pane:
        pane.wait(record, "the record is shown")
        assert "R retry" not in pane.text()
        for key in ("D", "R", "p", "x", "j", "D"):
            pane.keys(key)
        pane.keys("/")
        pane.wait("filter events", "all keys were taken")
        assert "Drop" not in pane.text()
    assert fleet.db.xlen("parley:{0}:control") == 0
    fleet.box.kill_all()


def test_what_redis_holds_reaches_the_terminal_harmless(fleet):
    evil = "\x1b]0;owned\x07\x1b[31m\u202eevil"
    fleet.db.zadd("parley:{0}:members", {evil: time.time() * 1000})
    fleet.db.hset(f"parley:{{0}}:member:{evil}", mapping={
        "kind": evil, "state": evil, "host": evil, "pid": evil, "lane": evil, "at": evil})
    fleet.db.hset("parley:{endpoints}:http://evil", mapping={
        "name": evil, "tier": evil, "state": "open", "reason": evil, "window": evil})
    fleet.db.xadd("parley:{0}:events", {"event": evil, "conversation": evil, "reason": evil})
    bury(fleet, evil, evil)
    done = fleet.box.parley("observe", "--screen", "fleet", "--once", "--size", "120x40")
    assert done.returncode == 0, done.stderr
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stdout), done.stdout
    assert done.stdout.count("<U+001B>") >= 4, done.stdout
    fleet.box.kill_all()
