"""The simulator's /v1: OpenAI's chat completions in the dialects of the servers that people run."""
import json

import pytest

from simulator_rig import FAST, PATHS, Ledger, Wire, chat_body, events, simulator

FLAVORS = ["ollama", "openai", "lmstudio", "llamacpp", "vllm", "sglang", "openrouter"]
PATH = PATHS["openai"]


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    ledger = Ledger(tmp_path_factory.mktemp("fast"))
    with simulator(*FAST, "--parallel", "3", "--sim-models", "vendor/house:7b", "--ledger",
                   str(ledger.path)) as server:
        server.ledger = ledger
        yield server


def headers(flavor):
    return {"X-Sim-Flavor": flavor}


def stream(server, flavor="ollama", raw=False, **more):
    """The chunks of a stream, and whether [DONE] came behind them."""
    status, head, text = server.ask("POST", PATH, chat_body("openai", **more), headers(flavor))
    assert status == 200, text
    assert head["Content-Type"].startswith("text/event-stream")
    data = events(text.encode())
    done = data[-1] == "[DONE]"
    chunks = [json.loads(one) for one in data[:len(data) - done]]
    return (chunks, text) if raw else chunks


def whole(server, flavor="ollama", **more):
    body = {**chat_body("openai", False), **more}
    status, _, text = server.ask("POST", PATH, body, headers(flavor))
    return status, json.loads(text)


def deltas(chunks, field="content"):
    return "".join(choice["delta"].get(field) or "" for chunk in chunks
                   for choice in chunk["choices"])


# ---- streams ----

@pytest.mark.parametrize("flavor", FLAVORS)
def test_a_stream_says_what_ollamas_own_api_says(fast, flavor):
    chunks, text = stream(fast, flavor, raw=True)
    assert text.endswith("data: [DONE]\n\n")
    native = fast.ask("POST", "/api/chat", chat_body("ollama", False))[2]
    assert deltas(chunks) == json.loads(native)["message"]["content"]
    name, = {chunk["id"] for chunk in chunks}
    begins = {"openrouter": "gen-", "sglang": ""}.get(flavor, "chatcmpl-")
    assert name.rstrip("0123456789") == begins
    assert all(chunk["object"] == "chat.completion.chunk" and chunk["model"] == "tiny"
               for chunk in chunks)
    reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
    assert reasons[-1] == "stop" and set(reasons[:-1]) == {None}
    roles = [choice["delta"]["role"] for chunk in chunks for choice in chunk["choices"]
             if "role" in choice["delta"]]
    assert set(roles) == {"assistant"}
    assert (len(roles) == 1) == (flavor not in ("lmstudio", "openrouter"))
    assert ("role" in chunks[0]["choices"][0]["delta"])
    assert bool(chunks[0]["choices"][0]["delta"].get("content")) == (
        flavor in ("ollama", "lmstudio", "openrouter"))


@pytest.mark.parametrize("flavor", FLAVORS)
@pytest.mark.parametrize("asked", [True, False])
def test_usage_comes_where_the_server_puts_it(fast, flavor, asked):
    chunks = stream(fast, flavor, stream_options={"include_usage": asked})
    places = [i for i, chunk in enumerate(chunks) if chunk.get("usage")]
    expected = asked or flavor in ("llamacpp", "openrouter")
    assert places == ([len(chunks) - 1] if expected else [])
    if expected:
        usage = chunks[-1]["usage"]
        assert bool(chunks[-1]["choices"]) == (flavor == "openrouter")
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        assert 20 <= usage["completion_tokens"] <= 60
        assert usage["prompt_tokens_details"]["cached_tokens"] < usage["prompt_tokens"]
    nulls = [chunk for chunk in chunks if "usage" in chunk and chunk["usage"] is None]
    assert bool(nulls) == (asked and flavor == "openai")


@pytest.mark.parametrize("flavor", FLAVORS)
def test_thoughts_stand_in_the_servers_field(fast, flavor):
    field = {"openai": None, "lmstudio": "reasoning_content", "llamacpp": "reasoning_content",
             "sglang": "reasoning_content"}.get(flavor, "reasoning")
    chunks = stream(fast, flavor, model="qwen3:4b")
    seen = {key for chunk in chunks for choice in chunk["choices"] for key in choice["delta"]}
    seen -= {"refusal"} if flavor == "openai" else set()
    assert seen == {"role", "content"} | ({field} if field else set())
    if field:
        assert deltas(chunks, field).startswith("Let me think.")
    assert not deltas(chunks).startswith("Let me think.") and deltas(chunks)
    quiet = stream(fast, flavor, model="qwen3:4b", reasoning_effort="none")
    assert "Let me think" not in json.dumps(quiet) and deltas(quiet) == deltas(chunks)
    message = whole(fast, flavor, model="qwen3:4b")[1]["choices"][0]["message"]
    more = {"refusal", "annotations"} if flavor == "openai" else {field} if field else set()
    assert set(message) == {"role", "content"} | more


def test_ollamas_own_api_tells_thoughts_apart(fast):
    reply = fast.post("/api/chat", **chat_body(stream=False, model="qwen3:4b"))[1]
    assert reply["message"]["thinking"].startswith("Let me think.")
    quiet = fast.post("/api/chat", **chat_body(stream=False, model="qwen3:4b", think=False))[1]
    assert "thinking" not in quiet["message"]
    assert quiet["message"]["content"] == reply["message"]["content"]
    assert quiet["eval_count"] < reply["eval_count"]
    lines = fast.chat(model="qwen3:4b")
    thoughts = [line for line in lines if "thinking" in line["message"]]
    assert thoughts == lines[:len(thoughts)] and thoughts[0]["message"]["content"] == ""


@pytest.mark.parametrize("flavor", FLAVORS)
def test_openrouter_also_tells_the_reason_in_the_models_own_word(fast, flavor):
    found = [choice.get("native_finish_reason") for chunk in stream(fast, flavor)
             for choice in chunk["choices"] if choice["finish_reason"]]
    choice, = whole(fast, flavor)[1]["choices"]
    assert [*found, choice.get("native_finish_reason")] == (
        ["stop"] * 2 if flavor == "openrouter" else [None] * 2)


def test_llamacpp_tells_its_timings(fast):
    timings = stream(fast, "llamacpp")[-2]["timings"]
    assert timings["predicted_n"] >= 20 and timings["prompt_n"] >= 1
    assert whole(fast, "llamacpp")[1]["timings"]["predicted_n"] >= 20


@pytest.mark.parametrize("flavor, comment", [
    ("openrouter", b": OPENROUTER PROCESSING\n\n"), ("llamacpp", b":\n\n")])
def test_some_servers_show_that_they_are_alive_while_they_think(flavor, comment):
    with simulator("--tokens-per-second", "0", "--first-token-ms", "2500") as server:
        wire = Wire(server.port, PATH, chat_body("openai"),
                    [f"X-Sim-Flavor: {flavor}", "Connection: close"])
        wire.read_until(lambda w: comment in w.body)
        assert b"data:" not in wire.body
        body = wire.read_all().body
        assert body.startswith(comment) and body.endswith(b"data: [DONE]\n\n")


# ---- options ----

def test_not_streamed_it_is_one_object_with_usage(fast):
    status, reply = whole(fast)
    assert (status, reply["object"]) == (200, "chat.completion")
    choice = reply["choices"][0]
    assert choice["message"]["content"] == deltas(stream(fast))
    assert choice["finish_reason"] == "stop"
    assert reply["usage"]["completion_tokens"] >= 20


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_cuts_and_says_length(fast, name):
    reply = whole(fast, **{name: 5})[1]
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] == 5


@pytest.mark.parametrize("wrap", [lambda stop: stop, lambda stop: ["never said", stop]])
def test_a_stop_is_a_text_or_a_list(fast, wrap):
    text = whole(fast)[1]["choices"][0]["message"]["content"]
    stop = text.split()[4]
    reply = whole(fast, stop=wrap(stop))[1]["choices"][0]
    assert reply["message"]["content"] == text[:text.index(stop)]
    assert reply["finish_reason"] == "stop"


def test_the_same_seed_gives_the_same_words(fast):
    one, two, other = (whole(fast, seed=seed)[1]["choices"][0]["message"]["content"]
                       for seed in (1, 1, 2))
    assert one == two != other


SCHEMA = {"type": "object", "required": ["mood", "age"], "additionalProperties": False,
          "properties": {"mood": {"enum": ["good", "bad"]},
                         "age": {"type": "integer", "minimum": 30, "maximum": 40}}}


@pytest.mark.parametrize("flavor, form", [
    *((flavor, {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}})
      for flavor in FLAVORS),
    ("llamacpp", {"type": "json_object", "schema": SCHEMA}),
    ("llamacpp", {"type": "json_schema", "schema": SCHEMA}),
])
def test_a_schema_is_kept(fast, flavor, form):
    document = json.loads(deltas(stream(fast, flavor, response_format=form)))
    assert document["mood"] in ("good", "bad") and 30 <= document["age"] <= 40


@pytest.mark.parametrize("flavor", FLAVORS)
def test_a_json_object_is_one_where_the_server_knows_it(fast, flavor):
    form = {"type": "json_object"}
    if flavor != "lmstudio":
        messages = [{"role": "user", "content": "As JSON: where is the boat?"}]
        chunks = stream(fast, flavor, response_format=form, messages=messages)
        assert isinstance(json.loads(deltas(chunks)), dict)
        return
    assert whole(fast, flavor, response_format=form) == (
        400, {"error": "'response_format.type' must be 'json_schema' or 'text'"})


def test_parts_of_a_content_are_joined(fast):
    def messages(content):
        return [{"role": "user", "content": content}]
    parts = [{"type": "text", "text": "Where is "}, {"type": "text", "text": "the boat?"}]
    assert (whole(fast, messages=messages(parts))[1]["choices"]
            == whole(fast, messages=messages("Where is the boat?"))[1]["choices"])


TOO_MANY = [{"role": "user", "content": f"Message {i} about boats."} for i in range(1500)]


@pytest.mark.parametrize("flavor", FLAVORS)
def test_a_prompt_over_the_window_is_refused_or_cut(fast, flavor):
    status, reply = whole(fast, flavor, messages=TOO_MANY)
    if flavor in ("ollama", "lmstudio"):
        assert status == 200 and 4000 < reply["usage"]["prompt_tokens"] <= 4096
    else:
        assert status == 400 and "context length" in json.dumps(reply)


def test_ollamas_own_api_refuses_it_when_it_may_not_cut(fast):
    status, reply = fast.post("/api/chat", model="tiny", messages=TOO_MANY, truncate=False)
    assert status == 400 and "context length" in reply["error"]


def test_one_long_message_is_cut_in_its_middle(fast):
    text = " ".join(f"word{i}" for i in range(3000))
    end = fast.chat(text, options={"num_ctx": 512})[-1]
    assert end["prompt_eval_count"] == 512


# ---- models, errors, keys ----

def test_models_are_listed_and_found_by_name(fast):
    listed = json.loads(fast.ask("GET", "/v1/models")[2])
    names = {model["id"] for model in listed["data"]}
    assert listed["object"] == "list" and {"llama3.2:latest", "vendor/house:7b"} <= names
    for name in ("tiny", "vendor/house:7b", "vendor%2Fhouse:7b"):
        status, _, text = fast.ask("GET", f"/v1/models/{name}")
        assert status == 200 and json.loads(text)["object"] == "model"
    assert fast.ask("GET", "/v1/models/")[0] == 301


def test_each_server_has_the_paths_beside_v1_that_are_its_own(fast):
    def found(flavor):
        paths = ("/props", "/version", "/health", "/api/version", "/", "/v1/models")
        return {path for path in paths if fast.ask("GET", path, headers=headers(flavor))[0] == 200}
    fallback = {"/v1/models"}
    assert {flavor: found(flavor) - fallback for flavor in FLAVORS if flavor != "lmstudio"} == {
        "ollama": {"/api/version", "/"}, "openai": set(), "openrouter": set(),
        "llamacpp": {"/props", "/health"}, "vllm": {"/version", "/health"}, "sglang": {"/health"}}
    props = json.loads(fast.ask("GET", "/props", headers=headers("llamacpp"))[2])
    assert props["total_slots"] == 3 and props["build_info"]


@pytest.mark.parametrize("flavor, status, text", [
    ("ollama", 404, "404 page not found"),
    ("openai", 404, {"error": {"message": "Invalid URL (GET /nowhere)", "param": None,
                               "type": "invalid_request_error", "code": None}}),
    ("lmstudio", 200, {"error": "Unexpected endpoint or method. (GET /nowhere)"}),
    ("llamacpp", 404, {"error": {"message": "File Not Found", "type": "not_found_error",
                                 "param": None, "code": 404}}),
    ("vllm", 404, {"detail": "Not Found"}), ("sglang", 404, {"detail": "Not Found"}),
    ("openrouter", 404, None)])
def test_a_path_that_is_not_there_is_told_as_the_server_would(fast, flavor, status, text):
    got, head, body = fast.ask("GET", "/nowhere", headers=headers(flavor))
    assert got == status
    if text is None:
        assert head["Content-Type"].startswith("text/html")
    else:
        assert (json.loads(body) if isinstance(text, dict) else body) == text


@pytest.mark.parametrize("flavor, error", [
    ("ollama", {"error": {"message": "model 'nope' not found", "type": "not_found_error",
                          "param": None, "code": None}}),
    ("openai", {"error": {"message": "The model `nope` does not exist or you do not have access "
                                     "to it.", "type": "invalid_request_error",
                          "param": None, "code": "model_not_found"}}),
    ("lmstudio", {"error": "model 'nope' not found"}),
    ("llamacpp", {"error": {"message": "model 'nope' not found", "type": "not_found_error",
                            "param": None, "code": 404}}),
    ("vllm", {"error": {"message": "The model `nope` does not exist.", "type": "NotFoundError",
                        "param": None, "code": 404}}),
    ("sglang", {"object": "error", "message": "model 'nope' not found",
                "type": "NotFoundError", "param": None, "code": 404}),
])
def test_an_unknown_model_is_told_as_the_server_would(fast, flavor, error):
    assert whole(fast, flavor, model="nope") == (404, error)
    status, _, text = fast.ask("GET", "/v1/models/nope", headers=headers(flavor))
    assert (status, json.loads(text)) == (404, error)


def test_openrouter_calls_an_unknown_model_a_bad_request(fast):
    assert whole(fast, "openrouter", model="nope") == (400, {"error": {
        "message": "nope is not a valid model ID", "type": "invalid_request_error", "param": None,
        "code": 400}})


@pytest.mark.parametrize("change", [
    {"model": None}, {"model": 7}, {"messages": []}, {"messages": "x"}, {"messages": [7]},
    {"messages": [{"role": "user", "content": 7}]}, {"messages": [{"content": "x"}]},
    {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
    {"stream": "yes"}, {"max_tokens": "5"}, {"stop": [7]}, {"stop": 7}, {"stream_options": 7},
    {"response_format": {"type": "xml"}}, {"response_format": {"type": "json_schema"}},
    {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "no"}}}},
    {"tools": [{"type": "function"}]}, {"reasoning_effort": "high"}, {"reasoning_effort": 7},
])
def test_a_bad_request_is_a_400_with_a_message(fast, change):
    fast.ledger.skip(fast)
    status, reply = whole(fast, **change)
    assert status == 400 and reply["error"]["message"]
    line = fast.ledger.line()
    assert (line["ended"], line["status"], line["path"]) == ("refused", 400, PATH)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"x"', b"\xff"])
def test_what_is_no_json_object_is_a_400(fast, body):
    status, _, text = fast.ask("POST", PATH, body)
    assert status == 400 and json.loads(text)["error"]["message"]


def test_openai_minds_what_others_do_not(fast):
    assert whole(fast, "openai", stream_options={"include_usage": True})[0] == 400
    assert whole(fast, "vllm", stream_options={"include_usage": True})[0] == 200
    assert whole(fast, "openai", stop=list("abcde"))[0] == 400
    assert whole(fast, "vllm", stop=["§", "$", "%", "&", "#"])[0] == 200
    assert whole(fast, "nobody")[0] == 400


def test_a_key_is_wanted_when_there_is_one():
    with simulator(*FAST, env={"PARLEY_SIM_KEY": "sesame"}) as server:
        right = {"Authorization": "Bearer sesame"}
        for wrong in ({}, {"Authorization": "Bearer sesam"}, {"Authorization": "sesame"},
                      {"Authorization": "Bearer sesame1"}):
            status, _, text = server.ask("POST", PATH, chat_body("openai"), wrong)
            assert status == 401 and "API key" in json.loads(text)["error"]["message"]
            status, _, text = server.ask("POST", "/api/chat", chat_body(), wrong)
            assert status == 401 and "signin_url" in json.loads(text)
            assert server.ask("GET", "/v1/models", headers=wrong)[0] == 401
            assert server.ask("GET", "/api/tags", headers=wrong)[0] == 401
        assert server.ask("POST", PATH, chat_body("openai"), right)[0] == 200
        assert server.ask("POST", "/api/chat", chat_body(), right)[0] == 200
        assert server.ask("GET", "/v1/models", headers=right)[0] == 200
        assert server.ask("GET", "/")[0] == 200
        assert server.state()["calls"] == 10


def test_the_flavor_of_the_start_is_the_usual_one():
    with simulator(*FAST, "--flavor", "sglang") as server:
        reply = server.post(PATH, model="nope", messages=[{"role": "user", "content": "x"}])
        assert reply[1]["object"] == "error"
        assert server.post("/api/chat", model="nope") == (404, {"detail": "Not Found"})
        status, reply = whole(server, "ollama", model="nope")
        assert reply["error"]["code"] is None


# ---- a stream that breaks ----

BROKEN = {
    "ollama": lambda text: text.count("data:") == 4 and '"content":""' in text,
    "openai": lambda text: text.rstrip().endswith("}}") and '"type":"server_error"' in text,
    "lmstudio": lambda text: "event: error\ndata: {\"error\":" in text,
    "llamacpp": lambda text: "\n\nerror: {" in text and text.endswith("data: [DONE]\n\n"),
    "vllm": lambda text: 'data: {"error":{' in text and text.endswith("data: [DONE]\n\n"),
    "sglang": lambda text: 'data: {"error":{' in text and text.endswith("data: [DONE]\n\n"),
    "openrouter": lambda text: '"finish_reason":"error"' in text and '"error":{"code":502' in text,
}


@pytest.mark.parametrize("flavor", FLAVORS)
def test_a_stream_breaks_as_the_servers_does(fast, flavor):
    fast.ledger.skip(fast)
    fast.set_faults({"kind": "error_line"})
    try:
        status, _, text = fast.ask("POST", PATH, chat_body("openai"), headers(flavor))
    finally:
        fast.set_faults()
    assert status == 200 and BROKEN[flavor](text), text
    line = fast.ledger.line()
    assert (line["ended"], line["tokens"], line["flavor"]) == ("fault", 3, flavor)
    if flavor not in ("llamacpp", "vllm", "sglang"):
        assert "[DONE]" not in text


def test_the_ledger_knows_the_prompt_and_the_system_text(fast):
    fast.ledger.skip(fast)
    whole(fast)
    stream(fast, "vllm")
    fast.ask("POST", "/api/chat", chat_body())
    lines = [fast.ledger.line() for _ in range(3)]
    assert len({line["prompt_sha256"] for line in lines}) == 1
    assert len({line["system_sha256"] for line in lines}) == 1
    assert [line["flavor"] for line in lines] == ["ollama", "vllm", "ollama"]
    assert len({line["tokens"] for line in lines}) == 1
