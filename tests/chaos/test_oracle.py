"""The oracle finds each kind of harm in a small history made by hand, and none in a good one."""
import copy
import hashlib
import json

import pytest

from oracle import Evidence, Rules, Trouble, judge, percentile

TALK = "abcdefghijkl"
TEXTS = ["One it is.", "Two then.", "Three.", "And four."]
AUTHORS = ("Ada", "Bo")
START_US = 1_000_000_000_000_000
STEP_US = 1_000_000


def call_line(turn, texts, delivery=1, letters="aaaa", **more):
    """A whole answer to the turn, asked with the texts before it."""
    seat = 1 + (turn - 1) % 2
    messages = [{"role": "system", "content": "You are somebody."}]
    if seat == 1:
        messages.append({"role": "user", "content": "(The scene begins. Ada speaks first.)"})
    for index, text in enumerate(texts[:turn - 1]):
        own = 1 + index % 2 == seat
        messages.append({"role": "assistant" if own else "user",
                         "content": text if own else f"{AUTHORS[index % 2]}: {text}"})
    at_us = START_US + turn * STEP_US
    return {"id": f"{TALK}:{turn}/1.{delivery}-{letters}{turn}", "seq": turn, "load": False,
            "ended": "whole", "status": 200, "fault": None, "started_us": at_us,
            "ended_us": at_us + 20_000, "body": {"messages": messages},
            "reply_sha256": hashlib.sha256(texts[turn - 1].encode()).hexdigest(), **more}


def turn_entry(turn, text):
    seat = 1 + (turn - 1) % 2
    message = {"content": {"message": text}, "metadata": {"author": AUTHORS[seat - 1]}}
    return (f"{turn}-0", {"kind": "turn", "turn": str(turn), "seat": str(seat),
                          "at": str(START_US + turn * STEP_US), "message": json.dumps(message)})


def event(name, turn="", transcript=""):
    return (f"{turn or 0}-1", {"event": name, "conversation": TALK, "turn": str(turn),
                               "transcript": transcript})


def good():
    """A conversation of four turns in which nothing went wrong."""
    turns = [turn_entry(i + 1, text) for i, text in enumerate(TEXTS)]
    return Evidence(
        asked={TALK: 4}, talks={TALK: {"state": "ended"}},
        transcripts={TALK: [("0-1", {"kind": "story", "turn": ""}), *turns]},
        events=[event("dialogue.open"), event("dialogue.initiate"),
                *[event("dialogue.progress", i + 1, f"{i + 1}-0") for i in range(4)],
                event("dialogue.resolve")],
        calls=[(f"{i}-2", {"call": f"{TALK}:{i}/1.1-aaaa{i}", "outcome": "done"})
               for i in range(1, 5)],
        ledger=[call_line(i, TEXTS) for i in range(1, 5)],
        seen={TALK: [(f"{i}-0", i, START_US + i) for i in range(1, 5)]})


def wasted_call(**more):
    """Another call for turn 2, that a worker had in hand."""
    line = call_line(2, TEXTS, letters="dead", **{"ended": "client", "seq": 9, **more})
    return line


def kill_at(line, letters="dead", **more):
    at_us = (line["started_us"] + line["ended_us"]) // 2
    return Trouble("kill", at_us, at_us, "worker-2-1", 2, letters, **more)


def test_a_good_history_is_found_good():
    verdict = judge(good())
    assert verdict.violations == []
    assert verdict.figures["turns"] == 4 and verdict.figures["wasted"] == 0


def lose_a_turn(evidence):
    del evidence.transcripts[TALK][-1]


def take_no_command(evidence):
    evidence.refused.append("start: nobody took it")


def double_a_turn(evidence):
    evidence.transcripts[TALK].append(turn_entry(4, TEXTS[3]))


def take_from_one_fenced(evidence):
    evidence.ledger.append(call_line(3, TEXTS[:2] + ["Another."], delivery=2, seq=9,
                                     ended="client"))


def leave_a_gap(evidence):
    del evidence.transcripts[TALK][2]


def swap_two(evidence):
    turns = evidence.transcripts[TALK]
    turns[2], turns[3] = turns[3], turns[2]


def seat_the_wrong_one(evidence):
    evidence.transcripts[TALK][2][1]["seat"] = "1"


def cut_a_text(evidence):
    evidence.transcripts[TALK][4] = turn_entry(4, "And f")


def stitch_two_answers(evidence):
    evidence.transcripts[TALK][4] = turn_entry(4, "And fThree.")


def ask_with_another_history(evidence):
    evidence.ledger[3] = call_line(4, ["One it is.", "Something else.", "Three.", "And four."])


def ask_with_less_history(evidence):
    del evidence.ledger[3]["body"]["messages"][1]


def take_one_cut_short(evidence):
    evidence.ledger[3]["ended"] = "fault"


def tell_nothing(evidence):
    del evidence.events[3]


def tell_twice(evidence):
    evidence.events.insert(3, evidence.events[3])


def tell_out_of_order(evidence):
    evidence.events[3], evidence.events[4] = evidence.events[4], evidence.events[3]


def leave_one_pending(evidence):
    evidence.left.append("parley:{0}:request:1: 1 pending")


def give_one_up(evidence):
    evidence.dead.append(("1-0", {"turn": "3"}))


def trim_what_is_needed(evidence):
    evidence.events.append(event("message.trimmed"))


def tell_of_a_rewind_that_was_none(evidence):
    evidence.events.append(event("history.rewound", 3))


def show_another_past(evidence):
    evidence.seen[TALK][1] = ("2-7", 2, START_US)


def show_a_gap(evidence):
    del evidence.seen[TALK][1]


def crash(evidence):
    evidence.deaths.append("worker-1-1 ended by itself: -11")


def waste_a_call(evidence):
    evidence.ledger.append(wasted_call())


def waste_one_of_another_process(evidence):
    line = wasted_call()
    evidence.ledger.append(line)
    evidence.troubles.append(kill_at(line, letters="else"))


def waste_one_long_before(evidence):
    line = wasted_call()
    evidence.ledger.append(line)
    evidence.troubles.append(kill_at({key: value + 60 * STEP_US for key, value in line.items()
                                      if key.endswith("_us")}))


def call_for_nothing(evidence):
    evidence.ledger.append(call_line(2, TEXTS, id=None))


def stay_busy(evidence):
    evidence.idle_s = None


HARM = {
    lose_a_turn: {"I1", "I5", "I7", "I9"}, double_a_turn: {"I2", "I4", "I5"},
    take_no_command: {"I1"}, take_from_one_fenced: {"I2", "I9"},
    leave_a_gap: {"I1", "I3", "I4", "I5", "I7", "I9"}, swap_two: {"I3", "I4", "I5", "I7", "I9"},
    seat_the_wrong_one: {"I3", "I4", "I9"}, cut_a_text: {"I4", "I9"},
    stitch_two_answers: {"I4", "I9"}, ask_with_another_history: {"I4", "I9"},
    ask_with_less_history: {"I4", "I9"}, take_one_cut_short: {"I4"}, tell_nothing: {"I5"},
    tell_twice: {"I5"}, tell_out_of_order: {"I5"}, leave_one_pending: {"I6"},
    give_one_up: {"I6"}, trim_what_is_needed: {"I6"}, tell_of_a_rewind_that_was_none: {"I7"},
    show_another_past: {"I7"}, show_a_gap: {"I7"}, crash: {"I8"},
    waste_a_call: {"I9"}, waste_one_of_another_process: {"I9"}, waste_one_long_before: {"I9"},
    call_for_nothing: {"I9"}, stay_busy: {"I10"},
}


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_each_harm_is_found_and_named(harm):
    evidence = good()
    harm(evidence)
    verdict = judge(evidence)
    assert set(verdict.broken()) == HARM[harm], verdict.lines()


def test_every_invariant_is_the_first_to_be_broken_by_some_harm():
    named = set().union(*HARM.values())
    assert named == {f"I{number}" for number in range(1, 11)}


def test_a_call_that_a_killed_worker_had_in_hand_is_no_violation():
    evidence, line = good(), wasted_call()
    evidence.ledger.append(line)
    evidence.troubles.append(kill_at(line))
    assert judge(evidence).violations == []
    strict = judge(evidence, Rules(needs_lost=True))
    assert strict.broken() == ["I9"]
    evidence.calls.append(("9-9", {"call": line["id"], "outcome": "lost"}))
    assert judge(evidence, Rules(needs_lost=True)).violations == []


def test_a_killed_worker_that_nobody_knew_by_name_is_known_by_its_lane():
    evidence, line = good(), wasted_call()
    evidence.ledger.append(line)
    evidence.troubles.append(kill_at(line, letters=""))
    assert judge(evidence).violations == []
    evidence.troubles[0].seat = 1
    assert judge(evidence).broken() == ["I9"]


def test_a_dead_workers_turn_that_waited_too_long_is_found():
    evidence, line = good(), wasted_call()
    line["started_us"] -= 5 * STEP_US
    line["ended_us"] -= 5 * STEP_US
    evidence.ledger.append(line)
    evidence.troubles.append(kill_at(line))
    verdict = judge(evidence, Rules(recovery_limit_ms=2000))
    assert verdict.broken() == ["I10"]
    assert 4900 < verdict.figures["recovery_p99_ms"] < 5000
    assert judge(evidence, Rules(recovery_limit_ms=6000)).violations == []
    mate = kill_at(line)
    mate.start_us = mate.end_us = line["ended_us"] + STEP_US
    evidence.troubles.append(mate)
    verdict = judge(evidence, Rules(recovery_limit_ms=2000))
    assert verdict.violations == [] and verdict.figures["recoveries"] == 0
    assert verdict.figures["recoveries_hit_again"] == 1
    mate.seat = 1
    assert judge(evidence, Rules(recovery_limit_ms=2000)).broken() == ["I10"]


def test_across_a_declared_rewind_a_reader_may_have_seen_another_past():
    evidence = good()
    evidence.seen[TALK][0:0] = [("1-5", 1, START_US - 10)]
    assert judge(evidence).broken() == ["I7"]
    evidence.rewinds = [START_US - 5]
    verdict = judge(evidence)
    assert verdict.violations == [] and verdict.figures["taken_back"] == 1


def test_judging_changes_no_evidence():
    evidence = good()
    before = copy.deepcopy(evidence)
    judge(evidence)
    assert evidence == before


def test_percentiles_are_ranks_and_nothing_has_none():
    assert percentile([], 0.99) is None
    assert percentile([3, 1, 2], 0.5) == 2 and percentile(range(100), 0.99) == 99
    assert percentile([7], 1.0) == 7
