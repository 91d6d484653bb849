"""parley export: every form read back by another reader, hostile words included."""
import csv
import html
import html.parser
import io
import json
import os
import pathlib
import random
import re
import subprocess

import pytest
from helpers import BUILD, LIMIT_S, Fleet, box, complaints, read_lines  # noqa: F401 - box is a fixture
from test_analyzer import BEGIN_US, call, message, metadata, persona, story, turn, write_lines

LONG = os.environ.get("PARLEY_PROOF") == "long"
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200c\u200e\u200f"
                     "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]")
ONE, TWO = "k3v9q2m4x7ab", "a3v9q2m4x7cd"


def export(*words, data=b"", status=0, env=None):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("PARLEY_") and name != "REDIS_URL"}
    done = subprocess.run([BUILD / "parley", "export", *map(str, words)], input=data,
                          capture_output=True, timeout=LIMIT_S, env={**clean, **(env or {})},
                          check=False)
    assert done.returncode == status, done.stderr.decode()
    return done


def said(number, seat, text, conversation=ONE, to=None, **more):
    """A turn's line: who said what, and to whom."""
    line = turn(number, name=["Ada", "Bo", "Cy"][seat - 1], seat=seat, conversation=conversation)
    line["content"]["message"] = text
    return {**line, "to": to, "metadata": {**line["metadata"], **more}}


def cast(names, conversation=ONE):
    return [story(conversation)] + [persona(i + 1, name, conversation)
                                    for i, name in enumerate(names)]


@pytest.fixture
def log(tmp_path):
    """Three speak: a whisper, a failed turn, an empty one, two turns in a row; and two more
    speak in between, in a conversation of their own."""
    lines = cast(["Ada", "Bo", "Cy"]) + cast(["Ada", "Bo"], TWO) + [
        said(1, 1, "First words."),
        said(1, 2, "Another room.", TWO),
        said(2, 2, "A secret.", to=[1]),
        said(3, 3, "What did he say?"),
        said(2, 1, "Yes.", TWO),
        said(4, 1, "", failed=True),
        said(5, 2, "   "),
        said(6, 1, "Nothing."),
        said(7, 1, "Nothing at all."),
        said(8, 2, "Quite."),
    ]
    write_lines(tmp_path / "transcript.jsonl", lines)
    return tmp_path


def check_alternation(record):
    """System once at the start, then user and assistant by turns, the assistant last."""
    roles = [one["role"] for one in record["messages"]]
    if roles[0] == "system":
        roles = roles[1:]
    assert roles == ["user", "assistant"] * (len(roles) // 2)
    assert roles and all(one["content"].strip() for one in record["messages"])


def records(*words):
    return [json.loads(line) for line in export(*words, "--format", "messages").stdout.splitlines()]


def test_messages_show_each_seat_what_it_saw_and_said(log):
    done = export(log, "--format", "messages")
    made = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(made) == 5
    for record in made:
        assert list(record) == ["messages"]
        check_alternation(record)
    ada, bo, cy = ([one["content"] for one in record["messages"][1:]] for record in made[:3])
    assert ada == ["(The scene begins. Ada speaks first.)", "First words.",
                   "Bo: A secret.\n\nCy: What did he say?", "Nothing.\n\nNothing at all."]
    assert bo == ["Ada: First words.", "A secret.",
                  "Cy: What did he say?\n\nAda: Nothing.\n\nAda: Nothing at all.", "Quite."]
    assert cy == ["Ada: First words.", "What did he say?"]
    assert b"left out: 1 failed, 1 empty turns" in done.stderr


def test_the_system_text_is_what_the_persona_was_told(log):
    system = records(log, "--perspective", "2")[0]["messages"][0]
    assert system["role"] == "system"
    assert system["content"].startswith("You are Bo, guest.")
    for part in ["Setting: A pier.", "Situation: It rains.", "- Cy, guest", "Your goal: leave"]:
        assert part in system["content"]


def test_names_stand_on_messages_of_one_speaker(log):
    ada, bo = records(log, ONE, "--names")[:2]
    assert [one.get("name") for one in ada["messages"]] == [None, None, "Ada", None, "Ada"]
    assert [one.get("name") for one in bo["messages"]] == [None, "Ada", "Bo", None, "Bo"]


def test_sharegpt_is_one_array_that_alternates_human_first(log):
    made = json.loads(export(log, "--format", "sharegpt").stdout)
    assert [one["id"] for one in made] == [f"{ONE}:1", f"{ONE}:2", f"{ONE}:3", f"{TWO}:1", f"{TWO}:2"]
    for record in made:
        sides = [one["from"] for one in record["conversations"]]
        assert sides == ["human", "gpt"] * (len(sides) // 2) and sides
        assert record["system"].startswith("You are ")
    nobody = export(log, "--format", "sharegpt", "--perspective", "9")
    assert b"no seat that is wanted spoke" in nobody.stderr
    nothing = json.loads(nobody.stdout)
    assert nothing == []


def test_a_log_without_personas_has_no_system_text_and_says_so(tmp_path):
    write_lines(tmp_path / "log.jsonl", [said(1, 1, "Alone."), said(2, 2, "Not quite.")])
    done = export(tmp_path / "log.jsonl", "--format", "messages")
    for line in done.stdout.splitlines():
        check_alternation(json.loads(line))
        assert json.loads(line)["messages"][0]["role"] == "user"
    assert b"2 records have no system text" in done.stderr


def test_a_whisper_is_in_no_others_view(log):
    for form in ["jsonl", "csv", "text", "markdown", "html", "messages", "sharegpt"]:
        assert b"A secret" in export(log, "--format", form).stdout, form
        assert b"A secret" in export(log, "--format", form, "--perspective", "1").stdout, form
        assert b"A secret" not in export(log, "--format", form, "--perspective", "3").stdout, form


SAID = ["First words.", "A secret.", "What did he say?", "Nothing.", "Nothing at all.", "Quite."]
OWN = {"1": ["First words.", "Nothing.\n\nNothing at all."], "2": ["A secret.", "Quite."],
       "3": ["What did he say?"]}


def heard(text):
    """Which of the words stand in an export, in their order."""
    longest_first = sorted(SAID, key=len, reverse=True)
    return re.findall("|".join(map(re.escape, longest_first)), text)


@pytest.mark.parametrize("seat", ["1", "2", "3", "all"])
@pytest.mark.parametrize("form", ["jsonl", "csv", "text", "markdown", "html"])
def test_every_form_to_read_shows_what_a_seat_heard(log, form, seat):
    done = export(log, ONE, "--format", form, "--perspective", seat)
    text = html.unescape(done.stdout.decode()).replace("\\", "")
    assert heard(text) == [one for one in SAID if seat != "3" or one != "A secret."]


@pytest.mark.parametrize("seat", ["1", "2", "3", "all"])
@pytest.mark.parametrize("form", ["messages", "sharegpt"])
def test_every_form_to_train_with_has_a_record_for_each_seat_that_is_asked_for(log, form, seat):
    text = export(log, ONE, "--format", form, "--perspective", seat).stdout.decode()
    made = ([[(one["role"], one["content"]) for one in json.loads(line)["messages"][1:]]
             for line in text.splitlines()] if form == "messages" else
            [[(one["from"], one["value"]) for one in record["conversations"]]
             for record in json.loads(text)])
    user, assistant = ("user", "assistant") if form == "messages" else ("human", "gpt")
    assert [[value for side, value in record if side == assistant] for record in made] == (
        list(OWN.values()) if seat == "all" else [OWN[seat]])
    for record in made:
        assert [side for side, _ in record] == [user, assistant] * (len(record) // 2)


def aside(kind, number, text, to=None):
    """What `say` puts in: a stage direction, or a whisper to some."""
    line = message(kind, f"{kind}:{number}", BEGIN_US, {
        "type": "conversation", "message": text, "sentiment": None, "references": []},
        metadata(ONE))
    return {**line, "to": to}


def test_stage_directions_and_whispers_stand_as_the_worker_tells_them(tmp_path):
    write_lines(tmp_path / "log.jsonl", cast(["Ada", "Bo"]) + [
        aside("event", 1, "It rains."), said(1, 1, "Rain."), aside("whisper", 1, "Lie.", to=[2]),
        said(2, 2, "What rain?")])
    ada, bo = ([one["content"] for one in record["messages"][1:]]
               for record in records(tmp_path / "log.jsonl"))
    assert ada == ["(Stage direction: It rains.)", "Rain."]
    assert bo == ["(Stage direction: It rains.)\n\nAda: Rain.\n\n"
                  "(Whispered to you alone, the others do not hear it: Lie.)", "What rain?"]
    text = export(tmp_path / "log.jsonl", "--format", "text").stdout.decode()
    assert "stage:\n    It rains." in text and "stage, to Bo:\n    Lie." in text


def test_jsonl_is_the_log(log):
    kept = export(log, "--format", "jsonl").stdout
    assert kept == (log / "transcript.jsonl").read_bytes()
    assert len(export(log, TWO, "--format", "jsonl").stdout.splitlines()) == 5


def test_thinking_is_told_only_when_asked_for(log):
    calls = [{**call(1), "thinking": "not this one", "outcome": "failed"},
             {**call(1), "thinking": "Shall I \u001b[2J begin?"},
             {**call(6), "thinking": "one"}, {**call(7), "thinking": "two"}]
    write_lines(log / "calls.jsonl", calls)
    assert "reasoning_content" not in str(records(log))
    ada, bo = records(log, ONE, "--thinking")[:2]
    assert [one.get("reasoning_content") for one in ada["messages"]] == [
        None, None, "Shall I \u001b[2J begin?", None, "one\n\ntwo"]
    assert "reasoning_content" not in str(bo)
    assert b"[thinks] Shall I <U+001B>[2J begin?" in export(log, "--thinking", "--format", "text").stdout
    assert b"--thinking: csv has no place for it" in export(
        log, "--thinking", "--format", "csv", status=2).stderr


# ---- hostile words ----

def hostile(count, seed=11):
    """Strings that would like to be commands, markup or formulas."""
    rng = random.Random(seed)
    seeds = ["\x1b[2J", "\x1b]52;c;cm0=\x07", "\x1b]8;;http://e.vil\x1b\\x", "\x9b31m", "\x90q\x9c",
             "\u202egnp.exe", "</p><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
             "=HYPERLINK(\"http://e.vil\")", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1",
             "\"quoted\",", "](javascript:alert(1))", "```\n# no", "a\u200bb", "\ufeff", "\U000e0041",
             "\x7f", "'; --", "&lt;b&gt;", "1) one", "- list", "=====", "| a | b |\n|---|---|"]
    return ["".join(rng.choice(seeds) if rng.random() < 0.5 else rng.choice("ab \n\x1b\x9d=<\u2067")
                    for _ in range(rng.randint(1, 6))) + "." for _ in range(count)]


@pytest.fixture(scope="module")
def evil(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evil")
    words = hostile(10000 if LONG else 400)
    lines = cast(["\x1b[31mAda", "=Bo"]) + [said(i + 1, i % 2 + 1, one)
                                           for i, one in enumerate(words)]
    write_lines(folder / "transcript.jsonl", lines)
    return folder, words


@pytest.mark.parametrize("form", ["jsonl", "sharegpt", "messages", "markdown", "html", "csv", "text"])
def test_no_control_character_leaves_in_any_form(evil, form):
    text = export(evil[0], "--format", form).stdout.decode()
    if form == "csv":
        text = text.replace("\r\n", "\n")
    assert not HARMFUL.search(text)


def test_what_was_said_comes_back_word_for_word(evil):
    folder, words = evil
    lines = [json.loads(line) for line in export(folder, "--format", "jsonl").stdout.splitlines()]
    assert [line["content"]["message"] for line in lines if line["kind"] == "turn"] == words
    gpt = json.loads(export(folder, "--format", "sharegpt", "--perspective", "2").stdout)[0]
    assert [one["value"] for one in gpt["conversations"] if one["from"] == "gpt"] == words[1::2]


def test_no_cell_of_the_csv_is_a_formula(evil):
    folder, words = evil
    raw = export(folder, "--format", "csv").stdout.decode()
    rows = list(csv.DictReader(io.StringIO(raw, newline="")))
    assert [int(row["turn"]) for row in rows] == list(range(1, len(words) + 1))
    for row, one in zip(rows, words):
        assert None not in row and row["text"][:1] not in "=+-@\t\r\n", row
        assert (row["author"], row["kind"]) in [("<U+001B>[31mAda", "turn"), ("Ada", "turn"),
                                                ("Bo", "turn")]
        if one.isalnum():
            assert row["text"] == one


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_no_word_becomes_an_element_of_the_html(evil):
    page = Page()
    page.feed(export(evil[0], "--format", "html").stdout.decode())
    assert page.tags <= {"html", "head", "meta", "title", "style", "body", "section", "h1", "p",
                         "ul", "li", "b", "div", "span", "bdi"}
    assert page.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class", "dir"}


def test_no_line_of_the_markdown_begins_a_block_that_was_said(evil):
    text = export(evil[0], "--format", "markdown").stdout.decode()
    body = text.split("\n---\n", 1)[1]
    assert not re.search(r"^(#|[-+=]|```|>|\d+[.)]|<|\|)", body, re.MULTILINE)
    assert not re.search(r"(?<!\\)[<`\]|]", body)


# ---- sources and manners ----

def test_a_log_comes_through_a_pipe(log):
    data = (log / "transcript.jsonl").read_bytes()
    for form in ["jsonl", "messages", "html"]:
        done = export("-", "--format", form, data=data)
        assert done.stdout == export(log, "--format", form).stdout
        assert (b"is kept in" in done.stderr) == (form != "jsonl")


def test_the_temporary_copy_is_gone_afterwards(log, tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    export("-", "--format", "text", data=(log / "transcript.jsonl").read_bytes(),
           env={"TMPDIR": str(room)})
    assert list(room.iterdir()) == []


def test_a_broken_line_is_named_and_costs_only_itself(log):
    path = log / "transcript.jsonl"
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole[:8]) + b"{broken\n" + b"".join(whole[8:]) + b'{"cut": ')
    for form in ["jsonl", "messages"]:
        done = export(log, "--format", form)
        assert f"{path}:9: skipped: ".encode() in done.stderr
        assert f"{path}:{len(whole) + 2}: skipped: the last line is cut off".encode() in done.stderr
    assert len(export(log).stdout.splitlines()) == len(whole)


def test_a_file_appears_whole_or_not_at_all(log, tmp_path):
    out = tmp_path / "out.md"
    assert export(log, "--format", "markdown", "--out", out).stdout == b""
    assert out.read_text().startswith("# Conversation ")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    assert b"nothing to export" in export(empty, "--out", tmp_path / "no", status=1).stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "empty.jsonl", "out.md", "transcript.jsonl"]
    assert b"--out: " in export(log, "--out", tmp_path / "no" / "where", status=2).stderr


def test_wrong_words_are_told_with_what_is_allowed(log):
    assert b"jsonl" in export(log, "--format", "xml", status=2).stderr
    assert b"a seat from 1 to 16, or all" in export(log, "--perspective", "0", status=2).stderr
    assert b"no such folder" in export("/nowhere/at/all", status=2).stderr


def test_text_and_markdown_are_wrapped(tmp_path):
    write_lines(tmp_path / "log.jsonl", [said(1, 1, "word " * 200)])
    for form in ["text", "markdown"]:
        lines = export(tmp_path / "log.jsonl", "--format", form).stdout.decode().splitlines()
        assert max(map(len, lines)) <= 80 and sum("word" in line for line in lines) > 10


# ---- from Redis ----

@pytest.fixture
def fleet(box):  # noqa: F811
    fleet = Fleet(box)
    yield fleet
    fleet.box.stop_all()


def test_a_shard_becomes_the_folder_that_a_run_would_have_left(fleet):
    fleet.crew("--provider", "echo")
    ids = fleet.begin("--dry-run", "--turns", 4, "--conversations", 3, "--topic", "clock {i}").split()
    for conversation in ids:
        fleet.wait_end(conversation)
    folder = pathlib.Path(fleet.box.path("copy"))
    assert fleet.box.parley("export", "--from-redis", "--out", folder).returncode == 0
    for name, schema in (("transcript", "dialog_message"), ("calls", "call"), ("events", "event")):
        lines = read_lines(folder / f"{name}.jsonl")
        assert lines and [complaints(schema, line) for line in lines] == [[]] * len(lines)
    transcript = [json.dumps(line) for line in read_lines(folder / "transcript.jsonl")]
    stored = [json.dumps(json.loads(fields["message"])) for one in ids
              for _, fields in fleet.db.xrange(f"parley:{{0}}:transcript:{one}")]
    assert sorted(transcript) == sorted(stored)
    run = json.loads((folder / "run.json").read_text())
    assert complaints("run", run) == [] and run["pid"] is None
    assert sorted(run["conversations"]) == sorted(ids)
    assert sorted(one["topic"] for one in run["casts"]) == ["clock 1", "clock 2", "clock 3"]
    again = fleet.box.parley("export", "--from-redis", "--out", folder)
    assert again.returncode == 2 and "holds a run already" in again.stderr
    one = fleet.box.parley("export", ids[1], "--format", "messages", "--redis", fleet.url)
    from_folder = fleet.box.parley("export", folder, ids[1], "--format", "messages")
    assert one.returncode == 0 and one.stdout == from_folder.stdout
    assert "Topic: clock " in one.stdout
    assert fleet.box.parley("export", "k3v9q2m4x7zz", "--redis", fleet.url).returncode == 2
    assert fleet.box.parley("export", "--from-redis", "--redis", "unix:///nowhere.sock", "--out",
                            fleet.box.path("none")).returncode == 3
