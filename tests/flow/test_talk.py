"""One conversation on the full screen: what is said in it, its panel, and each key, in tmux.

Most conversations are written into Redis by hand, so that each test knows what it must see.
"""
import contextlib
import hashlib
import json
import pathlib
import re
import time

import pytest

from helpers import (FAST, IS_SLOW, LIMIT_S, Fleet, OnTerminal, box, read_lines, story_file,
                     wait_for)  # noqa: F401 - box is a fixture
from test_observer import ID, OTHER, Stage
from tmux_rig import Pane

NAMED_IN_S = 10 if IS_SLOW else 4  # two, and what a busy machine takes for a start
RSS_MAX_KB = 32 << 10
LASTING = ("--appendonly", "yes", "--appendfsync", "always")


@pytest.fixture
def fleet(box):
    """A Redis alone, with whatever a test adds."""
    yield Fleet(box)
    box.stop_all()


def watch(fleet, *words, cols=80, rows=24, env=None):
    return Pane(fleet.box, "observe", "--redis", fleet.url, "--mode", "tui", *words,
                cols=cols, rows=rows, env=env)


def quiet(fleet, turns=0):
    """A conversation that runs without a limit of time; its turns say their numbers."""
    stage = Stage(fleet.db).open().begin()
    stage.facts(deadline="", max_turns="")
    for number in range(1, turns + 1):
        stage.turn(f"number {number} it is")
    return stage


def numbers(screen):
    return [int(number) for number in re.findall(r"number (\d+) ", screen)]


# ---- the transcript ----

def test_story_personas_turns_and_the_turn_being_spoken_are_shown_and_its_words_withdrawn(fleet):
    stage = quiet(fleet).turn("Good day, Bo.")
    with watch(fleet, ID) as pane:
        screen = pane.wait("Good day, Bo.")
        assert "Story" in screen and "A lighthouse in November." in screen
        assert "keeper of the light; patient, dry; wants: light; speaks: short" in screen
        stage.say(["Non", "sense"])
        assert "Bo Lind    Nonsense" in pane.wait("Nonsense")
        stage.live("withdrawn", "c1")
        screen = pane.wait("Bo Lind: withdrawn, asked again")
        assert "Nonsense" not in screen
        stage.say(["Good ", "day"], "c2")
        pane.wait("Bo Lind    Good day")
        stage.turn("Good day, Ada.")
        pane.wait("Bo Lind    Good day, Ada.")


def test_pauses_and_ends_and_failed_turns_are_told(fleet):
    stage = quiet(fleet).turn("Good day, Bo.")
    with watch(fleet, ID) as pane:
        pane.wait("Good day, Bo.")
        stage.facts(state="paused", reason="asked")
        pane.wait("           paused")
        stage.facts(state="running")
        pane.wait("           it goes on")
        stage.live("waiting", "", servers="local, cloud", reason="no \x1b[31mroute")
        pane.wait("waits for a model server; down: local, cloud; last: no")
        assert "<U+001B>[31mroute" in pane.text()
        stage.end("stopped")
        pane.wait("ended: it was stopped; 1 turn")
        pane.wait(lambda text: text.rstrip().endswith("ended"), "the bar says that it has ended")


def test_while_the_story_is_written_the_screen_says_so_and_then_how_it_stands(fleet):
    """In a row at the top: there is no room for the panel."""
    stage = Stage(fleet.db).open()
    with watch(fleet, ID) as pane:
        screen = pane.wait(lambda text: re.search(
            rf"^Conversation {ID}: the story is being written, [\d.]+ m?s", text, re.M))
        assert "preparing" in screen
        stage.begin().turn("Good day, Bo.")
        screen = pane.wait("Good day, Bo.")
        assert "being written" not in screen
        pane.wait(lambda text: re.match(
            rf"running  1 of 12 turns  2:\d\d left  Bo Lind thinks, [\d.]+ m?s +{ID}\n", text))
        stage.say(["Good"])
        pane.wait(lambda text: "  Bo Lind speaks, " in text.split("\n")[0])
        stage.end("stopped")
        pane.wait(lambda text: re.match(rf"ended: stopped  1 of 12 turns +{ID}\n", text))


def test_each_persona_has_a_colour_of_its_own(fleet):
    quiet(fleet, 6)
    with watch(fleet, ID) as pane:
        pane.wait("number 6 ")
        rows = "\n".join(pane.styled().split("\n")[1:])
        ada, bo = (re.findall(rf"\x1b\[([0-9;]*)m{name}\x1b", rows)
                   for name in ("Ada Quill", "Bo Lind"))
        assert len(ada) >= 3 and len(bo) >= 3, rows
        assert len(set(ada)) == len(set(bo)) == 1 and ada[0] != bo[0], (ada, bo)


def test_a_read_only_observer_commands_nothing_from_wall_and_conversation(fleet):
    quiet(fleet, 1)
    with watch(fleet, "--read-only", "--screen", "wall") as pane:
        pane.wait(ID)
        assert "p pause" not in pane.text()
        pane.keys("p", "r", "x")
        pane.wait("read-only: no commands")
        pane.keys("/")
        assert "?" not in pane.wait("filter:").split("\n")[-1]
        pane.keys("Escape")
        pane.wait(lambda text: "filter:" not in text)
        pane.keys("Enter")
        pane.wait("number 1 ")
        pane.keys("p", "r", "x", "s", "i", "/")
        pane.wait("search:")
        pane.keys("Escape")
        pane.wait(lambda text: "search:" not in text)
        pane.keys("?")
        screen = pane.wait("Keys: talk")
        assert "say something" not in screen and "end it" not in screen
    assert fleet.db.xlen("parley:{0}:control") == 0


def test_wide_characters_keep_their_columns_and_names_hang_before_their_text(fleet):
    text = "\u4f60\u597d\u4e16\u754c" * 30 + " \U0001f468\u200d\U0001f469\u200d\U0001f467 end"
    quiet(fleet).turn(text)
    with watch(fleet, ID) as pane:
        screen = pane.wait(" end")
    rows = [line for line in screen.split("\n") if "\u4f60" in line or "\u4e16" in line]
    assert len(rows) >= 3 and rows[0].lstrip("> ").startswith("Ada Quill")
    assert all(row[:13].strip() in ("", ">") for row in rows[1:])
    assert sum(row.count("\u4f60") for row in rows) == 30


# ---- follow mode ----

def test_scrolling_up_pauses_and_counts_what_is_new_and_loses_nothing(fleet):
    stage = quiet(fleet, 30)
    with watch(fleet, ID) as pane:
        pane.wait("number 30 ")
        assert "following" in pane.text()
        pane.keys("PPage")
        before = pane.wait("paused, 0 new")
        for number in range(31, 43):
            stage.turn(f"number {number} it is")
        after = pane.wait("paused, 12 new")
        assert numbers(after) == numbers(before) and 30 not in numbers(after)
        pane.keys("G")
        screen = pane.wait("number 42 ")
        assert "following" in screen
        pane.keys("g")
        pane.wait("Story")
        seen = set()
        for _ in range(9):
            seen.update(numbers(pane.text()))
            top = pane.text()
            pane.keys("NPage")
            with contextlib.suppress(AssertionError):
                pane.wait(lambda text, top=top: text != top, limit_s=2)
            if "following" in pane.text():
                break
        assert seen | set(numbers(pane.text())) == set(range(1, 43))
        assert "following" in pane.text()  # who is at the end follows again


def test_the_place_stays_when_the_screen_gets_another_width(fleet):
    stage = quiet(fleet)
    for number in range(1, 41):
        stage.turn(f"number {number} it is, " + "and so on and on " * 8)
    with watch(fleet, ID, cols=120, rows=24) as pane:
        pane.wait("number 40 ")
        pane.keys("PPage", "PPage", "t")
        pane.wait("paused")
        first = numbers(pane.text())[0]
        pane.resize(70, 24)
        pane.wait(lambda text: max(map(len, text.split("\n"))) <= 70
                  and first in numbers(text)[:2], "the same turn is at the top")
        pane.resize(120, 24)
        pane.wait(lambda text: numbers(text)[:1] in ([first], [first - 1]), "and once more")


def test_follow_is_a_key_of_its_own(fleet):
    quiet(fleet, 30)
    with watch(fleet, ID) as pane:
        pane.wait("number 30 ")
        pane.keys("F")
        pane.wait("paused, 0 new")
        pane.keys("k", "F")
        pane.wait("following")


# ---- search and marks ----

def test_a_search_finds_marks_and_counts_and_n_and_N_lead_on(fleet):
    stage = quiet(fleet, 60)
    stage.turn("The Lamp and the LAMP.")
    with watch(fleet, ID) as pane:
        pane.wait("The Lamp")
        pane.keys("/")
        pane.type("lamp")
        pane.keys("Enter")
        pane.wait("of 3 found")  # the story has one
        pane.keys("g", "n")
        assert "The lamp has gone out." in pane.wait("1 of 3 found")
        pane.keys("n")
        pane.wait("2 of 3 found")
        pane.keys("N")
        pane.wait("1 of 3 found")
        pane.keys("Escape")
        pane.wait(lambda text: "found" not in text, "the search is over")
        pane.keys("/", "C-u")
        pane.type("LAMP")
        pane.keys("Enter")
        pane.wait(" of 3 found")
        pane.keys("n", "n", "n")
        pane.wait("nothing found below")


def test_a_regular_expression_is_searched_for_behind_its_mark_and_a_wrong_one_is_named(fleet):
    quiet(fleet, 30)
    with watch(fleet, ID) as pane:
        pane.wait("number 30 ")
        pane.keys("/")
        pane.type("re:^NUMBER (7|9) ")
        pane.keys("Enter")
        pane.wait("of 2 found")
        pane.keys("/", "C-u")
        pane.type("re:((")
        pane.keys("Enter")
        pane.wait("no regular expression")
        assert "of 2 found" in pane.text()  # the one before stays


def test_marks_are_set_shown_and_led_to(fleet):
    quiet(fleet, 60)
    with watch(fleet, ID) as pane:
        pane.wait("number 60 ")
        pane.keys("m")
        pane.wait(lambda text: any(line.startswith(">*") for line in text.split("\n")))
        pane.keys("g")
        pane.wait("Story")
        pane.keys("j", "j", "m", "G")
        pane.wait("number 60 ")
        pane.keys("'")
        assert "A lighthouse in November." in pane.wait(
            lambda text: "*" in text and "Story" in text, "behind the last comes the first")
        pane.keys("'")
        pane.wait("number 60 ")
        pane.keys("m", "'", "'")
        pane.wait("Story")


# ---- how it is shown ----

def test_lines_are_wrapped_or_not_and_the_sideways_place_is_kept(fleet):
    stage = quiet(fleet).turn("begin " + "word " * 40 + "the very end")
    with watch(fleet, ID) as pane:
        pane.wait("the very end")
        pane.keys("w")
        pane.wait(lambda text: "the very end" not in text and "begin word" in text)
        pane.keys(*["Right"] * 19)
        pane.wait("the very end")
        stage.turn("short, " + "and " * 60)
        pane.wait(lambda text: "and and" in text and "the very end" in text,
                  "a new line does not move it back")
        pane.keys("w")
        pane.wait("begin word")


def test_times_are_of_day_or_since_the_start_or_left_away(fleet):
    quiet(fleet, 1)
    with watch(fleet, ID, env={"TZ": "UTC"}) as pane:
        pane.wait("number 1 ")
        pane.keys("t")
        pane.wait(lambda text: re.search(r"10:30:00 +Ada Quill +number 1 ", text))
        pane.keys("t")
        pane.wait(lambda text: "10:30:00" not in text)
        pane.keys("t")
        pane.wait(lambda text: re.search(r"^> Ada Quill +number 1 ", text, re.M))


def test_the_panel_stands_beside_the_text_and_unknown_is_a_dash(fleet):
    quiet(fleet, 3)
    with watch(fleet, ID, cols=120, rows=40) as pane:
        screen = pane.wait("Ada Quill")
        screen = pane.wait("2 turns, 10 tokens")
        assert "A lighthouse in November." in screen.split("\n")[7][70:] + screen
        for line in ("- at -", "2 turns, 10 tokens, -/s", "ttft -, mean -", "ctx - of -",
                     "wait -, attempts 1", "left    -"):
            assert line in screen, line
        pane.keys("v")
        pane.wait(lambda text: "ttft" not in text)
        pane.resize(80, 24)
        pane.wait(lambda text: text.rstrip().endswith("following") and "timestamps" not in text
                  and len(text.rstrip().split("\n")[-1]) <= 80, "it is drawn for 80 columns")
        pane.keys("v")
        pane.wait("ttft")
        pane.keys("Escape")
        pane.wait("number 3 ")


def test_brackets_lead_to_the_conversations_beside_this_one_on_the_wall(fleet):
    quiet(fleet, 1)
    other = Stage(fleet.db, OTHER).open().begin().turn("I am the other one.")
    other.facts(deadline="")
    with watch(fleet) as pane:
        pane.wait(lambda text: ID in text and OTHER in text, "the wall has both")
        pane.keys("g", "Enter")
        first = pane.wait(lambda text: "number 1 " in text or "the other one" in text)
        pane.keys("]")
        second = pane.wait("the other one" if "number 1 " in first else "number 1 ")
        pane.keys("[")
        pane.wait("the other one" if "number 1 " in second else "number 1 ")


def test_enter_shows_the_message_as_it_is_stored(fleet):
    quiet(fleet).turn("Say \x1b[31mred\x1b[0m.")
    with watch(fleet, ID) as pane:
        pane.wait("Say <U+001B>[31mred<U+001B>[0m.")
        pane.keys("Enter")
        screen = pane.wait("Turn 1 as it is stored")
        assert '"kind": "turn"' in screen and '"message": "Say \\u001b[31mred' in screen
        pane.keys("G")
        pane.wait('"finish_reason": null')
        pane.keys("q")
        pane.wait("following")


def test_a_conversation_is_saved_and_nothing_is_written_over_unasked(fleet):
    stage = quiet(fleet, 4)
    path = fleet.box.folder / "kept"
    with watch(fleet, ID) as pane:
        pane.wait("number 4 ")
        pane.keys("S", "C-u")
        pane.type(str(path))
        pane.keys("Enter")
        pane.wait("saved")
        kept = read_lines(f"{path}.jsonl")
        assert kept == [json.loads(fields["message"])
                        for _, fields in fleet.db.xrange(stage.key("transcript"))]
        text = pathlib.Path(f"{path}.txt").read_text()
        assert "Bo Lind: number 4 it is\n" in text
        stage.turn("number 5 it is")
        pane.wait("number 5 ")
        pane.keys("S", "C-u")
        pane.type(str(path))
        pane.keys("Enter")
        pane.wait("write over it?")
        pane.keys("n")
        pane.wait("following")
        assert len(read_lines(f"{path}.jsonl")) == len(kept)
        pane.keys("S", "C-u")
        pane.type(str(path))
        pane.keys("Enter")
        pane.wait("write over it?")
        pane.keys("y")
        wait_for(lambda: len(read_lines(f"{path}.jsonl")) == len(kept) + 1, "it is saved again")


# ---- long ones ----

def test_a_long_conversation_is_read_where_it_is_looked_at(fleet):
    stage = quiet(fleet)
    pipe = fleet.db.pipeline()
    for number in range(1, 5001):
        document = {"schema_version": "1.0", "kind": "turn", "message_id": f"{ID}:{number}",
                    "queue_timestamp": "2026-01-31T10:30:00.123456Z", "role": "assistant",
                    "to": None, "content": {"type": "conversation",
                                            "message": f"number {number} it is",
                                            "sentiment": None, "references": []},
                    "metadata": {"conversation_id": ID, "sequence_number": number,
                                 "seat": 2 - number % 2, "author": "Ada Quill"}}
        pipe.xadd(stage.key("transcript"), {"kind": "turn", "turn": number,
                                            "message": json.dumps(document)})
    pipe.execute()
    stage.facts(turns=5000, next=5001)
    with watch(fleet, ID) as pane:
        pane.wait("number 5000 ")
        asked = fleet.db.info("stats")["total_net_output_bytes"]
        pane.keys("g")
        assert "number 1 " in pane.wait("Story")
        pane.keys("G")
        pane.wait("number 5000 ")
        assert fleet.db.info("stats")["total_net_output_bytes"] - asked < 1 << 20
        pane.keys("/")
        pane.type("number 2500 it")
        pane.keys("Enter")
        pane.wait("number 2500 ")
        status = pathlib.Path(f"/proc/{pane.pid()}/status").read_text()
        rss_kb = int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1))
        assert IS_SLOW or rss_kb < RSS_MAX_KB, rss_kb
        pane.keys("G")
        pane.wait("number 5000 ")


# ---- trouble ----

def test_an_observer_that_comes_in_the_middle_of_a_turn_shows_all_of_it(fleet):
    stage = quiet(fleet, 2)
    stage.say(["So it ", "goes"])
    with watch(fleet, ID) as pane:
        pane.wait("So it goes")
        stage.live("delta", "c1", text=" on")
        pane.wait("So it goes on")
    with watch(fleet, ID) as pane:
        pane.wait("So it goes on")
        stage.turn("So it goes on.")
        pane.wait("So it goes on.")


def test_left_and_come_back_to_in_the_middle_of_a_turn_it_streams_on(fleet):
    stage = quiet(fleet, 1)
    with watch(fleet, ID) as pane:
        stage.say(["w0"])
        said = "w0"
        for number in range(1, 7):
            pane.wait(said)
            pane.keys("1")
            pane.keys("2")
            pane.wait(said, "the words so far are there again")
            stage.live("delta", "c1", text=f" w{number}")
            said += f" w{number}"
        pane.wait(said)


def test_what_is_pasted_is_never_a_command_and_sends_nothing(fleet):
    quiet(fleet, 1)
    with watch(fleet, ID) as pane:
        pane.wait("number 1 ")
        pane.tmux("set-buffer", "x", ";", "paste-buffer", "-p")
        pane.keys("i")  # would only take back what x asked
        pane.wait("what happens:")
        pane.tmux("set-buffer", "it rains\nxy\n", ";", "paste-buffer", "-p")
        pane.wait("what happens: it rains xy")
        pane.keys("Enter")
        pane.wait("y/n")
        pane.tmux("set-buffer", "y", ";", "paste-buffer", "-p")
        pane.keys("n")
        pane.wait(lambda text: "y/n" not in text, "it was not asked for")
        assert fleet.db.xlen("parley:{0}:control") == 0


def test_what_is_logged_stands_in_the_bar_not_in_the_text(fleet):
    stage = quiet(fleet, 1)
    with watch(fleet, ID) as pane:
        pane.wait("number 1 ")
        fleet.db.set(stage.key("live"), "no stream")
        pane.wait("reading streams refused")
        lines = pane.lines()
        assert [i for i, line in enumerate(lines) if "refused" in line] == [len(lines) - 1]


def test_emptying_redis_is_told_and_what_was_seen_stays(fleet):
    quiet(fleet, 3)
    with watch(fleet, ID) as pane:
        pane.wait("number 3 ")
        fleet.db.flushall()
        screen = pane.wait("history lost: Redis no longer knows this conversation")
        assert "number 3 " in screen


@pytest.fixture
def lasting(box):
    """A Redis that keeps what it acknowledged."""
    yield Fleet(box, *LASTING)
    box.stop_all()


def test_a_redis_that_goes_and_comes_back_is_told_and_followed_on(lasting):
    fleet = lasting
    stage = quiet(fleet, 3)
    with watch(fleet, ID) as pane:
        pane.wait("number 3 ")
        fleet.redis.kill()
        fleet.redis.wait()
        pane.wait("Redis is lost")
        again = Fleet(fleet.box, *LASTING)
        stage.db = again.db
        stage.turn("number 4 it is")
        pane.wait("number 4 ")
        assert "number 3 " in pane.text() and "history" not in pane.text()


@pytest.mark.parametrize("mode", ["plain", "json", "tui"])
def test_an_unknown_conversation_is_named_within_two_seconds(fleet, mode):
    quiet(fleet, 1)
    if mode == "tui":
        fleet.box.env["TERM"] = "xterm-256color"
        terminal = OnTerminal(fleet.box, "observe", "--redis", fleet.url, "--mode", "tui", OTHER)
        begin = time.monotonic()
        assert terminal.wait(LIMIT_S) == 1
        assert time.monotonic() - begin < NAMED_IN_S
        said = terminal.read().split(b"\x1b[?1049l")[-1]  # behind the full screen
        assert f"there is no conversation {OTHER}".encode() in said
        terminal.close()
        return
    done = fleet.box.parley("observe", "--redis", fleet.url, "--mode", mode, OTHER)
    assert done.returncode == 1 and done.seconds < NAMED_IN_S
    assert f"there is no conversation {OTHER}" in done.stderr


def test_one_that_is_to_come_is_waited_for_when_asked_to(fleet):
    with watch(fleet, "--wait", ID) as pane:
        pane.wait("there is none of that id")
        quiet(fleet, 1)
        pane.wait("number 1 ")


# ---- the request ----

def messages_of(body):
    return json.dumps(json.loads(body)["messages"], separators=(",", ":"), ensure_ascii=False)


def test_the_request_that_was_sent_is_kept_and_shown_as_the_server_got_it(fleet):
    ledger = fleet.box.path("ledger.jsonl")
    fleet.simulator(*FAST, "--ledger", ledger)
    fleet.crew()
    conversation = fleet.begin("--story", story_file(fleet.box), "--turns", 2)
    fleet.wait_end(conversation)
    key = f"parley:{{0}}:asked:{conversation}"
    asked = {seat: json.loads(text) for seat, text in fleet.db.hgetall(key).items()}
    assert set(asked) == {"1", "2"} and 0 < fleet.db.pttl(key) <= 600_000
    lines = {line["id"]: line for line in read_lines(ledger) if line["id"]}
    for seat, sent in asked.items():
        assert sent["turn"] == int(seat) and sent["cut"] is False
        assert sent["bytes"] == len(sent["body"].encode())
        assert sent["url"].endswith("/api/chat")
        hashed = hashlib.sha256(messages_of(sent["body"]).encode()).hexdigest()
        assert hashed == lines[sent["call"]]["prompt_sha256"]
    with watch(fleet, conversation) as pane:
        pane.wait("ended: all turns were spoken")
        pane.keys("k", "e")
        screen = pane.wait("POST http://")
        assert f"turn 2, call {asked['2']['call']}" in screen and '"messages": [' in screen
    done = fleet.box.parley("clean", "--no-export", "--yes", "--redis", fleet.url, conversation)
    assert done.returncode == 0, done.stderr
    assert not fleet.db.exists(key)


def test_no_request_is_kept_where_that_is_not_wanted_or_none_is_sent(fleet):
    fleet.simulator(*FAST)
    fleet.manager()
    fleet.worker(1, "--live-requests", "no")
    fleet.worker(2, "--provider", "echo")
    fleet.wait_ready("manager-1", "worker-1-1", "worker-2-1")
    conversation = fleet.begin("--story", story_file(fleet.box), "--turns", 2)
    fleet.wait_end(conversation)
    assert not fleet.db.exists(f"parley:{{0}}:asked:{conversation}")
