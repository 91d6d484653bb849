"""Every server answers 503 for a time, then is well: turns wait, few calls are wasted, and all
goes on at once.

`make test` has a short outage, `make proof` (PARLEY_PROOF=long) one of half a minute; both print
what they saw.
"""
import os
import time

import pytest

from helpers import (Fleet, assert_once_and_in_order, box, story_file,
                     wait_for)  # noqa: F401 - box is a fixture
from model_servers import (MODEL, Sim, calls_of, crew_of, ends_of, first_call, most_at_once,
                           stamps_of, tell, write_config)

OUTAGE_S = 30 if os.environ.get("PARLEY_PROOF") == "long" else 6
CONVERSATIONS = 16
TURNS = 24
RECOVERY_S = 3
EXTRA_PART = 0.1
FULL_SPEED = ["--tokens-per-second", 400, "--first-token-ms", 20, "--parallel", 64]
WELL_AGAIN_LIMIT_S = 40


@pytest.mark.parametrize("wire", ["ollama", "openai"])
def test_turns_wait_for_the_end_of_an_outage(box, wire):
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
