"""A real run's numbers, made again by other means: the sums of every list against the totals and
the simulator's ledger, with retries and a cancelled turn among them; each metric against Python's
statistics over the transcript.
"""
import json
import math
import statistics

import pytest

from helpers import Fleet, Sandbox, read_lines, story_file, wait_for
from model_servers import MODEL, Sim, calls_of, write_config
from test_analyzer import UNITS, check_stat, value_of

TURNS = 14
SEATS = {1: MODEL, 2: "qwen3"}
# The first call of each seat breaks off, and is made again.
CUTS = [{"kind": "cut", "after_tokens": 6, "count": 1, "model": model}
        for model in SEATS.values()]


@pytest.fixture(scope="module")
def run():
    """A conversation with two retries, one that is stopped in mid-turn; the folder of both."""
    sandbox = Sandbox()
    try:
        yield made_run(sandbox)
        sandbox.stop_all()
        sandbox.assert_no_report()
    finally:
        sandbox.close()


def made_run(sandbox):
    fleet = Fleet(sandbox)
    sim = Sim(fleet, "--tokens-per-second", 400, "--first-token-ms", 5, "--reply-tokens", "20..40",
              "--sim-models", SEATS[2])
    write_config(fleet, {"server": sim.endpoint("ollama", price={"prompt": 2, "generated": 10})})
    fleet.crew("--lease", "2s")
    options = ["--story", story_file(sandbox), *(
        word for seat, model in SEATS.items() for word in ("--model", f"{seat}=server:{model}"))]
    sim.fault(*CUTS)
    ended = fleet.begin(*options, "--turns", TURNS)
    fleet.wait_end(ended)
    sim.fault({"kind": "slow", "factor": 40})
    stopped = fleet.begin(*options)
    sim.wait_speaking()
    assert sandbox.parley("stop", stopped).returncode == 0
    fleet.wait_end(stopped)
    sim.wait_ledger(lambda line: line["ended"] == "client", "the stopped call is over")
    wait_for(lambda: len(calls_of(fleet)) == TURNS + 3, "the stopped call is told")
    folder = sandbox.path("run")
    done = sandbox.parley("export", "--from-redis", "--redis", fleet.url, "--out",
                          folder)
    assert done.returncode == 0, done.stderr
    return fleet, sim, folder


def analyze(fleet, *words):
    done = fleet.box.parley("analyze", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def turns_in(folder):
    return [message for message in read_lines(f"{folder}/transcript.jsonl")
            if message["kind"] == "turn"]


def check_sums(found, sim, turns, records):
    whole = [line for line in sim.ledger() if line["ended"] == "whole"]
    tokens = sum(line["tokens"] for line in whole)
    prompt = sum(line["prompt_tokens"] for line in whole)
    assert len(whole) == len(turns) == found["totals"]["turns"] == TURNS
    assert found["totals"]["tokens_generated"] == tokens
    assert found["totals"]["prompt_tokens"] == prompt
    for kind in ["personas", "models", "endpoints", "turn_indexes", "conversations"]:
        assert sum(one["turns"] for one in found[kind]) == TURNS, kind
        assert sum(one["tokens_generated"] or 0 for one in found[kind]) == tokens, kind
        assert sum(one["prompt_tokens"] or 0 for one in found[kind]) == prompt, kind
    # Every call of the ledger is in the record, and what did not become a turn is waste.
    assert found["totals"]["calls"] == len(records) == len(sim.ledger()) == TURNS + 3
    assert found["waste"]["calls"] == 3
    assert found["totals"]["calls_failed"] == 2 and found["totals"]["calls_cancelled"] == 1
    assert found["totals"]["attempts"] == TURNS + 2
    assert {row["reason"]: row["calls"] for row in found["waste"]["by_reason"]} == {
        "truncated": 2, "cancelled": 1}
    assert {row["model"]: row["turns"] for row in found["models"]} == {
        model: TURNS // 2 for model in SEATS.values()}
    assert found["waste"]["calls_without_counts"] == 3  # a call that breaks off is not counted


def test_all_lists_add_up_to_the_totals_and_to_the_ledger(run):
    fleet, sim, folder = run
    turns, records = turns_in(folder), calls_of(fleet)
    for words in ([folder], ["--redis", fleet.url]):
        found = analyze(fleet, *words)
        check_sums(found, sim, turns, records)
        cost = math.fsum(float(call["cost"]) for call in records if "cost" in call)
        assert found["cost"]["cost"] == pytest.approx(cost, abs=1e-6) and cost > 0
        assert found["cost"]["without_cost"] == 3
        assert found["endings"] == [{"reason": "turns", "conversations": 1},
                                    {"reason": "stopped", "conversations": 1}]


def test_each_metric_is_what_python_makes_of_the_transcript(run):
    fleet, _, folder = run
    turns = turns_in(folder)
    found = analyze(fleet, folder)
    for name, unit in UNITS.items():
        values = [value_of(name, turn["metadata"]) for turn in turns]
        known = [value for value in values if value is not None]
        assert len(known) >= TURNS - 2, name  # the retried ones have no overhead
        check_stat(found["metrics"][name], unit, known)
    by_turn = found["turn_indexes"]
    assert [row["first_turn"] for row in by_turn] == list(range(1, TURNS + 1))
    for row, turn in zip(by_turn, turns):
        first = turn["metadata"]["time_to_first_token_ms"]
        assert row["metrics"]["time_to_first_token_ms"]["p50"] == pytest.approx(first, rel=1e-6)


def test_a_turns_own_times_agree_with_each_other(run):
    _, _, folder = run
    for turn in turns_in(folder):
        data = turn["metadata"]
        assert data["chunks"] >= 2 and data["num_ctx"] == 8192
        assert 0 < data["longest_gap_ms"] < data["generation_time_ms"] + 1
        assert data["time_to_first_token_ms"] < data["generation_time_ms"] <= data["worker_ms"]
        # The server's own times lie within ours; a millisecond is for rounding.
        assert data["prefill_ms"] + data["decode_ms"] <= data["generation_time_ms"] + 1
        assert data["cost"] == pytest.approx(
            (2 * data["prompt_tokens"] + 10 * data["tokens_generated"]) / 1e6, abs=1e-6)


def test_what_ran_at_once_is_what_the_calls_say(run):
    fleet, sim, folder = run
    found = analyze(fleet, folder)
    assert found["concurrency"]["from"] == "calls"
    assert found["concurrency"]["peak"] == max(line["in_flight"] for line in sim.ledger()) == 1
    busy_ms = math.fsum(float(call["duration_ms"]) for call in calls_of(fleet))
    over_ms = math.fsum(point["concurrency"] * found["over_time"]["bucket_ms"]
                        for point in found["over_time"]["points"])
    assert over_ms == pytest.approx(busy_ms, rel=0.01)
    said = math.fsum(point["turns_per_second"] * found["over_time"]["bucket_ms"] / 1000
                     for point in found["over_time"]["points"])
    assert said == pytest.approx(TURNS, rel=1e-3)


def test_good_turns_are_those_that_a_person_would_count(run):
    fleet, _, folder = run
    turns = [turn["metadata"] for turn in turns_in(folder)]
    limit = round(statistics.median(turn["generation_time_ms"] for turn in turns), 3)
    found = analyze(fleet, folder, "--goodput", f"e2e:{limit} ttft:100000")["goodput"]
    good = sum(turn["generation_time_ms"] <= limit for turn in turns)
    assert (found["good"], found["missed"], found["unknown"]) == (good, TURNS - good, 0)
    assert 0 < good < TURNS
    assert found["share"] == pytest.approx(good / TURNS, abs=1e-6)


def test_warm_up_that_is_left_out_is_said(run):
    fleet, _, folder = run
    turns = turns_in(folder)
    found = analyze(fleet, folder, "--skip-warmup", 5, "--talk", "none")
    assert found["warmup"]["turns"] == 5 and found["totals"]["turns"] == TURNS - 5
    assert found["totals"]["tokens_generated"] == sum(
        turn["metadata"]["tokens_generated"] for turn in turns[5:])
    assert found["talk"] is None
