"""A turn that is no longer wanted, whatever its call is doing just then: waiting for a place,
connecting, waiting for a server that is down, asking a second time for a structured reply. Within
a second nothing of it is left: no connection, no place, nobody in the queue for one.

test_cancel.py has the calls that are answered already.
"""
import json
import signal
import time
import uuid

import pytest

from helpers import Fleet, box, story_file, wait_for  # noqa: F401 - box is a fixture
from model_servers import (MODEL, Silence, Sim, calls_of, crew_of, ends_of, tell,
                           write_config)

CLOSED_WITHIN_S = 1.0
LOOKING_S = 0.3  # what the test itself takes to see it
HANDED_BACK_MS = 86400000  # such an entry looks idle for a day: the next worker takes it at once
SLOWLY = ["--tokens-per-second", 20, "--first-token-ms", 20, "--reply-tokens", "200..200"]


def ids_at_servers(fleet, which="*"):
    """The calls that hold a place at any server, or wait for one."""
    keys = [key for key in fleet.db.scan_iter(f"parley:{{endpoints}}:*:{which}")
            if fleet.db.type(key) == "zset"]
    return [call for key in keys for call in fleet.db.zrange(key, 0, -1)]


def traces(fleet, conversation, which="*"):
    return [call for call in ids_at_servers(fleet, which) if call.startswith(conversation)]


class Phase:
    """A fleet with some conversations, all in the same phase of their first call."""

    count = 5

    def __init__(self, sandbox):
        self.fleet = Fleet(sandbox)

    def begin(self, endpoint, crew=()):
        write_config(self.fleet, {"server": endpoint})
        self.services = crew_of(self.fleet, "--concurrency", 8, *crew)
        self.talks = self.fleet.begin("--story", story_file(self.fleet.box), "--model",
                                      f"server:{MODEL}", "--conversations", self.count,
                                      "--turns", 2, "--grace", "0s").split()

    def wait_all(self, condition, what):
        wait_for(lambda: all(condition(one) for one in self.talks), what)

    def gone(self, conversation):
        return not traces(self.fleet, conversation)

    def close(self):
        """What the sandbox does not know of."""


class WaitingForAPlace(Phase):
    """The window is one, and another conversation's call has it."""

    def __init__(self, sandbox):
        super().__init__(sandbox)
        self.sim = Sim(self.fleet, *SLOWLY)
        self.begin(self.sim.endpoint("ollama", window=1))
        wait_for(lambda: len(ids_at_servers(self.fleet, "waiting")) == self.count - 1, "they wait")
        speaker, = {call.split(":")[0] for call in ids_at_servers(self.fleet, "held")}
        self.talks.remove(speaker)

    def expected(self):
        return []


class Connecting(Phase):
    def __init__(self, sandbox):
        self.silence = Silence()
        super().__init__(sandbox)
        self.begin({"provider": "openai", "url": self.silence.url, "window": "none"},
                   crew=["--connect-timeout", "60s"])
        self.wait_all(lambda one: traces(self.fleet, one, "held"), "they connect")

    def expected(self):
        return ["cancelled"]

    def close(self):
        self.silence.close()


class WaitingForAServerThatIsDown(Phase):
    def __init__(self, sandbox):
        super().__init__(sandbox)
        self.sim = Sim(self.fleet)
        self.sim.fault({"kind": "status", "status": 503, "retry_after": "60"})
        self.begin(self.sim.endpoint("openai"))
        self.wait_all(lambda one: "busy" in ends_of(calls_of(self.fleet, one))
                      or traces(self.fleet, one, "waiting"), "they were refused")

    def expected(self):
        return None  # some were refused, others never asked


class AskingForAStructuredReplyAgain(Phase):
    def __init__(self, sandbox):
        super().__init__(sandbox)
        self.sim = Sim(self.fleet, *SLOWLY, "--parallel", 64)
        self.sim.fault({"kind": "say", "text": "No.", "count": self.count})
        self.begin(self.sim.endpoint("ollama"), crew=["--structured"])
        self.wait_all(lambda one: [call for call in traces(self.fleet, one, "held")
                                   if call.endswith("r")], "they ask again")
        self.sim.wait_speaking(self.count)

    def expected(self):
        return ["structure", "cancelled"]

    def gone(self, conversation):
        return super().gone(conversation) and any(
            line["id"].startswith(conversation) and line["closed_by"] == "client"
            for line in self.sim.ledger())


# ---- how a turn is ended ----

def command(fleet, name, conversation, args):
    seconds, micros = fleet.db.time()
    fleet.db.xadd("parley:{0}:control", {
        "id": uuid.uuid4().hex[:16], "command": name, "conversation": conversation,
        "valid_until": (seconds + 5) * 10**6 + micros, "args": json.dumps(args)})


def stop(phase, conversation):
    command(phase.fleet, "stop", conversation, {})


def pause(phase, conversation):
    command(phase.fleet, "pause", conversation, {"cancel": True})


def forget(phase, conversation):
    phase.fleet.db.delete(f"parley:{{0}}:conversation:{conversation}")


def deadline_passes(phase, conversation):
    """As if the conversation had begun long ago."""
    key = f"parley:{{0}}:conversation:{conversation}"
    phase.fleet.db.hset(key, "deadline", 1)
    phase.fleet.db.zadd("parley:{0}:due", {conversation: 1})


ENDS = [stop, pause, forget, deadline_passes]


@pytest.mark.parametrize("kind", [WaitingForAPlace, Connecting, WaitingForAServerThatIsDown,
                                  AskingForAStructuredReplyAgain], ids=lambda kind: kind.__name__)
def test_whatever_a_call_is_doing_it_ends_within_a_second(box, kind):
    """D16: before any stream."""
    phase = kind(box)
    try:
        for end in ENDS:
            conversation = phase.talks.pop()
            began = time.monotonic()
            end(phase, conversation)
            wait_for(lambda one=conversation: phase.gone(one), f"{end.__name__}: nothing is left")
            took_s = time.monotonic() - began
            tell(f"{kind.__name__}, {end.__name__}: {took_s * 1000:.0f} ms")
            assert took_s <= CLOSED_WITHIN_S + LOOKING_S, end.__name__
            if end is not forget and phase.expected() is not None:
                wait_for(lambda one=conversation: ends_of(calls_of(phase.fleet, one))
                         == phase.expected(), f"{end.__name__}: its calls are told")
        hand_back(phase)
    finally:
        phase.close()
    box.stop_all()


def hand_back(phase):
    """A worker that is told to go twice: the turns it has go back to the lane, unheld."""
    worker = phase.services[1]
    worker.send_signal(signal.SIGTERM)
    wait_for(lambda: "draining" in open(worker.err_path, encoding="utf-8").read(), "it drains")
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 143
    wait_for(lambda: not ids_at_servers(phase.fleet), "no place is held")
    took_s = time.monotonic() - began
    tell(f"{type(phase).__name__}, SIGTERM: {took_s * 1000:.0f} ms")
    assert took_s <= CLOSED_WITHIN_S + LOOKING_S
    pending = phase.fleet.db.xpending_range("parley:{0}:request:1", "workers", "-", "+", 10)
    assert pending and all(entry["time_since_delivered"] >= HANDED_BACK_MS for entry in pending)
