"""A turn that is no longer wanted: whoever ends it, the connection is closed within a second, so
that the server stops generating. The server's own ledger tells when, and who closed.
"""
import os
import signal

import pytest

from helpers import Fleet, box, story_file, wait_for  # noqa: F401 - box is a fixture
from model_servers import MODEL, Sim, calls_of, ends_of, tell, wall_us, write_config

CLOSED_WITHIN_US = 10**6
# A reply takes ten seconds: none comes to its end by itself.
SPEAKING = ["--tokens-per-second", 20, "--first-token-ms", 20, "--reply-tokens", "200..200"]
SILENT = ["--tokens-per-second", 20, "--first-token-ms", 20000]


@pytest.fixture(params=["ollama", "openai"])
def wire(request):
    return request.param


class Crew:
    """A fleet whose conversation is in the midst of its first turn."""

    def __init__(self, sandbox, wire, *options, server=SPEAKING):
        self.fleet = Fleet(sandbox)
        self.sim = Sim(self.fleet, *server)
        write_config(self.fleet, {"server": self.sim.endpoint(wire)})
        self.services = self.fleet.crew("--lease", "2s")
        self.conversation = self.fleet.begin("--story", story_file(sandbox), "--model",
                                             f"server:{MODEL}", *options)
        self.sim.wait_speaking()

    def entry(self):
        entry, = self.fleet.db.xpending_range("parley:{0}:request:1", "workers", "-", "+", 1)
        return entry

    def assert_closed(self, since_us):
        """By the client, within a second of since_us."""
        line, = self.sim.wait_ledger(lambda line: True, "the call's line")
        assert (line["closed_by"], line["ended"]) == ("client", "client"), line
        took_us = line["ended_us"] - since_us
        tell(f"closed after {took_us / 1000:.0f} ms, at {line['tokens']} tokens")
        assert 0 < took_us <= CLOSED_WITHIN_US, f"{took_us} us"
        assert self.sim.state()["in_flight"] == 0
        return line

    def wait_calls(self, *ends):
        wait_for(lambda: ends_of(calls_of(self.fleet, self.conversation)) == list(ends),
                 f"the calls ended {ends}", 5)


def test_stop_in_mid_stream(box, wire):
    """D16: by a person."""
    crew = Crew(box, wire)
    began_us = wall_us()
    done = box.parley("stop", crew.conversation)
    assert done.returncode == 0, done.stderr
    line = crew.assert_closed(began_us)
    assert line["tokens"] < 100
    crew.wait_calls("cancelled")
    assert crew.fleet.wait_end(crew.conversation)["reason"] == "stopped"
    assert crew.fleet.transcript(crew.conversation)[3:] == []
    crew.fleet.wait_settled()
    box.stop_all()


def test_stop_before_the_first_word(box, wire):
    """D16: while the server is silent."""
    crew = Crew(box, wire, server=SILENT)
    began_us = wall_us()
    assert box.parley("stop", crew.conversation).returncode == 0
    assert crew.assert_closed(began_us)["tokens"] == 0
    crew.wait_calls("cancelled")
    box.stop_all()


@pytest.mark.parametrize("grace", ["0s", "1s"])
def test_a_passed_deadline(box, wire, grace):
    """D16: by the end of the conversation's time, with or without a grace."""
    crew = Crew(box, wire, "--duration", "2s", "--grace", grace)
    over = int(crew.fleet.talk(crew.conversation)["deadline"]) + int(grace[0]) * 10**6
    crew.assert_closed(over)
    crew.wait_calls("cancelled")
    assert crew.fleet.wait_end(crew.conversation)["reason"] == "duration"
    assert crew.fleet.transcript(crew.conversation)[3:] == []
    box.stop_all()


@pytest.mark.parametrize("before", [False, True], ids=["running", "paused already"])
def test_a_pause_that_drops_the_turn(box, wire, before):
    """D16: by a pause, also where one before has left the turn to its end."""
    crew = Crew(box, wire)
    if before:
        assert box.parley("pause", crew.conversation).returncode == 0
    began_us = wall_us()
    done = box.parley("pause", crew.conversation, "--cancel")
    assert (done.returncode, done.stdout) == (0, crew.conversation + " is paused\n"), done.stderr
    crew.assert_closed(began_us)
    crew.wait_calls("cancelled")
    assert crew.fleet.talk(crew.conversation)["state"] == "paused"
    dropped, = crew.fleet.db.xrange("parley:{0}:calls")
    assert box.parley("resume", crew.conversation).returncode == 0
    crew.sim.wait_speaking()
    entry = crew.entry()["message_id"]
    _, request = crew.fleet.db.xrange("parley:{0}:request:1", entry, entry)[0]
    assert (request["turn"], dropped[1]["turn"]) == ("1", "1")  # the same one, asked for again
    assert box.parley("stop", crew.conversation).returncode == 0
    box.stop_all()


def test_a_worker_whose_turn_another_has_taken(box, wire):
    """D16: by the fence."""
    crew = Crew(box, wire)
    began_us = wall_us()
    crew.fleet.db.xclaim("parley:{0}:request:1", "workers", "worker-1-9", 0,
                         [crew.entry()["message_id"]])
    crew.assert_closed(began_us)
    crew.wait_calls("cancelled")
    # It is still asked for: whoever claims it next makes the call anew.
    crew.sim.wait_speaking()
    assert box.parley("stop", crew.conversation).returncode == 0
    box.stop_all()


def test_a_conversation_that_is_gone(box, wire):
    crew = Crew(box, wire)
    began_us = wall_us()
    crew.fleet.db.delete(f"parley:{{0}}:conversation:{crew.conversation}")
    crew.assert_closed(began_us)
    box.stop_all()


def test_a_worker_that_is_told_to_go_twice(box, wire):
    """The first SIGTERM lets the turn end, the second one ends it."""
    crew = Crew(box, wire)
    worker = crew.services[1]
    worker.send_signal(signal.SIGTERM)
    # Two signals of a kind that come before the first was seen are one.
    wait_for(lambda: "draining" in open(worker.err_path, encoding="utf-8").read(), "it drains")
    assert crew.sim.state()["in_flight"] == 1
    began_us = wall_us()
    worker.send_signal(signal.SIGTERM)
    crew.assert_closed(began_us)
    assert worker.wait(10) == 143
    assert box.parley("stop", crew.conversation).returncode == 0
    box.stop_all()


def test_a_killed_worker(box, wire):
    crew = Crew(box, wire)
    began_us = wall_us()
    os.kill(crew.services[1].pid, signal.SIGKILL)
    crew.services[1].wait()
    crew.assert_closed(began_us)
    assert box.parley("stop", crew.conversation).returncode == 0
    box.stop_all()
