"""Workers that die, stop or go: each turn stands there once, each model call is accounted for.

What a model server was asked stands in the simulator's ledger, by the call's id; what the fleet
tells of it in K:calls, where a call whose worker died is `lost`.
"""
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from helpers import (IS_ASAN, ROOT, STORY_FILE, FakeOllama, Fleet, assert_once_and_in_order, box, wait_for)  # noqa: F401 - box is a fixture
from model_servers import Sim, calls_of, tell, write_config

LONG = os.environ.get("PARLEY_PROOF") == "long"
FAULTS = ROOT / "build/faults"
LEASE = ["--lease", "2s"]
REQUEST = "parley:{0}:request:1"
SLOW = ["--tokens-per-second", 60, "--first-token-ms", 20, "--reply-tokens", "20..30"]


@pytest.fixture
def fleet(box):
    return Fleet(box)


def serve(fleet, url):
    """A server that takes any number of calls: the place of a dead worker's call is not waited for."""
    write_config(fleet, {"ollama": {"provider": "ollama", "url": url, "window": "none"}})


def sim_of(fleet, *options):
    sim = Sim(fleet, *options)
    serve(fleet, sim.url)
    return sim


def kill(process):
    process.kill()
    process.wait()


def story_file(sandbox, setting="A pier."):
    """The path of a story of two personas; the setting stands in each prompt."""
    path = sandbox.path(f"story-{setting.split()[-1]}json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**STORY_FILE, "setting": setting}, file)
    return path


def in_hand(fleet):
    """The requests of lane 1 that some worker has, as Redis tells of them."""
    return fleet.db.xpending_range(REQUEST, "workers", "-", "+", 1000)


def outcomes(fleet, conversation):
    """call -> how it ended; `lost` only where nothing else is told of it."""
    found = {}
    for call in calls_of(fleet, conversation):
        if call["outcome"] != "lost" or call["call"] not in found:
            found[call["call"]] = call["outcome"]
    return found


def assert_all_told(fleet, sim, conversation):
    """Every call the server was asked for has its entry."""
    asked = {line["id"] for line in sim.ledger()}
    wait_for(lambda: asked <= set(outcomes(fleet, conversation)),
             f"each of {sorted(asked)} is told of, not only {outcomes(fleet, conversation)}", 10)


def assert_over(fleet, sim, conversation, turns):
    assert fleet.wait_end(conversation)["reason"] == "turns", fleet.db.xrevrange(
        "parley:{0}:events", count=1)
    assert_once_and_in_order(fleet.transcript(conversation), turns)
    fleet.wait_settled()
    assert_all_told(fleet, sim, conversation)


# ---- at each moment of a turn ----

@pytest.fixture(scope="module")
def faults_build():
    env = {name: value for name, value in os.environ.items()
           if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    subprocess.run(["make", "-s", "VARIANT=faults", "all"], cwd=ROOT, env=env, check=True)


def doomed(fleet, point):
    """A worker of lane 1 that dies at the point."""
    process = subprocess.Popen(
        [FAULTS / "parley", "worker", "--seat", "1", *LEASE], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**fleet.box.env, "PARLEY_FAULT": f"{point}=kill"})
    fleet.box.started.append(process)
    return process


@pytest.mark.skipif(IS_ASAN, reason="the points are in a build of their own")
def test_a_worker_killed_at_any_moment_of_a_turn_loses_and_doubles_nothing(fleet, faults_build):
    """A2, A3: killed before it reads, after it read, in the stream, before the commit, between its
    sending and its reply, after it and before the next read; each time a successor goes on."""
    sim = sim_of(fleet, "--tokens-per-second", 300, "--first-token-ms", 5)
    points = ["worker.look", "worker.read", "worker.stream", "worker.settled", "commit.before",
              "commit.sent", "commit.answered"]
    fleet.manager()
    fleet.worker(2, *LEASE)
    process = doomed(fleet, points[0])
    fleet.wait_ready("manager-1", "worker-2-1")
    conversation = fleet.begin("--turns", 16, "--story", story_file(fleet.box))
    for point in points[1:]:
        assert process.wait(20) == -signal.SIGKILL
        process = doomed(fleet, point)
    assert process.wait(20) == -signal.SIGKILL
    fleet.worker(1, *LEASE)
    assert_over(fleet, sim, conversation, 16)
    found = outcomes(fleet, conversation)
    assert sorted(set(found.values())) == ["done", "lost"], found
    # Only a kill between the first byte and the commit wastes a call.
    assert len(sim.ledger()) - 16 <= 3, found
    fleet.box.stop_all()


def test_a_successor_takes_name_and_turn_over_at_once_and_not_after_the_lease(fleet):
    """A2: the lease is 10 s and the lock of the name too; neither is waited for."""
    sim = sim_of(fleet, *SLOW)
    _, first, _ = fleet.crew()
    conversation = fleet.begin("--turns", 2, "--story", story_file(fleet.box))
    sim.wait_speaking()
    kill(first)
    died_at = time.monotonic()
    fleet.worker(1)
    entry = wait_for(lambda: [one for one in in_hand(fleet) if one["times_delivered"] == 2],
                     "the turn is delivered again")[0]
    took_s = time.monotonic() - died_at
    assert entry["consumer"] == "worker-1-1" and took_s < 8
    tell(f"a killed worker's turn was in its successor's hands {took_s:.3f} s later")
    assert_over(fleet, sim, conversation, 2)
    assert sorted(outcomes(fleet, conversation).values()) == ["done", "done", "lost"]
    fleet.box.stop_all()


def test_a_dead_calls_place_at_its_server_is_not_waited_for(fleet):
    """A2: the server takes one call at a time, leases are 10 s; the successor's call begins at once."""
    sim = Sim(fleet, *SLOW)
    write_config(fleet, {"ollama": {"provider": "ollama", "url": sim.url, "window": 1}})
    _, first, _ = fleet.crew()
    conversation = fleet.begin("--turns", 2, "--story", story_file(fleet.box))
    sim.wait_speaking()
    kill(first)
    died_at = time.monotonic()
    fleet.worker(1)
    sim.wait_ledger(lambda line: "/1.1-" in line["id"], "the dead worker's call is over")
    sim.wait_speaking()
    took_s = time.monotonic() - died_at
    assert took_s < 5
    tell(f"with a window of 1 a killed worker's turn was being spoken anew {took_s:.3f} s later")
    assert_over(fleet, sim, conversation, 2)
    assert sorted(outcomes(fleet, conversation).values()) == ["done", "done", "lost"]
    fleet.box.stop_all()


# ---- stopped and woken ----

def test_a_worker_that_stood_still_for_three_leases_is_fenced_when_it_wakes_up(fleet):
    """A6: its turn was taken over; what it says is not taken, its model call is closed."""
    sim = sim_of(fleet, "--tokens-per-second", 16, "--first-token-ms", 20, "--reply-tokens",
                 "100..100")
    lease = ["--lease", "1s"]
    _, frozen, _ = fleet.crew(*lease)
    conversation = fleet.begin("--turns", 1, "--story", story_file(fleet.box))
    sim.wait_speaking()
    name = wait_for(lambda: in_hand(fleet), "the turn is in hand")[0]["consumer"]
    mate = fleet.worker(1, *lease)
    frozen.send_signal(signal.SIGSTOP)
    stopped_at = time.monotonic()
    try:
        taken = wait_for(lambda: [one for one in in_hand(fleet) if one["consumer"] != name],
                         "the lane mate has it")[0]
        assert taken["times_delivered"] == 2
        wait_for(lambda: time.monotonic() - stopped_at > 3, "three leases are over")
    finally:
        frozen.send_signal(signal.SIGCONT)
    closed = sim.wait_ledger(lambda line: "/1.1-" in line["id"], "the first call is over")[0]
    assert (closed["ended"], closed["closed_by"]) == ("client", "client")
    wait_for(lambda: "answer=FENCED" in open(frozen.err_path).read(), "it was told so")
    assert mate.poll() is None and frozen.poll() is None
    # Told as lost by who took over, then as cancelled by itself: that is the one that counts.
    wait_for(lambda: outcomes(fleet, conversation).get(closed["id"]) == "cancelled", "it tells")
    assert {call["outcome"] for call in calls_of(fleet, conversation)
            if call["call"] == closed["id"]} == {"lost", "cancelled"}
    assert_over(fleet, sim, conversation, 1)
    fleet.box.stop_all()


# ---- all at once ----

def test_a_whole_fleet_killed_with_turns_in_flight_goes_on_when_it_is_started_again(fleet):
    """A8: each worker finds its own turns first, without waiting for the lease of 10 s."""
    talks = 500 if LONG else 24
    sim = sim_of(fleet, "--tokens-per-second", 40, "--first-token-ms", 20, "--reply-tokens",
                 "30..30", "--parallel", 512)
    slots = ["--concurrency", talks]
    crew = [fleet.manager("--max-running", talks), fleet.worker(1, *slots),
            fleet.worker(2, *slots)]
    fleet.wait_ready("manager-1", "worker-1-1", "worker-2-1")
    ids = fleet.begin("--turns", 3, "--conversations", talks, "--story",
                      story_file(fleet.box)).split()
    sim.wait_speaking(talks * 3 // 4)
    for process in crew:
        process.kill()
    for process in crew:
        process.wait()
    held = len(in_hand(fleet))
    started_at = time.monotonic()
    fleet.worker(1, *slots)
    fleet.worker(2, *slots)
    wait_for(lambda: sum(one["times_delivered"] == 2 for one in in_hand(fleet)) == held,
             "all are in hand again")
    took_s = time.monotonic() - started_at
    assert held >= talks // 2 and took_s < 9
    fleet.manager("--max-running", talks)
    for one in ids:
        assert fleet.wait_end(one, 120)["reason"] == "turns"
        assert_once_and_in_order(fleet.transcript(one), 3)
    fleet.wait_settled()
    for one in ids:
        found = set(outcomes(fleet, one))
        assert {line["id"] for line in sim.ledger() if line["id"].startswith(one)} <= found
    tell(f"{held} turns in flight were in hand again {took_s:.3f} s after the start")
    fleet.box.stop_all()


# ---- told to go ----

def test_sigterm_lets_a_worker_finish_or_hand_back_within_five_seconds(fleet):
    """A9: it ends with 0; what it could not finish counts as no delivery, a lane mate has it at
    once, its call is told as cancelled."""
    sim = sim_of(fleet, "--tokens-per-second", 10, "--first-token-ms", 20, "--reply-tokens",
                 "200..200")
    _, first, _ = fleet.crew()
    conversation = fleet.begin("--turns", 1, "--story", story_file(fleet.box))
    sim.wait_speaking()
    begun = time.monotonic()
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    assert time.monotonic() - begun < (10 if IS_ASAN else 6), "5 s, and what a busy machine adds"
    one, = in_hand(fleet)
    assert (one["times_delivered"], one["time_since_delivered"] > 10**7) == (0, True)
    fleet.worker(1)
    wait_for(lambda: in_hand(fleet)[0]["times_delivered"] == 1, "a successor has it", 5)
    assert fleet.box.parley("stop", conversation).returncode == 0
    fleet.wait_settled()
    assert_all_told(fleet, sim, conversation)
    assert set(outcomes(fleet, conversation).values()) == {"cancelled"}
    fleet.box.stop_all()


# ---- what spends an attempt ----

def test_a_models_error_spends_an_attempt_and_a_crash_does_not(fleet):
    """A10: four crashes, more than the three attempts a turn has, and the turn is made."""
    sim = sim_of(fleet, *SLOW)
    sim.fault({"kind": "status", "status": 400, "count": 1})
    fleet.manager()
    fleet.worker(2)
    worker = fleet.worker(1)
    conversation = fleet.begin("--turns", 1, "--story", story_file(fleet.box))
    wait_for(lambda: fleet.talk(conversation).get("issue") == "2", "the model's error was told")
    for delivery in range(1, 5):
        wait_for(lambda: any(one["times_delivered"] == delivery for one in in_hand(fleet))
                 and sim.state()["in_flight"] > 0, f"delivery {delivery} is being answered")
        kill(worker)
        worker = fleet.worker(1)
    assert_over(fleet, sim, conversation, 1)
    turn = fleet.transcript(conversation)[-1]["metadata"]
    assert (turn["issue"], turn["attempts"]) == (2, 6)
    assert sorted(outcomes(fleet, conversation).values()) == ["done", "failed"] + ["lost"] * 4
    assert calls_of(fleet, conversation)[-1]["delivery"] == "5"
    fleet.box.stop_all()


# ---- a turn that kills ----

class Deadly:
    """A model whose answer to one conversation kills the worker of lane 1 that asked for it."""

    def __init__(self, fleet, *options):
        self.fleet, self.options, self.deaths, self.armed = fleet, options, 0, True
        self.worker = fleet.worker(1, *options)

    def on_chat(self, kind, number, body):
        if self.armed and "POISON" in json.dumps(body["messages"]) and in_hand(self.fleet):
            self.worker.kill()

    def keep_alive(self):
        """Starts the worker again when it has died."""
        if self.worker.poll() is not None:
            self.deaths += 1
            self.worker = self.fleet.worker(1, *self.options)


def dead(fleet, *words):
    done = fleet.box.parley("dead", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_turn_that_kills_its_workers_is_parked_after_five_and_can_be_tried_again(fleet):
    """A10: others are unaffected, nobody is killed a sixth time, `parley dead retry` ends it well."""
    with FakeOllama() as server:
        serve(fleet, server.url)
        fleet.manager()
        fleet.worker(2, "--concurrency", 4)
        deadly = Deadly(fleet, "--concurrency", 4)
        server.on_chat = deadly.on_chat
        fleet.wait_ready("manager-1", "worker-1-1", "worker-2-1")
        poisoned = fleet.begin("--turns", 4, "--duration", "5m", "--story", story_file(fleet.box, "A flask of POISON."))
        other = fleet.begin("--turns", 6, "--story", story_file(fleet.box))

        def failed():
            deadly.keep_alive()
            return fleet.talk(poisoned).get("state") == "ended"
        wait_for(failed, "the poisoned conversation ends", 60)
        assert (fleet.talk(poisoned)["reason"], deadly.deaths) == ("failed", 5)
        assert fleet.wait_end(other)["reason"] == "turns"
        assert_once_and_in_order(fleet.transcript(other), 6)
        assert sorted(outcomes(fleet, poisoned).values()) == ["lost"] * 5

        record = json.loads(dead(fleet, "list", "--json"))
        assert (record["conversation"], record["turn"], record["deliveries"], record["error"]) == (
            poisoned, 1, 6, "poison")
        assert record["id"] in dead(fleet, "list") and poisoned in dead(fleet, "show", record["id"])
        deadly.armed = False
        assert "goes on" in dead(fleet, "retry", record["id"])
        assert fleet.wait_end(poisoned)["reason"] == "turns"
        assert_once_and_in_order(fleet.transcript(poisoned), 4)
        assert deadly.worker.poll() is None and "no turn" in dead(fleet, "list")
        events = [fields["reason"] for _, fields in fleet.db.xrange("parley:{0}:events")
                  if fields["event"] == "dialogue.resume"]
        assert events == ["revived"]
        again = fleet.box.parley("dead", "retry", record["id"])
        assert again.returncode == 1 and "there is no record" in again.stderr
        fleet.wait_settled()
        fleet.box.stop_all()


def test_a_parked_turn_may_be_passed_over_and_its_record_dropped(fleet):
    """A10: with --on-failure pass an empty turn stands in its place and the others go on."""
    with FakeOllama() as server:
        serve(fleet, server.url)
        fleet.manager()
        fleet.worker(2)
        deadly = Deadly(fleet, "--max-deliveries", 1)
        server.on_chat = deadly.on_chat
        fleet.wait_ready("manager-1", "worker-1-1", "worker-2-1")
        conversation = fleet.begin("--turns", 2, "--on-failure", "pass", "--story",
                                   story_file(fleet.box, "A flask of POISON."))

        def over():
            deadly.keep_alive()
            return fleet.talk(conversation).get("state") == "ended"
        wait_for(over, "the conversation ends", 60)
        assert (fleet.talk(conversation)["reason"], deadly.deaths) == ("turns", 1)
        first, second = fleet.transcript(conversation)[-2:]
        assert (first["metadata"]["failed"], first["content"]["message"]) == (True, "")
        assert second["content"]["message"] != ""
        record = json.loads(dead(fleet, "list", "--json"))
        refused = fleet.box.parley("dead", "retry", record["id"])
        assert refused.returncode == 1 and "it must have failed" in refused.stderr
        assert "dropped" in dead(fleet, "drop", record["id"])
        assert fleet.db.xlen("parley:{0}:dead") == 0
        fleet.box.stop_all()


def test_what_two_workers_did_not_survive_runs_alone(fleet):
    """A10: its third delivery waits until the lane mate is idle, which takes nothing meanwhile,
    and nothing beside it."""
    gates = {name: threading.Event() for name in ("SUSPECT", "FIRST", "SECOND")}
    asked = []

    def on_chat(kind, number, body):
        text = json.dumps(body["messages"])
        name = next(name for name in gates if name in text)
        asked.append(name)
        gates[name].wait(60)

    def begin(name):
        return fleet.begin("--turns", 1, "--story", story_file(fleet.box, name))

    def stays_unread():
        """After another beat of the worker's the lane still lags by one request."""
        def beat():
            return int(fleet.db.hget("parley:{0}:member:worker-1-2", "at"))
        first = beat()
        wait_for(lambda: beat() > first, "the worker beats")
        return fleet.db.xinfo_groups(REQUEST)[0]["lag"] == 1
    with FakeOllama(on_chat) as server:
        serve(fleet, server.url)
        slots = ["--concurrency", 4, "--lease", "1s"]
        fleet.manager()
        fleet.worker(2)
        worker = fleet.worker(1, *slots)
        fleet.wait_ready("manager-1", "worker-1-1", "worker-2-1")
        ids = [begin("SUSPECT")]
        wait_for(lambda: len(asked) == 1, "it is asked for")
        kill(worker)
        worker = fleet.worker(1, *slots)
        wait_for(lambda: len(asked) == 2, "it is asked for again")
        mate = fleet.worker(1, *slots)
        fleet.wait_ready("worker-1-2")
        kill(worker)
        ids.append(begin("FIRST"))
        wait_for(lambda: "must run alone" in open(mate.err_path).read(), "it is seen")
        ids.append(begin("SECOND"))
        assert stays_unread() and asked[2:] == ["FIRST"]
        gates["FIRST"].set()
        wait_for(lambda: asked[3:] == ["SUSPECT"], "it runs")
        assert stays_unread()
        assert fleet.db.hget("parley:{0}:member:worker-1-2", "busy") == "1"
        for gate in gates.values():
            gate.set()
        for one in ids:
            assert fleet.wait_end(one)["reason"] == "turns"
        assert asked == ["SUSPECT", "SUSPECT", "FIRST", "SUSPECT", "SECOND"]
        fleet.wait_settled()
        fleet.box.stop_all()


# ---- started and stopped for ever ----

def test_a_worker_started_and_stopped_again_and_again_leaves_nothing_behind(fleet):
    """A13: told to go or killed, by turns: no consumer, member or connection is left over."""
    cycles = 1000 if LONG else 15
    fleet.manager()
    fleet.wait_ready("manager-1")
    clients = fleet.db.info("clients")["connected_clients"]
    for cycle in range(cycles):
        worker = fleet.worker(1)
        fleet.wait_ready("worker-1-1")
        wait_for(lambda: fleet.db.hget("parley:{0}:member:worker-1-1", "pid") == str(worker.pid),
                 "the name is its own")
        if cycle % 2 == 0:
            kill(worker)
        else:
            worker.terminate()
            assert worker.wait(20) == 0
        fleet.box.started.remove(worker)
    assert [one["name"] for one in fleet.db.xinfo_consumers(REQUEST, "workers")] in ([], ["worker-1-1"])
    assert set(fleet.db.zrange("parley:{0}:members", 0, -1)) <= {"manager-1", "worker-1-1"}
    assert len(fleet.db.keys("parley:{0}:member:*")) <= 4
    wait_for(lambda: fleet.db.info("clients")["connected_clients"] == clients,
             "no connection is left")
    tell(f"{cycles} starts and ends of a worker")
    fleet.box.stop_all()


def test_a_turn_that_redis_refuses_again_and_again_is_let_go_and_taken_anew(fleet):
    """A key of another type under the conversation for a while: the turn's place is not held."""
    sim = sim_of(fleet, *SLOW)
    crew = fleet.crew()
    conversation = fleet.begin("--turns", 3, "--story", story_file(fleet.box))
    key = f"parley:{{0}}:conversation:{conversation}"
    sim.wait_speaking()
    fleet.db.pipeline().rename(key, "kept").set(key, "no hash").execute()
    wait_for(lambda: any("left to the next" in open(one.err_path, encoding="utf-8").read()
                         for one in crew), "the turn is left to the next")
    fleet.db.rename("kept", key)
    assert fleet.wait_end(conversation)["reason"] == "turns"
    assert_once_and_in_order(fleet.transcript(conversation), 3)
    fleet.box.stop_all()
