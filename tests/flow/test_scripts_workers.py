"""The scripts where workers die: whose name is taken over, what must run alone, which calls are lost."""
from test_scripts import shard  # noqa: F401 - a fixture


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
    taken, waits = shard.claim(alone=3)[1:]
    assert (taken[:2], waits) == ([ids[0], "2"], [ids[1], "-1", []])
    held = shard.db.xpending_range(shard.key("request", "1"), "workers", ids[1], ids[1], 1)[0]
    assert (held["consumer"], held["times_delivered"]) == ("w1", 2)
    assert shard.claim(alone=3, in_hand=[ids[0]]) == ["OK", [ids[1], "-1", []]]
    assert [got[:2] for got in shard.claim(alone=3)[1:]] == [[ids[1], "3"]]


def test_an_own_entry_that_must_be_alone_is_taken_alone_too(shard):
    ids = requests(shard, 2)
    delivered(shard, ids[0], 3)
    shard.beat("w1")
    assert [got[:2] for got in shard.claim(name="w1", own=1, alone=3)[1:]] == [[ids[0], "4"]]


def test_an_entry_that_must_be_alone_and_vanished_leaves_room_for_others(shard):
    ids = requests(shard, 2)
    delivered(shard, ids[0], 4)
    shard.db.xtrim(shard.key("request", "1"), minid=ids[1], approximate=False)
    shard.beat("w2")
    assert [got[:2] for got in shard.claim(alone=3)[1:]] == [[ids[0], "0"], [ids[1], "2"]]
