"""Before a conversation begins its models are loaded, and its seats agree on how."""
import json
import threading
import time

import pytest

from helpers import (FAST, STORY_FILE, FakeOllama, Fleet, box, closed_port, read_lines, story_file,
                     wait_for)  # noqa: F401: box is a fixture
from model_servers import MODEL, Sim, crew_of, most_at_once, write_config


@pytest.fixture
def fleet(box):
    fleet = Fleet(box)
    yield fleet
    box.stop_all()




def reason_of(fleet, conversation):
    """What the last event of a conversation that failed says."""
    talk = fleet.wait_end(conversation)
    events = [fields for _, fields in fleet.db.xrange("parley:{0}:events") if fields["conversation"] == conversation]
    assert talk["reason"] == "failed", talk
    return json.loads(events[-1]["summary"])


def test_the_clock_starts_when_each_model_has_been_loaded_once(box, fleet):
    loaded = threading.Event()

    def on_load(number, body):
        assert loaded.wait(20)
    with FakeOllama(on_load=on_load) as server:
        box.env["PARLEY_OLLAMA"] = server.url
        fleet.crew()
        talk = fleet.begin("--story", story_file(box), "--turns", 2, "--model", "llama3.2", "--model", "2=other:1b",
                           "--num-ctx", 2048)
        wait_for(lambda: len(server.loads) == 2, "both models are asked for")
        again = fleet.begin("--story", story_file(box), "--turns", 2, "--model", "2=other:1b", "--num-ctx", 2048)
        wait_for(lambda: fleet.talk(again), "the second is known")
        assert (fleet.talk(talk)["state"], server.asked) == ("preparing", [])
        released_us = fleet.db.time()
        loaded.set()
        for one in (talk, again):
            assert fleet.wait_end(one)["reason"] == "turns"
            assert int(fleet.talk(one)["started_at"]) >= released_us[0] * 10**6 + released_us[1]
        assert sorted(body["model"] for body in server.loads) == ["llama3.2", "other:1b"]
        for body in server.loads:
            assert (body["messages"], body["options"]["num_ctx"], body["keep_alive"]) == ([], 2048, "10m")
        turns = server.bodies("turn")
        assert len(turns) == 4 and {body["options"]["num_ctx"] for body in turns} == {2048}


def test_another_context_size_is_another_loading(box, fleet):
    with FakeOllama() as server:
        box.env["PARLEY_OLLAMA"] = server.url
        fleet.crew()
        for num_ctx in (2048, 4096, 2048):
            fleet.wait_end(fleet.begin("--story", story_file(box), "--turns", 1, "--num-ctx", num_ctx))
        assert [body["options"]["num_ctx"] for body in server.loads] == [2048, 4096]


def test_a_model_that_is_not_there_ends_the_conversation_in_words(box, fleet):
    def on_load(number, body):
        return 404, {"error": f"model '{body['model']}' not found"}
    with FakeOllama(on_load=on_load) as server:
        box.env["PARLEY_OLLAMA"] = server.url
        fleet.crew()
        told = reason_of(fleet, fleet.begin("--story", story_file(box), "--turns", 2, "--model", "huge"))
        assert told["error"] == "model" and "'huge' not found" in told["text"]
        assert server.asked == []


def test_one_endpoint_that_has_the_model_is_enough(box, fleet):
    def lacks(number, body):
        return 404, {"error": f"model '{body['model']}' not found"}
    with FakeOllama(on_load=lacks) as bare, FakeOllama() as good:
        path = box.path("parley.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"endpoints": {"bare": {"provider": "ollama", "url": bare.url},
                                     "good": {"provider": "ollama", "url": good.url}}}, file)
        fleet.crew("--config", path)
        talk = fleet.begin("--story", story_file(box), "--turns", 2, "--config", path)
        wait_for(lambda: fleet.talk(talk)["state"] != "preparing", "it begins")
        assert (len(bare.loads), len(good.loads)) == (1, 1)


def test_other_trouble_with_loading_is_only_logged(box, fleet):
    def on_load(number, body):
        return 500, {"error": "out of memory"}
    with FakeOllama(on_load=on_load) as server:
        box.env["PARLEY_OLLAMA"] = server.url
        manager, *_ = fleet.crew()
        talk = fleet.begin("--story", story_file(box), "--turns", 2)
        assert fleet.wait_end(talk)["reason"] == "turns"
        assert "not loaded endpoint=ollama" in open(manager.err_path, encoding="utf-8").read()
        assert len(server.loads) == 1


def test_that_a_model_was_loaded_says_nothing_of_a_servers_answers(box, fleet):
    """Neither how fast it answers, nor that it does, nor may more calls be made again for it."""
    speak = threading.Event()

    def on_chat(kind, number, body):
        assert speak.wait(20)
        return ["Good evening."]

    def records():
        return [fleet.db.hgetall(key) for key in fleet.db.scan_iter("parley:{endpoints}:*")
                if fleet.db.type(key) == "hash"]
    with FakeOllama(on_chat) as server:
        box.env["PARLEY_OLLAMA"] = server.url
        fleet.crew("--retry-budget", 1)
        talk = fleet.begin("--story", story_file(box), "--turns", 2)
        wait_for(lambda: server.asked, "the first turn is asked for")
        record, = records()
        assert len(server.loads) == 1
        speak.set()
        assert fleet.wait_end(talk)["reason"] == "turns"
    assert (record["state"], record["recent"]) == ("closed", "")
    assert 3 <= float(record["tokens"]) < 3.9  # two at first, one of the turn, one a second
    assert not {"ok", "failed", "ok_at", "latency_ms"} & set(record)


def personas(box, *options):
    """A story file whose personas bear these options."""
    path = box.path("options.json")
    people = [{**persona, **option} for persona, option in zip(STORY_FILE["personas"], options)]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**STORY_FILE, "personas": people}, file)
    return path


DIFFERENT = [({"num_ctx": 2048}, {"num_ctx": 4096}), ({"options": {"num_gpu": 1}}, {"options": {"num_gpu": 2}}),
             ({"model": "x", "options": {"use_mmap": True}}, {"model": "x:latest", "options": {"num_thread": 3}})]


@pytest.mark.parametrize("options", DIFFERENT)
@pytest.mark.parametrize("command", ["run", "start"])
def test_seats_that_would_load_their_model_anew_each_turn_are_refused_before_anything_is_made(box, options, command):
    done = box.parley(command, "--story", personas(box, *options), "--turns", 2,
                      "--ollama", f"http://127.0.0.1:{closed_port()}")
    assert (done.returncode, done.stdout) == (2, ""), done
    assert "seat 1" in done.stderr and "seat 2" in done.stderr and done.stderr.count("\n") == 1
    box.assert_nothing_made()


def test_a_server_that_loads_nothing_anew_takes_any_options(box, fleet):
    sim = Sim(fleet, "--tokens-per-second", 0, "--first-token-ms", 0)
    write_config(fleet, {"server": sim.endpoint("openai")})
    fleet.crew()
    talk = fleet.begin("--story", personas(box, *DIFFERENT[0]), "--turns", 2, "--model", f"server:{MODEL}")
    assert fleet.wait_end(talk)["reason"] == "turns"


def test_a_run_knows_what_its_seats_leave_open(box):
    done = box.parley("run", "--story", personas(box, {"num_ctx": 4096}, {}), "--turns", 2)
    assert done.returncode == 2 and "num_ctx" in done.stderr and "8192" in done.stderr
    box.assert_nothing_made()


def test_a_manager_refuses_what_only_it_can_know(box, fleet):
    with FakeOllama() as server:
        box.env["PARLEY_OLLAMA"] = server.url
        fleet.crew("--num-ctx", 2048)  # what a seat leaves open
        talk = fleet.begin("--story", personas(box, {"num_ctx": 8192}, {}), "--turns", 2)
        told = reason_of(fleet, talk)
        assert told["error"] == "options" and "seat 1" in told["text"] and "num_ctx" in told["text"]
        assert server.loads == server.asked == []


def test_other_options_and_other_models_may_differ(box, fleet):
    with FakeOllama() as server:
        box.env["PARLEY_OLLAMA"] = server.url
        fleet.crew()
        for options in (({"options": {"top_p": 0.5}}, {}), ({"model": "a", "num_ctx": 2048}, {"model": "b"})):
            assert fleet.wait_end(fleet.begin("--story", personas(box, *options), "--turns", 2))["reason"] == "turns"


@pytest.mark.parametrize("structured", [False, True])
def test_a_model_that_all_share_is_loaded_once_and_never_anew(box, fleet, structured):
    """The story, the turns of seats that sample otherwise, asks made again: all fit what is loaded."""
    sim = Sim(fleet, "--tokens-per-second", 0, "--first-token-ms", 0)
    box.env["PARLEY_OLLAMA"] = sim.url
    fleet.crew("--num-ctx", 2048, *(["--structured"] if structured else []))
    sim.fault({"kind": "empty", "count": 3})
    talks = [fleet.begin("--topic", "tea", "--turns", 6, "--temperature", 0.2),
             fleet.begin("--story", personas(box, {}, {"options": {"top_k": 9}}), "--turns", 6)]
    for talk in talks:
        assert fleet.wait_end(talk)["reason"] == "turns"
    lines = [line for line in read_lines(sim.ledger_path) if line["path"].startswith("/api/")]
    assert [line["loading"] for line in lines if line["loading"]] == ["cold"]
    assert {line["num_ctx"] for line in lines} == {2048} and len(lines) > 14


def test_a_model_is_loaded_at_a_place_of_its_own(box, fleet):
    """A window of one is never exceeded, not by loading either; and the oldest comes first."""
    sim = Sim(fleet, "--tokens-per-second", 400, "--first-token-ms", 20, "--parallel", 16)
    write_config(fleet, {"one": sim.endpoint("ollama", window=1)})
    crew_of(fleet)
    begin = ["--story", story_file(box), "--duration", "none"]
    busy = [fleet.begin(*begin, "--turns", 100, "--model", f"one:{MODEL}") for _ in range(2)]
    for one in busy:
        fleet.wait_turns(one, 2)
    for model in ("qwen2.5:7b", "qwen3:4b"):
        talk = fleet.begin(*begin, "--turns", 1, "--model", f"one:{model}")
        assert fleet.wait_end(talk)["reason"] == "turns"
    for one in busy:
        assert box.parley("stop", one).returncode == 0
    wait_for(lambda: sim.state()["in_flight"] == 0, "no call is being answered")
    lines = read_lines(sim.ledger_path)
    loads = [line for line in lines if line["load"]]
    assert len(loads) == 3 and most_at_once(lines) == 1
    # It is called by a name of its own in the server's log, and its place is given back.
    assert len({line["id"] for line in loads}) == 3 and all(line["id"].startswith("load/") for line in loads)
    wait_for(lambda: not [key for key in fleet.db.scan_iter("parley:{endpoints}:*") if fleet.db.type(key) == "zset"],
             "nobody has a place or waits for one")


def test_a_server_that_is_down_is_not_waited_for_to_load_a_model(box, fleet):
    """Its turns wait for it, and say so."""
    sim = Sim(fleet, *FAST)
    write_config(fleet, {"one": sim.endpoint("ollama")})
    sim.fault({"kind": "status", "status": 503})
    manager, *_ = crew_of(fleet)
    first = fleet.begin("--story", story_file(box), "--turns", 1, "--model", f"one:{MODEL}")
    key = wait_for(lambda: next((key for key in fleet.db.scan_iter("parley:{endpoints}:*") if fleet.db.type(key) == "hash"
                                 and fleet.db.hget(key, "state") == "open"), None), "its breaker is open")
    fleet.db.hset(key, "retry_at", int(time.time() * 1000) + 50000)  # so that no call is let in
    loads = len(read_lines(sim.ledger_path))
    other = fleet.begin("--story", story_file(box), "--turns", 1, "--model", "one:qwen2.5:7b")
    wait_for(lambda: fleet.talk(other).get("state") == "running", "it begins")
    assert "the server is down" in open(manager.err_path, encoding="utf-8").read()
    assert len(read_lines(sim.ledger_path)) == loads
    sim.fault()
    fleet.db.hset(key, "retry_at", 0)
    for one in (first, other):
        assert fleet.wait_end(one)["reason"] == "turns"
