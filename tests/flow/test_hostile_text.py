"""Hostile text from the model: stored as it came, shown so that it can do no harm."""
import json
import pathlib
import re
import time

from helpers import (FakeOllama, Fleet, OnTerminal, assert_harmless, assert_run_folder, box, read_lines,
                     story_file, words_of)  # noqa: F401 - box is a fixture

# ESC sequences, C1, bidi marks, controls, invisible ones.
HOSTILE = ["\x1b[2J\x1b]0;title\x07", "\x9b31m\x90q\x9c", "\u202egnp.exe\u2066\u2069",
           "\x01\x08\x7f", "line\r\nbreaks\tand tabs", "\ufeff\u200b"]


def hostile_chat(kind, number, body):
    """Its bytes come cut at every odd place; JSON has the control characters as escapes."""
    if kind != "turn":
        return None
    line = json.dumps({"model": "llama3.2", "done": False, "message": {
        "role": "assistant", "content": f"begin {HOSTILE[(number - 1) % len(HOSTILE)]} end"}},
        ensure_ascii=False).encode() + b"\n"
    return [line[at:at + 3] for at in range(0, len(line), 3)]


def broken_chat(kind, number, body):
    """Broken UTF-8 within a JSON text; a good character cut in two over chunks and over lines."""
    if kind != "turn":
        return None
    bad = [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x92"][(number - 1) % 5]
    line = (b'{"model":"llama3.2","message":{"role":"assistant","content":"a' + bad
            + b'b \xe2\x82\xac z"},"done":false}\n')
    return [line[:62], line[62:63], line[63:64], line[64:-12], line[-12:]]


def test_hostile_words_are_stored_as_they_came_and_shown_harmless_in_a_pipe(box):
    with FakeOllama(hostile_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--story", story_file(box), "--turns", 6,
                          "--observe", "plain", "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    assert words_of(read_lines(box.path("D/transcript.jsonl"))) == [
        f"begin {text} end" for text in HOSTILE]
    assert_harmless(done.stdout + done.stderr)
    assert done.stdout.count("begin ") == 6
    assert_run_folder(box.path("D"))
    raw = pathlib.Path(box.path("D/transcript.jsonl")).read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f]", raw)
    for log in pathlib.Path(box.path("D/logs")).iterdir():
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", log.read_text()), log


def slow_words(number):
    """A character at a time, slowly enough to be shown while it is spoken."""
    for char in f"begin {HOSTILE[(number - 1) % len(HOSTILE)]} end":
        yield char
        time.sleep(0.02)


def test_hostile_words_are_shown_harmless_on_a_terminal_while_they_are_spoken(box):
    def on_chat(kind, number, body):
        return slow_words(number) if kind == "turn" else None
    with FakeOllama(on_chat) as server:
        run = OnTerminal(box, "run", "--ollama", server.url, "--story", story_file(box), "--turns",
                         len(HOSTILE), "--observe", "plain", "--update-rate", "10ms", "--out",
                         box.path("D"))
        assert run.wait(20) == 0
        run.close()
    shown = run.data.decode()
    assert shown.count("begin") >= len(HOSTILE)
    assert_harmless(shown, colours=True)


def test_broken_utf8_becomes_the_replacement_character_and_good_is_not_cut(box):
    with FakeOllama(broken_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--story", story_file(box), "--turns", 5,
                          "--observe", "plain", "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    for words in words_of(read_lines(box.path("D/transcript.jsonl"))):
        assert re.fullmatch("a\ufffd{1,3}b € z", words), words
    assert_run_folder(box.path("D"))
    assert "\ufffd" in done.stdout
    assert_harmless(done.stdout)


def test_a_hostile_story_is_shown_harmless_too(box):
    story = {"setting": "\x1b[2JA pier\u202e.", "initial_situation": "\x9b31mRain.", "characters": [
        {"name": "Ada", "description": "x\x07"}, {"name": "Bo", "description": "y"}]}
    personas = {"personas": [{"name": name, "role": "\x1b]0;r\x07", "traits": ["\x1b[1m"],
                              "goal": "\u2066g", "style": "s\x08"} for name in ("Ada", "Bo")]}

    def on_chat(kind, number, body):
        return {"story": [json.dumps(story)], "personas": [json.dumps(personas)]}.get(kind)
    with FakeOllama(on_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--turns", 2, "--observe", "plain",
                          "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    assert_harmless(done.stdout + done.stderr)
    transcript = read_lines(box.path("D/transcript.jsonl"))
    assert transcript[0]["content"]["setting"] == story["setting"]
    assert transcript[1]["content"]["role"] == "\x1b]0;r\x07"


def test_a_nul_from_the_model_does_not_end_the_conversation(box):
    def on_chat(kind, number, body):
        return ["before \x00 after"] if kind == "turn" else None
    with FakeOllama(on_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--story", story_file(box), "--turns", 2,
                          "--observe", "plain", "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    for words in words_of(read_lines(box.path("D/transcript.jsonl"))):
        assert words in ("before \x00 after", "before \ufffd after")


def test_hostile_records_of_turns_given_up_are_shown_harmless_and_whole(box):
    """parley dead: 300 records of 20 KB each, and none is cut short."""
    fleet = Fleet(box)
    text = "".join(HOSTILE) + "y" * 20000
    pipe = fleet.db.pipeline()
    for number in range(300):
        pipe.xadd("parley:{0}:dead", {"conversation": f"\x1b[31m{number}", "turn": "x", "text": text})
    first, *rest = pipe.execute()
    listed = [json.loads(line) for line in box.parley("dead", "list", "--json").stdout.splitlines()]
    assert [one["id"] for one in listed] == [first, *rest]
    assert {one["text"] for one in listed} == {text} and listed[7]["conversation"] == "\x1b[31m7"
    for words in (["list"], ["show", first]):
        done = box.parley("dead", *words)
        assert done.returncode == 0 and done.stderr == ""
        assert_harmless(done.stdout)
    assert "y" * 20000 in done.stdout
    fleet.box.stop_all()
