"""A recorded run shown again, as text and as JSON: what comes, when, and what is refused."""
import json
import os
import shutil
import subprocess
import time

import pytest

from helpers import BUILD, FAST, IS_SLOW, box, default_signals, read_lines  # noqa: F401


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A run's folder: two conversations of four turns, made without a model."""
    folder = tmp_path_factory.mktemp("recorded") / "run"
    env = {**os.environ, "XDG_STATE_HOME": str(folder.parent / "state")}
    done = subprocess.run([BUILD / "parley", "run", "--simulate", *FAST, "--turns", "4",
                           "--conversations", "2", "--observe", "none", "--out", folder],
                          capture_output=True, env=env, preexec_fn=default_signals, timeout=120,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return folder


def ids_of(folder):
    return json.loads((folder / "run.json").read_text())["conversations"]


def replay(box, *words, **more):
    done = box.parley("replay", *words, **more)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done


def sights(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_line_of_the_transcript_is_shown_once_and_in_order(box, recorded):
    said = [line["message_id"] for line in read_lines(recorded / "transcript.jsonl")]
    seen = sights(replay(box, recorded, "--speed", "max", "--mode", "json"))
    shown = [sight["message"]["message_id"] for sight in seen if "message" in sight]
    assert sorted(shown) == sorted(said)
    for conversation in ids_of(recorded):
        own = [one for one in said if one.startswith(conversation)]
        assert [one for one in shown if one.startswith(conversation)] == own
    states = [sight for sight in seen if sight["event"] == "state"]
    assert [one["reason"] for one in states if one["state"] == "ended"] == ["turns", "turns"]
    assert all(one["max_turns"] == 4 for one in states if one["state"] == "running")


def test_one_conversation_can_be_picked_out(box, recorded):
    one = ids_of(recorded)[1]
    seen = sights(replay(box, recorded, one, "--speed", "max", "--mode", "json"))
    assert {sight["conversation"] for sight in seen} == {one}


def test_plain_text_has_a_line_for_each_turn(box, recorded):
    one = ids_of(recorded)[0]
    done = replay(box, "--mode", "plain", "--speed", "max", recorded, one)
    assert done.returncode == 0 and done.stderr == ""
    for line in read_lines(recorded / "transcript.jsonl"):
        if line["kind"] == "turn" and line["metadata"]["conversation_id"] == one:
            assert line["content"]["message"].split("\n")[0] in done.stdout
    assert "(ended: " in done.stdout


def test_words_come_over_the_time_that_the_turn_took(box, tmp_path, recorded):
    lines = [line for line in read_lines(recorded / "transcript.jsonl")
             if line["metadata"]["conversation_id"] == ids_of(recorded)[0]][:4]
    lines[3]["metadata"]["generation_time_ms"] = 1000
    lines[3]["metadata"]["time_to_first_token_ms"] = 500
    lines[3]["queue_timestamp"] = "2026-01-31T10:30:10Z"
    for line in lines[:3]:
        line["queue_timestamp"] = "2026-01-31T10:30:08Z"
    lines[3]["content"]["message"] = "one two three four five"
    path = tmp_path / "one.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    begin = time.monotonic()
    seen = sights(replay(box, path, "--mode", "json"))
    seconds = time.monotonic() - begin
    assert seconds >= 2.0, "the two seconds of the record take two seconds"
    assert seconds < (20 if IS_SLOW else 10)
    deltas = [sight["text"] for sight in seen if sight["event"] == "delta"]
    assert len(deltas) >= 2 and "one two three four five".startswith("".join(deltas))
    begin = time.monotonic()
    assert sights(replay(box, path, "--mode", "json", "--from", "1999ms"))[-1]["event"] == "turn"
    assert time.monotonic() - begin < 2.0 or IS_SLOW


def test_broken_lines_are_told_with_file_and_number(box, tmp_path, recorded):
    folder = tmp_path / "run"
    shutil.copytree(recorded, folder, ignore=shutil.ignore_patterns("redis", "logs"))
    with open(folder / "transcript.jsonl", "a", encoding="utf-8") as file:
        file.write('{"half": \n\x1b]52;c;AAAA\x07{}\n')
    (folder / "events.jsonl").write_text("nothing\n")
    count = len((recorded / "transcript.jsonl").read_bytes().splitlines())
    done = replay(box, folder, "--speed", "max", "--mode", "json")
    assert done.returncode == 0
    assert f"transcript.jsonl:{count + 1}: passed over: " in done.stderr
    assert f"transcript.jsonl:{count + 2}: passed over: " in done.stderr
    assert "events.jsonl:1: passed over: " in done.stderr
    assert "\x1b" not in done.stderr + done.stdout
    assert len([line for line in done.stdout.splitlines() if '"event":"turn"' in line]) == 8


@pytest.mark.parametrize("words, text", [
    (["nowhere/at/all"], "no such folder, file or run"),
    ([], "there is no latest run"),
    (["RUN", "aaaaaaaaaaaa"], "aaaaaaaaaaaa is not in this record"),
    (["RUN", "--speed", "fast"], "--speed fast: "),
    (["RUN", "--speed", "0"], "--speed 0: "),
    (["/dev/null"], "nothing that could be replayed"),
])
def test_what_cannot_be_replayed_is_refused_with_the_reason(box, recorded, words, text):
    done = replay(box, *[recorded if word == "RUN" else word for word in words])
    assert done.returncode == 2 and text in done.stderr, done.stderr
    assert done.stderr.startswith("parley replay: ")  # by the name it was called by
    assert done.stdout == ""


def test_replay_has_a_help_of_its_own(box):
    text = replay(box, "--help").stdout
    assert text.startswith("Usage: parley replay [RUN] ")
    assert box.parley("observe", "--help").stdout.startswith("Usage: parley observe ")
    assert max(map(len, text.splitlines())) <= 88


def test_the_latest_run_is_taken_without_a_word(box, recorded):
    runs = box.state / "parley" / "runs"
    runs.mkdir(parents=True)
    os.symlink(recorded, runs / "latest")
    seen = sights(replay(box, "--speed", "max", "--mode", "json"))
    assert len([sight for sight in seen if sight["event"] == "turn"]) == 8


def test_a_reader_that_goes_away_ends_it(box, recorded):
    process = box.start("replay", recorded, "--mode", "json", stdout=subprocess.PIPE)
    process.stdout.read(1)
    process.stdout.close()
    assert process.wait(20) == 0
