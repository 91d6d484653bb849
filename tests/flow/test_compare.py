"""parley compare: its intervals against Python's own, its conditions, its exit statuses."""
import json
import math
import os
import random
import re
import statistics
import subprocess

import pytest
from helpers import BUILD, LIMIT_S, complaints
from test_analyzer import fill, turn


def compare(*words, status=0):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("PARLEY_") and name != "REDIS_URL"}
    done = subprocess.run([BUILD / "parley", "compare", *map(str, words)], capture_output=True,
                          timeout=LIMIT_S, env=clean, check=False, text=True)
    assert done.returncode == status, done.stderr
    return done


def run_of(folder, first_token_ms, model="llama3.2", seed=7, **config):
    """A run whose turns took so long to their first tokens."""
    folder.mkdir()
    fill(folder, [turn(i + 1, "Ada", model=model, provider="ollama", time_to_first_token_ms=value)
                  for i, value in enumerate(first_token_ms)])
    (folder / "run.json").write_text(json.dumps({
        "schema_version": "1.0", "run_id": folder.name, "started_at": "2026-01-31T10:30:00Z",
        "seed": seed, "versions": {"parley": "v1"}, "config": config}))
    return folder


def document(*words, status=0):
    parsed = json.loads(compare(*words, "--json", status=status).stdout)
    assert complaints("comparison", parsed) == []
    return parsed


def t_quantile(degrees):
    """97.5 % of Student's distribution: by Simpson's rule over its density, and bisection."""
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
                     ) / math.sqrt(degrees * math.pi)

    def below(t, steps=2000):
        values = [(1 + (t * i / steps) ** 2 / degrees) ** (-(degrees + 1) / 2)
                  for i in range(steps + 1)]
        area = values[0] + values[-1] + 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2])
        return 0.5 + scale * area * t / steps / 3

    low, high = 0.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < 0.975 else (low, middle)
    return low


def welch(a, b):
    """The 95 % interval of the difference of the means."""
    va, vb = statistics.variance(a) / len(a), statistics.variance(b) / len(b)
    degrees = (va + vb) ** 2 / (va ** 2 / (len(a) - 1) + vb ** 2 / (len(b) - 1))
    half = t_quantile(degrees) * math.sqrt(va + vb)
    middle = statistics.fmean(b) - statistics.fmean(a)
    return middle - half, middle + half


def resampled(a, b, percent, draws=4000):
    """The percentile bootstrap as the books have it, with all its resamples."""
    rng = random.Random(3)

    def one(values):
        ordered = sorted(rng.choices(values, k=len(values)))
        return ordered[round(percent / 100 * (len(values) - 1))]

    found = sorted(one(b) - one(a) for _ in range(draws))
    return found[int(draws * 0.025)], found[draws - 1 - int(draws * 0.025)]


@pytest.fixture
def two(tmp_path):
    rng = random.Random(5)
    first = [round(rng.lognormvariate(4, 0.5), 2) for _ in range(60)]
    later = [round(rng.lognormvariate(4.3, 0.7), 2) for _ in range(45)]
    return run_of(tmp_path / "a", first), run_of(tmp_path / "b", later), first, later


def test_means_are_held_together_by_welchs_interval(two):
    a, b, first, later = two
    mean = document(a, b)["later"][0]["metrics"]["time_to_first_token_ms"]["mean"]
    assert mean["first"] == pytest.approx(statistics.fmean(first), rel=1e-5)
    assert mean["later"] == pytest.approx(statistics.fmean(later), rel=1e-5)
    assert mean["change_percent"] == pytest.approx(
        100 * (statistics.fmean(later) / statistics.fmean(first) - 1), rel=1e-3)
    low, high = welch(first, later)
    assert (mean["low"], mean["high"]) == (pytest.approx(low, rel=1e-3), pytest.approx(high, rel=1e-3))


def test_few_turns_have_the_wide_interval_of_students_table(tmp_path):
    """Two and two values of equal variance: 2 degrees of freedom, t is 4.303."""
    a, b = run_of(tmp_path / "a", [10, 12]), run_of(tmp_path / "b", [20, 22])
    mean = document(a, b)["later"][0]["metrics"]["time_to_first_token_ms"]["mean"]
    assert mean["high"] - mean["low"] == pytest.approx(2 * 4.302653 * math.sqrt(2), rel=1e-4)
    assert mean["verdict"] == "higher"


@pytest.mark.parametrize("name, percent", [("p50", 50), ("p95", 95)])
def test_percentiles_are_held_together_as_by_resampling(two, name, percent):
    a, b, first, later = two
    found = document(a, b)["later"][0]["metrics"]["time_to_first_token_ms"][name]
    low, high = resampled(first, later, percent)
    near = 0.15 * (high - low)  # two random samples of 2,000 and 4,000 draws
    assert abs(found["low"] - low) < near and abs(found["high"] - high) < near
    assert document(a, b)["later"][0]["metrics"]["time_to_first_token_ms"][name] == found


def test_what_is_chance_is_called_so(tmp_path):
    rng = random.Random(2)
    a = run_of(tmp_path / "a", [rng.gauss(100, 10) for _ in range(50)])
    b = run_of(tmp_path / "b", [rng.gauss(100, 10) for _ in range(50)])
    c = run_of(tmp_path / "c", [rng.gauss(150, 10) for _ in range(50)])
    lone = run_of(tmp_path / "lone", [100])
    later = [run["metrics"]["time_to_first_token_ms"] for run in document(a, b, c, lone)["later"]]
    assert [one["mean"]["verdict"] for one in later] == [
        "no difference to be seen", "higher", "too few turns"]
    assert [one["p50"]["verdict"] for one in later] == [
        "no difference to be seen", "higher", "too few turns"]
    assert later[0]["count"] == {"first": 50, "later": 50}
    unmeasured = document(a, b)["later"][0]["metrics"]["tokens_per_second"]
    assert unmeasured["mean"]["verdict"] == "not measured" and unmeasured["mean"]["first"] is None
    table = compare(a, c).stdout
    assert "no difference to be seen" not in table and "tokens per second" not in table
    assert max(map(len, table.splitlines()[2:])) <= 80  # behind the runs' names


def test_a_change_of_many_times_keeps_its_column(tmp_path):
    a = run_of(tmp_path / "a", [1, 2, 1, 2, 1, 3])
    b = run_of(tmp_path / "b", [10, 90, 4, 60, 1, 30])
    rows = [line for line in compare(a, b).stdout.splitlines() if " %" in line and "p9" in line]
    assert rows and all(re.search(r"\) +(no difference|higher|lower)", row) for row in rows)
    assert len({re.search("no difference|higher|lower", row).start() for row in rows}) == 1
    assert any(re.search(r"\+\d{4,} %", row) for row in rows)  # no tenths of it


@pytest.mark.parametrize("limit, status", [
    ("ttft.p50>+10%", 1), ("ttft.p50>100%", 0), ("time_to_first_token_ms.mean>=20ms", 1),
    ("ttft.mean>20", 0), ("ttft.mean>0.0199s", 1), ("ttft.mean<-1%", 0), ("ttft.max<=20", 1),
    ("ttft.count<3", 0), ("ttft.min>19.9", 1), ("tps.mean<20", 1), ("ttft.p99>5%,ttft.p1>900", 1),
])
def test_a_condition_that_holds_or_cannot_be_judged_is_status_1(tmp_path, limit, status):
    a, b = run_of(tmp_path / "a", [15, 15, 15]), run_of(tmp_path / "b", [20, 20, 20])
    done = compare(a, b, "--fail-if", limit, status=status)
    assert done.stdout.count("fail if ") == limit.count(",") + 1
    held = [one["holds"] for one in document(a, b, "--fail-if", limit, status=status)["limits"]]
    assert any(one is not False for one in held) == bool(status)


def test_several_conditions_are_all_asked(tmp_path):
    a, b = run_of(tmp_path / "a", [15, 15]), run_of(tmp_path / "b", [20, 20])
    compare(a, b, "--fail-if", "ttft.p50>+90%", "--fail-if", "ttft.p50>99ms")
    compare(a, b, "--fail-if", "ttft.p50>+90%", "--fail-if", "ttft.p50>19ms", status=1)
    compare(a, b, "--fail-if", "ttft.p50>19ms", "--fail-if", "ttft.p50>+90%", status=1)


@pytest.mark.parametrize("limit, what", [
    ("tft.p50>1", "unknown metric"), ("ttft.p100>1", "unknown statistic"), ("ttft>1", "unknown statistic"),
    ("ttft.p50=1", "no comparison"), ("ttft.p50>", "not a number"), ("ttft.p50>1kg", "not a number"),
    ("isl.mean>1ms", "not a number"), ("ttft.mean>nan", "not a number"),
])
def test_a_wrong_condition_is_told_with_what_is_allowed(two, limit, what):
    done = compare(two[0], two[1], "--fail-if", limit, status=2)
    assert what in done.stderr and "mean p1 to p99" in done.stderr and done.stdout == ""


def test_runs_that_were_not_alike_are_warned_of(tmp_path):
    a = run_of(tmp_path / "a", [1, 2], **{"conversation.max_turns": "2"})
    b = run_of(tmp_path / "b", [1, 2, 3], model="qwen3", seed=8, **{"conversation.max_turns": "3"})
    done = compare(a, b)
    for words in ["the models differ: llama3.2 and qwen3", "the seeds differ: 7 and 8",
                  "--turns differ: 2 and 3", "the numbers of turns differ: 2 and 3"]:
        assert words in done.stderr
    assert len(document(a, b)["warnings"]) == 4
    assert compare(a, a).stderr == ""


def test_a_warm_up_is_left_out_of_each_run(tmp_path):
    """The slow first turn is in neither mean."""
    a, b = run_of(tmp_path / "a", [9000, 10, 12]), run_of(tmp_path / "b", [7000, 20, 22])
    found = document(a, b, "--skip-warmup", 1)["later"][0]
    mean = found["metrics"]["time_to_first_token_ms"]["mean"]
    assert (mean["first"], mean["later"], found["turns"]) == (11, 21, 2)
    assert "skip-warmup" in compare(a, b, "--skip-warmup", "soon", status=2).stderr
    assert compare(a, b, "--goodput", "ttft:5", status=2).stdout == ""  # it would tell nothing


def test_from_zero_to_zero_is_no_change_and_from_zero_to_more_cannot_be_judged(tmp_path):
    a, b, c = (run_of(tmp_path / name, values) for name, values in (
        ("a", [0, 0]), ("b", [0, 0]), ("c", [1, 1])))
    assert "does not hold (0 %)" in compare(a, b, "--fail-if", "ttft.p50>+10%").stdout
    assert "cannot be judged" in compare(a, c, "--fail-if", "ttft.p50>+10%", status=1).stdout


def test_three_runs_are_each_held_against_the_first(tmp_path):
    a, b, c = (run_of(tmp_path / name, values) for name, values in (
        ("a", [10, 10, 10]), ("b", [10, 10, 10]), ("c", [20, 20, 20])))
    done = compare(a, b, c, "--fail-if", "ttft.p95>+10%", status=1)
    assert done.stdout.count("change (95 % interval)") == 2
    verdicts = [line for line in done.stdout.splitlines() if line.startswith("fail if ")]
    assert len(verdicts) == 2
    assert "does not hold (0 %)" in verdicts[0] and str(b) in verdicts[0]
    assert "holds (100 %)" in verdicts[1] and str(c) in verdicts[1]


def test_a_change_from_nearly_nothing_is_told_in_few_letters(tmp_path):
    a, b = run_of(tmp_path / "a", [1e-300, 2e-300]), run_of(tmp_path / "b", [100, 101])
    table = compare(a, b).stdout
    assert re.search(r"^  mean .* \+6\.7e\+303 % ", table, re.M), table
    assert max(map(len, table.splitlines()[2:])) <= 80
    compare(a, b, "--fail-if", "ttft.p50>+10%", status=1)
    assert document(a, b)["later"][0]["metrics"]["time_to_first_token_ms"]["p50"]["verdict"]


def test_models_that_were_met_in_another_order_are_the_same(tmp_path):
    names = ["llama3.2", "qwen3"]
    for folder, order in (("a", names), ("b", names[::-1])):
        (tmp_path / folder).mkdir()
        fill(tmp_path / folder, [turn(i + 1, "Ada", model=name, provider="ollama")
                                 for i, name in enumerate(order)])
    assert compare(tmp_path / "a", tmp_path / "b").stderr == ""


def test_runs_that_are_not_there_or_empty_are_told(two, tmp_path):
    assert "name two runs" in compare(two[0], status=2).stderr
    assert "no such folder" in compare(two[0], "/nowhere/x", status=2).stderr
    (tmp_path / "empty.jsonl").write_text("")
    assert "no turn was found" in compare(two[0], tmp_path / "empty.jsonl", status=1).stderr
