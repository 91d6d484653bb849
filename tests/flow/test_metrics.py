"""A real run's numbers, made again by other means: the sums of every list against the totals and
the simulator's ledger, with retries and a cancelled turn among them; each metric against Python's
statistics over the transcript, in all and of every group; sums against jq and awk; its exports
read back.
"""
import csv
import io
import json
import math
import re
import statistics
import subprocess

import pytest

from helpers import Fleet, Sandbox, read_lines, story_file, wait_for
from model_servers import MODEL, Sim, calls_of, write_config
from test_analyzer import UNITS, check_metrics, check_stat, jq, value_of, write_lines
from test_export import check_alternation

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
    whole = [line for line in sim.whole_ledger() if line["ended"] == "whole"]
    tokens = sum(line["tokens"] for line in whole)
    prompt = sum(line["prompt_tokens"] for line in whole)
    assert len(whole) == len(turns) == found["totals"]["turns"] == TURNS
    assert found["totals"]["tokens_generated"] == tokens
    assert found["totals"]["prompt_tokens"] == prompt
    for kind in ["personas", "models", "endpoints", "turn_indexes", "conversations"]:
        assert sum(one["turns"] for one in found[kind]) == TURNS, kind
        assert sum(one["tokens_generated"] or 0 for one in found[kind]) == tokens, kind
        assert sum(one["prompt_tokens"] or 0 for one in found[kind]) == prompt, kind
    for seat, model in SEATS.items():
        own = sum(line["tokens"] for line in whole if line["model"] == model)
        for kind, key, name in (("models", "model", model), ("personas", "seat", seat)):
            assert [one["tokens_generated"] for one in found[kind] if one[key] == name] == [own]
    # Every call of the ledger is in the record, and what did not become a turn is waste.
    assert found["totals"]["calls"] == len(records) == len(sim.whole_ledger()) == TURNS + 3
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
    at_once = max(line["in_flight"] for line in sim.whole_ledger())
    assert found["concurrency"]["peak"] == at_once == 1
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


# What a group is, and to which one a turn belongs.
GROUPS = {
    "personas": (lambda one: (one["seat"], one["name"]),
                 lambda data: (data["seat"], data["author"])),
    "models": (lambda one: (one["provider"], one["model"]),
               lambda data: (data["provider"], data["model"])),
    "endpoints": (lambda one: (one["provider"], one["endpoint"]),
                  lambda data: (data["provider"], data["endpoint"])),
    "turn_indexes": (lambda one: one["first_turn"], lambda data: data["sequence_number"]),
    "conversations": (lambda one: one["conversation_id"], lambda data: data["conversation_id"]),
}


@pytest.mark.parametrize("kind", GROUPS)
def test_each_group_is_what_python_makes_of_its_turns(run, kind):
    fleet, _, folder = run
    turns, of_group, of_turn = turns_in(folder), *GROUPS[kind]
    groups = analyze(fleet, folder)[kind]
    assert {of_turn(turn["metadata"]) for turn in turns} <= {of_group(one) for one in groups}
    for one in groups:
        own = [turn for turn in turns if of_turn(turn["metadata"]) == of_group(one)]
        assert one["turns"] == len(own)
        check_metrics(one["metrics"], own)


def test_jq_and_awk_add_up_the_same(run):
    fleet, _, folder = run
    totals = analyze(fleet, folder)["totals"]
    of_all = jq('map(select(.kind=="turn").metadata) | [map(.tokens_generated), '
                'map(.prompt_tokens), map(.attempts)] | map(add)', f"{folder}/transcript.jsonl")
    assert of_all == [totals[key] for key in ("tokens_generated", "prompt_tokens", "attempts")]
    rows = fleet.box.parley("analyze", folder, "--csv", "-").stdout.replace("\r", "")
    program = ('NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } '
               '{ sum += $at["tokens_generated"]; ms += $at["turn_time_ms"] } '
               'END { printf "%d %.3f", sum, ms }')
    tokens, turn_ms = subprocess.run(["awk", "-F,", program], input=rows, check=True, text=True,
                                     capture_output=True).stdout.split()
    assert int(tokens) == totals["tokens_generated"]
    found = analyze(fleet, folder)["metrics"]["turn_time_ms"]
    assert float(turn_ms) == pytest.approx(found["sum"], abs=0.01)


def test_what_caches_held_is_told_by_the_server_or_else_estimated(run, tmp_path):
    fleet, _, folder = run
    turns = turns_in(folder)
    data = [turn["metadata"] for turn in turns]
    prompts = sum(one["prompt_tokens"] for one in data)

    def row(count, cached):
        return {"turns": count, "prompt_tokens": prompts if count else 0, "cached_tokens": cached,
                "share": pytest.approx(cached / prompts, abs=1e-6) if count else None}

    told = sum(one["prompt_cached_tokens"] for one in data)
    assert analyze(fleet, folder)["cache"] == {
        "server": row(TURNS, told), "estimated": row(0, 0), "missing_turns": 0}
    # The same turns from a server that does not tell: each seat's last prompt and reply.
    possible, last = 0, {}
    for one in data:
        del one["prompt_cached_tokens"]
        possible += min(one["prompt_tokens"], last.get(one["seat"], 0))
        last[one["seat"]] = one["prompt_tokens"] + one["tokens_generated"]
    write_lines(tmp_path / "log.jsonl", turns)
    assert analyze(fleet, tmp_path / "log.jsonl")["cache"] == {
        "server": row(0, 0), "estimated": row(TURNS, possible), "missing_turns": 0}
    assert 0 < told < prompts and 0 < possible < prompts


def spoken(text):
    return [word.lower() for word in re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text)]


def sentences(text):
    return sum(bool(spoken(part)) for part in re.split(r"[.!?](?![A-Za-z0-9])|…", text))


def repeated(turns):
    """(groups of 4 words that were said in an earlier turn, all groups); no turn is 32 back."""
    said, again, groups = set(), 0, 0
    for words in turns:
        own = [tuple(words[i:i + 4]) for i in range(len(words) - 3)]
        again += sum(one in said for one in own)
        groups += len(own)
        said |= set(own)
    return again, groups


def test_the_talk_is_what_python_makes_of_the_words(run):
    fleet, _, folder = run
    texts = [turn["content"]["message"] for turn in turns_in(folder)]
    words = [spoken(text) for text in texts]
    talk = analyze(fleet, folder)["talk"]
    assert talk["turns"] == TURNS and talk["every"] == 1
    check_stat(talk["words_per_turn"], "words", [len(one) for one in words])
    check_stat(talk["sentences_per_turn"], "sentences", [sentences(text) for text in texts])
    voices = [sum(words[seat::2], []) for seat in range(2)]
    shares = [len(voice) / sum(map(len, words)) for voice in voices]
    assert [row["word_share"] for row in talk["speakers"]] == [
        pytest.approx(share, abs=1e-6) for share in shares]
    assert talk["balance"] == pytest.approx(
        -sum(share * math.log(share) for share in shares) / math.log(2), abs=1e-6)
    windows = [len(set(voice[i:i + 50])) / 50 for voice in voices for i in range(len(voice) - 49)]
    assert len(windows) > 50
    assert talk["diversity"] == pytest.approx(statistics.fmean(windows), abs=1e-6)
    again, groups = repeated(words)
    assert talk["repetition"] == pytest.approx(again / groups, abs=1e-6)


def test_the_exports_of_the_run_are_read_back(run):
    fleet, _, folder = run
    turns = turns_in(folder)

    def export(*words):
        done = fleet.box.parley("export", folder, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    rows = list(csv.DictReader(io.StringIO(export("--format", "csv"), newline="")))
    assert [row["text"] for row in rows] == [turn["content"]["message"] for turn in turns]
    assert sum(int(row["tokens_generated"]) for row in rows) == sum(
        turn["metadata"]["tokens_generated"] for turn in turns)
    records = [json.loads(line) for line in export("--format", "messages").splitlines()]
    sharegpt = json.loads(export("--format", "sharegpt"))
    assert len(records) == len(sharegpt) == len(SEATS)
    for seat, (record, other) in enumerate(zip(records, sharegpt)):
        check_alternation(record)
        own = [turn["content"]["message"] for turn in turns[seat::2]]
        assert own == [one["content"] for one in record["messages"] if one["role"] == "assistant"]
        sides = [one["from"] for one in other["conversations"]]
        assert sides == ["human", "gpt"] * (len(sides) // 2)
        assert own == [one["value"] for one in other["conversations"] if one["from"] == "gpt"]
