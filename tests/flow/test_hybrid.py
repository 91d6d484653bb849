"""Spotlight turns to the cloud, background turns stay local: what the router decided, what
`parley performance` says of it, and what the two servers' own ledgers have must be one story.
"""
import json
import re

import pytest

from helpers import STORY_FILE, Fleet, assert_once_and_in_order, box, wait_for  # noqa: F401
from model_servers import Sim, calls_of, crew_of, tell, write_config

SEATS = 4
MARKED_SEAT = 4
EVERY = 15
PRICE = {"prompt": 2.5, "generated": 10.0}
MARKS = ["--hybrid-opening", "--hybrid-closing", "--hybrid-every", EVERY]
QUICK = ["--first-token-ms", 2, "--parallel", 16, "--ledger-bodies"]
HARD = 0.22  # of the simulator's replies some are harder, most are not
CAP = 0.003


def is_marked(turn, turns):
    return turn in (1, turns) or turn % EVERY == 0 or turn % SEATS == MARKED_SEAT % SEATS


class Hybrid:
    """A local and a dear server, and a fleet for casts of four, one of them marked."""

    def __init__(self, sandbox, *options, speed=("--tokens-per-second", 0)):
        self.box = sandbox
        self.fleet = Fleet(sandbox)
        self.local = Sim(self.fleet, *QUICK, *speed)
        self.cloud = Sim(self.fleet, *QUICK, *speed, "--sim-models", "big")
        write_config(self.fleet, {
            "local": self.local.endpoint("ollama", models=["llama3.2"]),
            "cloud": self.cloud.endpoint("openai", models=["big"], tier="cloud", price=PRICE)})
        self.options = ["--strategy", "hybrid", *MARKS, *options]
        crew_of(self.fleet, *self.options, lanes=SEATS, manager=self.options)

    def story(self):
        one = STORY_FILE["personas"][0]
        personas = [{**one, "name": name, **({"spotlight": True} if seat == MARKED_SEAT else {})}
                    for seat, name in enumerate(("Ada", "Bo", "Cy", "Di"), 1)]
        path = self.box.path("story-of-four.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**STORY_FILE, "characters": [], "personas": personas}, file)
        return path

    def play(self, turns):
        one = self.fleet.begin("--story", self.story(), "--turns", turns, "--duration", "none")
        assert self.fleet.wait_end(one, 60)["reason"] == "turns"
        assert_once_and_in_order(self.fleet.transcript(one), turns, SEATS)
        return one

    def calls(self, conversation):
        """turn -> the record of its call; nothing went wrong, so it is one each."""
        calls = calls_of(self.fleet, conversation)
        found = {int(call["turn"]): call for call in calls}
        assert len(found) == len(calls)
        return found

    def asked(self, sim):
        """The ids of the calls that a server got."""
        return {line["id"] for line in sim.whole_ledger()}

    def parley(self, *words):
        done = self.box.parley(*words, "--redis", self.fleet.url)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def performance(self):
        return json.loads(self.parley("performance", "--json"))


@pytest.fixture
def hybrid(box):
    one = Hybrid(box)
    yield one
    box.stop_all()


def cost_of(sim):
    """By the server's own counts."""
    return sum(line["prompt_tokens"] * PRICE["prompt"] + line["tokens"] * PRICE["generated"]
               for line in sim.whole_ledger()) / 1e6


def told_words(listed, member):
    return {one[member]: one["calls"] for one in listed}


def count_words(words):
    return {word: words.count(word) for word in set(words)}


def complexity(messages):
    """The formula of docs/routing.md, of the prompt that the server got."""
    heard = [message["content"] for message in messages if message["role"] == "user"]
    last = heard[-1]
    words = re.findall(r"[A-Za-z\u0080-\U0010ffff]+", last)
    hard = sum(len(word) >= 9 for word in words) / len(words) if words else 0
    lately = [message["content"] for message in messages[-12:] if message["role"] == "user"]
    speakers = {text.split(":")[0] for text in lately if re.match(r"[^:\n]{1,80}:", text)}
    return (0.3 * min(1, len(last) / 600) + 0.2 * min(1, last.count("?") / 3)
            + 0.15 * min(1, len(re.findall("[0-9]+", last)) / 5) + 0.2 * min(1, hard / 0.3)
            + 0.15 * min(1, max(0, len(speakers) - 1) / 4))


def test_two_hundred_turns_with_marks(box):
    hybrid = Hybrid(box, "--hybrid-complexity", HARD)
    turns = 201  # so that nothing else marks the last one
    calls = hybrid.calls(hybrid.play(turns))
    marked = {turn for turn in calls if is_marked(turn, turns)}
    cloud = {turn for turn, call in calls.items() if call["endpoint"] == "cloud"}
    # The servers' ledgers have the calls where the records say, and no others.
    assert hybrid.asked(hybrid.cloud) == {calls[turn]["call"] for turn in cloud}
    assert hybrid.asked(hybrid.local) == {call["call"] for turn, call in calls.items()
                                          if turn not in cloud}
    assert len(calls) == turns and marked <= cloud, sorted(marked - cloud)
    for turn, call in calls.items():
        assert call["route"].startswith("mark_") == (turn in marked), (turn, call["route"])
        assert call["tier"] == ("cloud" if turn in cloud else "local")
    assert calls[1]["route"] == "mark_opening"
    assert calls[turns]["route"] == "mark_closing"
    assert calls[45]["route"] == "mark_every" and calls[44]["route"] == "mark_seat"
    assert_hard_ones(hybrid, calls, marked)
    assert 10 <= len(cloud - marked) < turns - len(marked) - 10  # of both kinds enough
    assert_performance(hybrid, calls)
    tell(f"{turns} turns, {len(marked)} marked, {len(cloud)} to the cloud "
         f"({100 * len(cloud - marked) / (turns - len(marked)):.1f} % of the others), "
         f"cost {cost_of(hybrid.cloud):.6f}: "
         f"{count_words([call['route'] for call in calls.values()])}")
    box.stop_all()


def assert_hard_ones(hybrid, calls, marked):
    """The others by the formula: hard ones to the cloud, the rest stays."""
    bodies = {line["id"]: line["body"] for sim in (hybrid.local, hybrid.cloud)
              for line in sim.whole_ledger()}
    for turn in set(calls) - marked:
        call = calls[turn]
        figure = complexity(bodies[call["call"]]["messages"])
        wanted = ("cloud", "complexity") if figure >= HARD else ("local", "background")
        assert (call["endpoint"], call["route"]) == wanted or abs(figure - HARD) < 1e-9, (
            turn, figure, call["endpoint"], call["route"])


def assert_performance(hybrid, calls):
    """`parley performance` beside the ledgers."""
    told = hybrid.performance()
    rows = {row["endpoint"]: row for row in told["models"]}
    assert set(rows) == {"local", "cloud"}
    for name, sim, model in (("local", hybrid.local, "llama3.2"), ("cloud", hybrid.cloud, "big")):
        lines = sim.whole_ledger()
        row = rows[name]["figures"]
        assert rows[name]["model"].removesuffix(":latest") == model
        assert (row["calls"], row["done"], row["failed"], row["extra"]) == (
            len(lines), len(lines), 0, 0)
        assert row["tokens_generated"] == sum(line["tokens"] for line in lines)
        assert row["prompt_tokens"] == sum(line["prompt_tokens"] for line in lines)
        assert told_words(row["routes"], "route") == count_words(
            [call["route"] for call in calls.values() if call["endpoint"] == name])
    # Each call's cost is told to the millionth.
    cost = rows["cloud"]["figures"]["cost"]
    assert abs(cost - cost_of(hybrid.cloud)) <= 1e-6 * rows["cloud"]["figures"]["calls"]
    assert rows["local"]["figures"]["cost"] is None
    assert told["total"]["calls"] == len(calls)
    assert abs(told["total"]["cost"] - cost) < 1e-6


def test_off_and_on_while_it_runs(hybrid):
    hybrid.parley("hybrid", "off")
    calls = hybrid.calls(hybrid.play(20))
    assert {(call["endpoint"], call["route"]) for call in calls.values()} == {("local", "off")}
    assert hybrid.asked(hybrid.cloud) == set()
    hybrid.parley("hybrid", "on")
    # A worker looks once a second.
    wait_for(lambda: "off" not in {call["route"] for call in hybrid.calls(hybrid.play(4)).values()},
             "the workers have heard of it", 5)
    calls = hybrid.calls(hybrid.play(21))
    # Marks alone decide.
    cloud = {turn for turn, call in calls.items() if call["endpoint"] == "cloud"}
    assert cloud == {turn for turn in calls if is_marked(turn, 21)}
    assert "on" in hybrid.parley("hybrid")


def test_a_cost_cap_keeps_marked_turns_local(box):
    """From the call on with which a day's cap is reached: the last one is all it is passed by."""
    hybrid = Hybrid(box, "--hybrid-cost-cap", CAP)
    calls = hybrid.calls(hybrid.play(60))
    spent, dear = 0.0, 0
    for turn in sorted(calls):
        call = calls[turn]
        if spent >= CAP:
            assert call["endpoint"] == "local", (turn, spent)
            assert (call["route"] == "cost_cap") == is_marked(turn, 60), (turn, call["route"])
        if call["endpoint"] == "cloud":
            spent += float(call["cost"])
            dear += 1
    capped = [turn for turn, call in calls.items() if call["route"] == "cost_cap"]
    tell(f"cap {CAP}, spent {spent:.6f} by {dear} calls; kept local: {capped}")
    assert 2 <= dear < 20 and len(capped) >= 3
    assert abs(spent - cost_of(hybrid.cloud)) <= 1e-6 * dear
    box.stop_all()


def test_the_cloud_down_sends_marked_turns_to_the_local_server(hybrid):
    hybrid.cloud.fault({"kind": "status", "status": 500})
    calls = calls_of(hybrid.fleet, hybrid.play(20))
    done = [call for call in calls if call["outcome"] == "done"]
    assert [call["endpoint"] for call in done] == ["local"] * 20
    assert any(call["endpoint"] == "cloud" and call["error"] == "server" for call in calls)
    assert told_words(hybrid.performance()["total"]["errors"], "error") == count_words(
        [call["error"] for call in calls if call.get("error")])
