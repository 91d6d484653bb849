"""Stories and personas are asked for through the router: what it does is seen in the calls."""
import json

import pytest

from helpers import FAST, BlackHole, FakeOllama, Fleet, box, closed_port, wait_for  # noqa: F401: box is a fixture
from model_servers import MODEL, Sim, write_config
from table_servers import config


@pytest.fixture
def fleet(box):
    fleet = Fleet(box)
    yield fleet
    box.stop_all()


def story_calls(fleet, talk):
    return [call for _, call in fleet.db.xrange("parley:{0}:calls")
            if call["conversation"] == talk and call.get("turn", "") == ""]


def test_a_busy_server_is_asked_again_by_the_router_alone_and_each_attempt_is_told(box, fleet):
    fault = [{"kind": "status", "status": 503, "count": 2}]
    fleet.simulator(*FAST, "--faults", json.dumps(fault))
    fleet.crew("--provider", "simulator")
    talk = fleet.begin("--turns", 2)
    assert fleet.wait_end(talk)["reason"] == "turns"
    calls = story_calls(fleet, talk)
    assert [(call["outcome"], call.get("error", "")) for call in calls] == [
        ("failed", "busy"), ("failed", "busy"), ("done", ""), ("done", "")]
    first = calls[0]["call"]
    assert first.startswith(f"{talk}:story/1-")
    assert [call["call"] for call in calls[:3]] == [first, first + "~2", first + "~3"]
    assert [call["attempt"] for call in calls] == ["1", "2", "3", "1"]
    assert {call["route"] for call in calls} == {"only"} and {call["worker"] for call in calls} == {"manager-1"}
    assert calls[3]["call"].startswith(f"{talk}:personas/1-")


def test_a_story_whose_server_is_down_says_so_and_is_written_when_it_is_back(box, fleet):
    """To whoever watches: as a turn that waits does."""
    sim = Sim(fleet, *FAST)
    write_config(fleet, {"local": sim.endpoint("ollama")})
    sim.fault({"kind": "status", "status": 500})
    fleet.crew()
    talk = fleet.begin("--turns", 1, "--model", f"local:{MODEL}")
    reader = box.start("observe", talk)
    told = wait_for(lambda: fleet.db.xrange(f"parley:{{0}}:live:{talk}"), "the wait is told")[0][1]
    assert (told["kind"], told["turn"], told["seat"], told["servers"]) == ("waiting", "1", "0", "local")
    assert "500" in told["reason"] and 0 < fleet.db.ttl(f"parley:{{0}}:live:{talk}") <= 600
    line = "(The story waits for a model server; down: local; last: "
    wait_for(lambda: line in open(reader.out_path, encoding="utf-8").read(), "the observer says so")
    sim.fault()
    for key in fleet.db.scan_iter("parley:{endpoints}:*"):
        if fleet.db.type(key) == "hash":
            fleet.db.hset(key, "retry_at", 0)  # the next probe may go at once
    assert fleet.wait_end(talk)["reason"] == "turns"
    assert reader.wait(20) == 0


def test_a_story_nobody_answers_is_given_up_in_words(box, fleet):
    with BlackHole() as hole:
        box.env["PARLEY_OLLAMA"] = f"http://127.0.0.1:{hole.port}"
        fleet.crew("--give-up", "1s")
        talk = fleet.begin("--turns", 2)
        assert fleet.wait_end(talk)["reason"] == "failed"
    summary = json.loads(fleet.db.xrevrange("parley:{0}:events", count=1)[0][1]["summary"])
    assert summary["error"] == "story" and "1s" in summary["text"]
    assert len(story_calls(fleet, talk)) == 1


def test_a_story_that_is_waited_for_can_be_stopped(box, fleet):
    with BlackHole() as hole:
        box.env["PARLEY_OLLAMA"] = f"http://127.0.0.1:{hole.port}"
        fleet.crew()
        talk = fleet.begin("--turns", 2)
        wait_for(lambda: fleet.talk(talk).get("state") == "preparing", "it is being written")
        done = box.parley("stop", talk)
        assert (done.returncode, fleet.talk(talk)["reason"]) == (0, "stopped")


def test_a_story_whose_server_is_gone_waits_for_it_as_long_as_it_may(box, fleet):
    """Attempts alone do not end it: nobody is answered."""
    box.env["PARLEY_OLLAMA"] = f"http://127.0.0.1:{closed_port()}"
    fleet.crew("--attempts", 2, "--give-up", "2s")
    talk = fleet.begin("--turns", 2)
    assert fleet.wait_end(talk)["reason"] == "failed"
    summary = json.loads(fleet.db.xrevrange("parley:{0}:events", count=1)[0][1]["summary"])
    assert summary["error"] == "story" and "Connection refused" in summary["text"]
    calls = story_calls(fleet, talk)
    assert len(calls) >= 3 and {call["error"] for call in calls} == {"refused"}
    assert [call["route"] for call in calls[:3]] == ["only", "only", "probe"]


def test_a_story_is_asked_for_with_the_options_of_the_turns(box, fleet):
    """Else the server would load its model anew for the first turn."""
    with FakeOllama() as server:
        box.env["PARLEY_OLLAMA"] = server.url
        fleet.crew()
        talk = fleet.begin("--turns", 1, "--options", '{"num_gpu": 3}', "--think", "false")
        assert fleet.wait_end(talk)["reason"] == "turns"
        bodies = [server.bodies(kind)[0] for kind in ("story", "personas", "turn")]
    assert [(body["options"].get("num_gpu"), body.get("think")) for body in bodies] == 3 * [(3, False)]


def test_the_story_is_asked_of_the_endpoint_that_was_named(box, fleet):
    gone = f"http://127.0.0.1:{closed_port()}"
    path = config(box, api={"provider": "openai", "url": fleet.simulator(*FAST) + "/v1", "models": ["qwen2.5:7b"]},
                  near={"provider": "ollama", "url": gone})
    fleet.crew("--config", path)
    talk = fleet.begin("--turns", 2, "--model", "api:qwen2.5:7b", "--config", path)
    assert fleet.wait_end(talk)["reason"] == "turns"
    assert {(call["endpoint"], call["model"]) for call in story_calls(fleet, talk)} == {("api", "qwen2.5:7b")}
    story = fleet.transcript(talk)[0]
    assert story["kind"] == "story" and len(story["content"]["characters"]) == 2
