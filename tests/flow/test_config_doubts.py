"""`parley check-config`: what is allowed and hardly meant is a warning that names file and key;
what no run could begin with is an error. No server is asked.
"""
import json
import pathlib

import pytest

from helpers import box  # noqa: F401: a fixture

KEY = "sk-a-secret-of-the-test"
DESK = {"provider": "ollama", "url": "http://127.0.0.1:1", "models": ["small", "big"]}
CLOUD = {"provider": "openai", "url": "https://host.invalid/v1", "models": ["big", "small"],
         "key_env": "THE_KEY", "price": {"prompt": 1, "generated": 2}}


def check(box, *words, env=None, **sections):
    path = pathlib.Path(box.path("parley.json"))
    path.write_text(json.dumps({**sections, "model": {"name": "big", **sections.get("model", {})}}))
    return box.parley("check-config", "--config", path, *words, env={"THE_KEY": KEY, **(env or {})})


def test_a_config_without_doubts_is_good(box):
    done = check(box, endpoints={"desk": DESK, "cloud": CLOUD}, router={"strategy": "hybrid"},
                 hybrid={"opening": True, "cost_cap": 5},
                 model={"fallback": "cloud,desk:small,small"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "the configuration is good (--show-config prints it)\n"


@pytest.mark.parametrize("key, words, more", [
    ("key_env", "the variable NO_KEY is not set", {"key_env": "NO_KEY"}),
    ("key_env", "the variable EMPTY_KEY is empty", {"key_env": "EMPTY_KEY"}),
    ("key_file", "none: No such file or directory", {"key_env": None, "key_file": "none"}),
    ("key_file", "holds no key", {"key_env": None, "key_file": "/dev/null"}),
    ("", "it is in the cloud and has no key", {"key_env": None}),
    ("url", "no path: OpenAI's API mostly stands below /v1", {"url": "https://host.invalid"}),
    ("url", "leave /chat/completions off", {"url": "https://host.invalid/v1/chat/completions"}),
    ("url", "Ollama's own API has no such path",
     {"provider": "ollama", "url": "http://127.0.0.1:1/v1"}),
    ("window", "\"ask\" means no limit here", {"window": "ask"}),
    ("first_token_seconds", "it is never reached",
     {"first_token_seconds": 60, "total_seconds": 30}),
    ("between_tokens_seconds", "it is never reached",
     {"between_tokens_seconds": 30, "total_seconds": 30}),
    ("price.prompt", "its prompts cost nothing", {"price": {"prompt": 0, "generated": 1}}),
    ("price.generated", "its replies cost nothing", {"price": {"prompt": 1, "generated": 0}}),
    ("price", "it has no generated", {"price": {"prompt": 1}}),
    ("price.cached", "means nothing without prompt", {"price": {"cached": 1, "generated": 1}}),
])
def test_a_doubtful_member_of_an_endpoint_is_warned_of(box, key, words, more):
    endpoint = {name: value for name, value in {**CLOUD, **more}.items() if value is not None}
    done = check(box, endpoints={"x": endpoint}, env={"EMPTY_KEY": ""})
    assert done.returncode == 0 and "can be used; " in done.stdout, done
    lines = [line for line in done.stderr.splitlines() if words in line]
    where = "endpoints.x" + ("." if key else "") + key
    assert len(lines) == 1 and lines[0].startswith("parley check-config: warning: "), done.stderr
    assert f"parley.json: {where}: " in lines[0] and KEY not in done.stderr


@pytest.mark.parametrize("words, sections", [
    ("hybrid.opening: it does nothing", {"hybrid": {"opening": True}}),
    ("hybrid.cost_cap: it does nothing", {"hybrid": {"cost_cap": 5}}),
    ("router.strategy: hybrid, and no endpoint of the config is in tier cloud",
     {"router": {"strategy": "hybrid"}, "endpoints": {"desk": DESK}}),
    ("router.strategy: hybrid, and no endpoint of the config is in tier local",
     {"router": {"strategy": "hybrid"}, "endpoints": {"cloud": CLOUD}}),
    ("hybrid.cost_cap: it is never reached: no endpoint has a price",
     {"router": {"strategy": "hybrid"}, "hybrid": {"cost_cap": 5},
      "endpoints": {"desk": DESK, "cloud": {**CLOUD, "price": {}}}}),
    ("endpoints.twin.window: another than that of desk, which is the same server",
     {"endpoints": {"desk": DESK, "twin": {**DESK, "window": 4}}}),
    ("endpoints.twin.url: the same as that of desk, by another key",
     {"endpoints": {"desk": DESK, "twin": {**DESK, "key_env": "THE_KEY"}}}),
    ("fallback clud: there is no such endpoint",
     {"model": {"fallback": "clud"}, "endpoints": {"cloud": CLOUD}}),
])
def test_what_does_nothing_is_warned_of(box, words, sections):
    done = check(box, **{"endpoints": {"desk": DESK, "cloud": CLOUD}, **sections})
    assert done.returncode == 0, done
    assert done.stdout == "the configuration can be used; 1 warning\n", done
    assert done.stderr.count("\n") == 1 and words in done.stderr


@pytest.mark.parametrize("words, flags, sections", [
    ("no endpoint of the config serves the model clud:big, did you mean the endpoint cloud? "
     "There are desk:small, cloud:big\n",
     ["--model", "2=clud:big"], {}),
    ("no endpoint of the config serves the model huge; there are desk:small, cloud:big\n",
     ["--model", "huge"], {}),
    ("none.json: No such file or directory", ["--story", "none.json"], {}),
])
def test_what_no_run_could_begin_with_is_an_error(box, words, flags, sections):
    done = check(box, *flags, endpoints={"desk": DESK, "cloud": CLOUD}, **sections)
    assert (done.returncode, done.stdout) == (2, "") and words in done.stderr, done


def test_texts_of_a_config_are_harmless_in_warnings(box):
    done = check(box, endpoints={"desk": {**DESK, "key_file": "\x1b[31mred"}},
                 model={"fallback": "\x1b[2J"})
    assert done.returncode == 0 and "\x1b" not in done.stderr and "<U+001B>[31mred" in done.stderr


def test_a_config_that_names_no_model_is_warned_of_where_the_default_is_nobodys(box):
    path = pathlib.Path(box.path("parley.json"))
    path.write_text(json.dumps({"endpoints": {"desk": DESK}}))
    done = box.parley("check-config", "--config", path)
    assert done.returncode == 0 and done.stderr.count("\n") == 1
    assert ("warning: no model.name, and no endpoint of the config serves the model llama3.2; "
            "there are desk:small\n"
            in done.stderr)
