"""Servers, proxies and certificates that are odd: taken where HTTP lets them be, and else told in one true line, exit 4."""
import json
import re
import socket
import threading

import pytest

from helpers import box, closed_port  # noqa: F401: box is a fixture
from table_servers import KEY, OLLAMA, OPENAI, Server, certificate_for, config

BODY = {"ollama": OLLAMA["/api/chat"][2].encode(), "openai": OPENAI["/v1/chat/completions"][2].encode()}
TYPE = {"ollama": b"application/x-ndjson", "openai": b"text/event-stream"}
WIRES = ["ollama", "openai"]
PROXIES = dict.fromkeys(["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
                         "SSL_CERT_FILE"], "")


class Raw:
    """Reads a whole request, says these bytes and closes."""

    def __init__(self, said, hold=False):
        self.said = said
        self.hold = hold  # says no more, and does not close
        self.heads = []

    def __enter__(self):
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=8)
        self.url = f"http://127.0.0.1:{self.sock.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.thread.join(10)

    def serve(self):
        while True:
            try:
                peer, _ = self.sock.accept()
            except OSError:
                return
            with peer, peer.makefile("rwb") as file:
                try:
                    head = b"".join(iter(file.readline, b"\r\n"))
                    length = re.search(rb"(?i)content-length: (\d+)", head)
                    file.read(int(length[1]) if length else 0)
                    self.heads.append(head.decode())
                    file.write(self.said)
                    file.flush()
                    if not self.hold:
                        peer.shutdown(socket.SHUT_WR)
                    while peer.recv(65536):  # else what was not read yet would be thrown away
                        pass
                except OSError:
                    pass  # the client has had enough


def ask(box, provider, url, **env):
    url += "/v1" if provider == "openai" else ""
    path = config(box, odd={"provider": provider, "url": url, "models": ["m"], "window": "none", "key_env": "ODD_KEY"})
    done = box.parley("test", "odd", "--config", path, "--json", "--first-token-timeout", "5s",
                      env={**PROXIES, "ODD_KEY": KEY, **env})
    assert KEY not in done.stdout + done.stderr
    assert done.stdout.count("\n") == 1
    assert all("unencrypted" in line for line in done.stderr.splitlines()), done.stderr
    seen = json.loads(done.stdout)
    assert done.returncode == (0 if seen["ok"] else 4)
    return seen


def answer(wire, *headers, body=None, version=b"1.1", kind=None):
    head = b"HTTP/" + version + b" 200 OK\r\nContent-Type: " + (kind or TYPE[wire]) + b"\r\n"
    return head + b"".join(line + b"\r\n" for line in headers) + b"\r\n" + (BODY[wire] if body is None else body)


def chunked(body, trailers=b""):
    return b"%x;name=value\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, trailers)


GOOD = {
    "an answer of HTTP/1.0": lambda wire: answer(wire, version=b"1.0"),
    "a hundred interim answers": lambda wire: b"HTTP/1.1 100 Continue\r\n\r\n" * 100 + answer(wire),
    "early hints": lambda wire: b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nRetry-After: 9\r\n\r\n" + answer(wire),
    "chunks with extensions and trailers": lambda wire: answer(
        wire, b"Transfer-Encoding: chunked", body=chunked(BODY[wire], b"Content-Type: text/html\r\nX: y\r\n")),
    "a length beside the chunks": lambda wire: answer(wire, b"Content-Length: 5", b"Transfer-Encoding: chunked",
                                                      body=chunked(BODY[wire])),
    "a length that is too long": lambda wire: answer(wire, b"Content-Length: 99999"),
    "lines of the head without CR": lambda wire: answer(wire, body=b"").replace(b"\r", b"") + BODY[wire],
    "a type in capitals with parameters": lambda wire: answer(wire, kind=TYPE[wire].upper() + b' ; Charset="utf-8"; x'),
    "a byte order mark": lambda wire: answer(wire, body=b"\xef\xbb\xbf" + BODY[wire]),
    "a header of 90 KB": lambda wire: answer(wire, b"X: " + b"x" * 90000),
}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", GOOD)
def test_an_odd_answer_that_http_allows_is_taken(box, wire, name):
    with Raw(GOOD[name](wire)) as server:
        seen = ask(box, wire, server.url)
    assert (seen["ok"], seen["finish_reason"], seen["reason"]) == (True, "stop", None)


BAD = {
    "headers without end": (lambda wire: answer(wire, *[b"X: " + b"x" * 8000] * 100), "too_large",
                            "more than 262144 bytes of headers"),
    "a header of 900 KB": (lambda wire: answer(wire, b"X: " + b"x" * 900000), "too_large", "a header that is too long"),
    "a length that is too short": (lambda wire: answer(wire, b"Content-Length: 20"), "truncated",
                                   "ended before its end marker"),
    "a length that is none": (lambda wire: answer(wire, b"Content-Length: abc"), "protocol", "Content-Length"),
    "a chunk of a size that is none": (lambda wire: answer(wire, b"Transfer-Encoding: chunked", body=b"-5\r\n"),
                                       "truncated", "chunked"),
    "a NUL in a header": (lambda wire: answer(wire, b"X: a\0b"), "protocol", "Nul byte"),
    "UTF-16": (lambda wire: answer(wire, body=BODY[wire].decode().encode("utf-16")), "protocol", ""),
    "no content": (lambda _: b"HTTP/1.1 204 X\r\n\r\n", "protocol", "204"),
    "not modified": (lambda _: b"HTTP/1.1 304 X\r\n\r\n", "redirect", "answers 304 and names no other place"),
    "a half million brackets": (lambda wire: answer(wire, body=b"data: " * (wire == "openai") + b'{"x":'
                                                    + b"[" * 250000 + b"]" * 250000 + b"}\n\n"), "protocol", "depth"),
    "not a word": (lambda _: b"", "truncated", "closed the connection without an answer"),
}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", BAD)
def test_an_answer_that_is_none_is_told_as_what_it_is(box, wire, name):
    said, error, words = BAD[name]
    with Raw(said(wire)) as server:
        seen = ask(box, wire, server.url)
    assert seen["error"] == error and words in seen["reason"], seen
    assert "memory" not in seen["reason"] and len(seen["reason"]) < 300


def test_an_error_that_repeats_the_prompt_is_read_all_the_same(box):
    error = {"detail": [{"type": "x", "loc": ["body"], "input": "a" * 300_000, "msg": "field required"}]}
    with Raw(b"HTTP/1.1 422 X\r\n\r\n" + json.dumps(error).encode()) as server:
        seen = ask(box, "openai", server.url)
    assert (seen["error"], "422: field required" in seen["reason"]) == ("request", True)


def test_an_error_whose_body_never_comes_is_told_by_its_status_soon(box):
    with Raw(b"HTTP/1.1 503 X\r\nContent-Length: 99\r\n\r\n", hold=True) as server:
        seen = ask(box, "openai", server.url)
    assert (seen["error"], seen["duration_ms"]) == ("busy", None) and "503" in seen["reason"]
    assert len(server.heads) == 1


# ---- proxies ----

def test_a_proxy_that_is_not_there_is_named_and_not_the_server(box):
    """L12: told of the server, nobody would find it."""
    port = closed_port()
    for scheme in ("http", "https"):
        seen = ask(box, "openai", f"{scheme}://model.example", **{f"{scheme}_proxy": f"http://me:secret@127.0.0.1:{port}"})
        assert seen["error"] == "refused" and "secret" not in seen["reason"]
        assert f"no connection to the proxy 127.0.0.1 port {port} on the way to model.example" in seen["reason"]
        assert seen["reason"].endswith("https_proxy or http_proxy names it; no_proxy=HOST goes without")


def test_a_proxy_that_lets_nobody_through_is_named(box):
    with Raw(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as proxy:
        seen = ask(box, "openai", "https://model.example", https_proxy=proxy.url)
    assert seen["error"] == "refused"
    assert "the proxy on the way to model.example port 443" in seen["reason"] and "407" in seen["reason"]
    assert "Authorization" not in proxy.heads[0], "the key is the server's"


def test_a_proxy_of_no_known_kind_is_told_without_its_password(box):
    seen = ask(box, "openai", "http://model.example", http_proxy="junk://me:secret@h")
    assert "proxy" in seen["reason"] and "secret" not in seen["reason"] and seen["error"] == "refused"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached_past_any_proxy(box, host):
    gone = f"http://127.0.0.1:{closed_port()}"
    with Raw(answer("openai")) as server:
        seen = ask(box, "openai", server.url.replace("127.0.0.1", host), http_proxy=gone, ALL_PROXY=gone)
    assert seen["ok"]


# ---- certificates ----

def test_a_certificate_is_trusted_where_the_environment_names_it_and_only_for_its_host(box):
    certificate = certificate_for(box)
    with Server(OPENAI, tls=certificate) as server:
        unknown = ask(box, "openai", server.url)
        assert ask(box, "openai", server.url, SSL_CERT_FILE=certificate[0])["ok"]
        other = ask(box, "openai", server.url.replace("127.0.0.1", "localhost"), SSL_CERT_FILE=certificate[0])
        lacking = ask(box, "openai", server.url, SSL_CERT_FILE=box.path("none.pem"))
    assert "not trusted" in unknown["reason"] and unknown["reason"].endswith("the variable SSL_CERT_FILE")
    assert unknown["reason"].count("SSL_CERT_FILE") == 1
    assert "another host's" in other["reason"] and other["reason"].endswith("is that its address?")
    assert lacking["reason"].endswith("(SSL_CERT_FILE): is the file there?")
    assert {one["error"] for one in (unknown, other, lacking)} == {"refused"}
