"""Each number of the analysis on a record written down here by hand, its answers beside it.

Two conversations of Ada and Bo. The first: a turn as it should be (1), one of a server that tells
what it had cached (2), one whose first call broke off (3), one of a server that counts nothing
(4). The second: a turn of a single token (1), and one that failed after three calls (2).
"""
import csv
import html.parser
import io
import math
import re
import subprocess

import pytest

from helpers import BUILD, LIMIT_S
from test_analyzer import (BEGIN_US, METRICS, UNITS, analyze, document, persona, stamp, story,
                           turn, write_lines)

ONE, TWO = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
NEAR = {"provider": "ollama", "endpoint": "near", "model": "llama"}
FAR = {"provider": "openai", "endpoint": "far", "model": "big"}
FIFTY = " ".join(f"w{n}" for n in range(1, 50)) + " w1."  # 50 words, 49 different


def at(seconds):
    return BEGIN_US + round(seconds * 1e6)


def say(number, conversation, at_s, text, **data):
    seat = (number - 1) % 2 + 1
    line = turn(number, ["Ada", "Bo"][seat - 1], at(at_s), conversation, seat, **data)
    line["content"]["message"] = text
    return line


# What was measured, and behind it what is made of it: itl, tpot, turn, overhead.
TURNS = [
    say(1, TWO, 1.19, FIFTY, **NEAR, time_to_first_token_ms=30, generation_time_ms=30,
        tokens_generated=1, prompt_tokens=40, queue_wait_ms=10, worker_ms=50, routing_ms=10,
        endpoint_wait_ms=10, prefill_ms=20, decode_ms=10, load_ms=0, chunks=1,
        tokens_per_second=100),                                        # -, 30, 70, 30
    say(1, ONE, 1.302, "The rain falls on the pier. It is cold!", **NEAR,
        time_to_first_token_ms=100, generation_time_ms=300, tokens_generated=5,
        prompt_tokens=50, queue_wait_ms=2, worker_ms=310, routing_ms=3, endpoint_wait_ms=5,
        prefill_ms=80, decode_ms=200, load_ms=20, longest_gap_ms=60,
        tokens_per_second=25),                                         # 50, 60, 315, 10
    say(2, TWO, 1.61, "", failed=True, attempts=3),
    say(2, ONE, 2.002, "Ada: the rain falls on and on.", **FAR, time_to_first_token_ms=200,
        generation_time_ms=600, tokens_generated=6, prompt_tokens=60, prompt_cached_tokens=40,
        queue_wait_ms=4, worker_ms=620, routing_ms=1, endpoint_wait_ms=15, longest_gap_ms=100,
        tokens_per_second=15),                                         # 80, 100, 625, 10
    say(3, ONE, 2.853, "So?", **NEAR, attempts=2, time_to_first_token_ms=70,
        generation_time_ms=250, tokens_generated=10, prompt_tokens=70, queue_wait_ms=1,
        worker_ms=900, routing_ms=2, endpoint_wait_ms=0, prefill_ms=30, decode_ms=200, load_ms=0,
        longest_gap_ms=30, tokens_per_second=50),                      # 20, 25, 903, -
    say(4, ONE, 3.9, "Quite so, it's late.", **FAR, time_to_first_token_ms=400,
        generation_time_ms=800, queue_wait_ms=3, worker_ms=830, routing_ms=7,
        endpoint_wait_ms=20, longest_gap_ms=200),                      # -, -, 840, 20
]

# metric: its values in rising order, sum, variance (of all, by n), p50, p95.
ANSWERS = {
    "tokens_per_second": ([15, 25, 50, 100], 190, 1081.25, 37.5, 92.5),
    "time_to_first_token_ms": ([30, 70, 100, 200, 400], 800, 17560, 100, 360),
    "inter_token_latency_ms": ([20, 50, 80], 150, 600, 50, 77),
    "time_per_output_token_ms": ([25, 30, 60, 100], 215, 892.1875, 45, 94),
    "longest_gap_ms": ([30, 60, 100, 200], 390, 4118.75, 80, 185),
    "generation_time_ms": ([30, 250, 300, 600, 800], 1980, 73864, 300, 760),
    "turn_time_ms": ([70, 315, 625, 840, 903], 2753, 99991.44, 625, 890.4),
    "queue_wait_ms": ([1, 2, 3, 4, 10], 20, 10, 3, 8.8),
    "endpoint_wait_ms": ([0, 5, 10, 15, 20], 50, 50, 10, 19),
    "prefill_ms": ([20, 30, 80], 130, 6200 / 9, 30, 75),
    "decode_ms": ([10, 200, 200], 410, 72200 / 9, 200, 200),
    "load_ms": ([0, 0, 20], 20, 800 / 9, 0, 18),
    "routing_ms": ([1, 2, 3, 7, 10], 23, 11.44, 3, 9.4),
    "overhead_ms": ([10, 10, 20, 30], 70, 68.75, 15, 28.5),
    "prompt_tokens": ([40, 50, 60, 70], 220, 125, 55, 68.5),
    "tokens_generated": ([1, 5, 6, 10], 22, 10.25, 5.5, 9.4),
}


def told(name, conversation, number, start_s, end_s, where, outcome="done", error=None, **more):
    return {"conversation": conversation, "turn": number, "issue": 1, "delivery": 1,
            "call": name, "seat": (number - 1) % 2 + 1, **where, "started_at": stamp(at(start_s)),
            "ended_at": stamp(at(end_s)), "duration_ms": (end_s - start_s) * 1000,
            "time_to_first_token_ms": None, "tokens_generated": None, "prompt_tokens": None,
            "outcome": outcome, "error": error, "worker": "worker-1-1", **more}


# Busy for 2.73 s between 1.0 and 3.7 s; never more than two at once: f begins as a and e end.
CALLS = [
    told("a", ONE, 1, 1.0, 1.3, NEAR, time_to_first_token_ms=100, tokens_generated=5,
         prompt_tokens=50, cost=0.0001),
    told("b", TWO, 1, 1.15, 1.18, NEAR, time_to_first_token_ms=30, tokens_generated=1,
         prompt_tokens=40, cost=0.0001),
    told("e", TWO, 2, 1.2, 1.3, FAR, "failed", "busy"),
    told("f", TWO, 2, 1.3, 1.45, FAR, "failed", "busy"),
    told("g", TWO, 2, 1.5, 1.6, FAR, "cancelled", tokens_generated=2, prompt_tokens=45,
         cost=0.0005),
    told("h", TWO, 2, 1.7, 1.75, FAR, "lost"),
    told("i", ONE, 2, 1.4, 2.0, FAR, time_to_first_token_ms=200, tokens_generated=6,
         prompt_tokens=60, prompt_cached_tokens=40, cost=0.002),
    told("j", ONE, 3, 2.1, 2.5, NEAR, "failed", "truncated", tokens_generated=3,
         prompt_tokens=70, cost=0.0002),
    told("k", ONE, 3, 2.6, 2.85, NEAR, time_to_first_token_ms=70, tokens_generated=10,
         prompt_tokens=70, cost=0.0003),
    told("k", ONE, 3, 2.6, 2.85, NEAR, time_to_first_token_ms=70, tokens_generated=10,
         prompt_tokens=70, cost=0.0003),  # written twice: the connection was lost
    told("l", ONE, 4, 2.9, 3.7, FAR, time_to_first_token_ms=400),
]


def happened(conversation, name, at_s, state, reason=None):
    return {"id": f"{conversation}:{name}", "event": f"dialogue.{name}",
            "conversation": conversation, "at": stamp(at(at_s)), "turn": None,
            "transcript": None, "state": state, "reason": reason, "summary": None}


EVENTS = [happened(ONE, "initiate", 0.4, "running"), happened(TWO, "initiate", 1.0, "running"),
          happened(TWO, "resolve", 1.7, "ended", "failed"),
          happened(ONE, "resolve", 4.0, "ended", "turns")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("by-hand")
    cast = [line for one, at_s in ((ONE, 0.5), (TWO, 1.0)) for line in (
        story(one, at(at_s)), persona(1, "Ada", one, at(at_s)), persona(2, "Bo", one, at(at_s)))]
    write_lines(folder / "transcript.jsonl", cast + TURNS)
    write_lines(folder / "calls.jsonl", CALLS)
    write_lines(folder / "events.jsonl", EVENTS)
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return document(folder)


def near(value):
    return pytest.approx(value, rel=1e-6, abs=1e-6)


def test_every_metric_has_an_answer_here():
    assert set(ANSWERS) == set(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_a_metrics_statistics_are_those_worked_out_by_hand(found, name):
    values, total, variance, p50, p95 = ANSWERS[name]
    stat = found["metrics"][name]
    assert stat["unit"] == UNITS[name] and stat["approximate"] is False
    assert (stat["count"], stat["sum"]) == (len(values), near(total))
    assert (stat["min"], stat["max"]) == (near(values[0]), near(values[-1]))
    assert (stat["avg"], stat["std"]) == (near(total / len(values)), near(math.sqrt(variance)))
    assert (stat["p50"], stat["p95"]) == (near(p50), near(p95))


def test_all_percentiles_of_five_values(found):
    stat = found["metrics"]["time_to_first_token_ms"]
    assert {name: stat[name] for name in stat if re.fullmatch(r"p\d+", name)} == {
        "p1": near(31.6), "p5": near(38), "p10": near(46), "p25": near(70), "p50": near(100),
        "p75": near(200), "p90": near(320), "p95": near(360), "p99": near(392)}


def test_the_rows_of_the_csv_have_each_turns_own_values(folder):
    rows = list(csv.DictReader(io.StringIO(analyze(folder, "--csv", "-").stdout.decode(),
                                           newline="")))
    assert len(rows) == 6
    for name, (values, *_) in ANSWERS.items():
        assert sorted(float(row[name]) for row in rows if row[name]) == [near(v) for v in values]
    first = rows[1]
    assert {name: float(first[name]) for name in METRICS} == {
        "tokens_per_second": 25, "time_to_first_token_ms": 100, "inter_token_latency_ms": 50,
        "time_per_output_token_ms": 60, "longest_gap_ms": 60, "generation_time_ms": 300,
        "turn_time_ms": 315, "queue_wait_ms": 2, "endpoint_wait_ms": 5, "prefill_ms": 80,
        "decode_ms": 200, "load_ms": 20, "routing_ms": 3, "overhead_ms": 10,
        "prompt_tokens": 50, "tokens_generated": 5}


def test_totals(found):
    assert found["totals"] == {
        "conversations": 2, "turns": 6, "failed_turns": 1, "fallback_turns": 0,
        "cleaned_turns": 0, "truncated_turns": 0, "tokens_generated": 22, "prompt_tokens": 220,
        "tokens_per_second": near(22 / 3.5), "turns_per_second": near(6 / 3.5),
        "wall_time_ms": near(3500), "calls": 10, "calls_failed": 3, "calls_cancelled": 1,
        "calls_lost": 1, "attempts": 9, "messages_without_counts": 2, "more_conversations": False}
    assert found["endings"] == [{"reason": "failed", "conversations": 1},
                                {"reason": "turns", "conversations": 1}]


def groups(found, kind, *keys):
    """What a group is called -> turns, failed, tokens, prompt tokens, sum of the ttft."""
    return {tuple(one[key] for key in keys): (
        one["turns"], one["failed_turns"], one["tokens_generated"], one["prompt_tokens"],
        one["metrics"]["time_to_first_token_ms"]["sum"]) for one in found[kind]}


def test_each_list_tells_its_own_turns(found):
    assert groups(found, "personas", "seat", "name") == {
        (1, "Ada"): (3, 0, 16, 160, 200), (2, "Bo"): (3, 1, 6, 60, 600)}
    assert groups(found, "models", "provider", "model") == {
        ("ollama", "llama"): (3, 0, 16, 160, 200), ("openai", "big"): (2, 0, 6, 60, 600),
        (None, None): (1, 1, None, None, None)}
    assert groups(found, "endpoints", "provider", "endpoint") == {
        ("ollama", "near"): (3, 0, 16, 160, 200), ("openai", "far"): (2, 0, 6, 60, 600),
        (None, None): (1, 1, None, None, None)}
    assert groups(found, "turn_indexes", "first_turn", "last_turn") == {
        (1, 1): (2, 0, 6, 90, 130), (2, 2): (2, 1, 6, 60, 200), (3, 3): (1, 0, 10, 70, 70),
        (4, 4): (1, 0, None, None, 400)}
    assert groups(found, "conversations", "conversation_id", "state", "reason") == {
        (ONE, "ended", "turns"): (4, 0, 21, 180, 770), (TWO, "ended", "failed"): (2, 1, 1, 40, 30)}
    assert [one["wall_time_ms"] for one in found["conversations"]] == [3500, near(610)]
    assert found["turn_indexes"][0]["metrics"]["time_to_first_token_ms"]["p50"] == 65


def test_what_was_counted_estimated_and_missing_is_told_apart(found):
    assert found["token_counts"] == {
        "tokens_generated": {"server": 4, "estimated": 0, "missing": 2},
        "prompt_tokens": {"server": 4, "estimated": 0, "missing": 2},
        "prompt_cached_tokens": {"server": 1, "estimated": 3, "missing": 2}}
    # Two first turns have nothing; Ada's third has at most 50 + 5 of its 70.
    assert found["cache"] == {
        "server": {"turns": 1, "prompt_tokens": 60, "cached_tokens": 40, "share": near(2 / 3)},
        "estimated": {"turns": 3, "prompt_tokens": 160, "cached_tokens": 55,
                      "share": near(55 / 160)},
        "missing_turns": 2}


def test_what_came_to_nothing_is_waste(found):
    def row(reason, calls, tokens, prompt, uncounted):
        return {"reason": reason, "calls": calls, "tokens_generated": tokens,
                "prompt_tokens": prompt, "calls_without_counts": uncounted}

    waste = found["waste"]
    assert sorted(waste.pop("by_reason"), key=lambda one: one["reason"]) == [
        row("busy", 2, None, None, 2), row("cancelled", 1, 2, 45, 0), row("lost", 1, None, None, 1),
        row("truncated", 1, 3, 70, 0)]
    assert waste == {"calls": 5, "tokens_generated": 5, "prompt_tokens": 115,
                     "calls_without_counts": 3}


def test_what_all_calls_cost(found):
    cost = found["cost"]
    assert {(row["provider"], row["model"]): (row["cost"], row["calls"], row["without_cost"])
            for row in cost.pop("by_model")} == {
        ("ollama", "llama"): (near(0.0007), 4, 0), ("openai", "big"): (near(0.0025), 5, 3)}
    assert cost == {"from": "calls", "cost": near(0.0032), "calls": 9, "without_cost": 3}


def test_how_many_calls_ran_at_once(found):
    assert found["concurrency"] == {
        "from": "calls", "mean": near(2.73 / 2.7), "peak": 2, "peak_approximate": False,
        "peak_tokens_per_second": near(5 + 1 + 2 + 6)}  # of the second from 1.0 to 2.0 s
    over, step_s = found["over_time"]["points"], found["over_time"]["bucket_ms"] / 1000
    assert step_s == 0.016  # 2.9 s in at most 240
    for key, total in (("concurrency", 2.73), ("tokens_per_second", 27), ("turns_per_second", 6)):
        assert math.fsum(point[key] for point in over) * step_s == pytest.approx(total, rel=1e-4)
    firsts = [point["time_to_first_token_p50_ms"] for point in over]
    assert [first for first in firsts if first is not None] == [30, 100, 200, 70, 400]
    whole = [point["concurrency"] for point in over if stamp(at(1.155)) < point["at"]
             and point["at"] < stamp(at(1.164))]
    assert whole == [2]  # a and b run all of that bucket's time


def test_goodput_counts_the_turns_that_a_person_would(folder):
    found = document(folder, "--goodput", "ttft:150 itl:60")["goodput"]
    assert found == {
        "limits": {"time_to_first_token_ms": 150, "inter_token_latency_ms": 60},
        "good": 3, "missed": 2, "unknown": 1, "share": 0.5, "turns_per_second": near(3 / 3.5)}
    fast = document(folder, "--goodput", "rate:50")["goodput"]  # the least, of a rate
    assert (fast["good"], fast["missed"], fast["unknown"]) == (2, 2, 2)
    text = " ".join(analyze(folder, "--goodput", "ttft:150 itl:60").stdout.decode().split())
    assert "3 turns met all of them, 2 missed one, of 1 it is not known" in text
    assert "50.0 % of all are good" in text


@pytest.mark.parametrize("warmup, left, until_s, wall_ms", [
    ("2", (2, 3, 4, 16), 1.302, 2598), ("1200ms", (3, 5, 3, 16), 1.7, 2200)])
def test_a_warm_up_is_out_of_every_number(folder, warmup, left, until_s, wall_ms):
    found = document(folder, "--skip-warmup", warmup)
    turns_out, calls_out, turns, tokens = left
    assert found["warmup"] == {"turns": turns_out, "calls": calls_out, "until": stamp(at(until_s))}
    assert (found["totals"]["turns"], found["totals"]["tokens_generated"]) == (turns, tokens)
    assert found["totals"]["wall_time_ms"] == near(wall_ms)
    assert found["totals"]["calls"] == 10 - calls_out
    assert sum(one["turns"] for one in found["personas"]) == turns
    assert found["metrics"]["time_to_first_token_ms"]["sum"] == 670
    assert found["talk"]["turns"] == 3 and found["talk"]["words"] == 7 + 1 + 4


def test_the_talk_itself(found):
    talk = found["talk"]
    even = -(10 / 21 * math.log(10 / 21) + 11 / 21 * math.log(11 / 21)) / math.log(2)
    assert (talk["every"], talk["conversations"], talk["turns"]) == (1, 2, 5)
    assert (talk["words"], talk["sentences"]) == (9 + 7 + 1 + 4 + 50, 2 + 1 + 1 + 1 + 1)
    assert talk["words_per_turn"]["p50"] == 7 and talk["words_per_turn"]["max"] == 50
    assert talk["sentences_per_turn"]["sum"] == 6
    assert talk["balance"] == near((even + 0) / 2)  # of the second all words are Ada's
    assert talk["diversity"] == near(49 / 50)
    # Groups of four: 6 + 4 + 0 + 1 + 47; "the rain falls on" was said before.
    assert talk["repetition"] == near(1 / 58)
    assert talk["name_bleed_turns"] == 1
    assert talk["speakers"] == [
        {"seat": 1, "name": "Ada", "turns": 3, "words": 60, "sentences": 4,
         "turn_share": near(3 / 5), "word_share": near(60 / 71), "diversity": near(49 / 50),
         "repetition": 0, "name_bleed_turns": 0},
        {"seat": 2, "name": "Bo", "turns": 2, "words": 11, "sentences": 2,
         "turn_share": near(2 / 5), "word_share": near(11 / 71), "diversity": None,
         "repetition": near(1 / 5), "name_bleed_turns": 1}]


def test_tables_tell_what_was_wasted_and_what_it_cost(folder):
    text = analyze(folder).stdout.decode()
    for row in (r"truncated +1 +3 +70 +0", r"busy +2 +- +- +2", r"all +5 +5 +115 +3",
                r"ollama llama +4 +0\.000700 +0", r"all +9 +0\.003200 +3",
                r"failed +1 ", r"1 Ada +3 "):
        assert re.search(rf"^  {row}", text, re.M), row


LABELS = {
    "tokens_per_second": "tokens per second", "time_to_first_token_ms": "time to first token, ms",
    "inter_token_latency_ms": "inter-token latency, ms",
    "time_per_output_token_ms": "time per output token, ms", "longest_gap_ms": "longest gap, ms",
    "generation_time_ms": "generation time, ms", "turn_time_ms": "turn time, ms",
    "queue_wait_ms": "queue wait, ms", "endpoint_wait_ms": "endpoint wait, ms",
    "prefill_ms": "prefill, ms", "decode_ms": "decode, ms", "load_ms": "model loading, ms",
    "routing_ms": "routing, ms", "overhead_ms": "our overhead, ms",
    "prompt_tokens": "prompt tokens", "tokens_generated": "tokens generated",
}


class Cells(html.parser.HTMLParser):
    """The rows of all tables of a page, as texts."""

    def __init__(self, page):
        super().__init__()
        self.rows = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1] and self.lasttag in ("td", "th"):
            self.rows[-1][-1] += data.strip()


def markdown_rows(text):
    return [[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in line.strip("|").split(" |")]
            for line in text.splitlines() if line.startswith("|")]


def test_page_markdown_and_table_tell_the_numbers_that_were_worked_out(folder, tmp_path):
    page = tmp_path / "page.html"
    assert analyze(folder, "--html", page, "--talk", "none").returncode == 0
    table = [line.split("  ") for line in analyze(folder).stdout.decode().splitlines()]
    forms = {"html": Cells(page.read_text()).rows,
             "markdown": markdown_rows(analyze(folder, "--markdown").stdout.decode()),
             "table": [[cell.strip() for cell in line if cell.strip()] for line in table]}
    for form, rows in forms.items():
        heads = next(row for row in rows if "p50" in row and "mean" in row)
        for name, (values, total, _, p50, p95) in ANSWERS.items():
            row = next(row for row in rows if row and row[0] == LABELS[name])
            # A table's first head is a blank.
            told = dict(zip(reversed(heads), reversed(row)))
            assert int(told["turns"]) == len(values), (form, name)
            for head, value in (("p50", p50), ("p95", p95), ("mean", total / len(values)),
                                ("min", values[0]), ("max", values[-1])):
                assert float(told[head]) == pytest.approx(value, rel=2e-3), (form, name, head)


def test_the_summary_as_csv_has_every_group(folder):
    done = analyze(folder, "--csv-summary", "-")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
    sums = {}
    for row in rows:
        if row["metric"] == "time_to_first_token_ms":
            name = row["name"] or row["endpoint"] or row["model"] or row["first_turn"]
            sums[row["group"], name] = row["turns"], row["sum"]
    assert sums == {
        ("total", ""): ("6", "800"),
        ("persona", "Ada"): ("3", "200"), ("persona", "Bo"): ("3", "600"),
        ("model", "llama"): ("3", "200"), ("model", "big"): ("2", "600"), ("model", ""): ("1", ""),
        ("endpoint", "near"): ("3", "200"), ("endpoint", "far"): ("2", "600"),
        ("endpoint", ""): ("1", ""), ("turn_index", "1"): ("2", "130"),
        ("turn_index", "2"): ("2", "200"), ("turn_index", "3"): ("1", "70"),
        ("turn_index", "4"): ("1", "400")}
    assert len(rows) == len(sums) * len(METRICS)


def test_the_help_fits_80_columns():
    main = subprocess.run([BUILD / "parley", "--help"], capture_output=True, text=True,
                          timeout=LIMIT_S, check=True).stdout
    names = re.findall(r"^  ([a-z-]+)  ", main, re.M)
    assert {"analyze", "compare", "export", "say", "dead", "worker"} <= set(names)
    for name in names:
        done = subprocess.run([BUILD / "parley", name, "--help"], capture_output=True, text=True,
                              timeout=LIMIT_S, check=True)
        main += done.stdout
    assert [line for line in main.splitlines()
            if len(line) > 80 and "ollama|openai|" not in line] == []  # a list of words


def test_what_is_written_where_there_is_no_record_of_calls(tmp_path):
    write_lines(tmp_path / "log.jsonl", TURNS)
    found = document(tmp_path / "log.jsonl")
    assert found["waste"] is None and found["totals"]["calls"] is None
    assert found["concurrency"]["from"] == found["cost"]["from"] == "turns"
    assert found["endings"] == [] and found["totals"]["tokens_generated"] == 22
    # The five turns' own generation, each before its end, from 1.002 to 3.9 s.
    assert found["concurrency"]["mean"] == near(1.98 / 2.898)
    assert found["concurrency"]["peak"] == 2
