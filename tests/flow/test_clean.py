"""parley clean: what has ended is exported, then removed; what goes on, or could not be copied, stays."""
import json
import os
import pathlib
import signal
import time

import pytest
import redis

from helpers import (Fleet, OnTerminal, assert_once_and_in_order, box, complaints, read_lines, turns_of,
                     wait_for)  # noqa: F401 - box is a fixture

K = "parley:{0}"
FILES = ["calls.jsonl", "cast.json", "conversation.json", "events.jsonl", "transcript.jsonl"]


@pytest.fixture
def fleet(box):
    fleet = Fleet(box)
    yield fleet
    fleet.box.stop_all()


@pytest.fixture
def talked(fleet):
    """A fleet with three conversations that have ended and one that is paused; their ids."""
    fleet.crew("--provider", "echo")
    ended = fleet.begin("--dry-run", "--turns", 4, "--conversations", 3).split("\n")
    for conversation in ended:
        fleet.wait_end(conversation)
    paused = fleet.begin("--dry-run", "--turns", 100000)
    fleet.wait_turns(paused, 1)
    assert fleet.box.parley("pause", paused).returncode == 0
    wait_for(lambda: fleet.talk(paused)["state"] == "paused", "it is paused")
    return ended, paused


def clean(fleet, *words, **more):
    return fleet.box.parley("clean", "--older-than", "0s", *words, **more)


def keys_of(fleet, conversation):
    return fleet.db.keys(f"{K}:*:{conversation}")


def known(fleet):
    return set(fleet.db.zrange(f"{K}:conversations", 0, -1))


def test_ended_conversations_are_exported_then_gone_and_others_stay(fleet, talked):
    ended, paused = talked
    out = pathlib.Path(fleet.box.path("old"))
    before = {one: [entry["message"] for _, entry in
                    fleet.db.xrange(f"{K}:transcript:{one}")] for one in ended}
    done = clean(fleet, "--out", out)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3 and done.stdout.count(f"kept in {out}/") == 3
    assert known(fleet) == {paused} and all(keys_of(fleet, one) == [] for one in ended)
    assert fleet.talk(paused)["state"] == "paused"
    assert sorted(path.name for path in out.iterdir()) == sorted(ended)
    for one in ended:
        assert sorted(path.name for path in (out / one).iterdir()) == FILES
        assert (out / one / "transcript.jsonl").read_text().splitlines() == before[one]
        assert_once_and_in_order(read_lines(out / one / "transcript.jsonl"), 4)
        for name, schema in (("calls", "call"), ("events", "event")):
            lines = read_lines(out / one / f"{name}.jsonl")
            assert len(lines) >= 4 and {line["conversation"] for line in lines} == {one}
            assert [complaints(schema, line) for line in lines if complaints(schema, line)] == []
        facts = json.loads((out / one / "conversation.json").read_text())
        assert (facts["id"], facts["state"], facts["turns"]) == (one, "ended", 4)
        cast = json.loads((out / one / "cast.json").read_text())
        assert cast["seat:1"]["persona"]["name"] and cast["wish"]["max_turns"] == 4
    assert fleet.box.parley("resume", paused).returncode == 0
    fleet.wait_turns(paused, 3)  # the fleet did not mind
    events = [entry["event"] for _, entry in fleet.db.xrange(f"{K}:events")]
    assert "history.lost" not in events


def test_only_what_ended_long_enough_ago_is_removed_unless_it_is_named(fleet, talked):
    ended, paused = talked
    done = fleet.box.parley("clean", "--no-export")  # a week is the default
    assert (done.returncode, done.stdout) == (0, "") and "nothing to remove" in done.stderr
    assert fleet.box.parley("clean", "--out", "").returncode == 0  # as if it were not given
    long_ago = int(time.time() - 8 * 86400) * 1000000
    fleet.db.hset(f"{K}:conversation:{ended[0]}", "ended_at", long_ago)
    assert fleet.box.parley("clean", "--no-export").stdout.split()[0] == ended[0]
    assert known(fleet) == {*ended[1:], paused}
    done = fleet.box.parley("clean", "--no-export", "--json", ended[1], paused, "zzzzzzzzzzzz")
    assert done.returncode == 1
    assert json.loads(done.stdout)["conversation"] == ended[1]
    assert f"{paused} stays, it is paused" in done.stderr and "zzzzzzzzzzzz stays, " in done.stderr
    assert known(fleet) == {ended[2], paused}
    assert fleet.box.parley("clean", "no such id").returncode == 2


def test_dry_run_and_a_no_on_the_terminal_remove_nothing(fleet, talked):
    ended, paused = talked
    done = clean(fleet, "--dry-run")
    assert done.returncode == 0 and done.stdout.count("would be removed") == 3
    assert not (fleet.box.state / "parley" / "exports").exists()
    for answer, stay in ((b"n\n", {*ended, paused}), (b"y\n", {paused})):
        terminal = OnTerminal(fleet.box, "clean", "--older-than", "0s")
        wait_for(lambda on=terminal: b"[y/N]" in on.read(), "it asks")
        assert b"Remove 3 ended conversations from " in terminal.data
        os.write(terminal.master, answer)
        assert terminal.wait(30) == 0
        terminal.close()
        assert known(fleet) == stay
    kept = fleet.box.state / "parley" / "exports"
    assert sorted(path.name for path in kept.iterdir()) == sorted(ended)


def test_what_cannot_be_exported_is_not_removed(fleet, talked):
    ended, paused = talked
    out = pathlib.Path(fleet.box.path("old"))
    out.mkdir()
    (out / ended[1]).write_text("in the way")
    done = clean(fleet, "--out", out)
    assert done.returncode == 1
    assert f"{ended[1]} stays, it could not be exported: " in done.stderr
    assert known(fleet) == {ended[1], paused} and len(keys_of(fleet, ended[1])) >= 3
    (out / ended[1]).unlink()
    assert clean(fleet, "--out", out).returncode == 0
    assert known(fleet) == {paused}
    assert_once_and_in_order(read_lines(out / ended[1] / "transcript.jsonl"), 4)


def test_many_go_page_by_page_and_who_goes_on_between_them_stays(fleet):
    """140 ended among 10 that go on: only those are gone; a name with nothing behind it goes, too."""
    pipe = fleet.db.pipeline()
    for number in range(150):
        one = f"{number:012d}"
        pipe.hset(f"{K}:conversation:{one}", mapping={
            "state": "running" if number % 15 == 0 else "ended", "ended_at": number + 1, "turns": 1})
        pipe.hset(f"{K}:cast:{one}", "version", 1)
        pipe.xadd(f"{K}:transcript:{one}", {"message": '{"kind":"turn"}'})
        pipe.zadd(f"{K}:conversations", {one: number})
    pipe.zadd(f"{K}:conversations", {"a" * 12: 5, "no id of ours": 6})
    pipe.execute()
    out = pathlib.Path(fleet.box.path("old"))
    done = clean(fleet, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert {json.loads(line)["result"] for line in done.stdout.splitlines()} == {"removed"}
    assert len(list(out.iterdir())) == len(done.stdout.splitlines()) == 140
    assert known(fleet) == {f"{number:012d}" for number in range(0, 150, 15)} | {"no id of ours"}
    assert len(fleet.db.keys(f"{K}:*")) == 3 * 10 + 1


def test_what_is_left_of_one_whose_hash_is_gone_stays_and_is_named(fleet, talked):
    """A Redis that throws keys away when it is full: there would be no whole copy."""
    ended, paused = talked
    fleet.db.delete(f"{K}:conversation:{ended[1]}")
    left = len(keys_of(fleet, ended[1]))
    done = clean(fleet)
    assert done.returncode == 1
    assert f"{ended[1]} stays, Redis has only parts of it" in done.stderr
    assert known(fleet) == {ended[1], paused} and len(keys_of(fleet, ended[1])) == left >= 2
    assert clean(fleet, "--no-export").returncode == 0
    assert known(fleet) == {paused} and keys_of(fleet, ended[1]) == []


def test_forget_takes_ended_conversations_only_and_may_be_asked_twice(fleet):
    """The script by itself: OK, GONE, NO."""
    path = pathlib.Path(__file__).resolve().parents[2] / "common" / "scripts" / "forget.lua"
    script = fleet.db.register_script(path.read_text())
    keys = [f"{K}:{name}" for name in ("conversation:x", "cast:x", "transcript:x", "live:x",
                                       "conversations", "due", "asked:x")]

    def forget():
        return script(keys=keys, args=["x"])
    for state in ("preparing", "running", "paused", "closing"):
        fleet.db.hset(keys[0], "state", state)
        assert forget() == ["NO", state]
    fleet.db.hset(keys[0], "state", "ended")
    fleet.db.hset(keys[1], "version", 1)
    fleet.db.xadd(keys[2], {"message": "{}"})
    fleet.db.zadd(keys[4], {"x": 1, "y": 2})
    fleet.db.zadd(keys[5], {"x": 1})
    fleet.db.hset(keys[6], "1", "{}")
    assert forget() == ["OK"]
    assert fleet.db.keys("*") == [keys[4]] and fleet.db.zrange(keys[4], 0, -1) == ["y"]
    assert forget() == ["GONE"]
    fleet.db.xadd(keys[2], {"message": "{}"})
    assert forget() == ["GONE"] and fleet.db.keys("*") == [keys[4]]
    with pytest.raises(redis.ResponseError):
        fleet.db.set(keys[0], "no hash")
        forget()


def test_folders_of_old_runs_go_but_not_the_newest_nor_one_that_is_alive(box):
    """--runs: by the age of run.json; what is no folder of a run is not touched."""
    runs = box.state / "parley" / "runs"
    for _ in range(3):
        assert box.parley("run", "--dry-run", "--turns", 1, "--observe", "none").returncode == 0
    live = box.start("run", "--dry-run", "--turns", 1000000, "--observe", "none", "--out",
                     runs / "alive")
    wait_for(lambda: (runs / "alive" / "run.json").exists(), "the run has begun")
    wait_for(lambda: "turn" in (runs / "alive" / "transcript.jsonl").read_text(), "it talks")
    (runs / "mine").mkdir()
    (runs / "mine" / "run.json").write_text('{"ended_at": null}')
    ended = sorted(path for path in runs.iterdir()
                   if path.name not in ("alive", "mine", "latest"))
    assert len(ended) == 3
    for age, path in zip((90, 80, 70, 60, 0), [runs / "alive", runs / "mine", *ended]):
        os.utime(path / "run.json", (time.time() - age * 86400,) * 2)
    done = box.parley("clean", "--runs")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [f"{path}  removed" for path in ended[:2]]
    assert sorted(path.name for path in runs.iterdir()) == sorted(
        ["alive", "latest", "mine", ended[2].name])
    assert box.parley("clean", "--runs", "abcabcabcabc").returncode == 2
    live.send_signal(signal.SIGINT)
    assert live.wait(30) == 130
