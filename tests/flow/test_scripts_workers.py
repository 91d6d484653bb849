"""The scripts where workers die: whose name is taken over, what must run alone, which calls are lost."""
import datetime

import pytest

from test_scripts import ID, shard  # noqa: F401 - a fixture


def delivered(shard, entry, times):
    """The entry as if `times` workers had had it, the last of them w1."""
    shard.db.xclaim(shard.key("request", "1"), "workers", "w1", 0, [entry], retrycount=times, justid=True)


def requests(shard, count):
    """So many requests in w1's hands."""
    shard.lead()
    for n in range(count):
        shard.db.xadd(shard.key("request", "1"), {"turn": n})
    return [shard.read()[0] for _ in range(count)]


# --- beat


def test_a_name_is_given_to_the_heir_of_its_holder_at_once(shard):
    shard.beat("w1", "n1", 9000, "host", "a", "pid", "7", "space", "s")
    assert shard.beat("w1", "n2") == ["HELD", "n1", "a", "7", "s"]
    assert shard.beat("w1", "n2", heir_of="n1")[0] == "OK"
    assert shard.db.get(shard.key("member", "w1", "lock")) == "n2"
    assert shard.beat("w1", "n1")[:2] == ["HELD", "n2"]


def test_a_name_is_not_given_to_the_heir_of_somebody_else(shard):
    shard.beat("w1", "n1")
    assert shard.beat("w1", "n2", heir_of="n1")[0] == "OK"
    before = shard.snapshot()
    assert shard.beat("w1", "n3", heir_of="n1")[:2] == ["HELD", "n2"]
    assert shard.snapshot() == before


# --- claim


def test_an_entry_that_must_be_alone_is_taken_alone_and_nothing_with_it(shard):
    ids = requests(shard, 3)
    delivered(shard, ids[0], 2)
    shard.beat("w2")
    assert [got[:2] for got in shard.claim(alone=3)[1:]] == [[ids[0], "3"]]
    shard.beat("w3")
    assert [got[:2] for got in shard.claim(name="w3", alone=3, lease_ms=60000)[1:]] == []


def test_an_entry_that_must_be_alone_waits_while_the_caller_has_others_in_hand(shard):
    ids = requests(shard, 3)
    delivered(shard, ids[1], 2)
    shard.beat("w2")
    taken, waits, after = shard.claim(alone=3)[1:]
    assert (taken[:2], waits, after[:2]) == ([ids[0], "2"], [ids[1], "-1", []], [ids[2], "2"])
    held = shard.db.xpending_range(shard.key("request", "1"), "workers", ids[1], ids[1], 1)[0]
    assert (held["consumer"], held["times_delivered"]) == ("w1", 2)
    assert shard.claim(alone=3, in_hand=[ids[0], ids[2]]) == ["OK", [ids[1], "-1", []]]
    assert [got[:2] for got in shard.claim(alone=3)[1:]] == [[ids[1], "3"]]


def test_an_own_entry_that_must_be_alone_is_taken_alone_too(shard):
    ids = requests(shard, 2)
    delivered(shard, ids[0], 3)
    shard.beat("w1")
    assert [got[:2] for got in shard.claim(name="w1", own=1, alone=3)[1:]] == [[ids[0], "4"]]


def test_all_of_a_predecessors_turns_are_taken_in_one_claim(shard):
    ids = requests(shard, 500)
    shard.beat("w1")
    assert [got[0] for got in shard.claim(name="w1", own=1, free=500, lease_ms=60000)[1:]] == ids


def test_an_entry_that_must_be_alone_and_vanished_leaves_room_for_others(shard):
    ids = requests(shard, 2)
    delivered(shard, ids[0], 4)
    shard.db.xtrim(shard.key("request", "1"), minid=ids[1], approximate=False)
    shard.beat("w2")
    assert [got[:2] for got in shard.claim(alone=3)[1:]] == [[ids[0], "0"], [ids[1], "2"]]


# --- lost calls


def name(delivery, issue=1, letters="abcd1"):
    return f"{ID}:1/{issue}.{delivery}-{letters}"


def lost(shard):
    calls = [fields for _, fields in shard.db.xrange(shard.key("calls"))]
    assert all(call["outcome"] == "lost" for call in calls), calls
    return [call["call"] for call in calls]


def taken_over(shard, call):
    """Turn 1 with a call begun by w1, claimed by w2."""
    entry = shard.asked()
    assert shard.renew(entry, call=call)[0] == "OK"
    shard.beat("w2")
    assert shard.claim()[1][0] == entry
    return entry


def test_a_call_left_by_an_earlier_delivery_is_told_as_lost_once(shard):
    before = shard.now_us()
    entry = taken_over(shard, name(1) + "~2")
    for call in ("", "", name(2), name(2)):
        assert shard.renew(entry, name="w2", deliveries=2, call=call)[0] == "OK"
    (_, told), = shard.db.xrange(shard.key("calls"))
    assert {key: told[key] for key in ("conversation", "turn", "issue", "delivery", "call", "seat", "attempt", "outcome",
                                       "worker")} == {
        "conversation": ID, "turn": "1", "issue": "1", "delivery": "1", "call": name(1) + "~2", "seat": "1",
        "attempt": "2", "outcome": "lost", "worker": "w1"}
    for at in (told["started_at"], told["ended_at"]):
        moment = datetime.datetime.strptime(at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
        assert before - 1 <= moment.timestamp() * 1e6 <= shard.now_us() + 1
    assert (shard.hash()["attempts"], shard.hash()["call"], shard.hash()["caller"]) == ("2", name(2), "w2")


def test_who_tells_of_a_lost_call_is_given_its_id_and_nobody_else(shard):
    entry = taken_over(shard, name(1) + "~2")
    for call, more in (("", [name(1) + "~2"]), ("", []), (name(2), [])):
        assert shard.renew(entry, name="w2", deliveries=2, call=call) == ["OK", "", *more]
    shard.stop()
    shard.beat("w3")
    shard.claim(name="w3")
    assert shard.renew(entry, name="w3", deliveries=3, call="") == ["CANCEL", name(2)]
    assert shard.renew(entry, name="w3", deliveries=3, call="") == ["CANCEL"]


@pytest.mark.parametrize("date", ["1970-01-01", "1999-12-31", "2000-02-29", "2024-02-29", "2026-03-01", "2100-02-28",
                                  "2100-03-01", "2096-02-29"])
def test_a_lost_calls_start_is_told_as_a_date_of_the_calendar(shard, date):
    entry = taken_over(shard, name(1))
    moment = datetime.datetime.fromisoformat(date + "T23:59:59+00:00")
    shard.tamper(called_at=int(moment.timestamp()) * 1000000 + 42)
    shard.renew(entry, name="w2", deliveries=2, call="")
    (_, told), = shard.db.xrange(shard.key("calls"))
    assert told["started_at"] == date + "T23:59:59.000042Z"


def test_the_calls_of_one_delivery_are_its_own_to_tell(shard):
    entry = shard.asked()
    for call in ("", name(1), name(1) + "~2", "", name(1, letters="abcd1r"), ""):
        shard.renew(entry, call=call)
    assert lost(shard) == [] and shard.hash()["call"] == "" and shard.hash()["attempts"] == "3"


def test_a_call_that_ended_before_its_maker_died_is_not_lost(shard):
    entry = taken_over(shard, name(1))
    shard.renew(entry, name="w2", deliveries=2, call=name(2))
    shard.renew(entry, name="w2", deliveries=2, call="")
    shard.beat("w3")
    shard.claim(name="w3")
    shard.renew(entry, name="w3", deliveries=3, call="")
    assert lost(shard) == [name(1)]


def test_a_call_that_was_handed_back_is_not_lost(shard):
    entry = shard.asked()
    shard.renew(entry, call=name(1))
    assert shard.release(entry, call=name(1)) == ["OK"]
    shard.beat("w2")
    shard.claim()  # and dies before it has renewed
    shard.beat("w3")
    shard.claim(name="w3")
    shard.renew(entry, name="w3", deliveries=2, call="")
    assert lost(shard) == []


def test_a_call_that_failed_is_not_lost_when_its_turn_is_asked_for_again(shard):
    entry = shard.asked()
    shard.renew(entry, call=name(1))
    shard.fail(entry)
    shard.reissue(failed=shard.hear()[0])
    shard.renew(shard.read()[0], call="", issue=2)
    assert lost(shard) == []


def test_a_call_of_a_request_that_vanished_is_lost_to_the_next_issue(shard):
    entry = shard.asked()
    shard.renew(entry, call=name(1))
    shard.db.xtrim(shard.key("request", "1"), maxlen=0, approximate=False)
    shard.db.xack(shard.key("request", "1"), "workers", entry)
    assert shard.reissue()[0] == "OK"
    shard.renew(shard.read()[0], call=name(1, 2), issue=2)
    assert lost(shard) == [name(1)]


@pytest.mark.parametrize("how", ["stopped", "dropped by a pause"])
def test_a_call_of_a_turn_that_is_wanted_no_more_is_lost_with_its_maker(shard, how):
    entry = taken_over(shard, name(1))
    shard.stop() if how == "stopped" else shard.pause(cancel=1)
    assert shard.renew(entry, name="w2", deliveries=2, call="")[0] in ("CANCEL", "GONE")
    shard.renew(entry, name="w2", deliveries=2, call="")
    assert lost(shard) == [name(1)]


@pytest.mark.parametrize("how", ["stopped", "dropped by a pause"])
def test_a_call_whose_maker_hears_that_it_is_wanted_no_more_is_its_makers_to_tell(shard, how):
    entry = shard.asked()
    shard.renew(entry, call=name(1))
    shard.stop() if how == "stopped" else shard.pause(cancel=1)
    assert shard.renew(entry, call=name(1))[0] in ("CANCEL", "GONE")
    assert lost(shard) == [] and shard.hash()["call"] == ""


def test_a_zombie_that_hears_of_the_end_first_tells_nothing_of_its_successors_call(shard):
    entry = taken_over(shard, name(1))
    shard.renew(entry, name="w2", deliveries=2, call=name(2))
    shard.stop()
    assert shard.renew(entry, call=name(1)) == ["CANCEL"]
    assert lost(shard) == [name(1)] and shard.hash()["call"] == name(2)


def test_who_is_fenced_tells_nothing(shard):
    entry = taken_over(shard, name(1))
    assert shard.renew(entry, name="w3", deliveries=2, call="") == ["FENCED"]
    assert lost(shard) == []


def test_the_call_of_the_turn_before_is_nobodys_loss(shard):
    entry = shard.asked()
    shard.renew(entry, call=name(1))
    shard.commit(entry)
    shard.route(shard.hear()[0])
    assert shard.renew(shard.read("2")[0], turn=2, lane="2", call="")[0] == "OK"
    assert lost(shard) == []


# --- turns given up


def buried(shard, **limits):
    """Turn 1 given up by w1, its conversation ended by the leader; the record's id."""
    entry = shard.asked(**limits)
    assert shard.dead(entry, most=0)[0] == "OK"
    response = shard.hear()[0]
    assert shard.reissue(failed=response) == ["NO", "poison"]
    assert shard.end(response=response) == ["OK"]
    return shard.db.xrange(shard.key("dead"))[0][0]


def test_a_failed_conversation_keeps_what_was_left_of_its_clock(shard):
    buried(shard, duration_ms=300000)
    assert 290000 < int(shard.hash()["left_ms"]) <= 300000


@pytest.mark.parametrize("duration_ms", ["", 300000])
def test_revive_asks_for_the_turn_again_with_what_was_left_of_the_clock(shard, duration_ms):
    record = buried(shard, duration_ms=duration_ms)
    left_ms, by = shard.hash()["left_ms"], shard.command()
    word, request = shard.revive(record, by=by)
    stored, (entry, fields) = shard.hash(), shard.read()
    assert word == "OK" and entry == request == stored["request"]
    assert (fields["turn"], fields["issue"], fields["left_ms"]) == ("1", "2", left_ms)
    assert (stored["state"], stored["reason"], stored["phase"], stored["ended_at"]) == ("running", "", "asked", "")
    if duration_ms:
        left = int(stored["deadline"]) - int(fields["at"])
        assert left == int(left_ms) * 1000
    assert shard.due() is not None and shard.db.xlen(shard.key("dead")) == 0
    assert (shard.events()[-1]["event"], shard.events()[-1]["reason"]) == ("dialogue.resume", "revived")
    assert shard.answers(by[1]) == [f"OK {request}"] and shard.pending("control", "") == []
    assert shard.commit(entry)[0] == "OK"
    assert shard.route(shard.hear()[0])[0] == "OK"


def test_revive_asked_twice_is_dup_and_changes_nothing(shard):
    record, by = buried(shard), shard.command()
    shard.revive(record, by=by)
    before = shard.snapshot()
    assert shard.revive(record, by=by) == ["DUP"]
    assert shard.snapshot() == before


def test_revive_by_another_command_finds_no_record_any_more(shard):
    record = buried(shard)
    shard.revive(record)
    assert shard.revive(record, by=shard.command()) == ["NO", "record"]


@pytest.mark.parametrize("why", ["record", "turn", "time", "stopped", "running", "late", "stale", "gone"])
def test_revive_is_refused_where_it_does_not_fit(shard, why):
    record, by = buried(shard, duration_ms=300000), shard.command(-1 if why == "late" else 5000)
    tamper = {"turn": {"next": "2", "turns": "1"}, "time": {"left_ms": "0"}, "stopped": {"reason": "stopped"},
              "running": {"state": "running"}}.get(why)
    if tamper:
        shard.tamper(**tamper)
    if why == "gone":
        shard.db.delete(shard.key("conversation", ID))
    before = shard.snapshot()
    answer = shard.revive("1-1" if why == "record" else record, by=by, token="1:m0:n" if why == "stale" else None)
    assert answer == {"stale": ["STALE"], "gone": ["GONE"]}.get(why, ["NO", why])
    assert len(shard.answers(by[1])) == (why != "stale")
    assert shard.pending("control", "") == ([by[0]] if why == "stale" else [])
    after = shard.snapshot()
    for key in (shard.key("control"), shard.key("answer", by[1])):
        before.pop(key, None)
        after.pop(key, None)
    assert after == before


def test_revive_refuses_a_record_of_another_conversation(shard):
    record = buried(shard)
    fields = shard.db.xrange(shard.key("dead"))[0][1]
    other = shard.db.xadd(shard.key("dead"), {**fields, "conversation": "another00000"})
    assert shard.revive(other) == ["NO", "record"]
    assert shard.revive(record)[0] == "OK"
    shard.db.delete(shard.key("dead"))


def test_drop_takes_the_record_out_and_leaves_the_conversation(shard):
    record, by = buried(shard), shard.command()
    stored = shard.hash()
    assert shard.drop(record, by=by) == ["OK"]
    assert shard.db.xlen(shard.key("dead")) == 0 and shard.hash() == stored
    assert shard.answers(by[1]) == ["OK"] and shard.pending("control", "") == []
    assert shard.drop(record, by=by) == ["DUP"]
    again = shard.command()
    assert shard.drop(record, by=again) == ["NO", "record"] and shard.answers(again[1]) == ["NO record"]


@pytest.mark.parametrize("record", ["", "1", "x-1", "1-x", "9" * 20 + "-1", "1-" + "9" * 20, "9" * 40 + "-0"])
def test_a_record_that_is_no_entry_id_is_answered_not_left_to_fail_again(shard, record):
    kept = buried(shard)
    by = shard.command()
    assert shard.drop(record, by=by) == ["NO", "record"] and shard.answers(by[1]) == ["NO record"]
    assert shard.revive(record, by=shard.command()) == ["NO", "record"]
    assert shard.pending("control", "") == [] and shard.db.xrange(shard.key("dead"))[0][0] == kept


def test_drop_by_a_stale_leader_or_too_late_drops_nothing(shard):
    record = buried(shard)
    assert shard.drop(record, by=shard.command(), token="1:m0:n") == ["STALE"]
    assert shard.drop(record, by=shard.command(-1)) == ["NO", "late"]
    assert shard.db.xlen(shard.key("dead")) == 1


def test_dead_keeps_some_ten_thousand_records(shard):
    with shard.db.pipeline() as pipe:
        for n in range(10500):
            pipe.xadd(shard.key("dead"), {"n": n})
        pipe.execute()
    shard.dead(shard.asked(), most=0)
    assert 10000 <= shard.db.xlen(shard.key("dead")) < 10200
