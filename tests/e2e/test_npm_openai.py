"""OpenAI's client library for JavaScript, from npm, as a judge of the simulator's /v1.

Without npm the tests are skipped.
"""
import shutil

import pytest

from client_rig import findings_of, install, simulator

FLAVORS = ["ollama", "openai", "lmstudio", "llamacpp", "vllm", "sglang", "openrouter"]
KEY = "sesame"

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


@pytest.fixture(scope="module", params=FLAVORS)
def found(request):
    folder = install("openai", "6.10.0")
    with simulator(env={"PARLEY_SIM_KEY": KEY}) as url:
        return {"flavor": request.param,
                **findings_of("openai_client.mjs", url, folder, request.param, KEY)}


def test_it_lists_models_and_finds_one(found):
    assert "llama3.2:latest" in found["models"] and found["one"] == "tiny:latest"


def test_a_chat_comes_whole_and_streams_the_same(found):
    whole = found["whole"]
    text = whole["choices"][0]["message"]["content"]
    assert len(text) > 20 and whole["choices"][0]["finish_reason"] == "stop"
    assert found["streamed"]["text"] == text == found["accumulated"]
    assert found["streamed"]["reason"] == "stop"
    assert found["streamed"]["usage"]["completion_tokens"] == found["streamed"]["pieces"]
    assert whole["usage"]["completion_tokens"] == found["streamed"]["pieces"]


def test_a_schema_is_kept(found):
    assert list(found["filled"]) == ["name", "kind"] and found["filled"]["kind"] in (
        "person", "lamp")


def test_a_limit_cuts(found):
    assert found["cut"]["choices"][0]["finish_reason"] == "length"
    assert found["cut"]["usage"]["completion_tokens"] == 3


def test_errors_have_the_class_of_their_status(found):
    assert (found["refused"]["name"], found["refused"]["status"]) == (
        ("BadRequestError", 400) if found["flavor"] == "openrouter" else ("NotFoundError", 404))
    # SGLang's stands where the library does not look.
    assert ("no-such-model" in found["refused"]["message"]) == (found["flavor"] != "sglang")
    assert (found["stranger"]["name"], found["stranger"]["status"]) == ("AuthenticationError", 401)
    assert (found["busy"]["name"], found["busy"]["status"]) == ("RateLimitError", 429)


def test_a_broken_stream_is_an_error_where_the_server_tells_one(found):
    # Ollama's ends without a word, and llama-server's field is one the library does not know.
    if found["flavor"] in ("ollama", "llamacpp"):
        assert found["broken"] is None
    else:
        assert found["broken"]["name"] == "APIError"
    assert found["reset"]["message"] == "terminated"


def test_an_abort_ends_the_stream(found):
    # One more may have lain in the client's hands when it gave up.
    assert found["aborted"]["gone"] == 1
    assert 3 <= found["aborted"]["chunks"] < found["streamed"]["pieces"]
