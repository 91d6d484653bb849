"""`parley run` from the shell to the analysis: what it writes, says, promises and leaves."""
import json
import pathlib
import re
import subprocess

import pytest

from helpers import (FAST, Fleet, Sandbox, assert_once_and_in_order, assert_run_folder,
                     box, read_lines, story_file, time_of, turns_of,
                     words_of)  # noqa: F401 - box is a fixture


@pytest.fixture(scope="module")
def six_turns():
    """The run of the README: six turns with a seed; (result, folder)."""
    sandbox = Sandbox()
    try:
        done = sandbox.parley("run", "--simulate", "--turns", 6, "--seed", 7, "--observe", "plain",
                              "--topic", "the last tram", "--out", sandbox.path("D"), *FAST)
        sandbox.assert_nothing_left()
        sandbox.assert_no_report()
        yield done, pathlib.Path(sandbox.path("D"))
    finally:
        sandbox.close()


def jq(program, path):
    done = subprocess.run(["jq", "-s", program, path], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


# ---- six turns ----

def test_six_turns_end_well_and_in_order(six_turns):
    done, folder = six_turns
    assert done.returncode == 0, done.stderr
    transcript = read_lines(folder / "transcript.jsonl")
    assert [message["kind"] for message in transcript] == ["story"] + 2 * ["persona"] + 6 * ["turn"]
    assert_once_and_in_order(transcript, 6)


def test_every_file_of_the_folder_is_valid_by_its_schema(six_turns):
    _, folder = six_turns
    run = assert_run_folder(folder)
    assert (run["seed"], run["exit_status"]) == (7, 0)
    assert [one["conversation"] for one in run["stories"]] == run["conversations"]
    assert [len(one["seats"]) for one in run["casts"]] == [2]
    assert all(one["topic"] for one in run["casts"]), "what the personas were told"
    events = [event["event"] for event in read_lines(folder / "events.jsonl")]
    assert events == ["dialogue.open", "dialogue.initiate"] + 5 * ["dialogue.progress"] + [
        "dialogue.progress", "dialogue.resolve"]
    calls = read_lines(folder / "calls.jsonl")
    assert [call["turn"] for call in calls] == [None, None, 1, 2, 3, 4, 5, 6]
    assert {call["outcome"] for call in calls} == {"done"}


def test_the_terminal_shows_the_story_each_turn_and_the_numbers(six_turns):
    done, folder = six_turns
    transcript = read_lines(folder / "transcript.jsonl")
    shown = " ".join(done.stdout.split())
    story = transcript[0]["content"]
    for text in [story["setting"], story["initial_situation"], *words_of(transcript)]:
        assert " ".join(text.split()) in shown
    for message in turns_of(transcript):
        assert message["metadata"]["author"] + ": " in shown
    assert "Summary" in done.stdout and "time to first token" in done.stdout
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x1b]", done.stdout)
    assert done.stderr.splitlines() == [
        f"parley run: the simulator, a private Redis, seed 7, folder {folder}"]


def test_the_private_redis_leaves_no_socket_and_latest_points_to_the_run(box):
    env = {"XDG_RUNTIME_DIR": ""}  # /tmp then, as on a machine without it
    done = box.parley("run", "--dry-run", "--turns", 2, "--observe", "none", env=env)
    assert done.returncode == 0, done.stderr
    latest = box.state / "parley/runs/latest"
    url = assert_run_folder(latest)["redis"]["url"]
    socket = pathlib.Path(url.removeprefix("unix://"))
    assert socket.parent.parent == pathlib.Path("/tmp") and not socket.parent.exists()
    again = box.parley("analyze", "--json", "--color", "never")
    assert again.returncode == 0 and json.loads(again.stdout)["totals"]["turns"] == 2


def test_the_same_seed_gives_the_same_words_and_another_seed_others(box, six_turns):
    def words(seed):
        out = pathlib.Path(box.path(f"seed-{seed}"))
        done = box.parley("run", "--simulate", "--turns", 6, "--seed", seed, "--observe", "none",
                          "--topic", "the last tram", "--out", out, *FAST)
        assert done.returncode == 0, done.stderr
        return words_of(read_lines(out / "transcript.jsonl"))
    first = words_of(read_lines(six_turns[1] / "transcript.jsonl"))
    assert words(7) == first and words(8) != first
    assert len(set(first)) == 6


def test_the_totals_are_those_that_jq_adds_up(box, six_turns):
    _, folder = six_turns
    done = box.parley("analyze", folder, "--json")
    assert done.returncode == 0, done.stderr
    analysis = json.loads(done.stdout)
    assert {**json.loads((folder / "analysis.json").read_text()),
            "generated_at": analysis["generated_at"]} == analysis
    path = folder / "transcript.jsonl"
    turns = 'map(select(.kind == "turn"))'
    totals = analysis["totals"]
    assert totals["turns"] == jq(f"{turns} | length", path) == 6
    tokens = "map(.metadata.tokens_generated) | add"
    assert totals["tokens_generated"] == jq(f"{turns} | {tokens}", path)
    assert totals["prompt_tokens"] == jq(f"{turns} | map(.metadata.prompt_tokens) | add", path)
    assert totals["tokens_per_second"] > 0
    for persona in analysis["personas"]:
        of_seat = f"{turns} | map(select(.metadata.seat == {persona['seat']}))"
        assert persona["turns"] == jq(f"{of_seat} | length", path) == 3
        assert persona["tokens_generated"] == jq(f"{of_seat} | {tokens}", path)
    for name, metric in analysis["metrics"].items():
        assert {"unit", "avg", "min", "max", "p50", "p95", "p99", "count"} <= set(metric), name
        assert metric["count"] == 6, name
        assert metric["min"] <= metric["p50"] <= metric["p95"] <= metric["p99"] <= metric["max"]
    first = jq(f"{turns} | map(.metadata.time_to_first_token_ms) | [min, max]", path)
    shown = analysis["metrics"]["time_to_first_token_ms"]
    assert [shown["min"], shown["max"]] == pytest.approx(first, abs=0.01)


# ---- time ----

def test_a_duration_ends_the_run_in_time_and_in_peace(box):
    done = box.parley("run", "--simulate", "--duration", "3s", "--grace", "2s", "--seed", 3,
                      "--story", story_file(box), "--tokens-per-second", 100, "--first-token-ms",
                      20, "--observe", "none", "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    assert_run_folder(box.path("D"))
    events = {event["event"]: event for event in read_lines(box.path("D/events.jsonl"))}
    took_s = time_of(events["dialogue.resolve"]) - time_of(events["dialogue.initiate"])
    assert 3.0 <= took_s <= 5.3, took_s
    assert events["dialogue.resolve"]["reason"] == "duration"
    count = len(turns_of(read_lines(box.path("D/transcript.jsonl"))))
    assert count >= 3
    assert_once_and_in_order(read_lines(box.path("D/transcript.jsonl")), count)


def test_a_turn_that_outlasts_the_grace_is_cancelled_and_thrown_away(box):
    done = box.parley("run", "--simulate", "--duration", "2s", "--grace", "1s", "--seed", 3,
                      "--story", story_file(box), "--tokens-per-second", 8, "--reply-tokens",
                      "200..200", "--observe", "none", "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    events = {event["event"]: event for event in read_lines(box.path("D/events.jsonl"))}
    took_s = time_of(events["dialogue.resolve"]) - time_of(events["dialogue.initiate"])
    assert 3.0 <= took_s <= 3.5, took_s
    assert events["dialogue.resolve"]["reason"] == "duration"
    assert turns_of(read_lines(box.path("D/transcript.jsonl"))) == []
    calls = [call for call in read_lines(box.path("D/calls.jsonl")) if call["turn"] is not None]
    assert [call["outcome"] for call in calls] == ["cancelled"]


# ---- many at once ----

def assert_not_mixed_up(folder, count, turns):
    transcript = read_lines(folder / "transcript.jsonl")
    run = json.loads((folder / "run.json").read_text())
    planted = set()
    for conversation in run["conversations"]:
        own = [message for message in transcript
               if message["metadata"]["conversation_id"] == conversation]
        assert_once_and_in_order(own, turns)
        found = [set(re.findall(r"token-\d+-x", json.dumps(message["content"]))) for message in own]
        assert len(set.union(*found)) == 1, (conversation, found)
        planted |= found[0]
    assert planted == {f"token-{number}-x" for number in range(1, count + 1)}


def test_fifty_conversations_at_once_are_complete_and_not_mixed_up(box):
    out = pathlib.Path(box.path("D"))
    done = box.parley("run", "--conversations", 50, "--concurrency", 16, "--dry-run", "--turns", 20,
                      "--topic", "token-{i}-x", "--observe", "none", "--out", out, limit_s=60)
    assert done.returncode == 0, done.stderr
    assert_run_folder(out, 50)
    assert_not_mixed_up(out, 50, 20)


def test_a_given_redis_lends_a_shard_and_lives_on(box):
    fleet = Fleet(box)
    fleet.db.set("mine", "kept")
    del box.env["PARLEY_REDIS"]
    outs = [pathlib.Path(box.path(name)) for name in ("A", "B")]
    runs = [box.start("run", "--redis", fleet.url, "--conversations", 5, "--dry-run", "--turns", 10,
                      "--topic", "token-{i}-x", "--observe", "none", "--out", out) for out in outs]
    assert [run.wait(60) for run in runs] == [0, 0]
    shards = set()
    for out in outs:
        redis = assert_run_folder(out, 5)["redis"]
        assert not redis["private"] and not (out / "redis").exists()
        shards.add(redis["shard"])
        assert_not_mixed_up(out, 5, 10)
    assert len(shards) == 2 and "0" not in shards
    assert fleet.db.ping() and fleet.db.get("mine") == "kept"
    tags = {key.split("}")[0] + "}" for key in fleet.db.scan_iter() if key != "mine"}
    assert tags == {f"parley:{{{shard}}}" for shard in shards}
    box.stop_all()


# ---- other ways to run ----

def test_json_tells_an_event_a_line_and_nothing_else(box):
    done = box.parley("run", "--dry-run", "--turns", 4, "--observe", "json", "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) >= 4 and all(isinstance(line, dict) for line in lines)


def test_a_story_of_ones_own_is_played_and_nothing_is_written_by_a_model(box):
    done = box.parley("run", "--simulate", "--story", story_file(box), "--turns", 2,
                      "--observe", "none", "--out", box.path("D"), *FAST)
    assert done.returncode == 0, done.stderr
    transcript = read_lines(box.path("D/transcript.jsonl"))
    assert transcript[0]["content"]["setting"] == "A pier."
    assert [one["content"]["name"] for one in transcript[1:3]] == ["Ada", "Bo"]
    assert [call["turn"] for call in read_lines(box.path("D/calls.jsonl"))] == [1, 2]


def test_sixteen_personas_take_turns(box):
    done = box.parley("run", "--dry-run", "--personas", 16, "--turns", 34, "--observe", "none",
                      "--out", box.path("D"), limit_s=60)
    assert done.returncode == 0, done.stderr
    transcript = read_lines(box.path("D/transcript.jsonl"))
    assert [one["kind"] for one in transcript].count("persona") == 16
    assert_once_and_in_order(transcript, 34, seats=16)


def test_seats_may_have_models_of_their_own(box):
    done = box.parley("run", "--simulate", "--turns", 4, "--model", "tiny", "--model", "2=mistral",
                      "--observe", "none", "--out", box.path("D"), *FAST)
    assert done.returncode == 0, done.stderr
    data = [one["metadata"] for one in turns_of(read_lines(box.path("D/transcript.jsonl")))]
    assert [one["model"] for one in data] == ["tiny", "mistral", "tiny", "mistral"]
