"""The simulator as OpenAI itself: what it refuses and others let through, in its words, with the
parameter and the code; and what it tells beside an answer."""
import json
import pathlib

import pytest

from simulator_rig import FAST, PATHS, ROOT, chat_body, events, simulator

PATH = PATHS["openai"]
OTHERS = ["ollama", "lmstudio", "llamacpp", "vllm", "sglang", "openrouter"]
REFUSED = "Invalid schema for response_format 'reply': "
REQUIRED = "'required' is required to be supplied and to be an array including every key in properties. "


@pytest.fixture(scope="module")
def fast():
    with simulator(*FAST) as server:
        yield server


def ask(server, flavor="openai", stream=False, **more):
    body = {**chat_body("openai", stream), **more}
    status, head, text = server.ask("POST", PATH, body, {"X-Sim-Flavor": flavor})
    return status, head, text


def answer(server, flavor="openai", **more):
    status, _, text = ask(server, flavor, **more)
    return status, json.loads(text)


def form(schema, strict=True, name="reply"):
    inner = {"name": name, "strict": strict, "schema": schema}
    return {"type": "json_schema",
            "json_schema": {key: value for key, value in inner.items() if value is not None}}


def thing(required=("a",), more=False, **properties):
    return {"type": "object", "required": list(required), "additionalProperties": more,
            "properties": properties or {"a": {"type": "string"}}}


# ---- schemas ----

@pytest.mark.parametrize("schema, text", [
    ({**thing(), "additionalProperties": True},
     "In context=(), 'additionalProperties' is required to be supplied and to be false."),
    ({key: value for key, value in thing().items() if key != "additionalProperties"},
     "In context=(), 'additionalProperties' is required to be supplied and to be false."),
    (thing(required=()), f"In context=(), {REQUIRED}Missing 'a'."),
    (thing(required=("a", "b")), f"In context=(), {REQUIRED}Extra required key 'b' supplied."),
    (thing(a=thing(required=())), f"In context=('properties', 'a'), {REQUIRED}Missing 'a'."),
    (thing(a={"type": "array", "items": thing(required=())}),
     f"In context=('properties', 'a', 'items'), {REQUIRED}Missing 'a'."),
    (thing(a={"anyOf": [{"type": "null"}, thing(required=())]}),
     f"In context=('properties', 'a', 'anyOf', '1'), {REQUIRED}Missing 'a'."),
    ({**thing(), "$defs": {"d": thing(required=())}},
     f"In context=('$defs', 'd'), {REQUIRED}Missing 'a'."),
    (thing(a={"type": "string", "default": "x"}),
     "In context=('properties', 'a'), 'default' is not permitted."),
    (thing(a={"oneOf": [{"type": "string"}]}),
     "In context=('properties', 'a'), 'oneOf' is not permitted."),
    ({"type": "array", "items": {"type": "string"}},
     "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'."),
])
def test_strict_mode_refuses_what_is_only_json_schema(fast, schema, text):
    status, reply = answer(fast, response_format=form(schema))
    assert (status, reply["error"]) == (400, {
        "message": REFUSED + text, "type": "invalid_request_error", "param": "response_format",
        "code": None})
    if "Extra" in text:
        return  # nothing can be made of it
    # Without the word strict, and everywhere else, it is a schema like others.
    assert answer(fast, response_format=form(schema, strict=False))[0] == 200
    for flavor in OTHERS:
        assert answer(fast, flavor, response_format=form(schema))[0] == 200


@pytest.mark.parametrize("file", ["reply", "story"])
def test_what_parley_asks_for_is_strict_enough(fast, file):
    schema = json.loads((pathlib.Path(ROOT) / f"schemas/{file}.schema.json").read_text("utf-8"))
    status, reply = answer(fast, response_format=form(schema))
    assert status == 200, reply
    assert set(json.loads(reply["choices"][0]["message"]["content"])) == set(schema["required"])


@pytest.mark.parametrize("name, code", [
    (None, "missing_required_parameter"), ("a b", "invalid_value"), ("", "invalid_value"),
    ("x" * 65, "invalid_value")])
def test_a_schema_has_a_name_of_letters(fast, name, code):
    status, reply = answer(fast, response_format=form(thing(), name=name))
    assert status == 400
    assert (reply["error"]["param"], reply["error"]["code"]) == (
        "response_format.json_schema.name", code)


def test_a_json_object_must_be_asked_for_in_words_too(fast):
    status, reply = answer(fast, response_format={"type": "json_object"})
    assert status == 400 and "must contain the word 'json'" in reply["error"]["message"]
    assert reply["error"]["param"] == "messages"


# ---- parameters ----

@pytest.mark.parametrize("change, param, code", [
    ({"temperature": "warm"}, "temperature", "invalid_type"),
    ({"temperature": 2.5}, "temperature", "decimal_above_max_value"),
    ({"temperature": -1}, "temperature", "decimal_below_min_value"),
    ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
    ({"max_completion_tokens": "many"}, "max_completion_tokens", "invalid_type"),
    ({"stream": "yes"}, "stream", "invalid_type"),
    ({"messages": None}, "messages", "missing_required_parameter"),
    ({"top_k": 40}, None, None), ({"num_ctx": 9}, None, None), ({"a|b": 9}, None, None),
    ({"n": 2}, None, None), ({"logprobs": True}, None, None),
    ({"messages": [{"role": "user", "content": "boat " * 9000}]}, "messages",
     "context_length_exceeded"),
])
def test_a_refusal_names_the_parameter_and_has_a_code(fast, change, param, code):
    status, reply = answer(fast, **change)
    error = reply["error"]
    assert (status, error["type"], error["param"], error["code"]) == (
        400, "invalid_request_error", param, code), error
    assert error["message"]
    # Ollama says neither.
    if (status := answer(fast, "ollama", **change))[0] == 400:
        assert (status[1]["error"]["param"], status[1]["error"]["code"]) == (None, None)


@pytest.mark.parametrize("flavor, wrong, none", [
    ("openai", ("Incorrect API key provided", "invalid_api_key"), "You didn't provide an API key"),
    ("llamacpp", ("Invalid API Key", 401), "Invalid API Key"),
    ("vllm", "Unauthorized", "Unauthorized"), ("sglang", "Unauthorized", "Unauthorized"),
    ("openrouter", ("User not found.", 401), "No auth credentials found")])
def test_a_wrong_key_and_none_are_told_as_the_server_would(flavor, wrong, none):
    def said(reply):
        error = reply["error"]
        return error if isinstance(error, str) else (error["message"], error["code"])
    with simulator(*FAST, "--flavor", flavor, env={"PARLEY_SIM_KEY": "sesame"}) as server:
        for method, path in (("POST", PATH), ("GET", "/v1/models")):
            body = chat_body("openai") if method == "POST" else None
            status, _, text = server.ask(method, path, body, {"Authorization": "Bearer no"})
            found = said(json.loads(text))
            assert status == 401
            if isinstance(wrong, str):
                assert found == wrong
            else:
                assert found[0].startswith(wrong[0]) and found[1] == wrong[1]
            status, _, text = server.ask(method, path, body)
            found = said(json.loads(text))
            assert status == 401
            assert (found if isinstance(found, str) else found[0]).startswith(none)


# ---- what is told beside ----

def test_thoughts_are_counted_apart_where_the_server_does_so(fast):
    for flavor in ("openai", "openrouter", "vllm"):
        usage = {}
        for effort in ("high", "none"):
            _, reply = answer(fast, flavor, model="qwen3:4b", reasoning_effort=effort)
            usage[effort] = reply["usage"]
        told = {effort: one.get("completion_tokens_details", {}).get("reasoning_tokens")
                for effort, one in usage.items()}
        if flavor == "vllm":
            assert told == {"high": None, "none": None}
            continue
        assert told["none"] == 0
        assert told["high"] == (usage["high"]["completion_tokens"]
                                - usage["none"]["completion_tokens"]) > 0


def test_an_answer_and_an_error_have_an_id_of_their_own(fast):
    ids = []
    for more in ({}, {"stream": True}, {"model": "nope"}, {"temperature": 9}):
        _, head, text = ask(fast, **more)
        assert head["openai-version"] == "2020-10-01"
        ids.append(head["x-request-id"])
    assert len(set(ids)) == 4 and all(name.startswith("req_") for name in ids)
    assert ask(fast, "vllm")[1]["x-request-id"] is None
    chunks = [json.loads(one) for one in events(ask(fast, stream=True)[2].encode())[:-1]]
    assert {chunk["service_tier"] for chunk in chunks} == {"default"}
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}


def test_the_list_of_models_tells_what_the_servers_own_does(fast):
    def keys(flavor):
        _, _, text = fast.ask("GET", "/v1/models/tiny", headers={"X-Sim-Flavor": flavor})
        return set(json.loads(text)) - {"id", "object", "created", "owned_by"}
    assert {flavor: keys(flavor) for flavor in ["openai", *OTHERS]} == {
        "openai": set(), "ollama": set(), "lmstudio": set(), "llamacpp": {"meta"},
        "vllm": {"max_model_len"}, "sglang": {"max_model_len"}, "openrouter": {"context_length"}}
