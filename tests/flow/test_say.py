"""`parley say` and `parley inject`: what is put in between the turns stands in the next prompts, by
the simulator's own ledger, a whisper in those of its seat only; and the prompts' beginnings stay.
"""
import json

import pytest

from helpers import (Fleet, Sandbox, assert_harmless, box, complaints,  # noqa: F401
                     read_lines, story_file, wait_for)

EVENT = "The lamp goes out with a bang."
WHISPER = "Bo hides the spare key."
SEATS = (1, 2)


@pytest.fixture
def fleet(box):  # noqa: F811
    return Fleet(box)


def begin(fleet, *more):
    """A conversation without an end, paused with some turns behind it, and the ledger's path."""
    ledger = fleet.box.path("ledger.jsonl")
    fleet.simulator("--tokens-per-second", 0, "--first-token-ms", 30, "--ledger", ledger,
                    "--ledger-bodies", *more)
    fleet.crew()
    conversation = fleet.begin("--turns", "none", "--duration", "1h", "--story",
                               story_file(fleet.box))
    fleet.wait_turns(conversation, 1)
    pause(fleet, conversation)
    return conversation, ledger


def go_on(fleet, conversation, count):
    """So many more turns at least; then it is paused again."""
    until = int(fleet.talk(conversation)["turns"]) + count
    assert fleet.box.parley("resume", conversation).returncode == 0
    fleet.wait_turns(conversation, until)
    pause(fleet, conversation)


def pause(fleet, conversation):
    assert fleet.box.parley("pause", conversation).returncode == 0
    wait_for(lambda: fleet.talk(conversation)["phase"] == "idle", "nothing is in flight")


def lines_of(fleet, conversation):
    return [(fields["kind"], json.loads(fields["message"])) for _, fields in
            fleet.db.xrange(f"parley:{{0}}:transcript:{conversation}")]


def prompts(ledger):
    """(turn, messages) of each turn's call: nothing fails here, so there is one a turn, in order."""
    bodies = [line["body"] for line in read_lines(ledger) if line["body"].get("messages")]
    return [(turn, body["messages"]) for turn, body in enumerate(bodies, 1)]


def seat_of(turn):
    return SEATS[(turn - 1) % 2]


def says(messages, text):
    return sum(text in message["content"] for message in messages)


def test_an_event_is_in_every_later_prompt_and_a_whisper_in_its_seats_only(fleet):
    conversation, ledger = begin(fleet)
    after = int(fleet.talk(conversation)["turns"])
    box = fleet.box
    told = box.parley("inject", conversation, *EVENT.split())
    assert (told.returncode, told.stderr) == (0, ""), told.stderr
    assert told.stdout == f"{conversation} was told: the next turn asked for knows of it\n"
    assert box.parley("say", conversation, "--to", 2, WHISPER).returncode == 0
    go_on(fleet, conversation, 4)
    seen = prompts(ledger)
    assert len(seen) == int(fleet.talk(conversation)["turns"])
    for turn, messages in seen:
        assert says(messages, EVENT) == (turn > after), (turn, messages)
        assert says(messages, WHISPER) == (turn > after and seat_of(turn) == 2), (turn, messages)
    fleet.box.kill_all()


def test_what_was_put_in_leaves_the_beginning_of_each_prompt_as_it_was(fleet):
    conversation, ledger = begin(fleet)
    for number in range(3):
        assert fleet.box.parley("say", conversation, f"word {number}").returncode == 0
        go_on(fleet, conversation, 2)
    seen = prompts(ledger)
    for (_, before), (turn, later) in zip(seen, seen[2:]):
        assert later[:len(before)] == before, turn
    fleet.box.kill_all()


def test_said_while_a_turn_is_spoken_it_is_known_at_the_next_one(fleet):
    ledger = fleet.box.path("ledger.jsonl")
    fleet.simulator("--tokens-per-second", 60, "--first-token-ms", 10, "--reply-tokens", "40..40",
                    "--ledger", ledger, "--ledger-bodies")
    fleet.crew()
    conversation = fleet.begin("--turns", 3, "--story", story_file(fleet.box))
    wait_for(lambda: fleet.db.xlen(f"parley:{{0}}:live:{conversation}") > 1, "the first words")
    assert fleet.box.parley("inject", conversation, EVENT).returncode == 0
    assert fleet.wait_end(conversation)["reason"] == "turns"
    assert [says(messages, EVENT) for _, messages in prompts(ledger)] == [0, 1, 1]
    kinds = [kind for kind, _ in lines_of(fleet, conversation)]
    assert kinds == ["story", "persona", "persona", "event", "turn", "turn", "turn"]
    fleet.box.kill_all()


def test_the_messages_are_valid_numbered_and_told_as_events(fleet):
    conversation, _ = begin(fleet)
    box = fleet.box
    assert box.parley("say", conversation, "--to", 1, "to you \x1b[31m alone").returncode == 0
    assert box.parley("say", conversation, "--", "-to all").returncode == 0
    staged = [message for kind, message in lines_of(fleet, conversation)
              if kind in ("event", "whisper")]
    assert [complaints("dialog_message", one) for one in staged] == [[], []]
    assert [(one["message_id"], one["to"]) for one in staged] == [
        (f"{conversation}:whisper:1", [1]), (f"{conversation}:event:2", None)]
    assert staged[1]["content"]["message"] == "-to all"
    told = [fields["id"] for _, fields in fleet.db.xrange("parley:{0}:events")]
    assert {one["message_id"] for one in staged} <= set(told)
    shown = box.parley("stop", conversation) and box.parley("observe", conversation)
    assert "(whispered) (to seat 1) to you" in shown.stdout, shown.stdout
    assert "(stage direction) -to all" in shown.stdout
    assert_harmless(shown.stdout)
    fleet.box.kill_all()


@pytest.mark.parametrize("words, status, complaint", [
    ([], 2, "which conversation"), (["no-id!", "x"], 2, "'no-id!'"),
    (["k3v9q2m4x7ab"], 2, "nothing to say"), (["k3v9q2m4x7ab", " "], 2, "nothing to say"),
    (["k3v9q2m4x7ab", "x" * 8193], 2, "at most 8192"),
    (["k3v9q2m4x7ab", "\udcff"], 2, "no UTF-8"),
    (["k3v9q2m4x7ab", "--to", "17", "x"], 2, "--to"),
    (["abcdefghijkl", "x"], 1, "there is no conversation abcdefghijkl")])
def test_what_cannot_be_said_is_told_why(crew_of_tests, words, status, complaint):
    done = crew_of_tests.parley("say", *words)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert complaint in done.stderr, done.stderr


@pytest.fixture(scope="module")
def crew_of_tests():
    """A sandbox whose fleet leads; nothing in it is changed by these tests."""
    sandbox = Sandbox()
    fleet = Fleet(sandbox)
    fleet.manager()
    fleet.wait_ready("manager-1")
    yield sandbox
    sandbox.close()


def test_a_seat_that_is_not_there_and_an_end_are_refused(fleet):
    conversation, _ = begin(fleet)
    box = fleet.box
    done = box.parley("say", conversation, "--to", 3, "hello")
    assert done.returncode == 1 and "it has no such seat" in done.stderr
    assert box.parley("stop", conversation).returncode == 0
    done = box.parley("inject", conversation, "too late")
    assert done.returncode == 1 and "refused: it has ended" in done.stderr
    assert [kind for kind, _ in lines_of(fleet, conversation) if kind in ("event", "whisper")] == []
    fleet.box.kill_all()


NO_SENSE = [
    ('{"kind":"turn","text":"x"}', "neither event nor whisper"), ("{", "no JSON"),
    ('{"kind":"whisper","text":"x"}', "needs the seat"), ('{"kind":"event"}', "nothing to say"),
    ('{"kind":"event","seat":1,"text":"x"}', "all see it"),
    ('{"kind":"whisper","seat":99,"text":"x"}', "needs the seat")]


def test_arguments_that_make_no_sense_are_refused_by_the_manager(fleet):
    fleet.manager()
    fleet.wait_ready("manager-1")
    until = int(fleet.db.time()[0] + 20) * 1_000_000
    for number, (args, why) in enumerate(NO_SENSE):
        fleet.db.xadd("parley:{0}:control", {
            "id": f"abcabcabcab{number}", "command": "say", "args": args,
            "conversation": "k3v9q2m4x7ab", "valid_until": until})
        _, answer = fleet.db.blpop(f"parley:{{0}}:answer:abcabcabcab{number}", 10)
        assert answer.startswith("NO ") and why in answer, (args, answer)
    assert fleet.db.xpending("parley:{0}:control", "managers")["pending"] == 0
    fleet.box.kill_all()


def test_a_redis_that_is_full_is_named_where_a_command_was_not_given(fleet):
    fleet.db.config_set("maxmemory", "1mb")
    fleet.db.config_set("maxmemory-policy", "noeviction")
    done = fleet.box.parley("start", "--turns", 2, "--dry-run")
    assert done.returncode == 1 and done.stdout == ""
    assert "Redis refuses writes" in done.stderr and "OOM" in done.stderr, done.stderr
    assert "parley manager" not in done.stderr
    fleet.box.kill_all()


def test_a_record_tells_its_time_as_one(fleet):
    record = fleet.db.xadd("parley:{0}:dead", {"conversation": "k3v9q2m4x7ab", "turn": 7,
                                               "at": 1769855400123456})
    done = fleet.box.parley("dead", "show", record)
    assert "2026-01-31T10:30:00.123456Z" in done.stdout and "1769855400123456" not in done.stdout
    fleet.box.kill_all()
