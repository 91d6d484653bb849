"""The simulator's faults, each as a client sees it on the wire, and the ledger beside it.

What a fault leaves as it is counts as well: an answer that is only shaped otherwise says the
same words.
"""
import json

import pytest

from simulator_rig import FAST, PATHS, Ledger, Wire, chat_body, simulator, wait_until


@pytest.fixture(scope="module")
def paced(tmp_path_factory):
    """Slow enough that a stall differs from an end."""
    ledger = Ledger(tmp_path_factory.mktemp("paced"))
    with simulator("--tokens-per-second", "500", "--first-token-ms", "5", "--ledger",
                   str(ledger.path)) as server:
        server.ledger = ledger
        yield server


def wire_of(server, rule, stream=True, api="ollama", headers=(), **more):
    server.set_faults(rule)
    return Wire(server.port, PATHS[api], chat_body(api, stream, **more), headers)


def said(body):
    lines = [json.loads(line) for line in body.splitlines() if line]
    return "".join(line["message"]["content"] for line in lines), lines[-1]


@pytest.fixture(scope="module")
def words(paced):
    """What is said when nothing goes wrong."""
    paced.set_faults()
    text, end = said(Wire(paced.port, PATHS["ollama"], chat_body(), ["Connection: close"])
                     .read_all().body)
    assert end["done"] is True
    paced.ledger.line()
    return text


# ---- instead of an answer ----

@pytest.mark.parametrize("rule, status, header, begins", [
    ({"status": 503}, 503, None, b'{"error":"server busy'),
    ({"status": 429, "retry_after": "2"}, 429, "2", b'{"error":"rate limit'),
    ({"status": 429, "retry_after": "1000000000"}, 429, "1000000000", b'{"error"'),
    ({"status": 529, "body": "html"}, 529, None, b"<!DOCTYPE html>"),
    ({"status": 502, "body": "text"}, 502, None, b"bad gateway"),
    ({"status": 429, "body": '{"error":{"retry_after":2}}'}, 429, None, b'{"error":{"retry'),
    ({"status": 404}, 404, None, b'{"error":"model'),
])
def test_a_status_comes_with_what_was_asked_for(paced, words, rule, status, header, begins):
    wire = wire_of(paced, {"kind": "status", **rule}, headers=["Connection: close"]).read_all()
    assert (wire.status, wire.header("Retry-After")) == (status, header)
    assert wire.rest.startswith(begins)
    line = paced.ledger.line()
    assert (line["status"], line["fault"], line["ended"]) == (status, "status", "fault")
    assert line["bytes"] == len(wire.rest)


def test_a_retry_after_may_be_a_date(paced, words):
    wire = wire_of(paced, {"kind": "status", "status": 429, "retry_after": "date"},
                   headers=["Connection: close"]).read_all()
    assert wire.header("Retry-After").endswith(" GMT")
    paced.ledger.line()


# ---- cut short ----

@pytest.mark.parametrize("kind, end", [("cut", "fin"), ("reset", "rst")])
@pytest.mark.parametrize("count", [0, 1, 57, 200, 1000])
@pytest.mark.parametrize("stream", [True, False])
def test_the_body_ends_after_exactly_so_many_bytes(paced, words, kind, end, count, stream):
    if not stream and count == 1000:
        count = 300  # an answer in one piece is shorter
    wire = wire_of(paced, {"kind": kind, "after_bytes": count}, stream).read_all()
    assert (wire.status, wire.end, len(wire.body)) == (200, end, count)
    assert not wire.rest.endswith(b"0\r\n\r\n")
    line = paced.ledger.line()
    assert (line["bytes"], line["fault"], line["ended"], line["closed_by"]) == (
        count, kind, "fault", "server")


def test_a_cut_without_a_place_comes_before_the_end_mark(paced, words):
    wire = wire_of(paced, {"kind": "cut"}).read_all()
    text, last = said(wire.body)
    assert text == words and last["done"] is False and not wire.ended_well
    paced.ledger.line()


def test_a_clean_cut_ends_well_for_http_alone(paced, words):
    wire = wire_of(paced, {"kind": "cut", "after_tokens": 4, "clean": True}).read_all()
    text, last = said(wire.body)
    assert wire.ended_well and words.startswith(text) and last["done"] is False
    assert len(wire.body.splitlines()) == 4
    assert paced.ledger.line()["tokens"] >= 4


@pytest.mark.parametrize("rule, count", [({"after_bytes": 333}, 333), ({"after_tokens": 3}, None)])
def test_a_stall_says_no_more_until_the_client_goes(paced, words, rule, count):
    wire = wire_of(paced, {"kind": "stall", **rule})
    wire.read_until(lambda w: len(w.body) >= (count or 1) and (count or len(w.chunks) == 3))
    assert wire.quiet(0.3)
    assert len(wire.body) == count if count else len(wire.chunks) == 3
    assert paced.state()["in_flight"] == 1
    gone = paced.state()["clients_gone"]
    wire.reset()
    line = paced.ledger.line()
    assert (line["fault"], line["ended"], line["closed_by"]) == ("stall", "client", "client")
    wait_until(lambda: paced.state()["in_flight"] == 0, "the call is over")
    assert paced.state()["clients_gone"] == gone + 1


@pytest.mark.parametrize("stream", [True, False])
def test_a_stall_may_end(paced, words, stream):
    wire = wire_of(paced, {"kind": "stall", "after_bytes": 100, "delay_ms": 300}, stream)
    wire.read_until(lambda w: len(w.body) >= 100)
    assert wire.quiet(0.15)
    text, last = said(wire.read_all().body)
    assert text == words and last["done"] is True
    line = paced.ledger.line()
    assert (line["ended"], line["bytes"]) == ("whole", len(wire.body))


def test_slow_stretches_all_times(paced, words):
    wire = wire_of(paced, {"kind": "slow", "factor": 4}, headers=["Connection: close"]).read_all()
    end = said(wire.body)[1]
    assert end["eval_duration"] >= 4 * end["eval_count"] * 2e6 * 0.98
    assert end["prompt_eval_duration"] >= 4 * 5e6 * 0.98
    assert paced.ledger.line()["fault"] == "slow"
