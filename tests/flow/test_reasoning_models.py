"""Models that refuse parameters others take, as OpenAI's reasoning models do: what they do not take
is learned from their refusal, and left out of the calls behind it."""
import json

from helpers import Fleet, assert_once_and_in_order, box, story_file, turns_of  # noqa: F401: box is a fixture
from model_servers import Sim, calls_of, crew_of, ends_of, write_config

MODEL = "o4-mini"
QUICK = ("--tokens-per-second", 0, "--first-token-ms", 0)
REFUSED = {"temperature", "max_tokens", "stop"}


def strict_server(fleet):
    return Sim(fleet, *QUICK, "--ledger-bodies", "--flavor", "openai", "--sim-models", f"{MODEL},gpt-small")


def play(fleet, model, turns, *options):
    talk = fleet.begin("--story", story_file(fleet.box), "--turns", turns, "--model", f"cloud:{model}", *options)
    assert fleet.wait_end(talk)["reason"] == "turns"
    assert_once_and_in_order(fleet.transcript(talk), turns)
    return talk


def bodies_of(sim):
    return [line["body"] for line in sim.whole_ledger()]


def test_a_model_that_refuses_parameters_is_talked_to_without_them_at_one_call_each_a_process(box):
    fleet = Fleet(box)
    sim = strict_server(fleet)
    write_config(fleet, {"cloud": sim.endpoint("openai")})
    workers = crew_of(fleet, "--attempts", 4)[1:]
    talk = play(fleet, MODEL, 8)
    # Three refusals in the first turn of each lane's worker, and none behind them.
    ends = [ends_of(calls_of(fleet, talk), turn) for turn in range(1, 9)]
    assert ends[:2] == 2 * [3 * ["unsupported"] + ["done"]]
    assert ends[2:] == 6 * [["done"]]
    first = [set(body) & REFUSED for body in bodies_of(sim)[:4]]
    assert first[0] == REFUSED and first[3] == set()
    assert [len(names) for names in first] == [3, 2, 1, 0]
    last = bodies_of(sim)[-1]
    assert last["max_completion_tokens"] == bodies_of(sim)[0]["max_tokens"]
    # Nothing speaks against the server: one attempt at once behind the other, no breaker.
    records = [fleet.db.hgetall(key) for key in fleet.db.scan_iter("parley:{endpoints}:*", _type="hash")]
    assert [(one["state"], one["fails"]) for one in records if "state" in one] == [("closed", "0")]
    for worker in workers:
        log = open(worker.err_path, encoding="utf-8").read()
        for name in REFUSED:
            assert log.count(f"{name} is not taken by this model") == 1, log
    # Another model of the same server gets all of it.
    play(fleet, "gpt-small", 2)
    assert REFUSED < set(bodies_of(sim)[-1])
    box.stop_all()


def test_the_usual_three_attempts_get_the_first_turn_of_an_openai_model_through(box):
    """Its own server is never sent `max_tokens`, so two refusals are all there are by default."""
    fleet = Fleet(box)
    sim = strict_server(fleet)
    write_config(fleet, {"cloud": sim.endpoint("openai")})
    crew_of(fleet)
    talk = play(fleet, MODEL, 2, "--temperature", 1)
    assert ends_of(calls_of(fleet, talk)) == 2 * (2 * ["unsupported"] + ["done"])
    box.stop_all()


def test_a_model_whose_unseen_thoughts_take_all_it_is_allowed_gets_room_for_them(box):
    fleet = Fleet(box)
    sim = strict_server(fleet)
    write_config(fleet, {"cloud": sim.endpoint("openai")})
    crew_of(fleet, "--attempts", 6)
    talk = play(fleet, MODEL, 4, "--temperature", 1, "--num-predict", 8)
    ends = [ends_of(calls_of(fleet, talk), turn) for turn in range(1, 5)]
    assert ends[:2] == 2 * [2 * ["unsupported"] + ["empty", "done"]]
    assert ends[2:] == 2 * [["done"]]
    bodies = [body["max_completion_tokens"] for body in bodies_of(sim) if "stop" not in body]
    assert sorted(set(bodies)) == [8, 8 + 1024]
    assert all(message["content"]["message"] for message in turns_of(fleet.transcript(talk)))
    box.stop_all()


def test_ollamas_model_that_cannot_think_is_asked_without_it(box):
    """Its server refuses the word instead of passing it over."""
    fleet = Fleet(box)
    sim = Sim(fleet, *QUICK, "--ledger-bodies")
    write_config(fleet, {"cloud": sim.endpoint("ollama")})
    crew_of(fleet)
    talk = play(fleet, "llama3.2", 4, "--think", "true")
    ends = [ends_of(calls_of(fleet, talk), turn) for turn in range(1, 5)]
    assert ends == 2 * [["unsupported", "done"]] + 2 * [["done"]]
    assert [body.get("think") for body in bodies_of(sim)] == [True, None, True, None, None, None]
    box.stop_all()


def test_parley_test_tells_what_a_model_does_not_take(box):
    fleet = Fleet(box)
    sim = strict_server(fleet)
    write_config(fleet, {"cloud": sim.endpoint("openai", models=[MODEL])})
    told = box.parley("test", "cloud")
    data = box.parley("test", "cloud", "--json")
    assert (told.returncode, told.stderr) == (0, "")
    assert "  not taken by this model, and not sent: temperature, max_tokens, stop" in told.stdout.splitlines()
    assert json.loads(data.stdout)["not_taken"] == ["temperature", "max_tokens", "stop"]
    plain = box.parley("test", "cloud", "--model", "cloud:gpt-small", "--json")
    assert json.loads(plain.stdout)["not_taken"] == []
    box.stop_all()
