"""Every fault of a model server, over real HTTP, met by a real fleet: what becomes of the turn,
what the call's record says, how many calls the server got, and that one whole answer was taken.

The rows are named after the cases of the fault table (D1 to D23; D16, D19 to D21 have files of
their own: test_cancel, test_outage, test_windows). Each is a conversation of its own in one fleet.
What every row must keep: the transcript has each turn once and in order, its text is one whole
answer of the server, no call reached the server twice, each is recorded, and what was shown of a
call that failed was taken back.
"""
import contextlib
import itertools
import json
import os
import re
import socket
import threading
import time
from typing import NamedTuple

import pytest

from helpers import (LIMIT_S, STORY_FILE, Fleet, Sandbox, assert_once_and_in_order, box,
                     closed_port, story_file, wait_for)  # noqa: F401 - box is a fixture
from test_admit import Servers
from model_servers import (MODEL, Sim, assert_shown, assert_texts_whole, assert_told_once,
                           calls_of, crew_of, ends_of, forget_servers, us_of, write_config)
from table_servers import OLLAMA as ANSWERS
from table_servers import Server, certificate_for

BOTH = ("ollama", "openai")
OLLAMA, OPENAI = BOTH[:1], BOTH[1:]
FIRST_S, BETWEEN_S, TOTAL_S = 0.7, 0.5, 2.0
WHOLE_S = 1.2  # the total of a server whose other clocks are long
OWL = 'Tea \N{OWL}? "Caf\u00e9" \\ \N{FAMILY}!'
CLOCKS = {"connect_seconds": 1, "first_token_seconds": FIRST_S,
          "between_tokens_seconds": BETWEEN_S, "total_seconds": TOTAL_S}
TURNS = 2
LONG = os.environ.get("PARLEY_PROOF") == "long"
LOAD_MS = 90000 if LONG else 1500  # of a model


class Row(NamedTuple):
    """A fault of the first call (or what `fault` says), and what becomes of the first turn."""
    name: str
    fault: dict
    ends: list  # of the first turn's calls, in order
    wires: tuple = BOTH
    reason: str = "turns"
    fallback: str = None  # of the personas
    lasts_s: tuple = None  # how long the first call took
    pause_s: float = 0  # between the first call and the second, at least
    says: str = None  # what the worker's log says of it, a pattern
    whole: bool = True  # the text is what the server says without a fault
    check: str = None  # a function of this file, for the rest
    server: str = "{}-wire"  # which of the endpoints with that wire
    others: bool = False  # meanwhile other calls of the fleet are answered well


def row_status(name, status, kind, **more):
    return Row(name, {"kind": "status", "status": status, **more.pop("fault", {})}, [kind, "done"],
               **more)


ROWS = [
    # D2: too many requests
    row_status("D2-retry-after-seconds", 429, "busy", fault={"retry_after": "1"}, pause_s=1),
    row_status("D2-retry-after-a-date", 429, "busy", fault={"retry_after": "date"}, pause_s=0.9),
    row_status("D2-retry-after-in-the-json", 429, "busy", pause_s=1, fault={
        "body": '{"error":{"message":"Rate limit reached. Please try again in 1s.","code":429}}'}),
    Row("D2-retry-after-absurd", {"kind": "status", "status": 429, "retry_after": "1000000000"},
        ["busy", "done"], fallback="spare", whole=False, check="capped_pause"),
    # D3: the server's own trouble
    *[row_status(f"D3-{status}-{body}", status, kind, fault={"body": body})
      for status, kind, body in ((500, "server", "json"), (502, "server", "html"),
                                 (503, "busy", "text"), (504, "server", "html"),
                                 (529, "busy", "json"))],
    *[row_status(f"D3-{status}", status, "server") for status in (408, 409, 425)],
    Row("D3-three-attempts-a-turn", {"kind": "status", "status": 500, "body": "html", "count": 9},
        ["server"] * 3, reason="failed", others=True),
    # Nobody is answered: then it is the server, and the turn waits for it.
    Row("D3-a-lone-turn-waits", {"kind": "status", "status": 500, "body": "html", "count": 3},
        ["server"] * 3 + ["done"]),
    # D4: the request's own fault
    Row("D4-400", {"kind": "status", "status": 400, "count": 9}, ["request"], reason="failed"),
    *[Row(f"D4-{status}", {"kind": "status", "status": status, "count": 9}, ["request"],
          reason="failed") for status in (413, 422)],
    *[Row(f"D4-{status}", {"kind": "status", "status": status, "count": 9}, ["auth"],
          reason="failed") for status in (402, 403)],
    Row("D4-404-no-such-model", {"kind": "status", "status": 404, "count": 9, "body":
                                 '{"error":"model \'llama3.2\' not found"}'},
        ["model_not_found"], wires=OLLAMA, reason="failed"),
    Row("D4-404-no-such-model", {"kind": "status", "status": 404, "count": 9, "body":
                                 '{"error":{"message":"model \'llama3.2\' not found"}}'},
        ["model_not_found"], wires=OPENAI, reason="failed"),
    Row("D4-401", {"kind": "status", "status": 401, "count": 9}, ["auth"], reason="failed",
        check="parked"),
    # D5, D6: the connection ends in mid-answer
    *[Row(f"D5-reset-after-{count}", {"kind": "reset", "after_bytes": count},
          ["truncated", "done"]) for count in (0, 1, 300, 777, 1500)],
    *[Row(f"D6-closed-after-{count}", {"kind": "cut", "after_bytes": count},
          ["truncated", "done"]) for count in (0, 1, 300, 1500)],
    Row("D6-ends-well-without-its-mark", {"kind": "cut", "after_tokens": 10, "clean": True},
        ["truncated", "done"]),
    # D7, D8: nothing comes, or nothing of worth, or too little
    Row("D7-no-first-word", {"kind": "stall_first"}, ["timeout", "done"],
        lasts_s=(FIRST_S, FIRST_S + 0.4), says="no first token"),
    Row("D7-no-next-word", {"kind": "stall", "after_tokens": 5}, ["timeout", "done"],
        lasts_s=(BETWEEN_S, FIRST_S + BETWEEN_S + 0.3), says="no further token"),
    Row("D7-comments-for-ever", {"kind": "comments", "after_tokens": 0}, ["timeout", "done"],
        wires=OPENAI,
        lasts_s=(FIRST_S, FIRST_S + 0.4), says="no first token"),
    Row("D7-comments-after-some-words", {"kind": "comments", "after_tokens": 5},
        ["timeout", "done"], wires=OPENAI,
        lasts_s=(BETWEEN_S, FIRST_S + BETWEEN_S + 0.3), says="no further token"),
    Row("D7-blank-lines-for-ever", {"kind": "comments", "how": "blank", "after_tokens": 0},
        ["timeout", "done"],
        lasts_s=(FIRST_S, FIRST_S + 0.4), says="no first token"),
    Row("D8-a-byte-at-a-time", {"kind": "trickle", "delay_ms": 2}, ["timeout", "done"],
        server="brief-{}", lasts_s=(WHOLE_S, WHOLE_S + 0.4), says="no end of the answer"),
    # D9: an error in mid-stream
    Row("D9-error-line", {"kind": "error_line", "after_tokens": 5}, ["stream", "done"],
        wires=OLLAMA),
    *[Row(f"D9-{how}", {"kind": "error_line", "how": how, "after_tokens": 5}, [kind, "done"],
          wires=OPENAI) for how, kind in (("data", "stream"), ("vllm", "stream"),
                                          ("field", "stream"), ("eof", "truncated"))],
    # D10, D11: how the bytes are packed is no matter
    Row("D10-every-byte-apart", {"kind": "split", "bytes": 1}, ["done"]),
    Row("D10-in-the-midst-of-escapes", {"kind": "split", "bytes": 1, "escapes": True, "text": OWL},
        ["done"], whole=False, check="owl"),
    Row("D10-three-bytes-each", {"kind": "split", "bytes": 3, "escapes": True}, ["done"]),
    Row("D11-five-lines-a-packet", {"kind": "clump", "lines": 5}, ["done"]),
    Row("D11-no-line-end-at-the-end", {"kind": "no_newline"}, ["done"]),
    # Where one server says too much, asking it again is no use.
    Row("D11-a-line-of-a-megabyte", {"kind": "long_line", "bytes": 1 << 20}, ["too_large"],
        reason="failed"),
    Row("D11-another-server-is-asked", {"kind": "long_line", "bytes": 1 << 20},
        ["too_large", "done"], fallback="spare"),
    # D12: not the API at all
    *[Row(f"D12-{how}", {"kind": "garbage", "how": how}, ["protocol", "done"])
      for how in ("bytes", "gzip", "type", "html", "http09")],
    Row("D12-chunk_sizes", {"kind": "garbage", "how": "chunk_sizes"}, ["truncated", "done"]),
    Row("D12-headers", {"kind": "garbage", "how": "headers"}, ["too_large"], reason="failed"),
    # D13: odd, but an answer
    *[Row(f"D13-{how}", {"kind": "odd", "how": how}, ["done"])
      for how in ("done_twice", "text_after_done")],
    *[Row(f"D13-{how}", {"kind": "odd", "how": how}, ["done"], wires=OPENAI)
      for how in ("two_roles", "empty_choices", "usage", "no_done", "only_done", "crlf", "bom",
                  "fields")],
    # D14: an answer without words
    Row("D14-empty", {"kind": "empty"}, ["empty", "done"]),
    Row("D14-empty-again", {"kind": "empty", "count": 9}, ["empty", "empty"], reason="failed"),
    Row("D14-only-loaded", {"kind": "load"}, ["empty", "done"], wires=OLLAMA),
    Row("D14-only-thoughts", {"kind": "thinking_only"}, ["empty", "done"]),
    Row("D14-only-a-tool", {"kind": "tool_only"}, ["empty", "done"]),
    Row("D14-cut-by-length", {"kind": "length"}, ["done"], whole=False, check="cut_by_length"),
    # D15: no call goes over a used connection, so none is sent again behind our back
    Row("D15-used-connections-die", {"kind": "close_idle", "count": 9}, ["done"]),
    Row("D15-accepted-and-closed", {"kind": "refuse"}, ["truncated", "done"]),
    # D17, D18
    Row("D17-a-model-is-loaded-first", {"kind": "slow_load", "delay_ms": LOAD_MS}, ["done"],
        server="patient-{}", check="patient"),
    Row("D18-endless", {"kind": "endless"}, ["done"], whole=False, check="capped"),
    # D22: where the key would leak
    *[Row(f"D22-{status}", {"kind": "redirect", "status": status, "count": 9}, ["redirect"],
          reason="failed", check="nobody_came") for status in (301, 307)],
    # D23: the server cut the prompt and does not say so
    Row("D23-prompt-cut-by-the-server", {"kind": "truncate", "num_ctx": 24, "count": 9}, ["done"],
        wires=OLLAMA, whole=False, check="context_truncated"),
]


# ---- one fleet for all rows ----

class Farm:
    """A simulator that is well but for the row's fault, one that always is, and a fleet."""

    def __init__(self, sandbox):
        self.box = sandbox
        self.fleet = Fleet(sandbox)
        speed = ["--tokens-per-second", 1000, "--first-token-ms", 5, "--parallel", 16,
                 "--ledger-bodies"]
        self.sim, self.spare = (Sim(self.fleet, *speed) for _ in range(2))
        self.elsewhere = socket.create_server(("127.0.0.1", 0))
        self.elsewhere.setblocking(False)
        sandbox.env["PARLEY_TEST_KEY"] = "sk-of-the-test"
        key = {"key_env": "PARLEY_TEST_KEY"}
        self.dead_port = closed_port()
        self.unsigned = Server(ANSWERS, tls=certificate_for(sandbox))
        write_config(self.fleet, {
            "ollama-wire": self.sim.endpoint("ollama", **CLOCKS, **key),
            "openai-wire": self.sim.endpoint("openai", **CLOCKS, **key),
            "patient-ollama": self.sim.endpoint("ollama"),
            "patient-openai": self.sim.endpoint("openai"),
            **{f"brief-{wire}": self.sim.endpoint(wire, total_seconds=WHOLE_S) for wire in BOTH},
            "spare": self.spare.endpoint("ollama", models=[MODEL]),
            "dead": {"provider": "ollama", "url": f"http://127.0.0.1:{self.dead_port}"},
            "unknown": {"provider": "openai", "url": "http://no-such-host.invalid/v1"},
            "plain": {"provider": "openai", "url": f"https://127.0.0.1:{self.sim.port}/v1"},
            "unsigned": {"provider": "ollama", "url": self.unsigned.url},
        })
        # Each piece is shown as it comes, so that what failed has been shown.
        self.services = crew_of(self.fleet, "--lease", "2s", "--update-rate", "0s")
        for name in ("ollama-wire", "openai-wire", "patient-ollama", "patient-openai"):
            self.play(name, 1)  # the models are loaded

    def story(self, fallback):
        path = self.box.path(f"story-{fallback}.json")
        personas = [{**one, **({"fallback": fallback} if fallback else {})}
                    for one in STORY_FILE["personas"]]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**STORY_FILE, "personas": personas}, file)
        return path

    def play(self, endpoint, turns=TURNS, fallback=None):
        """The id of a conversation that has ended."""
        one = self.fleet.begin("--story", self.story(fallback), "--turns", turns, "--duration",
                               "none", "--max-issues", 1, "--model", f"{endpoint}:{MODEL}")
        self.fleet.wait_end(one, LIMIT_S + LOAD_MS / 1000)
        return one

    def lines(self, conversation):
        """What the servers' ledgers have of the calls for this conversation."""
        ids = {call["call"] for call in calls_of(self.fleet, conversation)}
        return [line for sim in (self.sim, self.spare) for line in sim.ledger()
                if line["id"] in ids]

    def log(self):
        return "".join(open(service.err_path, encoding="utf-8").read()
                       for service in self.services)


@pytest.fixture(scope="module")
def farm():
    sandbox = Sandbox()
    try:
        one = Farm(sandbox)
        with one.unsigned:
            yield one
        one.elsewhere.close()
        one.fleet.wait_settled()
        sandbox.stop_all()
        sandbox.assert_nothing_left()
        sandbox.assert_no_report()
    finally:
        sandbox.close()


@contextlib.contextmanager
def answered(farm, name):
    """Calls of another worker of the fleet to that server, one every few ms, all of them good."""
    over = threading.Event()
    others = Servers(farm.fleet.db)

    def call_on():
        keys = []
        for number in itertools.count():
            if over.wait(0.002):
                return
            keys = keys or [key for key, one in breakers_of(farm) if one.get("name") == name]
            for key in keys:  # none before the server was asked at all
                others.call(f"other {number}", endpoint=key.split("}:")[1])
    thread = threading.Thread(target=call_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def cases():
    return [pytest.param(row, wire, id=f"{row.name}-{wire}") for row in ROWS for wire in row.wires]


@pytest.mark.parametrize("row, wire", cases())
def test_fault(farm, row, wire):
    """D2, D3, D4, D5, D6, D7, D8, D9, D10, D11, D12, D13, D14, D15, D17, D18,
    D22, D23: one row each or more."""
    forget_servers(farm.fleet)
    log_bytes = len(farm.log())
    rule = {"count": 1, **row.fault}
    if rule["kind"] == "redirect":
        rule["to"] = f"http://127.0.0.1:{farm.elsewhere.getsockname()[1]}/"
    farm.sim.fault(rule)
    try:
        endpoint = row.server.format(wire)
        with answered(farm, endpoint) if row.others else contextlib.nullcontext():
            conversation = farm.play(endpoint, fallback=row.fallback)
        talk = farm.fleet.talk(conversation)
        if not row.others:
            assert_breakers(farm, conversation)
        if row.check:
            globals()[f"check_{row.check}"](farm, conversation, endpoint)
    finally:
        farm.sim.fault()
    assert talk["reason"] == row.reason, talk
    assert_calls(farm, conversation, row)
    turns = TURNS if row.reason == "turns" else 0
    assert_once_and_in_order(farm.fleet.transcript(conversation), turns)
    assert_told_once(farm.fleet, conversation, turns)
    if row.whole:
        assert_texts_whole(farm.fleet, conversation, [farm.sim, farm.spare])
    assert_shown(farm.fleet, conversation)
    if row.says:
        said = [line for line in farm.log()[log_bytes:].splitlines() if conversation in line]
        assert any(re.search(row.says, line) for line in said), said


# ---- what every row keeps ----

SPEAKS_AGAINST = ("refused", "busy", "server", "stream", "truncated", "protocol", "timeout")


def assert_breakers(farm, conversation, not_loaded=None):
    """Each server has in its record what its own calls were, and nobody else has any. A server
    that could not load the model before the first turn may have that, too."""
    seen = {}
    for call in calls_of(farm.fleet, conversation):
        end = call.get("error") or call["outcome"]
        name, mark = call["endpoint"], "0" if end in SPEAKS_AGAINST else "1"
        if end == "auth":  # the key's fault: it parks the server and is no mark
            mark = ""
        closed_by = call.get("probe") == "1" and mark == "1"
        seen[name] = "1" if closed_by else seen.get(name, "") + mark
    def told():
        return {one["name"]: one.get("recent", "") for one in breakers(farm)}
    wanted = [seen, {**seen, not_loaded: "0" + seen.get(not_loaded, "")}]
    wait_for(lambda: told() in wanted, f"{seen} is booked, it was {told()}", 5)


def assert_calls(farm, conversation, row):
    """The records, and that the servers' ledgers have the same calls, each once."""
    calls = calls_of(farm.fleet, conversation)
    first = ends_of(calls, 1)
    assert len(first) == len(row.ends), first
    assert all(re.fullmatch(want, end) for want, end in zip(row.ends, first)), first
    assert set(ends_of(calls, 2)) <= {"done"}
    ids = [call["call"] for call in calls]
    assert len(set(ids)) == len(ids)
    lines = farm.lines(conversation)
    assert sorted(line["id"] for line in lines) == sorted(ids)
    turns = farm.fleet.transcript(conversation)[3:]
    if turns:
        assert turns[0]["metadata"]["attempts"] == len(first)
    if row.lasts_s:
        low, high = row.lasts_s
        assert low <= float(calls[0]["duration_ms"]) / 1000 <= high, calls[0]
    if row.pause_s:
        pause_us = us_of(calls[1], "started_at") - us_of(calls[0], "ended_at")
        assert row.pause_s * 10**6 <= pause_us <= (row.pause_s + 1.5) * 10**6, pause_us


# ---- what single rows keep ----

def breakers_of(farm):
    keys = [key for key in farm.fleet.db.scan_iter("parley:{endpoints}:*")
            if farm.fleet.db.type(key) == "hash"]
    return [(key, farm.fleet.db.hgetall(key)) for key in keys]


def breaker_of(farm, endpoint):
    return next(one for _, one in breakers_of(farm) if one.get("name") == endpoint)


def breakers(farm):
    return [one for _, one in breakers_of(farm)]


def check_capped_pause(farm, conversation, endpoint):
    """At most a minute, and the other server is none the worse for it."""
    breaker = breaker_of(farm, endpoint)
    left_s = int(breaker["retry_at"]) / 1000 - time.time()
    assert breaker["state"] != "closed" and 50 < left_s <= 60
    assert breaker_of(farm, "spare").get("state", "closed") == "closed"
    names = [call["endpoint"] for call in calls_of(farm.fleet, conversation)]
    assert names == [endpoint, "spare", "spare"]


def check_parked(farm, conversation, endpoint):
    """The next turn does not even ask."""
    assert breaker_of(farm, endpoint)["state"] == "open"
    before = len(farm.sim.ledger())
    other = farm.play(endpoint, fallback="spare")
    assert farm.fleet.talk(other)["reason"] == "turns"
    assert len(farm.sim.ledger()) == before
    assert {call["endpoint"] for call in calls_of(farm.fleet, other)} == {"spare"}


def check_cut_by_length(farm, conversation, _):
    message = farm.fleet.transcript(conversation)[3]
    assert message["metadata"]["finish_reason"] == "length"
    assert message["metadata"]["cleaned"], "told that it was cut"


def check_owl(farm, conversation, _):
    assert farm.fleet.transcript(conversation)[3]["content"]["message"] == OWL


def check_patient(farm, conversation, _):
    first = calls_of(farm.fleet, conversation)[0]
    assert float(first["time_to_first_token_ms"]) >= LOAD_MS


def check_capped(farm, conversation, _):
    line = farm.lines(conversation)[0]
    assert line["closed_by"] == "client"
    message = farm.fleet.transcript(conversation)[3]
    assert message["metadata"]["cleaned"], "told that it was cut"
    assert len(message["content"]["message"]) < 64 << 10


def check_nobody_came(farm, conversation, _):
    with pytest.raises(BlockingIOError):
        farm.elsewhere.accept()
    assert all(line["key"] for line in farm.lines(conversation))


def check_context_truncated(farm, conversation, _):
    assert any(call.get("context_truncated") for call in calls_of(farm.fleet, conversation))
    message = farm.fleet.transcript(conversation)[-1]
    assert message["metadata"]["context_truncated"] is True
    assert "context.truncated" in farm.log()


# ---- D1: a server that cannot be reached ----

UNREACHED = ["dead", "unknown", "plain", "unsigned"]


@pytest.mark.parametrize("endpoint", UNREACHED)
def test_D1_the_fallback_answers(farm, endpoint):
    """D1: refused, without an address, without TLS, with a certificate that nobody signed."""
    forget_servers(farm.fleet)
    conversation = farm.play(endpoint, turns=1, fallback="spare")
    assert farm.fleet.talk(conversation)["reason"] == "turns"
    calls = calls_of(farm.fleet, conversation)
    kind = "protocol|refused" if endpoint == "plain" else "refused"
    assert re.fullmatch(kind, ends_of(calls)[0]) and ends_of(calls)[1:] == ["done"]
    assert [call["endpoint"] for call in calls] == [endpoint, "spare"]
    assert calls[1]["route"] == "fallback"
    assert [line["id"] for line in farm.lines(conversation)] == [calls[1]["call"]]
    assert_breakers(farm, conversation, not_loaded=endpoint)
    assert_once_and_in_order(farm.fleet.transcript(conversation), 1)
    assert farm.fleet.transcript(conversation)[3]["metadata"]["endpoint"] == "spare"


@pytest.mark.parametrize("endpoint", ["dead", "unsigned"])
def test_D1_after_some_failures_nobody_asks_it_any_more(farm, endpoint):
    """D1: the breaker opens, all is answered elsewhere."""
    forget_servers(farm.fleet)
    conversation = farm.play(endpoint, turns=12, fallback="spare")
    assert farm.fleet.talk(conversation)["reason"] == "turns"
    assert_once_and_in_order(farm.fleet.transcript(conversation), 12)
    calls = calls_of(farm.fleet, conversation)
    asked = [call for call in calls if call["endpoint"] == endpoint]
    probes = [call for call in asked if call.get("probe") == "1"]
    # A refused connection counts for two, that of loading the model among them.
    assert len(asked) - len(probes) in (2, 3), ends_of(calls)
    assert breaker_of(farm, endpoint)["state"] != "closed"


def test_D1_without_a_fallback_the_turn_waits(farm):
    """D1: it neither fails nor tries more than probes, until it is ended; who watches is told."""
    forget_servers(farm.fleet)
    one = farm.fleet.begin("--story", farm.story(None), "--turns", 1, "--duration", "none",
                           "--max-issues", 1, "--model", f"dead:{MODEL}")
    wait_for(lambda: len(calls_of(farm.fleet, one)) >= 5, "probes were made")
    probes = [call.get("probe") == "1" for call in calls_of(farm.fleet, one)]
    assert probes[:5] in ([False] * 3 + [True] * 2, [False] * 2 + [True] * 3)
    live = f"parley:{{0}}:live:{one}"
    entry = wait_for(lambda: [fields for _, fields in farm.fleet.db.xrange(live)
                              if fields["kind"] == "waiting"], "the wait is told")[0]
    assert (entry["turn"], entry["seat"], entry["servers"]) == ("1", "1", "dead")
    assert "connect" in entry["reason"]
    assert farm.box.parley("stop", one).returncode == 0
    assert farm.fleet.wait_end(one)["reason"] == "stopped"


# ---- D5: at every byte ----

SERVERS = 12
STREAM_BYTES = 2048
OFFSETS_EACH = STREAM_BYTES // SERVERS + 1 if LONG else 4
WELL = {"kind": "slow", "factor": 1, "count": 1}  # a rule that changes nothing


@pytest.mark.parametrize("wire", BOTH)
def test_D5_reset_at_every_byte_of_an_answer(box, wire):
    """D5: by as many servers as it takes; each resets a turn's first call and answers three calls
    well: the second one of that turn, and the next turn's. In `make test` only some offsets."""
    fleet = Fleet(box)
    sims = [Sim(fleet, "--tokens-per-second", 0, "--first-token-ms", 0, "--reply-tokens", "18..18",
                "--ledger-bodies") for _ in range(SERVERS)]
    write_config(fleet, {f"s{number}": sim.endpoint(wire) for number, sim in enumerate(sims)})
    crew_of(fleet, "--concurrency", SERVERS, "--retry-budget", 1)
    offsets = {}
    for number, sim in enumerate(sims):
        step = 1 if LONG else STREAM_BYTES // (SERVERS * OFFSETS_EACH)
        offsets[number] = [(number * OFFSETS_EACH + i) * step for i in range(OFFSETS_EACH)]
        sim.fault(*(rule for offset in offsets[number] for rule in (
            {"kind": "reset", "after_bytes": offset, "count": 1}, WELL, WELL)))
    ids = [fleet.begin("--story", story_file(box), "--turns", 2 * OFFSETS_EACH, "--duration",
                       "none", "--max-issues", 1, "--model", f"s{number}:{MODEL}")
           for number in range(SERVERS)]
    for number, one in enumerate(ids):
        assert fleet.wait_end(one, 120)["reason"] == "turns"
        assert_once_and_in_order(fleet.transcript(one), 2 * OFFSETS_EACH)
        assert ends_of(calls_of(fleet, one)) == ["truncated", "done", "done"] * OFFSETS_EACH
        reset = [line for line in sims[number].ledger() if line["fault"] == "reset"]
        assert [line["bytes"] for line in reset] == offsets[number]
        assert_texts_whole(fleet, one, sims)
    box.stop_all()
