"""make bench: it measures both sides, says so in JSON, and leaves nothing behind. No times are
judged here: this machine may be busy.
"""
import json
import pathlib
import subprocess
import sys

from helpers import BUILD, ROOT, box  # noqa: F401

SMALL = ["--rounds", 1, "--turns", 12, "--floor-rounds", 20, "--many", 3, "--many-turns", 30]


def bench(box, *options, program="bench.py"):
    tmp = pathlib.Path(box.path("tmp"))
    tmp.mkdir(exist_ok=True)
    env = {**box.env, "TMPDIR": str(tmp), "PARLEY_BUILD": str(BUILD)}
    done = subprocess.run([sys.executable, ROOT / "bench" / program, *map(str, options)],
                          capture_output=True, text=True, timeout=60, env=env)
    assert list(tmp.iterdir()) == []
    return done


def test_both_transports_and_many_conversations_are_measured(box):
    path = box.path("bench.json")
    done = bench(box, *SMALL, "--limit", 1e6, "--json", path)
    assert done.returncode == 0, done.stderr
    assert "3 conversations" in done.stdout and "limit 1000000.0: kept" in done.stdout
    with open(path, encoding="utf-8") as file:
        result = json.load(file)
    assert [one["transport"] for one in result["added"]] == ["tcp", "unix"]
    for one in result["added"]:
        assert 0 < one["floor_us"] and 0 < one["floor_pipelined_us"]
        assert 0 < one["turn_p50_us"] <= one["turn_p99_us"] and len(one["rounds"]) == 1
        assert abs(one["ratio"] - one["turn_us"] / one["floor_us"]) < 0.01
        # "1.1 KB messages": on both sides. (The first request carries none.)
        assert 1000 < one["bytes"]["message"] < one["bytes"]["response_entry"] < 1300
        assert one["bytes"]["pingpong_message"] == 1100
    assert result["ratio"] == result["added"][0]["ratio"]
    many, = result["throughput"]
    assert (many["conversations"], many["turns_each"]) == (3, 10)
    assert many["turns_per_second"] > 0


def test_a_ratio_over_the_limit_fails(box):
    done = bench(box, *SMALL, "--transport", "tcp", "--limit", 0.001)
    assert done.returncode == 1 and "EXCEEDED" in done.stdout, done.stderr


def test_the_time_a_token_takes_is_measured_beside_plain_libcurl(box):
    path = box.path("streams.json")
    words = ["--rounds", 1, "--tokens", 30, "--turns", 2, "--many-turns", 1, "--streams", 1,
             "--streams", 3]
    done = bench(box, *words, "--limit", 1e6, "--json", path, program="streams.py")
    assert done.returncode == 0, done.stderr
    assert "limit 1000000.0: kept" in done.stdout
    with open(path, encoding="utf-8") as file:
        result = json.load(file)
    tokens = {1: 2 * 30, 3: 3 * 30}
    for one in result["cases"]:
        # What the server counted for the workers is what it was told to say.
        assert one["tokens_a_round"] == tokens[one["streams"]], one
        assert 0 < one["floor_us"] and 0 < one["worker_us"] and 50 < one["bytes_per_token"]
        assert abs(one["ratio"] - one["worker_us"] / one["floor_us"]) < 0.01
    assert result["ratio"] == max(one["ratio"] for one in result["cases"])
    assert bench(box, *words[:-2], "--limit", 0.001, program="streams.py").returncode == 1


def test_another_build_is_compared_in_turns_and_one_that_is_too_dear_fails(box):
    """The other build is this one: what is compared is what was measured of either."""
    path = box.path("compare.json")
    words = [BUILD, *SMALL[2:], "--rounds", 2, "--transport", "tcp"]
    done = bench(box, *words, "--limit", 1e6, "--json", path, program="compare.py")
    assert done.returncode == 0, done.stderr
    with open(path, encoding="utf-8") as file:
        result = json.load(file)
    tcp, = result["added"]
    assert abs(tcp["price"] - tcp["here_us"] / tcp["base_us"]) < 0.01 and 0 < tcp["floor_us"]
    many, = result["many"]
    quotient = many["base_turns_per_second"] / many["here_turns_per_second"]
    assert abs(many["price"] - quotient) < 0.01
    assert result["price"] == max(tcp["price"], many["price"]) and result["violations"] == []
    # Each side goes first once, so that neither is always the warmer one.
    assert [list(one["many"]["3"]) for one in result["all_rounds"]] == [["base", "here"],
                                                                        ["here", "base"]]
    done = bench(box, *words, "--limit", 0.001, program="compare.py")
    assert done.returncode == 1 and "EXCEEDED" in done.stdout, done.stderr


def test_a_revision_that_is_not_there_is_named(box):
    done = bench(box, "no-such-revision", program="compare.py")
    assert done.returncode == 1 and "no such revision: no-such-revision" in done.stderr


def test_a_log_is_analyzed_beside_jq_and_both_come_to_the_same(box):
    path = box.path("analyze.json")
    done = bench(box, "--turns", 2000, "--conversations", 20, "--limit", 0.0001, "--json", path,
                 program="analyze.py")
    assert done.returncode == 0, done.stderr
    assert "limit 0.0001, 64.0 MiB: kept" in done.stdout
    with open(path, encoding="utf-8") as file:
        result = json.load(file)
    assert list(result["ways"]) == ["one field", "sums", "analyze"]
    assert all(0 < one["cpu_s"] and 0 < one["peak_mib"] for one in result["ways"].values())


def test_a_log_that_takes_more_memory_than_allowed_is_an_error(box):
    done = bench(box, "--turns", 200, "--limit", 0.0001, "--memory", 0.5, program="analyze.py")
    assert done.returncode == 1
    assert "MISSED" in done.stdout
