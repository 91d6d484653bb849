"""The wall over Redis: what it reads, what it shows, its keys, on a terminal that tmux keeps."""
import os
import re
import signal
import sys
import time

import pytest

from helpers import ROOT, Fleet, box, wait_for  # noqa: F401 (box is a fixture)
from tmux_rig import Pane

sys.path.insert(0, str(ROOT / "bench"))
import observer  # noqa: E402
from wall_feed import Feeder  # noqa: E402


@pytest.fixture
def fleet(box):  # noqa: F811
    made = Fleet(box)
    yield made
    box.stop_all()


def wall(fleet, **more):
    """The observer's wall in a terminal."""
    return Pane(fleet.box, "observe", "--mode", "tui", "--screen", "wall", **more)


def rows(text):
    """The ids on the screen, from above."""
    return re.findall(r"^(?:running|paused|ended|failed|waiting|preparing|closing) +(\w{12}) ",
                      text, re.M)


def fed(fleet, count):
    feeder = Feeder(fleet.db, count)
    feeder.open_all()
    return feeder


def test_fifty_conversations_of_a_fleet_are_shown_with_their_figures(fleet):
    """Real managers and workers: states, speakers, turns, lanes, and the end of them all."""
    fleet.crew("--provider", "echo")
    begun = fleet.box.parley("start", "--conversations", 50, "--turns", 6, "--topic", "bread")
    assert begun.returncode == 0, begun.stderr
    ids = begun.stdout.split()
    assert len(set(ids)) == 50
    with wall(fleet, cols=160, rows=60) as pane:
        screen = pane.wait("50 conversations  50 ended")
        assert sorted(rows(screen)) == sorted(ids)
        assert screen.count("6/6") == 50
        # "turns": the reason it ended.
        assert len(re.findall(r"^ended .* turns\b", screen, re.M)) == 50
        pane.wait(lambda text: re.search(r"lanes  1: 0 waiting 0 in hand 1 worker "
                                         r" 2: 0 waiting 0 in hand 1 worker", text))
        pane.keys("/")
        pane.type(ids[7])
        pane.keys("Enter")
        screen = pane.wait(f"with {ids[7]}: 1 of 50")
        assert rows(screen) == [ids[7]]


def test_a_paused_conversation_is_asked_about_and_goes_on(fleet):
    """p asks, y pauses, r resumes; the wall shows each."""
    fleet.simulator("--tokens-per-second", 1000, "--first-token-ms", 50)
    fleet.crew()
    talk = fleet.begin("--topic", "bread", "--duration", "5m", "--turns", "500")
    with wall(fleet, cols=120, rows=20) as pane:
        pane.wait(lambda text: rows(text) == [talk] and "1 running" in text)
        pane.keys("p")
        pane.wait(f"{talk}?")
        pane.keys("n")
        pane.wait(lambda text: f"{talk}?" not in text)
        assert fleet.talk(talk)["state"] == "running"
        pane.keys("p")
        pane.wait(f"{talk}?")
        pane.keys("y")
        pane.wait("1 paused")
        pane.keys("r")
        pane.wait(f"{talk} go on?")
        pane.keys("y")
        pane.wait("1 running")


def test_keys_sort_filter_move_and_open(fleet):
    """The selection stays with its conversation; Enter shows it."""
    feeder = fed(fleet, 40)
    chosen = feeder.ids[17]
    with wall(fleet, cols=80, rows=24) as pane:
        screen = pane.wait("40 conversations  40 running")
        # The newest first: all of one time, so the highest id.
        pane.wait(lambda text: len(rows(text)) == 18)
        assert rows(screen)[0] == feeder.ids[-1]
        pane.keys("G")
        pane.wait("40 of 40")
        pane.keys("g")
        pane.wait("1 of 40")
        pane.keys("O")
        screen = pane.wait("the other way round")
        pane.wait(lambda text: rows(text)[-1:] == [feeder.ids[-1]])
        pane.keys("O")
        pane.wait(lambda text: "the other way round" not in text)
        for name in ("state", "slowest", "most tokens", "least time left", "warnings", "newest"):
            pane.keys("o")
            pane.wait(f"by {name}")
        pane.keys("/")
        pane.type("conversation 17")
        pane.keys("Enter")
        pane.wait("with conversation 17: 1 of 40")
        pane.keys("j", "k")
        pane.keys("Escape")
        pane.wait(lambda text: "with conv" not in text and chosen in rows(text))
        pane.keys("/")
        pane.type("!Conversation 1")
        pane.keys("Enter")
        pane.wait("without conversation 1: 29 of 40")
        pane.keys("Escape")
        pane.keys("f")
        pane.wait("only running: 40 of 40")
        pane.keys("f", "f")
        pane.wait("only paused: 0 of 40")
        pane.wait("No conversation passes the filter.")


def test_any_size_of_terminal_is_drawn_without_a_wrapped_row(fleet):
    """From the smallest to a huge one, while it runs."""
    fed(fleet, 30)
    with wall(fleet, cols=80, rows=24) as pane:
        pane.wait("30 conversations  30 running")
        for cols, lines in ((60, 12), (300, 90), (61, 80), (200, 13)):
            pane.resize(cols, lines)
            screen = pane.wait(lambda text: "by newest" in text or len(rows(text)) > 3)
            want = min(30, lines - (6 if lines > 14 else 3))
            pane.wait(lambda text, want=want: len(rows(text)) == want)
            assert all(len(line) <= cols for line in screen.split("\n"))
        pane.resize(20, 5)
        pane.wait("too small")
        pane.resize(80, 24)
        pane.wait("30 conversations  30 running")


def test_what_vanishes_is_told(fleet):
    """One that was cleaned away, then an emptied Redis, then new ones."""
    feeder = fed(fleet, 20)
    with wall(fleet, cols=80, rows=24) as pane:
        pane.wait("20 conversations  20 running")
        gone = feeder.ids[3]
        fleet.db.delete(feeder.root + "conversation:" + gone)
        fleet.db.zrem(feeder.root + "conversations", gone)
        pane.wait("19 conversations  19 running")
        fleet.db.flushall()
        pane.wait("All conversations are gone")
        feeder.open_all()
        pane.wait("20 conversations  20 running")


def test_a_lane_whose_requests_are_gone_has_no_figures(fleet):
    key = "parley:{0}:request:1"
    fleet.db.xgroup_create(key, "workers", mkstream=True)
    fleet.db.xadd(key, {"turn": 1})
    with wall(fleet, cols=100, rows=24) as pane:
        pane.wait("lanes  1: 1 waiting 0 in hand")
        fleet.db.delete(key)
        pane.wait("lanes  1: - waiting - in hand")


def test_a_redis_that_is_gone_is_told_and_its_return_too(fleet):
    """What was read stays on the screen."""
    feeder = fed(fleet, 5)
    with wall(fleet, cols=100, rows=24) as pane:
        pane.wait("5 conversations  5 running")
        fleet.redis.send_signal(signal.SIGKILL)
        fleet.redis.wait()
        screen = pane.wait("Redis lost, trying on")
        assert sorted(rows(screen)) == feeder.ids
        fleet.__init__(fleet.box)
        pane.wait("All conversations are gone", limit_s=15)


def test_hostile_names_topics_and_reasons_stay_text(fleet):
    """Nothing that Redis holds moves the terminal's cursor."""
    feeder = fed(fleet, 3)
    hostile = "\x1b]52;c;cm0=\x07\x1b[2J\x9b31m\u202eend\r\n"
    key = feeder.root + "conversation:" + feeder.ids[1]
    fleet.db.hset(key, mapping={"state": "\x1b[2J", "reason": hostile})
    fleet.db.hset(feeder.root + "cast:" + feeder.ids[2], "seat:1", hostile)
    with wall(fleet, cols=120, rows=24) as pane:
        screen = pane.wait("3 conversations  2 running  1 not read yet")
        assert "<U+001B>[2J" in screen.replace(" ", "") or "<U+001B>" in screen
        assert len([line for line in screen.split("\n") if "feeder" in line]) == 3


def asked(fleet):
    return {name: fleet.db.info("commandstats").get(f"cmdstat_{name}", {}).get("calls", 0)
            for name in ("hmget", "xrevrange", "zrange")}


def test_redis_is_asked_no_more_for_more_conversations(fleet):
    """What is asked in a second is bounded by the screen and the sweep, not by the number."""
    fed(fleet, 3000)
    with wall(fleet, cols=80, rows=24) as pane:
        pane.wait("3,000 conversations  3,000 running", limit_s=20)
        pane.wait(lambda text: "not read yet" not in text)
        began, before = time.monotonic(), asked(fleet)
        wait_for(lambda: time.monotonic() - began > 2, "two seconds have passed")
        seconds = time.monotonic() - began
        after = asked(fleet)
        # 18 rows twice, 400 of the sweep and 40 casts a second; a tick more for the edges.
        hashes = after["hmget"] - before["hmget"]
        assert 0 < hashes <= (18 * 2 + 400 + 40) * (seconds + 0.6)
        assert after["xrevrange"] - before["xrevrange"] <= 18 * 3 * (seconds + 0.6)
        assert after["zrange"] - before["zrange"] <= 4 * (seconds + 1)


@pytest.mark.skipif(os.environ.get("PARLEY_PROOF") != "long", reason="minutes: make proof")
def test_cpu_and_commands_are_flat_from_two_to_four_thousand_conversations():
    """And 100 of them take less than 5 % of a core."""
    few, many, twice = (observer.measure(count, 20, 5.0) for count in (100, 2000, 4000))
    print(few, many, twice, sep="\n")
    assert 0 < few["cpu_percent"] < 5
    assert twice["cpu_percent"] < 1.3 * many["cpu_percent"] + 0.3
    assert twice["commands_per_second"] < 1.15 * many["commands_per_second"]
    assert all(1 < seen["frames_per_second"] <= 30 for seen in (few, many, twice))
