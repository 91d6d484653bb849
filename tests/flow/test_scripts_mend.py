"""The script that takes out of a transcript what half a step left there."""
import pytest

from test_scripts import ID, shard  # noqa: F401 - a fixture


def mend(shard, token=None):
    keys = [f"conversation/{ID}", f"transcript/{ID}", "events", "epoch"]
    return shard.run("mend", keys, ID, shard.token if token is None else token)


def lines(shard):
    return [(one["kind"], one["turn"], one["seat"], one["message"]) for _, one in
            shard.db.xrange(shard.key("transcript", ID))]


def add(shard, kind, turn="", seat="", message="half"):
    shard.tampered = True
    shard.db.xadd(shard.key("transcript", ID),
                  {"kind": kind, "turn": turn, "seat": seat, "at": shard.now_us(),
                   "message": message})


def mended(shard):
    return [(one["turn"], one["reason"]) for one in shard.events()
            if one["event"] == "history.mended"]


def test_a_turn_that_is_still_awaited_is_taken_out_and_routed_once(shard):
    response = shard.answered()
    before = lines(shard)
    add(shard, "turn", 1, 1)
    assert mend(shard) == ["OK", "1"]
    assert lines(shard) == before and mended(shard) == [("1", "1 taken out")]
    assert mend(shard) == ["NOTHING"]
    assert shard.route(response)[0] == "OK"
    assert [line[1] for line in lines(shard) if line[0] == "turn"] == ["1"]
    assert mend(shard) == ["NOTHING"]


def test_of_a_turn_that_came_again_in_full_the_earlier_line_goes(shard):
    """As a later start of Redis leaves it: the half is followed by all that was done since."""
    shard.running()
    shard.turn(1)
    add(shard, "turn", 2, 2)
    shard.turn(2)
    shard.turn(3)
    full = [line for line in lines(shard) if line[3] != "half"]
    assert mend(shard) == ["OK", "1"]
    assert lines(shard) == full and mended(shard) == [("2", "1 taken out")]
    shard.turn(4)
    assert mend(shard) == ["NOTHING"]


@pytest.mark.parametrize("ended", [False, True])
def test_half_a_begin_goes_before_and_after_the_whole_one(shard, ended):
    shard.lead()
    assert shard.open()[0] == "OK"
    for again in range(2):
        add(shard, "story")
        add(shard, "persona", seat=1)
        if not again:
            assert mend(shard) == ["OK", "2"] and lines(shard) == []
    assert shard.begin()[0] == "OK"
    if ended:
        assert shard.stop()[0] == "OK"
    assert mend(shard) == ["OK", "2"]
    assert [line[:3] for line in lines(shard)] == [("story", "", ""), ("persona", "", "1"),
                                                   ("persona", "", "2")]
    assert "half" not in [line[3] for line in lines(shard)]


def test_what_cannot_be_told_is_left(shard):
    shard.running()
    assert shard.say()[0] == "OK"
    assert mend(shard) == ["NOTHING"]
    add(shard, "event", message="said by whom")
    before = shard.snapshot()
    assert mend(shard) == ["NO", "1"]
    assert shard.snapshot() == before


def test_who_leads_no_longer_mends_nothing_and_neither_is_what_is_not_there(shard):
    shard.lead()
    assert mend(shard) == ["GONE"]
    shard.open()
    shard.begin()
    add(shard, "turn", 1, 1)
    before = shard.snapshot()
    assert mend(shard, "7:m9:n9") == ["STALE"]
    assert shard.snapshot() == before
    assert mend(shard) == ["OK", "1"]
