"""Model servers for tests of fleets: simulators with a ledger and faults, and what their ledgers,
Redis and the transcript must agree on.

A simulator takes its faults by control requests and writes a line for each call it was asked to
make. Its replies follow from the request alone: so a call of the ledger can be asked for again,
without a fault, and a turn's text be held against what the server would have said as a whole.
"""
import http.client
import json
import math
import os
import re
import socket
import time
import urllib.parse

from helpers import read_lines, time_of, turns_of, wait_for

MODEL = "llama3.2"
FIGURES = []  # what the tests saw: conftest.py shows them at the end of `make proof`


def tell(text):
    """Seen also when the test is well, and by its mark in what pytest captures."""
    print(f"figure: {text}")
    name = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0]
    FIGURES.append(f"{name}: {text}")


class Sim:
    """A simulator of the fleet's sandbox, with a ledger."""

    def __init__(self, fleet, *options, env=None):
        box = fleet.box
        self.db = fleet.db
        self.ledger_path = box.path(f"ledger-{len(box.started)}.jsonl")
        self.process = box.start("simulate", "--listen", "127.0.0.1:0", "--seed", 7, "--jitter", 0,
                                 "--ledger", self.ledger_path, *options,
                                 env={**box.env, **(env or {})})
        listening = re.compile(r"listening on (\S+)\n")
        self.url = wait_for(lambda: listening.search(open(self.process.out_path).read()),
                            "the simulator listens").group(1)
        self.port = urllib.parse.urlsplit(self.url).port

    def ask(self, method, path, body=None):
        """The parsed answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            text = response.read().decode()
            assert response.status < 300, (method, path, response.status, text)
            return json.loads(text) if text else None
        finally:
            connection.close()

    def fault(self, *rules):
        """From now on these, and no others."""
        self.ask("POST", "/_parley/faults", list(rules))

    def state(self):
        return self.ask("GET", "/_parley/state")

    def wait_speaking(self, count=1):
        """Calls of turns: a model is loaded before its conversation begins."""
        def speaking():
            talks = self.db.scan_iter("parley:{0}:conversation:*")
            return (all(self.db.hget(talk, "state") != "preparing" for talk in talks)
                    and self.state()["in_flight"] >= count)
        wait_for(speaking, f"{count} calls are being answered")

    def ledger(self):
        """Every call that is over, loading a model left out."""
        return [line for line in read_lines(self.ledger_path)
                if line["id"] is not None and not line["load"]]

    def whole_ledger(self):
        """The same, once nothing is under way: an answer is read before its line is written."""
        wait_for(lambda: self.state()["in_flight"] == 0, "no call is being answered")
        return self.ledger()

    def wait_ledger(self, condition, what, limit_s=10):
        """The lines for which the condition holds, as soon as there are any."""
        return wait_for(lambda: [line for line in self.ledger() if condition(line)], what, limit_s)

    def endpoint(self, wire, **more):
        """As a config file has it. `ollama` and `openai` name the wire, not who answers."""
        if wire == "ollama":
            return {"provider": "ollama", "url": self.url, "window": "none", **more}
        return {"provider": "openai", "url": self.url + "/v1", "window": "none", **more}


class Silence:
    """A port where nobody answers: its queue of connections is full, so a new one waits."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(0)
        self.clients = []
        for _ in range(8):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(self.socket.getsockname())
            self.clients.append(client)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def close(self):
        for one in [*self.clients, self.socket]:
            one.close()


def write_config(fleet, endpoints, name="config.json", **sections):
    """A config file's path; from now on all programs of the fleet are told it."""
    path = fleet.box.path(name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**sections, "endpoints": endpoints}, file)
    fleet.box.env["PARLEY_CONFIG"] = path
    return path


def crew_of(fleet, *options, lanes=2, each=1, manager=()):
    """A manager and so many workers for each lane, ready; the processes. The options are the
    workers'."""
    names = ["manager-1"]
    services = [fleet.manager(*manager)]
    for lane in range(1, lanes + 1):
        for number in range(1, each + 1):
            services.append(fleet.worker(lane, *options))
            names.append(f"worker-{lane}-{number}")
    fleet.wait_ready(*names)
    return services


def wall_us():
    return time.time_ns() // 1000


# ---- what Redis tells ----

def calls_of(fleet, conversation=None):
    """The entries of K:calls, in the order of their ends."""
    entries = [fields for _, fields in fleet.db.xrange("parley:{0}:calls")]
    return [fields for fields in entries
            if conversation in (None, fields["conversation"]) and fields["turn"] != "0"]


def us_of(call, field):
    """A time of an entry of K:calls, in µs."""
    return round(time_of({"at": call[field]}) * 10**6)


def ends_of(calls, turn=None):
    """How they ended: "done", "cancelled", or the kind of the error."""
    return [fields.get("error") or fields["outcome"] for fields in calls
            if turn is None or int(fields["turn"]) == turn]


def forget_servers(fleet):
    """What the fleet knows of its servers (breakers, budgets, latencies): as at first."""
    keys = list(fleet.db.scan_iter("parley:{endpoints}:*"))
    if keys:
        fleet.db.delete(*keys)


def stamps_of(fleet, conversation):
    """`at` of the request of the first turn, then of each turn in the transcript, in s."""
    entries = fleet.db.xrange(f"parley:{{0}}:transcript:{conversation}")
    return [int(fields["at"]) / 1e6 for _, fields in entries if fields["kind"] == "turn"]


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(part * len(ordered)) - 1)]


# ---- what the ledger tells ----

def most_at_once(lines):
    """The largest number of calls under way at one moment."""
    moments = sorted([(line["started_us"], 1) for line in lines]
                     + [(line["ended_us"], -1) for line in lines])
    most = now = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    return most


def first_call(line):
    """Whether the line is a turn's first call, not one made again."""
    return "~" not in line["id"]


def ask_again(sim, line):
    """What the server says, as a whole, to the body of a call of the ledger."""
    body = {**line["body"], "stream": False}
    body.pop("stream_options", None)
    answer = sim.ask("POST", line["path"], body)
    if "choices" in answer:
        return answer["choices"][0]["message"]["content"]
    return answer["message"]["content"]


def assert_texts_whole(fleet, conversation, sims, but=()):
    """Each turn's text is one whole answer of the server that gave it, nothing stitched or cut;
    but for those that met a fault of these kinds.

    The simulators have no fault any more, and write the bodies of calls into their ledgers.
    """
    done = {int(fields["turn"]): fields["call"] for fields in calls_of(fleet, conversation)
            if fields["outcome"] == "done" and not fields.get("error")}
    lines = {line["id"]: (sim, line) for sim in sims for line in sim.ledger()}
    for message in turns_of(fleet.transcript(conversation)):
        turn = message["metadata"]["sequence_number"]
        sim, line = lines[done[turn]]
        if line["fault"] in but:
            continue
        assert message["content"]["message"] == ask_again(sim, line).strip(), (turn, line["id"])


def assert_told_once(fleet, conversation, turns):
    """Each turn was committed once: its event is there, one of it, in order."""
    told = [fields["id"] for _, fields in fleet.db.xrange("parley:{0}:events")
            if fields["conversation"] == conversation and fields["event"] == "dialogue.progress"]
    assert told == [f"{conversation}:{turn}" for turn in range(1, turns + 1)]


def assert_shown(fleet, conversation):
    """The live view: what failed was taken back, what was done is the whole text."""
    shown = {}
    for _, fields in fleet.db.xrange(f"parley:{{0}}:live:{conversation}"):
        shown.setdefault(fields["call"], []).append(fields)
    texts = {}
    for fields in calls_of(fleet, conversation):
        entries = shown.get(fields["call"], [])
        kinds = [entry["kind"] for entry in entries]
        is_done = fields["outcome"] == "done" and not fields.get("error")
        if not is_done:
            assert kinds == [] or "withdrawn" in kinds, (fields, kinds)
        elif kinds:  # a reply that came at one blow is not shown before it is there
            assert "withdrawn" not in kinds
            texts[int(fields["turn"])] = "".join(entry.get("text", "") for entry in entries)
    for message in fleet.transcript(conversation)[3:]:
        data = message["metadata"]
        said = message["content"]["message"]
        text = texts.get(data["sequence_number"], said).strip()
        # What was capped at a sentence's end has been shown to where it came.
        capped = "capped" in (data.get("cleaned") or [])
        assert text == said or capped and text.startswith(said), (text, said, data)
