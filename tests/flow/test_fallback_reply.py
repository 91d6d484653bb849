"""A persona's fallback reply: said within half a second of giving up, whatever the call was doing
then, and marked as what it is.
"""
import json

from helpers import STORY_FILE, Fleet, box, closed_port, turns_of, wait_for  # noqa: F401 - box
from model_servers import (Silence, Sim, calls_of, crew_of, ends_of, stamps_of, tell, write_config)

GIVE_UP_S, WITHIN_S = 1.5, 0.5
WORDS = "I have lost my thread."
SLOWLY = ["--tokens-per-second", 20, "--first-token-ms", 700, "--reply-tokens", "400..400"]
WAYS = {  # the endpoint and model it is asked of: how its calls end
    "closed:m": "refused",       # nobody is there: it is known to be down, and waited for
    "silent:m": "timeout",       # connecting for ever
    "sim:mute": "timeout",       # connected, no word
    "sim:slow": "timeout",       # in the midst of its words
    "sim:plain": "structure",    # asked a second time, the first answer being no document
}


def note_requests(fleet, into):
    """When each conversation's first turn was asked for, in s; entries are trimmed in time."""
    into.update({fields["conversation"]: int(fields["at"]) / 1e6
                 for _, fields in fleet.db.xrange("parley:{0}:request:1")})
    return into


def test_it_is_said_within_half_a_second_of_giving_up(box):
    fleet = Fleet(box)
    sim = Sim(fleet, *SLOWLY, "--parallel", 8, "--sim-models", "mute,slow,plain")
    sim.fault({"kind": "stall_first", "model": "mute"},
              {"kind": "say", "text": "No.", "model": "plain", "count": 1})
    path = box.path("fallback.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**STORY_FILE, "personas": [{**one, "fallback_reply": WORDS}
                                              for one in STORY_FILE["personas"]]}, file)
    silence = Silence()
    try:
        write_config(fleet, {"sim": sim.endpoint("openai"),
                             "silent": {"provider": "openai", "url": silence.url, "window": "none"},
                             "closed": {"provider": "openai",
                                        "url": f"http://127.0.0.1:{closed_port()}"}})
        crew_of(fleet, "--concurrency", 8, "--structured", "--give-up", f"{GIVE_UP_S}s")
        talks = {way: fleet.begin("--story", path, "--model", way, "--turns", 1) for way in WAYS}
        requests = {}
        wait_for(lambda: len(note_requests(fleet, requests)) == len(talks), "all are asked for")
        for way, one in talks.items():
            assert fleet.wait_end(one)["reason"] == "turns"
            said, = stamps_of(fleet, one)
            asked = requests[one]
            tell(f"{way}: said after {said - asked:.3f} s")
            assert GIVE_UP_S - 0.05 <= said - asked <= GIVE_UP_S + WITHIN_S, way
            message, = turns_of(fleet.transcript(one))
            assert message["content"]["message"] == WORDS
            assert (message["metadata"]["fallback"], message["metadata"]["finish_reason"]) == \
                (True, "fallback")
            assert WAYS[way] in ends_of(calls_of(fleet, one)), way
        assert sim.state()["in_flight"] == 0
        box.stop_all()
    finally:
        silence.close()
