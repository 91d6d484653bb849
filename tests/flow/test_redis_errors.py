"""What Redis refuses for a time is waited for; what it refuses for good is said and ends it.

Every test harms the Redis of a fleet in mid-conversation and sees the conversations go on, each
turn there exactly once. PARLEY_PROOF=long harms for longer.
"""
import contextlib
import os
import signal
import threading
import time

import pytest
import redis

from helpers import IS_ASAN, Fleet, box, story_file, wait_for  # noqa: F401 - box is a fixture
from redis_rig import HARM_S, Harmed, IS_LONG, fleet, lines_of, repeating  # noqa: F401

SLOW = 2 if IS_ASAN else 1
REFUSED = "refused for now.* class={0} "


def assert_stands_still(talks, seconds):
    """No turn is taken; what was on its way may still arrive first."""
    time.sleep(0.1)
    before = talks.turns()
    time.sleep(seconds)
    assert talks.turns() == before


def harm(fleet, class_name, begin, end):
    """Turns wait while Redis refuses, and go on within two seconds; it is told of once."""
    talks = Harmed(fleet)
    begin()
    try:
        assert_stands_still(talks, HARM_S)
        wait_for(lambda: lines_of(fleet, REFUSED.format(class_name)), f"{class_name} is told of")
    finally:
        end()
    ended = time.monotonic()
    talks.wait_progress(1)
    assert time.monotonic() - ended < 2 * SLOW, "from Redis back to a turn"
    talks.wait_progress()
    talks.end()
    # Two connections a process, one line a minute.
    minutes = 1 + int(HARM_S // 60)
    assert len(lines_of(fleet, REFUSED.format(class_name))) <= 2 * 3 * minutes


def test_a_redis_that_is_loading_is_waited_for(fleet):
    """B2: -LOADING on connections that were there before, by a reload that takes a while."""
    fleet.db.config_set("key-load-delay", 400 if not IS_LONG else 4000)
    fleet.db.config_set("loading-process-events-interval-bytes", 1024)
    for i in range(0, 2000, 500):
        fleet.db.mset({f"fill:{n}": "x" * 40 for n in range(i, i + 500)})

    def reload():
        with contextlib.suppress(redis.RedisError):
            redis.Redis(unix_socket_path=fleet.socket).execute_command("DEBUG", "RELOAD")
    talks = Harmed(fleet)
    thread = threading.Thread(target=reload)
    thread.start()
    thread.join()
    talks.wait_progress()
    talks.end()
    assert lines_of(fleet, REFUSED.format("LOADING"))
    fleet.db.config_set("key-load-delay", 0)
    fleet.db.delete(*[f"fill:{n}" for n in range(2000)])


def test_a_redis_that_is_stopped_for_a_while_costs_only_time(fleet):
    """B3: SIGSTOP for less and, in the long form, for more than a call's deadline."""
    talks = Harmed(fleet)
    os.kill(fleet.redis.pid, signal.SIGSTOP)
    time.sleep(30 if IS_LONG else 1.5)
    os.kill(fleet.redis.pid, signal.SIGCONT)
    first, every = talks.wait_progress()
    assert first < 2 * SLOW
    talks.end()


def test_connections_killed_every_50_ms_lose_nothing(fleet):
    """B4: CLIENT KILL TYPE normal, again and again, while turns go on."""
    talks = Harmed(fleet)
    control = redis.Redis(unix_socket_path=fleet.socket)
    lines = len(lines_of(fleet, "connected"))
    with repeating(lambda: control.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME",
                                                   "yes"), 0.05) as kills:
        began = time.monotonic()
        while time.monotonic() - began < 10 * HARM_S and len(kills) < 15:
            with contextlib.suppress(redis.ConnectionError):
                talks.turns()
            time.sleep(0.05)
    assert len(kills) >= 10
    talks.wait_progress()
    talks.end()
    assert len(lines_of(fleet, "connected")) - lines <= 12


def test_scripts_flushed_every_100_ms_are_taught_anew(fleet):
    """B6: turns go on while the scripts are forgotten again and again."""
    talks = Harmed(fleet)
    with repeating(lambda: fleet.db.script_flush(), 0.1) as flushes:
        wait_for(lambda: len(flushes) >= 5, "five flushes")
        talks.wait_progress()
    talks.end()
    assert not lines_of(fleet, "NOSCRIPT")


def config(fleet, name, value, before):
    """What to give harm(): a setting, and back."""
    return (lambda: fleet.db.config_set(name, value)), (lambda: fleet.db.config_set(name, before))


def test_a_full_redis_is_waited_for(fleet):
    """B9: OOM; the turns in hand wait, and no model call is made meanwhile."""
    harm(fleet, "OOM", *config(fleet, "maxmemory", 1, 0))


def test_a_leader_does_not_pile_up_what_redis_refuses(fleet):
    """B9: it looks at nothing again that it could not put right, but trims, which makes room."""
    talks = Harmed(fleet)
    fleet.db.config_set("maxmemory", 1)
    try:
        wait_for(lambda: fleet.db.zcount("parley:{0}:due", 0, time.time() * 1000 - 1000)
                 == len(talks.ids), "all conversations are overdue for a second")
        with fleet.db.monitor() as monitor:
            seen, trims = [], []
            while len(trims) < 2:
                command = monitor.next_command()["command"]
                seen += [command] if command.startswith("ZRANGE parley:{0}:due") else []
                trims += [command] if command.startswith("XTRIM parley:{0}:control") else []
    finally:
        fleet.db.config_set("maxmemory", 0)
    assert seen == []
    talks.wait_progress()
    talks.end()


def test_a_redis_without_enough_replicas_is_waited_for(fleet):
    """B10: NOREPLICAS."""
    harm(fleet, "NOREPLICAS", *config(fleet, "min-replicas-to-write", 1, 0))


def test_a_redis_that_is_a_replica_for_a_while_is_waited_for(fleet):
    """B10: READONLY and UNBLOCKED, then the same server is the master again."""
    harm(fleet, "READONLY", lambda: fleet.db.execute_command("REPLICAOF", "127.0.0.1", "1"),
         lambda: fleet.db.execute_command("REPLICAOF", "NO", "ONE"))


def test_a_redis_that_cannot_write_its_disk_is_waited_for(fleet):
    """B10: MISCONF, after a snapshot that failed."""
    def snapshot_is(status):
        return fleet.db.info("persistence")["rdb_last_bgsave_status"] == status

    def begin():
        fleet.db.config_set("save", "3600 1000000")
        fleet.db.config_set("dir", "/proc/self")
        fleet.db.bgsave()
        wait_for(lambda: snapshot_is("err"), "a snapshot has failed")

    def end():
        fleet.db.config_set("dir", str(fleet.box.folder))
        fleet.db.config_set("save", "")
        fleet.db.bgsave()
        wait_for(lambda: snapshot_is("ok"), "a snapshot is made")
    harm(fleet, "MISCONF", begin, end)


def test_a_redis_that_is_busy_with_a_script_is_waited_for(fleet):
    """B10: BUSY, by an endless script, which is killed."""
    fleet.db.config_set("busy-reply-threshold", 50)
    control = redis.Redis(unix_socket_path=fleet.socket)
    endless = redis.Redis(unix_socket_path=fleet.socket)

    def spin():
        with contextlib.suppress(redis.RedisError):
            endless.eval("while true do end", 0)
    talks = Harmed(fleet)
    thread = threading.Thread(target=spin)
    thread.start()
    time.sleep(HARM_S)  # the harm itself
    control.script_kill()
    thread.join()
    first, every = talks.wait_progress()
    assert first < 2 * SLOW
    talks.end()
    assert lines_of(fleet, REFUSED.format("BUSY"))
    fleet.db.config_set("busy-reply-threshold", 5000)


def test_a_redis_that_takes_no_more_clients_is_tried_until_it_does(fleet):
    """B13: maxclients reached by others while all are thrown out."""
    talks = Harmed(fleet)
    control = redis.Redis(unix_socket_path=fleet.socket)
    control.config_set("maxclients", 1)
    control.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    time.sleep(HARM_S)  # the harm itself
    control.config_set("maxclients", 10000)
    ended = time.monotonic()
    talks.wait_progress(1)
    assert time.monotonic() - ended < 2 * SLOW
    talks.wait_progress()
    talks.end()
    assert lines_of(fleet, "not connected")  # one a minute, so it may be of an earlier outage


@pytest.mark.parametrize("what", ["ALL", "WRITE"] if IS_LONG else ["WRITE"])
def test_a_redis_that_pauses_its_clients_costs_only_time(fleet, what):
    """B14: CLIENT PAUSE of all commands, and of writes."""
    talks = Harmed(fleet)
    redis.Redis(unix_socket_path=fleet.socket).execute_command(
        "CLIENT", "PAUSE", int(1000 * HARM_S), what)
    talks.wait_progress()
    talks.end()


# ---- for good ----

SAID_MAX = 2  # in the log and as the last word


def assert_all_end_with_3(services, text):
    for process in services:
        assert process.wait(20) == 3, process.args
        said = open(process.err_path, encoding="utf-8").read()
        assert said.rstrip().splitlines()[-1].startswith("parley "), said
        assert text in said.rstrip().splitlines()[-1], said
        assert said.count(text) <= SAID_MAX, said


def test_a_password_that_is_changed_ends_the_programs_at_their_next_connection(box):
    """B15: AUTH changed: a clear message, exit status 3, no spin."""
    fleet = Fleet(box)
    services = fleet.crew()
    fleet.db.config_set("requirepass", "another")
    fleet.db.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert_all_end_with_3(services, "NOAUTH")
    done = box.parley("list")
    assert done.returncode == 3 and "--redis-password-file" in done.stderr, done.stderr
    box.stop_all()


@pytest.mark.parametrize("command", ["xclaim", "xreadgroup"])
def test_a_right_that_is_taken_ends_the_programs_that_need_it(box, command):
    """B15: an ACL denies a command that scripts, or the blocking read, need."""
    fleet = Fleet(box)
    sim = fleet.simulator("--tokens-per-second", 20, "--first-token-ms", 20)
    assert sim
    services = fleet.crew()
    fleet.begin("--story", story_file(box), "--turns", 1000, "--duration", "none")
    fleet.db.execute_command("ACL", "SETUSER", "default", "-" + command)
    ended = services if command == "xreadgroup" else services[1:]
    wait_for(lambda: any(process.poll() is not None for process in ended), "one ends")
    if command == "xreadgroup":
        assert_all_end_with_3(ended, "NOPERM")
    else:
        gone = [process for process in ended if process.poll() is not None]
        assert_all_end_with_3(gone, "The user executing the script")
    box.stop_all()
