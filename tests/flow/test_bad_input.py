"""What people get wrong, and what servers do: an exit code, one line, and nothing begun."""
import json
import os
import pathlib
import re
import signal
import time

import pytest

from helpers import (FAST, STORY_FILE, BlackHole, FakeOllama, Fleet, assert_run_folder, box,
                     closed_port, read_lines, story_file, wait_for,
                     words_of)  # noqa: F401 - box is a fixture


def assert_told(done, status, *parts):
    """The exit status, nothing on stdout, and one line on stderr with all the parts in it."""
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    for part in parts:
        assert part in lines[0], f"{part!r} is not in {lines[0]!r}"


# ---- Redis ----

@pytest.mark.parametrize("how, command", [
    ("refused", ["run", "--dry-run"]), ("refused", ["start"]), ("refused", ["observe"]),
    ("silent", ["run", "--dry-run"]), ("silent", ["status"]), ("silent", ["observe"]),
], ids=lambda value: value if isinstance(value, str) else value[0])
def test_a_redis_that_does_not_answer_is_told_within_some_seconds(box, how, command):
    with BlackHole() as hole:
        url = f"redis://127.0.0.1:{hole.port if how == 'silent' else closed_port()}"
        done = box.parley(*command, "--redis", url)
    assert_told(done, 3, url, "--redis URL")
    assert done.seconds < (8 if how == "silent" and command == ["observe"] else 5)
    box.assert_nothing_made()


@pytest.mark.parametrize("how", ["refused", "silent"])
@pytest.mark.parametrize("command", [["manager"], ["worker", "--seat", "1"]], ids=lambda words: words[0])
def test_a_service_whose_redis_is_not_there_at_its_start_leaves(box, how, command):
    with BlackHole() as hole:
        url = f"redis://127.0.0.1:{hole.port if how == 'silent' else closed_port()}"
        done = box.parley(*command, "--redis", url, "--log-file", box.path("log"))
    assert_told(done, 3, url, "--redis URL")
    assert done.seconds < (8 if how == "silent" else 5)  # a greeting gets 5 s


def test_a_redis_that_is_slow_to_greet_is_waited_for(box):
    """Where it takes connections and is too busy to answer for 3 s, services start all the same."""
    fleet = Fleet(box)
    pid = fleet.db.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    try:
        started_at = time.monotonic()
        services = [fleet.manager(), fleet.worker(1), box.start("observe")]
        wait_for(lambda: time.monotonic() - started_at > 3, "the time of a slow greeting")
    finally:
        os.kill(pid, signal.SIGCONT)
    fleet.wait_ready("manager-1", "worker-1-1")
    for service in services:
        assert service.poll() is None
        assert "greeting" not in open(service.err_path).read()
    box.stop_all()


def test_a_redis_socket_that_is_not_there_is_told(box):
    done = box.parley("run", "--dry-run", "--redis", "unix:///nowhere/redis.sock")
    assert_told(done, 3, "unix:///nowhere/redis.sock", "No such file", "--redis URL")
    box.assert_nothing_made()


def test_something_that_is_no_redis_is_told(box):
    with FakeOllama() as server:
        url = server.url.replace("http:", "redis:")
        done = box.parley("list", "--redis", url)
    assert_told(done, 3, url, "--redis URL")
    assert done.seconds < 5


@pytest.mark.parametrize("url", ["http://localhost", "redis://", "redis://host:99999",
                                 "localhost:1"])
def test_what_is_no_url_of_redis_is_a_wrong_value(box, url):
    assert_told(box.parley("run", "--dry-run", "--redis", url), 2, "--redis")
    box.assert_nothing_made()


def test_a_wrong_password_is_told_and_not_shown(box):
    fleet = Fleet(box)
    fleet.db.config_set("requirepass", "right-secret")
    pathlib.Path(box.path("secret")).write_text("wrong-secret\n")
    done = box.parley("run", "--dry-run", "--redis", fleet.url,
                      "--redis-password-file", box.path("secret"))
    assert_told(done, 3, fleet.url, "--redis URL")
    assert "secret" not in done.stderr.replace("/secret", "") and done.seconds < 5
    box.stop_all()


# ---- the model server ----

def test_without_a_model_server_the_url_and_three_ways_out_are_told(box):
    url = f"http://127.0.0.1:{closed_port()}"
    done = box.parley("run", "--ollama", url)
    assert_told(done, 4, url, "`ollama serve`", "--ollama URL", "--simulate")
    box.assert_nothing_made()


def test_a_model_server_that_says_nothing_is_told(box):
    with BlackHole() as hole:
        url = f"http://127.0.0.1:{hole.port}"
        done = box.parley("run", "--ollama", url)
    assert_told(done, 4, url, "`ollama serve`", "--ollama URL", "--simulate")
    assert done.seconds < 8
    box.assert_nothing_made()


def test_a_server_that_is_no_model_server_is_told(box):
    with FakeOllama(models=()) as server:
        done = box.parley("run", "--ollama", server.url + "/elsewhere")
    assert_told(done, 4, server.url, "--ollama URL")
    box.assert_nothing_made()


def test_a_lacking_model_is_told_with_those_that_are_there(box):
    with FakeOllama(models=("qwen2.5:7b", "mistral:latest")) as server:
        done = box.parley("run", "--ollama", server.url, "--model", "mistral", "--model", "2=phi4")
    assert_told(done, 4, "phi4", "qwen2.5:7b", "mistral:latest", "`ollama pull phi4`")
    box.assert_nothing_made()


def test_hostile_names_of_models_are_shown_harmless(box):
    with FakeOllama(models=("\x1b[2Jbad\nline", "\u202eevil")) as server:
        done = box.parley("run", "--ollama", server.url)
    assert_told(done, 4, "`ollama pull llama3.2`")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stderr)
    box.assert_nothing_made()


# ---- options ----

@pytest.mark.parametrize("word, told", [
    ("analize", "there is no command 'analize', did you mean analyze?"),
    ("qwertz", "there is no command 'qwertz' (parley --help lists them)"),
], ids=["a slip", "another word"])
def test_a_command_that_is_not_there_is_told_with_the_one_that_was_meant(box, word, told):
    done = box.parley(word)
    assert (done.returncode, done.stderr) == (2, f"parley: {told}\n")


@pytest.mark.parametrize("words, parts", [
    (["--simulat"], ["--simulat", "did you mean --simulate"]),
    (["--duration", "5x"], ["--duration", "'5x'", "5m"]),
    (["--duration", "0s"], ["--duration", "'0s'", "1s"]),
    (["--turns", "0"], ["--turns", "'0'", "from 1 to"]),
    (["--turns", "-3"], ["--turns", "'-3'", "from 1 to"]),
    (["--turns", "6.5"], ["--turns", "'6.5'", "from 1 to"]),
    (["--turns"], ["--turns"]),
    (["--turns", "none", "--duration", "none"], ["--turns", "--duration", "never end"]),
    (["--personas", "1"], ["--personas", "'1'", "from 2 to 16"]),
    (["--personas", "17"], ["--personas", "'17'", "from 2 to 16"]),
    (["--model", "17=x"], ["--model", "17"]),
    (["--observe", "loud"], ["--observe", "'loud'", "plain"]),
    (["--temperature", "hot"], ["--temperature", "'hot'"]),
    (["--seat", "1"], ["--seat"]),
    (["--simulate", "--dry-run"], ["--simulate", "--dry-run"]),
    (["--topic", "x" * 100_000], ["--topic"]),
    (["again"], ["'again'"]),
    (["--config", "/nowhere.json"], ["/nowhere.json", "No such file"]),
    (["--shard", "a{b}"], ["shard"]),
    (["--prompts", "/nowhere", "--dry-run"], ["/nowhere"]),
], ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else None)
def test_a_wrong_option_is_named_with_its_value_and_what_is_allowed(box, words, parts):
    done = box.parley("run", *words)
    assert_told(done, 2, *parts)
    assert done.seconds < 5
    box.assert_nothing_made()


@pytest.mark.parametrize("config, parts", [
    ('{"conversation": {"max_turn": 3}}', ["conversation.max_turn"]),
    ('{"conversations": {}}', ["conversations"]),
    ('{"conversation": {"max_turns": 0}}', ["conversation.max_turns", "'0'", "from 1 to"]),
    ('{"conversation": {"max_turns": "many"}}', ["conversation.max_turns", "'many'", "from 1 to"]),
    ('{"conversation": {"personas": [2]}}', ["conversation.personas"]),
    ('{"conversation": 5}', ["conversation"]),
    ('{"model": {"temperature": null}}', ["model.temperature"]),
    ('{"conversation": {"max_turns": 3,}}', ["line 1, column"]),
    ('[]', ["object"]),
    ('', ["line 1, column"]),
])
def test_a_wrong_config_file_is_named_with_key_and_value(box, config, parts):
    path = pathlib.Path(box.path("config.json"))
    path.write_text(config)
    for command in (["run", "--dry-run"], ["check-config"]):
        assert_told(box.parley(*command, "--config", path), 2, str(path), *parts)
    box.assert_nothing_made()


@pytest.mark.parametrize("name, value", [("PARLEY_TURNS", "0"), ("PARLEY_DURATION", "5x")])
def test_a_wrong_value_of_the_environment_is_named_too(box, name, value):
    done = box.parley("run", "--dry-run", env={name: value})
    assert_told(done, 2, name, f"'{value}'")
    box.assert_nothing_made()


def test_an_unknown_command_and_none_at_all_are_usage_errors(box):
    assert_told(box.parley("rum"), 2, "'rum'")
    done = box.parley()
    assert (done.returncode, done.stdout) == (2, "") and "Usage:" in done.stderr
    done = box.parley("--help")
    assert (done.returncode, done.stderr) == (0, "") and "Usage:" in done.stdout


# ---- story files ----

def story_without(key):
    return {name: value for name, value in STORY_FILE.items() if name != key}


@pytest.mark.parametrize("story, parts", [
    ("{\n  \"setting\": \"x\",\n  oops}", ["line 3, column"]),
    ("", ["line 1, column"]),
    (json.dumps(story_without("setting")), ['"setting"']),
    (json.dumps({**STORY_FILE, "setting": 3}), ["/setting", "string"]),
    (json.dumps({**STORY_FILE, "more": 3}), ["more"]),
    (json.dumps({**STORY_FILE, "personas": STORY_FILE["personas"][:1]}), ["/personas", "2"]),
    (json.dumps({**STORY_FILE, "personas": 9 * STORY_FILE["personas"]}), ["/personas", "16"]),
    (json.dumps({**STORY_FILE, "personas": [{**STORY_FILE["personas"][0], "traits": [1]},
                                            STORY_FILE["personas"][1]]}), ["/personas/0/traits/0"]),
    (json.dumps({**STORY_FILE, "personas": 2 * STORY_FILE["personas"][:1]}), ["Ada"]),
    ("[1]", ["object"]),
], ids=["bad JSON", "empty", "no setting", "setting is a number", "an extra key", "one persona",
        "18 personas", "a trait is a number", "one name twice", "a list"])
@pytest.mark.parametrize("command", ["run", "start"])
def test_a_broken_story_file_is_told_with_place_and_what_was_expected(box, story, parts, command):
    path = pathlib.Path(box.path("story.json"))
    path.write_text(story)
    done = box.parley(command, "--story", path)
    assert_told(done, 2, "--story", str(path), *parts)
    box.assert_nothing_made()


def test_a_story_file_that_is_not_there_is_told(box):
    done = box.parley("run", "--simulate", "--story", "/nowhere.json")
    assert_told(done, 2, "--story", "/nowhere.json", "No such file")
    box.assert_nothing_made()


# ---- the folder ----

def test_a_folder_that_holds_a_run_is_kept_unless_forced(box):
    out = pathlib.Path(box.path("D"))
    words = ["run", "--dry-run", "--turns", 2, "--observe", "none", "--out", out]
    assert box.parley(*words).returncode == 0
    first = (out / "transcript.jsonl").read_text()
    (out / "mine.txt").write_text("kept")
    assert_told(box.parley(*words), 2, "--out", str(out), "--force")
    assert (out / "transcript.jsonl").read_text() == first
    done = box.parley(*words, "--force")
    assert done.returncode == 0, done.stderr
    (out / "mine.txt").unlink()  # what is not of the run stays
    assert_run_folder(out)
    assert (out / "transcript.jsonl").read_text() != first


def test_a_folder_that_cannot_be_made_is_told(box):
    pathlib.Path(box.path("file")).write_text("")
    done = box.parley("run", "--dry-run", "--out", box.path("file/D"))
    assert_told(done, 2, box.path("file"))
    box.assert_nothing_left()


# ---- the model's story ----

JUNK = ["no JSON at all", '{"setting": "x"}', '{"setting": 5, "characters": []}', "[", "\x1b[2J{}"]


@pytest.mark.parametrize("junk", JUNK)
def test_a_story_that_cannot_be_used_is_asked_for_three_times_then_told(box, junk):
    def on_chat(kind, number, body):
        return [junk] if kind == "story" else None
    with FakeOllama(on_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--turns", 2, "--observe", "none",
                          "--out", box.path("D"))
    assert done.returncode == 1
    asked = server.bodies("story")
    assert len(asked) == 3 == len(server.asked)
    for body in asked[1:]:
        *_, last, complaint = body["messages"]
        document = junk[max(junk.find("{"), 0):]  # what stands before it is not shown again
        assert (last["role"], last["content"]) == ("assistant", document)
        assert complaint["role"] == "user" and len(complaint["content"]) > 20
    assert "story" in done.stderr.splitlines()[-1]
    log = open(box.path("D/logs/manager.log"), encoding="utf-8").read()
    assert log.count("raw reply") == 3
    if junk.isprintable():
        assert log.count(junk) >= 3
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", log + done.stderr)
    assert read_lines(box.path("D/transcript.jsonl")) == []
    calls = read_lines(box.path("D/calls.jsonl"))
    assert [(call["turn"], call["outcome"]) for call in calls] == 3 * [(None, "done")]


def test_an_empty_story_is_asked_for_again_at_once_and_then_complained_of(box):
    def on_chat(kind, number, body):
        return [""] if kind == "story" and number < 3 else None
    with FakeOllama(on_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--turns", 2, "--observe", "none",
                          "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    assert [len(body["messages"]) for body in server.bodies("story")] == [1, 1, 3]
    calls = [call for call in read_lines(box.path("D/calls.jsonl")) if call["turn"] is None]
    assert [(call["outcome"], call["error"]) for call in calls] == [
        ("failed", "empty"), ("failed", "empty"), ("done", None), ("done", None)]
    assert len({call["call"] for call in calls}) == 4


def test_each_complaint_says_what_was_wrong(box):
    wrong = [json.dumps({"setting": 5, "characters": [], "initial_situation": "x"}), "not { JSON"]

    def on_chat(kind, number, body):
        return [wrong[number - 1]] if kind == "story" and number < 3 else None
    with FakeOllama(on_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--turns", 2, "--observe", "none",
                          "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    complaints = [body["messages"][-1]["content"] for body in server.bodies("story")]
    assert "setting" in complaints[1] and "string" in complaints[1]
    assert "line 1" in complaints[2] or "column" in complaints[2]
    assert [len(body["messages"]) for body in server.bodies("story")] == [1, 3, 3]
    assert len(words_of(read_lines(box.path("D/transcript.jsonl")))) == 2
    assert_run_folder(box.path("D"))


def test_a_model_that_thinks_aloud_writes_a_story_too(box):
    def on_chat(kind, number, body):
        story = {name: STORY_FILE[name] for name in ("setting", "initial_situation", "characters")}
        return {"story": ["<think>A {pier}?", "</think>\n```json\n", json.dumps(story), "\n```"],
                "personas": ["Two {people}.</think>Here: ",
                             json.dumps({"personas": STORY_FILE["personas"]})]}.get(kind)
    with FakeOllama(on_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--turns", 2, "--observe", "none",
                          "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    assert [len(server.bodies(kind)) for kind in ("story", "personas", "turn")] == [1, 1, 2]


def test_personas_that_cannot_be_used_are_asked_for_again_too(box):
    same = json.dumps({"personas": 2 * [STORY_FILE["personas"][0]]})

    def on_chat(kind, number, body):
        return [same] if kind == "personas" and number < 3 else None
    with FakeOllama(on_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--turns", 2, "--observe", "none",
                          "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    assert [len(server.bodies(kind)) for kind in ("story", "personas", "turn")] == [1, 3, 2]
    assert "Ada" in server.bodies("personas")[1]["messages"][-1]["content"]


def test_a_name_with_control_characters_is_asked_for_again(box):
    hostile = json.dumps({"personas": [{**STORY_FILE["personas"][0], "name": "Ada\x1b[5m"},
                                       STORY_FILE["personas"][1]]})

    def on_chat(kind, number, body):
        return [hostile] if kind == "personas" and number == 1 else None
    with FakeOllama(on_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--turns", 2, "--observe", "none",
                          "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    assert "/personas/0/name" in server.bodies("personas")[1]["messages"][-1]["content"]


# ---- a server that fails in mid-conversation ----

@pytest.mark.parametrize("reply, error", [
    ([b'{"error": "out of memory"}\n'], "server"),
    ([b"what is this\n"], "protocol"),
], ids=["an error line", "no JSON"])
def test_a_turn_that_cannot_be_made_ends_the_conversation_as_failed(box, reply, error):
    def on_chat(kind, number, body):
        return ["some words ", *reply] if kind == "turn" else None
    with FakeOllama(on_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--story", story_file(box), "--turns", 4,
                          "--observe", "none", "--max-issues", 2, "--attempts", 1,
                          "--give-up", "300ms", "--out", box.path("D"))
    assert done.returncode == 1
    assert "failed" in done.stderr and "logs" in done.stderr
    assert_run_folder(box.path("D"))
    assert words_of(read_lines(box.path("D/transcript.jsonl"))) == []
    last = read_lines(box.path("D/events.jsonl"))[-1]
    assert (last["event"], last["reason"]) == ("dialogue.resolve", "failed")
    calls = read_lines(box.path("D/calls.jsonl"))
    assert len(calls) == len(server.bodies("turn")) >= 1  # a server that answers nobody is left alone
    assert {call["outcome"] for call in calls} == {"failed"}


def test_a_turn_that_fails_once_is_made_good(box):
    def on_chat(kind, number, body):
        return ["half a ", b'{"error": "hiccup"}\n'] if (kind, number) == ("turn", 2) else None
    with FakeOllama(on_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--story", story_file(box), "--turns", 4,
                          "--observe", "plain", "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    words = words_of(read_lines(box.path("D/transcript.jsonl")))
    assert words == ["Turn 1 it is.", "Turn 3 it is.", "Turn 4 it is.", "Turn 5 it is."]
    calls = read_lines(box.path("D/calls.jsonl"))
    assert [call["outcome"] for call in calls] == ["done", "failed", "done", "done", "done"]
    assert "half a" not in done.stdout


def test_with_pass_a_turn_that_cannot_be_made_is_left_empty(box):
    def on_chat(kind, number, body):
        return [""] if kind == "turn" and number <= 2 else None  # nothing said: no fault of the server
    with FakeOllama(on_chat) as server:
        done = box.parley("run", "--ollama", server.url, "--story", story_file(box), "--turns", 3,
                          "--observe", "none", "--max-issues", 2, "--attempts", 1,
                          "--on-failure", "pass", "--out", box.path("D"))
    assert done.returncode == 0, done.stderr
    assert words_of(read_lines(box.path("D/transcript.jsonl")))[0] == ""
    assert len(words_of(read_lines(box.path("D/transcript.jsonl")))) == 3
    assert_run_folder(box.path("D"))


def test_show_config_never_shows_a_password(box):
    done = box.parley("run", "--redis", "redis://joe:s3cret@h:1/2", "--show-config")
    assert done.returncode == 0
    assert "redis://joe:***@h:1/2" in done.stdout and "s3cret" not in done.stdout


def test_a_missing_redis_server_is_told_before_a_folder_is_made(box):
    done = box.parley("run", "--dry-run", env={"PATH": "/nowhere"})
    assert_told(done, 1, "redis-server", "PATH", "--redis URL")
    box.assert_nothing_made()
