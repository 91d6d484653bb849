"""What parley asks is what each server of the OpenAI API takes: conversations in every flavor of the
simulator, which refuses as that server would."""
import json

import pytest

from helpers import Fleet, box, story_file  # noqa: F401: a fixture
from model_servers import Sim, crew_of, write_config

FLAVORS = ["ollama", "openai", "lmstudio", "llamacpp", "vllm", "sglang", "openrouter"]
QUICK = ("--tokens-per-second", 0, "--first-token-ms", 0)


@pytest.fixture
def fleet(box):
    fleet = Fleet(box)
    yield fleet
    box.stop_all()


def played(fleet, flavor, *options, lanes=2, crew=()):
    """The bodies of the calls of a conversation in which nothing was refused."""
    sim = Sim(fleet, *QUICK, "--flavor", flavor, "--ledger-bodies")
    write_config(fleet, {"only": {"provider": "openai", "url": sim.url + "/v1"}})
    crew_of(fleet, *crew, lanes=lanes, manager=crew)
    talk = fleet.begin("--model", "only:tiny", *options)
    assert fleet.wait_end(talk)["reason"] == "turns"
    lines = sim.whole_ledger()
    assert {(line["status"], line["ended"], line["flavor"]) for line in lines} == {
        (200, "whole", flavor)}
    return [line["body"] for line in lines]


@pytest.mark.parametrize("flavor", FLAVORS)
def test_a_story_and_structured_turns_are_what_the_server_takes(box, fleet, flavor):
    bodies = played(fleet, flavor, "--topic", "tea", "--turns", 4, "--seed", 3, "--temperature", 0.7,
                    crew=("--structured",))
    formats = [body["response_format"]["json_schema"]["strict"] for body in bodies]
    assert formats == [True] * 6  # the scene, its people, and four turns


def test_a_table_of_eight_keeps_to_the_stops_that_openai_takes(box, fleet):
    path = box.path("table.json")
    people = [{"name": name, "role": "guest"} for name in
              ("Ada Quill", "Bo Marlow", "Cy Fenn", "Di Moss", "Ed Pike", "Fay Reed", "Gus Hale", "Ida Wynn")]
    story = json.loads(open(story_file(box), encoding="utf-8").read())
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**story, "personas": [{**story["personas"][0], **one} for one in people]}, file)
    bodies = played(fleet, "openai", "--story", path, "--turns", 8, lanes=8)
    assert len(bodies) == 8 and all(1 <= len(body["stop"]) <= 4 for body in bodies)
