"""The Lua scripts against a real Redis: every answer of every script, and what each leaves behind.

Flow of most tests: lead -> open -> begin -> read (a worker) -> commit -> hear (the manager) -> route -> ...
"""
import json
import pathlib
import random
import re
import time

import pytest
import redis

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "common" / "scripts"
K = "parley:{0}"
ID = "k3v9q2m4x7ab"
LANES = [str(n) for n in range(1, 17)]
WAIT_LIMIT_S = 5


def wait_until(condition):
    deadline = time.monotonic() + WAIT_LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


class Shard:
    """Calls the scripts as a manager and two workers would. One method a script, named as it is."""

    def __init__(self, db):
        self.db = db
        self.scripts = {path.stem: db.register_script(path.read_text()) for path in SCRIPTS.glob("*.lua")}
        self.token = ""
        self.commands = 0
        self.tampered = False  # the test has written into the conversation's hash itself

    def key(self, *parts):
        return ":".join((K,) + parts)

    def run(self, script, keys, *args):
        return self.scripts[script](keys=[self.key(*key.split("/")) for key in keys], args=args)

    # Members.

    def lead(self, name="m1", nonce="n1", ttl_ms=5000, heir_of=""):
        lanes = [f"{queue}/{lane}" for lane in LANES for queue in ("request", "response")]
        answer = self.run("lead", ["leader", "epoch", "meta", "control"] + lanes, ttl_ms, name, nonce,
                          heir_of)
        if answer[0] == "OK" and ttl_ms:
            self.token = answer[1]
        if answer[0] != "LAYOUT":
            assert abs(int(answer.pop()) - self.now_us()) < 10**6  # Redis' time comes last
        return answer

    def beat(self, name="w1", nonce="n1", ttl_ms=5000, *fields, heir_of=""):
        keys = [f"member/{name}/lock", f"member/{name}", "members"]
        return self.run("beat", keys, name, nonce, ttl_ms, heir_of, *fields)

    def leave(self, name="w1", nonce="n1"):
        return self.run("leave", [f"member/{name}/lock", f"member/{name}", "members"], name, nonce)

    # Commands.

    def command(self, valid_ms=5000):
        """A control entry as a client writes it and the leader reads it; returns (entry, command, valid_until)."""
        self.commands += 1
        command, until = f"c{self.commands}", self.now_us() + valid_ms * 1000
        self.db.xadd(self.key("control"), {"id": command, "command": "-", "conversation": ID,
                                           "valid_until": until, "args": "{}"})
        entry = self.db.xreadgroup("managers", "m1", {self.key("control"): ">"})[0][1][-1][0]
        return entry, command, until

    def answers(self, command):
        return self.db.lrange(self.key("answer", command), 0, -1)

    def open(self, conversation=ID, nonce="o1", by=("", "", ""), token=None, max_turns="", duration_ms="",
             grace_ms=1000, patience_ms=60000, max_issues=3, on_failure="fail"):
        keys = [f"conversation/{conversation}", f"cast/{conversation}", "conversations", "events", "epoch", "control",
                f"answer/{by[1]}"]
        return self.run("open", keys, conversation, self.token if token is None else token, *by, nonce, "{}", max_turns,
                        duration_ms, grace_ms, patience_ms, max_issues, on_failure, 2)

    def begin(self, conversation=ID, seats=2, token=None):
        keys = [f"conversation/{conversation}", f"cast/{conversation}", f"transcript/{conversation}", "events", "due",
                "conversations", "epoch", "request/1"]
        cast = [text for seat in range(1, seats + 1) for text in (f"cast {seat}", f"persona {seat}")]
        return self.run("begin", keys, conversation, self.token if token is None else token, 1, "1", "story", *cast)

    def pause(self, by=("", "", ""), cancel=0, token=None, conversation=ID):
        keys = [f"conversation/{conversation}", "events", "due", "epoch", "control", f"answer/{by[1]}"]
        return self.run("pause", keys, conversation, self.token if token is None else token, *by, cancel, "asked")

    def resume(self, by=("", "", ""), token=None, conversation=ID, asked_lane=None):
        lane = self.hash(conversation).get("lane") or "1"
        keys = [f"conversation/{conversation}", f"transcript/{conversation}", f"request/{lane}", "events", "due", "epoch",
                "control", f"answer/{by[1]}"]
        return self.run("resume", keys, conversation, self.token if token is None else token, *by, "asked",
                        lane if asked_lane is None else asked_lane)

    def stop(self, mode="now", by=("", "", ""), reason="stopped", token=None, conversation=ID):
        keys = [f"conversation/{conversation}", "events", "due", "epoch", "control", f"answer/{by[1]}"]
        return self.run("stop", keys, conversation, self.token if token is None else token, *by, mode, reason)

    def refuse(self, by, why="unknown", token=None):
        keys = ["epoch", "control", f"answer/{by[1]}"]
        return self.run("refuse", keys, self.token if token is None else token, by[0], why)

    def say(self, number=1, by=None, kind="event", message="rain", conversation=ID):
        entry, command, until = by or ("", "s1", self.now_us() + 5000000)
        keys = [f"conversation/{conversation}", f"transcript/{conversation}", "events", "control", f"answer/{command}"]
        return self.run("say", keys, conversation, entry, command, until, number, kind, 2, message)

    def revive(self, record, by=("", "", ""), token=None, conversation=ID):
        lane = self.hash(conversation).get("lane") or "1"
        keys = [f"conversation/{conversation}", f"transcript/{conversation}", f"request/{lane}", "events", "due", "epoch",
                "control", f"answer/{by[1]}", "dead"]
        return self.run("revive", keys, conversation, self.token if token is None else token, *by, record, "revived")

    def drop(self, record, by=("", "", ""), token=None):
        keys = ["epoch", "control", f"answer/{by[1]}", "dead"]
        return self.run("drop", keys, self.token if token is None else token, *by, record)

    def end(self, reason="failed", summary="", response="", lane="1", token=None, conversation=ID):
        keys = [f"conversation/{conversation}", "events", "due", "epoch", f"response/{lane}"]
        return self.run("end", keys, conversation, self.token if token is None else token, reason, summary, response)

    # Workers.

    def read(self, lane="1", name="w1"):
        """A new request of the lane as (entry, fields), or None."""
        got = self.db.xreadgroup("workers", name, {self.key("request", lane): ">"}, count=1)
        return got[0][1][0] if got else None

    def claim(self, lane="1", name="w2", nonce="n1", lease_ms=0, free=10, own=0, in_hand=(), alone=100):
        keys = [f"request/{lane}", f"member/{name}/lock"]
        return self.run("claim", keys, name, nonce, lease_ms, free, own, alone, *in_hand)

    def renew(self, entry, turn=1, lane="1", name="w1", deliveries=1, conversation=ID, call="call 1",
              issue=1):
        keys = [f"conversation/{conversation}", f"request/{lane}", "calls"]
        return self.run("renew", keys, name, entry, deliveries, turn, call, conversation, issue)

    def release(self, entry, lane="1", name="w1", deliveries=1, call=""):
        return self.run("release", [f"request/{lane}", f"conversation/{ID}"], name, entry, deliveries, call)

    def commit(self, entry, turn=1, lane="1", name="w1", deliveries=1, conversation=ID, tokens="7", window="",
               message=None):
        keys = [f"conversation/{conversation}", f"request/{lane}", f"response/{lane}"]
        return self.run("commit", keys, conversation, name, entry, deliveries, turn, tokens, window, message or f"said {turn}")

    def fail(self, entry, turn=1, lane="1", name="w1", deliveries=1, conversation=ID):
        keys = [f"conversation/{conversation}", f"request/{lane}", f"response/{lane}"]
        return self.run("fail", keys, conversation, name, entry, deliveries, turn, "3", "timeout", "no token in 30 s")

    def dead(self, entry, turn=1, lane="1", name="w1", deliveries=1, conversation=ID, most=5):
        keys = [f"conversation/{conversation}", f"request/{lane}", f"response/{lane}", "dead"]
        return self.run("dead", keys, conversation, name, entry, deliveries, turn, most, "kills workers")

    # The manager's turns.

    def hear(self, lane="1"):
        got = self.db.xreadgroup("managers", "m1", {self.key("response", lane): ">"}, count=1)
        return got[0][1][0] if got else None

    def route(self, response, turn=1, lane=None, token=None, conversation=ID, tokens="7", message=None, ahead_us=0):
        lane = lane or lane_of(turn)
        following = lane_of(turn + 1)
        keys = [f"conversation/{conversation}", f"transcript/{conversation}", f"response/{lane}", f"request/{following}",
                "events", "due", "epoch"]
        return self.run("route", keys, conversation, self.token if token is None else token, response, turn, tokens,
                        following, following, message or f"said {turn}", self.now_us() + ahead_us)

    def reissue(self, turn=1, failed="", lane="1", token=None, conversation=ID, ahead_us=0):
        keys = [f"conversation/{conversation}", f"transcript/{conversation}", f"request/{lane}", f"response/{lane}", "due",
                "epoch", "events"]
        return self.run("reissue", keys, conversation, self.token if token is None else token, turn, failed,
                        self.now_us() + ahead_us)

    def trim(self, streams, keep, max_len=100000, token=None):
        return self.run("trim", ["epoch"] + streams, self.token if token is None else token, max_len, *keep)

    # Looking.

    def now_us(self):
        seconds, micros = self.db.time()
        return seconds * 1000000 + micros

    def hash(self, conversation=ID):
        return self.db.hgetall(self.key("conversation", conversation))

    def transcript(self, conversation=ID):
        return [fields for _, fields in self.db.xrange(self.key("transcript", conversation))]

    def spoken(self, conversation=ID):
        return [line["message"] for line in self.transcript(conversation) if line["kind"] == "turn"]

    def events(self, conversation=ID):
        return [fields for _, fields in self.db.xrange(self.key("events")) if fields["conversation"] == conversation]

    def event_names(self, conversation=ID):
        return [event["event"].split(".")[1] for event in self.events(conversation)]

    def pending(self, queue, lane="1", group=None):
        group = group or ("workers" if queue == "request" else "managers")
        key = self.key(queue, lane) if lane else self.key(queue)
        return [entry["message_id"] for entry in self.db.xpending_range(key, group, "-", "+", 100)]

    def due(self, conversation=ID):
        return self.db.zscore(self.key("due"), conversation)

    def tamper(self, **fields):
        self.tampered = True
        self.db.hset(self.key("conversation", ID), mapping=fields)

    def snapshot(self):
        """Everything stored but what passes by itself: to show that a refusal touches nothing."""
        state = {}
        for key in sorted(self.db.keys("*")):
            kind = self.db.type(key)
            if kind == "stream":
                groups = {group["name"]: [(p["message_id"], p["consumer"], p["times_delivered"])
                                          for p in self.db.xpending_range(key, group["name"], "-", "+", 100)]
                          for group in self.db.xinfo_groups(key)}
                state[key] = (self.db.xrange(key), groups)
            else:
                state[key] = self.db.dump(key)
        return state

    # Short cuts to a stage of a turn.

    def running(self, **limits):
        self.lead()
        assert self.open(**limits)[0] == "OK"
        assert self.begin()[0] == "OK"
        return self

    def asked(self, **limits):
        """Turn 1 in flight at w1; returns its request entry."""
        return self.running(**limits).read()[0]

    def answered(self, **limits):
        """Turn 1 committed and heard; returns its response entry."""
        assert self.commit(self.asked(**limits))[0] == "OK"
        return self.hear()[0]

    def turn(self, turn):
        lane = lane_of(turn)
        entry, _ = self.read(lane)
        assert self.commit(entry, turn, lane)[0] == "OK"
        return self.route(self.hear(lane)[0], turn)


def lane_of(turn):
    return str((turn - 1) % 2 + 1)


MICROS, SPAN, COUNT, ENTRY = r"\d{16}", r"\d+", r"\d+", r"\d{13}-\d+"
ANY, EMPTY, SEAT, NUMBER = r"(?s).*", "", r"[1-9]\d?", r"[1-9]\d*"
STATE = "preparing|running|paused|closing|ended"


def maybe(pattern):
    return f"({pattern})?"


FORMS = {
    "conversation": {
        "state": STATE, "next": NUMBER, "phase": "idle|asked|answered", "request": maybe(ENTRY),
        "response": maybe(ENTRY), "seat": maybe(SEAT), "issue": COUNT, "asked_at": maybe(MICROS), "turns": COUNT,
        "attempts": COUNT, "call": rf"|call .*|{ID}:\d+/.*", "called_at": maybe(MICROS), "caller": "|w[123]",
        "tokens": COUNT, "max_turns": maybe(NUMBER), "deadline": maybe(MICROS), "patience_ms": SPAN,
        "reason": "|turns|duration|stopped|failed", "cast": "[01]", "lane": maybe(SEAT), "failures": COUNT,
        "said": COUNT, "nonce": "o1", "created_at": MICROS, "started_at": maybe(MICROS), "ended_at": maybe(MICROS),
        "duration_ms": maybe(SPAN), "left_ms": maybe(SPAN), "grace_ms": SPAN, "max_issues": NUMBER,
        "on_failure": "fail|pass", "seats": SEAT},
    "request": {
        "conversation": ID, "turn": NUMBER, "issue": NUMBER, "seat": SEAT, "cast": "1", "upto": ENTRY,
        "lines": NUMBER, "left_ms": maybe(SPAN), "window": r"(\d+-\d+)?", "closing": "1?", "at": MICROS,
        "message": "|said .*|rain"},
    "response": {
        "conversation": ID, "turn": NUMBER, "issue": NUMBER, "seat": SEAT, "request": ENTRY, "at": MICROS,
        "status": "done|failed", "error": "|timeout|poison", "text": "|no token in 30 s|kills workers",
        "tokens": maybe(COUNT), "asked_at": MICROS, "attempts": COUNT, "message": ANY},
    "transcript": {
        "kind": "story|persona|turn|event", "turn": maybe(NUMBER), "seat": maybe(SEAT), "at": MICROS,
        "message": "story|persona .*|said .*|rain"},
    "dead": {
        "conversation": ID, "turn": NUMBER, "issue": NUMBER, "seat": SEAT, "lane": SEAT, "request": ENTRY,
        "deliveries": NUMBER, "worker": "w[12]", "at": MICROS, "error": "poison", "text": "kills workers"},
}
# The fields `turn transcript state reason summary` of each event.
EVENTS = {
    "open": (EMPTY, EMPTY, "preparing", EMPTY, EMPTY),
    "initiate": (EMPTY, ENTRY, "running", EMPTY, EMPTY),
    "progress": (maybe(NUMBER), ENTRY, "running|paused|closing|ended", EMPTY, EMPTY),
    "pause": (NUMBER, EMPTY, "paused", "asked", EMPTY),
    "resume": (NUMBER, EMPTY, "running", "asked|revived", EMPTY),
    "closing": (NUMBER, EMPTY, "closing", "stopped|duration", EMPTY),
    "history.mended": (rf"({NUMBER})?", EMPTY, STATE, r"\d+ taken out", EMPTY),
    "message.trimmed": (NUMBER, EMPTY, "running|paused", "request|response", EMPTY),
    "resolve": (COUNT, maybe(ENTRY), "ended", "turns|duration|stopped|failed", r"\{.*\}"),
}


def check_form(what, form, fields):
    assert list(fields) == list(form), what
    for field, pattern in form.items():
        assert re.fullmatch(pattern, fields[field]), (what, field, fields[field])


def check_hash(stored):
    fields = {field: value for field, value in stored.items() if not field.startswith("window:")}
    check_form("conversation", FORMS["conversation"], {field: fields[field] for field in FORMS["conversation"]})
    assert len(fields) == len(FORMS["conversation"])
    state, phase = stored["state"], stored["phase"]
    assert (stored["ended_at"] != "") == (state == "ended")
    assert (stored["reason"] != "") == (state in ("closing", "ended"))
    assert (stored["request"] != "") == (stored["asked_at"] != "") == (phase != "idle")
    assert (stored["response"] != "") == (phase == "answered")
    assert stored["left_ms"] == "" or state == "paused" or stored["reason"] == "failed"
    assert stored["deadline"] == "" or state in ("running", "closing")
    assert state not in ("running", "closing") or phase != "idle"
    assert int(stored["turns"]) == int(stored["next"]) - 1


def check_all(shard):
    """What docs/protocol.md says of every key holds. Entries put in by a test itself have no conversation."""
    for what in FORMS:
        for key in shard.db.keys(shard.key(what) + "*"):
            if what == "conversation":
                if key != shard.key("conversations") and shard.tampered is False:
                    check_hash(shard.db.hgetall(key))
                continue
            for _, fields in shard.db.xrange(key):
                if "conversation" in fields or what == "transcript":
                    check_form(what, FORMS[what], fields)
    for _, fields in shard.db.xrange(shard.key("events")):
        if "event" in fields:
            names = ("turn", "transcript", "state", "reason", "summary")
            form = {"id": ANY, "event": ANY, "conversation": ID, "at": MICROS}
            form.update(zip(names, EVENTS[fields["event"].removeprefix("dialogue.")]))
            check_form("events", form, fields)


@pytest.fixture
def shard(db):
    """A shard that is looked over from end to end when the test is done with it."""
    shard = Shard(db)
    yield shard
    check_all(shard)


# --- lead


def test_lead_gives_a_new_leadership_with_a_token_of_number_name_and_nonce(shard):
    assert shard.lead("m1", "n1") == ["OK", "1:m1:n1", "1"]
    assert shard.db.get(shard.key("leader")) == "1:m1:n1"
    assert shard.db.get(shard.key("epoch")) == "1:m1:n1"
    assert 0 < shard.db.pttl(shard.key("leader")) <= 5000
    assert shard.db.pttl(shard.key("epoch")) == -1


def test_lead_makes_sixteen_lanes_the_control_stream_and_all_groups_from_the_first_entry(shard):
    shard.db.xadd(shard.key("control"), {"id": "early"})
    shard.lead()
    for lane in LANES:
        assert [g["name"] for g in shard.db.xinfo_groups(shard.key("request", lane))] == ["workers"]
        assert [g["name"] for g in shard.db.xinfo_groups(shard.key("response", lane))] == ["managers"]
    early = shard.db.xreadgroup("managers", "m1", {shard.key("control"): ">"})
    assert early[0][1][0][1] == {"id": "early"}
    assert shard.db.hgetall(shard.key("meta")) == {"layout": "1"}


def test_lead_by_the_leader_renews_with_the_same_token(shard):
    shard.lead(ttl_ms=1000)
    assert shard.lead(ttl_ms=9000) == ["OK", "1:m1:n1", "0"]
    assert shard.db.pttl(shard.key("leader")) > 5000


@pytest.mark.parametrize("name, nonce", [("m2", "n1"), ("m1", "n2")])
def test_lead_is_held_by_the_leader_against_another_name_or_nonce(shard, name, nonce):
    shard.lead()
    before = shard.snapshot()
    assert shard.lead(name, nonce) == ["HELD", "1:m1:n1"]
    assert shard.snapshot() == before


def test_lead_is_given_to_the_heir_of_the_leader_at_once_and_fences_the_dead(shard):
    shard.lead()
    assert shard.lead("m2", "n2", heir_of="1:m1:n1") == ["OK", "2:m2:n2", "1"]
    assert shard.db.get(shard.key("leader")) == shard.db.get(shard.key("epoch")) == "2:m2:n2"
    assert shard.open(token="1:m1:n1") == ["STALE"]


def test_lead_is_not_given_to_the_heir_of_who_leads_no_more(shard):
    shard.lead()
    shard.lead("m2", "n2", heir_of="1:m1:n1")
    assert shard.lead("m3", "n3", heir_of="1:m1:n1") == ["HELD", "2:m2:n2"]


def test_lead_after_the_leader_ran_out_counts_one_up_and_keeps_the_groups(shard):
    shard.running()
    shard.read()
    shard.db.delete(shard.key("leader"))
    assert shard.lead("m2", "n9") == ["OK", "2:m2:n9", "1"]
    assert len(shard.pending("request")) == 1


def test_lead_after_running_out_is_a_new_leadership_also_for_the_same_process(shard):
    shard.lead()
    shard.db.delete(shard.key("leader"))
    assert shard.lead() == ["OK", "2:m1:n1", "1"]


def test_lead_after_a_flush_puts_the_shard_in_order_again(shard):
    shard.lead()
    shard.db.flushall()
    assert shard.lead() == ["OK", "1:m1:n1", "1"]
    assert shard.db.exists(shard.key("response", "16"))


@pytest.mark.parametrize("how", ["group", "stream"])
def test_lead_makes_a_lane_that_vanished_anew_and_is_a_new_leadership(shard, how):
    shard.lead()
    if how == "group":
        shard.db.xgroup_destroy(shard.key("request", "3"), "workers")
    else:
        shard.db.delete(shard.key("response", "7"))
    assert shard.lead() == ["OK", "2:m1:n1", "1"]
    for queue, group in (("request", "workers"), ("response", "managers")):
        for lane in LANES:
            assert [one["name"] for one in shard.db.xinfo_groups(shard.key(queue, lane))] == [group]
    assert shard.lead() == ["OK", "2:m1:n1", "0"]


def test_lead_with_a_lost_epoch_is_a_new_leadership(shard):
    shard.lead()
    shard.db.delete(shard.key("epoch"))
    assert shard.lead() == ["OK", "1:m1:n1", "1"]
    assert shard.db.get(shard.key("epoch")) == "1:m1:n1"


def test_lead_refuses_another_layout_and_touches_nothing(shard):
    shard.db.hset(shard.key("meta"), "layout", "2")
    before = shard.snapshot()
    assert shard.lead() == ["LAYOUT", "2"]
    assert shard.snapshot() == before


def test_lead_gives_no_leadership_where_a_lane_has_a_wrong_type(shard):
    shard.db.set(shard.key("request", "3"), "not a stream")
    with pytest.raises(redis.ResponseError):
        shard.lead()
    assert shard.db.get(shard.key("leader")) is None
    assert shard.db.get(shard.key("epoch")) is None
    shard.db.delete(shard.key("request", "3"))


def test_lead_with_no_time_gives_the_leadership_back_and_only_its_own(shard):
    shard.lead()
    assert shard.lead("m2", "n1", ttl_ms=0) == ["HELD", "1:m1:n1"]
    assert shard.lead(ttl_ms=0) == ["OK", "1:m1:n1", "0"]
    assert shard.lead(ttl_ms=0) == ["OK", "", "0"]
    assert shard.lead("m2", "n2") == ["OK", "2:m2:n2", "1"]


# --- beat, leave


def test_beat_takes_a_free_name_and_tells_redis_time(shard):
    word, at = shard.beat("w1", "n1", 3000, "lane", "1", "state", "idle")
    assert word == "OK" and abs(int(at) - shard.now_us()) < 5000000
    assert shard.db.get(shard.key("member", "w1", "lock")) == "n1"
    assert 0 < shard.db.pttl(shard.key("member", "w1", "lock")) <= 3000
    assert shard.db.hgetall(shard.key("member", "w1")) == {"at": at, "lane": "1", "state": "idle"}
    assert 50000 < shard.db.pttl(shard.key("member", "w1")) <= 60000
    assert shard.db.zscore(shard.key("members"), "w1") == int(at) // 1000


def test_beat_again_keeps_the_name(shard):
    shard.beat(ttl_ms=1000)
    assert shard.beat("w1", "n1", 9000)[0] == "OK"
    assert shard.db.pttl(shard.key("member", "w1", "lock")) > 5000


def test_beat_by_another_process_is_held_and_touches_nothing(shard):
    shard.beat("w1", "n1", 5000, "state", "busy")
    before = shard.snapshot()
    assert shard.beat("w1", "n2", 5000, "state", "thief") == ["HELD", "n1", "", "", ""]
    assert shard.snapshot() == before


def test_beat_drops_a_few_members_not_heard_of_for_a_minute_but_never_itself(shard):
    old = shard.now_us() // 1000 - 61000
    shard.db.zadd(shard.key("members"), {f"old{n:02}": old for n in range(10)})
    shard.db.zadd(shard.key("members"), {"w1": old, "fresh": old + 30000})
    shard.beat("w1")
    assert shard.db.zcard(shard.key("members")) == 4
    shard.beat("w1")
    assert set(shard.db.zrange(shard.key("members"), 0, -1)) == {"w1", "fresh"}


@pytest.mark.parametrize("arguments", [("0",), ("x",), ("1000", "lonely")])
def test_beat_refuses_bad_arguments_before_it_writes(shard, arguments):
    with pytest.raises(redis.ResponseError):
        shard.beat("w1", "n1", *arguments)
    assert shard.db.keys("*") == []


def test_leave_frees_the_name_and_leaves_nothing_behind(shard):
    shard.beat()
    assert shard.leave() == ["OK"]
    assert shard.db.keys("*") == []
    assert shard.leave() == ["DUP"]


def test_leave_with_a_nonce_of_the_past_touches_nothing(shard):
    shard.beat("w1", "n2")
    before = shard.snapshot()
    assert shard.leave("w1", "n1") == ["HELD"]
    assert shard.snapshot() == before


# --- open


def test_open_enters_a_preparing_conversation_with_its_limits(shard):
    shard.lead()
    word, at = shard.open(max_turns=50, duration_ms=300000)
    stored = shard.hash()
    assert word == "OK" and stored["created_at"] == at
    expected = {"state": "preparing", "nonce": "o1", "max_turns": "50", "duration_ms": "300000", "grace_ms": "1000",
                "patience_ms": "60000", "max_issues": "3", "on_failure": "fail", "next": "1", "phase": "idle",
                "turns": "0", "tokens": "0", "failures": "0", "issue": "0", "request": "", "deadline": "", "reason": ""}
    assert {field: stored[field] for field in expected} == expected
    assert shard.db.hgetall(shard.key("cast", ID)) == {"wish": "{}", "version": "0"}
    assert shard.db.zscore(shard.key("conversations"), ID) == int(at) // 1000
    assert [(e["id"], e["event"], e["state"]) for e in shard.events()] == [(ID + ":open", "dialogue.open", "preparing")]


def test_open_answers_its_command_and_acks_it(shard):
    shard.lead()
    by = shard.command()
    assert shard.open(by=by)[0] == "OK"
    assert shard.answers(by[1]) == ["OK " + ID]
    assert 0 < shard.db.pttl(shard.key("answer", by[1])) <= 60000
    assert shard.pending("control", "") == []


def test_open_asked_twice_answers_dup_once_for_each_command_and_changes_nothing(shard):
    shard.lead()
    first, second = shard.command(), shard.command()
    shard.open(by=first)
    stored = shard.hash()
    assert shard.open(by=first)[0] == "DUP"
    assert shard.open(by=second)[0] == "DUP"
    assert shard.answers(first[1]) == ["OK " + ID]
    assert shard.answers(second[1]) == ["DUP " + ID]
    assert shard.hash() == stored and shard.event_names() == ["open"]
    assert shard.pending("control", "") == []


def test_open_of_a_taken_id_clashes_and_is_acked(shard):
    shard.lead()
    shard.open()
    by = shard.command()
    assert shard.open(nonce="other", by=by)[0] == "CLASH"
    assert shard.answers(by[1]) == ["CLASH " + ID]
    assert shard.pending("control", "") == [] and shard.hash()["nonce"] == "o1"


def test_open_by_a_stale_leader_touches_nothing(shard):
    shard.lead()
    by = shard.command()
    before = shard.snapshot()
    assert shard.open(by=by, token="0:m0:n0") == ["STALE"]
    assert shard.snapshot() == before


def test_open_after_the_command_ran_out_is_void(shard):
    shard.lead()
    by = shard.command(valid_ms=-1)
    assert shard.open(by=by) == ["NO", "late"]
    assert shard.answers(by[1]) == ["NO late"]
    assert shard.hash() == {} and shard.pending("control", "") == []


@pytest.mark.parametrize("limits", [{"max_turns": "many"}, {"duration_ms": "-5"}, {"patience_ms": ""},
                                    {"patience_ms": "nan"}, {"grace_ms": "1e300"}, {"max_issues": ""}])
def test_open_refuses_limits_that_are_no_numbers_before_it_writes(shard, limits):
    shard.lead()
    before = shard.snapshot()
    with pytest.raises(redis.ResponseError):
        shard.open(**limits)
    assert shard.snapshot() == before


# --- begin


def test_begin_writes_story_and_personas_and_asks_for_the_first_turn(shard):
    shard.lead()
    shard.open(duration_ms=300000)
    word, request, upto, deadline = shard.begin()
    assert word == "OK"
    assert [(line["kind"], line["turn"], line["seat"], line["message"]) for line in shard.transcript()] == [
        ("story", "", "", "story"), ("persona", "", "1", "persona 1"), ("persona", "", "2", "persona 2")]
    assert shard.db.hgetall(shard.key("cast", ID)) == {"wish": "{}", "version": "1", "story": "story",
                                                       "seat:1": "cast 1", "seat:2": "cast 2"}
    stored = shard.hash()
    assert int(deadline) == int(stored["started_at"]) + 300000000 == int(stored["deadline"])
    assert (stored["state"], stored["phase"], stored["request"], stored["seat"], stored["lane"], stored["seats"],
            stored["issue"]) == ("running", "asked", request, "1", "1", "2", "1")
    entry, fields = shard.read()
    assert entry == request
    assert fields == {"conversation": ID, "turn": "1", "issue": "1", "seat": "1", "cast": "1", "upto": upto,
                      "lines": "3", "left_ms": "300000", "window": "", "closing": "", "at": stored["asked_at"], "message": ""}
    assert upto == shard.db.xrevrange(shard.key("transcript", ID), count=1)[0][0]
    assert shard.event_names() == ["open", "initiate"]
    assert shard.due() == int(stored["started_at"]) // 1000 + 60000


def test_begin_is_due_at_the_deadline_where_that_comes_before_patience(shard):
    shard.running(duration_ms=5000)
    assert shard.due() == int(shard.hash()["deadline"]) // 1000


def test_begin_without_a_duration_has_no_deadline(shard):
    shard.lead()
    shard.open()
    assert shard.begin()[3] == ""
    assert shard.hash()["deadline"] == "" and shard.read()[1]["left_ms"] == ""


def test_begin_asked_twice_answers_dup_and_changes_nothing(shard):
    shard.running()
    before = shard.snapshot()
    assert shard.begin() == ["DUP"]
    assert shard.snapshot() == before


@pytest.mark.parametrize("seats", [1, 64])
def test_begin_takes_from_one_to_sixty_four_seats(shard, seats):
    shard.lead()
    shard.open()
    assert shard.begin(seats=seats)[0] == "OK"
    assert shard.db.hlen(shard.key("cast", ID)) == 3 + seats and len(shard.transcript()) == 1 + seats


def test_begin_lists_the_conversation_by_its_start(shard):
    shard.lead()
    shard.open()
    shard.db.zadd(shard.key("conversations"), {ID: 1})
    shard.begin()
    assert shard.db.zscore(shard.key("conversations"), ID) == int(shard.hash()["started_at"]) // 1000


def test_begin_refuses_the_stale_the_ended_and_the_unknown(shard):
    shard.lead()
    assert shard.begin() == ["GONE"]
    shard.open()
    before = shard.snapshot()
    assert shard.begin(token="0:m0:n0") == ["STALE"]
    with pytest.raises(redis.ResponseError):
        shard.begin(seats=0)
    with pytest.raises(redis.ResponseError):
        shard.begin(seats=65)
    keys = [f"conversation/{ID}", f"cast/{ID}", f"transcript/{ID}", "events", "due", "conversations", "epoch", "request/1"]
    with pytest.raises(redis.ResponseError):
        shard.run("begin", keys, ID, shard.token, 1, "1", "story", "cast without persona")
    assert shard.snapshot() == before
    shard.stop()
    assert shard.begin() == ["ENDED"]


# --- claim


def test_claim_takes_a_dead_workers_entry_and_counts_the_delivery(shard):
    entry = shard.asked()
    shard.beat("w2")
    word, got = shard.claim()
    assert word == "OK" and got[:2] == [entry, "2"]
    assert dict(zip(got[2][::2], got[2][1::2]))["conversation"] == ID
    assert shard.commit(entry, name="w2", deliveries=2)[0] == "OK"


def test_claim_leaves_entries_within_their_lease_alone(shard):
    shard.asked()
    shard.beat("w2")
    assert shard.claim(lease_ms=60000) == ["OK"]


def test_claim_never_takes_the_callers_own_while_it_runs_but_does_at_start(shard):
    entry = shard.asked()
    shard.beat("w1")
    assert shard.claim(name="w1") == ["OK"]
    word, got = shard.claim(name="w1", lease_ms=60000, own=1)
    assert got[:2] == [entry, "2"]


def test_claim_of_its_own_leaves_what_the_caller_has_in_hand(shard):
    shard.lead()
    for n in range(3):
        shard.db.xadd(shard.key("request", "1"), {"turn": n})
    ids = [shard.read()[0] for _ in range(3)]
    shard.beat("w1")
    got = shard.claim(name="w1", own=1, in_hand=[ids[0], ids[2]])
    assert [item[:2] for item in got[1:]] == [[ids[1], "2"]]


def test_claim_takes_no_more_than_the_free_slots(shard):
    shard.lead()
    for n in range(5):
        shard.db.xadd(shard.key("request", "1"), {"turn": n})
        shard.read()
    shard.beat("w2")
    assert len(shard.claim(free=2)) == 1 + 2
    assert shard.claim(free=0) == ["OK"]
    assert len(shard.claim(free=10)) == 1 + 3
    assert len(shard.claim(free=2, own=1)) == 1 + 2


def test_claim_with_a_lost_name_is_held_and_takes_nothing(shard):
    shard.asked()
    before = shard.snapshot()
    assert shard.claim() == ["HELD"]
    shard.beat("w2", "another")
    assert shard.claim() == ["HELD"]
    shard.leave("w2", "another")
    assert shard.snapshot() == before


def test_claim_tells_of_entries_that_vanished_and_spends_no_slot_on_them(shard):
    shard.lead()
    ids = [shard.db.xadd(shard.key("request", "1"), {"turn": n}) for n in range(3)]
    for _ in ids:
        shard.read()
    shard.db.xtrim(shard.key("request", "1"), minid=ids[2], approximate=False)
    shard.beat("w2")
    word, *got = shard.claim(free=1)
    assert got[:2] == [[ids[0], "0", []], [ids[1], "0", []]]
    assert got[2][0] == ids[2]
    assert shard.pending("request") == [ids[2]]


# --- renew, release


def test_renew_resets_the_idle_time_and_keeps_the_delivery_count(shard):
    entry = shard.asked()
    key = shard.key("request", "1")
    wait_until(lambda: shard.db.xpending_range(key, "workers", "-", "+", 1)[0]["time_since_delivered"] >= 200)
    assert shard.renew(entry) == ["OK", ""]
    held = shard.db.xpending_range(key, "workers", "-", "+", 1)[0]
    assert held["time_since_delivered"] < 200 and held["times_delivered"] == 1 and held["consumer"] == "w1"


def test_renew_counts_each_call_of_a_turn_once_and_the_answer_tells_how_many(shard):
    entry = shard.asked()
    for call in ("call 1", "call 1", "call 2", "call 2"):
        assert shard.renew(entry, call=call)[0] == "OK"
    assert (shard.hash()["attempts"], shard.hash()["call"]) == ("2", "call 2")
    shard.fail(entry)
    failed, fields = shard.hear()
    assert fields["attempts"] == "2"
    shard.reissue(failed=failed)
    entry = shard.read()[0]
    shard.renew(entry, call="call 3")
    shard.dead(entry, most=0)
    poison, fields = shard.hear()
    assert fields["attempts"] == "3"
    assert shard.reissue(failed=poison) == ["NO", "poison"]
    shard.end(response=poison)
    assert shard.revive(shard.db.xrange(shard.key("dead"))[0][0])[0] == "OK"
    shard.commit(shard.read()[0])
    response, fields = shard.hear()
    assert fields["attempts"] == "3"
    shard.route(response)
    assert shard.hash()["attempts"] == "0"


def test_renew_counts_nothing_while_no_call_has_begun(shard):
    entry = shard.asked()
    assert shard.renew(entry, call="") == ["OK", ""]
    assert shard.hash()["attempts"] == "0"
    shard.renew(entry, call="call 1")
    shard.renew(entry, call="")
    shard.renew(entry, call="call 1")
    assert (shard.hash()["attempts"], shard.hash()["call"]) == ("1", "call 1")


def test_renew_by_who_is_fenced_counts_no_call(shard):
    entry = shard.asked()
    assert shard.renew(entry, name="w2") == ["FENCED"]
    assert shard.hash()["attempts"] == "0"


def test_renew_without_a_call_is_refused_before_it_writes(shard):
    entry = shard.asked()
    before = shard.snapshot()
    with pytest.raises(redis.ResponseError):
        shard.run("renew", [f"conversation/{ID}", "request/1", "calls"], "w1", entry, 1, 1)
    assert shard.snapshot() == before


def test_renew_tells_what_is_left_of_the_clock(shard):
    entry = shard.asked(duration_ms=300000)
    word, left_ms = shard.renew(entry)
    assert word == "OK" and 290000 < int(left_ms) <= 300000


def test_renew_after_a_claim_by_another_is_fenced_and_leaves_the_entry(shard):
    entry = shard.asked()
    shard.beat("w2")
    shard.claim()
    assert shard.renew(entry) == ["FENCED"]
    assert shard.renew(entry, name="w2", deliveries=1) == ["FENCED"]
    assert shard.renew(entry, name="w2", deliveries=2)[0] == "OK"
    assert shard.pending("request") == [entry]


def test_renew_of_an_entry_nobody_holds_is_fenced(shard):
    request = shard.running().hash()["request"]
    assert shard.renew(request) == ["FENCED"]
    assert shard.read()[0] == request


def test_renew_after_the_end_cancels_and_acks(shard):
    entry = shard.asked()
    shard.stop()
    assert shard.renew(entry) == ["CANCEL"]
    assert shard.pending("request") == []


def test_renew_of_what_is_no_longer_awaited_is_gone_and_acked(shard):
    entry = shard.asked()
    shard.pause(cancel=1)
    assert shard.renew(entry) == ["GONE"]
    assert shard.pending("request") == []


def test_renew_of_a_forgotten_conversation_is_gone_and_acked(shard):
    entry = shard.asked()
    shard.db.delete(shard.key("conversation", ID))
    assert shard.renew(entry) == ["GONE"]
    assert shard.pending("request") == []


def test_renew_of_another_turn_with_the_same_entry_id_is_gone(shard):
    entry = shard.asked()
    shard.tamper(next=2)
    assert shard.renew(entry) == ["GONE"]


def test_renew_while_paused_knows_no_clock_and_while_closing_the_grace(shard):
    entry = shard.asked(duration_ms=300000)
    shard.pause()
    assert shard.renew(entry) == ["OK", ""]
    shard.stop("grace")
    word, left_ms = shard.renew(entry)
    assert word == "OK" and 0 < int(left_ms) <= 1000


def test_release_lets_a_lane_mate_take_the_entry_at_once_without_a_delivery_counted(shard):
    entry = shard.asked()
    assert shard.release(entry) == ["OK"]
    shard.beat("w2")
    word, got = shard.claim(lease_ms=10000)
    assert got[:2] == [entry, "1"]
    assert shard.commit(entry, name="w2", deliveries=1)[0] == "OK"


def test_release_takes_back_one_delivery_only_and_leaves_the_entry_to_its_owner(shard):
    entry = shard.asked()
    shard.beat("w2")
    shard.claim()
    shard.beat("w3")
    shard.claim(name="w3")
    assert shard.release(entry, name="w3", deliveries=3) == ["OK"]
    held = shard.db.xpending_range(shard.key("request", "1"), "workers", "-", "+", 1)[0]
    assert (held["consumer"], held["times_delivered"]) == ("w3", 2)
    assert shard.claim(name="w3", own=1)[1][1] == "3"


@pytest.mark.parametrize("who", [{"name": "w2"}, {"deliveries": 2}])
def test_release_by_who_does_not_hold_the_entry_is_fenced(shard, who):
    entry = shard.asked()
    before = shard.snapshot()
    assert shard.release(entry, **who) == ["FENCED"]
    assert shard.snapshot() == before


def test_release_of_what_was_committed_is_fenced(shard):
    entry = shard.asked()
    shard.commit(entry)
    assert shard.release(entry) == ["FENCED"]


# --- commit, fail, dead


def test_commit_writes_the_response_and_acks_the_request(shard):
    entry = shard.asked()
    asked_at = shard.hash()["asked_at"]
    word, response, at = shard.commit(entry)
    stored = shard.hash()
    assert word == "OK" and (stored["phase"], stored["response"]) == ("answered", response)
    assert shard.pending("request") == []
    assert shard.hear() == (response, {
        "conversation": ID, "turn": "1", "issue": "1", "seat": "1", "request": entry, "at": at, "status": "done",
        "error": "", "text": "", "tokens": "7", "asked_at": asked_at, "attempts": "0", "message": "said 1"})


def test_commit_may_move_the_seats_window_which_its_next_request_carries(shard):
    entry = shard.asked()
    shard.commit(entry, window="5-1")
    assert shard.hash()["window:1"] == "5-1"
    shard.route(shard.hear()[0])
    shard.turn(2)
    assert shard.read()[1]["window"] == "5-1"


def test_commit_stores_bytes_as_they_are(shard, redis_server):
    entry = shard.asked()
    message = bytes(range(256)) + b'{"a": [], "n": 12345678901234567890}'
    keys = [shard.key("conversation", ID), shard.key("request", "1"), shard.key("response", "1")]
    raw = redis.Redis(unix_socket_path=redis_server.socket)
    shard.scripts["commit"](keys=keys, args=[ID, "w1", entry, 1, 1, "", "", message], client=raw)
    assert raw.xrange(keys[2])[0][1][b"message"] == message
    raw.close()


def test_fail_writes_a_failed_response_and_acks_the_request(shard):
    entry = shard.asked()
    word, response, at = shard.fail(entry)
    assert word == "OK" and shard.pending("request") == []
    fields = shard.hear()[1]
    assert (fields["status"], fields["error"], fields["text"], fields["message"], fields["tokens"], fields["at"]) == (
        "failed", "timeout", "no token in 30 s", "", "3", at)
    assert (shard.hash()["phase"], shard.hash()["failures"]) == ("answered", "1")


ANSWERING = ["commit", "fail", "dead"]


def answer(shard, script, entry, **kwargs):
    if script == "dead":
        kwargs["most"] = 0
    return getattr(shard, script)(entry, **kwargs)


@pytest.mark.parametrize("script", ANSWERING)
def test_an_answer_given_twice_is_dup_also_after_routing_and_after_the_end(shard, script):
    entry = shard.asked(max_turns=1)
    shard.commit(entry)
    assert answer(shard, script, entry) == ["DUP"]
    shard.route(shard.hear()[0])
    assert shard.hash()["state"] == "ended"
    assert answer(shard, script, entry) == ["DUP"]
    assert shard.db.xlen(shard.key("response", "1")) == 1


@pytest.mark.parametrize("script", ANSWERING)
def test_a_late_answer_to_an_answered_turn_acks_its_entry(shard, script):
    """Two entries for one turn, as after a Redis that went back in time: the second is over."""
    entry = shard.asked()
    shard.commit(entry)
    shard.route(shard.hear()[0])
    again = shard.db.xadd(shard.key("request", "1"), {"turn": 1})
    shard.read()
    assert answer(shard, script, again) == ["DUP"]
    assert shard.pending("request") == []


@pytest.mark.parametrize("script", ANSWERING)
@pytest.mark.parametrize("who", [{"name": "w1", "deliveries": 1}, {"name": "w2", "deliveries": 1},
                                 {"name": "w1", "deliveries": 2}])
def test_a_zombie_worker_is_fenced_and_the_entry_stays_with_its_owner(shard, script, who):
    entry = shard.asked()
    shard.beat("w2")
    shard.claim()
    before = shard.snapshot()
    assert answer(shard, script, entry, **who) == ["FENCED"]
    assert shard.snapshot() == before
    assert answer(shard, script, entry, name="w2", deliveries=2)[0] == "OK"


@pytest.mark.parametrize("script", ANSWERING)
def test_an_answer_to_an_entry_nobody_holds_is_fenced_and_the_entry_is_still_read(shard, script):
    request = shard.running().hash()["request"]
    assert answer(shard, script, request) == ["FENCED"]
    assert shard.read()[0] == request


@pytest.mark.parametrize("script", ANSWERING)
def test_an_answer_ahead_of_the_conversation_is_a_gap_and_acked(shard, script):
    entry = shard.asked()
    assert answer(shard, script, entry, turn=2) == ["GAP"]
    assert shard.pending("request") == []
    assert shard.db.xlen(shard.key("response", "1")) == 0


@pytest.mark.parametrize("script", ANSWERING)
def test_an_answer_for_a_forgotten_conversation_is_gone_and_acked(shard, script):
    entry = shard.asked()
    shard.db.delete(shard.key("conversation", ID))
    assert answer(shard, script, entry) == ["GONE"]
    assert shard.pending("request") == []
    assert not shard.db.exists(shard.key("conversation", ID))


@pytest.mark.parametrize("script", ANSWERING)
def test_an_answer_to_a_request_no_longer_awaited_is_gone_and_acked(shard, script):
    entry = shard.asked()
    shard.pause(cancel=1)
    shard.resume()
    assert shard.hash()["request"] not in ("", entry)
    assert answer(shard, script, entry) == ["GONE"]
    assert shard.pending("request") == []
    assert shard.hash()["phase"] == "asked"


@pytest.mark.parametrize("script", ANSWERING)
def test_an_answer_after_the_end_is_thrown_away_and_acked(shard, script):
    entry = shard.asked()
    shard.stop()
    assert answer(shard, script, entry) == ["ENDED"]
    assert shard.pending("request") == []
    assert shard.db.xlen(shard.key("response", "1")) == 0


@pytest.mark.parametrize("state", ["paused", "closing"])
@pytest.mark.parametrize("script", ANSWERING)
def test_an_answer_is_taken_while_paused_or_closing(shard, script, state):
    entry = shard.asked()
    shard.pause() if state == "paused" else shard.stop("grace")
    assert shard.hash()["state"] == state
    assert answer(shard, script, entry)[0] == "OK"


def test_dead_is_refused_up_to_max_deliveries(shard):
    entry = shard.asked()
    before = shard.snapshot()
    assert shard.dead(entry, most=1) == ["NO"]
    assert shard.snapshot() == before


def test_dead_records_the_request_and_answers_it_as_poison(shard):
    entry = shard.asked()
    word, response, at = shard.dead(entry, most=0)
    assert word == "OK"
    assert shard.db.xrange(shard.key("dead"))[0][1] == {
        "conversation": ID, "turn": "1", "issue": "1", "seat": "1", "lane": "1", "request": entry, "deliveries": "1",
        "worker": "w1", "at": at, "error": "poison", "text": "kills workers"}
    heard, fields = shard.hear()
    assert heard == response
    assert (fields["status"], fields["error"], fields["message"]) == ("failed", "poison", "")
    assert shard.pending("request") == [] and shard.hash()["failures"] == "1"
    assert shard.reissue(failed=response) == ["NO", "poison"]


# --- route


def test_route_takes_the_turn_and_asks_for_the_next_in_one_step(shard):
    response = shard.answered(duration_ms=300000)
    word, said, request, state, reason, at = shard.route(response)
    assert (word, state, reason) == ("OK", "running", "")
    assert shard.db.xrevrange(shard.key("transcript", ID), count=1) == [
        (said, {"kind": "turn", "turn": "1", "seat": "1", "at": at, "message": "said 1"})]
    stored = shard.hash()
    expected = {"next": "2", "seat": "2", "lane": "2", "phase": "asked", "request": request, "response": "",
                "issue": "1", "asked_at": at, "turns": "1", "tokens": "7"}
    assert {field: stored[field] for field in expected} == expected
    entry, fields = shard.read("2")
    assert entry == request
    left_ms = int(fields.pop("left_ms"))
    assert fields == {"conversation": ID, "turn": "2", "issue": "1", "seat": "2", "cast": "1", "upto": said,
                      "lines": "4", "window": "", "closing": "", "at": at, "message": "said 1"}
    assert left_ms == (int(stored["deadline"]) - int(at)) // 1000
    assert shard.events()[-1] == {"id": ID + ":1", "event": "dialogue.progress", "conversation": ID, "at": at,
                                  "turn": "1", "transcript": said, "state": "running", "reason": "", "summary": ""}
    assert shard.pending("response") == []


def test_route_leaves_due_alone_while_the_conversation_runs(shard):
    response = shard.answered(duration_ms=5000)
    shard.db.zadd(shard.key("due"), {ID: 1})
    shard.route(response)
    assert shard.due() == 1


def test_reissue_moves_due_on_also_for_a_turn_that_is_over(shard):
    response = shard.answered(duration_ms=5000)
    shard.route(response)
    shard.db.zadd(shard.key("due"), {ID: 1})
    assert shard.reissue(turn=1) == ["NOTHING"]
    assert shard.due() == int(shard.hash()["deadline"]) // 1000


def test_route_asked_twice_is_dup_and_changes_nothing(shard):
    response = shard.answered()
    shard.route(response)
    before = shard.snapshot()
    assert shard.route(response) == ["DUP"]
    assert shard.snapshot() == before


def test_route_of_a_turn_gone_by_acks_the_response(shard):
    shard.route(shard.answered())
    stray = shard.db.xadd(shard.key("response", "1"), {"turn": 1})
    shard.hear()
    assert shard.route(stray) == ["DUP"]
    assert shard.pending("response") == []


def test_route_of_a_response_not_awaited_is_a_gap_and_acked(shard):
    response = shard.answered()
    stray = shard.db.xadd(shard.key("response", "1"), {"turn": 1})
    shard.hear()
    assert shard.route(stray) == ["GAP"]
    assert shard.pending("response") == [response]
    assert shard.route(response)[0] == "OK"


def test_route_ahead_of_the_conversation_is_a_gap_and_acked(shard):
    response = shard.answered()
    assert shard.route(response, turn=2, lane="1") == ["GAP"]
    assert shard.pending("response") == [] and shard.spoken() == []


def test_route_after_the_end_throws_the_turn_away_and_acks(shard):
    response = shard.answered()
    shard.stop()
    assert shard.route(response) == ["ENDED"]
    assert shard.pending("response") == [] and shard.spoken() == []


def test_route_in_a_forgotten_conversation_is_gone_and_acked(shard):
    response = shard.answered()
    shard.db.delete(shard.key("conversation", ID))
    assert shard.route(response) == ["GONE"]
    assert shard.pending("response") == [] and shard.spoken() == []
    assert not shard.db.exists(shard.key("conversation", ID))


def test_a_stale_manager_routes_nothing_and_acks_nothing(shard):
    response = shard.answered()
    old = shard.token
    shard.db.delete(shard.key("leader"))
    shard.lead("m2", "n2")
    before = shard.snapshot()
    assert shard.route(response, token=old) == ["STALE"]
    assert shard.reissue(token=old, failed=response) == ["STALE"]
    assert shard.end(token=old, response=response) == ["STALE"]
    assert shard.pause(token=old) == shard.resume(token=old) == shard.stop(token=old) == ["STALE"]
    assert shard.trim(["response/1"], [""], token=old) == ["STALE"]
    assert shard.snapshot() == before
    assert shard.route(response)[0] == "OK"


def test_a_leader_that_ran_out_without_a_successor_still_routes(shard):
    response = shard.answered()
    shard.db.delete(shard.key("leader"))
    assert shard.route(response)[0] == "OK"


def test_route_of_the_last_turn_ends_the_conversation_in_the_same_step(shard):
    response = shard.answered(max_turns=1)
    word, said, request, state, reason, at = shard.route(response)
    assert (word, request, state, reason) == ("OK", "", "ended", "turns")
    stored = shard.hash()
    expected = {"state": "ended", "reason": "turns", "ended_at": at, "turns": "1", "tokens": "7", "phase": "idle",
                "request": "", "deadline": ""}
    assert {field: stored[field] for field in expected} == expected
    assert shard.event_names() == ["open", "initiate", "progress", "resolve"]
    resolve = shard.events()[-1]
    assert (resolve["id"], resolve["reason"], json.loads(resolve["summary"])) == (
        ID + ":resolve", "turns", {"turns": 1, "tokens": 7})
    assert shard.due() is None and shard.read("2") is None and shard.pending("response") == []
    assert shard.route(response) == ["DUP"]


def test_route_while_paused_commits_and_asks_for_nothing(shard):
    response = shard.answered()
    shard.pause()
    word, said, request, state, reason, at = shard.route(response)
    assert (word, request, state, reason) == ("OK", "", "paused", "")
    stored = shard.hash()
    assert (stored["phase"], stored["next"], stored["lane"], stored["request"]) == ("idle", "2", "2", "")
    assert shard.read("2") is None and shard.due() is None and shard.spoken() == ["said 1"]


def test_route_of_the_last_turn_while_paused_ends(shard):
    response = shard.answered(max_turns=1)
    shard.pause()
    assert shard.route(response)[3:5] == ["ended", "turns"]


def test_route_while_closing_commits_and_ends_with_the_reason_kept(shard):
    response = shard.answered()
    shard.stop("grace", reason="duration")
    word, said, request, state, reason, at = shard.route(response)
    assert (word, request, state, reason) == ("OK", "", "ended", "duration")
    assert shard.spoken() == ["said 1"] and shard.read("2") is None
    assert shard.event_names() == ["open", "initiate", "closing", "progress", "resolve"]


def test_route_after_the_deadline_asks_for_no_further_turn(shard):
    response = shard.answered(duration_ms=1)
    wait_until(lambda: shard.now_us() > int(shard.hash()["deadline"]))
    assert shard.route(response)[3:5] == ["ended", "duration"]
    assert shard.spoken() == ["said 1"]


@pytest.mark.parametrize("tokens", ["", "nan", "inf", "-3", "many", "1e12"])
def test_route_counts_no_tokens_where_none_are_known(shard, tokens):
    shard.route(shard.answered(), tokens=tokens)
    assert shard.hash()["tokens"] == "0"


# --- reissue


def test_reissue_asks_again_after_a_failure_and_acks_it(shard):
    entry = shard.asked(duration_ms=300000)
    shard.fail(entry)
    failed = shard.hear()[0]
    word, request, issue = shard.reissue(failed=failed)
    assert (word, issue) == ("OK", "2")
    assert shard.pending("response") == []
    entry, fields = shard.read()
    assert entry == request and (fields["issue"], fields["turn"], fields["message"]) == ("2", "1", "")
    assert 0 < int(fields["left_ms"]) <= 300000
    assert fields["upto"] == shard.db.xrevrange(shard.key("transcript", ID), count=1)[0][0]
    assert shard.reissue(failed=failed) == ["NOTHING"]
    assert shard.read() is None
    assert shard.commit(entry)[0] == "OK"


def test_reissue_carries_the_last_message_and_the_window(shard):
    shard.route(shard.answered())
    entry, first = shard.read("2")
    shard.tamper(**{"window:2": "9-9"})
    shard.fail(entry, turn=2, lane="2")
    assert shard.reissue(turn=2, lane="2", failed=shard.hear("2")[0])[0] == "OK"
    again = shard.read("2")[1]
    assert (again["message"], again["upto"], again["lines"], again["cast"], again["window"]) == (
        first["message"], first["upto"], "4", first["cast"], "9-9")
    assert (again["issue"], shard.hash()["issue"]) == ("2", "2")


@pytest.mark.parametrize("again", ["reissue", "resume"])
def test_the_last_turn_that_max_turns_allows_is_asked_for_as_closing_also_again(shard, again):
    response = shard.answered(max_turns=2)
    shard.route(response)
    entry, fields = shard.read("2")
    assert (fields["turn"], fields["closing"]) == ("2", "1")
    if again == "reissue":
        shard.fail(entry, turn=2, lane="2")
        assert shard.reissue(turn=2, lane="2", failed=shard.hear("2")[0])[0] == "OK"
    else:
        shard.pause(cancel=1)
        assert shard.resume()[0] == "OK"
    fields = shard.read("2")[1]
    assert (fields["issue"], fields["closing"]) == ("2", "1")


def test_an_only_turn_is_asked_for_as_closing(shard):
    shard.running(max_turns=1)
    assert shard.read()[1]["closing"] == "1"


@pytest.mark.parametrize("again", ["reissue", "resume"])
def test_a_turn_before_the_last_is_not_asked_for_as_closing(shard, again):
    entry = shard.asked(max_turns=11)
    if again == "reissue":
        shard.fail(entry)
        shard.reissue(failed=shard.hear()[0])
    else:
        shard.pause(cancel=1)
        shard.resume()
    entry, fields = shard.read()
    assert (fields["issue"], fields["closing"]) == ("2", "")
    shard.commit(entry)
    shard.route(shard.hear()[0])
    assert shard.read("2")[1]["closing"] == ""


def test_reissue_is_refused_after_max_issues_and_leaves_the_failure_to_the_leader(shard):
    shard.running(max_issues=2)
    shard.fail(shard.read()[0])
    shard.reissue(failed=shard.hear()[0])
    shard.fail(shard.read()[0])
    failed = shard.hear()[0]
    assert shard.reissue(failed=failed) == ["NO", "issues"]
    assert shard.pending("response") == [failed]
    assert shard.route(failed, tokens="")[0] == "OK"
    assert shard.hash()["failures"] == "2"


def test_reissue_never_drops_a_response_that_is_done(shard):
    response = shard.answered()
    assert shard.reissue(failed=response) == ["NOTHING"]
    assert shard.pending("response") == [response]
    assert shard.route(response)[0] == "OK"


def test_reissue_acks_a_failure_that_is_over(shard):
    shard.route(shard.answered())
    stray = shard.db.xadd(shard.key("response", "1"), {"turn": 1, "status": "failed"})
    shard.hear()
    assert shard.reissue(failed=stray) == ["NOTHING"]
    assert shard.pending("response") == []
    stray = shard.db.xadd(shard.key("response", "1"), {"turn": 2, "status": "failed"})
    shard.hear()
    assert shard.reissue(turn=2, failed=stray) == ["NOTHING"]
    assert shard.pending("response") == []


def test_reissue_leaves_an_unread_and_a_pending_request_alone_and_looks_again_later(shard):
    shard.running()
    shard.db.zadd(shard.key("due"), {ID: 1})
    assert shard.reissue() == ["NOTHING"]
    assert shard.due() > shard.now_us() // 1000 + 50000
    shard.read()
    assert shard.reissue() == ["NOTHING"]
    assert shard.read() is None and shard.hash()["issue"] == "1"


def test_reissue_asks_again_where_the_request_vanished_unread(shard):
    shard.running()
    shard.db.xtrim(shard.key("request", "1"), maxlen=0, approximate=False)
    assert shard.reissue()[0] == "OK"
    assert shard.read()[1]["issue"] == "2"


def test_reissue_tells_unread_from_read_by_both_halves_of_the_entry_id(shard):
    shard.running()
    key, now_ms = shard.key("request", "1"), shard.now_us() // 1000 + 1000
    shard.db.xadd(key, {"turn": 1}, id=f"{now_ms}-10")
    shard.tamper(request=f"{now_ms}-10")
    for read, answer in ((f"{now_ms}-9", "NOTHING"), (f"{now_ms - 1}-99", "NOTHING"), (f"{now_ms}-10", "OK")):
        shard.db.xgroup_setid(key, "workers", read)
        assert shard.reissue()[0] == answer, read


def shift(shard, delta_us, since_us, ids=(ID,), lanes=LANES):
    keys = ["meta", "epoch", "due"] + [f"conversation/{one}" for one in ids] + [f"request/{lane}" for lane in lanes]
    return shard.run("shift", keys, shard.token, delta_us, since_us, *ids)


@pytest.mark.parametrize("delta_us", [3600 * 10**6, -3600 * 10**6])
def test_shift_moves_a_deadline_once_for_a_jump_and_never_one_of_the_new_time(shard, delta_us):
    shard.running(duration_ms=90000000)
    shard.tampered = True
    began = int(shard.hash()["started_at"])
    shard.db.hset(shard.key("conversation", ID), "started_at", began - abs(delta_us) * 2)
    before, since = int(shard.hash()["deadline"]), shard.now_us() - 1000
    # Backward: what is left of the clock grows no longer than the whole duration is.
    shard.db.hset(shard.key("conversation", ID), "deadline", before - abs(delta_us))
    assert shift(shard, delta_us, since) == ["OK", "1"]
    moved = int(shard.hash()["deadline"])
    assert moved == before - abs(delta_us) + delta_us
    assert shard.due() * 1000 <= moved
    for again in (since, since + 500000):  # the same call, and another manager's measure
        assert shift(shard, delta_us + 2000, again) == ["OK", "0"]
    assert int(shard.hash()["deadline"]) == moved
    shard.db.hset(shard.key("conversation", ID), "started_at", shard.now_us())
    assert shift(shard, delta_us, shard.now_us() - 20 * 10**6 - abs(delta_us))[0] == "OK"
    assert shift(shard, -delta_us, shard.now_us() - 10**6) == ["OK", "1"]


def test_shift_never_gives_more_than_the_whole_duration_and_begins_leases_anew(shard):
    entry = shard.asked(duration_ms=60000)
    shard.tampered = True
    shard.db.hset(shard.key("conversation", ID), "started_at", "1000000000000000")
    shard.db.xclaim(shard.key("request", "1"), "workers", "w1", 0, [entry], idle=3600000, justid=True)
    assert shift(shard, 3600 * 10**6, shard.now_us() - 1000) == ["OK", "1"]
    assert 59000000 < int(shard.hash()["deadline"]) - shard.now_us() <= 60000000
    pending, = shard.db.xpending_range(shard.key("request", "1"), "workers", "-", "+", 9)
    assert pending["time_since_delivered"] < 5000 and pending["times_delivered"] == 1
    assert shard.renew(entry)[0] == "OK"


def test_shift_by_a_stale_leader_touches_nothing(shard):
    shard.running(duration_ms=60000)
    before = shard.snapshot()
    shard.token = "7:m9:n9"
    assert shift(shard, 10**10, shard.now_us()) == ["STALE"]
    assert shard.snapshot() == before


def sweep(shard, idle_ms=0, token=None):
    keys = ["epoch", "members"] + [f"{queue}/{lane}" for lane in LANES for queue in ("request", "response")]
    return shard.run("sweep", keys, shard.token if token is None else token, idle_ms)


def consumers(shard, lane="1"):
    return sorted(one["name"] for one in shard.db.xinfo_consumers(shard.key("request", lane), "workers"))


def test_sweep_removes_consumers_that_are_no_members_and_hold_nothing(shard):
    entry = shard.asked()
    for name in ("w2", "w3", "w4"):
        shard.db.xgroup_createconsumer(shard.key("request", "1"), "workers", name)
    shard.beat("w3")
    assert consumers(shard) == ["w1", "w2", "w3", "w4"]
    assert sweep(shard, token="7:m9:n9") == ["STALE"]
    assert sweep(shard, idle_ms=60000) == ["OK", "0"]
    assert sweep(shard) == ["OK", "2"]
    assert consumers(shard) == ["w1", "w3"] and shard.pending("request") == [entry]
    assert shard.commit(entry)[0] == "OK"
    assert sweep(shard) == ["OK", "1"] and consumers(shard) == ["w3"]


def test_beat_drops_members_that_lie_ahead_since_the_clock_was_set_back(shard):
    shard.beat("w1")
    shard.db.zadd(shard.key("members"), {"w9": shard.now_us() // 1000 + 3600000})
    shard.beat("w1")
    assert shard.db.zrange(shard.key("members"), 0, -1) == ["w1"]


def trimmed(shard):
    return [(event["turn"], event["reason"]) for event in shard.events() if event["event"] == "message.trimmed"]


def test_reissue_tells_what_vanished_and_nothing_where_nothing_did(shard):
    shard.running()
    assert shard.reissue() == ["NOTHING"] and trimmed(shard) == []
    shard.db.xtrim(shard.key("request", "1"), 0, approximate=False)
    assert shard.reissue()[0] == "OK" and trimmed(shard) == [("1", "request")]
    assert shard.commit(shard.read()[0])[0] == "OK"
    shard.db.xtrim(shard.key("response", "1"), 0, approximate=False)
    assert shard.reissue()[0] == "OK"
    assert trimmed(shard) == [("1", "request"), ("1", "response")]


@pytest.mark.parametrize("ahead_us", [-5500000, 5500000])
def test_neither_route_nor_reissue_acts_by_a_clock_that_jumped(shard, ahead_us):
    response = shard.answered(duration_ms=60000)
    before = shard.snapshot()
    assert shard.route(response, ahead_us=ahead_us) == ["CLOCK"]
    assert shard.reissue(ahead_us=ahead_us) == ["CLOCK"]
    assert shard.snapshot() == before
    assert shard.route(response, ahead_us=ahead_us * 4 // 5)[0] == "OK"


def test_resume_names_the_lane_where_it_was_given_another(shard):
    shard.running()
    shard.pause(cancel=1)
    by = shard.command()
    before = shard.snapshot()
    assert shard.resume(by, asked_lane="2") == ["LANE", "1"]
    assert shard.snapshot() == before
    assert shard.resume(by)[0] == "OK" and shard.read("1")[1]["turn"] == "1"


def test_reissue_for_a_turn_gone_by_does_nothing_though_the_next_one_is_lost(shard):
    shard.route(shard.answered())
    shard.db.xtrim(shard.key("request", "2"), maxlen=0, approximate=False)
    assert shard.reissue(turn=1) == ["NOTHING"]
    assert shard.hash()["issue"] == "1"


@pytest.mark.parametrize("duration_ms", ["", 5000])
def test_reissue_is_due_after_patience_or_at_the_deadline(shard, duration_ms):
    shard.running(duration_ms=duration_ms)
    shard.db.xtrim(shard.key("request", "1"), maxlen=0, approximate=False)
    shard.db.zadd(shard.key("due"), {ID: 1})
    shard.reissue()
    stored = shard.hash()
    patience_ends_ms = int(stored["asked_at"]) // 1000 + 60000
    assert shard.due() == (int(stored["deadline"]) // 1000 if duration_ms else patience_ends_ms)


def test_reissue_asks_again_where_the_request_was_acked_without_an_answer(shard):
    entry = shard.asked()
    shard.db.xack(shard.key("request", "1"), "workers", entry)
    assert shard.reissue()[0] == "OK"


def test_reissue_asks_again_where_a_claim_found_the_request_vanished(shard):
    entry = shard.asked()
    shard.db.xtrim(shard.key("request", "1"), maxlen=0, approximate=False)
    assert shard.reissue() == ["NOTHING"]
    shard.beat("w2")
    assert shard.claim() == ["OK", [entry, "0", []]]
    assert shard.reissue()[0] == "OK"


def test_a_vanished_request_is_still_committed_by_who_holds_it(shard):
    entry = shard.asked()
    shard.db.xtrim(shard.key("request", "1"), maxlen=0, approximate=False)
    assert shard.commit(entry)[0] == "OK"
    assert shard.route(shard.hear()[0])[0] == "OK"


def test_reissue_asks_again_where_the_response_is_lost_but_not_while_it_is_unread(shard):
    shard.commit(shard.asked())
    assert shard.reissue() == ["NOTHING"]
    response = shard.hear()[0]
    assert shard.reissue() == ["NOTHING"]
    shard.db.xack(shard.key("response", "1"), "managers", response)
    assert shard.reissue()[0] == "OK"
    assert shard.commit(shard.read()[0])[0] == "OK"
    assert shard.route(shard.hear()[0])[0] == "OK"
    assert shard.spoken() == ["said 1"]


def test_reissue_asks_for_the_next_turn_of_a_running_conversation_that_is_idle(shard):
    shard.asked()
    shard.tamper(phase="idle", request="")
    assert shard.reissue()[0] == "OK"
    assert shard.hash()["phase"] == "asked"


def test_reissue_of_a_failure_while_paused_waits_for_resume(shard):
    entry = shard.asked()
    shard.pause()
    shard.fail(entry)
    assert shard.reissue(failed=shard.hear()[0]) == ["OK", "", "1"]
    assert shard.pending("response") == [] and shard.read() is None
    assert shard.hash()["phase"] == "idle" and shard.due() is None
    check_hash(shard.hash())
    assert shard.reissue() == ["NOTHING"]
    assert shard.resume()[0] == "OK"
    assert shard.read()[1]["issue"] == "2"


@pytest.mark.parametrize("how", ["closing", "late"])
def test_reissue_asks_for_nothing_after_a_deadline(shard, how):
    entry = shard.asked(duration_ms=1 if how == "late" else "")
    shard.fail(entry)
    failed = shard.hear()[0]
    if how == "closing":
        shard.stop("grace")
    else:
        wait_until(lambda: shard.now_us() > int(shard.hash()["deadline"]))
    assert shard.reissue(failed=failed) == ["NO", "closing"]
    assert shard.pending("response") == [failed]
    assert shard.end("duration", response=failed) == ["OK"]
    assert shard.pending("response") == []


def test_reissue_of_the_ended_and_the_forgotten_acks_the_failure(shard):
    entry = shard.asked()
    shard.fail(entry)
    failed = shard.hear()[0]
    shard.stop()
    assert shard.reissue(failed=failed) == ["ENDED"]
    assert shard.pending("response") == []
    for word in ("ENDED", "GONE"):
        shard.db.zadd(shard.key("due"), {ID: 1})
        assert shard.reissue() == [word]
        assert shard.due() is None
        shard.db.delete(shard.key("conversation", ID))


def test_reissue_and_resume_hand_on_a_said_message_but_never_a_persona(shard):
    shard.fail(shard.asked())
    failed = shard.hear()[0]
    shard.say()
    shard.reissue(failed=failed)
    assert shard.read()[1]["message"] == "rain"
    shard.pause(cancel=1)
    shard.resume()
    assert shard.read()[1]["message"] == "rain"


def test_reissue_while_the_story_is_written_does_nothing(shard):
    shard.lead()
    shard.open()
    assert shard.reissue() == ["NOTHING"]
    assert shard.due() is None


# --- pause, resume


def test_pause_stands_the_clock_and_resume_goes_on_with_what_was_left(shard):
    response = shard.answered(duration_ms=300000)
    word, left_ms = shard.pause()
    paused_at = shard.now_us()
    stored = shard.hash()
    assert word == "OK" and 0 < int(left_ms) <= 300000
    assert (stored["state"], stored["left_ms"], stored["deadline"]) == ("paused", left_ms, "")
    shard.route(response)
    wait_until(lambda: shard.now_us() > paused_at + 20000)
    word, request = shard.resume()
    stored = shard.hash()
    assert word == "OK" and (stored["state"], stored["left_ms"]) == ("running", "")
    assert int(stored["deadline"]) == int(stored["asked_at"]) + int(left_ms) * 1000
    assert int(stored["deadline"]) > int(stored["started_at"]) + 300000000 + 19000
    entry, fields = shard.read("2")
    assert entry == request
    last = shard.db.xrevrange(shard.key("transcript", ID), count=1)[0][0]
    assert fields == {"conversation": ID, "turn": "2", "issue": "1", "seat": "2", "cast": "1", "upto": last,
                      "lines": "4", "left_ms": left_ms, "window": "", "closing": "", "at": stored["asked_at"],
                      "message": "said 1"}
    assert shard.event_names() == ["open", "initiate", "pause", "progress", "resume"]
    assert len({event["id"] for event in shard.events()}) == 5


def test_pause_leaves_the_turn_in_flight_and_resume_does_not_ask_for_it_twice(shard):
    entry = shard.asked()
    shard.db.zadd(shard.key("due"), {ID: 1})
    assert shard.pause() == ["OK", ""]
    assert shard.due() == int(shard.events()[-1]["at"]) // 1000 + 60000
    assert shard.resume() == ["OK", ""]
    assert shard.read() is None
    assert shard.commit(entry)[0] == "OK"
    assert shard.route(shard.hear()[0])[3] == "running"


def test_pause_with_cancel_drops_the_turn_in_flight_and_resume_asks_again(shard):
    entry = shard.asked()
    shard.pause(cancel=1)
    assert (shard.hash()["phase"], shard.hash()["request"]) == ("idle", "")
    assert shard.due() is None
    shard.tamper(**{"window:1": "9-9"})
    word, request = shard.resume()
    again, fields = shard.read()
    assert again == request != entry
    assert (fields["issue"], fields["message"], fields["window"]) == ("2", "", "9-9")
    assert shard.commit(entry) == ["GONE"]
    assert shard.commit(request)[0] == "OK"


def test_pause_with_cancel_drops_the_turn_a_pause_before_has_left_and_keeps_its_clock(shard):
    entry = shard.asked(duration_ms=300000)
    _, left_ms = shard.pause()
    assert shard.pause(cancel=1) == ["OK", left_ms]
    stored = shard.hash()
    assert (stored["phase"], stored["request"], stored["left_ms"], stored["deadline"]) == ("idle", "", left_ms, "")
    assert shard.renew(entry)[0] == "GONE" and shard.due() is None
    check_hash(stored)
    assert shard.pause(cancel=1) == shard.pause() == ["DUP"]
    assert shard.resume()[0] == "OK" and shard.hash()["phase"] == "asked"


def test_pause_with_cancel_keeps_a_turn_that_was_answered(shard):
    response = shard.answered()
    shard.pause(cancel=1)
    assert shard.route(response)[0] == "OK"
    assert shard.spoken() == ["said 1"]


def test_resume_with_no_time_left_asks_for_nothing_and_is_due_at_once(shard):
    response = shard.answered(duration_ms=1)
    wait_until(lambda: shard.now_us() > int(shard.hash()["deadline"]))
    assert shard.pause() == ["OK", "0"]
    shard.route(response)
    assert shard.resume() == ["OK", ""]
    assert shard.due() <= shard.now_us() // 1000
    assert shard.stop("grace", reason="duration") == ["OK", "ended"]


def at_state(shard, state):
    shard.lead()
    if state == "unknown":
        return
    shard.open()
    if state != "preparing":
        shard.begin()
    if state == "paused":
        shard.pause()
    elif state == "closing":
        shard.stop("grace")
    elif state == "ended":
        shard.stop()
    assert shard.hash()["state"] == state


COMMANDS = {
    "pause": lambda shard, by: shard.pause(by=by),
    "resume": lambda shard, by: shard.resume(by=by),
    "stop now": lambda shard, by: shard.stop("now", by=by),
    "stop grace": lambda shard, by: shard.stop("grace", by=by),
    "say": lambda shard, by: shard.say(by=by),
}
# For each command and state: the answer's first word, its detail where it tells a state, and the state after.
FITS = {
    ("pause", "unknown"): ("GONE", None),
    ("pause", "preparing"): ("NO preparing", "preparing"),
    ("pause", "running"): ("OK", "paused"),
    ("pause", "paused"): ("DUP", "paused"),
    ("pause", "closing"): ("NO closing", "closing"),
    ("pause", "ended"): ("NO ended", "ended"),
    ("resume", "unknown"): ("GONE", None),
    ("resume", "preparing"): ("NO preparing", "preparing"),
    ("resume", "running"): ("DUP", "running"),
    ("resume", "paused"): ("OK", "running"),
    ("resume", "closing"): ("NO closing", "closing"),
    ("resume", "ended"): ("NO ended", "ended"),
    ("stop now", "unknown"): ("GONE", None),
    ("stop now", "preparing"): ("OK ended", "ended"),
    ("stop now", "running"): ("OK ended", "ended"),
    ("stop now", "paused"): ("OK ended", "ended"),
    ("stop now", "closing"): ("OK ended", "ended"),
    ("stop now", "ended"): ("DUP", "ended"),
    ("stop grace", "unknown"): ("GONE", None),
    ("stop grace", "preparing"): ("OK ended", "ended"),
    ("stop grace", "running"): ("OK closing", "closing"),
    ("stop grace", "paused"): ("OK closing", "closing"),
    ("stop grace", "closing"): ("DUP", "closing"),
    ("stop grace", "ended"): ("DUP", "ended"),
    ("say", "unknown"): ("GONE", None),
    ("say", "preparing"): ("NO preparing", "preparing"),
    ("say", "running"): ("OK", "running"),
    ("say", "paused"): ("OK", "paused"),
    ("say", "closing"): ("OK", "closing"),
    ("say", "ended"): ("NO ended", "ended"),
}


@pytest.mark.parametrize("command, state", FITS)
def test_a_command_fits_some_states_and_is_always_answered_and_acked(shard, command, state):
    at_state(shard, state)
    by = shard.command()
    expected, after = FITS[command, state]
    got = COMMANDS[command](shard, by)
    assert " ".join(got).startswith(expected)
    assert len(shard.answers(by[1])) == 1 and shard.answers(by[1])[0].startswith(expected)
    assert 0 < shard.db.pttl(shard.key("answer", by[1])) <= 60000
    assert shard.pending("control", "") == []
    assert shard.hash().get("state") == after


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_carried_out_twice_is_dup_and_changes_nothing(shard, command):
    at_state(shard, "paused" if command == "resume" else "running")
    by = shard.command()
    COMMANDS[command](shard, by)
    before = shard.snapshot()
    before.pop(shard.key("answer", by[1]))
    assert COMMANDS[command](shard, by)[0] == "DUP"
    after = shard.snapshot()
    after.pop(shard.key("answer", by[1]))
    assert after == before and len(shard.answers(by[1])) == 1


def test_a_command_repeated_after_its_opposite_does_not_come_back(shard):
    shard.running()
    by = shard.command()
    shard.pause(by=by)
    shard.resume(by=shard.command())
    assert shard.pause(by=by) == ["DUP"]
    assert shard.hash()["state"] == "running"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_out_of_date_is_void(shard, command):
    at_state(shard, "paused" if command == "resume" else "running")
    state = shard.hash()
    by = shard.command(valid_ms=-1)
    assert COMMANDS[command](shard, by) == ["NO", "late"]
    assert shard.answers(by[1]) == ["NO late"] and shard.pending("control", "") == []
    assert shard.hash() == state


# --- stop, end


def test_stop_now_ends_and_tells_so(shard):
    shard.asked()
    assert shard.stop() == ["OK", "ended"]
    stored = shard.hash()
    assert (stored["state"], stored["reason"], stored["deadline"]) == ("ended", "stopped", "")
    assert stored["ended_at"] == shard.events()[-1]["at"]
    assert (shard.events()[-1]["event"], shard.events()[-1]["reason"]) == ("dialogue.resolve", "stopped")
    assert shard.due() is None


def test_stop_with_grace_waits_for_the_turn_in_flight_and_then_is_due(shard):
    entry = shard.asked(duration_ms=300000)
    assert shard.stop("grace", reason="duration") == ["OK", "closing"]
    stored = shard.hash()
    closing = shard.events()[-1]
    assert (stored["state"], stored["reason"]) == ("closing", "duration")
    assert int(stored["deadline"]) == int(closing["at"]) + 1000000
    assert shard.due() == int(stored["deadline"]) // 1000
    assert (closing["id"], closing["event"], closing["reason"]) == (ID + ":closing", "dialogue.closing", "duration")
    assert shard.commit(entry)[0] == "OK"
    assert shard.route(shard.hear()[0])[3:5] == ["ended", "duration"]


def test_stop_with_grace_ends_at_once_where_nothing_is_in_flight(shard):
    response = shard.answered()
    shard.pause()
    shard.route(response)
    assert shard.stop("grace") == ["OK", "ended"]
    assert shard.event_names()[-1] == "resolve"


def test_stop_after_the_grace_throws_the_turn_away(shard):
    entry = shard.asked()
    shard.stop("grace")
    assert shard.end("duration") == ["OK"]
    assert shard.renew(entry) == ["CANCEL"]


def test_stop_refuses_a_mode_it_does_not_know(shard):
    shard.running()
    with pytest.raises(redis.ResponseError):
        shard.stop("gently")
    assert shard.hash()["state"] == "running"


def test_end_writes_reason_and_summary_once(shard):
    shard.route(shard.answered())
    assert shard.end("failed") == ["OK"]
    resolve = shard.events()[-1]
    assert (resolve["id"], resolve["reason"], json.loads(resolve["summary"])) == (
        ID + ":resolve", "failed", {"turns": 1, "tokens": 7})
    assert (shard.hash()["state"], shard.hash()["reason"]) == ("ended", "failed")
    assert shard.due() is None
    assert shard.end("other", summary="{}") == ["DUP"]
    assert shard.hash()["reason"] == "failed" and shard.event_names().count("resolve") == 1


def test_end_acks_the_response_given_also_when_repeated_or_gone(shard):
    response = shard.answered()
    stray = shard.db.xadd(shard.key("response", "1"), {"turn": 9})
    shard.hear()
    assert shard.end(response=response, summary='{"mine":1}') == ["OK"]
    assert shard.events()[-1]["summary"] == '{"mine":1}'
    assert shard.pending("response") == [stray]
    shard.db.delete(shard.key("conversation", ID))
    assert shard.end(response=stray) == ["GONE"]
    assert shard.pending("response") == []


@pytest.mark.parametrize("closing, reason", [(True, "stopped"), (False, "duration")])
def test_end_without_a_reason_keeps_the_closing_ones_or_takes_duration(shard, closing, reason):
    shard.asked()
    if closing:
        shard.stop("grace")
    assert shard.end(reason="") == ["OK"]
    assert (shard.hash()["reason"], shard.events()[-1]["reason"]) == (reason, reason)


# --- refuse


def test_refuse_answers_a_command_once_and_acks_it(shard):
    shard.lead()
    by = shard.command()
    before = shard.snapshot()
    assert shard.refuse(by, token="0:m0:n0") == ["STALE"]
    assert shard.snapshot() == before
    assert shard.refuse(by) == ["OK"]
    assert shard.refuse(by) == ["DUP"]
    assert shard.answers(by[1]) == ["NO unknown"] and shard.pending("control", "") == []
    assert 0 < shard.db.pttl(shard.key("answer", by[1])) <= 60000


# --- say


def test_say_puts_a_message_into_the_transcript_without_taking_a_turn(shard):
    entry = shard.asked()
    word, line = shard.say()
    assert word == "OK"
    assert shard.db.xrevrange(shard.key("transcript", ID), count=1)[0][0] == line
    assert shard.transcript()[-1] == {"kind": "event", "turn": "", "seat": "2", "at": shard.events()[-1]["at"],
                                      "message": "rain"}
    assert (shard.hash()["said"], shard.hash()["next"], shard.hash()["phase"]) == ("1", "1", "asked")
    assert (shard.events()[-1]["id"], shard.events()[-1]["transcript"]) == (ID + ":event:1", line)
    assert shard.commit(entry)[0] == "OK"
    assert shard.say() == ["DUP"]
    assert shard.say(number=1, by=("", "s2", shard.now_us() + 1000000)) == ["NO", "number"]
    assert shard.say(number=2, by=("", "s2", shard.now_us() + 1000000))[0] == "OK"


def test_say_is_not_repeated_once_its_entry_is_acked_though_its_answer_was_taken(shard):
    shard.running()
    by = shard.command()
    assert shard.say(by=by)[0] == "OK"
    shard.db.delete(shard.key("answer", by[1]))  # who asked has read it
    assert shard.say(number=2, by=by) == ["DUP"]
    assert shard.hash()["said"] == "1" and len(shard.transcript()) == 4


def test_say_of_a_number_that_is_taken_leaves_the_command_to_come_again(shard):
    shard.running()
    assert shard.say()[0] == "OK"
    by = shard.command()
    assert shard.say(number=1, by=by) == ["NO", "number"]
    assert shard.answers(by[1]) == [] and shard.pending("control", "") == [by[0]]
    assert shard.say(number=2, by=by)[0] == "OK"
    assert shard.pending("control", "") == []


def test_say_cannot_forge_a_turn_nor_outlive_its_answer(shard):
    shard.running()
    assert shard.say(kind="turn") == ["NO", "kind"]
    assert shard.say(by=("", "s9", shard.now_us() + 70000000)) == ["NO", "late"]
    assert shard.say(by=("", "s8", "")) == ["NO", "late"]
    with pytest.raises(redis.ResponseError):
        shard.say(by=("", "", shard.now_us() + 1000000))
    assert len(shard.transcript()) == 3


# --- trim


def test_trim_cuts_a_lane_up_to_the_oldest_pending_entry(shard):
    shard.lead()
    ids = [shard.db.xadd(shard.key("request", "1"), {"n": n}) for n in range(6)]
    for _ in range(5):
        shard.read()
    shard.db.xack(shard.key("request", "1"), "workers", ids[0], ids[1], ids[3])
    assert shard.trim(["request/1"], [""]) == ["OK", "2"]
    assert [entry for entry, _ in shard.db.xrange(shard.key("request", "1"))] == ids[2:]
    shard.db.xack(shard.key("request", "1"), "workers", ids[2], ids[4])
    assert shard.trim(["request/1"], [""]) == ["OK", "2"]
    assert [entry for entry, _ in shard.db.xrange(shard.key("request", "1"))] == ids[4:]
    assert shard.read()[0] == ids[5]


def test_trim_keeps_every_unread_entry_of_a_lane_and_lag_stays_true(shard):
    shard.lead()
    for n in range(10):
        shard.db.xadd(shard.key("request", "1"), {"n": n})
    assert shard.trim(["request/1"], [""]) == ["OK", "0"]
    for _ in range(4):
        shard.db.xack(shard.key("request", "1"), "workers", shard.read()[0])
    assert shard.trim(["request/1"], [""]) == ["OK", "3"]
    assert shard.db.xinfo_groups(shard.key("request", "1"))[0]["lag"] == 6


def test_trim_leaves_missing_streams_and_lanes_without_a_group_alone(shard):
    shard.lead()
    shard.db.xadd(shard.key("request", "99"), {"n": 1})
    assert shard.trim(["request/99", "request/98", "calls"], ["", "", 0]) == ["OK", "0"]
    assert not shard.db.exists(shard.key("request", "98"))


def test_trim_cuts_kept_streams_by_age_and_by_length(shard):
    shard.lead()
    now_ms = shard.now_us() // 1000
    key = shard.key("events")
    for n in range(10):
        shard.db.xadd(key, {"n": n}, id=f"{now_ms - 10000 + n * 1000}-0")
    assert shard.trim(["events"], [60000]) == ["OK", "0"]
    assert shard.trim(["events"], [7500]) == ["OK", "3"]
    assert shard.trim(["events"], [60000], max_len=4) == ["OK", "3"]
    assert [fields["n"] for _, fields in shard.db.xrange(key)] == ["6", "7", "8", "9"]


def test_trim_keeps_what_a_registered_group_has_not_done_with(shard):
    shard.lead()
    key = shard.key("events")
    ids = [shard.db.xadd(key, {"n": n}, id=f"{n + 1}-0") for n in range(6)]
    shard.db.xgroup_create(key, "bridge", "0")
    assert shard.trim(["events"], [0], max_len=1) == ["OK", "0"]
    shard.db.xreadgroup("bridge", "b1", {key: ">"}, count=4)
    shard.db.xack(key, "bridge", ids[0], ids[2])
    assert shard.trim(["events"], [0], max_len=1) == ["OK", "1"]
    assert [entry for entry, _ in shard.db.xrange(key)] == ids[1:]
    shard.db.xack(key, "bridge", ids[1], ids[3])
    assert shard.trim(["events"], [0], max_len=2) == ["OK", "3"]
    assert [entry for entry, _ in shard.db.xrange(key)] == ids[4:]


def test_trim_waits_for_the_slowest_of_several_groups(shard):
    shard.lead()
    key = shard.key("calls")
    ids = [shard.db.xadd(key, {"n": n}, id=f"{n + 1}-0") for n in range(4)]
    for group, count in (("fast", 4), ("slow", 2)):
        shard.db.xgroup_create(key, group, "0")
        shard.db.xreadgroup(group, "c", {key: ">"}, count=count, noack=True)
    shard.trim(["calls"], [0])
    assert [entry for entry, _ in shard.db.xrange(key)] == ids[1:]


def test_trim_tells_entries_of_one_millisecond_apart(shard):
    shard.lead()
    key = shard.key("calls")
    for n in range(4):
        shard.db.xadd(key, {"n": n}, id=f"7-{n + 9}")
    for group, read in (("b", "7-11"), ("a", "7-10"), ("c", "7-12")):
        shard.db.xgroup_create(key, group, read)
    assert shard.trim(["calls"], [0]) == ["OK", "1"]
    assert shard.db.xrange(key)[0][0] == "7-10"


@pytest.mark.parametrize("streams, keep, most", [(["calls"], [], 10), (["calls"], [0, 0], 10), (["calls"], [0], "x"),
                                                 (["calls"] * 65, [0] * 65, 10)])
def test_trim_refuses_arguments_that_do_not_fit_before_it_writes(shard, streams, keep, most):
    shard.lead()
    shard.db.xadd(shard.key("calls"), {"n": 1}, id="1-1")
    with pytest.raises(redis.ResponseError):
        shard.trim(streams, keep, max_len=most)
    assert shard.db.xlen(shard.key("calls")) == 1
    assert shard.trim(["calls"] * 64, [0] * 64) == ["OK", "1"]


def test_trim_in_the_middle_of_a_conversation_loses_no_turn(shard):
    shard.running(max_turns=20)
    streams = [f"{queue}/{lane}" for lane in ("1", "2") for queue in ("request", "response")]
    for turn in range(1, 21):
        lane = lane_of(turn)
        shard.trim(streams, [""] * 4)
        entry, _ = shard.read(lane)
        shard.trim(streams, [""] * 4)
        assert shard.commit(entry, turn, lane)[0] == "OK"
        shard.trim(streams, [""] * 4)
        response = shard.hear(lane)[0]
        shard.trim(streams, [""] * 4)
        assert shard.route(response, turn)[0] == "OK"
    assert shard.spoken() == [f"said {n}" for n in range(1, 21)]
    assert shard.db.xlen(shard.key("request", "1")) <= 2


# --- all together


def test_the_protocol_page_tells_each_scripts_head_word_for_word():
    page = (SCRIPTS.parents[1] / "docs" / "protocol.md").read_text()
    section = page[page.index("\n## Scripts\n"):page.index("\n## Decisions\n")]
    told = dict(re.findall(r"### (\w+)\n\n```\n(.*?)\n```\n", section, re.S))
    heads = {}
    for path in SCRIPTS.glob("*.lua"):
        lines = path.read_text().split("\n")
        end = next(n for n, line in enumerate(lines) if not line.startswith("--"))
        heads[path.stem] = "\n".join(line[3:] for line in lines[:end])
    assert told == heads


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.lua")), ids=lambda path: path.stem)
def test_a_script_takes_every_key_from_keys_and_decodes_no_json(path):
    code = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("--"))
    assert "cjson" not in code
    calls = re.findall(r"call(?:_redis)?\('(\w+)'(?:, '(?:CREATE|GROUPS|CONSUMERS|DELCONSUMER)')?(?:, ([\w\[\]]+))?", code)
    assert len(calls) == len(re.findall(r"call(?:_redis)?\('", code)) > 0
    for name, key in calls:
        assert name == "TIME" or key == "key" or key.startswith("KEYS["), (name, key)
    for helper in re.findall(r"(?:is_lost|needed)\((\w+\[?)", code):
        assert helper in ("key", "KEYS["), helper


def test_the_conversation_hash_stays_small(shard, db):
    shard.asked(duration_ms=300000, max_turns=50)
    stored = shard.hash()
    assert sum(len(field) + len(value) for field, value in stored.items()) < 1024
    assert db.object("encoding", shard.key("conversation", ID)) == "listpack"


class Play:
    """Plays a conversation with mishaps from a seed: calls doubled, workers dead, zombies, failures, pauses,
    new leaders, trims and lost entries. Whatever happens, the transcript must be turns 1 to n, once each."""

    TURNS = 40

    def __init__(self, shard, seed):
        self.shard, self.random = shard, random.Random(seed)
        self.leaders, self.zombies, self.old_tokens = 1, [], []

    def twice(self, call):
        """The answer of a call whose first reply may have been lost; the second must not undo or double it."""
        first = call()
        if self.random.random() < 0.3:
            second = call()
            if first[0] == "OK":
                assert second[0] in ("DUP", "NOTHING", "OK"), second
        return first

    def haunt(self):
        for entry, turn, name, deliveries in self.zombies:
            answer = self.random.choice([self.shard.commit, self.shard.fail])(
                entry, turn, lane_of(turn), name, deliveries)
            assert answer[0] in ("FENCED", "DUP", "GONE", "ENDED"), answer
        for token in self.old_tokens[-2:]:
            assert self.shard.route("1-1", 1, token=token) == ["STALE"]

    def manage(self):
        shard, dice = self.shard, self.random.random()
        if dice < 0.1:
            self.leaders += 1
            self.old_tokens.append(shard.token)
            shard.db.delete(shard.key("leader"))
            assert shard.lead(f"m{self.leaders}", "n")[0] == "OK"
        elif dice < 0.2:
            cancel = self.random.choice([0, 1])
            shard.pause(by=shard.command(), cancel=cancel)
        elif dice < 0.4:
            streams = [f"{queue}/{lane}" for lane in ("1", "2") for queue in ("request", "response")]
            shard.trim(streams + ["events"], [""] * 4 + [3600000])

    def ask(self):
        """The request in flight as (entry, name, deliveries), or None where there is none to be had."""
        shard, state = self.shard, self.shard.hash()
        lane = state["lane"]
        if state["state"] == "paused" and self.random.random() < 0.7:
            self.twice(lambda: shard.resume(by=("", "", "")))
        if self.random.random() < 0.1:
            shard.db.xtrim(shard.key("request", lane), maxlen=0, approximate=False)
        got = shard.read(lane, "w1")
        if got:
            return got[0], "w1", 1
        shard.beat("w2", "n1")
        claimed = [(entry, int(count)) for entry, count, _ in shard.claim(lane, "w2")[1:] if int(count)]
        if claimed:
            return claimed[-1][0], "w2", claimed[-1][1]
        self.twice(lambda: shard.reissue(int(state["next"]), lane=lane))
        return None

    def work(self, entry, name, deliveries):
        shard, turn = self.shard, int(self.shard.hash()["next"])
        lane = lane_of(turn)
        dice = self.random.random()
        if dice < 0.2:
            shard.beat("w3", "n1")
            taken = [item for item in shard.claim(lane, "w3")[1:] if item[0] == entry and item[1] != "0"]
            if taken:
                self.zombies = self.zombies[-3:] + [(entry, turn, name, deliveries)]
                self.haunt()
                name, deliveries = "w3", int(taken[0][1])
        if dice > 0.85:
            self.twice(lambda: shard.fail(entry, turn, lane, name, deliveries))
        else:
            self.twice(lambda: shard.commit(entry, turn, lane, name, deliveries))

    def route(self):
        shard = self.shard
        for lane in ("1", "2"):
            shard.hear(lane)
            for entry in shard.pending("response", lane):
                fields = dict(shard.db.xrange(shard.key("response", lane), entry, entry)[0][1])
                turn = int(fields["turn"])
                if fields["status"] == "failed":
                    if self.twice(lambda: shard.reissue(turn, entry, lane))[0] == "NO":
                        self.twice(lambda: shard.route(entry, turn, lane, tokens="", message=f"said {turn}"))
                else:
                    self.twice(lambda: shard.route(entry, turn, lane, message=fields["message"]))

    def play(self):
        shard = self.shard
        shard.running(max_turns=self.TURNS)
        for _ in range(self.TURNS * 30):
            if shard.hash()["state"] == "ended":
                return
            self.manage()
            self.haunt()
            asked = self.ask()
            if asked:
                self.work(*asked)
            self.route()
        raise AssertionError(f"stuck: {shard.hash()}")


@pytest.mark.parametrize("seed", range(20))
def test_a_conversation_with_mishaps_has_every_turn_once_in_order(shard, seed):
    Play(shard, seed).play()
    expected = list(range(1, Play.TURNS + 1))
    assert shard.spoken() == [f"said {n}" for n in expected]
    turns = [line for line in shard.transcript() if line["kind"] == "turn"]
    assert [(int(line["turn"]), line["seat"]) for line in turns] == [(n, lane_of(n)) for n in expected]
    assert [e["id"] for e in shard.events() if e["event"] == "dialogue.progress"] == [f"{ID}:{n}" for n in expected]
    assert len({event["id"] for event in shard.events()}) == len(shard.events())
    assert shard.event_names()[-1] == "resolve" and shard.hash()["turns"] == str(Play.TURNS)
    for lane in ("1", "2"):
        assert shard.pending("response", lane) == []
