"""How many calls a server gets at once is the fleet's matter, and a slow server is left alone.

Both are read off the servers' own ledgers, and off the transcripts' times.
"""
import os

import pytest

from helpers import Fleet, assert_once_and_in_order, box, story_file  # noqa: F401
from model_servers import (MODEL, Sim, calls_of, crew_of, forget_servers, most_at_once, percentile,
                           stamps_of, tell, write_config)

WORKERS_A_LANE = 4
TALKS = 12
TURNS = 6
LONG = os.environ.get("PARLEY_PROOF") == "long"
SLOW_TURNS = 200 if LONG else 20


def play(fleet, conversations, turns, *options):
    ids = fleet.begin("--story", story_file(fleet.box), "--conversations", conversations,
                      "--turns", turns, "--duration", "none", *options).split()
    for one in ids:
        assert fleet.wait_end(one)["reason"] == "turns"
        assert_once_and_in_order(fleet.transcript(one), turns)
    return ids


@pytest.mark.parametrize("wire", ["ollama", "openai"])
def test_eight_workers_share_a_window_of_two(box, wire):
    fleet = Fleet(box)
    sim = Sim(fleet, "--tokens-per-second", 1000, "--first-token-ms", 5, "--parallel", 64)
    write_config(fleet, {"two": sim.endpoint(wire, window=2), "open": sim.endpoint(
        "openai" if wire == "ollama" else "ollama", window="none")})
    crew_of(fleet, each=WORKERS_A_LANE)
    play(fleet, TALKS, TURNS, "--model", f"two:{MODEL}")
    lines = sim.whole_ledger()
    assert len(lines) == TALKS * TURNS
    tell(f"8 workers, window 2: most calls at once {most_at_once(lines)} of {len(lines)}")
    assert most_at_once(lines) == 2  # never more, and the places are used
    assert max(line["in_flight"] for line in lines) == 2
    waits = [float(call["endpoint_wait_ms"]) for call in calls_of(fleet)]
    assert max(waits) > 20, "with 8 workers some call has waited for a place"
    # Without a window they do speak all at once: the ledger would tell.
    play(fleet, TALKS, 2, "--model", f"open:{MODEL}")
    assert most_at_once(sim.whole_ledger()[len(lines):]) > 2
    box.stop_all()


@pytest.mark.parametrize("window", [{}, {"window": "ask"}], ids=["untold", "ask"])
def test_an_ollama_server_gets_one_call_at_once_unless_told_otherwise(box, window):
    """Its own default, OLLAMA_NUM_PARALLEL: more would wait there, where nobody sees it."""
    fleet = Fleet(box)
    sim = Sim(fleet, "--tokens-per-second", 0, "--first-token-ms", 40, "--parallel", 64)
    write_config(fleet, {"usual": {"provider": "ollama", "url": sim.url, **window}})
    crew_of(fleet, each=2)
    play(fleet, 6, 4, "--model", f"usual:{MODEL}")
    assert most_at_once(sim.whole_ledger()) == 1
    box.stop_all()


def test_the_oldest_turn_gets_the_place(box):
    """Whoever has waited longest: so no conversation starves."""
    fleet = Fleet(box)
    sim = Sim(fleet, "--tokens-per-second", 0, "--first-token-ms", 20, "--parallel", 64)
    write_config(fleet, {"one": sim.endpoint("ollama", window=1)})
    crew_of(fleet, each=WORKERS_A_LANE)
    ids = play(fleet, 8, 5, "--model", f"one:{MODEL}")
    assert most_at_once(sim.whole_ledger()) == 1
    ends = [stamps_of(fleet, one)[-1] for one in ids]
    begins = [stamps_of(fleet, one)[0] for one in ids]
    # In turns: each conversation's end lies behind each one's beginning.
    assert max(begins) < min(ends)
    box.stop_all()


def turn_times(fleet, ids):
    """Seconds from each turn to the next: all a turn takes."""
    stamps = [stamps_of(fleet, one) for one in ids]
    return [b - a for at in stamps for a, b in zip(at, at[1:])]


def test_one_of_three_servers_twenty_times_slower(box):
    """D20: p95 of the turns of 60 conversations at most twice that with three good servers.

    The long form plays as many turns as a p99 can be told by, and holds that to the same limit.
    """
    fleet = Fleet(box)
    sims = [Sim(fleet, "--tokens-per-second", 400, "--first-token-ms", 20, "--parallel", 64)
            for _ in range(3)]
    write_config(fleet, {f"server{number}": sim.endpoint("ollama", models=[MODEL])
                         for number, sim in enumerate(sims)})
    options = ["--strategy", "least-busy"]
    crew_of(fleet, "--concurrency", 60, *options, manager=options)
    p95, p99, shares = {}, {}, {}
    for case in ("good", "slow"):
        forget_servers(fleet)
        sims[1].fault(*([{"kind": "slow", "factor": 20}] if case == "slow" else []))
        before = [len(sim.whole_ledger()) for sim in sims]
        times = turn_times(fleet, play(fleet, 60, SLOW_TURNS, "--model", MODEL))
        p95[case], p99[case] = percentile(times, 0.95), percentile(times, 0.99)
        shares[case] = [len(sim.whole_ledger()) - count for sim, count in zip(sims, before)]
    tell(f"p95 of {60 * SLOW_TURNS} turns: {p95['good'] * 1000:.0f} ms with three good servers, "
         f"{p95['slow'] * 1000:.0f} ms with one 20 times slower; p99: {p99['good'] * 1000:.0f} "
         f"and {p99['slow'] * 1000:.0f} ms; calls of each: {shares}")
    assert sum(shares["good"]) == sum(shares["slow"]) == 60 * SLOW_TURNS
    # All three are used when they are good; the slow one was tried, too.
    assert min(shares["good"]) > 60 and shares["slow"][1] >= 1
    assert p95["slow"] <= 2 * p95["good"]
    assert not LONG or p99["slow"] <= 2 * p99["good"]
    box.stop_all()
