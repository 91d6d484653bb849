"""What the commands on a running fleet tell: `performance`, `persona`, `hybrid`."""
import json
import re
import time

import pytest

from helpers import FAST, ROOT, STORY_FILE, Fleet, box, complaints, story_file  # noqa: F401: a fixture

CALL = {"conversation": "k3v9q2m4x7ab", "turn": "1", "issue": "1", "delivery": "1", "seat": "1",
        "endpoint": "local", "provider": "ollama", "model": "llama3.2:3b", "outcome": "done", "error": "",
        "duration_ms": "800.5", "time_to_first_token_ms": "90.25", "tokens_generated": "40",
        "prompt_tokens": "600", "worker": "worker-1-1", "attempt": "1", "route": "first"}


@pytest.fixture
def fleet(box):
    fleet = Fleet(box)
    yield fleet
    box.stop_all()


def add_call(fleet, call, at_ms=None, **more):
    fields = {**CALL, "call": call, **more}
    fleet.db.xadd("parley:{0}:calls", fields, id=f"{at_ms}-*" if at_ms else "*")


def told(box, *words):
    done = box.parley(*words)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def performance(box, *words):
    document = json.loads(told(box, "performance", "--json", *words))
    assert complaints("performance", document) == []
    return document


def assert_fits(text):
    assert max(len(line) for line in text.splitlines()) <= 80, text
    assert [line for line in text.splitlines() if line.endswith(" ")] == []


# ---- performance ----

def test_performance_sums_up_the_calls_by_endpoint_and_model(box, fleet):
    for n in range(1, 21):
        add_call(fleet, f"a{n}", time_to_first_token_ms=str(n), duration_ms=str(100 * n))
    add_call(fleet, "f1", outcome="failed", error="busy", attempt="1", time_to_first_token_ms="",
             tokens_generated="", prompt_tokens="")
    add_call(fleet, "f1~2", endpoint="cloud", model="gpt-4o-mini", attempt="2", route="fallback", cost="0.001250",
             prompt_tokens="1000", prompt_cached_tokens="750")
    add_call(fleet, "c1", endpoint="cloud", model="gpt-4o-mini", outcome="cancelled", route="mark_seat",
             tokens_generated="")
    found = performance(box)
    local, cloud = [row["figures"] for row in sorted(found["models"], key=lambda row: row["endpoint"], reverse=True)]
    assert [(row["endpoint"], row["model"]) for row in found["models"]] == [
        ("cloud", "gpt-4o-mini"), ("local", "llama3.2:3b")]
    assert (local["calls"], local["done"], local["failed"], local["cancelled"]) == (21, 20, 1, 0)
    assert local["time_to_first_token_ms"] == {"p50": 10.5, "p95": 19.05}
    assert local["duration_ms"] == {"p50": 1050, "p95": 1905}
    assert (local["errors"], local["cost"], local["cache_hits"]) == ([{"error": "busy", "calls": 1}], None, None)
    assert (cloud["calls"], cloud["done"], cloud["cancelled"], cloud["extra"]) == (2, 1, 1, 1)
    assert (cloud["cost"], cloud["cache_hits"], cloud["prompt_cached_tokens"]) == (0.00125, 0.75, 750)
    assert cloud["routes"] == [{"route": "fallback", "calls": 1}, {"route": "mark_seat", "calls": 1}]
    total = found["total"]
    assert (total["calls"], total["tokens_generated"], total["prompt_tokens"]) == (23, 21 * 40, 20 * 600 + 1600)
    assert total["routes"][0] == {"route": "first", "calls": 21}


def test_performance_counts_a_call_once_that_was_written_twice(box, fleet):
    add_call(fleet, "a1")
    add_call(fleet, "a2")
    add_call(fleet, "a1")
    assert performance(box)["total"]["calls"] == 2


def test_performance_takes_a_call_for_lost_only_where_nothing_else_is_told_of_it(box, fleet):
    add_call(fleet, "a1", outcome="lost")
    add_call(fleet, "a1", outcome="cancelled")
    add_call(fleet, "a2")
    add_call(fleet, "a2", outcome="lost")
    add_call(fleet, "a3", outcome="lost")
    total = performance(box)["total"]
    assert (total["calls"], total["cancelled"], total["done"], total["lost"]) == (3, 1, 1, 1)


def test_performance_reads_streams_of_many_pages(box, fleet):
    with fleet.db.pipeline(transaction=False) as pipe:
        for n in range(1700):
            pipe.xadd("parley:{0}:calls", {**CALL, "call": f"n{n}"})
        pipe.execute()
    assert performance(box)["total"]["done"] == 1700


def test_performance_since_leaves_out_what_is_older(box, fleet):
    now_ms = int(time.time() * 1000)
    add_call(fleet, "old", at_ms=now_ms - 120_000)
    add_call(fleet, "new", at_ms=now_ms - 5_000)
    assert performance(box, "--since", "1m")["total"]["calls"] == 1
    assert performance(box, "--since", "3m")["total"]["calls"] == 2


def test_performance_in_tables_is_harmless_and_fits_80_columns(box, fleet):
    add_call(fleet, "a1", model="\x1b[31mred" + "x" * 80, route="\x07bell", outcome="failed", error="\x1b[1mbusy")
    add_call(fleet, "a2", endpoint="e" * 60, cost="123456.5", prompt_cached_tokens="3")
    text = told(box, "performance")
    assert_fits(text)
    assert "\x1b" not in text and "\x07" not in text
    assert "why a call went where it went" in text and "the first in the config that had a place" in text
    assert "what failed\n  <U+001B>[1mbusy" in text and " 1  100.0 % of " in text
    wide = told(box, "performance", "--verbose")
    assert "done  canc." in wide and max(len(line) for line in wide.splitlines()) <= 120


def test_performance_says_what_each_word_of_the_router_means(box, fleet):
    text = (ROOT / "docs/routing.md").read_text(encoding="utf-8").split("## The words")[1]
    words = [word for line in text.splitlines() if line.startswith("| `")
             for word in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert len(words) >= 15
    for word in words:
        add_call(fleet, word, route=word)
    said = re.findall(r"^  (\w+) +1 +\d\.\d %  (\S.*)$", told(box, "performance"), re.M)
    assert sorted(word for word, _ in said) == sorted(words)


def test_performance_tells_how_the_servers_are_now(box, fleet):
    today = int(time.time()) // 86400
    local, cloud = "parley:{endpoints}:http://127.0.0.1:9", "parley:{endpoints}:https://api.example/v1#1a2b3c4d"
    fleet.db.hset(local, mapping={
        "name": "local", "tier": "local", "window": "2", "state": "closed", "ok": "40", "failed": "3",
        "latency_ms": "812.5", "spent": "9.5", "day": str(today - 1)})
    fleet.db.hset(cloud, mapping={
        "name": "cloud", "tier": "cloud", "window": "0", "state": "open", "why": "busy",
        "reason": "the server answered 503", "spent": "0.001250", "day": str(today)})
    fleet.db.zadd(local + ":held", {"a": 1, "b": 2})
    fleet.db.zadd(local + ":waiting", {"c": 1})
    fleet.db.set("parley:{endpoints}:hybrid", "auto")
    one, two = performance(box)["servers"]
    assert one == {"id": "https://api.example/v1#1a2b3c4d", "endpoint": "cloud", "tier": "cloud", "state": "open",
                   "reason": "the server answered 503", "window": 0, "held": 0, "waiting": 0, "ok": 0, "failed": 0,
                   "latency_ms": None, "spent_today": 0.00125}
    assert (two["endpoint"], two["state"], two["window"], two["held"], two["waiting"]) == ("local", "closed", 2, 2, 1)
    assert (two["ok"], two["failed"], two["latency_ms"], two["spent_today"]) == (40, 3, 812.5, None)
    text = told(box, "performance")
    assert_fits(text)
    assert "endpoint now" in text and " up " in text and " down " in text and "the server answered 503"[:20] in text


def test_performance_of_a_fleet_agrees_with_its_transcript(box, fleet):
    fleet.simulator(*FAST)
    fleet.crew("--provider", "simulator")
    talk = fleet.begin("--turns", 6)
    fleet.wait_end(talk)
    found = performance(box)
    said = [message["metadata"] for message in fleet.transcript(talk) if message["kind"] == "turn"]
    total = found["total"]
    assert (total["calls"], total["done"], total["extra"]) == (8, 8, 0)  # the story, the personas, six turns
    assert total["routes"] == [{"route": "only", "calls": 8}]
    assert total["tokens_generated"] >= sum(one["tokens_generated"] for one in said) > 0
    server, = found["servers"]
    assert (server["endpoint"], server["state"], server["ok"], server["held"]) == ("simulator", "closed", 8, 0)


def test_performance_of_a_fleet_without_calls_says_so(box, fleet):
    assert "no calls" in told(box, "performance")
    assert performance(box)["models"] == []


def test_what_is_no_number_is_not_counted(box, fleet):
    add_call(fleet, "a1", prompt_tokens="many", cost="nan", duration_ms="inf", attempt="x",
             prompt_cached_tokens="-5")
    total = performance(box)["total"]
    assert (total["calls"], total["prompt_tokens"], total["cost"]) == (1, 0, None)
    assert total["duration_ms"] == {"p50": None, "p95": None}


def test_entries_that_lack_fields_are_each_counted(box, fleet):
    for _ in range(3):
        fleet.db.xadd("parley:{0}:calls", {"outcome": "done", "model": "m"})
    found = performance(box)
    assert (found["total"]["calls"], found["total"]["done"]) == (3, 3)
    assert [(row["endpoint"], row["model"]) for row in found["models"]] == [(None, "m")]


# ---- persona ----

def test_persona_tells_who_takes_part_and_how_far_each_is(box, fleet):
    fleet.simulator(*FAST)
    fleet.crew("--provider", "simulator")
    talk = fleet.begin("--story", story_file(box), "--turns", 5, "--model", "2=qwen2.5:7b", "--num-ctx", "4096")
    fleet.wait_end(talk)
    found = json.loads(told(box, "persona", "--json", talk))
    assert (found["conversation"], found["state"]) == (talk, "ended")
    ada, bo = found["personas"]
    assert (ada["seat"], ada["name"], ada["role"], ada["driver"]) == (1, "Ada", "walker", "model")
    assert (ada["turns"], bo["turns"], bo["model"]) == (3, 2, "qwen2.5:7b")
    said = [m["metadata"] for m in fleet.transcript(talk) if m["kind"] == "turn" and m["metadata"]["seat"] == 1]
    assert ada["tokens_generated"] == sum(m["tokens_generated"] for m in said)
    assert ada["prompt_tokens"] == said[-1]["prompt_tokens"]
    assert ada["time_to_first_token_ms"] == pytest.approx(said[-1]["time_to_first_token_ms"], abs=0.01)
    assert (ada["last_model"], ada["last_endpoint"]) == (said[-1]["model"], said[-1]["endpoint"])
    assert ada["context_used"] == pytest.approx(said[-1]["prompt_tokens"] / 4096, abs=1e-4)
    assert (ada["calls"], ada["failed_calls"], ada["spotlight"], ada["fallback"]) == (3, 0, False, None)
    text = told(box, "persona", talk)
    assert_fits(text)
    assert "Ada" in text and "qwen2.5:7b" in text


def test_persona_tells_marks_fallbacks_and_failed_calls(box, fleet):
    fleet.simulator(*FAST, "--faults", json.dumps([{"kind": "status", "status": 503, "count": 1}]))
    fleet.crew("--provider", "simulator")
    ada, bo = STORY_FILE["personas"]
    with open(box.path("marked.json"), "w", encoding="utf-8") as file:
        json.dump({**STORY_FILE, "personas": [{**ada, "spotlight": True, "fallback": ["cloud:x", "local"]}, bo]}, file)
    talk = fleet.begin("--story", box.path("marked.json"), "--turns", 2)
    fleet.wait_end(talk)
    ada, bo = json.loads(told(box, "persona", "--json", talk))["personas"]
    assert (ada["spotlight"], ada["fallback"], ada["calls"], ada["failed_calls"]) == (True, "cloud:x,local", 2, 1)
    assert (bo["spotlight"], bo["fallback"], bo["calls"], bo["failed_calls"]) == (False, None, 1, 0)
    assert "seat 1: spotlight, fallback cloud:x,local, 1 of 2 calls failed" in told(box, "persona", talk)


@pytest.mark.parametrize("words, status, reason", [
    ([], 2, "one conversation's id"), (["a", "b"], 2, "one conversation's id"), (["../x"], 2, "'../x' is not a conversation's id"),
    (["k3v9q2m4x7ab"], 1, "there is no conversation k3v9q2m4x7ab"),
])
def test_persona_of_nobody_is_told(box, fleet, words, status, reason):
    done = box.parley("persona", *words)
    assert (done.returncode, done.stdout) == (status, "") and reason in done.stderr


def test_persona_of_a_conversation_that_is_being_prepared_is_told(box, fleet):
    fleet.db.hset("parley:{0}:conversation:k3v9q2m4x7ab", "state", "preparing")
    done = box.parley("persona", "k3v9q2m4x7ab")
    assert done.returncode == 1 and "still being prepared" in done.stderr


def test_persona_of_any_length_is_told_whole(box, fleet):
    talk = "k3v9q2m4x7ab"
    seat = {"persona": {"name": "Ada", "role": "\x01" * 300000, "traits": [], "goal": "", "style": ""},
            "driver": "model", "lane": 1}
    fleet.db.hset(f"parley:{{0}}:conversation:{talk}", "state", "running")
    fleet.db.hset(f"parley:{{0}}:cast:{talk}", "seat:1", json.dumps(seat))
    ada, = json.loads(told(box, "persona", talk, "--json"))["personas"]
    assert ada["role"] == seat["persona"]["role"]


# ---- hybrid ----

def test_hybrid_is_set_for_all_shards_and_shown(box, fleet):
    assert "options say" in told(box, "hybrid")
    assert json.loads(told(box, "hybrid", "--json")) == {"hybrid": None}
    for mode in ("on", "auto", "off"):
        assert told(box, "hybrid", mode) == mode + "\n"
        assert fleet.db.get("parley:{endpoints}:hybrid") == mode
        assert told(box, "hybrid", "--shard", "other") == mode + "\n"
    assert json.loads(told(box, "hybrid", "--json")) == {"hybrid": "off"}


def test_whatever_the_hybrid_key_holds_is_shown_as_one_short_word(box, fleet):
    fleet.db.set("parley:{endpoints}:hybrid", "\x1b[2J" * 5000)
    assert len(json.loads(told(box, "hybrid", "--json"))["hybrid"]) < 500
    assert "\x1b" not in told(box, "hybrid")


@pytest.mark.parametrize("words", [["maybe"], ["on", "off"], ["ON"], [""]])
def test_hybrid_takes_one_of_three_words(box, fleet, words):
    done = box.parley("hybrid", *words)
    assert done.returncode == 2 and "on, off, auto" in done.stderr
    assert not fleet.db.exists("parley:{endpoints}:hybrid")
