"""Every server answers 503 for a time, then is well: turns wait, few calls are wasted, and all
goes on at once.

`make test` has short outages, `make proof` (PARLEY_PROOF=long) some of half a minute and a minute;
both print what they saw.
"""
import os
import time

import pytest

from helpers import (Fleet, assert_once_and_in_order, box, story_file,
                     wait_for)  # noqa: F401 - box is a fixture
from model_servers import (MODEL, Sim, calls_of, crew_of, ends_of, first_call, most_at_once,
                           stamps_of, tell, write_config)

LONG = os.environ.get("PARLEY_PROOF") == "long"
OUTAGE_S = 30 if LONG else 6
ALL_DOWN_S = 60 if LONG else 2
CONVERSATIONS = 16
TURNS = 24
FEW_TURNS = 10
RECOVERY_S = 3
EXTRA_PART = 0.1
FULL_SPEED = ["--tokens-per-second", 400, "--first-token-ms", 20, "--parallel", 64]
WELL_AGAIN_LIMIT_S = 40


@pytest.mark.parametrize("wire", ["ollama", "openai"])
def test_turns_wait_for_the_end_of_an_outage(box, wire):
    """D21: no turn is lost, and hardly a call is made that was not needed."""
    fleet = Fleet(box)
    sim = Sim(fleet, *FULL_SPEED)
    write_config(fleet, {"server": sim.endpoint(wire)})
    crew_of(fleet, "--concurrency", CONVERSATIONS)
    ids = fleet.begin("--story", story_file(box), "--conversations", CONVERSATIONS, "--turns",
                      TURNS, "--duration", "none", "--max-issues", 1, "--model",
                      f"server:{MODEL}").split()
    wait_for(lambda: len(sim.ledger()) >= CONVERSATIONS * TURNS // 4, "a quarter is said")
    began_us = time.time_ns() // 1000
    sim.fault({"kind": "status", "status": 503})
    time.sleep(OUTAGE_S)  # the outage itself
    over_us = time.time_ns() // 1000
    sim.fault()
    for one in ids:
        assert fleet.wait_end(one, WELL_AGAIN_LIMIT_S)["reason"] == "turns"
        assert_once_and_in_order(fleet.transcript(one), TURNS)
    fleet.wait_settled()
    judge(fleet, sim, ids, began_us, over_us)
    box.stop_all()


def judge(fleet, sim, ids, began_us, over_us):
    lines = sim.whole_ledger()
    refused = [line for line in lines if line["status"] == 503]
    good = sorted((line for line in lines if line["status"] == 200
                   and line["started_us"] >= began_us and line["ended_us"] > over_us),
                  key=lambda line: line["ended_us"])
    probes = [call["call"] for call in calls_of(fleet) if call.get("probe") == "1"]
    base = CONVERSATIONS * TURNS
    extra = len(lines) - base
    first_good_us = good[0]["ended_us"]
    # When each conversation was served again.
    served = {one: min(at for at in stamps_of(fleet, one) if at * 1e6 > over_us) for one in ids}
    recovery_s = max(served.values()) - first_good_us / 1e6
    herd = [line for line in lines if 0 <= line["started_us"] - first_good_us < 10**6]
    tell(f"outage {OUTAGE_S} s, {CONVERSATIONS} conversations of {TURNS} turns: turns lost 0, "
         f"calls refused {len(refused)}, extra calls {extra} of {base} "
         f"({100 * extra / base:.1f} %), probes {len(probes)}; first good answer "
         f"{(first_good_us - over_us) / 1e6:.2f} s after the outage, all served "
         f"{recovery_s:.2f} s later; calls in the first second {len(herd)}, "
         f"at once {most_at_once(lines)}")
    assert len(refused) >= 1 and len({line["id"] for line in lines}) == len(lines)
    assert extra <= EXTRA_PART * base + len(probes)
    # Half-open: one call at a time asks whether it is well again, less and less often.
    late = [line for line in refused if line["started_us"] > began_us + 1.5e6]
    assert most_at_once(late) <= 1 and len(late) <= OUTAGE_S
    assert recovery_s < RECOVERY_S
    assert all(first_call(line) for line in lines if line["status"] == 200
               and line["started_us"] < began_us)
    ends = ends_of(calls_of(fleet))
    assert ends.count("done") == base and ends.count("busy") == len(refused)
    assert len(ends) == len(lines)


def test_three_servers_that_were_all_down_are_not_run_over_when_they_are_back(box):
    """D19: turns wait, one probe at a time asks each server, and few calls come in at first."""
    fleet = Fleet(box)
    sims = [Sim(fleet, *FULL_SPEED) for _ in range(3)]
    write_config(fleet, {f"server{number}": sim.endpoint("ollama", models=[MODEL])
                         for number, sim in enumerate(sims)})
    options = ["--strategy", "least-busy"]
    crew_of(fleet, "--concurrency", 2 * CONVERSATIONS, *options, manager=options)
    ids = fleet.begin("--story", story_file(box), "--conversations", 2 * CONVERSATIONS, "--turns",
                      FEW_TURNS, "--duration", "none", "--model", MODEL).split()
    wait_for(lambda: sum(len(sim.ledger()) for sim in sims) >= 3 * CONVERSATIONS, "some is said")
    began_us = time.time_ns() // 1000
    for sim, status in zip(sims, (503, 529, 503)):
        sim.fault({"kind": "status", "status": status})
    time.sleep(ALL_DOWN_S)  # the outage itself
    over_us = time.time_ns() // 1000
    for sim in sims:
        sim.fault()
    for one in ids:
        assert fleet.wait_end(one, WELL_AGAIN_LIMIT_S)["reason"] == "turns"
        assert_once_and_in_order(fleet.transcript(one), FEW_TURNS)
    fleet.wait_settled()
    ends = ends_of(calls_of(fleet))
    assert ends.count("done") == 2 * CONVERSATIONS * FEW_TURNS and set(ends) == {"done", "busy"}
    closed = [closed_at_us(fleet, f"server{number}") for number in range(len(sims))]
    assert any(closed)
    for sim, closed_us in zip(sims, closed):
        lines = sim.whole_ledger()
        late = [line for line in lines if began_us + 1.5e6 < line["started_us"] < over_us]
        assert most_at_once(late) <= 1 and len(late) <= ALL_DOWN_S
        if closed_us is None:
            assert not [line for line in lines if line["started_us"] > over_us
                        and line["status"] == 200]
        else:
            judge_herd(lines, closed_us, len(late), over_us)
    box.stop_all()


def closed_at_us(fleet, name):
    """When the breaker of a server closed; None: the others did what was left."""
    found = [fleet.db.hgetall(key) for key in fleet.db.scan_iter("parley:{endpoints}:*")
             if fleet.db.type(key) == "hash"]
    closed_at = next(one.get("closed_at") for one in found if one.get("name") == name)
    return closed_at and int(closed_at) * 1000


def judge_herd(lines, closed_us, probes, over_us):
    """What docs/routing.md lets in: 4 calls in the first 100 ms, twice that with each further."""
    since_ms = [(line["started_us"] - closed_us) / 1000 for line in lines
                if line["started_us"] >= closed_us + 1000]
    came = [sum(at < 100 * step for at in since_ms) for step in (1, 2, 3)]
    tell(f"all down for {ALL_DOWN_S} s: probes after the first second and a half {probes}; the "
         f"breaker closed {(closed_us - over_us) / 1e6:.2f} s after the outage; calls in the first "
         f"100, 200, 300 ms {came}, in the first second {sum(at < 1000 for at in since_ms)}")
    assert closed_us > over_us and came[0] <= 4 and came[1] <= 8 and came[2] <= 16
