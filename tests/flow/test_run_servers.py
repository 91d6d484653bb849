"""`parley run` and the model servers: which it checks, how they and their keys reach its children."""
import json
import pathlib
import re

import pytest

from helpers import (FakeOllama, assert_run_folder, box, closed_port, read_lines, story_file, turns_of,
                     wait_for)  # noqa: F401: box is a fixture
from table_servers import KEY, OLLAMA, OPENAI, Server, config


def data_of(box, folder="D"):
    return [message["metadata"] for message in turns_of(read_lines(box.path(folder + "/transcript.jsonl")))]


def assert_nowhere(secret, folder):
    """In no file of a run's folder but Redis' own data."""
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


def run(box, *words, **more):
    return box.parley("run", "--story", story_file(box), "--turns", 4, "--observe", "none", "--out", box.path("D"),
                      *words, **more)


def test_each_seat_talks_to_its_own_endpoint_and_keys_stand_in_the_environment_alone(box):
    with FakeOllama() as near, Server(OPENAI, key=KEY) as cloud:
        path = config(box, near={"provider": "ollama", "url": near.url, "models": ["llama3.2"]},
                      cloud={"provider": "openai", "url": cloud.url + "/v1", "key_env": "MY_CLOUD_KEY",
                             "models": ["gpt-small"], "price": {"prompt": 2, "generated": 10}})
        done = run(box, "--config", path, "--model", "near:llama3.2", "--model", "2=cloud", env={"MY_CLOUD_KEY": KEY})
    assert (done.returncode, done.stderr.count("warning")) == (0, 0), done.stderr
    assert "endpoints near cloud" in done.stderr
    assert [one["endpoint"] for one in data_of(box)] == 2 * ["near", "cloud"]
    assert [one["provider"] for one in data_of(box)] == 2 * ["ollama", "openai"]
    assert {one[1]["Authorization"] for one in cloud.asked} == {f"Bearer {KEY}"}
    assert_nowhere(KEY, box.folder)
    document = assert_run_folder(box.path("D"))
    assert document["config"]["endpoints.cloud.key_env"] == "MY_CLOUD_KEY"
    costs = [call["cost"] for call in read_lines(box.path("D/calls.jsonl")) if call["endpoint"] == "cloud"]
    assert costs == 2 * [pytest.approx((20 * 2 + 5 * 10) / 1e6)]


def test_neither_a_key_nor_a_password_stands_among_the_words_of_a_process(box):
    seen = []

    def on_chat(kind, number, body):
        seen.append([word for words in box.processes().values() for word in words])
        return None
    with FakeOllama(on_chat) as server:
        url = server.url.replace("http://", "http://me:sesame@")
        done = run(box, "--ollama", url, env={"OPENAI_API_KEY": KEY})
    assert done.returncode == 0, done.stderr
    assert any("parley-worker" in word for word in seen[0])
    assert len(seen) == 4
    for words in seen:
        # The one who was given it has it among its own words: that is the caller's affair.
        others = [word for word in words if word != url]
        assert not any("sesame" in word or KEY in word for word in others), others
    assert "sesame" not in done.stdout + done.stderr
    assert_nowhere("sesame", box.path("D"))
    assert_nowhere(KEY, box.path("D"))


def test_any_endpoint_that_serves_the_model_will_do(box):
    with FakeOllama() as near:
        path = config(box, other={"provider": "ollama", "url": f"http://127.0.0.1:{closed_port()}", "models": ["x"]},
                      near={"provider": "ollama", "url": near.url})
        done = run(box, "--config", path)
    assert done.returncode == 0, done.stderr
    assert {one["endpoint"] for one in data_of(box)} == {"near"}


def test_a_first_choice_that_is_down_ends_the_start_and_one_that_stands_in_only_warns(box):
    gone = f"http://127.0.0.1:{closed_port()}"
    with FakeOllama() as near:
        path = config(box, near={"provider": "ollama", "url": near.url}, gone={"provider": "ollama", "url": gone})
        done = run(box, "--config", path, "--model", "2=gone:llama3.2")
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith(f"parley run: gone ({gone}): ") and done.stderr.count("\n") == 1
        box.assert_nothing_made()
        for words in (["--model", "near:llama3.2", "--fallback", "gone:llama3.2"], ["--strategy", "least-busy"]):
            done = run(box, "--config", path, "--force", *words)
            assert done.returncode == 0, done.stderr
            assert done.stderr.startswith(f"parley run: warning: gone ({gone}): "), done.stderr
            assert {one["endpoint"] for one in data_of(box)} == {"near"}


def test_a_fallback_that_leads_nowhere_is_warned_of_once(box):
    with FakeOllama() as near:
        path = config(box, near={"provider": "ollama", "url": near.url, "models": ["llama3.2", "other:1b"]})
        done = run(box, "--config", path, "--fallback", "neer,other:1b,near")
    assert done.returncode == 0, done.stderr
    assert re.findall("warning: fallback (.*): there is no such endpoint", done.stderr) == ["neer"], done.stderr


def test_a_key_that_is_not_set_ends_the_start(box):
    with Server(OPENAI, key=KEY) as cloud:
        path = config(box, cloud={"provider": "openai", "url": cloud.url + "/v1", "key_env": "MY_CLOUD_KEY"})
        done = run(box, "--config", path, "--model", "gpt-small")
    assert done.returncode == 4 and "MY_CLOUD_KEY is not set" in done.stderr
    assert cloud.asked == []
    box.assert_nothing_made()


def test_a_model_that_no_endpoint_has_ends_the_start(box):
    with FakeOllama(models=("other:1b",)) as near, Server(OPENAI) as cloud:
        path = config(box, near={"provider": "ollama", "url": near.url},
                      cloud={"provider": "openai", "url": cloud.url + "/v1"})
        done = run(box, "--config", path, "--model", "huge")
        assert done.returncode == 4 and "near (" in done.stderr and "lacks the model huge; it has other:1b" in done.stderr
        path = config(box, near={"provider": "ollama", "url": near.url, "models": ["other:1b"]})
        done = run(box, "--config", path, "--model", "huge")
        assert done.returncode == 4 and "no endpoint of the config serves the model huge" in done.stderr
    box.assert_nothing_made()


def test_the_logs_of_a_run_stay_apart_though_its_config_names_one(box):
    with FakeOllama() as near:
        path = box.path("parley.json")
        pathlib.Path(path).write_text(json.dumps({"endpoints": {"near": {"provider": "ollama", "url": near.url}},
                                                  "logging": {"file": box.path("all.log"), "level": "INFO"}}))
        done = run(box, "--config", path)
    assert done.returncode == 0, done.stderr
    assert "parley-worker" not in pathlib.Path(box.path("all.log")).read_text()
    assert "begun conversation" in pathlib.Path(box.path("D/logs/manager.log")).read_text()
    assert "begun conversation" not in pathlib.Path(box.path("all.log")).read_text()


@pytest.mark.parametrize("provider", ["openai", "ollama", None])
def test_a_simulated_run_asks_no_server_of_the_config(box, provider):
    with Server(OPENAI) as cloud, Server(OLLAMA) as near:
        path = config(box, openai={"provider": "openai", "url": cloud.url + "/v1", "models": ["gpt-small"]},
                      near={"provider": "ollama", "url": near.url})
        done = run(box, "--config", path, "--simulate", "--model", "openai:gpt-small", "--tokens-per-second", 0,
                   "--first-token-ms", 1, *(["--provider", provider] if provider else []))
    assert done.returncode == 0, done.stderr
    assert cloud.asked == near.asked == []
    assert "the simulator" in done.stderr
    said = data_of(box)
    assert {one["model"] for one in said} == {"gpt-small"}
    assert {one["provider"] for one in said} == {"openai" if provider == "openai" else "simulator"}
