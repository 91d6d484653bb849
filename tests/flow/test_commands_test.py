"""`parley test` and `parley models`: servers that are well, and each way to have them wrong."""
import json
import re

import pytest

from helpers import FAST, BlackHole, box, closed_port, wait_for  # noqa: F401: box is a fixture
from table_servers import GOOD_LINES, KEY, OLLAMA, OPENAI, Server, certificate_for, config, openai_error

@pytest.fixture
def certificate(box):
    return certificate_for(box)


def assert_one_line(done, name, *words, command="test"):
    """Told in one line, without the key, and with exit status 4."""
    assert done.returncode == 4, done
    assert done.stdout == "", done.stdout
    assert done.stderr.endswith("\n") and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"parley {command}: {name}"), done.stderr
    for word in words:
        assert word in done.stderr, (word, done.stderr)
    assert KEY not in done.stderr
    assert len(done.stderr) < 450


# ---- servers that are well ----

def test_a_good_ollama_server_is_told_with_all_its_figures(box):
    with Server(OLLAMA) as server:
        done = box.parley("test", "--ollama", server.url, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    seen = json.loads(done.stdout)
    assert (seen["endpoint"], seen["ok"], seen["url"], seen["provider"]) == ("ollama", True, server.url, "ollama")
    assert (seen["model"], seen["finish_reason"], seen["window"]) == ("llama3.2", "stop", 1)
    assert (seen["tokens_generated"], seen["tokens_per_second"]) == (24, 24)
    assert (seen["prompt_tokens"], seen["prompt_cached_tokens"]) == (31, 12)
    assert 0 <= seen["connect_ms"] <= seen["time_to_first_token_ms"] <= seen["duration_ms"] < 5000
    assert (seen["error"], seen["reason"]) == (None, None)
    path, _, body = server.asked[0]
    asked = json.loads(body)
    assert (path, asked["model"], asked["options"]["num_ctx"]) == ("/api/chat", "llama3.2", 8192)
    assert asked["options"]["num_predict"] < 100
    assert [one[0] for one in server.asked] == ["/api/chat", "/api/version"]
    assert (seen["server"], seen["not_sent"]) == ("Ollama 0.5.4", [])


def test_a_good_openai_server_is_told_its_window_and_cached_tokens_too(box):
    with Server(OPENAI, key=KEY) as server:
        path = config(box, den={"provider": "openai", "url": server.url + "/v1", "key_env": "DEN_KEY",
                                "tier": "local"})
        done = box.parley("test", "den", "--config", path, "--json", env={"DEN_KEY": KEY})
    assert (done.returncode, done.stderr) == (0, "")
    seen = json.loads(done.stdout)
    assert (seen["model"], seen["window"], seen["prompt_cached_tokens"]) == ("gpt-small-2026", 3, 16)
    assert KEY not in done.stdout
    assert json.loads(server.asked[1][2])["model"] == "gpt-small"  # its first one: none was named


def test_each_endpoint_of_the_config_is_told_and_bad_ones_do_not_hide_good_ones(box):
    with Server(OLLAMA) as first, Server(OPENAI) as second:
        path = config(box, near={"provider": "ollama", "url": first.url},
                      gone={"provider": "ollama", "url": f"http://127.0.0.1:{closed_port()}"},
                      far={"provider": "openai", "url": second.url + "/v1", "models": ["gpt-large"]})
        done = box.parley("test", "--config", path)
        assert json.loads(second.asked[0][2])["model"] == "gpt-large"
        good = box.parley("test", "near", "--config", path)
    assert done.returncode == 4
    assert {line.split(":")[0] for line in done.stdout.splitlines() if not line.startswith(" ")} == {"near", "far"}
    assert done.stderr.startswith("parley test: gone (http://127.0.0.1:")
    assert (good.returncode, good.stderr) == (0, "") and "first token" in good.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_a_model_that_only_thought_has_answered(box):
    thinking = [{"message": {"role": "assistant", "content": "", "thinking": "Hm."}, "done": False},
                {**GOOD_LINES[2], "done_reason": "length"}]
    answers = {**OLLAMA, "/api/chat": (200, "application/x-ndjson", "".join(json.dumps(line) + "\n" for line in thinking))}
    with Server(answers) as server:
        done = box.parley("test", "--ollama", server.url)
    assert (done.returncode, done.stderr) == (0, "") and "finished: length" in done.stdout


def test_models_lists_what_each_has_and_which_are_loaded(box):
    with Server(OLLAMA) as first, Server(OPENAI) as second:
        path = config(box, near={"provider": "ollama", "url": first.url, "models": ["tiny:1b", "huge"]},
                      far={"provider": "openai", "url": second.url + "/v1"},
                      gone={"provider": "ollama", "url": f"http://127.0.0.1:{closed_port()}"})
        told = box.parley("models", "--config", path)
        data = box.parley("models", "--config", path, "--json")
    assert told.returncode == data.returncode == 0
    lines = told.stdout.splitlines()
    assert lines[0] == f"near: ollama, local, {first.url}, 2 models"
    assert [line.split() for line in lines[1:3]] == [["llama3.2:latest"], ["tiny:1b", "loaded"]]
    assert "huge" in lines[3] and "lacks" in lines[3]
    assert lines[4].startswith("far: openai, local, ") and lines[5:] == ["  gpt-small", "  gpt-large"]
    assert told.stderr.startswith("parley models: gone (") and told.stderr.count("\n") == 1
    near, far, gone = [json.loads(line) for line in data.stdout.splitlines()]
    assert (near["models"], near["loaded"]) == (["llama3.2:latest", "tiny:1b"], ["tiny:1b"])
    assert (far["loaded"], far["ok"], far["tier"]) == (None, True, "local")
    assert (gone["ok"], gone["error"], gone["models"]) == (False, "refused", [])


def test_models_without_any_server_that_answers_ends_with_4(box):
    done = box.parley("models", "--ollama", f"http://127.0.0.1:{closed_port()}")
    assert_one_line(done, "ollama", "Connection refused", "ollama serve", command="models")


def test_names_from_a_server_are_harmless(box):
    answers = {**OLLAMA, "/api/tags": (200, "application/json", json.dumps({"models": [{"name": "\x1b[31mred"}]}))}
    with Server(answers) as server:
        done = box.parley("models", "--ollama", server.url)
    assert done.returncode == 0 and "\x1b" not in done.stdout and "<U+001B>[31mred" in done.stdout


@pytest.mark.parametrize("command", ["test", "models"])
def test_an_endpoint_nobody_knows_is_told_with_those_there_are(box, command):
    path = config(box, near={"provider": "ollama", "url": "http://127.0.0.1:1"})
    done = box.parley(command, "fra", "--config", path)
    assert done.returncode == 2 and "'fra'" in done.stderr and "near, ollama, openai" in done.stderr
    assert box.parley(command, "near", "far", "--config", path).returncode == 2
    assert box.parley(command, "echo").returncode == 2


# ---- each way to have it wrong ----

PROVIDERS = {"ollama": (OLLAMA, ""), "openai": (OPENAI, "/v1")}


def try_it(box, provider, url, env=None, *more):
    return box.parley("test", provider, f"--{provider}", url + PROVIDERS[provider][1], *more, env=env)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wrong_port_is_told(box, provider):
    port = closed_port()
    done = try_it(box, provider, f"http://127.0.0.1:{port}")
    assert_one_line(done, provider, str(port), "Connection refused", "does it run?")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_html_page_is_told(box, provider):
    with Server({}, anything=(200, "text/html; charset=utf-8", "<html><title>Router login</title></html>")) as server:
        done = try_it(box, provider, server.url, None, "--model", "x")
    assert_one_line(done, provider, server.url, "HTML page", "URL right?" if provider == "openai" else "Ollama")


def test_an_openai_url_without_its_path_is_told(box):
    with Server(OPENAI) as server:
        done = box.parley("test", "openai", "--openai", server.url, "--model", "gpt-small")
    assert_one_line(done, "openai", "no such path", "/v1")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_tls_on_a_plain_port_is_told(box, provider):
    with Server(PROVIDERS[provider][0]) as server:
        done = try_it(box, provider, server.url.replace("http:", "https:"))
    assert_one_line(done, provider, "TLS", "http://")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_plain_on_a_tls_port_is_told(box, certificate, provider):
    with Server(PROVIDERS[provider][0], tls=certificate) as server:
        done = try_it(box, provider, server.url.replace("https:", "http:"), None, "--model", "x")
    assert_one_line(done, provider, "https://")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_certificate_nobody_signed_is_told(box, certificate, provider):
    with Server(PROVIDERS[provider][0], tls=certificate) as server:
        done = try_it(box, provider, server.url)
    assert_one_line(done, provider, "certificate")
    assert server.asked == []  # nothing was said to it, the key least of all


def test_a_key_that_was_not_set_is_told_without_asking_the_server(box):
    with Server(OPENAI, key=KEY) as server:
        path = config(box, cloud={"provider": "openai", "url": server.url + "/v1", "key_env": "MY_CLOUD_KEY"})
        done = box.parley("test", "cloud", "--config", path)
        assert_one_line(done, "", "cloud", "MY_CLOUD_KEY", "not set")
        path = config(box, cloud={"provider": "openai", "url": server.url + "/v1", "key_file": box.path("none")})
        done = box.parley("test", "cloud", "--config", path)
        assert_one_line(done, "", "cloud", box.path("none"))
    assert server.asked == []


def test_a_server_that_wants_a_key_is_told_where_to_set_it(box):
    with Server(OPENAI, key=KEY) as server:
        done = try_it(box, "openai", server.url)
        assert_one_line(done, "openai", "401", "Incorrect API key", "no key was sent", "OPENAI_API_KEY")
        path = config(box, cloud={"provider": "openai", "url": server.url + "/v1", "models": ["gpt-small"]})
        done = box.parley("test", "cloud", "--config", path)
    assert_one_line(done, "cloud", "401", "no key was sent", "key_env")


def test_a_wrong_key_is_told_where_it_came_from_and_never_shown(box):
    with Server(OPENAI, key="another") as server:
        done = try_it(box, "openai", server.url, {"OPENAI_API_KEY": KEY}, "--model", "gpt-small")
        assert_one_line(done, "openai", "401", "is the key right?", "OPENAI_API_KEY")
        with open(box.path("key"), "w", encoding="utf-8") as file:
            file.write(KEY + "\n")
        path = config(box, cloud={"provider": "openai", "url": server.url + "/v1", "key_file": box.path("key"),
                                  "models": ["gpt-small"]})
        done = box.parley("test", "cloud", "--config", path)
    assert_one_line(done, "cloud", "401", box.path("key"))
    assert {one[1]["Authorization"] for one in server.asked} == {f"Bearer {KEY}"}


def test_the_simulator_holds_to_its_key_over_both_apis(box):
    process = box.start("simulate", "--listen", "127.0.0.1:0", *FAST, env={**box.env, "PARLEY_SIM_KEY": KEY})
    url = wait_for(lambda: re.search(r"listening on (\S+)\n", open(process.out_path, encoding="utf-8").read()),
                   "the simulator listens").group(1)
    path = config(box, own={"provider": "ollama", "url": url, "key_env": "SIM_KEY"},
                  api={"provider": "openai", "url": url + "/v1", "key_env": "SIM_KEY", "models": ["llama3.2"]})
    for name in ("own", "api"):
        done = box.parley("test", name, "--config", path, env={"SIM_KEY": "sk-wrong"})
        assert_one_line(done, name, "401", "is the key right?", "SIM_KEY")
        done = box.parley("test", name, "--config", path, env={"SIM_KEY": KEY})
        assert (done.returncode, done.stderr) == (0, ""), done
    done = box.parley("test", "ollama", "--ollama", url)
    assert_one_line(done, "ollama", "401", "no key was sent", "key_env")
    box.stop_all()


def test_a_missing_model_is_told_with_those_there_are(box):
    answers = {**OLLAMA, "/api/chat": (404, "application/json", json.dumps({"error": "model 'huge' not found"}))}
    with Server(answers) as server:
        done = box.parley("test", "--ollama", server.url, "--model", "huge")
    assert_one_line(done, "ollama", "lacks the model huge", "llama3.2:latest, tiny:1b", "ollama pull huge")
    answers = {**OPENAI, "/v1/chat/completions": openai_error(404, "The model `huge` does not exist", "model_not_found")}
    with Server(answers) as server:
        done = try_it(box, "openai", server.url, None, "--model", "huge")
    assert_one_line(done, "openai", "lacks the model huge", "gpt-small, gpt-large", "--model")


def test_of_many_models_the_missing_one_is_the_one_named(box):
    many = json.dumps({"data": [{"id": f"m{i}"} for i in range(20)]})
    answers = {**OPENAI, "/v1/models": (200, "application/json", many),
               "/v1/chat/completions": openai_error(404, "The model `huge` does not exist", "model_not_found")}
    with Server(answers) as server:
        done = try_it(box, "openai", server.url, None, "--model", "huge")
    assert_one_line(done, "openai", "lacks the model huge; it has m0, m1")


@pytest.mark.parametrize("provider, wanted, meant", [
    ("ollama", "lama3.2", "llama3.2:latest"), ("ollama", "tiny:3b", "tiny:1b"),
    ("openai", "gpt-smal", "gpt-small")])
def test_the_name_that_was_meant_is_told(box, provider, wanted, meant):
    answers, path = PROVIDERS[provider]
    chat = "/api/chat" if provider == "ollama" else "/v1/chat/completions"
    answers = {**answers, chat: openai_error(404, f"model '{wanted}' not found", "model_not_found")}
    with Server(answers) as server:
        done = try_it(box, provider, server.url, None, "--model", wanted)
    assert_one_line(done, provider, f"lacks the model {wanted}, did you mean {meant}? It has")


def test_names_of_any_length_leave_the_line_readable(box):
    names = json.dumps({"models": [{"name": "\x1b[31m" + "x" * 10000}, {"name": "small:1b"}]})
    answers = {**OLLAMA, "/api/tags": (200, "application/json", names),
               "/api/chat": openai_error(404, "model 'smal:1b' not found", "model_not_found")}
    with Server(answers) as server:
        done = box.parley("test", "--ollama", server.url, "--model", "smal:1b")
    assert_one_line(done, "ollama", "did you mean small:1b? It has <U+001B>[31mxxx", "x..., small:1b: get it with")


def test_a_server_without_any_model_is_told(box):
    answers = {**OPENAI, "/v1/models": (200, "application/json", '{"data": []}')}
    with Server(answers) as server:
        done = try_it(box, "openai", server.url)
    assert_one_line(done, "openai", "no model")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_redirect_is_told_and_not_followed(box, provider):
    with Server(PROVIDERS[provider][0]) as other, Server({}, anything=(
            301, "text/plain", "", {"Location": other.url + "/elsewhere?secret=1"})) as server:
        done = try_it(box, provider, server.url, {"OPENAI_API_KEY": KEY}, "--model", "x")
    assert_one_line(done, provider, server.url, "301", other.url + "/elsewhere", "not followed")
    assert "secret=1" not in done.stderr
    assert other.asked == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_server_that_says_nothing_is_given_up(box, provider):
    with BlackHole() as hole:
        done = try_it(box, provider, f"http://127.0.0.1:{hole.port}", None, "--model", "x", "--first-token-timeout", "300ms")
    assert_one_line(done, provider, "300ms")
    assert done.seconds < 5


def test_a_password_in_the_servers_url_is_never_shown(box):
    with Server(OLLAMA) as server:
        url = server.url.replace("http://", "http://me:sesame@")
        runs = [box.parley(*words, "--ollama", url) for words in (["test"], ["test", "--json"], ["models"])]
    gone = box.parley("test", "--ollama", f"http://me:sesame@127.0.0.1:{closed_port()}")
    for done in [*runs, gone]:
        assert "sesame" not in done.stdout + done.stderr, done
    assert [done.returncode for done in runs] == [0, 0, 0]
