"""The simulator's faults, each as a client sees it on the wire, and the ledger beside it.

What a fault leaves as it is counts as well: an answer that is only shaped otherwise says the
same words.
"""
import concurrent.futures
import contextlib
import gzip
import hashlib
import http.client
import json
import os
import pathlib
import random
import socket
import subprocess
import time

import pytest
from jsonschema import Draft202012Validator

from simulator_rig import (FAST, PATHS, PROGRAM, ROOT, Ledger, Wire, chat_body, events, simulator,
                           wait_until)


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


# ---- shaped otherwise, and whole ----

@pytest.mark.parametrize("rule", [
    {"kind": "split"}, {"kind": "split", "bytes": 7}, {"kind": "clump"},
    {"kind": "clump", "lines": 5}, {"kind": "no_newline"}, {"kind": "long_line", "bytes": 70000},
    {"kind": "garbage", "how": "type"}, {"kind": "garbage", "how": "headers"},
    {"kind": "odd", "how": "crlf"}, {"kind": "odd", "how": "fields"},
    {"kind": "odd", "how": "two_roles"}, {"kind": "odd", "how": "empty_choices"},
    {"kind": "odd", "how": "usage"}, {"kind": "odd", "how": "done_twice"},
    {"kind": "slow_load", "delay_ms": 30}, {"kind": "stall_first", "delay_ms": 30},
    {"kind": "trickle", "delay_ms": 0}, {"kind": "close_idle"}, {"kind": "truncate"},
], ids=lambda rule: "-".join(str(value) for value in rule.values()))
@pytest.mark.parametrize("stream", [True, False])
def test_what_only_changes_the_shape_leaves_the_words(paced, words, rule, stream):
    wire = wire_of(paced, rule, stream, headers=["Connection: close"]).read_all()
    text, end = said(wire.body)
    assert text == words and end["done"] is True and wire.ended_well
    line = paced.ledger.line()
    fault = None if rule["kind"] == "close_idle" else rule["kind"]
    assert (line["fault"], line["ended"], line["bytes"]) == (fault, "whole", len(wire.body))


def test_split_and_clump_set_the_borders_of_chunks(paced, words):
    sizes = [len(chunk) for chunk in wire_of(paced, {"kind": "split"}).read_all().chunks]
    assert set(sizes[:-1]) == {1} and sizes[-1] == 0
    sizes = [len(chunk) for chunk in wire_of(paced, {"kind": "split", "bytes": 7}).read_all().chunks]
    assert max(sizes) == 7
    chunks = wire_of(paced, {"kind": "clump"}).read_all().chunks
    assert len(chunks) == 2 and chunks[0].count(b"\n") > 20
    chunks = wire_of(paced, {"kind": "clump", "lines": 5}).read_all().chunks
    assert {chunk.count(b"\n") for chunk in chunks[:-2]} == {5}
    paced.ledger.skip(paced)


def test_shapes_are_what_they_are_called(paced, words):
    assert not wire_of(paced, {"kind": "no_newline"}).read_all().body.endswith(b"\n")
    lines = wire_of(paced, {"kind": "long_line"}).read_all().body.split(b"\n")
    assert [len(line) for line in lines].count(1 << 20) == 1
    body = wire_of(paced, {"kind": "odd", "how": "crlf"}, headers=["Connection: close"])
    body = body.read_all().body
    assert body.count(b"\r\n") == body.count(b"\n") > 20
    body = wire_of(paced, {"kind": "odd", "how": "bom"}, headers=["Connection: close"])
    assert body.read_all().body.startswith(b"\xef\xbb\xbf{")
    wire = wire_of(paced, {"kind": "garbage", "how": "headers"}).read_all()
    assert len(wire.head) > 100 * 8192 and wire.header("X-Filler-99")
    wire = wire_of(paced, {"kind": "garbage", "how": "type"}).read_all()
    assert wire.header("Content-Type").startswith("text/html")
    paced.ledger.skip(paced)


def test_a_trickle_is_a_byte_at_a_time(paced, words):
    wire = wire_of(paced, {"kind": "trickle", "delay_ms": 20})
    start = time.monotonic()
    wire.read_until(lambda w: len(w.body) >= 10)
    assert time.monotonic() - start >= 9 * 0.02 - 0.005
    assert set(map(len, wire.chunks)) == {1}
    wire.reset()
    assert paced.ledger.line()["ended"] == "client"
    wire = wire_of(paced, {"kind": "trickle", "delay_ms": 5, "head": True})
    wire.read_until(lambda w: len(w.raw) >= 20)
    assert len(wire.raw) < 60 and b"\r\n\r\n" not in wire.raw
    wire.reset()
    paced.ledger.line()


@pytest.mark.parametrize("stream", [True, False])
def test_a_packed_body_can_be_unpacked(paced, words, stream):
    text = "Só 🙂 é ÿ " + words
    wire = wire_of(paced, {"kind": "garbage", "how": "gzip", "text": text}, stream).read_all()
    assert wire.header("Content-Encoding") == "gzip"
    assert said(gzip.decompress(wire.body))[0] == text
    paced.ledger.line()


# ---- nothing that can be read ----

@pytest.mark.parametrize("stream", [True, False])
def test_garbage_is_no_answer(paced, words, stream):
    wire = wire_of(paced, {"kind": "garbage"}, stream).read_all()
    assert len(wire.body) == 2048 and wire.status == 200 and len(set(wire.body)) > 200
    assert paced.ledger.line()["ended"] == "fault"
    wire = wire_of(paced, {"kind": "garbage", "how": "html"}, stream).read_all()
    assert wire.body.startswith(b"<!DOCTYPE") and wire.header("Content-Type").startswith("text/html")
    wire = wire_of(paced, {"kind": "garbage", "how": "http09"}, stream).read_all()
    assert wire.raw.startswith(b'{"model"') and wire.end == "fin"
    wire = wire_of(paced, {"kind": "garbage", "how": "chunk_sizes"}, stream).read_all()
    assert wire.rest.startswith(b"size ")
    paced.ledger.skip(paced)


def test_refuse_closes_without_a_word_but_can_be_taken_back(paced, words):
    wire = wire_of(paced, {"kind": "refuse"}).read_all()
    assert wire.raw == b"" and wire.end
    line = paced.ledger.line()
    assert (line["status"], line["first_byte_us"], line["ended"]) == (None, None, "fault")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        paced.ask("GET", "/api/version")
    paced.set_faults()
    assert paced.ask("GET", "/api/version")[0] == 200


def test_only_a_connection_that_was_used_is_closed_idle(paced, words):
    paced.set_faults({"kind": "close_idle"})
    connection = http.client.HTTPConnection("127.0.0.1", paced.port, timeout=20)
    connection.request("GET", "/api/version")
    assert connection.getresponse().read()
    connection.request("POST", "/api/chat", json.dumps(chat_body()))
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.getresponse()
    connection.close()
    line = paced.ledger.line()
    assert (line["fault"], line["ended"], line["status"]) == ("close_idle", "fault", None)


def test_a_redirect_names_another_place(paced, words):
    to = "http://127.0.0.1:1/api/chat?a=b@c"
    for status in (307, 301):
        wire = wire_of(paced, {"kind": "redirect", "to": to, "status": status},
                       headers=["Connection: close"]).read_all()
        assert (wire.status, wire.header("Location")) == (status, to)
        paced.ledger.line()


# ---- in the middle of a stream ----

@pytest.mark.parametrize("api, how, mark", [
    ("ollama", "own", b'{"error":"an error'), ("ollama", "line", b'{"error":"an error'),
    ("ollama", "eof", None), ("openai", "line", b'{"error":"the model'),
    ("openai", "data", b'data: {"error":{"message"'), ("openai", "eof", None),
    ("openai", "vllm", b'data: {"object":"error","message"'), ("openai", "field", b"error: {"),
])
def test_a_stream_breaks_off_with_an_error_line(paced, words, api, how, mark):
    rule = {"kind": "error_line", "how": how, "after_tokens": 4}
    wire = wire_of(paced, rule, api=api, headers=["Connection: close"]).read_all()
    assert wire.status == 200 and wire.ended_well
    assert (mark in wire.body) if mark else (b"error" not in wire.body)
    assert b'"done":true' not in wire.body and b'"finish_reason":"stop"' not in wire.body
    line = paced.ledger.line()
    assert (line["ended"], line["tokens"], line["fault"]) == ("fault", 4, "error_line")


def test_an_error_in_an_answer_of_one_piece_is_a_500(paced, words):
    wire = wire_of(paced, {"kind": "error_line"}, False, headers=["Connection: close"]).read_all()
    assert wire.status == 500 and b'"error"' in wire.rest
    assert paced.ledger.line()["ended"] == "fault"


@pytest.mark.parametrize("api, how, sign", [
    ("openai", "comment", b": still here\n\n"), ("openai", "blank", b"\n"),
    ("ollama", "blank", b"\n"),
])
def test_comments_come_for_ever_and_no_words(paced, words, api, how, sign):
    rule = {"kind": "comments", "how": how, "after_tokens": 2, "delay_ms": 5}
    wire = wire_of(paced, rule, api=api)
    wire.read_until(lambda w: w.chunks[-20:] == [sign] * 20)
    said_chunks = [chunk for chunk in wire.chunks if b"content" in chunk]
    assert len(said_chunks) == 2 and wire.end is None
    wire.reset()
    line = paced.ledger.line()
    assert (line["ended"], line["tokens"]) == ("client", 2)


@pytest.mark.parametrize("api", ["ollama", "openai"])
def test_endless_goes_on_and_on(paced, words, api):
    wire = wire_of(paced, {"kind": "endless"}, api=api)
    wire.read_until(lambda w: len(w.chunks) > 200)
    assert wire.end is None and b"done\":true" not in wire.body and b"[DONE]" not in wire.body
    wire.reset()
    assert paced.ledger.line()["tokens"] >= 200


# ---- what is said ----

def whole(server, rule, **more):
    server.set_faults(rule)
    return server.post("/api/chat", **chat_body(stream=False, **more))[1]


def test_an_answer_may_be_of_many_kinds(paced, words):
    assert whole(paced, {"kind": "empty"})["message"]["content"] == ""
    reply = whole(paced, {"kind": "load"})
    assert (reply["done_reason"], reply["message"]["content"]) == ("load", "")
    reply = whole(paced, {"kind": "length"})
    assert reply["done_reason"] == "length" and words.startswith(reply["message"]["content"])
    assert 10 <= reply["eval_count"] < len(words)
    message = whole(paced, {"kind": "thinking_only"})["message"]
    assert message["content"] == "" and message["thinking"] == words
    message = whole(paced, {"kind": "tool_only"})["message"]
    assert message["content"] == "" and message["tool_calls"][0]["function"]["name"]
    assert whole(paced, {"kind": "say", "text": "Só 🙂"})["message"]["content"] == "Só 🙂"
    paced.ledger.skip(paced)


def test_a_stream_may_be_of_many_kinds(paced, words):
    def chunks(rule):
        body = wire_of(paced, rule, api="openai", headers=["Connection: close"]).read_all().body
        return [json.loads(data) for data in events(body) if data != "[DONE]"], events(body)
    found, data = chunks({"kind": "tool_only"})
    assert found[0]["choices"][0]["delta"]["tool_calls"] and data[-1] == "[DONE]"
    assert found[1]["choices"][0]["finish_reason"] == "tool_calls"
    found, _ = chunks({"kind": "thinking_only"})
    text = "".join(c["delta"].get("reasoning", "") for f in found for c in f["choices"])
    assert text == words and not any("content" in c["delta"] for f in found for c in f["choices"])
    found, data = chunks({"kind": "odd", "how": "no_done"})
    assert data[-1] != "[DONE]" and found[-1]["usage"]
    found, data = chunks({"kind": "odd", "how": "only_done"})
    assert data[-1] == "[DONE]"
    assert {c["finish_reason"] for f in found for c in f["choices"]} == {None}
    found, data = chunks({"kind": "odd", "how": "done_twice"})
    assert data.count("[DONE]") == 2
    found, data = chunks({"kind": "odd", "how": "text_after_done"})
    assert data.index("[DONE]") == len(data) - 2
    assert found[-1]["choices"][0]["delta"]["content"] == " And more."
    found, _ = chunks({"kind": "odd", "how": "empty_choices"})
    assert found[0]["choices"] == []
    found, _ = chunks({"kind": "odd", "how": "usage"})
    assert found[0]["usage"] and found[-1]["usage"] and found[1]["choices"]
    paced.ledger.skip(paced)


def test_two_roles_bom_and_fields_are_as_they_are_called(paced, words):
    def body(how):
        return wire_of(paced, {"kind": "odd", "how": how}, api="openai",
                       headers=["Connection: close", "X-Sim-Flavor: openai"]).read_all().body
    assert body("two_roles").count(b'"role":"assistant"') == 2
    assert body("bom").startswith(b"\xef\xbb\xbfdata: ")
    dressed = body("fields")
    assert dressed.count(b"event: message\nid: 7\nretry: 100\nunknown: x\ndata:{") > 20
    assert body("crlf").count(b"\r\n\r\n") > 20
    paced.ledger.skip(paced)


def test_escapes_say_the_same(paced, words):
    text = "Café 🙂 — ready?"
    wire = wire_of(paced, {"kind": "say", "text": text, "escapes": True},
                   headers=["Connection: close"]).read_all()
    assert said(wire.body)[0] == text and b"\\ud83d\\ude42" in wire.body
    assert max(wire.body) < 128
    rule = {"kind": "split", "text": text}
    assert said(wire_of(paced, rule).read_all().body)[0] == text
    paced.ledger.skip(paced)


def test_a_smaller_window_than_was_asked_for_shows_in_the_count(paced, words):
    messages = [{"role": "user", "content": f"Message {i} about boats."} for i in range(200)]
    reply = whole(paced, {"kind": "truncate", "num_ctx": 256}, messages=messages,
                  options={"num_ctx": 8192})
    assert 240 < reply["prompt_eval_count"] <= 256
    assert paced.ledger.line()["num_ctx"] == 256
    text = " ".join(f"word{i}" for i in range(1000))
    reply = whole(paced, {"kind": "truncate", "num_ctx": 256},
                  messages=[{"role": "user", "content": text}], options={"num_ctx": 8192})
    assert reply["prompt_eval_count"] == 256
    paced.ledger.line()


def test_a_load_takes_as_long_as_it_is_told(paced, words):
    reply = whole(paced, {"kind": "slow_load", "delay_ms": 250})
    assert reply["load_duration"] >= 249e6
    start = time.monotonic()
    whole(paced, {"kind": "stall_first", "delay_ms": 250})
    assert time.monotonic() - start >= 0.25
    paced.ledger.skip(paced)


@pytest.mark.parametrize("kind", ["stall_first", "slow_load"])
def test_a_client_that_leaves_before_the_first_byte_is_noticed(paced, words, kind):
    wire = wire_of(paced, {"kind": kind})
    wait_until(lambda: paced.state()["in_flight"] == 1, "it is asked")
    wire.sock.close()
    left = time.time()
    line = paced.ledger.line()
    assert (line["ended"], line["status"], line["first_byte_us"]) == ("client", None, None)
    assert line["ended_us"] / 1e6 - left < 0.1


@pytest.mark.parametrize("rule", [{"kind": "stall", "after_tokens": 1}, {"kind": "slow", "factor": 100},
                                  {"kind": "trickle", "delay_ms": 10000}])
def test_a_client_that_leaves_in_mid_stream_is_noticed(paced, words, rule):
    wire = wire_of(paced, rule)
    wire.read_until(lambda w: b"\r\n\r\n" in w.raw)
    wire.sock.close()
    left = time.time()
    line = paced.ledger.line()
    assert line["ended"] == "client" and line["ended_us"] / 1e6 - left < 0.1


# ---- rules ----

def test_a_rule_is_used_up(paced, words):
    paced.set_faults({"kind": "status", "status": 500, "count": 2}, {"kind": "status", "status": 503})
    got = [paced.ask("POST", "/api/chat", chat_body())[0] for _ in range(4)]
    assert got == [500, 500, 503, 503]
    paced.ledger.skip(paced)


def test_a_rule_ends_in_time(paced, words):
    rules = paced.set_faults({"kind": "status", "status": 500, "for_ms": 300})
    start = time.monotonic()
    assert rules[0]["for_ms"] <= 300
    assert paced.ask("POST", "/api/chat", chat_body())[0] == 500
    wait_until(lambda: paced.ask("POST", "/api/chat", chat_body())[0] == 200, "it is over")
    assert time.monotonic() - start >= 0.29
    assert json.loads(paced.ask("GET", "/_parley/faults")[2])[0]["for_ms"] == 0
    paced.ledger.skip(paced)


def test_a_rule_is_for_a_model_or_a_path(paced, words):
    paced.set_faults({"kind": "status", "status": 500, "model": "mistral"},
                     {"kind": "status", "status": 418, "path": "/api/tags"},
                     {"kind": "status", "status": 502, "path": "/v1/chat/completions"})
    assert paced.ask("POST", "/api/chat", chat_body())[0] == 200
    assert paced.ask("POST", "/api/chat", chat_body(model="mistral"))[0] == 500
    assert paced.ask("POST", "/api/chat", chat_body(model="mistral:latest"))[0] == 500
    assert paced.ask("POST", PATHS["openai"], chat_body("openai"))[0] == 502
    assert paced.ask("GET", "/api/tags")[0] == 418
    assert paced.ask("GET", "/api/version")[0] == 200
    # Loading a model is no call that could go wrong.
    paced.set_faults({"kind": "status", "status": 500})
    assert paced.post("/api/chat", model="tiny")[0] == 200
    paced.ledger.skip(paced)


def test_a_rate_is_kept_and_repeats_with_the_seed():
    def outcomes():
        with simulator(*FAST, "--faults", "status=503@0.25") as server:
            return [server.ask("POST", "/api/chat", chat_body())[0] for _ in range(200)]
    one, two = outcomes(), outcomes()
    assert one == two and 30 <= one.count(503) <= 70 and one.count(200) == 200 - one.count(503)


def test_faults_are_set_shown_and_taken_away(paced, words):
    short, _, text = paced.ask("POST", "/_parley/faults", "cut=5t@0.5, stall=7 ,redirect=http://a@b/")
    assert short == 200
    rules = json.loads(text)
    assert [(rule["kind"], rule["rate"]) for rule in rules] == [
        ("cut", 0.5), ("stall", 1), ("redirect", 1)]
    assert rules[0]["after_tokens"] == 5 and rules[1]["after_bytes"] == 7
    assert rules[2]["to"] == "http://a@b/"
    assert paced.set_faults(*rules) == rules
    assert json.loads(paced.ask("GET", "/_parley/faults")[2]) == rules
    assert json.loads(paced.ask("DELETE", "/_parley/faults")[2]) == []
    assert json.loads(paced.ask("GET", "/_parley/faults")[2]) == []
    assert paced.ask("GET", "/_parley/nothing")[0] == 404


@pytest.mark.parametrize("text, word", [
    ("nonsense", "nonsense"), ("cut=x", "cut=x"), ("status", "status"), ("empty=3", "empty=3"),
    ("[", "JSON"), ("[7]", "kind"), ('{"kind": "cut", "rate": 2}', "rate"),
    ('{"kind": "cut", "count": 1.5}', "count"), ('{"kind": "cut", "bites": 1}', "bites"),
    ('{"kind": "cut", "clean": 1}', "clean"), ('{"kind": "say"}', "text"),
    ('{"kind": "redirect"}', "to"), ('{"kind": "odd", "how": "very"}', "done_twice"),
    ('{"kind": "cut", "how": "bom"}', "no form"),
])
def test_what_is_no_rule_is_told_and_changes_nothing(paced, words, text, word):
    before = paced.set_faults({"kind": "empty"})
    status, _, answer = paced.ask("POST", "/_parley/faults", text)
    assert status == 400 and word in json.loads(answer)["error"]
    assert json.loads(paced.ask("GET", "/_parley/faults")[2]) == before


def test_a_start_with_a_wrong_fault_fails_and_names_it():
    for flags, word in ((("--faults", "cutt"), "cutt"), (("--ledger", "/nowhere/l"), "/nowhere/l")):
        process = subprocess.run([PROGRAM, "--listen", "127.0.0.1:0", *flags],
                                 capture_output=True, text=True, timeout=20)
        assert process.returncode in (1, 2) and word in process.stderr and process.stdout == ""


# ---- the ledger ----

def test_each_line_of_a_ledger_fits_its_schema(tmp_path):
    schema = json.loads((pathlib.Path(ROOT) / "schemas/ledger.schema.json").read_text())
    ledger = Ledger(tmp_path)
    with simulator(*FAST, "--ledger", str(ledger.path), "--ledger-bodies", "--faults",
                   "stall_first@0.3,cut=90@0.3,refuse@0.2") as server:
        for i in range(30):
            body = chat_body(model="nope" if i % 5 == 0 else "tiny") if i % 7 else {"model": "tiny"}
            Wire(server.port, PATHS["ollama"], body, ["Connection: close"]).sock.close()
        Wire(server.port, PATHS["openai"], [1, "ü\x00"], ["Connection: close"]).read_all()
        wait_until(lambda: len(ledger.lines()) == 31, "all calls are over")
    for line in ledger.lines():
        assert list(Draft202012Validator(schema).iter_errors(line)) == []
    assert [line["seq"] for line in sorted(ledger.lines(), key=lambda line: line["seq"])] == list(
        range(1, 32))


def test_a_line_tells_who_called_with_what(tmp_path):
    ledger = Ledger(tmp_path)
    with simulator(*FAST, "--ledger", str(ledger.path), "--ledger-bodies") as server:
        body = chat_body(stream=False, options={"num_ctx": 1024})
        server.ask("POST", "/api/chat", body,
                   {"X-Parley-Turn": "ab:7/1/1~3", "Authorization": "Bearer x"})
        line = ledger.line()
        assert (line["id"], line["attempt"], line["key"]) == ("ab:7/1/1~3", 3, True)
        assert line["body"] == body and line["num_ctx"] == 1024 and line["in_flight"] == 1
        assert line["started_us"] <= line["first_byte_us"] <= line["ended_us"]
        messages = json.dumps(body["messages"], separators=(",", ":"), ensure_ascii=False)
        assert line["prompt_sha256"] == hashlib.sha256(messages.encode()).hexdigest()
        assert line["system_sha256"] == hashlib.sha256(b"You are Ada.").hexdigest()
        server.ask("POST", "/api/generate", {"model": "tiny", "prompt": "Why?"},
                   {"X-Parley-Turn": "plain"})
        line = ledger.line()
        assert (line["id"], line["attempt"], line["key"]) == ("plain", None, False)
        assert line["system_sha256"] is None
        assert line["prompt_sha256"] == hashlib.sha256(b'"Why?"').hexdigest()
        server.ask("POST", "/api/chat", {"model": "tiny"})
        line = ledger.line()
        assert line["load"] and line["id"] is None and line["ended"] == "whole"


def test_the_words_of_an_answer_are_known_by_their_hash_and_vary_when_asked_to(tmp_path):
    ledger = Ledger(tmp_path)
    for options in ((), ("--vary",)):
        with simulator(*FAST, "--seed", "3", *options, "--ledger", str(ledger.path)) as server:
            texts = []
            for _ in range(3):
                texts.append("".join(one["message"]["content"] for one in server.chat()))
                assert ledger.line()["reply_sha256"] == hashlib.sha256(
                    texts[-1].encode()).hexdigest()
        assert len(set(texts)) == (3 if options else 1), texts


def test_calls_at_once_are_counted_also_while_they_wait(tmp_path):
    ledger = Ledger(tmp_path)
    with simulator("--first-token-ms", "100", "--tokens-per-second", "0", "--parallel", "1",
                   "--ledger", str(ledger.path)) as server:
        wires = [Wire(server.port, PATHS["ollama"], chat_body(), ["Connection: close"])
                 for _ in range(5)]
        for wire in wires:
            wire.read_all()
        lines = [ledger.line() for _ in wires]
    assert sorted(line["in_flight"] for line in lines) == [1, 2, 3, 4, 5]


def test_a_shutdown_is_told_apart(tmp_path):
    ledger = Ledger(tmp_path)
    with simulator("--first-token-ms", "60000", "--ledger", str(ledger.path)) as server:
        wire = Wire(server.port, PATHS["ollama"], chat_body())
        wait_until(lambda: server.state()["in_flight"] == 1, "it is asked")
        server.process.terminate()
        assert server.process.wait(20) == 0
        wire.sock.close()
    line = ledger.line()
    assert (line["ended"], line["closed_by"]) == ("shutdown", "server")


def test_nothing_goes_wrong_unless_it_was_asked_for(tmp_path):
    ledger = Ledger(tmp_path)
    with simulator(*FAST, "--ledger", str(ledger.path)) as server:
        for _ in range(100):
            assert server.ask("POST", "/api/chat", chat_body())[0] == 200
        server.set_faults({"kind": "cut", "rate": 0}, {"kind": "empty", "count": 0})
        for _ in range(20):
            assert server.chat()[-1]["done"]
        wait_until(lambda: len(ledger.lines()) == 120, "all is booked")
    assert {(line["fault"], line["ended"]) for line in ledger.lines()} == {(None, "whole")}


# ---- all at once ----

EVERYTHING = [
    {"kind": "reset", "after_bytes": 300}, {"kind": "cut", "after_tokens": 2}, {"kind": "split"},
    {"kind": "stall", "after_bytes": 50, "delay_ms": 20}, {"kind": "trickle", "delay_ms": 0},
    {"kind": "status", "status": 503, "delay_ms": 10}, {"kind": "refuse"}, {"kind": "error_line"},
    {"kind": "clump"}, {"kind": "garbage"}, {"kind": "garbage", "how": "gzip"}, {"kind": "odd"},
    {"kind": "garbage", "how": "headers"}, {"kind": "comments", "delay_ms": 1}, {"kind": "endless"},
    {"kind": "stall_first"}, {"kind": "slow_load", "delay_ms": 10}, {"kind": "thinking_only"},
    {"kind": "long_line"}, {"kind": "stall"}, {"kind": "redirect", "to": "http://x/"},
]


def test_each_call_is_booked_once_whatever_goes_wrong_on_either_side(tmp_path):
    ledger = Ledger(tmp_path)
    rng = random.Random(5)
    with simulator("--tokens-per-second", "2000", "--first-token-ms", "1", "--parallel", "7",
                   "--ledger", str(ledger.path)) as server:
        server.set_faults(*({**rule, "rate": 0.08} for rule in EVERYTHING))

        def call(seed):
            mine = random.Random(seed)
            api = mine.choice(["ollama", "openai"])
            wire = Wire(server.port, PATHS[api], chat_body(api, mine.random() < 0.7),
                        ["Connection: close", f"X-Parley-Turn: call-{seed}"])
            # Some go at once, some after a while, some hear it out.
            patience_s = mine.choice([0.001, 0.05, 0.5])
            until = time.monotonic() + patience_s
            wire.sock.settimeout(patience_s)
            with contextlib.suppress(TimeoutError):
                wire.read_until(lambda _: time.monotonic() > until)
            wire.reset()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            list(pool.map(call, (rng.randrange(10**9) for _ in range(400))))
        wait_until(lambda: server.state()["in_flight"] == 0, "all calls are over")
        state = server.state()
        server.set_faults()
        assert server.chat()[-1]["done"] is True
        folder = f"/proc/{server.process.pid}/fd"
        wait_until(lambda: len(os.listdir(folder)) < 14, "its sockets are closed")
    lines = ledger.lines()
    # A client that went before its request was read made no call.
    assert state["calls"] == len(lines) - 1 <= 400
    assert sorted(line["seq"] for line in lines) == list(range(1, len(lines) + 1))
    assert len({line["id"] for line in lines}) == len(lines)
    assert {"whole", "fault", "client"} <= {line["ended"] for line in lines}
    assert len({line["fault"] for line in lines}) > 12
    assert sum(line["ended"] == "client" for line in lines) == state["clients_gone"]


@pytest.mark.parametrize("api", ["ollama", "openai"])
def test_a_reset_hits_any_byte(api):
    with simulator(*FAST, "--reply-tokens", "5..5") as server:
        size = len(wire_of(server, {"kind": "empty", "rate": 0}, api=api,
                           headers=["Connection: close"]).read_all().body)
        for count in [*range(0, size, 37), size - 1]:
            wire = wire_of(server, {"kind": "reset", "after_bytes": count}, api=api).read_all()
            assert (len(wire.body), wire.end) == (count, "rst")
        wire = wire_of(server, {"kind": "reset", "after_bytes": 9 * size}, api=api).read_all()
        assert wire.end == "fin" and wire.ended_well


def test_faults_work_on_a_unix_socket_too(tmp_path):
    path = str(tmp_path / "s")
    process = subprocess.Popen([PROGRAM, "--listen", f"unix:{path}", *FAST, "--faults", "reset=9"],
                               stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == f"listening on unix:{path}\n"
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(20)
        sock.connect(path)
        body = json.dumps(chat_body()).encode()
        sock.sendall(b"POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
                     + body)
        got = b""
        while piece := sock.recv(4096):
            got += piece
        assert got.endswith(b'9\r\n{"model":\r\n')
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
