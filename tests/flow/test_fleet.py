"""A fleet put together by hand on one Redis: each program alone, as over several machines."""
import json
import re
import signal
import time

import pytest

from helpers import (FAST, IS_ASAN, Fleet, assert_once_and_in_order, box, complaints, story_file,
                     turns_of, wait_for)  # noqa: F401 - box is a fixture

KEY = re.compile(r"parley:\{0\}:([a-z]+)(?::(.+))?")
# What docs/protocol.md tells: the key's name, whether something follows it, and its type.
KEYS = {("meta", False): "hash", ("leader", False): "string", ("epoch", False): "string",
        ("members", False): "zset", ("member", True): "hash", ("conversations", False): "zset",
        ("conversation", True): "hash", ("cast", True): "hash", ("transcript", True): "stream",
        ("due", False): "zset", ("request", True): "stream", ("response", True): "stream",
        ("events", False): "stream", ("calls", False): "stream", ("live", True): "stream",
        ("asked", True): "hash",
        ("control", False): "stream", ("answer", True): "list", ("dead", False): "stream"}
# Those of the model servers, which all shards of a prefix share: they expire by themselves.
SERVER_KEY = re.compile(r"parley:\{endpoints\}:http://[^:]+:\d+(?::(held|waiting|alive))?")


@pytest.fixture
def fleet(box):
    return Fleet(box)


@pytest.fixture
def crew(fleet):
    """A fleet that is ready for conversations of two; services end well when told to."""
    fleet.simulator(*FAST)
    services = fleet.crew()
    yield fleet
    for service in services:
        if service.poll() is None:
            service.send_signal(signal.SIGTERM)
            assert service.wait(10) == 0
    fleet.box.stop_all()


def key_types(db):
    types = {}
    for key in db.scan_iter():
        match = SERVER_KEY.fullmatch(key)
        if match:
            assert db.type(key) in ("none", "zset" if match.group(1) else "hash"), key
            assert db.pttl(key) != -1, key
            continue
        match = KEY.fullmatch(key)
        assert match, f"not a key of the protocol: {key}"
        name, rest = match.groups()
        kind = db.type(key)
        if name == "member" and rest.endswith(":lock"):
            assert kind == "string", key
        else:
            types[key] = kind
            assert KEYS.get((name, rest is not None)) == kind, (key, kind)
    return types


# ---- the whole way ----

def test_a_conversation_by_hand_is_watched_to_its_end_and_leaves_nothing_open(crew):
    conversation = crew.begin("--topic", "the last tram", "--turns", 6, "--seed", 7)
    watched = crew.box.parley("observe", conversation)
    assert watched.returncode == 0, watched.stderr
    transcript = crew.transcript(conversation)
    assert [one["kind"] for one in transcript] == ["story"] + 2 * ["persona"] + 6 * ["turn"]
    assert_once_and_in_order(transcript, 6)
    assert [complaints("dialog_message", one) for one in transcript] == [[]] * 9
    shown = " ".join(watched.stdout.split())
    for message in turns_of(transcript):
        assert " ".join(message["content"]["message"].split()) in shown
    crew.wait_settled()
    talk = crew.talk(conversation)
    assert (talk["state"], talk["reason"], talk["turns"]) == ("ended", "turns", "6")


def test_the_keys_are_those_of_the_protocol_and_bounded_as_it_says(fleet):
    fleet.simulator("--tokens-per-second", 200, "--first-token-ms", 5)
    fleet.crew()
    conversation = fleet.begin("--turns", 4, "--story", story_file(fleet.box))
    wait_for(lambda: fleet.db.zcard("parley:{0}:due") == 1, "the leader has a date with it")
    key_types(fleet.db)
    fleet.wait_end(conversation)
    assert_keys_at_the_end(fleet, conversation)
    fleet.box.stop_all()


def assert_keys_at_the_end(crew, conversation):
    crew.wait_settled()
    types = key_types(crew.db)
    # No entry of `due` outlives its conversation; an answer is gone when it was taken.
    names = {KEY.fullmatch(key).group(1) for key in types}
    assert names == {name for name, _ in KEYS} - {"dead", "due", "answer"}
    lanes = {key for key in types if ":request:" in key or ":response:" in key}
    assert lanes == {f"parley:{{0}}:{kind}:{lane}" for kind in ("request", "response")
                     for lane in range(1, 17)}
    for key in lanes:
        group, = crew.db.xinfo_groups(key)
        assert group["name"] == ("workers" if ":request:" in key else "managers")
    assert crew.db.hget("parley:{0}:meta", "layout") == "1"
    assert 0 < crew.db.pttl(f"parley:{{0}}:live:{conversation}") <= 600_000
    for key, kind in types.items():
        if ":member:" in key:
            assert 0 < crew.db.pttl(key) <= 60_000, key
    hash_bytes = sum(len(name) + len(value) for name, value in crew.talk(conversation).items())
    assert hash_bytes < 1024


def test_what_is_done_is_trimmed_from_the_lanes(crew):
    conversation = crew.begin("--turns", 10)
    crew.wait_end(conversation)
    wait_for(lambda: all(crew.db.xlen(f"parley:{{0}}:{kind}:{lane}") <= 1
                         for kind in ("request", "response") for lane in (1, 2)),
             "the lanes are trimmed to their last entry", 10)


def test_list_and_status_tell_who_is_there_and_how_far_it_is(crew):
    conversation = crew.begin("--turns", 3)
    crew.wait_end(conversation)
    box = crew.box
    listed = [json.loads(line) for line in box.parley("list", "--json").stdout.splitlines()]
    assert [(one["conversation"], one["state"], one["reason"], one["turns"], one["max_turns"])
            for one in listed] == [(conversation, "ended", "turns", 3, 3)]
    assert conversation in box.parley("list").stdout
    status = box.parley("status", "--json")
    members = [line for line in map(json.loads, status.stdout.splitlines()) if "member" in line]
    assert sorted((one["member"], one["role"], one["lane"]) for one in members) == [
        ("manager-1", "manager", None), ("worker-1-1", "worker", 1), ("worker-2-1", "worker", 2)]
    wait_for(lambda: "leads" in box.parley("status").stdout, "the next beat tells who leads", 5)
    shown = box.parley("status").stdout
    assert "worker-2-1" in shown and conversation in shown


def test_it_can_be_analyzed_from_redis(crew):
    conversation = crew.begin("--turns", 4)
    crew.wait_end(conversation)
    done = crew.box.parley("analyze", conversation, "--redis", crew.url, "--json")
    assert done.returncode == 0, done.stderr
    assert complaints("analysis", json.loads(done.stdout)) == []
    assert json.loads(done.stdout)["totals"]["turns"] == 4


# ---- commands ----

def test_pause_stops_the_turns_and_resume_goes_on_to_the_end(fleet):
    fleet.simulator("--tokens-per-second", 200, "--first-token-ms", 20)
    fleet.crew()
    box = fleet.box
    conversation = fleet.begin("--turns", 12, "--duration", "60s", "--story", story_file(box))
    fleet.wait_turns(conversation, 2)
    paused = box.parley("pause", conversation)
    assert (paused.returncode, paused.stdout) == (0, conversation + " is paused\n")
    wait_for(lambda: fleet.talk(conversation)["phase"] == "idle", "the turn in flight is taken")
    talk = fleet.talk(conversation)
    assert talk["state"] == "paused" and 0 < int(talk["left_ms"]) < 60_000
    assert box.parley("pause", conversation).stdout == conversation + " was paused already\n"
    time.sleep(0.5)  # long enough for several turns if it did go on
    assert fleet.talk(conversation) == talk
    assert box.parley("resume", conversation).returncode == 0
    talk = fleet.wait_end(conversation)
    assert (talk["reason"], talk["turns"]) == ("turns", "12")
    assert_once_and_in_order(fleet.transcript(conversation), 12)
    again = box.parley("resume", conversation)
    assert again.returncode == 1 and "refused: it has ended" in again.stderr
    box.stop_all()


@pytest.mark.parametrize("words, turns", [([], 0), (["--after-turn"], 1)])
def test_stop_cancels_the_turn_in_flight_unless_it_is_to_end_it(fleet, words, turns):
    fleet.simulator("--tokens-per-second", 50, "--first-token-ms", 20, "--reply-tokens", "100..100")
    fleet.crew()
    box = fleet.box
    conversation = fleet.begin("--turns", 12, "--story", story_file(box))
    wait_for(lambda: fleet.db.xlen(f"parley:{{0}}:live:{conversation}") > 1, "the first words")
    stopped = box.parley("stop", conversation, *words)
    words_told = "ends after the turn in flight" if words else "has ended"
    assert (stopped.returncode, stopped.stdout) == (0, f"{conversation} {words_told}\n"), stopped.stderr
    talk = fleet.wait_end(conversation, 1 if turns == 0 else 10)
    assert (talk["reason"], talk["turns"]) == ("stopped", str(turns))
    assert "was ended already" in box.parley("stop", conversation).stdout
    wait_for(lambda: fleet.db.xlen("parley:{0}:calls") == 1, "the call is recorded")
    _, call = fleet.db.xrange("parley:{0}:calls")[0]
    assert call["outcome"] == ("done" if turns else "cancelled")
    fleet.wait_settled()
    box.stop_all()


@pytest.mark.parametrize("command", ["stop", "pause", "resume"])
def test_an_id_nobody_knows_is_refused_and_one_that_is_none_is_a_wrong_word(crew, command):
    done = crew.box.parley(command, "abcdefghijkl")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"parley {command}: there is no conversation abcdefghijkl\n"
    done = crew.box.parley(command, "no-id!")
    assert done.returncode == 2 and "'no-id!'" in done.stderr
    done = crew.box.parley(command)
    assert done.returncode == 2 and "which conversation" in done.stderr


def test_an_answer_nobody_takes_is_gone_after_a_minute(crew):
    crew.db.xadd("parley:{0}:control", {
        "id": "c1", "command": "stop", "conversation": "abcdefghijkl", "valid_until": "9" * 16,
        "args": "{}"})
    wait_for(lambda: crew.db.exists("parley:{0}:answer:c1"), "the answer")
    assert crew.db.lrange("parley:{0}:answer:c1", 0, -1) == ["GONE"]
    assert 0 < crew.db.pttl("parley:{0}:answer:c1") <= 60_000


def test_commands_that_make_no_sense_are_turned_down_and_told(crew):
    junk = {"id": "c2", "command": "dance", "conversation": "abcdefghijkl",
            "valid_until": "9" * 16, "args": "{}"}
    for name, fields in (("c2", junk),
                         ("c3", {**junk, "id": "c3", "command": "start", "args": "["}),
                         ("c4", {**junk, "id": "c4", "command": "start", "args": "{}"}),
                         ("c5", {**junk, "id": "c5", "command": "stop", "valid_until": "soon"}),
                         ("c6", {**junk, "id": "c6", "command": "stop", "valid_until": "nan"})):
        crew.db.xadd("parley:{0}:control", fields)
        answer = wait_for(lambda: crew.db.lrange(f"parley:{{0}}:answer:{name}", 0, -1), "an answer")
        assert answer[0].startswith("NO "), answer
    crew.db.xadd("parley:{0}:control", {"nothing": "known"})
    crew.wait_end(crew.begin("--turns", 2, "--dry-run"))
    wait_for(lambda: crew.db.xinfo_groups("parley:{0}:control")[0]["pending"] == 0, "all is acked")


def test_observing_an_id_that_is_none_is_a_wrong_word(crew):
    done = crew.box.parley("observe", "no-id!")
    assert done.returncode == 2 and "no-id!" in done.stderr


def test_without_a_manager_start_fails_in_time_and_the_command_is_void(fleet):
    done = fleet.box.parley("start", "--turns", 2, "--dry-run")
    assert done.returncode == 1 and done.stdout == ""
    assert 5 <= done.seconds <= 6
    assert len(done.stderr.splitlines()) == 1 and "no manager has answered" in done.stderr
    fleet.crew()
    later = fleet.begin("--turns", 2, "--dry-run")
    fleet.wait_end(later)
    assert fleet.db.zrange("parley:{0}:conversations", 0, -1) == [later]
    fleet.wait_settled()
    group, = fleet.db.xinfo_groups("parley:{0}:control")
    assert (group["pending"], group["lag"]) == (0, 0)
    fleet.box.stop_all()


def test_what_waits_for_workers_begins_when_they_come(fleet):
    fleet.manager(), fleet.worker(1)
    conversation = fleet.begin("--turns", 4, "--dry-run")
    wait_for(lambda: fleet.talk(conversation).get("state") == "preparing", "it is opened")
    log = fleet.box.started[1].err_path
    wait_for(lambda: f"waiting conversation={conversation}" in open(log).read(), "the log says so")
    assert fleet.talk(conversation)["state"] == "preparing"
    fleet.worker(2)
    assert fleet.wait_end(conversation)["reason"] == "turns"
    fleet.box.stop_all()


def test_a_redis_of_another_layout_is_left_alone(fleet):
    fleet.db.hset("parley:{0}:meta", "layout", "99")
    services = [fleet.manager(), fleet.worker(1)]
    for service in services:
        assert service.wait(10) == 2
        assert "layout" in open(service.err_path).read()
    assert sorted(fleet.db.scan_iter()) == ["parley:{0}:meta"]
    fleet.box.stop_all()


# ---- budgets ----

@pytest.mark.skipif(IS_ASAN, reason="sanitizers keep shadow memory")
def test_a_worker_with_16_calls_streaming_keeps_under_4_mib_of_its_own(fleet):
    fleet.simulator("--tokens-per-second", 20, "--first-token-ms", 20, "--parallel", 64,
                    "--reply-tokens", "300..300")
    fleet.manager()
    worker = fleet.worker(1, "--concurrency", 16, "--provider", "simulator")
    fleet.worker(2)
    story = story_file(fleet.box)
    fleet.begin("--turns", 1, "--story", story, "--conversations", 16)
    live = "parley:{0}:live:*"

    def streaming():
        return sum(fleet.db.xlen(key) > 20 for key in fleet.db.scan_iter(live)) == 16
    wait_for(streaming, "16 conversations are being spoken")
    with open(f"/proc/{worker.pid}/smaps_rollup", encoding="ascii") as file:
        dirty_kib = int(re.search(r"Private_Dirty:\s+(\d+) kB", file.read()).group(1))
    print(f"Private_Dirty {dirty_kib} KiB")
    assert dirty_kib < 4096
    assert fleet.db.zcard("parley:{0}:due") == 16
    for conversation in fleet.db.zrange("parley:{0}:conversations", 0, -1):
        assert fleet.box.parley("stop", conversation).returncode == 0
    fleet.wait_settled()
    fleet.box.stop_all()
