"""Connections that end in mid-reply, speak garbage, lose bytes or take their time; and a reader
that is given nothing though all seems well.

Between the programs and Redis stands a proxy that does the harm; afterwards the conversations go
on, each turn there exactly once.
"""
import contextlib
import socket
import threading
import time

import pytest

from helpers import IS_ASAN, turns_of, wait_for
from redis_rig import IS_LONG, Harmed, harm_fleet, lines_of
from proxy import Proxy

SLOW = 3 if IS_ASAN else 1
SUFFERED_S = 400 if IS_LONG else 60  # the most that harm may take to be done
GARBAGE = {
    "a surplus reply": b"+OK\r\n",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "zeros": bytes(64),
    "depth 9": b"*1\r\n" * 9 + b":1\r\n",
    "a push of RESP3": b">2\r\n+a\r\n+b\r\n",
    "a map of RESP3": b"%1\r\n+a\r\n+b\r\n",
    "a negative count": b"*-7\r\n",
    "a negative length": b"$-7\r\n",
    "a huge text": b"$9000000000\r\n",
    "a huge array": b"*1000000000\r\n",
    "no number": b":abc\r\n",
    "half a reply": b"*2\r\n$5\r\nhel",
    "every byte": bytes(range(256)),
    "an error out of turn": b"-ERR what is this\r\n",
}


@pytest.fixture(scope="module")
def fleet():
    with harm_fleet(lambda made: Proxy(made.socket, seed=11)) as made:
        yield made


def alive(fleet):
    return [process for process in fleet.services if process.poll() is None] == fleet.services


def test_connections_reset_in_mid_reply_lose_nothing(fleet):
    """B5: a reset after a drawn number of bytes, on every connection."""
    talks = Harmed(fleet)
    fleet.proxy.set_rules({"kind": "reset", "after_bytes": (200, 6000), "to": "both"})
    # Whoever is thrown out again and again waits up to half a second: some five resets a second.
    wait_for(lambda: fleet.proxy.counts["reset"] >= (500 if IS_LONG else 12), "resets", SUFFERED_S)
    fleet.proxy.set_rules()
    talks.wait_progress()
    talks.end()


def test_garbage_from_redis_ends_the_connection_and_never_the_process(fleet):
    """B17: fourteen kinds (three in the short form), in mid-work; after each, work goes on within
    two seconds. tests/unit/test_redis_fake.c has them all, and the silences.
    """
    talks = Harmed(fleet)
    for name, data in list(GARBAGE.items())[:None if IS_LONG else 3]:
        told = fleet.proxy.counts["inject"]
        fleet.proxy.set_rules({"kind": "inject", "data": data, "after_bytes": 2500})
        wait_for(lambda: fleet.proxy.counts["inject"] > told, f"{name} was said")
        fleet.proxy.set_rules()
        first, _ = talks.wait_progress(1)
        assert first < 2 * SLOW, name
        assert alive(fleet), name
    talks.end()


def test_flipped_bits_end_connections_and_never_a_process():
    """B18: flips in what Redis answers end in a protocol error, a refused call or a turn that is
    read or asked for again, never in a crash or a turn that is there twice. What a conversation
    suffers by a flip inside a text is not undone (docs/reliability.md): new ones go on.
    """
    with harm_fleet(lambda made: Proxy(made.socket, seed=12)) as fleet:
        hurt = []
        for part in (1, 0.2, 0.05) * 5 if IS_LONG else (1, 0.1):
            talks = Harmed(fleet)
            hurt += talks.ids
            enough = fleet.proxy.counts["flip"] + (60 if IS_LONG else 6)
            fleet.proxy.set_rules({"kind": "flip", "part": part, "after_bytes": 2000})
            wait_for(lambda: fleet.proxy.counts["flip"] >= enough or talks.are_over(),
                     "bits are flipped", SUFFERED_S)
            fleet.proxy.set_rules()
            assert alive(fleet)
        assert fleet.proxy.counts["flip"] >= (400 if IS_LONG else 12)
        Harmed(fleet).end(settled=False)  # of the hurt ones something may be left
        for one in hurt:
            numbers = [message["metadata"]["sequence_number"]
                       for message in turns_of(fleet.transcript(one))]
            assert len(set(numbers)) == len(numbers)


def test_a_slow_way_to_redis_costs_time_and_no_lease(fleet):
    """B19: every reply 200 ms late, give or take 100: nothing is claimed, no call is made twice."""
    talks = Harmed(fleet, talks=1)
    claimed = len(lines_of(fleet, " claimed "))
    fleet.proxy.set_rules({"kind": "delay", "ms": 200, "jitter_ms": 100})
    talks.wait_progress(20 if IS_LONG else 3, limit_s=120)
    fleet.proxy.set_rules()
    talks.wait_progress()
    # The cut that brought the delay may have lost a read, which is claimed back at once.
    assert len(lines_of(fleet, " claimed ")) - claimed <= 2
    talks.end()


# ---- the watch over the reader ----

READERS = ["worker-reader", "manager-reader"] if IS_LONG else ["worker-reader"]


class Swallow:
    """Passes everything on until told to swallow: then the readers that are connected are told
    that nothing came, for ever, and Redis hears of them no more. New connections are passed on.
    """

    def __init__(self, path, name):
        self.path, self.name = path, name
        self.swallowing = False
        self.swallowed = 0
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.host, self.port = self.sock.getsockname()

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.sock.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                down, _ = self.sock.accept()
                up = socket.socket(socket.AF_UNIX)
                up.connect(self.path)
                begun_in_vain = self.swallowing
                threading.Thread(target=self.ask, args=(down, up, begun_in_vain),
                                 daemon=True).start()
                threading.Thread(target=self.answer, args=(up, down), daemon=True).start()

    def ask(self, down, up, is_new):
        is_reader = False
        with contextlib.suppress(OSError), down, up:
            while data := down.recv(65536):
                is_reader = is_reader or self.name in data
                if is_reader and self.swallowing and not is_new:
                    self.swallowed += 1
                    time.sleep(0.3)  # the block that found nothing
                    down.sendall(b"*-1\r\n")
                else:
                    up.sendall(data)

    def answer(self, up, down):
        with contextlib.suppress(OSError):
            while data := up.recv(65536):
                down.sendall(data)
            down.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("name", READERS)
def test_a_reader_that_is_given_nothing_while_entries_wait_connects_anew(name):
    """The connection answers, and nothing is ever delivered on it: the watch sees what waits."""
    with harm_fleet(lambda made: Swallow(made.socket, name.encode())) as fleet:
        talks = Harmed(fleet)
        fleet.proxy.swallowing = True
        wait_for(lambda: fleet.proxy.swallowed >= 1, "a reader is swallowed")
        talks.wait_progress()
        assert fleet.proxy.swallowed >= 8
        wait_for(lambda: lines_of(fleet, "watch .* wait and none is delivered"), "it is told")
        wait_for(lambda: lines_of(fleet, "delivered again"), "it is over")
        talks.end()
