"""What Ollama does with its models, asked of the simulator: loaded and loaded anew, pulled, copied,
deleted; and whom it answers at all."""
import concurrent.futures
import http.client
import json
import re

import pytest

from simulator_rig import FAST, Ledger, Wire, chat_body, simulator, wait_until

SLOW = ("--tokens-per-second", "1", "--first-token-ms", "0", "--reply-tokens", "1000..1000")


@pytest.fixture(scope="module")
def fast():
    with simulator(*FAST) as server:
        yield server


def loaded(server):
    return {model["name"]: model["context_length"]
            for model in json.loads(server.ask("GET", "/api/ps")[2])["models"]}


def names(server):
    return [model["name"] for model in json.loads(server.ask("GET", "/api/tags")[2])["models"]]


def pulled(server, **body):
    status, headers, text = server.ask("POST", "/api/pull", body)
    assert status == 200 and headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in text.splitlines()]


# ---- loading ----

def test_the_ledger_tells_which_call_had_its_model_loaded(tmp_path):
    ledger = Ledger(tmp_path)
    with simulator(*FAST, "--ledger", str(ledger.path)) as server:
        def loading(**more):
            server.ask("POST", "/api/chat", chat_body(**{"model": "llama3.2", **more}))
            return ledger.line()["loading"]
        assert loading() == "cold"
        assert loading(options={"temperature": 0, "num_ctx": 4096}) is None
        assert loading(options={"num_ctx": 2048}) == "changed"
        assert loaded(server) == {"llama3.2:latest": 2048}
        assert loading(options={"num_ctx": 2048, "num_thread": 3}) == "changed"
        assert loading(options={"num_ctx": 2048, "num_thread": 3}, shift=False) == "changed"
        assert loading(model="qwen2.5:7b") == "cold"
        assert loading(keep_alive=0) == "changed"
        assert loading() == "cold"
        reply = server.post("/api/chat", model="llama3.2", keep_alive=0)[1]
        assert reply["done_reason"] == "unload"
        assert ledger.line()["loading"] is None
        assert server.post("/api/chat", model="llama3.2")[1]["done_reason"] == "load"
        assert ledger.line()["loading"] == "cold"
        # Its own /v1 has the server's options; others have loaded their model long ago.
        assert server.ask("POST", "/v1/chat/completions", chat_body("openai"))[0] == 200
        assert ledger.line()["loading"] == "cold"
        assert server.ask("POST", "/v1/chat/completions", chat_body("openai"),
                          {"X-Sim-Flavor": "vllm"})[0] == 200
        assert ledger.line()["loading"] is None


def test_what_was_said_of_keeping_a_model_holds_until_something_else_is(fast):
    def expires():
        return {model["name"]: model["expires_at"]
                for model in json.loads(fast.ask("GET", "/api/ps")[2])["models"]}
    fast.post("/api/chat", model="mistral", keep_alive=-1)
    fast.chat(model="mistral")
    assert expires()["mistral:latest"].startswith("2300-")
    fast.chat(model="mistral", keep_alive="10m")
    assert not expires()["mistral:latest"].startswith("2300-")
    fast.post("/api/generate", model="mistral", keep_alive=0)
    assert "mistral:latest" not in expires()


def test_who_wants_other_options_waits_for_those_who_use_the_model(tmp_path):
    ledger = Ledger(tmp_path)
    with simulator(*SLOW, "--parallel", "9", "--ledger", str(ledger.path)) as server:
        def ask(turn, num_ctx, **more):
            return Wire(server.port, "/api/chat",
                        chat_body(model="llama3.2", options={"num_ctx": num_ctx}, **more),
                        [f"X-Parley-Turn: {turn}"])
        first = ask("first", 4096).read_until(lambda wire: b"content" in wire.raw)
        other = ask("other", 2048)
        load = Wire(server.port, "/api/chat", {"model": "llama3.2", "options": {"num_ctx": 512}},
                    ["X-Parley-Turn: load"])
        wait_until(lambda: server.state()["in_flight"] == 3, "they are asked")
        # Who fits what is loaded passes by.
        same = ask("same", 4096).read_until(lambda wire: b"content" in wire.raw)
        assert other.quiet(0.2) and loaded(server) == {"llama3.2:latest": 4096}
        first.reset()
        assert other.quiet(0.2)
        same.reset()
        other.read_until(lambda wire: b"content" in wire.raw)
        assert loaded(server) == {"llama3.2:latest": 2048} and load.quiet(0.1)
        other.reset()
        load.read_until(lambda wire: b'"load"' in wire.raw)
        assert loaded(server) == {"llama3.2:latest": 512}
        load.reset()
        wait_until(lambda: len(ledger.lines()) == 4, "all is booked")
    assert {line["id"]: line["loading"] for line in ledger.lines()} == {
        "first": "cold", "same": None, "other": "changed", "load": "changed"}


def test_more_than_512_who_wait_for_a_model_are_too_many():
    with simulator(*SLOW, "--parallel", "9") as server:
        first = Wire(server.port, "/api/chat", chat_body(model="llama3.2"))
        first.read_until(lambda wire: b"content" in wire.raw)
        body = {"model": "llama3.2", "options": {"num_ctx": 2048}}
        crowd = [Wire(server.port, "/api/chat", body) for _ in range(512)]
        wait_until(lambda: server.state()["in_flight"] == 513, "they wait")
        status, answer = server.post("/api/chat", **body)
        assert (status, answer) == (503, {"error": "server busy, please try again.  "
                                                   "maximum pending requests exceeded"})
        crowd[0].reset()
        wait_until(lambda: server.state()["in_flight"] == 512, "one has left")
        crowd[0] = Wire(server.port, "/api/chat", body)
        wait_until(lambda: server.state()["in_flight"] == 513, "there is room for one")
        first.reset()
        for wire in crowd:
            wire.read_until(lambda wire: b'"load"' in wire.raw)
            assert wire.status == 200
            wire.sock.close()


def test_a_window_that_may_not_be_shifted_ends_the_reply_or_refuses_the_prompt():
    with simulator(*FAST, "--reply-tokens", "200..200") as server:
        end = server.chat(options={"num_ctx": 64}, shift=False)[-1]
        assert end["done_reason"] == "length"
        assert end["prompt_eval_count"] + end["eval_count"] == 64
        assert server.chat(options={"num_ctx": 64})[-1]["eval_count"] == 200
        # Old messages are dropped all the same; only what cannot be dropped is too long.
        body = chat_body(stream=False, shift=False, options={"num_ctx": 64})
        body["messages"][1:1] = [{"role": "user", "content": "boats " * 50}] * 3
        assert server.post("/api/chat", **body)[0] == 200
        body["messages"][-1]["content"] = "boats " * 70
        status, answer = server.post("/api/chat", **body)
        assert status == 400 and answer["error"].startswith("the prompt is longer than the context")


def test_no_window_is_larger_than_the_models_own(fast):
    fast.post("/api/chat", model="tiny", options={"num_ctx": 100000})
    assert loaded(fast)["tiny:latest"] == 4096


# ---- pulling ----

def test_a_pulled_model_tells_its_progress_and_is_there():
    with simulator(*FAST) as server:
        assert server.post("/api/chat", **chat_body(model="qwen3:8b"))[0] == 404
        first, *parts, verifying, writing, last = pulled(server, model="qwen3:8b")
        assert [line["status"] for line in (first, verifying, writing, last)] == [
            "pulling manifest", "verifying sha256 digest", "writing manifest", "success"]
        assert len(parts) > 2 and "completed" not in parts[0]
        for line in parts:
            assert line["status"] == "pulling " + line["digest"][len("sha256:"):][:12]
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", line["digest"])
        sizes = [line.get("completed", 0) for line in parts]
        assert sizes == sorted(sizes) and sizes[-1] == parts[0]["total"]
        assert names(server)[0] == "qwen3:8b"
        assert server.chat(model="qwen3:8b")[-1]["done"]
        # Once more it is as quick, and it is there once.
        assert pulled(server, name="qwen3:8b")[-1] == {"status": "success"}
        assert names(server).count("qwen3:8b") == 1
        assert server.post("/api/pull", model="gemma2:27b", stream=False) == (
            200, {"status": "success"})
        assert "gemma2:27b" in names(server)


def test_what_is_not_in_the_library_is_an_error_amid_the_stream(fast):
    assert pulled(fast, model="no-such-model") == [
        {"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}]
    assert fast.post("/api/pull", model="no-such-model", stream=False) == (
        500, {"error": "pull model manifest: file does not exist"})
    for body in ({"model": ""}, {}, {"model": "a b"}, {"model": "x:\x1b[2J"}):
        assert fast.post("/api/pull", **body) == (400, {"error": "invalid model name"})
    assert fast.ask("POST", "/api/pull", b"")[2] == '{"error":"missing request body"}'
    assert "no-such-model:latest" not in names(fast)


def test_who_goes_away_amid_a_pull_has_pulled_nothing():
    with simulator("--tokens-per-second", "200", "--first-token-ms", "0") as server:
        wires = [Wire(server.port, "/api/pull", {"model": f"llama3.2:{i}b"}) for i in range(20)]
        for i, wire in enumerate(wires):
            wire.read_until(lambda wire: wire.raw.count(b"completed") >= i // 2)
            wire.reset()
        last = pulled(server, model="llama3.2:90b")
        assert last[-1] == {"status": "success"}
        assert [name for name in names(server) if name in ("llama3.2:0b", "llama3.2:90b")] == [
            "llama3.2:90b"]


# ---- the rest ----

def test_models_are_copied_and_deleted():
    with simulator(*FAST) as server:
        def copy(source, destination):
            status, _, text = server.ask("POST", "/api/copy",
                                         {"source": source, "destination": destination})
            return status, json.loads(text or "null")

        def delete(**body):
            status, _, text = server.ask("DELETE", "/api/delete", body)
            return status, json.loads(text or "null")
        assert copy("llama3.2", "mine") == (200, None)
        assert copy("nope", "mine") == (404, {"error": 'model "nope" not found'})
        assert copy("", "mine") == (400, {"error": 'source "" is invalid'})
        assert copy("llama3.2", "a b") == (400, {"error": 'destination "a b" is invalid'})
        tags = {model["name"]: model
                for model in json.loads(server.ask("GET", "/api/tags")[2])["models"]}
        assert tags["mine:latest"]["digest"] == tags["llama3.2:latest"]["digest"]
        assert server.chat(model="mine")[-1]["done"] and "mine:latest" in loaded(server)
        assert delete(model="mine") == (200, None)
        assert "mine:latest" not in names(server) and "mine:latest" not in loaded(server)
        assert server.post("/api/chat", **chat_body(model="mine"))[0] == 404
        assert delete(model="mine") == (404, {"error": "model 'mine' not found"})
        assert delete(name="") == (400, {"error": 'name "" is invalid'})


def test_a_model_deleted_amid_its_words_says_them_to_the_end():
    with simulator("--tokens-per-second", "200", "--first-token-ms", "0") as server:
        wire = Wire(server.port, "/api/chat", chat_body())
        wire.read_until(lambda wire: b"content" in wire.raw)
        assert server.ask("DELETE", "/api/delete", {"model": "tiny"})[0] == 200
        wire.read_until(lambda wire: wire.ended_well)
        assert json.loads(wire.chunks[-2])["done_reason"] == "stop"
        wire.sock.close()


def test_what_is_not_simulated_is_refused_in_ollamas_form(fast):
    for path in ("/api/create", "/api/push", "/api/embeddings"):
        assert fast.post(path, model="tiny") == (501, {"error": f"{path} is not simulated"})
    for path in ("/v1/completions", "/v1/responses", "/v1/messages"):
        status, answer = fast.post(path, model="tiny")
        assert (status, answer["error"]["message"]) == (501, f"{path} is not simulated")
    embed = {"error": "this model does not support embeddings"}
    assert fast.post("/api/embed", model="tiny", input="x") == (501, embed)
    assert fast.post("/api/embed", model="tiny", input=["x", "y"]) == (501, embed)
    assert fast.post("/api/embed", model="tiny") == (200, {"model": "tiny", "embeddings": []})
    assert fast.post("/api/embed", model="tiny", input=[7]) == (
        400, {"error": "invalid input type"})
    assert fast.post("/api/embed", model="nope", input="x") == (
        404, {"error": "model 'nope' not found"})
    status, answer = fast.post("/api/me")
    assert status == 401 and answer["error"] == "unauthorized" and answer["signin_url"]
    assert fast.ask("HEAD", "/api/blobs/sha256:00")[0] == 404
    assert json.loads(fast.ask("GET", "/api/status")[2])["cloud"]["disabled"] is True


def test_a_slash_too_many_is_sent_to_the_path_without(fast):
    for method, path, status in (("GET", "/api/tags/", 301), ("POST", "/api/chat/", 307)):
        got, headers, _ = fast.ask(method, path)
        assert (got, headers["Location"]) == (status, path[:-1])
    assert fast.ask("GET", "/api//tags")[0] == 404
    assert fast.ask("GET", "/api/nothing/")[0] == 404


@pytest.mark.parametrize("host, status", [
    ("localhost", 200), ("127.0.0.1:1", 200), ("box.local", 200), ("evil.example", 403),
    ("evil.example:11434", 403)])
def test_on_loopback_only_this_machines_hosts_are_answered(fast, host, status):
    def ask(path, headers):
        connection = http.client.HTTPConnection("127.0.0.1", fast.port, timeout=20)
        connection.putrequest("GET", path, skip_host=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, text
    assert ask("/api/tags", {"Host": host})[0] == status
    assert ask("/v1/models", {"Host": host})[0] == status
    assert ask("/v1/models", {"Host": host, "X-Sim-Flavor": "vllm"})[0] == 200
    assert ask("/_parley/state", {"Host": host})[0] == 200
    if status == 403:
        assert ask("/api/tags", {"Host": host})[1] == b""


def test_a_crowd_of_every_option_leaves_no_model_in_use():
    """Loads, calls and departures at random: in the end nobody waits, and nothing is loaded."""
    with simulator("--tokens-per-second", "3000", "--first-token-ms", "1", "--parallel",
                   "3") as server:
        def call(number):
            model = ("llama3.2", "mistral", "qwen3:4b")[number % 3]
            body = {"model": model, "options": {"num_ctx": 1024 << number % 4}, "keep_alive": 0}
            if number % 5:
                body["messages"] = [{"role": "user", "content": "x"}]
            wire = Wire(server.port, "/api/chat", body, ["Connection: close"])
            if number % 7 == 0:
                wire.reset()
            else:
                assert wire.read_all().status == 200 and wire.ended_well
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(call, range(240)))
        wait_until(lambda: server.state()["in_flight"] == 0, "all calls are over")
        assert loaded(server) == {}
