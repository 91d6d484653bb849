"""Random sequences of `admit` and `report` against a real Redis whose clock jumps.

A book is kept beside Redis of what callers were told, and after each step it is asked whether the
promises of docs/routing.md still hold: windows, order, one probe at a time, budgets, groups, the
cap, ends that are booked once, keys that go away. `make test` plays the same few seconds each
time, `make proof` (PARLEY_PROOF=long) new ones for a minute. The seed is told when one fails.
"""
import itertools
import os
import pathlib
import random
import subprocess
import time

import pytest

from private_redis import PrivateRedis
from test_admit import Servers

LONG = os.environ.get("PARLEY_PROOF") == "long"
SEEDS = [random.SystemRandom().randrange(10**9) for _ in range(4)] if LONG else [1, 2]
SECONDS = 15 if LONG else 0.8
WINDOWS = {"a": 1, "b": 3, "c": 0, "d": 2}
LEASE_MS, KEEP_MS, BACK_S = 10000, 60000, 25
LIMIT_S = 60
SOON_S = 55  # less than keys live: it is the leases that end
CAP, COST = 30, 0.5
COMMANDS_EACH = 60  # of Redis, in a script, for each candidate


@pytest.fixture(scope="module")
def clocked(tmp_path_factory):
    """A redis-server that lives by a clock of ours, and what sets it."""
    folder = tmp_path_factory.mktemp("clock")
    shim, clock = folder / "clock.so", folder / "clock"
    source = pathlib.Path(__file__).parent / "shims" / "clock.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, source], check=True)
    clock.write_bytes(bytes(8))
    env = {"LD_PRELOAD": str(shim), "SHIM_CLOCK": str(clock)}
    os.environ.update(env)
    try:
        server = PrivateRedis()
    finally:
        for name in env:
            del os.environ[name]

    def set_clock(seconds):
        with open(clock, "r+b", buffering=0) as file:
            file.write(seconds.to_bytes(8, "little", signed=True))
    try:
        server.wait_ready()
        yield server, set_clock
    finally:
        server.stop()


class Book:
    """What the callers know, and what must be true of it."""

    def __init__(self, db, set_clock, rng):
        self.db, self.set_clock, self.rng = db, set_clock, rng
        self.servers = Servers(db)
        self.offset_s = self.latest_s = 0
        self.names = itertools.count()
        self.held = {}  # call -> [endpoint, until ms, is a probe, candidates]
        self.waits = {}  # call -> [candidates, asked_at, until ms, where]
        self.served = self.probes = self.dups = self.capped = 0

    def live(self, endpoint, now_ms):
        """Calls at work there whose lease is not over."""
        return [call for call, one in self.held.items() if one[0] == endpoint and one[1] > now_ms]

    def older(self, endpoint, asked_at, now_ms):
        return [call for call, (_, at, until, where) in self.waits.items()
                if at < asked_at and until > now_ms and endpoint in where]

    def dump(self):
        def members(key):
            return self.db.zrange(key, 0, -1, withscores=True)
        read = {"hash": self.db.hgetall, "zset": members}
        return {key: read[self.db.type(key)](key) for key in sorted(self.db.keys("*"))}

    # ---- steps ----

    def is_full(self):
        """Enough has happened, however slow the machine is."""
        return min(self.served, self.dups) > 50 and min(self.probes, self.capped) > 0

    def jump(self):
        """By seconds forward, or back: never so far that a place outlives its keys."""
        step = self.rng.choice((1, 1, 2, 5, 12, 70, -1, -5, -BACK_S))
        self.bury()
        self.offset_s = max(self.offset_s + step, self.latest_s - BACK_S)
        self.latest_s = max(self.latest_s, self.offset_s)
        self.set_clock(self.offset_s)
        self.bury()

    def bury(self):
        """Whose time was once over is dead, whatever the clock says later."""
        now_ms = self.servers.now_ms()
        self.held = {call: one for call, one in self.held.items() if one[1] > now_ms}
        self.waits = {call: one for call, one in self.waits.items() if one[2] > now_ms}

    def nudge(self, wild_ms=KEEP_MS):
        """What else takes long: back-offs are over, and a retry budget is spent."""
        now_ms = self.servers.now_ms()
        for endpoint in WINDOWS:
            known = self.servers.hash(endpoint)
            if known.get("state") == "open" and int(known["retry_at"]) <= now_ms + wild_ms:
                self.servers.set(endpoint, retry_at=now_ms)
            if known and self.rng.random() < 0.2:
                self.servers.set(endpoint, tokens=0.2, tokens_at=now_ms)

    def candidates(self):
        some = self.rng.sample(sorted(WINDOWS), self.rng.randint(1, len(WINDOWS)))
        groups = sorted(self.rng.choice((0, 0, 0, 2, 3)) for _ in some)
        return tuple((one, WINDOWS[one], group, int(one == "d"))
                     for one, group in zip(some, groups))

    def ask(self):
        """A new call, or one that waits or has a place asks again."""
        old = self.rng.random()
        call = f"call {next(self.names)}"
        asked_at = self.servers.now_ms() * 1000 + self.rng.randint(-10**6, 0)
        them, retry = self.candidates(), self.rng.random() < 0.2
        if old < 0.6 and self.waits:
            call = self.rng.choice(sorted(self.waits))
            them, asked_at = self.waits[call][:2]
        elif old < 0.65 and self.held:
            call = self.rng.choice(sorted(self.held))
            them = self.held[call][3]
        before = {one[0]: self.servers.hash(one[0]) for one in them}
        cap = CAP if self.rng.random() < 0.3 else 0
        answer = self.servers.admit(call, *them, asked_at=asked_at, lease_ms=LEASE_MS,
                                    spread=self.rng.randint(0, 1), cap=cap,
                                    budget=-1 if retry else 0.1)
        now_ms = self.servers.now_ms()
        if answer[0] == "OK":
            self.check_place(call, them, asked_at, answer, before, retry, now_ms)
        else:
            self.check_wait(call, them, asked_at, answer, before, now_ms)

    def check_place(self, call, them, asked_at, answer, before, retry, now_ms):
        endpoint, window, group, capped = them[int(answer[1]) - 1]
        probe = answer[2] == "1"
        known = self.held.get(call)
        if known is not None and known[1] > now_ms:
            assert (known[0], known[2]) == (endpoint, probe), "asked twice, it has the same place"
            known[1] = now_ms + LEASE_MS
            return
        self.waits.pop(call, None)
        state = before[endpoint].get("state", "closed")
        live = self.live(endpoint, now_ms)
        if probe:
            retry_at = int(before[endpoint]["retry_at"])  # a minute ahead it cannot be
            assert state != "closed" and (retry_at <= now_ms or retry_at > now_ms + KEEP_MS - 1000)
            assert not [one for one in live if self.held[one][2]], "one probe at a time"
            assert not self.older(endpoint, asked_at, now_ms), "the oldest is the probe"
            self.probes += 1
        else:
            assert state == "closed", "a server that is down gets probes only"
            free = window - len(live) if window else 10**9
            older = self.older(endpoint, asked_at, now_ms)
            tokens = float(self.servers.hash(endpoint)["tokens"])
            assert free > len(older), "the oldest first, and never too many"
            assert not retry or tokens >= -0.001, "retries are paid for"
            for other, _, other_group, _ in them:
                is_down = before[other].get("state", "closed") != "closed"
                assert other_group >= group or is_down, "groups in order"
        self.held[call] = [endpoint, now_ms + LEASE_MS, probe, them]
        self.served += 1

    def check_wait(self, call, them, asked_at, answer, before, now_ms):
        word = answer[0]
        states = {one[0]: before[one[0]].get("state", "closed") for one in them}
        if word == "CAP":
            assert any(one[3] for one in them)
            self.waits.pop(call, None)
            self.capped += 1
            return
        if word == "DOWN":
            assert "closed" not in states.values(), states
            if answer[2] == "auth":  # who has no key that is taken does not wait
                self.waits.pop(call, None)
                return
            ms, where = int(answer[1]), list(states)
        elif word == "BUDGET":
            self.waits.pop(call, None)
            assert 20 <= int(answer[1]) <= 1000
            return
        else:
            assert word == "WAIT" and "closed" in states.values() and int(answer[1]) >= 0
            ms, group = int(answer[2]), min(one[2] for one in them if states[one[0]] == "closed")
            where = [one[0] for one in them if one[2] == group]
        assert 1 <= ms <= 1000, "it is asked again soon"
        self.waits[call] = [them, asked_at, now_ms + ms, where]

    def renew(self):
        if self.held:
            call = self.rng.choice(sorted(self.held))
            one = self.held[call]
            endpoint = next(them for them in one[3] if them[0] == one[0])
            if one[1] > self.servers.now_ms():
                self.servers.admit(call, endpoint, mode="renew", lease_ms=LEASE_MS)
                one[1] = self.servers.now_ms() + LEASE_MS
            else:
                del self.held[call]  # it died

    def leave(self):
        calls = sorted(self.waits) + sorted(self.held)
        if calls:
            call = self.rng.choice(calls)
            them = self.waits[call][0] if call in self.waits else self.held[call][3]
            assert self.servers.admit(call, *them, mode="leave") == ["GONE"]
            self.waits.pop(call, None)
            self.held.pop(call, None)

    def report(self, outcome=None):
        if not self.held:
            return
        call = self.rng.choice(sorted(self.held))
        endpoint, _, _, them = self.held.pop(call)
        outcome = outcome or self.rng.choices(("ok", "bad", "none", "auth"), (10, 6, 1, 0.2))[0]
        bad = self.rng.choice(("server", "busy", "timeout"))
        words = {"error": {"bad": bad, "auth": "auth"}.get(outcome, ""),
                 "cost": COST if outcome == "ok" else "",
                 "duration_ms": self.rng.choice(("", 5, 50)),
                 "retry_after_ms": self.rng.choice(("", "", "", 3000)) if outcome == "bad" else ""}
        if outcome == "bad" and self.rng.random() < 0.3:
            words |= {"since": self.servers.now_ms() - self.rng.randint(0, 3000),
                      "others": [one[0] for one in them if one[0] != endpoint]}
        answer = self.servers.whole_report(call, outcome, endpoint, **words)
        assert answer[0] in ("OK", "DUP") and answer[1] in ("closed", "open", "half")
        if words.get("since") and answer[0] == "OK":
            blamed = answer[1] != "closed"
            assert answer[3] == "1" or blamed, "nobody was answered: it is the server"
        self.again(call, endpoint, outcome, words)

    def again(self, call, endpoint, outcome, words):
        """What is reported twice changes nothing."""
        before = self.dump()
        assert self.servers.whole_report(call, outcome, endpoint, **words)[0] == "DUP"
        assert self.dump() == before
        self.dups += 1

    # ---- what holds at any time ----

    def check(self):
        for key in self.db.keys("*"):
            fields = self.db.hgetall(key) if self.db.type(key) == "hash" else {}
            longest_ms = (172800000 if fields else KEEP_MS) + BACK_S * 1000
            assert 0 < self.db.pttl(key) <= longest_ms, key
            assert float(fields.get("tokens", 0)) <= 10, fields
            assert len(fields.get("recent", "")) <= 20, fields
            assert fields.get("state") != "half" or fields["probe"], fields

    def crowd(self):
        """The dead have every place, a server is down, and there is one more call for each."""
        now_ms = self.servers.now_ms()
        self.nudge()
        for endpoint, window in WINDOWS.items():
            for number in range(window):
                self.servers.admit(f"dead {number}", (endpoint, window), asked_at=0)
            self.waits[f"last {endpoint}"] = [((endpoint, window, 0, 0),), now_ms * 1000]
        self.servers.set("c", state="open", retry_at=now_ms + 50000)

    def settle(self):
        """Some die with a place, the clock is set far back: each that waits is served, and soon."""
        self.crowd()
        self.offset_s -= self.rng.choice((0, 3600))
        for _ in range(SOON_S):
            self.set_clock(self.offset_s)
            self.offset_s += 1
            self.nudge()
            for call in self.rng.sample(sorted(self.waits), len(self.waits)):
                them, asked_at = self.waits[call][:2]
                answer = self.servers.admit(call, *them, asked_at=asked_at, lease_ms=LEASE_MS)
                if answer[0] == "OK":
                    del self.waits[call]
                    if self.rng.random() < 0.5:  # else it dies
                        self.servers.report(call, endpoint=them[int(answer[1]) - 1][0])
            if not self.waits:
                return
        raise AssertionError(f"{len(self.waits)} are not served: {self.waits} {self.dump()}")


@pytest.mark.parametrize("seed", SEEDS)
def test_no_order_of_steps_and_no_clock_breaks_a_promise(clocked, seed):
    server, set_clock = clocked
    set_clock(0)
    db = server.client()
    db.flushall()
    db.config_resetstat()
    book = Book(db, set_clock, random.Random(seed))
    steps = [(book.ask, 12), (book.report, 5), (book.renew, 2), (book.leave, 1), (book.jump, 1),
             (book.nudge, 1)]
    begin = time.monotonic()
    while time.monotonic() - begin < SECONDS or not book.is_full():
        assert time.monotonic() - begin < LIMIT_S, vars(book)
        book.rng.choices([one for one, _ in steps], [weight for _, weight in steps])[0]()
        book.check()
    book.settle()


def test_a_script_sends_redis_a_bounded_number_of_commands(clocked):
    """However many run and wait: what it costs grows with the candidates alone."""
    server, set_clock = clocked
    set_clock(0)
    db = server.client()
    db.flushall()
    servers = Servers(db)
    them = tuple((name, 3, 0) for name in WINDOWS)
    for number in range(300):
        servers.admit(f"call {number}", *them, asked_at=number)

    def commands():
        stats = db.info("commandstats")
        return sum(one["calls"] for name, one in stats.items()
                   if not name.endswith(("info", "eval", "evalsha", "time", "script|load")))
    for call, mode in (("call 299", "ask"), ("call 0", "renew"), ("call 0", "leave")):
        before = commands()
        servers.admit(call, *them, mode=mode, asked_at=299)
        assert commands() - before <= COMMANDS_EACH * len(them)
