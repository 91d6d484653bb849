"""parley-analyzer: its numbers against sums made by other means, its manners with broken logs."""
import datetime
import json
import math
import os
import pathlib
import random
import re
import stat
import statistics
import subprocess

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("PARLEY_BUILD", "build/release") / "parley-analyzer"
SCHEMA = json.loads((ROOT / "schemas/analysis.schema.json").read_text())
UNITS = {"tokens_per_second": "tokens/s", "time_to_first_token_ms": "ms",
         "inter_token_latency_ms": "ms", "time_per_output_token_ms": "ms",
         "longest_gap_ms": "ms", "generation_time_ms": "ms", "turn_time_ms": "ms",
         "queue_wait_ms": "ms", "endpoint_wait_ms": "ms", "prefill_ms": "ms", "decode_ms": "ms",
         "load_ms": "ms", "routing_ms": "ms", "overhead_ms": "ms", "prompt_tokens": "tokens",
         "tokens_generated": "tokens"}
METRICS = list(UNITS)
PERCENTS = [1, 5, 10, 25, 50, 75, 90, 95, 99]
BEGIN_US = 1769855400000000  # 2026-01-31T10:30:00Z
LIMIT_S = 30


def analyze(*words, env=None, limit_s=LIMIT_S):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("PARLEY_") and name != "REDIS_URL"}
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, timeout=limit_s,
                          env={**clean, **(env or {})}, check=False)


def document(*words, **more):
    result = analyze(*words, "--json", **more)
    assert result.returncode == 0, result.stderr.decode()
    parsed = json.loads(result.stdout)
    jsonschema.Draft202012Validator(
        SCHEMA, format_checker=jsonschema.FormatChecker()).validate(parsed)
    return parsed


def stamp(at_us):
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=at_us)
    return at.isoformat(timespec="microseconds") + "Z"


def metadata(conversation, **more):
    empty = dict.fromkeys([
        "sequence_number", "seat", "author", "tokens_generated", "generation_time_ms",
        "prompt_tokens", "time_to_first_token_ms", "tokens_per_second", "queue_wait_ms",
        "routing_ms", "attempts", "issue", "provider", "endpoint", "model", "finish_reason"])
    return {"conversation_id": conversation, **empty, **more}


def message(kind, name, at_us, content, data):
    return {"schema_version": "1.0", "kind": kind, "queue_timestamp": stamp(at_us),
            "message_id": f"{data['conversation_id']}:{name}",
            "role": "assistant" if kind == "turn" else "system", "to": None,
            "content": content, "metadata": data}


def story(conversation="k3v9q2m4x7ab", at_us=BEGIN_US):
    return message("story", "story:1", at_us,
                   {"type": "story", "setting": "A pier.", "characters": [],
                    "initial_situation": "It rains."}, metadata(conversation))


def persona(seat, name, conversation="k3v9q2m4x7ab", at_us=BEGIN_US):
    return message("persona", f"persona:{seat}", at_us,
                   {"type": "persona", "name": name, "role": "guest", "traits": [],
                    "goal": "leave", "style": "plain"},
                   metadata(conversation, seat=seat, author=name))


def turn(number, name="Ada", at_us=None, conversation="k3v9q2m4x7ab", seat=None, **data):
    return message("turn", str(number), BEGIN_US + 1000000 * number if at_us is None else at_us,
                   {"type": "conversation", "message": f"Words {number}, and \"more\" of them.",
                    "sentiment": None, "references": []},
                   metadata(conversation, sequence_number=number,
                            seat=(number - 1) % 2 + 1 if seat is None else seat, author=name,
                            **{"issue": 1, "attempts": 1, **data}))


def made_up_turns(count, seed=7):
    rng = random.Random(seed)
    turns = []
    for number in range(1, count + 1):
        first_ms = round(rng.uniform(5, 400), 3)
        wait_ms = round(rng.lognormvariate(0, 1), 3)
        data = {"queue_wait_ms": wait_ms, "routing_ms": round(rng.uniform(0.05, 9), 3)}
        if number > 20:  # older writers told less
            data |= {"endpoint_wait_ms": round(rng.uniform(0, 2), 3), "chunks": number,
                     "longest_gap_ms": round(rng.uniform(10, 90), 3), "num_ctx": 4096,
                     "worker_ms": round(rng.uniform(10000, 12000), 3)}
        if number % 7 == 0:  # a server that does not count
            data |= {"provider": "echo", "model": "echo"}
        else:
            tokens, generation_ms = rng.randint(1, 400), round(rng.uniform(410, 9000), 3)
            data |= {"provider": "ollama", "model": rng.choice(["llama3.2:3b", "qwen3"]),
                     "tokens_generated": tokens, "prompt_tokens": rng.randint(10, 4000),
                     "time_to_first_token_ms": first_ms, "generation_time_ms": generation_ms,
                     "tokens_per_second": round(tokens / (generation_ms - first_ms) * 1000, 3),
                     "attempts": rng.choice([1, 1, 1, 2])}
            if number > 20:
                data |= {"prefill_ms": first_ms / 2, "decode_ms": generation_ms - first_ms,
                         "load_ms": round(rng.uniform(0, 5), 3)}
        turns.append(turn(number, ["Ada Quill", "Bo"][(number - 1) % 2], **data))
    return turns


def write_lines(path, documents):
    path.write_text("".join(json.dumps(d, ensure_ascii=False) + "\n" for d in documents))


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def fill(folder, turns, names=("Ada Quill", "Bo")):
    write_lines(folder / "transcript.jsonl",
                [story()] + [persona(i + 1, name) for i, name in enumerate(names)] + turns)
    return folder


def call(turn_number, outcome="done"):
    return {"conversation": "k3v9q2m4x7ab", "turn": turn_number, "issue": 1, "delivery": 1,
            "call": f"c{turn_number}", "seat": 1, "endpoint": "local", "provider": "ollama",
            "model": "llama3.2:3b", "started_at": stamp(BEGIN_US), "ended_at": stamp(BEGIN_US),
            "duration_ms": 1.5, "time_to_first_token_ms": None, "tokens_generated": None,
            "prompt_tokens": None, "outcome": outcome, "error": None, "worker": "worker-1-1"}


def event(name, state, reason=None, at_us=BEGIN_US):
    return {"id": f"k3v9q2m4x7ab:{name}", "event": f"dialogue.{name}",
            "conversation": "k3v9q2m4x7ab", "at": stamp(at_us), "turn": None, "transcript": None,
            "state": state, "reason": reason, "summary": None}


def percentile(values, percent):
    """Linear interpolation between the nearest ranks, from the words of the help."""
    ordered = sorted(values)
    rank = percent / 100 * (len(ordered) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


def value_of(name, data):
    """A turn's value by the words of docs/metrics.md; None unknown."""
    def all_of(*keys):
        values = [data.get(key) for key in keys]
        return None if None in values else values

    if name == "inter_token_latency_ms":
        found = all_of("generation_time_ms", "time_to_first_token_ms", "tokens_generated")
        return found and found[2] > 1 and (found[0] - found[1]) / (found[2] - 1) or None
    if name == "time_per_output_token_ms":
        found = all_of("generation_time_ms", "tokens_generated")
        return found and found[1] > 0 and found[0] / found[1] or None
    if name == "turn_time_ms":
        found = all_of("queue_wait_ms", "worker_ms", "routing_ms")
        return found and sum(found)
    if name == "overhead_ms":
        found = all_of("queue_wait_ms", "worker_ms", "routing_ms", "endpoint_wait_ms",
                       "generation_time_ms", "attempts")
        return found and found[5] == 1 and sum(found[:3]) - found[3] - found[4] or None
    return data.get(name)


def check_metrics(metrics, turns):
    assert list(metrics) == METRICS
    for name, found in metrics.items():
        values = [value_of(name, t["metadata"]) for t in turns]
        check_stat(found, UNITS[name], [value for value in values if value is not None])


def check_stat(found, unit, values):
    """Against Python's own statistics."""
    assert found["count"] == len(values)
    assert found["unit"] == unit
    assert found["approximate"] is False
    percentiles = [f"p{percent}" for percent in PERCENTS]
    if not values:
        assert all(found[key] is None for key in ["avg", "std", "min", "max", "sum", *percentiles])
        return
    assert found["min"] == pytest.approx(min(values), abs=1e-6)
    assert found["max"] == pytest.approx(max(values), abs=1e-6)
    assert found["avg"] == pytest.approx(statistics.fmean(values), abs=1e-6)
    assert found["std"] == pytest.approx(statistics.pstdev(values), rel=1e-6, abs=1e-6)
    assert found["sum"] == pytest.approx(math.fsum(values), rel=1e-9, abs=1e-6)
    for percent in PERCENTS:
        assert found[f"p{percent}"] == pytest.approx(percentile(values, percent), rel=1e-6)


def total_of(turns, key):
    values = [t["metadata"][key] for t in turns if t["metadata"][key] is not None]
    return sum(values) if values else None


def jq(program, path):
    return json.loads(subprocess.run(["jq", "-s", program, path], capture_output=True,
                                     check=True, timeout=LIMIT_S).stdout)


# ---- numbers ----


def test_totals_are_those_that_jq_adds_up(folder):
    fill(folder, made_up_turns(60))
    totals = document(folder)["totals"]
    transcript = folder / "transcript.jsonl"
    turns = 'map(select(.kind=="turn")|.metadata)'
    assert totals["turns"] == jq(f"{turns}|length", transcript) == 60
    assert totals["tokens_generated"] == jq(f"{turns}|map(.tokens_generated)|add", transcript)
    assert totals["prompt_tokens"] == jq(f"{turns}|map(.prompt_tokens)|add", transcript)
    assert totals["attempts"] == jq(f"{turns}|map(.attempts)|add", transcript)
    assert totals["messages_without_counts"] == jq(
        f"{turns}|map(select(.tokens_generated==null))|length", transcript) == 8
    assert totals["wall_time_ms"] == 60000
    assert totals["tokens_per_second"] == pytest.approx(totals["tokens_generated"] / 60, abs=1e-5)
    assert totals["turns_per_second"] == 1
    assert totals["conversations"] == 1


def test_metrics_in_all_per_persona_and_per_model_are_those_of_their_turns(folder):
    turns = made_up_turns(101)
    found = document(fill(folder, turns))
    check_metrics(found["metrics"], turns)
    assert [p["name"] for p in found["personas"]] == ["Ada Quill", "Bo"]
    for one in found["personas"]:
        own = [t for t in turns if t["metadata"]["author"] == one["name"]]
        assert one["turns"] == len(own)
        assert one["tokens_generated"] == total_of(own, "tokens_generated")
        assert one["prompt_tokens"] == total_of(own, "prompt_tokens")
        assert one["conversation"] == "k3v9q2m4x7ab"
        check_metrics(one["metrics"], own)
    assert {m["model"] for m in found["models"]} == {"llama3.2:3b", "qwen3", "echo"}
    for one in found["models"]:
        own = [t for t in turns if t["metadata"]["model"] == one["model"]]
        assert one["turns"] == len(own)
        assert one["tokens_generated"] == total_of(own, "tokens_generated")
        check_metrics(one["metrics"], own)


def test_what_no_server_counted_is_null_and_not_zero(folder):
    found = document(fill(folder, [turn(n, provider="echo", model="echo") for n in range(1, 6)]))
    totals = found["totals"]
    assert totals["turns"] == totals["messages_without_counts"] == 5
    for key in ["tokens_generated", "prompt_tokens", "tokens_per_second", "calls",
                "calls_failed"]:
        assert totals[key] is None
    check_metrics(found["metrics"], [])


def test_calls_and_events_tell_what_the_transcript_does_not(folder):
    fill(folder, made_up_turns(4))
    write_lines(folder / "calls.jsonl",
                [call(n) for n in range(1, 5)] + [call(5, "failed"), call(6, "cancelled")]
                + [call(4)])  # written twice: the connection was lost
    write_lines(folder / "events.jsonl",
                [event("initiate", "running", at_us=BEGIN_US - 6000000),
                 event("resolve", "ended", "turns", at_us=BEGIN_US + 99000000)])
    found = document(folder)
    assert found["totals"]["calls"] == 6
    assert found["totals"]["calls_failed"] == 1
    assert found["totals"]["wall_time_ms"] == 10000
    conversation = found["conversations"][0]
    check_metrics(conversation.pop("metrics"), made_up_turns(4))
    assert found["conversations"] == [
        {"conversation_id": "k3v9q2m4x7ab", "state": "ended", "reason": "turns", "turns": 4,
         "failed_turns": 0, "tokens_generated": found["totals"]["tokens_generated"],
         "prompt_tokens": found["totals"]["prompt_tokens"], "wall_time_ms": 10000}]
    assert found["endings"] == [{"reason": "turns", "conversations": 1}]


def test_a_failed_turn_counts_as_a_turn_and_is_shown_apart(folder):
    failed = turn(2, "Bo", failed=True)
    found = document(fill(folder, [made_up_turns(1)[0], failed]))
    assert found["totals"]["turns"] == 2
    assert found["totals"]["failed_turns"] == 1
    assert found["personas"][1]["failed_turns"] == 1


def test_conversations_are_told_apart_and_added_up(folder):
    turns = [turn(n, conversation=c, tokens_generated=n) for n in range(1, 4)
             for c in ["aaaaaaaaaaaa", "bbbbbbbbbbbb"]]
    write_lines(folder / "transcript.jsonl", turns)
    found = document(folder)
    assert found["totals"]["conversations"] == 2
    assert [c["tokens_generated"] for c in found["conversations"]] == [6, 6]
    assert found["totals"]["tokens_generated"] == 12
    assert [p["conversation"] for p in found["personas"]] == [None, None]


def test_a_run_names_itself_from_its_run_json(folder):
    fill(folder, made_up_turns(2))
    (folder / "run.json").write_text(json.dumps(
        {"run_id": "r1", "started_at": stamp(BEGIN_US), "seed": 42,
         "versions": {"parley": "v1"}}))
    assert document(folder)["run"] == {"run_id": "r1", "started_at": stamp(BEGIN_US), "seed": 42,
                                       "version": "v1"}


# ---- logs that are not as they should be ----


def test_a_half_written_last_line_is_skipped_and_told(folder):
    fill(folder, made_up_turns(3))
    path = folder / "transcript.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    result = analyze(folder, "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout)["totals"]["turns"] == 2
    assert "transcript.jsonl:6: skipped: the last line is cut off" in result.stderr.decode()


def test_a_whole_last_line_without_its_end_counts(folder):
    fill(folder, made_up_turns(3))
    path = folder / "transcript.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    result = analyze(folder, "--json")
    assert json.loads(result.stdout)["totals"]["turns"] == 3
    assert result.stderr == b""


def test_bad_lines_are_named_with_file_and_number_and_the_rest_counts(folder):
    fill(folder, made_up_turns(3))
    path = folder / "transcript.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    broken = [b"nonsense\x1b[2J\n", b'{"kind":"turn"}\n', b"\n", b"\xff\xfe\n", b"[]\n"]
    path.write_bytes(b"".join(lines[:4] + broken + lines[4:]))
    result = analyze(folder, "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout)["totals"]["turns"] == 3
    notes = result.stderr.decode()
    for number in [5, 6, 8, 9]:
        assert f"transcript.jsonl:{number}: skipped: " in notes
    assert "transcript.jsonl:7:" not in notes  # an empty line is nothing
    assert "\x1b" not in notes


def test_a_thousand_bad_lines_are_not_a_thousand_notes(folder):
    fill(folder, made_up_turns(1))
    with (folder / "transcript.jsonl").open("a") as file:
        file.write("nonsense\n" * 1000)
    notes = analyze(folder).stderr.decode().splitlines()
    assert len(notes) == 21
    assert notes[-1] == "... and 980 more like these"


def test_a_line_without_end_costs_itself_only(folder):
    turns = made_up_turns(4)
    huge = json.dumps(turns[0]).replace("Words", "W" * (20 << 20))
    with (folder / "transcript.jsonl").open("w") as file:
        for line in [json.dumps(turns[1]), huge, json.dumps(turns[2]), json.dumps(turns[3])]:
            file.write(line + "\n")
    result = analyze(folder, "--json")
    assert json.loads(result.stdout)["totals"]["turns"] == 3
    assert "transcript.jsonl:2: skipped: longer than" in result.stderr.decode()


@pytest.mark.parametrize("beyond", range(-2, 3))
def test_lines_are_found_wherever_the_reading_ends(folder, beyond):
    border = 256 * 1024  # the reader's buffer; a first line ends there
    turns = made_up_turns(3)
    missing = border + beyond - len(json.dumps(turns[0])) - 1
    turns[0]["content"]["message"] += "x" * missing
    write_lines(folder / "transcript.jsonl", turns)
    assert len((folder / "transcript.jsonl").read_bytes().split(b"\n")[0]) + 1 == border + beyond
    assert document(folder)["totals"]["turns"] == 3


def test_a_long_line_in_the_midst_of_many_is_read(folder):
    turns = made_up_turns(300)
    for number, one in enumerate(turns):
        one["content"]["message"] = "x" * ((number * 997) % 5000)
    turns[150]["content"]["message"] = "x" * 900000
    assert document(fill(folder, turns))["totals"]["turns"] == 300


def test_only_nonsense_ends_with_1(folder):
    (folder / "transcript.jsonl").write_text("nonsense\n")
    result = analyze(folder)
    assert result.returncode == 1
    assert "nothing to analyze" in result.stderr.decode()


def test_an_empty_transcript_ends_with_1(folder):
    (folder / "transcript.jsonl").write_text("")
    assert analyze(folder).returncode == 1


def test_a_folder_without_transcript_is_named_and_ends_with_2(folder):
    result = analyze(folder)
    assert result.returncode == 2
    assert f"{folder}/transcript.jsonl" in result.stderr.decode()
    assert result.stdout == b""


def test_what_is_not_there_is_named_and_ends_with_2(folder):
    result = analyze(folder / "gone")
    assert result.returncode == 2
    assert f"{folder}/gone" in result.stderr.decode()


def test_two_places_are_one_too_many(folder):
    assert analyze(folder, folder).returncode == 2


def test_an_unknown_flag_ends_with_2(folder):
    assert analyze(folder, "--jsn").returncode == 2


# ---- ways to name it ----


def test_a_transcript_file_can_be_given_alone(folder):
    fill(folder, made_up_turns(3))
    write_lines(folder / "calls.jsonl", [call(1)])
    found = document(folder / "transcript.jsonl")
    assert found["totals"]["turns"] == 3
    assert found["totals"]["calls"] is None


def test_without_a_word_the_latest_run_is_read(folder):
    runs = folder / "parley/runs"
    (runs / "20260131-r1").mkdir(parents=True)
    fill(runs / "20260131-r1", made_up_turns(2))
    (runs / "latest").symlink_to("20260131-r1")
    env = {"XDG_STATE_HOME": str(folder)}
    assert document(env=env)["totals"]["turns"] == 2
    assert document("20260131-r1", env=env)["totals"]["turns"] == 2


def test_without_any_run_it_says_so(folder):
    result = analyze(env={"XDG_STATE_HOME": str(folder)})
    assert result.returncode == 2
    assert "no latest run" in result.stderr.decode()


def test_out_writes_the_same_document_beside_the_table(folder):
    fill(folder, made_up_turns(3))
    out = folder / "analysis.json"
    result = analyze(folder, "--out", out)
    assert result.returncode == 0
    assert b"By persona" in result.stdout
    written = json.loads(out.read_text())
    found = document(folder)
    written.pop("generated_at"), found.pop("generated_at")
    assert written == found


def test_a_dash_is_standard_output_for_each_form_and_then_nothing_else_goes_there(folder):
    fill(folder, made_up_turns(3))
    assert json.loads(analyze(folder, "--out", "-").stdout)["totals"]["turns"] == 3
    page = analyze(folder, "--html", "-", env={"PATH": "/nowhere"}).stdout.decode()
    assert page.startswith("<!doctype html>") and page.endswith("</html>\n")
    assert analyze(folder, "--out", "-", "--json").returncode == 2
    assert [one.name for one in folder.iterdir()] == ["transcript.jsonl"]


@pytest.mark.parametrize("form", ["--out", "--csv", "--csv-summary", "--html"])
def test_a_pipe_that_is_named_is_written_to_and_stays_a_pipe(folder, form):
    fill(folder, made_up_turns(3))
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
    try:
        assert analyze(folder, form, pipe, env={"PATH": "/nowhere"}).returncode == 0
        assert b"time_to_first_token_ms" in reader.communicate(timeout=LIMIT_S)[0]
    finally:
        reader.kill()
        reader.communicate()
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert sorted(one.name for one in folder.iterdir()) == ["pipe", "transcript.jsonl"]


def test_a_reader_that_leaves_early_is_told_by_the_status(folder):
    fill(folder, made_up_turns(3))
    with open("/dev/full", "wb") as full:
        result = subprocess.run([PROGRAM, folder], stdout=full, stderr=subprocess.PIPE,
                                timeout=LIMIT_S, check=False)
    assert result.returncode == 1
    assert b"standard output" in result.stderr


# ---- the table ----


def table_of(folder, **more):
    result = analyze(folder, **more)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode()


def columns_of(line):
    """Terminal columns of a line with the letters of these tests: CJK takes two, marks none."""
    return sum(2 if 0x2e80 <= ord(c) <= 0xa4cf or ord(c) >= 0x20000
               else 0 if 0x300 <= ord(c) <= 0x36f else 1 for c in line)


def section_of(text, head):
    """The lines below a section's title."""
    return text.split("\n" + head, 1)[1].split("\n\n")[0].splitlines()[1:]


def test_the_table_tells_the_totals_first_and_fits_80_columns(folder):
    turns = made_up_turns(40)
    text = table_of(fill(folder, turns))
    heads = ["Summary", "Latencies and rates, one value a turn", "By persona (", "By model (",
             "By turn of the conversation (", "Conversations"]
    places = [text.index("\n" + head) for head in heads]
    assert places == sorted(places)
    tokens = total_of(turns, "tokens_generated")
    summary = " ".join(" ".join(section_of(text, "Summary")).split())
    assert f"1 conversation, 40 turns, {tokens:,} tokens generated in " in summary
    assert "There is no record of the model calls." in summary
    assert re.search(r"^  1 Ada Quill +20 ", text, re.M)
    assert max(map(columns_of, text.splitlines())) <= 80
    assert "\x1b" not in text


def test_a_lost_call_that_was_none_has_no_row(folder):
    fill(folder, made_up_turns(4))
    write_lines(folder / "calls.jsonl", [
        call(1), {**call(2, "failed"), "error": "timeout"}, call(3, "lost"), call(3)])
    wasted = section_of(table_of(folder), "Wasted on calls")
    assert len(wasted) == 2 and wasted[1].split() == ["timeout", "1", "-", "-", "1"]


def test_rows_that_the_json_lacks_are_not_promised(folder):
    write_lines(folder / "transcript.jsonl",
                [turn(1, conversation=f"c{n:011}") for n in range(1100)])
    assert "... and 1,068 more: --json has the first 1,000." in table_of(folder)
    assert len(document(folder)["conversations"]) == 1000


def test_columns_stay_aligned_under_wide_and_long_names(folder):
    names = ["二郎 𠮷野 é́ 家", "A very long name that does not fit into any column at all"]
    turns = [turn(n, names[(n - 1) % 2], tokens_generated=n) for n in range(1, 5)]
    text = table_of(fill(folder, turns, names))
    rows = [line for line in section_of(text, "By persona") if re.match(r"  [12] ", line)]
    assert len(rows) == 2
    assert columns_of(rows[0]) == columns_of(rows[1])
    assert "…" in rows[1]


def test_verbose_and_ascii_change_what_the_tables_are_made_of(folder):
    fill(folder, made_up_turns(40))
    plain = analyze(folder).stdout.decode()
    verbose = analyze(folder, "--verbose").stdout.decode()
    assert "█" in plain and " p25 " not in plain
    assert " p25 " in verbose and " p90 " in verbose
    assert max(map(columns_of, verbose.splitlines())) <= 80
    assert analyze(folder, "--ascii").stdout.decode().isascii()


def test_no_control_byte_of_a_hostile_name_reaches_the_terminal(folder):
    hostile = "\x1b[2J\x1b]0;owned\x07\u202egnp\n\r\t\x9b31m\u200b"
    turns = [turn(n, hostile, provider=hostile, model=hostile, finish_reason=hostile)
             for n in range(1, 4)]
    fill(folder, turns, [hostile, hostile])
    write_lines(folder / "events.jsonl", [event("resolve", hostile, hostile)])
    result = analyze(folder)
    assert result.returncode == 0
    assert result.stdout.count(b"<U+001B>[2J") > 4
    for output in [result.stdout, result.stderr]:
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200b]", output.decode())
    for line in result.stdout.decode().splitlines():
        assert len(line) <= 80 or line.startswith("source: ")


def test_bold_headers_are_for_terminals_or_who_asks(folder):
    fill(folder, made_up_turns(2))
    assert b"\x1b[1mSummary" in analyze(folder, "--color", "always").stdout
    assert b"\x1b" not in analyze(folder, "--color", "never").stdout
    assert b"\x1b" not in analyze(folder).stdout


def test_ten_thousand_personas_flood_neither_the_table_nor_the_memory(folder):
    turns = [turn(n, f"P{n}", seat=1) for n in range(1, 10001)]
    write_lines(folder / "transcript.jsonl", turns)
    text = table_of(folder)
    assert "... and 968 more" in text
    assert len(text.splitlines()) < 200
    found = document(folder)
    assert len(found["personas"]) == 1000
    assert found["turns_without_row"]["personas"] == 9000
    assert found["totals"]["turns"] == 10000


def test_the_help_tells_each_numbers_formula():
    result = analyze("--help")
    text = result.stdout.decode()
    assert result.returncode == 0
    for name in METRICS + list(SCHEMA["properties"]["totals"]["properties"])[1:]:
        assert name in text, name


# ---- Redis ----


def fill_redis(db, conversation, turns, state="ended", reason="turns"):
    root = "parley:{0}:"
    db.zadd(root + "conversations", {conversation: len(turns)})
    db.hset(root + f"conversation:{conversation}",
            mapping={"state": state, "reason": reason, "created_at": BEGIN_US - 500000,
                     "started_at": BEGIN_US})
    pipe = db.pipeline()
    for one in turns:
        pipe.xadd(root + f"transcript:{conversation}",
                  {"kind": one["kind"], "turn": "", "seat": "", "at": "",
                   "message": json.dumps(one)})
    pipe.execute()


def add_call(db, conversation, call_id, outcome="done", entry="*"):
    db.xadd("parley:{0}:calls", {"conversation": conversation, "call": call_id,
                                 "outcome": outcome}, id=entry)


@pytest.fixture
def url(redis_server):
    return f"unix://{redis_server.socket}"


def test_redis_tells_the_same_as_the_folder(db, url, folder):
    turns = made_up_turns(1203)  # three pages
    fill(folder, turns)
    fill_redis(db, "k3v9q2m4x7ab", [story()] + turns)
    from_folder, from_redis = document(folder), document("--redis", url)
    assert from_redis["totals"]["calls"] is None
    assert from_redis["conversations"][0]["state"] == "ended"
    assert from_redis["totals"] == from_folder["totals"]
    assert from_redis["metrics"] == from_folder["metrics"]
    assert url.removeprefix("unix://") in from_redis["source"]


def test_one_conversation_of_redis_can_be_named(db, url):
    for conversation in ["aaaaaaaaaaaa", "bbbbbbbbbbbb"]:
        fill_redis(db, conversation, [turn(n, conversation=conversation) for n in range(1, 4)])
        for _ in range(2):  # written twice: the connection was lost
            add_call(db, conversation, f"{conversation}:1")
    add_call(db, "bbbbbbbbbbbb", "bbbbbbbbbbbb:2", "failed")
    totals = document("--redis", url, "bbbbbbbbbbbb")["totals"]
    assert (totals["conversations"], totals["turns"]) == (1, 3)
    assert (totals["calls"], totals["calls_failed"]) == (2, 1)
    assert document("--redis", url)["totals"]["calls"] == 3


def test_more_conversations_than_a_page_are_all_read(db, url):
    for number in range(1001):
        conversation = f"c{number:011}"
        fill_redis(db, conversation, [turn(1, conversation=conversation)])
    totals = document("--redis", url)["totals"]
    assert (totals["conversations"], totals["turns"]) == (1001, 1001)


def test_calls_whose_record_was_cut_are_unknown(db, url):
    fill_redis(db, "k3v9q2m4x7ab", made_up_turns(2))
    for number in range(3):
        add_call(db, "k3v9q2m4x7ab", f"c{number}", entry=f"{BEGIN_US // 1000 + number}-0")
    assert document("--redis", url)["totals"]["calls"] == 3
    db.xtrim("parley:{0}:calls", maxlen=2, approximate=False)
    result = analyze("--redis", url, "--json")
    assert json.loads(result.stdout)["totals"]["calls"] is None
    assert "does not reach back" in result.stderr.decode()


def test_a_broken_entry_in_redis_is_skipped_and_told(db, url):
    fill_redis(db, "k3v9q2m4x7ab", made_up_turns(2))
    db.xadd("parley:{0}:transcript:k3v9q2m4x7ab", {"message": "nonsense"})
    result = analyze("--redis", url, "--json")
    assert json.loads(result.stdout)["totals"]["turns"] == 2
    assert "transcript of k3v9q2m4x7ab, entry" in result.stderr.decode()


def test_a_conversation_that_is_not_there_ends_with_2(db, url):
    result = analyze("--redis", url, "zzzzzzzzzzzz")
    assert result.returncode == 2
    assert "zzzzzzzzzzzz" in result.stderr.decode()


def test_an_empty_shard_ends_with_1(db, url):
    assert analyze("--redis", url, "--shard", "empty").returncode == 1


def test_no_redis_ends_with_3(folder):
    result = analyze("--redis", f"unix://{folder}/none.sock")
    assert result.returncode == 3
    assert "none.sock" in result.stderr.decode()


def test_the_password_of_a_redis_is_not_told(folder):
    result = analyze("--redis", "redis://:topsecret@127.0.0.1:1/0")
    assert result.returncode == 3
    assert b"topsecret" not in result.stdout + result.stderr


def test_a_folder_wins_over_a_redis_of_the_environment(folder):
    fill(folder, made_up_turns(2))
    env = {"REDIS_URL": "unix:///nowhere.sock"}
    assert document(folder, env=env)["totals"]["turns"] == 2
