"""A fleet whose model server goes wrong now and then, often, or always for a while, in every way
that may come by chance: no turn is lost, doubled or stitched, each call is told as what it was.

test_faults.py has each way alone and to the letter. What is the request's own fault (D4's 400 and
413) comes by no dice and is only there. `make test` has all ways mixed (and test_outage.py one
that lasts); `make proof` (PARLEY_PROOF=long) each by itself at 1 %, 20 % and for five seconds.
"""
import json
import os
from typing import NamedTuple

import pytest

from helpers import STORY_FILE, Fleet, assert_once_and_in_order, box  # noqa: F401
from model_servers import (MODEL, Sim, assert_shown, assert_texts_whole, assert_told_once,
                           calls_of, crew_of, tell, write_config)

LONG = os.environ.get("PARLEY_PROOF") == "long"
TALKS = 8 if LONG else 6
TURNS, MANY_TURNS = 8, 40  # many where faults are rare
ALWAYS_MS = 5000
LIMIT_S = 120
SPEED = ["--tokens-per-second", 2000, "--first-token-ms", 2, "--parallel", 32, "--ledger-bodies"]
# Wide enough for a busy machine: a call that meets no fault must not run into them.
CLOCKS = {"connect_seconds": 5, "first_token_seconds": 1.5, "between_tokens_seconds": 1.5,
          "total_seconds": 2.5}
BOTH = ("ollama", "openai")


class Way(NamedTuple):
    """A fault, and how a call that meets it ends."""
    name: str
    rule: dict
    end: str
    wires: tuple = BOTH
    elsewhere: bool = False  # that server is of no use then: another one answers
    fails: bool = False  # where nothing else comes for seconds, the conversation fails
    whole: bool = True  # if a turn comes of it, its text is what the server says without it


def status(number, end, **more):
    kind = {"kind": "status", "status": number, **more.pop("rule", {})}
    return Way(f"D3-{number}" if number >= 500 else f"D2-{number}", kind, end, **more)


WAYS = [
    status(429, "busy", rule={"retry_after": "1"}),
    status(500, "server"), status(502, "server", rule={"body": "html"}), status(503, "busy"),
    status(529, "busy"),
    Way("D5-reset", {"kind": "reset", "after_bytes": 300}, "truncated"),
    Way("D6-closed", {"kind": "cut", "after_bytes": 300}, "truncated"),
    Way("D6-no-end-mark", {"kind": "cut", "after_tokens": 5, "clean": True}, "truncated"),
    Way("D7-no-first-word", {"kind": "stall_first"}, "timeout"),
    Way("D7-no-next-word", {"kind": "stall"}, "timeout"),
    Way("D7-signs-of-life", {"kind": "comments"}, "timeout"),
    Way("D8-trickle", {"kind": "trickle", "delay_ms": 5}, "timeout"),
    Way("D9-line", {"kind": "error_line"}, "stream", wires=("ollama",)),
    Way("D9-data", {"kind": "error_line", "how": "data"}, "stream", wires=("openai",)),
    Way("D9-vllm", {"kind": "error_line", "how": "vllm"}, "stream", wires=("openai",)),
    Way("D9-nothing", {"kind": "error_line", "how": "eof"}, "truncated", wires=("openai",)),
    Way("D10-split", {"kind": "split", "bytes": 7, "escapes": True}, "done"),
    Way("D11-clump", {"kind": "clump"}, "done"),
    Way("D11-long-line", {"kind": "long_line"}, "too_large", elsewhere=True),
    *[Way(f"D12-{how}", {"kind": "garbage", "how": how}, end, elsewhere=end == "too_large")
      for how, end in (("bytes", "protocol"), ("gzip", "protocol"), ("type", "protocol"),
                       ("html", "protocol"), ("http09", "protocol"),
                       ("chunk_sizes", "truncated"), ("headers", "too_large"))],
    Way("D13-done-twice", {"kind": "odd", "how": "done_twice"}, "done"),
    Way("D13-words-after-the-end", {"kind": "odd", "how": "text_after_done"}, "done"),
    Way("D14-empty", {"kind": "empty"}, "empty", fails=True),
    Way("D14-only-loaded", {"kind": "load"}, "empty", wires=("ollama",), fails=True),
    Way("D14-only-a-tool", {"kind": "tool_only"}, "empty", fails=True),
    Way("D14-only-thoughts", {"kind": "thinking_only"}, "empty", fails=True),
    Way("D14-cut-by-length", {"kind": "length"}, "done", whole=False),
    Way("D15-closed-when-used", {"kind": "close_idle"}, "done"),
    Way("D15-closed-at-once", {"kind": "refuse"}, "truncated"),
    Way("D17-loads", {"kind": "slow_load", "delay_ms": 300}, "done"),
    Way("D18-endless", {"kind": "endless"}, "done", whole=False),
    Way("D22-redirect", {"kind": "redirect", "to": "http://127.0.0.1:9/"}, "redirect",
        elsewhere=True),
]


def ways_of(wire):
    return [way for way in WAYS if wire in way.wires]


class Fair:
    """A server that meets the rules, one that is well, and conversations with the first."""

    def __init__(self, sandbox, wire, *options, turns=TURNS):
        self.box = sandbox
        self.turns = turns
        self.fleet = Fleet(sandbox)
        self.wild, self.good = Sim(self.fleet, *SPEED), Sim(self.fleet, *SPEED)
        write_config(self.fleet, {"wild": self.wild.endpoint(wire, **CLOCKS),
                                  "good": self.good.endpoint(wire, models=[MODEL])})
        crew_of(self.fleet, "--concurrency", TALKS, *options)

    def story(self, fallback):
        path = self.box.path(f"story-{fallback}.json")
        personas = [{**one, **({"fallback": fallback} if fallback else {})}
                    for one in STORY_FILE["personas"]]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**STORY_FILE, "personas": personas}, file)
        return path

    def begin(self, talks=TALKS, fallback=None):
        return self.fleet.begin("--story", self.story(fallback), "--conversations", talks,
                                "--turns", self.turns, "--duration", "none", "--max-issues", 20,
                                "--model", f"wild:{MODEL}").split()

    def judge(self, ids, ways, reason="turns"):
        """What holds however often it goes wrong."""
        talks = {one: self.fleet.wait_end(one, LIMIT_S) for one in ids}
        self.wild.fault()
        lines = {line["id"]: line for sim in (self.wild, self.good)
                 for line in sim.whole_ledger()}
        calls = {call["call"]: call for one in ids for call in calls_of(self.fleet, one)}
        assert {talk["reason"] for talk in talks.values()} == {reason}, talks
        assert set(lines) == set(calls), "each call is told of, and no other"
        assert len(lines) == sum(len(sim.ledger()) for sim in (self.wild, self.good))
        by_kind = {}
        for way in ways:
            by_kind.setdefault(way.rule["kind"], set()).add(way.end)
        for name, call in calls.items():
            end = call.get("error") or call["outcome"]
            assert end in by_kind.get(lines[name]["fault"], {"done"}), (end, lines[name])
        self.judge_transcripts(ids, ways, reason)
        return lines

    def judge_transcripts(self, ids, ways, reason):
        odd = {way.rule["kind"] for way in ways if not way.whole}
        for one in ids:
            said = self.fleet.transcript(one)
            turns = self.turns if reason == "turns" else len(said) - 3
            assert_once_and_in_order(said, turns)
            assert_told_once(self.fleet, one, turns)
            assert_shown(self.fleet, one)
            assert_texts_whole(self.fleet, one, [self.wild, self.good], odd)

    def told(self, lines, name, end="turns lost 0"):
        met = [line["fault"] for line in lines.values() if line["fault"]]
        tell(f"{name}: {TALKS} conversations of {self.turns} turns, calls {len(lines)}, "
             f"{len(met)} of them met a fault ({len(set(met))} kinds); {end}")


def mixed(ways, rate):
    """Rules of which one call in so many meets one, each as often as another."""
    return [{**way.rule, "rate": round(rate / len(ways) / (1 - rate * i / len(ways)), 6)}
            for i, way in enumerate(ways)]


@pytest.mark.parametrize("rate", [0.01, 0.2] if LONG else [0.2])
@pytest.mark.parametrize("wire", BOTH)
def test_any_call_may_go_wrong_in_any_way(box, wire, rate):
    """D2, D3, D5, D6, D7, D8, D9, D10, D11, D12, D13, D14, D15, D17,
    D18, D22: all by chance, mixed."""
    fair = Fair(box, wire, "--retry-budget", 1, turns=MANY_TURNS if LONG else TURNS)
    ways = ways_of(wire)
    fair.wild.fault(*mixed(ways, rate))
    lines = fair.judge(fair.begin(fallback="good"), ways)
    fair.told(lines, f"{wire}, {100 * rate:.0f} % of all kinds")
    assert any(line["fault"] for line in lines.values())
    box.stop_all()


def alone():
    """Each way by itself takes minutes in all; `make test` has them mixed."""
    return [pytest.param(way, wire, id=f"{way.name}-{wire}") for way in WAYS if LONG
            for wire in way.wires]


@pytest.mark.parametrize("way, wire", alone())
def test_every_call_goes_wrong_in_one_way_for_a_while(box, way, wire):
    """D2, D3, D5, D6, D7, D8, D9, D10, D11, D12, D13, D14, D15, D17,
    D18, D22: always, for 5 s."""
    fair = Fair(box, wire)
    fair.wild.fault({**way.rule, "for_ms": ALWAYS_MS})
    ids = fair.begin(fallback="good" if way.elsewhere else None)
    lines = fair.judge(ids, [way], "failed" if way.fails else "turns")
    fair.told(lines, f"{way.name}, {wire}, all for {ALWAYS_MS / 1000:.0f} s",
              "all failed, as they should" if way.fails else "turns lost 0")
    # No call goes over a connection that was used before.
    met = {line["fault"] for line in lines.values()} - {None}
    assert met == ({way.rule["kind"]} if way.rule["kind"] != "close_idle" else set())
    box.stop_all()


@pytest.mark.parametrize("rate", [0.01, 0.2])
@pytest.mark.parametrize("way, wire", alone())
def test_some_calls_go_wrong_in_one_way(box, way, wire, rate):
    """D2, D3, D5, D6, D7, D8, D9, D10, D11, D12, D13, D14, D15, D17,
    D18, D22: one at a time, at a rate."""
    fair = Fair(box, wire, "--retry-budget", 1, turns=MANY_TURNS if rate < 0.1 else TURNS)
    fair.wild.fault({**way.rule, "rate": rate})
    ids = fair.begin(fallback="good" if way.elsewhere else None)
    fair.told(fair.judge(ids, [way]), f"{way.name}, {wire}, {100 * rate:.0f} %")
    box.stop_all()
