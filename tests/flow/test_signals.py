"""Ctrl-C, SIGTERM, a terminal that goes away: what began ends cleanly, with the numbers so far."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from helpers import (Fleet, OnTerminal, assert_harmless, assert_once_and_in_order,
                     assert_run_folder, box, read_lines, story_file, turns_of, wait_for,
                     words_of)  # noqa: F401 - box is a fixture

SLOW = ["--tokens-per-second", 60, "--first-token-ms", 20, "--reply-tokens", "20..30"]


def begin(box, *options, **more):
    """A run that goes on until it is told to stop; it has spoken its first turn."""
    out = pathlib.Path(box.path("D"))
    run = box.start("run", "--simulate", "--story", story_file(box), "--turns", 500, "--out", out,
                    *(SLOW if "--tokens-per-second" not in options else []), *options, **more)
    wait_for(lambda: turn_count(out) >= 1, "the first turn")
    return run, out


def turn_count(out):
    with contextlib.suppress(FileNotFoundError):
        return (out / "transcript.jsonl").read_text().count('"kind":"turn"')
    return 0


def assert_ended_well(out, least=1, reason="stopped"):
    """Whole files, a transcript without gap, an analysis of all its turns."""
    run = assert_run_folder(out)
    transcript = read_lines(out / "transcript.jsonl")
    count = len(turns_of(transcript))
    assert count >= least
    assert_once_and_in_order(transcript, count)
    assert json.loads((out / "analysis.json").read_text())["totals"]["turns"] == count
    last = read_lines(out / "events.jsonl")[-1]
    assert (last["event"], last["reason"]) == ("dialogue.resolve", reason)
    return run


# ---- a run ----

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
                         ids=["Ctrl-C", "SIGTERM", "SIGHUP"])
def test_one_signal_lets_the_turn_in_flight_end_and_shows_the_numbers(box, number):
    run, out = begin(box, "--observe", "plain")
    calls = out / "calls.jsonl"
    before = turn_count(out)
    run.send_signal(number)
    assert run.wait(15) == 128 + number
    record = assert_ended_well(out, before)
    assert record["exit_status"] == 128 + number
    assert {call["outcome"] for call in read_lines(calls)} == {"done"}
    shown = open(run.out_path, encoding="utf-8").read()
    assert "Summary" in shown
    for words in words_of(read_lines(out / "transcript.jsonl")):
        assert " ".join(words.split()) in " ".join(shown.split())
    box.assert_nothing_left()


def test_two_signals_end_it_at_once_and_the_numbers_so_far_are_there(box):
    run, out = begin(box, "--observe", "plain", "--grace", "60s", "--tokens-per-second", 5,
                     "--reply-tokens", "10..10")
    begun = time.monotonic()
    run.send_signal(signal.SIGINT)
    wait_for(lambda: "once more" in open(run.err_path).read(), "it says what a second one does")
    run.send_signal(signal.SIGINT)
    assert run.wait(10) == 130
    assert time.monotonic() - begun < 3
    assert_run_folder(out)
    transcript = read_lines(out / "transcript.jsonl")
    assert_once_and_in_order(transcript, len(turns_of(transcript)))
    assert "Summary" in open(run.out_path).read()
    box.assert_nothing_left()


def test_a_turn_that_outlasts_the_grace_after_ctrl_c_is_dropped_and_recorded(box):
    run, out = begin(box, "--observe", "none", "--grace", "1s", "--tokens-per-second", 10,
                     "--reply-tokens", "8..8")
    wait_for(lambda: turn_count(out) >= 2, "another turn")
    begun = time.monotonic()
    run.send_signal(signal.SIGINT)
    assert run.wait(15) == 130
    assert time.monotonic() - begun < 5
    assert_ended_well(out, 2)


@pytest.mark.parametrize("wait_ms", [0, 50, 200, 400, 700, 1000])
def test_a_signal_while_it_starts_leaves_nothing_behind(box, wait_ms):
    out = pathlib.Path(box.path("D"))
    run = box.start("run", "--simulate", "--turns", 500, "--observe", "none", "--out", out, *SLOW)
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(wait_ms / 1000)  # any moment of the start will do
    run.send_signal(signal.SIGINT)
    # The very first moment is before it has its signals in hand.
    assert run.wait(20) in ((130, -signal.SIGINT) if wait_ms == 0 else (130,))
    box.assert_nothing_left()
    for name in ("transcript", "calls", "events"):
        if (out / f"{name}.jsonl").exists():
            read_lines(out / f"{name}.jsonl")


def test_a_terminal_that_is_closed_ends_the_run_like_ctrl_c(box):
    out = pathlib.Path(box.path("D"))
    run = OnTerminal(box, "run", "--simulate", "--story", story_file(box), "--turns", 500,
                     "--observe", "plain", "--out", out, *SLOW)
    wait_for(lambda: run.read() and turn_count(out) >= 1, "the first turn")
    run.close()
    assert run.wait(15) == 128 + signal.SIGHUP
    assert_ended_well(out)
    box.assert_nothing_left()


def test_ctrl_c_at_the_terminal_reaches_the_run_alone(box):
    out = pathlib.Path(box.path("D"))
    run = OnTerminal(box, "run", "--simulate", "--story", story_file(box), "--turns", 500,
                     "--observe", "plain", "--out", out, *SLOW)
    wait_for(lambda: run.read() and turn_count(out) >= 1, "the first turn")
    os.write(run.master, b"\x03")
    assert run.wait(15) == 130
    run.close()
    assert_ended_well(out)
    assert b"Summary" in run.data
    assert_harmless(run.data.decode(), colours=True)


# ---- the services of a fleet by hand ----

def test_sigterm_twice_cuts_a_worker_short(box):
    fleet = Fleet(box)
    fleet.simulator("--tokens-per-second", 10, "--first-token-ms", 20, "--reply-tokens", "100..100")
    _, first, _ = fleet.crew()
    conversation = fleet.begin("--turns", 1, "--story", story_file(box))
    wait_for(lambda: fleet.db.xlen(f"parley:{{0}}:live:{conversation}") > 1, "the first words")
    first.send_signal(signal.SIGTERM)
    wait_for(lambda: "draining" in open(first.err_path).read(), "it drains")
    first.send_signal(signal.SIGTERM)
    assert first.wait(5) == 143
    box.stop_all()


def test_a_leader_told_to_go_hands_the_lead_over_at_once(box):
    fleet = Fleet(box)
    fleet.simulator(*SLOW)
    leader, _, _ = fleet.crew()
    fleet.manager()
    fleet.wait_ready("manager-2")
    conversation = fleet.begin("--turns", 6, "--story", story_file(box))
    fleet.wait_turns(conversation, 1)
    leader.send_signal(signal.SIGTERM)
    assert leader.wait(10) == 0
    wait_for(lambda: ":manager-2:" in (fleet.db.get("parley:{0}:leader") or ""),
             "the other leads", 2)
    assert fleet.wait_end(conversation)["reason"] == "turns"
    assert_once_and_in_order(fleet.transcript(conversation), 6)
    fleet.wait_settled()
    box.stop_all()
