"""A Redis that forgets: flushed, robbed of a group or a stream, come back with less than it had,
its clock set. What was committed stands once, what is missing is asked for again, and whatever is
gone for good is told.
"""
import collections
import json
import os
import pathlib
import random
import signal
import subprocess

import pytest
import redis

from helpers import (Fleet, assert_once_and_in_order, assert_run_folder, box, read_lines,
                     story_file, turns_of, wait_for)  # noqa: F401 - box is a fixture
from model_servers import tell

SEED = int(os.environ.get("PARLEY_TEST_SEED") or random.SystemRandom().randrange(10**6))
IS_LONG = os.environ.get("PARLEY_PROOF") == "long"
CUTS = 200 if IS_LONG else 3
K = "parley:{0}:"
SLOW = ["--tokens-per-second", 150, "--first-token-ms", 20, "--reply-tokens", "15..30"]
OPTIONS = ["--lease", "2s"]


@pytest.fixture
def fleet(box):
    fleet = Fleet(box)
    box.env["PARLEY_PATIENCE"] = "2s"
    fleet.simulator(*SLOW)
    return fleet


def events(fleet, name):
    """The events of that name as (conversation, turn, reason)."""
    return [(one["conversation"], one["turn"], one["reason"])
            for _, one in fleet.db.xrange(K + "events") if one["event"] == name]


def calls_done(fleet, conversation):
    return [one["turn"] for _, one in fleet.db.xrange(K + "calls")
            if one["conversation"] == conversation and one["outcome"] == "done" and "turn" in one]


def finish(fleet, conversation, turns):
    assert fleet.wait_end(conversation)["reason"] == "turns"
    assert_once_and_in_order(fleet.transcript(conversation), turns)
    fleet.wait_settled()
    fleet.box.stop_all()


# ---- all is gone ----

def test_a_flushed_redis_is_put_in_order_and_what_is_lost_is_told(fleet):
    """B7: FLUSHALL amid a conversation; the next one runs, the lost one is named."""
    fleet.crew(*OPTIONS)
    lost = fleet.begin("--turns", 500, "--story", story_file(fleet.box))
    fleet.wait_turns(lost, 2)
    fleet.db.flushall()
    wait_for(lambda: events(fleet, "history.lost"), "the loss is told")
    assert events(fleet, "history.lost") == [(lost, "", "it is not in Redis any more")]
    finish(fleet, fleet.begin("--turns", 6, "--story", story_file(fleet.box)), 6)


def test_a_run_whose_redis_is_flushed_ends_with_1_and_says_so(box):
    """B7: `parley run` neither stalls nor claims success."""
    out = box.path("D")
    run = box.start("run", "--simulate", "--story", story_file(box), "--turns", 500, "--observe",
                    "none", "--out", out, *OPTIONS, *SLOW)
    path, = wait_for(lambda: list(box.runtime.glob("*/redis.sock")), "its redis-server")
    db = redis.Redis(unix_socket_path=str(path), decode_responses=True)
    wait_for(lambda: os.path.exists(out + "/transcript.jsonl")
             and open(out + "/transcript.jsonl").read().count('"kind":"turn"') >= 2, "two turns")
    db.flushall()
    assert run.wait(30) == 1
    assert "it is not in Redis any more" in open(run.err_path).read()
    numbers = [line["metadata"]["sequence_number"]
               for line in read_lines(out + "/transcript.jsonl") if line["kind"] == "turn"]
    assert numbers == list(range(1, len(numbers) + 1))


# ---- a group or a stream is gone ----

@pytest.mark.parametrize("how", ["group", "stream"])
def test_readers_go_on_where_a_group_or_a_stream_of_theirs_was_removed(fleet, how):
    """B8: each lane's group or stream goes while all read; no turn is lost, doubled or, once
    committed, made again.
    """
    fleet.crew(*OPTIONS)
    conversation = fleet.begin("--turns", 12, "--story", story_file(fleet.box))
    robbed = [("request", 1, "workers"), ("response", 2, "managers"), ("control", None, "managers")]
    if IS_LONG:
        robbed += [("request", 2, "workers"), ("response", 1, "managers")]
    for number, (kind, lane, group) in enumerate(robbed):
        fleet.wait_turns(conversation, 2 * number + 1)
        key = K + (f"{kind}:{lane}" if lane else kind)
        if how == "group":
            fleet.db.xgroup_destroy(key, group)
        else:
            fleet.db.delete(key)
        wait_for(lambda key=key: fleet.db.exists(key) and fleet.db.xinfo_groups(key),
                 f"{key} is there again")
    assert fleet.wait_end(conversation)["reason"] == "turns"
    # At most the turn in flight at each theft is made once more.
    assert len(calls_done(fleet, conversation)) <= 12 + len(robbed)
    finish(fleet, conversation, 12)


# ---- entries are gone ----

def test_a_request_that_was_trimmed_is_asked_for_again_and_told(fleet):
    """B16: XTRIM takes the request a dead worker had in hand."""
    fleet.crew(*OPTIONS)
    conversation = fleet.begin("--turns", 6, "--story", story_file(fleet.box))
    fleet.wait_turns(conversation, 1)
    _, pid = fleet.wait_holder(2)
    os.kill(pid, signal.SIGKILL)
    next(one for one in fleet.box.started if one.pid == pid).wait()
    wait_for(lambda: fleet.db.xpending(K + "request:2", "workers")["pending"], "it is in its hands")
    fleet.db.xtrim(K + "request:2", 0, approximate=False)
    turn = fleet.talk(conversation)["next"]
    fleet.worker(2, *OPTIONS)
    wait_for(lambda: events(fleet, "message.trimmed"), "the loss is told")
    assert events(fleet, "message.trimmed") == [(conversation, turn, "request")]
    finish(fleet, conversation, 6)


@pytest.mark.parametrize("pending", [False, True])
def test_an_answer_that_was_trimmed_is_asked_for_again_and_told(fleet, pending):
    """B16: XTRIM takes an answer that nobody had, or one that a leader who is gone had in hand."""
    manager, _, _ = fleet.crew(*OPTIONS)
    conversation = fleet.begin("--turns", 6, "--story", story_file(fleet.box))
    fleet.wait_turns(conversation, 1)
    manager.terminate()
    manager.wait()
    wait_for(lambda: fleet.talk(conversation)["phase"] == "answered", "an answer waits")
    turn, lane = fleet.talk(conversation)["next"], fleet.talk(conversation)["lane"]
    if pending:
        fleet.db.xreadgroup("managers", "manager-9", {K + f"response:{lane}": ">"})
    fleet.db.xtrim(K + f"response:{lane}", 0, approximate=False)
    fleet.manager(*OPTIONS)
    wait_for(lambda: events(fleet, "message.trimmed"), "the loss is told")
    assert events(fleet, "message.trimmed") == [(conversation, turn, "response")]
    finish(fleet, conversation, 6)


# ---- half a step ----

def test_half_a_step_in_a_transcript_is_taken_out_at_a_take_over_and_told(fleet):
    """As Redis 7.0 leaves it when a write was cut short: a line without what belongs to it."""
    manager, _, _ = fleet.crew(*OPTIONS)
    conversation = fleet.begin("--turns", 8, "--story", story_file(fleet.box))
    fleet.wait_turns(conversation, 2)
    manager.kill()
    manager.wait()
    wait_for(lambda: fleet.talk(conversation)["phase"] == "answered", "an answer waits")
    talk, key = fleet.talk(conversation), K + "transcript:" + conversation
    (_, line), = fleet.db.xrevrange(key, count=1)
    assert line["turn"] == talk["turns"]
    fleet.db.xadd(key, {**line, "turn": talk["next"], "seat": talk["seat"]})
    fleet.manager(*OPTIONS)
    wait_for(lambda: events(fleet, "history.mended"), "it is told")
    assert events(fleet, "history.mended") == [(conversation, talk["next"], "1 taken out")]
    finish(fleet, conversation, 8)


# ---- what nobody would look at ----

def test_a_conversation_that_fell_out_of_due_is_found_and_goes_on(fleet):
    """The leader passes over all conversations, a page at a time, whatever is due."""
    fleet.crew(*OPTIONS)
    conversation = fleet.begin("--turns", 6, "--story", story_file(fleet.box))
    fleet.wait_turns(conversation, 1)
    fleet.db.eval("""redis.call('DEL', KEYS[1])
        redis.call('XTRIM', KEYS[2], 'MAXLEN', 0) redis.call('XTRIM', KEYS[3], 'MAXLEN', 0)
        redis.call('XGROUP', 'SETID', KEYS[2], 'workers', '$')
        redis.call('HSET', KEYS[4], 'request', '1-1')""", 4, K + "due", K + "request:1",
                  K + "request:2", K + "conversation:" + conversation)
    finish(fleet, conversation, 6)


# ---- its clock is set ----

@pytest.fixture
def fleet_with_clock(box):
    """A fleet whose redis-server, and nothing else, lives by the clock in a file."""
    shim, clock = box.path("clock.so"), pathlib.Path(box.path("clock"))
    source = pathlib.Path(__file__).parent / "shims" / "clock.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, source], check=True)
    clock.write_bytes(bytes(8))
    box.env.update({"LD_PRELOAD": shim, "SHIM_CLOCK": str(clock)})
    fleet = Fleet(box)
    del box.env["LD_PRELOAD"], box.env["SHIM_CLOCK"]
    box.env["PARLEY_PATIENCE"] = "2s"

    def set_clock(seconds):
        with open(clock, "r+b", buffering=0) as file:
            file.write(seconds.to_bytes(8, "little", signed=True))
    fleet.set_clock = set_clock
    fleet.simulator(*SLOW)
    return fleet


def test_a_jump_of_redis_clock_is_told_and_moves_deadlines_along(fleet_with_clock):
    """B20: an hour forward, an hour back; nothing expires, nothing is doubled."""
    fleet = fleet_with_clock
    fleet.crew(*OPTIONS)
    conversation = fleet.begin("--turns", 500, "--duration", "120s", "--story",
                               story_file(fleet.box))
    fleet.wait_turns(conversation, 2)
    before = int(fleet.talk(conversation)["deadline"])
    for number, (clock, ahead_us) in enumerate(((3600, 3600 * 10**6), (0, 0))):
        fleet.set_clock(clock)
        wait_for(lambda least=number + 1: len(events(fleet, "clock.jumped")) >= least, "it is told")
        wait_for(lambda moved=ahead_us: abs(int(fleet.talk(conversation)["deadline"]) - before
                                            - moved) < 2 * 10**6, "the deadline is moved")
        turns = int(fleet.talk(conversation)["turns"])
        fleet.wait_turns(conversation, turns + 3)
        assert fleet.talk(conversation)["state"] == "running"
    assert [round(float(reason), -1) for _, _, reason in events(fleet, "clock.jumped")] == [
        3600, -3600]
    assert fleet.box.parley("stop", conversation).returncode == 0
    fleet.wait_end(conversation)
    said_turns = turns_of(fleet.transcript(conversation))
    assert_once_and_in_order(said_turns, len(said_turns))
    # One false claim of the turn in flight at each jump, and the turn that was stopped.
    assert len(calls_done(fleet, conversation)) <= len(said_turns) + 3
    fleet.box.stop_all()


# ---- the tail of its file is gone ----

def said(run):
    with open(run.err_path, encoding="utf-8") as file:
        return file.read()


def redis_pid(box):
    return wait_for(lambda: [pid for pid, words in box.processes().items()
                             if words[0].startswith("redis-server")], "redis-server runs")[0]


def cut_tail(box, run, log, size_of):
    """As if the power had gone: the server dies and what it wrote last was never written. The run
    stands still meanwhile, or it would start the server on the whole file."""
    os.kill(run.pid, signal.SIGSTOP)
    try:
        pid = redis_pid(box)
        os.kill(pid, signal.SIGKILL)
        # It stays a zombie until the run, which stands still, asks for it.
        wait_for(lambda: pid not in box.processes(), "it is dead")
        os.truncate(log, size_of(log))
    finally:
        os.kill(run.pid, signal.SIGCONT)


def doubled(path, *fields):
    names = collections.Counter(tuple(line[field] for field in fields) for line in read_lines(path)
                                if not str(line.get("event")).startswith("history."))
    return [name for name, count in names.items() if count > 1]


def test_a_lost_tail_of_the_append_only_file_is_noticed_and_made_good(box):
    """B12: redis-server is killed and 1 to 64 KB of its file's tail are gone, again and again: no
    gap, no double, neither in Redis nor in the run's files.
    """
    chance = random.Random(SEED)
    out = pathlib.Path(box.path("D"))
    turns = 10 + 9 * CUTS
    run = box.start("run", "--simulate", "--parallel", 16, "--story", story_file(box), "--turns",
                    turns, "--duration", "none", "--conversations", 4, "--concurrency", 4,
                    "--observe", "none", "--patience", "2s", "--out", out, *OPTIONS, *SLOW)
    log, = wait_for(lambda: list(out.glob("redis/appendonlydir/*.incr.aof")), "its file is there")
    wait_for(lambda: len(turns_of(lines_so_far(out))) >= 8, "all have begun")
    floor = log.stat().st_size
    for number in range(CUTS):
        nbytes = 1 << 16 if number == 1 else chance.randint(1, 1 << 16)
        wait_for(lambda: log.stat().st_size > floor + (1 << 16), "the file is long enough")
        cut_tail(box, run, log, lambda file, less=nbytes: file.stat().st_size - less)
        floor = max(floor, log.stat().st_size)
        wait_for(lambda least=number + 1: said(run).count("starting it again") >= least,
                 "the server is started again")
    assert run.wait(60 + 20 * CUTS) == 0, said(run)
    conversations = assert_run_folder(out, 4)["conversations"]
    for conversation in conversations:
        assert_once_and_in_order(turns_of(read_lines(out / "transcript.jsonl"), conversation), turns)
    assert doubled(out / "events.jsonl", "id") == []
    assert doubled(out / "calls.jsonl", "call", "outcome") == []
    told = [line["event"] for line in read_lines(out / "events.jsonl")
            if line["event"] == "history.rewound"]
    noticed = said(run).count("history was rewound: Redis has less than")
    tell(f"tail of the append-only file cut {CUTS} times by 1 to 64 KB, seed {SEED}: 0 of "
         f"{4 * turns} turns lost, 0 doubled; {len(told)} conversations told of as rewound, lines "
         f"taken out of the run's files {noticed} times")
    assert told and noticed


def test_a_call_that_is_told_twice_stands_once_in_a_run_s_file(box):
    """An entry whose reply was lost is sent again: Redis has it twice."""
    out = pathlib.Path(box.path("D"))
    run = box.start("run", "--simulate", "--story", story_file(box), "--turns", 6, "--observe",
                    "none", "--out", out, *SLOW)
    wait_for(lambda: len(turns_of(lines_so_far(out))) >= 2, "two turns")
    socket, = box.runtime.glob("parley-*/redis.sock")
    db = redis.Redis(unix_socket_path=str(socket), decode_responses=True)
    first, second = (fields for _, fields in db.xrange(K + "calls", count=2))
    db.xadd(K + "calls", first)
    db.xadd(K + "calls", {**second, "outcome": "lost"})
    db.close()
    assert run.wait(60) == 0, said(run)
    calls = [(line["call"], line["outcome"]) for line in read_lines(out / "calls.jsonl")]
    assert len(calls) == len(set(calls)) == 7
    assert {(first["call"], "done"), (second["call"], "done"), (second["call"], "lost")} < set(calls)


def test_a_run_that_its_redis_refuses_for_good_ends_with_3_and_says_why(fleet):
    out = pathlib.Path(fleet.box.path("D"))
    run = fleet.box.start("run", "--simulate", "--story", story_file(fleet.box), "--turns", 500,
                          "--observe", "none", "--no-give-up", "--out", out, *SLOW)
    wait_for(lambda: len(turns_of(lines_so_far(out))) >= 2, "two turns")
    fleet.db.config_set("requirepass", "another")
    fleet.db.client_kill_filter(_type="normal", skipme=False)
    assert run.wait(60) == 3, said(run)
    assert "NOAUTH" in said(run) and "keeps dying" not in said(run), said(run)
    fleet.box.stop_all()


def test_a_transcript_that_redis_lost_whole_stands_once_in_a_run_s_files(box):
    """B12: the conversation was asked for, and that is all that is left: it begins anew."""
    out = pathlib.Path(box.path("D"))
    run = box.start("run", "--simulate", "--story", story_file(box), "--turns", 3, "--observe",
                    "none", "--patience", "2s", "--out", out, *OPTIONS, "--first-token-ms", 700,
                    "--reply-tokens", "5..5")
    log, = wait_for(lambda: list(out.glob("redis/appendonlydir/*.incr.aof")), "its file is there")
    wait_for(lambda: len(turns_of(lines_so_far(out))) == 1, "its first turn")

    def before_the_story(file):
        data = file.read_bytes()
        return data.rindex(b"*1\r\n$5\r\nMULTI", 0, data.index(b":transcript:"))
    cut_tail(box, run, log, before_the_story)
    assert run.wait(60) == 0, said(run)
    assert "history was rewound" in said(run)
    lines = read_lines(out / "transcript.jsonl")
    assert [line["kind"] for line in lines] == ["story", "persona", "persona", *["turn"] * 3]
    assert_once_and_in_order(lines, 3)


def lines_so_far(out):
    text = (out / "transcript.jsonl").read_text() if (out / "transcript.jsonl").exists() else ""
    return [json.loads(line) for line in text.splitlines(True) if line.endswith("\n")]
