"""The simulator as a server of its own: whatever a client sends, it answers or closes, keeps
answering the others, and leaks nothing."""
import concurrent.futures
import json
import os
import random
import re
import socket
import struct
import time

import pytest

from simulator_rig import FAST, PATHS, Ledger, Wire, chat_body, simulator, wait_until

CHAT = json.dumps(chat_body(stream=False)).encode()
OK = b"HTTP/1.1 200 OK"
BAD = b"HTTP/1.1 400 Bad Request"


@pytest.fixture(scope="module")
def fast():
    with simulator(*FAST) as server:
        yield server


def exchange(server, data, limit_s=20):
    """What comes back until the server closes."""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=limit_s)
    sock.sendall(data)
    got = b""
    while piece := sock.recv(1 << 16):
        got += piece
    sock.close()
    return got


def request(body, head="POST /api/chat HTTP/1.1", *lines):
    lines = [head, "Host: localhost", "Connection: close", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def memory_kb(server):
    status = open(f"/proc/{server.process.pid}/status", encoding="utf-8").read()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def asking(schema):
    return json.dumps({**chat_body(stream=False), "format": schema}).encode()


NESTED = {"type": "array", "minItems": 1000, "items": {"type": "integer"}}
for _ in range(3):
    NESTED = {"type": "array", "minItems": 1000, "items": NESTED}


@pytest.mark.parametrize("name, body, status", [
    ("no end", b'{"model":"tiny"', 400), ("a hundred thousand lists", b"[" * 100000, 400),
    ("a hundred thousand objects", b'{"a":' * 100000, 400), ("no UTF-8", b'{"model":"\xff"}', 400),
    ("half a pair", b'{"model":"\\ud800"}', 400), ("a number for a document", b"1e999", 400),
    ("too large a number", b'{"model":"tiny","keep_alive":1e99}', 200),
    ("a text of a hundred million", asking({"type": "string", "minLength": 10**8}), 500),
    ("a million items", asking({"type": "array", "minItems": 10**6, "items": {}}), 500),
    ("lists of lists of lists", asking(NESTED), 500),
    ("a schema that needs itself", asking({"type": "object", "required": ["a"],
                                          "properties": {"a": {"$ref": "#"}}}), 500),
    ("a pattern that explodes", asking({"type": "string", "pattern": "(a+)+$"}), 200),
    ("a thousand stops", json.dumps({**chat_body(stream=False), "options": {
        "stop": ["zz"] * 1000}}).encode(), 200),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_strange_document_gets_an_answer_at_once(fast, name, body, status):
    start = time.monotonic()
    answer = exchange(fast, request(body))
    assert answer.startswith(b"HTTP/1.1 %d " % status), (name, answer[:300])
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert b"application/json" in head and isinstance(json.loads(rest), dict)
    assert time.monotonic() - start < 10
    assert fast.ask("GET", "/api/version")[0] == 200


@pytest.mark.parametrize("data, begins", [
    (request(CHAT, "POST http://localhost/api/chat HTTP/1.1"), OK),
    (request(CHAT, "POST HTTP://some.proxy:80/api/chat?x=1 HTTP/1.1"), OK),
    (request(b"", "GET http://localhost HTTP/1.1"), OK),
    (request(CHAT, "POST /api/chat HTTP/1.0"), b"HTTP/1.1 200 OK"),
    (request(CHAT, "POST /api/chat HTTP/1.1", "Expect: 100-continue"), b"HTTP/1.1 100 "),
    (request(CHAT).replace(b"Content-Length", b"Content-Length: -5\r\nX"), BAD),
    (b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
     BAD),
    (request(b"", "GET /" + "a" * 100000 + " HTTP/1.1"), b"HTTP/1.1 414"),
    (request(b"", "GET / HTTP/1.1", "X: " + "a" * 100000), b"HTTP/1.1 431"),
    (request(b"", "GET / HTTP/1.1", *["X: a"] * 5000), b"HTTP/1.1 431"),
    (request(b"", "GET /api/%00tags HTTP/1.1"), b"HTTP/1.1 404"),
    (request(b"", "BREW /api/tags HTTP/1.1"), b"HTTP/1.1 405"),
    (b"\x16\x03\x01\x02\x00\x01\x00" + bytes(range(14, 250)) + b"\r\n\r\n", b""),
], ids=lambda value: "")
def test_a_strange_request_gets_an_answer_or_a_close(fast, data, begins):
    assert exchange(fast, data).startswith(begins)
    assert fast.ask("GET", "/api/version")[0] == 200


def test_a_stream_for_a_client_of_http_1_0_ends_with_its_connection(fast):
    body = json.dumps(chat_body()).encode()
    answer = exchange(fast, b"POST /api/chat HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body)
                      + body)
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    lines = [json.loads(line) for line in rest.splitlines()]
    assert len(lines) > 20 and lines[-1]["done"] is True


def test_requests_sent_at_once_are_answered_one_after_the_other(fast):
    body = json.dumps(chat_body()).encode()
    one = (b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
           + body)
    answer = exchange(fast, one * 7 + b"GET /api/ps HTTP/1.1\r\nHost: localhost\r\n\r\n"
                      + request(body))
    assert answer.count(OK) == 9 and answer.count(b'"done":true') == 8


def test_fifty_megabytes_are_too_many_and_do_not_stay(fast):
    before_kb = memory_kb(fast)
    body = b'{"model":"tiny","messages":[{"role":"user","content":"' + b"x" * 50_000_000 + b'"}]}'
    assert exchange(fast, request(body)).startswith(b"HTTP/1.1 413")
    # Not more than what a body may have, whatever the allocator keeps of it.
    assert memory_kb(fast) - before_kb < 100_000
    assert fast.state()["in_flight"] == 0


def test_a_thousand_idle_and_half_said_requests_hold_nobody_up():
    with simulator(*FAST) as server:
        few = descriptors(server)
        crowd = []
        for i in range(1000):
            sock = socket.create_connection(("127.0.0.1", server.port), timeout=20)
            if i % 2:
                sock.sendall(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n"
                             b"\r\n{\"model\":")
            crowd.append(sock)
        wait_until(lambda: descriptors(server) >= few + 1000, "all are connected")
        assert server.chat()[-1]["done"] is True
        assert server.state() == {"in_flight": 0, "calls": 1, "clients_gone": 0}
        for sock in crowd:
            sock.close()
        wait_until(lambda: descriptors(server) <= few + 2, "all are gone")


@pytest.mark.parametrize("parallel", [2, 64])
def test_64_clients_that_abort_at_random_leave_one_line_each_and_nothing_else(tmp_path, parallel):
    ledger = Ledger(tmp_path)
    with simulator("--tokens-per-second", "2000", "--first-token-ms", "2", "--parallel",
                   str(parallel), "--ledger", str(ledger.path)) as server:
        few = descriptors(server)

        def client(number):
            mine = random.Random(number)
            ended = {}
            for turn in range(5):
                api = mine.choice(["ollama", "openai"])
                name = f"c{number}-{turn}"
                wire = Wire(server.port, PATHS[api], chat_body(api, mine.random() < 0.8),
                            ["Connection: close", f"X-Parley-Turn: {name}"])
                enough = mine.choice([0, 1, 300, 10**9])
                # Its first byte is waited for: a call that was not read yet is none.
                wire.read_until(lambda wire: len(wire.raw) >= max(enough, 1))
                ended[name] = (wire.end or "aborted", len(wire.body))
                wire.reset()
            return ended
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            told = {name: end for ended in pool.map(client, range(64))
                    for name, end in ended.items()}
        wait_until(lambda: server.state()["in_flight"] == 0, "all calls are over")
        state = server.state()
        wait_until(lambda: descriptors(server) <= few + 1, "its sockets are closed")
        # Every slot is free: so many calls are said side by side again.
        assert server.chat()[-1]["done"] is True
    lines = ledger.lines()[:320]
    assert len(told) == state["calls"] == 320
    assert sorted(line["id"] for line in lines) == sorted(told)
    assert state["clients_gone"] == sum(line["ended"] == "client" for line in lines)
    for line in lines:
        # Who heard the end was told everything; who left may have had all of it under way.
        end, heard = told[line["id"]]
        assert line["ended"] == "whole" if end == "fin" else line["ended"] in ("whole", "client")
        assert line["bytes"] == heard if end == "fin" else line["bytes"] >= heard
        assert line["closed_by"] == ("client" if line["ended"] == "client" else "server")
    moments = sorted([(line["started_us"], 1) for line in lines]
                     + [(line["ended_us"], -1) for line in lines])
    now = most = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    assert now == 0 and max(line["in_flight"] for line in lines) in (most - 1, most, most + 1)


def test_an_end_amid_streams_writes_each_of_them_down(tmp_path):
    ledger = Ledger(tmp_path)
    with simulator("--tokens-per-second", "50", "--first-token-ms", "0", "--parallel", "20",
                   "--reply-tokens", "500..500", "--ledger", str(ledger.path)) as server:
        wires = [Wire(server.port, PATHS[api], chat_body(api), [f"X-Parley-Turn: {api}-{i}"])
                 for i in range(20) for api in PATHS]
        pull = Wire(server.port, "/api/pull", {"model": "llama3.2:90b"})
        for wire in wires[:20]:
            wire.read_until(lambda wire: len(wire.rest) > 500)
        wait_until(lambda: server.state()["in_flight"] == 40, "all are asked")
        server.process.terminate()
        assert server.process.wait(20) == 0
        for wire in [*wires, pull]:
            wire.sock.close()
    lines = ledger.lines()
    assert ledger.path.read_text(encoding="utf-8").endswith("}\n")
    assert sorted(line["id"] for line in lines) == sorted(
        f"{api}-{i}" for i in range(20) for api in PATHS)
    assert {(line["ended"], line["closed_by"]) for line in lines} == {("shutdown", "server")}
    assert sum(line["tokens"] > 0 for line in lines) == 20


def test_a_client_that_never_reads_costs_a_bounded_memory():
    with simulator(*FAST, "--faults", "endless") as server:
        before_kb = memory_kb(server)
        wires = [Wire(server.port, "/api/chat", chat_body()) for _ in range(8)]
        wait_until(lambda: server.state()["in_flight"] == 8, "they are asked")
        seen = [memory_kb(server)]

        def settled():
            seen.append(memory_kb(server))
            return len(seen) > 40 and seen[-1] == seen[-20]
        wait_until(settled, "no more is kept")
        assert seen[-1] - before_kb < 8 * 4096
        for wire in wires:
            wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wire.sock.close()
        wait_until(lambda: server.state()["in_flight"] == 0, "they are gone")
