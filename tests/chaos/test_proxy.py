"""The fault proxy does to a connection what its rules say, and nothing else."""
import contextlib
import socket
import threading
import time

import pytest

from helpers import wait_for
from proxy import Proxy

LIMIT_S = 10
TEXT = bytes(range(256)) * 40


class Echo:
    """A server that sends back what it gets, and ends when its client does."""

    def __enter__(self):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.address = self.sock.getsockname()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def serve(self):
        while True:
            try:
                peer, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(peer,), daemon=True).start()

    def echo(self, peer):
        with peer, contextlib.suppress(OSError):
            while data := peer.recv(65536):
                peer.sendall(data)

    def __exit__(self, *_):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.thread.join()


@pytest.fixture
def proxied():
    with Echo() as echo, Proxy(echo.address, seed=5) as proxy:
        yield proxy


def dial(proxy):
    return socket.create_connection((proxy.host, proxy.port), timeout=LIMIT_S)


def read_to_end(sock):
    """(bytes, how it ended: "fin", "reset", "silence")"""
    data = b""
    while True:
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            return data, "reset"
        except socket.timeout:
            return data, "silence"
        if not piece:
            return data, "fin"
        data += piece


def exchange(proxy, text=TEXT, limit_s=LIMIT_S):
    with dial(proxy) as sock:
        sock.sendall(text)
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(limit_s)
        return read_to_end(sock)


def test_without_a_rule_every_byte_goes_through_both_ways(proxied):
    assert exchange(proxied) == (TEXT, "fin")
    assert not proxied.counts


def test_a_delay_holds_each_piece_back(proxied):
    proxied.rules = [{"kind": "delay", "ms": 150, "jitter_ms": 10}]
    begin = time.monotonic()
    assert exchange(proxied, b"x") == (b"x", "fin")
    assert time.monotonic() - begin >= 0.14


def test_a_trickle_comes_whole_but_slowly(proxied):
    proxied.rules = [{"kind": "trickle", "bytes": 100, "ms": 20}]
    begin = time.monotonic()
    assert exchange(proxied, TEXT[:1000]) == (TEXT[:1000], "fin")
    assert time.monotonic() - begin >= 0.18


@pytest.mark.parametrize("kind, end", [("reset", "reset"), ("close", "fin"),
                                       ("half_close", "fin"), ("stall", "silence")])
def test_a_connection_ends_at_the_very_byte_that_was_asked_for(proxied, kind, end):
    proxied.rules = [{"kind": kind, "after_bytes": 777}]
    data, ended = exchange(proxied, limit_s=0.5)
    # A reset may overtake what was sent before it.
    assert ended == end and TEXT.startswith(data)
    assert len(data) <= 777 if kind == "reset" else len(data) == 777
    assert proxied.counts == {kind: 1}


def test_a_half_closed_connection_still_carries_the_other_direction(proxied):
    proxied.rules = [{"kind": "half_close", "to": "server", "after_bytes": 5}]
    with dial(proxied) as sock:
        sock.sendall(b"12345")
        assert sock.recv(100) == b"12345"
        sock.sendall(b"6")
        assert read_to_end(sock) == (b"", "fin")


def test_a_stall_that_has_an_end_goes_on_with_nothing_lost(proxied):
    proxied.rules = [{"kind": "stall", "after_bytes": 10, "ms": 200}]
    begin = time.monotonic()
    assert exchange(proxied) == (TEXT, "fin")
    assert time.monotonic() - begin >= 0.19


def test_a_flip_changes_one_bit_of_a_piece(proxied):
    proxied.rules = [{"kind": "flip"}]
    data, _ = exchange(proxied, b"\0" * 100)
    assert len(data) == 100 and sum(bin(byte).count("1") for byte in data) >= 1
    assert sum(bin(byte).count("1") for byte in data) == proxied.counts["flip"]


def test_bytes_are_put_in_once_and_where_they_were_to_be(proxied):
    proxied.rules = [{"kind": "inject", "after_bytes": 3, "data": b"+OK\r\n"}]
    assert exchange(proxied, b"abcdef") == (b"abc+OK\r\ndef", "fin")


def test_a_black_hole_takes_everything_and_says_nothing(proxied):
    proxied.rules = [{"kind": "black_hole", "to": "both"}]
    with dial(proxied) as sock:
        sock.sendall(TEXT)
        sock.settimeout(0.3)
        assert read_to_end(sock) == (b"", "silence")


def test_rules_can_change_while_it_runs_and_end_what_had_the_old_ones(proxied):
    with dial(proxied) as old:
        old.sendall(b"x")
        assert old.recv(1) == b"x"
        proxied.set_rules({"kind": "close"})
        assert read_to_end(old)[1] == "fin"
    assert exchange(proxied, b"y") == (b"", "fin")
    proxied.set_rules()
    assert exchange(proxied) == (TEXT, "fin")


def test_all_connections_can_be_reset_at_once(proxied):
    with dial(proxied) as one, dial(proxied) as two:
        for sock in (one, two):
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"
        proxied.cut_all("reset")
        assert [read_to_end(sock)[1] for sock in (one, two)] == ["reset", "reset"]


def test_the_seed_draws_who_is_hit():
    hits = []
    for _ in range(2):
        with Echo() as echo, Proxy(echo.address, seed=11) as proxy:
            proxy.rules = [{"kind": "close", "rate": 0.5}]
            hits.append([exchange(proxy, b"x")[0] for _ in range(20)])
    assert hits[0] == hits[1] and {b"", b"x"} == set(hits[0])


def test_who_comes_while_the_server_is_away_is_turned_away_and_served_when_it_is_back():
    with Echo() as echo:
        address = echo.address
    with Proxy(address) as proxy:
        assert exchange(proxy, b"")[1] in ("fin", "reset")
        with Echo() as echo:
            proxy.upstream = echo.address
            assert wait_for(lambda: exchange(proxy) == (TEXT, "fin"), "it is back")
