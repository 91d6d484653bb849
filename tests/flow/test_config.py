"""Options from where people put them, and what of them stays in a run's folder."""
import json
import pathlib

from helpers import FAST, Fleet, assert_run_folder, box, complaints, wait_for  # noqa: F401

ENDPOINTS = {
    "box": {"provider": "ollama", "url": "http://me:pass-word@box:11434"},
    "cloud": {"provider": "openai", "url": "http://models.example.com/v1", "key_env": "SOME_KEY",
              "models": ["gpt-4o-mini"], "price": {"prompt": 0.15}},
}


def config_file(sandbox, **sections):
    path = pathlib.Path(sandbox.path("config.json"))
    path.write_text(json.dumps(sections))
    return path


def test_a_variable_that_names_no_option_is_warned_of_and_no_error(box):
    done = box.parley("check-config", env={"PARLEY_TURNSS": "7", "PARLEY_PORT_6379_TCP": "1",
                                           "PARLEY_TURNS": "7"})
    assert done.returncode == 0
    assert "PARLEY_TURNSS names no option, did you mean PARLEY_TURNS?" in done.stderr
    assert "PARLEY_PORT_6379_TCP names no option" in done.stderr
    assert "PARLEY_TURNS names" not in done.stderr and "PARLEY_TEST_MARK" not in done.stderr


def test_a_key_that_would_go_over_the_net_in_the_clear_is_warned_of(box):
    path = config_file(box, endpoints=ENDPOINTS)
    done = box.parley("check-config", "--config", path)
    assert done.returncode == 0
    assert "the key of endpoint cloud goes over the net unencrypted" in done.stderr
    assert "endpoint box" not in done.stderr


def test_a_run_keeps_its_endpoints_and_no_secret(box):
    path = config_file(box, endpoints=ENDPOINTS, router={"attempts": 2})
    done = box.parley("run", "--config", path, "--dry-run", "--turns", 4, "--out", box.path("run"),
                      "--observe", "none", env={"SOME_KEY": "sk-pass-word"})
    assert done.returncode == 0, done.stderr
    assert_run_folder(box.path("run"))
    run = json.loads(pathlib.Path(box.path("run/run.json")).read_text())
    assert run["config"]["endpoints.box.url"] == "http://box:11434"
    assert run["config"]["endpoints.cloud.key_env"] == "SOME_KEY"
    assert run["config"]["endpoints.cloud.price.prompt"] == "0.15"
    assert run["sources"]["endpoints.cloud.models"] == "file"
    assert run["config"]["router.attempts"] == "2"
    kept = [p for p in pathlib.Path(box.path("run")).rglob("*") if p.is_file()]
    assert [p for p in kept if b"pass-word" in p.read_bytes()] == []


def test_what_is_known_of_a_call_stands_in_the_runs_folder(box):
    """Also what a call says in words of its own: lists, yes and no, unknown."""
    fleet = Fleet(box)
    run = box.start("run", "--redis", fleet.url, "--shard", "s", "--simulate", *FAST, "--turns", 400,
                    "--first-token-ms", 20, "--out", box.path("run"), "--observe", "none")
    talks = wait_for(lambda: fleet.db.zrange("parley:{s}:conversations", 0, -1), "it has begun")
    plain = {"conversation": talks[0], "turn": 1, "issue": 1, "delivery": 1, "seat": 1,
             "endpoint": "cloud", "provider": "openai", "model": "m",
             "started_at": "2026-01-31T10:29:59.310000Z", "ended_at": "2026-01-31T10:30:00.122400Z",
             "duration_ms": "812.4", "time_to_first_token_ms": "", "tokens_generated": "41",
             "prompt_tokens": "", "outcome": "done", "error": "", "worker": "w"}
    routed = {"attempt": "2", "tier": "cloud", "route": "complexity", "endpoint_wait_ms": "0.25",
              "cost": "0.000123", "prompt_cached_tokens": "512", "finish_reason": "stop",
              "http_status": "200", "cleaned": "name_prefix,capped", "context_truncated": "1",
              "probe": "0", "thinking": "So \"it\" is."}
    fleet.db.xadd("parley:{s}:calls", {**plain, "call": "plain"})
    fleet.db.xadd("parley:{s}:calls", {**plain, **routed, "call": "routed"})

    def written():
        whole = pathlib.Path(box.path("run/calls.jsonl")).read_text().rpartition("\n")[0]
        found = {call["call"]: call for call in map(json.loads, whole.splitlines())}
        return found if {"plain", "routed"} <= set(found) else None

    calls = wait_for(written, "both calls are in calls.jsonl")
    run.terminate()
    run.wait(20)
    for name in ("plain", "routed"):
        assert complaints("call", calls[name]) == []
    assert {name: calls["plain"][name] for name in routed} == dict.fromkeys(routed)
    assert {name: calls["routed"][name] for name in routed} == {
        "attempt": 2, "tier": "cloud", "route": "complexity", "endpoint_wait_ms": 0.25,
        "cost": 0.000123, "prompt_cached_tokens": 512, "finish_reason": "stop", "http_status": 200,
        "cleaned": ["name_prefix", "capped"], "context_truncated": True, "probe": False,
        "thinking": "So \"it\" is."}
    box.stop_all()
