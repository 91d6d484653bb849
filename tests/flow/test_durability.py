"""What a run keeps when its Redis is killed, when Redis' disk is full, when its own disk is full."""
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import pytest
import redis

from helpers import (Fleet, assert_once_and_in_order, assert_run_folder, box, read_lines,
                     story_file, turns_of, wait_for)  # noqa: F401 - box is a fixture

SEED = int(os.environ.get("PARLEY_TEST_SEED") or random.SystemRandom().randrange(10**6))
SLOW = ["--tokens-per-second", 150, "--first-token-ms", 20, "--reply-tokens", "15..30"]


@pytest.fixture
def moments(request):
    print(f"PARLEY_TEST_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


def start(box, *options):
    out = pathlib.Path(box.path("D"))
    run = box.start("run", "--simulate", "--story", story_file(box), "--observe", "none", "--lease",
                    "2s", "--patience", "3s", "--out", out, *SLOW, *options)
    return run, out


def turns_there(out):
    with contextlib.suppress(FileNotFoundError):
        return (out / "transcript.jsonl").read_text().count('"kind":"turn"')
    return 0


def said(run):
    with open(run.err_path, encoding="utf-8") as file:
        return file.read()


def redis_pids(box):
    return [pid for pid, words in box.processes().items() if words[0].startswith("redis-server")]


def state_of(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def answers(db):
    with contextlib.suppress(redis.RedisError):
        return db.ping()
    return False


# ---- B1: killed ----

@pytest.mark.parametrize("durability", ["everysec", "always"])
def test_redis_killed_five_times_loses_and_doubles_nothing(box, moments, durability):
    """B1, short: kill -9 of redis-server at random moments of a run, with each setting."""
    run, out = start(box, "--durability", durability, "--turns", 12, "--conversations", 4,
                     "--concurrency", 4, "--parallel", 16)
    for number in range(5):
        wait_for(lambda least=1 + number * 8: turns_there(out) >= least, f"{1 + number * 8} turns")
        pid, = wait_for(lambda: redis_pids(box), "redis-server runs")
        time.sleep(moments.random() * 0.2)  # a random moment of a turn, not a wait for something
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda dead=pid: dead not in box.processes(), "it is gone")
    assert run.wait(90) == 0, said(run)
    assert said(run).count("redis-server died (killed by signal 9), starting it again") == 5
    record = assert_run_folder(out, 4)
    assert record["redis"]["durability"] == {
        "appendonly": "yes", "appendfsync": durability, "maxmemory_policy": "noeviction"}
    transcript = read_lines(out / "transcript.jsonl")
    for conversation in record["conversations"]:
        assert_once_and_in_order(turns_of(transcript, conversation), 12)


def test_half_a_step_at_the_end_of_redis_file_is_cut_off_before_it_is_started_again(box):
    """A kill can cut a write short. Redis 7.0 leaves the half in the file and runs it at a later
    start: after the first of these two kills the file ends within a script that sets a and b."""
    run, out = start(box, "--turns", 12, "--durability", "always")
    half = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$1\r\n1\r\n*3\r\n$3\r\nSET\r\n$1"
    for number, rest in enumerate((half, b"")):
        wait_for(lambda least=3 + number * 4: turns_there(out) >= least, f"{3 + number * 4} turns")
        pid, = wait_for(lambda: redis_pids(box), "redis-server runs")
        os.kill(run.pid, signal.SIGSTOP)  # the file is ours for a moment
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda dead=pid: state_of(dead) == "Z", "it is dead")
        with open(max((out / "redis/appendonlydir").glob("*.incr.aof")), "ab") as file:
            file.write(rest)
        os.kill(run.pid, signal.SIGCONT)
        wait_for(lambda old=pid: redis_pids(box) not in ([], [old]), "its successor")
    socket, = box.runtime.glob("parley-*/redis.sock")
    with contextlib.closing(redis.Redis(unix_socket_path=str(socket))) as db:
        wait_for(lambda: answers(db), "it answers")
        assert db.get("half") is None
    assert run.wait(90) == 0, said(run)
    told = re.findall(r"ended within a step: it was cut off bytes=(\d+)", said(run))
    assert told == [str(len(half))]
    assert_once_and_in_order(read_lines(out / "transcript.jsonl"), 12)


# ---- B11: its disk full ----

@contextlib.contextmanager
def small_disk(folder, megabytes):
    folder.mkdir(parents=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Takes all room there is; the path of what takes it."""
    path = folder / "filler"
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path


@pytest.mark.parametrize("durability", ["everysec", "always"])
def test_a_full_disk_under_redis_is_said_and_waited_for(box, durability):
    """B11: everysec: writes are refused (MISCONF); always: redis-server ends, and is started again."""
    data = pathlib.Path(box.path("D")) / "redis"
    with small_disk(data, 8):
        run, out = start(box, "--durability", durability, "--turns", 500, "--conversations", 2,
                         "--concurrency", 2, "--parallel", 4)
        wait_for(lambda: turns_there(out) >= 2, "two turns")
        filler = fill(data)
        wait_for(lambda: "Redis refuses writes" in said(run), "it is said", 60)
        if durability == "always":
            wait_for(lambda: "its disk is full" in said(run), "why is said", 60)
        filler.unlink()
        wait_for(lambda: "Redis takes writes again" in said(run), "its end is said", 60)
        here = turns_there(out)
        wait_for(lambda: turns_there(out) > here, "it goes on", 60)
        run.send_signal(signal.SIGINT)
        assert run.wait(90) == 128 + signal.SIGINT, said(run)
        assert said(run).count("Redis refuses writes") <= 2, said(run)  # once a minute
        record = assert_run_folder(out, 2)
        transcript = read_lines(out / "transcript.jsonl")
        for conversation in record["conversations"]:
            turns = turns_of(transcript, conversation)
            assert_once_and_in_order(turns, len(turns))


def test_a_full_disk_under_the_run_s_own_files_is_said_and_they_are_made_whole(box):
    """Redis is elsewhere: the conversations go on, the lines wait for room."""
    fleet = Fleet(box)
    out = pathlib.Path(box.path("D"))
    with small_disk(out, 4):
        run, _ = start(box, "--turns", 9)
        wait_for(lambda: turns_there(out) >= 2, "two turns")
        filler = fill(out)
        wait_for(lambda: "the run's files cannot be written" in said(run), "it is said")
        here = turns_there(out)
        read_lines(out / "transcript.jsonl")  # no half lines
        shard = json.loads((out / "run.json").read_text())["redis"]["shard"]
        transcript, = fleet.db.keys(f"parley:{{{shard}}}:transcript:*")
        wait_for(lambda: fleet.db.xlen(transcript) > here + 3, "it goes on")
        filler.unlink()
        assert run.wait(60) == 0, said(run)
        assert "the run's files are written again, nothing is missing" in said(run)
        assert_run_folder(out)
        assert_once_and_in_order(read_lines(out / "transcript.jsonl"), 9)
    fleet.box.stop_all()


def test_a_run_whose_files_stay_incomplete_says_so_and_fails(box):
    fleet = Fleet(box)
    out = pathlib.Path(box.path("D"))
    with small_disk(out, 4):
        run, _ = start(box, "--turns", 5)
        wait_for(lambda: turns_there(out) >= 1, "a turn")
        fill(out)
        assert run.wait(60) == 1, said(run)
        assert "the run's files are incomplete: " in said(run)
        assert "No space left on device" in said(run)
        count = len(turns_of(read_lines(out / "transcript.jsonl")))
        assert 1 <= count < 5
        assert_once_and_in_order(read_lines(out / "transcript.jsonl"), count)
    fleet.box.stop_all()


# ---- what is set ----

def test_a_given_redis_that_would_lose_all_is_warned_of(box):
    fleet = Fleet(box)
    fleet.db.config_set("maxmemory-policy", "allkeys-lru")
    run, out = start(box, "--turns", 1)
    assert run.wait(30) == 0, said(run)
    assert "a restart of this Redis would lose the conversations" in said(run)
    assert "its maxmemory-policy is not noeviction" in said(run)
    assert assert_run_folder(out)["redis"]["durability"] == {
        "appendonly": "no", "appendfsync": "everysec", "maxmemory_policy": "allkeys-lru"}
    fleet.box.stop_all()


def test_a_given_redis_that_does_not_tell_is_used_all_the_same(box):
    fleet = Fleet(box)
    fleet.db.acl_setuser("default", enabled=True, nopass=True, keys=["*"], channels=["*"],
                         commands=["+@all", "-config"])
    run, out = start(box, "--turns", 1)
    assert run.wait(30) == 0, said(run)
    assert assert_run_folder(out)["redis"]["durability"] is None
    fleet.box.stop_all()


def status(fleet):
    done = fleet.box.parley("status", "--json")
    assert done.returncode == 0, done.stderr
    return next(line for line in map(json.loads, done.stdout.splitlines()) if "leader" in line)


def test_status_tells_who_leads_what_waits_and_whether_redis_takes_writes(box):
    fleet = Fleet(box)
    assert status(fleet)["leader"] is None
    fleet.crew("--provider", "echo")
    fleet.manager("--provider", "echo")
    fleet.wait_ready("manager-2")
    told = status(fleet)
    assert (told["leader"], told["standbys"], told["pending"], told["unread"]) == ("manager-1", 1, 0, 0)
    assert told["oldest_pending_ms"] is None and told["writes_refused"] is None
    assert told["durability"]["appendonly"] == "no"
    for lane in (3, 3, 4):  # nobody serves them
        fleet.db.xadd(f"parley:{{0}}:request:{lane}", {"turn": "1"})
    fleet.db.xreadgroup("workers", "somebody", {"parley:{0}:request:3": ">"}, count=1)
    told = status(fleet)
    assert (told["pending"], told["unread"]) == (1, 2) and told["oldest_pending_ms"] >= 0
    fleet.db.config_set("maxmemory", 1)
    assert status(fleet)["writes_refused"].startswith("OOM")
    text = box.parley("status").stdout
    assert "leader   manager-1, 1 standing by\n" in text and "REFUSES WRITES: OOM" in text
    assert "1 in hand, 2 waiting for a worker, the oldest in hand asked for " in text
    fleet.db.config_set("maxmemory", 0)
    fleet.db.config_set("min-replicas-to-write", 1)
    refused = box.parley("stop", "abcdefghijkl").stderr
    assert "NOREPLICAS" in refused and refused.endswith("(Redis is there, but takes no writes)\n")
    fleet.db.config_set("min-replicas-to-write", 0)
    fleet.box.stop_all()


def test_status_tells_a_leader_that_stands_still_from_one_that_leads(box):
    """The lead has gone on, whatever the stopped one last said of itself."""
    fleet = Fleet(box)
    leader = fleet.crew("--provider", "echo")[0]
    fleet.manager("--provider", "echo")
    fleet.wait_ready("manager-2")
    os.kill(leader.pid, signal.SIGSTOP)
    try:
        def told():
            lines = [json.loads(line) for line in
                     fleet.box.parley("status", "--json").stdout.splitlines()]
            members = {line["member"]: line for line in lines if "member" in line}
            health = next(line for line in lines if "leader" in line)
            old, new = members["manager-1"], members["manager-2"]
            return ((health["leader"], health["standbys"]) == ("manager-2", 0)
                    and (old["leads"], old["silent"]) == (False, True)
                    and (new["leads"], new["silent"]) == (True, False))
        wait_for(told, "status says that manager-2 leads and manager-1 is silent")
    finally:
        os.kill(leader.pid, signal.SIGCONT)
    fleet.box.stop_all()
