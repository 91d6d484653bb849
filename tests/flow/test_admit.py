"""The scripts `admit` and `report` against a real Redis: windows, order, breakers, budgets, and many clients at once."""
import itertools
import random
import threading
import time

import pytest

from test_scripts import SCRIPTS

E = "parley:{endpoints}"
LEASE_MS = 10000
FIELDS = {"name", "tier", "window", "state", "retry_at", "probe", "backoff_ms", "why", "reason", "opened_at", "closed_at",
          "came", "fails", "recent", "latency_ms", "ok", "failed", "error", "ok_at", "spent", "paid", "day", "tokens", "tokens_at",
          "admitted_at", "reported_at"}


class Servers:
    """Calls the two scripts as the routers of a fleet would."""

    def __init__(self, db):
        self.db = db
        self.scripts = {name: db.register_script((SCRIPTS / f"{name}.lua").read_text()) for name in ("admit", "report")}

    @staticmethod
    def key(endpoint, what=None):
        return f"{E}:{endpoint}" + (f":{what}" if what else "")

    def admit(self, call, *candidates, mode="ask", asked_at=1, lease_ms=LEASE_MS, spread=0, budget=0.1, cap=0):
        """candidates: (endpoint, window), (endpoint, window, group) or (endpoint, window, group, capped)."""
        candidates = candidates or (("a", 1),)
        keys = [self.key(c[0], what) for c in candidates for what in (None, "held", "waiting", "alive")]
        args = [word for c in candidates for word in (c[2] if len(c) > 2 else 0, c[1], c[0], "local",
                                                      c[3] if len(c) > 3 else 0)]
        answer = self.scripts["admit"](keys=keys, args=[call, mode, asked_at, lease_ms, spread, budget, cap, *args])
        return self.without_time(answer, 3) if answer[0] == "OK" else answer

    def report(self, call, outcome="ok", endpoint="a", error="", duration_ms="", retry_after_ms="", cost="", jitter=0.5,
               reason="", since="", others=()):
        answer = self.whole_report(call, outcome, endpoint, error, duration_ms, retry_after_ms, cost, jitter, reason, since,
                                   others)
        return answer[:3]

    def whole_report(self, call, outcome="ok", endpoint="a", error="", duration_ms="", retry_after_ms="", cost="", jitter=0.5,
                     reason="", since="", others=()):
        """With `well`: whether since that ms somebody had a good answer."""
        keys = [self.key(endpoint, what) for what in (None, "held", "alive")] + [self.key(other) for other in others]
        args = [call, outcome, error, duration_ms, retry_after_ms, cost, jitter, reason, since]
        return self.without_time(self.scripts["report"](keys=keys, args=args), 3)

    def without_time(self, answer, at):
        """Both scripts tell the time, in µs."""
        assert abs(int(answer[at]) / 1000 - self.now_ms()) < 5000
        return answer[:at] + answer[at + 1:]

    def held(self, endpoint="a"):
        return self.db.zrange(self.key(endpoint, "held"), 0, -1)

    def waiting(self, endpoint="a"):
        return self.db.zrange(self.key(endpoint, "waiting"), 0, -1)

    def hash(self, endpoint="a"):
        return self.db.hgetall(self.key(endpoint))

    def set(self, endpoint="a", **fields):
        self.db.hset(self.key(endpoint), mapping=fields)

    def now_ms(self):
        seconds, micros = self.db.time()
        return seconds * 1000 + micros // 1000

    def call(self, name, outcome="ok", endpoint="a", **more):
        """A whole call; the breaker's state after it."""
        assert self.admit(name, (endpoint, 0), budget=0)[0] == "OK"
        return self.report(name, outcome, endpoint, **more)[1]

    def open(self, endpoint="a", due=True):
        for i in range(5):
            self.call(f"bad{i}", "bad", endpoint, error="server")
        if due:
            self.set(endpoint, retry_at=self.now_ms())


@pytest.fixture
def servers(db):
    yield Servers(db)
    for key in db.keys("*"):  # what docs/protocol.md promises of every key
        assert db.pttl(key) > 0, key
        endpoint = key.split("}:")[1]
        if db.type(key) == "hash":
            assert set(db.hgetall(key)) <= FIELDS, (endpoint, db.hgetall(key))
            ttl_limit = 172800000
        else:
            ttl_limit = 60000
        assert db.pttl(key) <= ttl_limit


# Windows.

def test_a_window_is_never_exceeded_and_a_freed_place_is_given_again(servers):
    assert servers.admit("one", ("a", 2)) == ["OK", "1", "0"]
    assert servers.admit("two", ("a", 2)) == ["OK", "1", "0"]
    assert servers.admit("three", ("a", 2)) == ["WAIT", "0", "20"]
    assert servers.report("one") == ["OK", "closed", "0"]
    assert servers.admit("three", ("a", 2)) == ["OK", "1", "0"]
    assert servers.held() == ["three", "two"] or servers.held() == ["two", "three"]
    assert servers.waiting() == []


def test_a_call_that_asks_twice_has_one_place(servers):
    assert servers.admit("one") == servers.admit("one") == ["OK", "1", "0"]
    assert servers.held() == ["one"]


def test_where_windows_differ_each_call_goes_by_its_own(servers):
    assert [servers.admit(f"wide {i}", ("a", 3))[0] for i in range(2)] == ["OK", "OK"]
    assert servers.admit("narrow", ("a", 1), asked_at=1)[0] == "WAIT"
    assert servers.admit("wide 2", ("a", 3), asked_at=2)[0] == "WAIT"  # the place is the older one's
    servers.report("wide 0")
    assert servers.admit("wide 2", ("a", 3), asked_at=2)[0] == "OK"
    for call in ("wide 1", "wide 2"):
        servers.report(call)
    assert servers.admit("narrow", ("a", 1), asked_at=1)[0] == "OK"


def test_no_window_is_no_limit(servers):
    for i in range(50):
        assert servers.admit(f"call {i}", ("a", 0))[0] == "OK"


def test_the_oldest_turn_comes_first_whoever_asks_first(servers):
    servers.admit("running")
    for age in (30, 10, 20):
        assert servers.admit(f"turn {age}", asked_at=age)[0] == "WAIT"
    servers.report("running")
    assert servers.admit("turn 5, new", asked_at=5)[0] == "OK"  # older than all that wait
    servers.report("turn 5, new")
    assert servers.admit("turn 30", asked_at=30)[:2] == ["WAIT", "1"]  # behind 10 and 20, one place is free
    assert servers.admit("turn 20", asked_at=20)[0] == "WAIT"
    assert servers.admit("turn 10", asked_at=10)[0] == "OK"


def test_turns_of_the_same_moment_have_an_order_too(servers):
    servers.admit("running")
    for name in ("x", "y"):
        assert servers.admit(name, asked_at=7)[0] == "WAIT"
    servers.report("running")
    assert sorted(servers.admit(name, asked_at=7)[0] for name in ("y", "x")) == ["OK", "WAIT"]


def test_who_stands_far_behind_asks_more_rarely(servers):
    servers.admit("running")
    waits = [int(servers.admit(f"turn {age:03}", asked_at=age)[2]) for age in range(1, 61)]
    assert waits[0] == 20 and waits[9] == 200 and waits[-1] == 1000 and waits == sorted(waits)
    # Commands of 60 waiters in 20 ms: the sum of the harmonic series, not 60.
    assert sum(20 / ms for ms in waits) < 6


def test_who_stands_far_behind_quick_calls_asks_often_enough(servers):
    servers.set(latency_ms=40)
    servers.admit("running")
    waits = [int(servers.admit(f"turn {age:03}", asked_at=age)[2]) for age in range(1, 31)]
    assert waits[9] == 200 and waits[-1] == 600
    servers.set(latency_ms=10)
    assert int(servers.admit("turn 030", asked_at=30)[2]) == 150  # half of 30 calls of 10 ms


def test_leaving_gives_up_place_and_waiting(servers):
    servers.admit("one")
    servers.admit("two")
    assert servers.admit("two", mode="leave") == ["GONE"]
    assert servers.waiting() == []
    assert servers.admit("one", mode="leave") == ["GONE"]
    assert servers.held() == []
    assert servers.admit("three")[0] == "OK"


def test_a_dead_call_loses_its_place_when_its_lease_is_over(servers):
    servers.admit("dead", lease_ms=30)
    assert servers.admit("next")[0] == "WAIT"
    deadline = time.monotonic() + 5
    while servers.admit("next")[0] != "OK":
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert servers.held() == ["next"]
    assert servers.report("dead") == ["DUP", "closed", "0"]
    assert servers.hash().get("ok") is None


def test_all_dead_calls_are_dropped_at_once(servers):
    for i in range(20):
        servers.admit(f"dead {i}", ("a", 20), lease_ms=1)
    time.sleep(0.005)
    assert servers.admit("next", ("a", 1))[0] == "OK" and servers.held() == ["next"]


def test_a_place_is_kept_by_renewing_it(servers):
    servers.admit("alive", lease_ms=200)
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        assert servers.admit("alive", mode="renew", lease_ms=200) == ["OK", "1", "0"]
        assert servers.admit("next")[0] == "WAIT"


def test_a_place_redis_forgot_is_taken_again_by_renewing_it(servers):
    servers.admit("one")
    servers.db.flushall()
    assert servers.admit("one", mode="renew") == ["OK", "1", "0"]
    assert servers.admit("next")[0] == "WAIT"


def test_one_that_waits_and_is_not_heard_of_blocks_nobody_for_long(servers):
    servers.admit("running")
    servers.admit("dead", asked_at=1)
    servers.report("running")
    begin = time.monotonic()
    while servers.admit("younger", asked_at=2)[0] != "OK":
        assert time.monotonic() - begin < 5
        time.sleep(0.005)
    assert time.monotonic() - begin < 1.5


def test_nothing_is_left_of_a_call_that_is_over(servers):
    both = (("a", 1), ("b", 1))
    for call in ("1", "2"):
        servers.admit(call, *both)
    assert servers.admit("3", *both)[0] == "WAIT"
    servers.report("2", endpoint="b")
    assert servers.admit("3", *both)[1] == "2"
    servers.report("1", endpoint="a")
    servers.report("3", endpoint="b")
    assert [servers.db.exists(servers.key(e, what)) for e in "ab" for what in ("held", "waiting", "alive")] == [0] * 6


# Several candidates.

def test_in_order_the_next_is_taken_when_the_first_is_full(servers):
    both = (("a", 1), ("b", 1))
    assert [servers.admit(str(i), *both)[:2] for i in range(3)] == [["OK", "1"], ["OK", "2"], ["WAIT", "0"]]
    assert servers.waiting("a") == servers.waiting("b") == ["2"]
    servers.report("1", endpoint="b")
    assert servers.admit("2", *both) == ["OK", "2", "0"]
    assert servers.waiting("a") == servers.waiting("b") == []


def test_spread_out_the_favourite_is_left_when_clearly_busier(servers):
    both = (("a", 0), ("b", 0))
    answers = [servers.admit(str(i), *both, spread=1)[1] for i in range(3)]
    assert answers == ["1", "1", "2"]
    assert servers.admit("3", *both, spread=1)[1] == "1"  # 2 to 1 is not clearly busier


def test_without_its_favourite_a_conversation_stays_with_the_next(servers):
    three = (("a", 1), ("b", 0), ("c", 0))
    servers.admit("full", *three)
    assert [servers.admit(str(i), *three, spread=1)[1] for i in range(3)] == ["2", "2", "3"]


def test_a_later_group_is_asked_only_when_all_before_are_down(servers):
    three = (("a", 1), ("b", 1), ("c", 0, 2))
    servers.admit("1", *three)
    servers.admit("2", *three)
    assert servers.admit("3", *three)[0] == "WAIT"
    servers.db.flushall()
    servers.open("a", due=False)
    servers.open("b", due=False)
    assert servers.admit("4", *three) == ["OK", "3", "0"]


def test_a_slow_server_is_avoided_but_for_one_call_in_ten_seconds(servers):
    three = (("a", 0), ("b", 0), ("c", 0))
    for endpoint, ms in (("a", 2000), ("b", 100), ("c", 110)):
        servers.call("w", endpoint=endpoint, duration_ms=ms)
    for i, spread in itertools.product(range(4), (0, 1)):
        assert servers.admit(f"{i}.{spread}", *three, spread=spread)[1] != "1"
    servers.set("a", admitted_at=servers.now_ms() - 10001)
    assert servers.admit("try", *three)[1] == "1"
    assert servers.admit("not again", *three)[1] != "1"
    # Fast again: it counts at once.
    servers.report("try", endpoint="a", duration_ms=100)
    assert servers.admit("back", *three)[1] == "1"


def test_a_server_whose_call_hangs_is_slow_before_the_call_ends(servers):
    two = (("a", 0), ("b", 0))
    servers.call("w", endpoint="b", duration_ms=50)
    servers.admit("hanging", *two)
    servers.db.zadd(servers.key("a", "held"), {"hanging": servers.now_ms() - 500})
    assert servers.admit("next", *two)[1] == "2"


def test_where_all_take_long_none_is_slow(servers):
    three = (("a", 0), ("b", 0), ("c", 0))
    for endpoint, ms in (("a", 100), ("b", 110), ("c", 120)):
        servers.call("w", endpoint=endpoint, duration_ms=ms)
        servers.admit(f"long {endpoint}", (endpoint, 0))
        servers.db.zadd(servers.key(endpoint, "held"), {f"long {endpoint}": servers.now_ms() - 60000})
    assert [servers.admit(str(i), *three, spread=0)[:2] for i in range(3)] == [["OK", "1"]] * 3


def test_calls_kept_from_a_slow_server_without_a_window_ask_by_their_rank(servers):
    two = (("slow", 0), ("quick", 1))
    for endpoint, ms in (("slow", 5000), ("quick", 100)):
        servers.call("w", endpoint=endpoint, duration_ms=ms)
    assert servers.admit("running", *two)[1] == "2"
    waits = [int(servers.admit(f"turn {age:03}", *two, asked_at=age)[2]) for age in range(1, 31)]
    assert waits[0] == 20 and waits[9] == 200 and waits == sorted(waits)


@pytest.mark.parametrize("slower_ms, ms", [(280, 100), (22, 3)])  # three times as much; or 20 ms more
def test_a_little_slower_is_not_slow(servers, slower_ms, ms):
    servers.call("w", endpoint="a", duration_ms=slower_ms)
    servers.call("w", endpoint="b", duration_ms=ms)
    assert servers.admit("next", ("a", 0), ("b", 0))[1] == "1"


# The breaker.

@pytest.mark.parametrize("error", ["refused", "busy"])
def test_what_no_prompt_causes_counts_for_two(servers, error):
    assert [servers.call(str(i), "bad", error=error) for i in range(3)] == ["closed"] * 2 + ["open"]


def test_five_failures_in_a_row_open_it(servers):
    assert [servers.call(str(i), "bad", error="server") for i in range(5)] == ["closed"] * 4 + ["open"]
    word, ms, why, _ = servers.admit("next")
    assert word == "DOWN" and 1 <= int(ms) <= 1000 and why == ""
    assert servers.hash()["why"] == servers.hash()["error"] == "server" and servers.hash()["failed"] == "5"


def test_a_good_answer_in_between_keeps_it_closed_until_half_of_twenty_failed(servers):
    states = [servers.call(f"{i}", "bad" if i % 2 else "ok") for i in range(20)]
    assert states == ["closed"] * 19 + ["open"]


def test_the_last_attempt_of_a_turn_opens_it_where_nobody_was_answered_since_the_first(servers):
    since = servers.now_ms() - 1000
    for name, at in (("a", since - 1), ("b", since)):
        servers.call("before", endpoint=name)
        servers.set(name, ok_at=at)
    servers.admit("one", ("a", 0), ("b", 0))
    assert servers.whole_report("one", "bad", error="server", since=since, others=("b",))[:4:3] == ["OK", "0"]
    assert (servers.hash()["state"], servers.hash()["why"], servers.hash("b")["state"]) == ("open", "server", "closed")


@pytest.mark.parametrize("who", ["a", "b"])
def test_it_stays_closed_where_somebody_was_answered(servers, who):
    since = servers.now_ms() - 1000
    servers.call("before", "bad", endpoint=who)
    servers.set(who, ok_at=since + 1)
    servers.admit("one", ("a", 0), ("b", 0))
    assert servers.whole_report("one", "bad", error="server", since=since, others=("b",)) == ["OK", "closed", "0", "1"]


def test_a_good_answer_is_remembered_and_an_empty_one_is_none(servers):
    servers.call("empty", error="empty")
    assert "ok_at" not in servers.hash()
    servers.call("good")
    assert 0 <= servers.now_ms() - int(servers.hash()["ok_at"]) < 5000


def test_a_good_answer_from_before_the_clock_was_set_back_is_none(servers):
    servers.set(ok_at=servers.now_ms() + 3600000)
    servers.admit("one", ("a", 0))
    assert servers.report("one", "bad", error="server", since=servers.now_ms() - 1)[1] == "open"


def test_answers_that_say_nothing_of_the_server_leave_it_alone(servers):
    for i in range(4):
        servers.call(str(i), "bad", error="server")
    servers.call("cancelled", "none")
    assert servers.hash()["failed"] == "4" and "ok" not in servers.hash()
    assert servers.hash()["fails"] == "4" and servers.call("x", "bad") == "open"


def test_exactly_one_probe_at_a_time_and_the_oldest_makes_it(servers):
    servers.open()
    servers.set(retry_at=servers.now_ms() + 10000)
    for age in (3, 1, 2):
        assert servers.admit(f"turn {age}", asked_at=age)[0] == "DOWN"
    servers.set(retry_at=servers.now_ms())
    assert [servers.admit(f"turn {age}", asked_at=age)[0] for age in (3, 2)] == ["DOWN", "DOWN"]
    assert servers.admit("turn 1", asked_at=1) == ["OK", "1", "1"]
    assert servers.admit("turn 1", asked_at=1) == ["OK", "1", "1"]
    assert servers.hash()["state"] == "half"
    assert [servers.admit(f"turn {age}", asked_at=age)[:2] for age in (2, 3)] == [["DOWN", "20"], ["DOWN", "40"]]


def test_a_failed_probe_doubles_the_back_off_up_to_five_seconds(servers):
    servers.open()
    spans = []
    for i in range(5):
        servers.set(retry_at=servers.now_ms())
        assert servers.admit(f"probe {i}")[2] == "1"
        word, state, ms = servers.report(f"probe {i}", "bad", jitter=1)
        assert (word, state) == ("OK", "open")
        spans.append(int(ms))
    assert spans == [2000, 4000, 5000, 5000, 5000]
    servers.set(retry_at=servers.now_ms())
    servers.admit("probe")
    assert 3749 <= int(servers.report("probe", "bad", jitter=0)[2]) <= 3750


def test_a_good_probe_closes_it_at_once_and_the_others_come_in_gently(servers):
    servers.open()
    assert servers.admit("probe", ("a", 0))[2] == "1"
    assert servers.report("probe") == ["OK", "closed", "0"]
    answers = [servers.admit(f"turn {i}", ("a", 0), asked_at=i)[0] for i in range(100)]
    assert answers.count("OK") <= 8 and answers[0] == "OK"  # 4 in the first 100 ms
    servers.set(closed_at=servers.now_ms() - 300, came=0)
    answers = [servers.admit(f"later {i}", ("a", 0), asked_at=0)[0] for i in range(100)]
    assert answers.count("OK") >= 32  # doubled three times
    servers.set(closed_at=servers.now_ms() - 1000)
    begin = servers.now_ms()
    assert all(servers.admit(f"turn {i}", ("a", 0), asked_at=i)[0] == "OK" for i in range(100)), begin
    assert servers.hash()["backoff_ms"] == "0" and servers.hash()["why"] == ""


def test_a_cancelled_or_dead_probe_lets_the_next_one_try(servers):
    servers.open()
    servers.admit("probe 1")
    assert servers.report("probe 1", "none")[1] == "open"
    assert servers.admit("probe 2", lease_ms=1)[2] == "1"
    time.sleep(0.005)
    assert servers.admit("probe 3")[2] == "1"


def test_a_call_from_before_neither_closes_nor_prolongs(servers):
    servers.admit("from before", ("a", 0))
    servers.admit("bad one", ("a", 0))
    servers.open(due=False)
    retry_at = servers.hash()["retry_at"]
    assert servers.report("bad one", "bad")[1] == "open" and servers.hash()["retry_at"] == retry_at
    assert servers.report("from before")[1] == "open" and servers.hash()["retry_at"] == retry_at


@pytest.mark.parametrize("asked_ms, kept_ms", [(2000, 2000), (10**9, 60000), (10**15, 60000)])
def test_retry_after_is_kept_for_that_server_alone_and_capped(servers, asked_ms, kept_ms):
    assert servers.call("one", "bad", error="busy", retry_after_ms=asked_ms) == "open"
    assert kept_ms - 1000 < int(servers.hash()["retry_at"]) - servers.now_ms() <= kept_ms
    assert servers.admit("next", ("a", 0), ("b", 0)) == ["OK", "2", "0"]
    assert servers.admit("only a", ("a", 0))[0] == "DOWN"


def test_a_shorter_retry_after_does_not_cut_a_longer_one(servers):
    servers.admit("late", ("a", 0))
    servers.call("one", "bad", error="busy", retry_after_ms=30000)
    retry_at = servers.hash()["retry_at"]
    servers.report("late", "bad", error="busy", retry_after_ms=1000)
    assert servers.hash()["retry_at"] == retry_at


def test_of_a_long_reason_the_start_is_kept(servers):
    servers.call("one", "auth", reason="ab" * 1000)
    assert servers.hash()["reason"] == "ab" * 100


def test_a_refused_key_parks_the_server_and_says_so(servers):
    assert servers.call("one", "auth", error="auth", reason="401: bad key") == "open"
    assert servers.admit("next")[0::2] == ["DOWN", "auth"] and servers.admit("next")[3] == "401: bad key"
    assert servers.waiting() == []
    assert 59000 < int(servers.hash()["retry_at"]) - servers.now_ms() <= 60000
    assert servers.admit("next", ("a", 0), ("b", 0, 2)) == ["OK", "2", "0"]
    servers.open("b", due=False)
    assert servers.admit("last", ("a", 0), ("b", 0, 2))[2:] == ["", "401: bad key"]  # b may come back: worth waiting


def test_a_server_that_is_due_is_probed_before_the_fallback_is_taken(servers):
    servers.open()
    assert servers.admit("one", ("a", 0), ("b", 0, 2)) == ["OK", "1", "1"]
    assert servers.admit("two", ("a", 0), ("b", 0, 2)) == ["OK", "2", "0"]


# The retry budget.

def test_retries_take_from_a_budget_that_first_attempts_fill(servers):
    def ask(call, budget):
        servers.set(tokens_at=servers.now_ms() + 3600000)  # nothing trickles in
        return servers.admit(call, ("a", 0), budget=budget)

    assert [ask(f"retry {i}", -1)[0] for i in range(3)] == ["OK", "OK", "BUDGET"]
    assert ask("retry 3", -1) == ["BUDGET", "1000"] and servers.waiting() == []
    for i in range(10):
        assert ask("retry 3", -1)[0] == "BUDGET"
        assert ask(f"first {i}", 0.1)[0] == "OK"
    assert ask("free", 0)[0] == "OK"
    assert ask("retry 3", -1)[0] == "OK"


def test_a_token_a_second_trickles_in_while_it_is_closed_and_never_more_than_ten_are_kept(servers):
    servers.set(tokens="0", tokens_at=servers.now_ms() - 3600000)
    for i in range(10):
        assert servers.admit(f"retry {i}", ("a", 0), budget=-1)[0] == "OK"
    assert servers.admit("one more", ("a", 0), budget=-1)[0] == "BUDGET"
    for i in range(20):
        servers.admit(f"first {i}", ("a", 0), budget=1)
    assert servers.hash()["tokens"] == "10.000"


def test_a_probe_costs_nothing_and_nothing_trickles_in_while_it_is_open(servers):
    servers.open()
    servers.set(tokens="0.5", tokens_at=servers.now_ms() - 3600000)
    assert servers.admit("probe", budget=-1) == ["OK", "1", "1"]
    assert servers.hash()["tokens"] == "0.500"


# Booking.

def test_an_end_is_booked_once(servers):
    servers.admit("one", ("a", 0))
    assert servers.report("one", duration_ms=100, cost="0.000150")[0] == "OK"
    before = servers.hash()
    assert servers.report("one", duration_ms=100, cost="0.000150")[0] == "DUP"
    assert servers.hash() == before and before["ok"] == "1" and before["spent"] == "0.000150"


def test_costs_add_up_by_day(servers):
    servers.call("one", cost="0.25")
    servers.call("two", cost="0.125001")
    assert servers.hash()["spent"] == "0.375001" and int(servers.hash()["day"]) == servers.now_ms() // 86400000
    servers.set(day=int(servers.hash()["day"]) - 1)
    servers.call("three", cost="0.5")
    assert servers.hash()["spent"] == "0.500000"


def test_what_runs_counts_towards_the_cap_at_the_mean_so_far(servers):
    both = (("cloud", 0, 0, 1), ("local", 0, 1, 0))
    for i in range(4):
        servers.call(f"paid {i}", endpoint="cloud", cost="0.25")
    servers.call("unpriced", endpoint="local")
    assert [servers.admit(f"call {i}", *both, cap=2)[:2] for i in range(5)] == [["OK", "1"]] * 4 + [["CAP"]]
    assert servers.admit("call 4", both[1], cap=2) == ["OK", "1", "0"]  # of the rest
    servers.report("call 0", endpoint="cloud", cost="0.05")  # cheaper than was thought
    assert servers.admit("call 5", *both, cap=2)[:2] == ["OK", "1"]


def test_the_cap_is_the_days_and_of_all_the_call_may_go_to(servers):
    both = (("cloud", 0, 0, 1), ("local", 0, 1, 0))
    servers.call("dear", endpoint="local", cost="3")
    assert servers.admit("one", *both, cap=2) == ["CAP"] and servers.waiting("cloud") == servers.waiting("local") == []
    assert servers.admit("two", *both, cap=0)[0] == "OK"  # there is none
    assert servers.admit("three", ("cloud", 0, 0, 0), both[1], cap=2)[0] == "OK"  # nobody is capped
    servers.set("local", day=int(servers.hash("local")["day"]) - 1)
    assert servers.admit("four", *both, cap=2)[:2] == ["OK", "1"]
    assert servers.hash("local")["paid"] == "1"


def test_one_that_waits_when_the_cap_is_reached_waits_no_more(servers):
    both = (("cloud", 1, 0, 1), ("local", 1, 1, 0))
    servers.admit("running", *both, cap=2)
    assert servers.admit("one", *both, cap=2)[0] == "WAIT" and servers.waiting("cloud") == ["one"]
    servers.report("running", endpoint="cloud", cost="2")
    assert servers.admit("one", *both, cap=2) == ["CAP"] and servers.waiting("cloud") == []


def test_latency_rises_slowly_and_falls_at_once(servers):
    for ms in (100, 200, 20, ""):
        servers.call("x", duration_ms=ms)
        assert servers.hash()["latency_ms"] == {100: "100.0", 200: "120.0", 20: "20.0", "": "20.0"}[ms]


@pytest.mark.parametrize("keys, args", [([], []), (["a"], ["c", "ask", 1, 1, 0, 1]), (list("abcd"), ["c", "ask", "x", 1, 0, 1, *"0000"]),
                                        (list("abcd"), ["c", "ask", 1, 1, 0, 1, 0]), (list("abcd"), ["c", "ask", 1, 1, 0, 1, "x", *"00000"])])
def test_an_admit_that_lacks_something_touches_nothing(db, keys, args):
    with pytest.raises(Exception, match="admit"):
        db.register_script((SCRIPTS / "admit.lua").read_text())(keys=keys, args=args)
    assert db.keys("*") == []


# Many at once.

def test_fifty_random_clients_never_exceed_a_window_and_all_are_served(servers, redis_server):
    """Some die with a place or while they wait; the ledger is kept beside Redis."""
    windows = {"a": 2, "b": 1, "c": 3}
    running = {name: 0 for name in windows}
    most = dict(running)
    lock = threading.Lock()
    served, problems = [], []
    seed = random.SystemRandom().randrange(10**9)

    def client(number):
        mine = Servers(redis_server.client())
        rng = random.Random(seed + number)
        for turn in range(6):
            name = f"{number}.{turn}"
            candidates = tuple((e, windows[e]) for e in rng.sample(sorted(windows), rng.randint(1, 3)))
            asked_at = mine.now_ms() * 1000
            dies_waiting = rng.random() < 0.05
            deadline = time.monotonic() + 30
            while True:
                answer = mine.admit(name, *candidates, asked_at=asked_at, spread=rng.randint(0, 1), lease_ms=1500)
                if answer[0] == "OK" or dies_waiting:
                    break
                if time.monotonic() > deadline:
                    problems.append(f"{name} was never served: {answer}")
                    return
                time.sleep(int(answer[2]) / 1000)
            if answer[0] != "OK":
                continue
            endpoint = candidates[int(answer[1]) - 1][0]
            with lock:
                running[endpoint] += 1
                most[endpoint] = max(most[endpoint], running[endpoint])
            time.sleep(rng.random() * 0.01)
            with lock:
                running[endpoint] -= 1
            if rng.random() > 0.03:  # else it dies with the place
                mine.report(name, endpoint=endpoint, duration_ms=5)
            served.append(name)

    threads = [threading.Thread(target=client, args=(i,)) for i in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, (seed, problems)
    assert len(served) > 250, seed
    assert all(most[e] <= windows[e] for e in windows) and all(most.values()), (seed, most)


def test_the_order_of_service_is_the_order_of_age(servers):
    """One place, clients in random order: each is served when all older ones were."""
    rng = random.Random(7)
    left = list(range(40))
    served = []
    servers.admit("running")
    for age in rng.sample(left, len(left)):
        assert servers.admit(f"turn {age:02}", asked_at=age + 1)[0] == "WAIT"
    servers.report("running")
    while left:
        age = rng.choice(left)
        if servers.admit(f"turn {age:02}", asked_at=age + 1)[0] == "OK":
            served.append(age)
            left.remove(age)
            servers.report(f"turn {age:02}")
    assert served == sorted(served)
