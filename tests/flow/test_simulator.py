"""parley-simulator over HTTP: what a client of Ollama relies on, asked of the real program."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from simulator_rig import FAST, PROGRAM, START_LIMIT_S, WAIT_LIMIT_S, simulator, wait_until

SYSTEM = ("You are Ada Quill, lighthouse keeper. You take part in a conversation.\n\n"
          "Topic: the last lighthouse\nYour traits: stubborn\nYour goal: Keep the lamp lit.\n")


@pytest.fixture(scope="module")
def fast():
    with simulator(*FAST) as server:
        yield server


def said(lines):
    return "".join(line["message"]["content"] for line in lines)


# ---- what needs no model ----

def test_the_root_says_that_it_runs_for_get_and_head(fast):
    status, headers, text = fast.ask("GET", "/")
    assert (status, text) == (200, "Ollama is running")
    assert headers["Content-Type"].startswith("text/plain")
    for path in ("/", "/api/version", "/api/tags"):
        status, _, text = fast.ask("HEAD", path)
        assert (status, text) == (200, "")


def test_version_is_a_text(fast):
    status, headers, text = fast.ask("GET", "/api/version")
    assert status == 200
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert re.fullmatch(r"\d+\.\d+\.\d+", json.loads(text)["version"])


def test_tags_list_models_with_details():
    with simulator("--sim-models", "house, other:7b") as server:
        _, _, text = server.ask("GET", "/api/tags")
    models = {model["name"]: model for model in json.loads(text)["models"]}
    assert {"llama3.2:latest", "mistral:latest", "tiny:latest", "house:latest",
            "other:7b"} <= set(models)
    one = models["llama3.2:latest"]
    assert one["model"] == one["name"] and one["size"] > 0
    assert re.fullmatch(r"[0-9a-f]{64}", one["digest"])
    assert one["details"]["format"] == "gguf" and one["details"]["family"] == "llama"
    assert len({model["digest"] for model in models.values()}) == len(models)


def test_show_tells_capabilities_and_knows_no_strangers(fast):
    status, shown = fast.post("/api/show", model="llama3.2")
    assert status == 200
    assert shown["capabilities"] == ["completion"]
    assert shown["model_info"]["llama.context_length"] == 131072
    assert fast.post("/api/show", name="mistral")[0] == 200
    assert fast.post("/api/show", model="nope") == (404, {"error": "model 'nope' not found"})
    assert fast.post("/api/show") == (400, {"error": "model is required"})


def test_ps_lists_what_was_loaded_until_it_is_unloaded():
    with simulator(*FAST) as server:
        def loaded():
            return {model["name"]: model
                    for model in json.loads(server.ask("GET", "/api/ps")[2])["models"]}
        assert loaded() == {}
        status, reply = server.post("/api/chat", model="tiny", options={"num_ctx": 2048})
        assert (status, reply["done_reason"], reply["done"]) == (200, "load", True)
        assert reply["message"] == {"role": "assistant", "content": ""}
        assert "eval_count" not in reply and "total_duration" not in reply
        assert loaded()["tiny:latest"]["context_length"] == 2048
        status, reply = server.post("/api/generate", model="tiny", keep_alive=0)
        assert (status, reply["done_reason"], reply["response"]) == (200, "unload", "")
        assert loaded() == {}


def test_unknown_paths_and_wrong_methods_get_plain_texts(fast):
    status, headers, text = fast.ask("GET", "/api/nothing")
    assert (status, text) == (404, "404 page not found")
    assert headers["Content-Type"].startswith("text/plain")
    status, headers, text = fast.ask("GET", "/api/chat")
    assert (status, text, headers["Allow"]) == (405, "405 method not allowed", "POST")
    assert fast.ask("DELETE", "/api/tags")[0] == 405


# ---- errors ----

@pytest.mark.parametrize("body, status, error", [
    (b"", 400, "missing request body"),
    (b"{", 400, "unexpected EOF"),
    (b"{}", 400, "model is required"),
    (b'{"model": "nope"}', 404, "model 'nope' not found"),
    (b'{"model": "tiny", "think": true}', 400, '"tiny" does not support thinking'),
    (b'{"model": "tiny", "messages": [{"role": "user", "content": "x"}],'
     b' "format": "xml"}', 500,
     'invalid format: "\\"xml\\""; expected "json" or a valid JSON Schema object'),
    (b'{"model": "tiny", "messages": [{"role": "user", "content": "x"}],'
     b' "format": {"type": "nothing"}}', 500, "invalid JSON schema in format"),
    (b'{"model": "tiny", "messages": [{"role": "user", "content": "x"}],'
     b' "options": {"stop": "x"}}', 500, 'option "stop" must be of type array'),
])
def test_bad_requests_are_answered_with_an_error_object(fast, body, status, error):
    got, headers, text = fast.ask("POST", "/api/chat", body)
    assert (got, json.loads(text)) == (status, {"error": error})
    assert headers["Content-Type"].startswith("application/json")


def test_one_connection_serves_many_requests_also_after_errors(fast):
    connection = http.client.HTTPConnection("127.0.0.1", fast.port, timeout=WAIT_LIMIT_S)
    for i in range(20):
        body = {"model": "nope" if i % 2 else "tiny",
                "messages": [{"role": "user", "content": "x"}], "stream": i % 4 == 0}
        connection.request("POST", "/api/chat", json.dumps(body))
        response = connection.getresponse()
        assert response.status == (404 if i % 2 else 200)
        response.read()
    connection.close()


# ---- streams ----

def test_a_chat_streams_tokens_then_the_end_with_counts(fast):
    lines = fast.chat()
    *chunks, end = lines
    assert 20 <= len(chunks) <= 60
    for chunk in chunks:
        assert set(chunk) == {"model", "created_at", "message", "done"}
        assert chunk["model"] == "llama3.2" and chunk["done"] is False
        assert chunk["message"]["role"] == "assistant" and chunk["message"]["content"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", chunk["created_at"])
    assert end["done"] is True and end["done_reason"] == "stop"
    assert end["message"] == {"role": "assistant", "content": ""}
    assert end["eval_count"] == len(chunks)
    assert end["prompt_eval_count"] > 4
    assert end["prompt_eval_cached_count"] == 0
    parts = ("load_duration", "prompt_eval_duration", "eval_duration")
    assert sum(end.get(part, 0) for part in parts) <= end["total_duration"]


def test_each_token_is_a_chunk_on_the_wire_when_it_is_due():
    with simulator("--tokens-per-second", "20", "--first-token-ms", "100",
                   "--reply-tokens", "6..6") as server:
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_LIMIT_S)
        body = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "x"}]})
        start = time.monotonic()
        raw.sendall(f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
                    f"\r\n{body}".encode())
        stream = raw.makefile("rb")
        while (line := stream.readline()) != b"\r\n":
            assert line, "it ended amid its head"
        times = []
        while (size := int(stream.readline(), 16)) > 0:
            line = stream.read(size)
            assert stream.readline() == b"\r\n"
            assert line.endswith(b"\n") and line.count(b"\n") == 1
            times.append(time.monotonic() - start)
        raw.close()
    assert len(times) == 7
    # Never early; how late depends on the machine.
    for i, at in enumerate(times):
        assert at >= 0.1 + 0.05 * i - 0.005
    end = json.loads(line)
    assert end["eval_count"] == 6
    assert end["prompt_eval_duration"] >= 99e6
    assert end["eval_duration"] >= 299e6
    assert end["total_duration"] < (times[-1] + 0.1) * 1e9


def test_generate_has_response_instead_of_message(fast):
    status, headers, text = fast.ask("POST", "/api/generate",
                                     {"model": "tiny", "prompt": "Why?", "system": SYSTEM})
    lines = [json.loads(line) for line in text.splitlines()]
    assert status == 200 and headers["Content-Type"] == "application/x-ndjson"
    assert "".join(line["response"] for line in lines)
    assert all("message" not in line for line in lines)
    assert lines[-1]["done_reason"] == "stop"


def test_not_streamed_is_the_same_text_in_one_object(fast):
    lines = fast.chat()
    body = {"model": "llama3.2", "stream": False,
            "messages": [{"role": "user", "content": "Where is the boat?"}]}
    status, headers, text = fast.ask("POST", "/api/chat", body)
    whole = json.loads(text)
    assert status == 200 and headers["Content-Type"] == "application/json; charset=utf-8"
    assert whole["message"]["content"] == said(lines)
    assert whole["done"] is True and whole["eval_count"] == len(lines) - 1


def test_the_common_start_of_a_prompt_counts_as_cached():
    with simulator(*FAST) as server:
        messages = [{"role": "system", "content": SYSTEM},
                    {"role": "user", "content": "Is it cold?"}]
        first = server.chat(messages=messages)[-1]
        messages += [{"role": "assistant", "content": "Yes."},
                     {"role": "user", "content": "How cold?"}]
        second = server.chat(messages=messages)[-1]
        assert first["prompt_eval_cached_count"] == 0
        assert second["prompt_eval_count"] > first["prompt_eval_count"]
        # All of the first prompt but what comes behind its last word.
        assert first["prompt_eval_count"] - 2 <= second["prompt_eval_cached_count"]
        assert second["prompt_eval_cached_count"] < second["prompt_eval_count"]
        assert server.chat(model="tiny", messages=messages)[-1]["prompt_eval_cached_count"] == 0


def test_a_prompt_beyond_the_window_loses_its_oldest_messages_silently(fast):
    messages = [{"role": "user", "content": f"Message {i} about boats."} for i in range(200)]
    end = fast.chat(messages=messages, options={"num_ctx": 256})[-1]
    assert 200 < end["prompt_eval_count"] <= 256


# ---- options ----

def test_num_predict_cuts_and_says_length(fast):
    whole = said(fast.chat())
    lines = fast.chat(options={"num_predict": 5})
    assert len(lines) == 6
    assert lines[-1]["done_reason"] == "length" and lines[-1]["eval_count"] == 5
    assert whole.startswith(said(lines))
    lines = fast.chat(options={"num_predict": 0})
    assert len(lines) == 1 and "eval_count" not in lines[0]


def test_a_stop_ends_the_reply_before_it(fast):
    whole = said(fast.chat())
    stop = whole.split()[4]
    lines = fast.chat(options={"stop": ["never said", stop]})
    assert said(lines) == whole[:whole.index(stop)]
    assert lines[-1]["done_reason"] == "stop"


def test_the_same_seed_gives_the_same_words(fast):
    one, two = (said(fast.chat(options={"seed": 1})) for _ in range(2))
    assert one == two
    assert one != said(fast.chat(options={"seed": 2}))


def test_reply_tokens_sets_the_length():
    with simulator("--tokens-per-second", "0", "--first-token-ms", "0",
                   "--reply-tokens", "100..100") as server:
        assert server.chat()[-1]["eval_count"] == 100


def test_a_schema_is_filled_and_streams(fast):
    schema = {"type": "object", "required": ["name", "traits", "mood", "age"],
              "properties": {
                  "name": {"type": "string"},
                  "traits": {"type": "array", "items": {"type": "string"},
                             "minItems": 3, "maxItems": 3},
                  "mood": {"enum": ["good", "bad"]},
                  "age": {"type": "integer", "minimum": 30, "maximum": 40}}}
    lines = fast.chat("Invent somebody.", format=schema)
    document = json.loads(said(lines))
    assert list(document) == ["name", "traits", "mood", "age"]
    assert len(set(document["traits"])) == 3
    assert document["mood"] in ("good", "bad") and 30 <= document["age"] <= 40
    assert isinstance(json.loads(said(fast.chat(format="json"))), dict)


def test_two_personas_talk_without_repeating_themselves(fast):
    names = ("Ada Quill", "Bo Marlow")
    transcript = []
    for turn in range(40):
        messages = [{"role": "system", "content": SYSTEM.replace(names[0], names[turn % 2])}]
        for i, text in enumerate(transcript):
            own = i % 2 == turn % 2
            messages.append({"role": "assistant" if own else "user",
                             "content": text if own else f"{names[i % 2]}: {text}"})
        if turn == 0:
            messages.append({"role": "user", "content": "(The scene begins.)"})
        transcript.append(said(fast.chat(messages=messages, options={"num_ctx": 32768})))
    assert len(set(transcript)) == 40
    assert sum("lighthouse" in text for text in transcript) > 5


# ---- many at once ----

def test_with_one_slot_replies_come_one_after_the_other():
    with simulator("--tokens-per-second", "100", "--first-token-ms", "50",
                   "--reply-tokens", "20..20", "--parallel", "1") as server:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            start = time.monotonic()
            ends = [lines[-1] for lines in pool.map(lambda _: server.chat(), range(4))]
            took = time.monotonic() - start
    assert took >= 4 * 0.25 - 0.01
    # Waiting counts in the total alone.
    waits = sorted(end["total_duration"] - end["load_duration"] - end["prompt_eval_duration"]
                   - end["eval_duration"] for end in ends)
    assert waits[0] < 50e6 and waits[3] >= 700e6


def test_with_many_slots_replies_overlap():
    with simulator("--tokens-per-second", "50", "--first-token-ms", "100",
                   "--reply-tokens", "20..20", "--parallel", "50") as server:
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            start = time.monotonic()
            ends = [lines[-1] for lines in pool.map(lambda _: server.chat(), range(50))]
            took = time.monotonic() - start
    assert all(end["eval_count"] == 20 for end in ends)
    assert took < 50 * 0.5 / 3


def open_chat(server, **options):
    """A chat whose first chunk has been read; the socket is still open."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_LIMIT_S)
    connection.request("POST", "/api/chat", json.dumps(
        {"model": "llama3.2", "messages": [{"role": "user", "content": "x"}],
         "options": options}))
    response = connection.getresponse()
    assert response.readline()
    return connection, response


def test_a_client_that_leaves_frees_its_slot_at_once():
    # At one token a second the reply would last a quarter of an hour.
    with simulator("--tokens-per-second", "1", "--first-token-ms", "0", "--parallel", "1",
                   "--reply-tokens", "1000..1000") as server:
        for _ in range(5):
            start = time.monotonic()
            connection, response = open_chat(server)
            response.close()
            connection.close()
            assert time.monotonic() - start < WAIT_LIMIT_S


def test_a_client_that_leaves_while_it_waits_is_forgotten():
    with simulator("--tokens-per-second", "1", "--first-token-ms", "0", "--parallel", "1",
                   "--reply-tokens", "1000..1000") as server:
        speaking, response = open_chat(server)
        waiting = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(10)]
        body = b'{"model": "tiny", "prompt": "x"}'
        for sock in waiting:
            sock.sendall(b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(body) + body)
        for sock in waiting:
            sock.close()
        response.close()
        speaking.close()
        connection, response = open_chat(server)
        response.close()
        connection.close()
        folder = f"/proc/{server.process.pid}/fd"
        wait_until(lambda: len(os.listdir(folder)) < 12, "its sockets are closed")


def test_a_slow_reader_holds_the_words_back_and_gets_them_all():
    with simulator("--tokens-per-second", "0", "--first-token-ms", "0",
                   "--reply-tokens", "60000..60000") as server:
        connection, response = open_chat(server, num_ctx=10000)
        # Others are served while megabytes wait for the one that does not read.
        assert server.ask("GET", "/api/version")[0] == 200
        status = f"/proc/{server.process.pid}/status"

        def resident_kb():
            return int(re.search(r"VmRSS:\s+(\d+)", open(status).read()).group(1))
        before = resident_kb()
        server.ask("GET", "/api/version")
        assert resident_kb() < before + 50_000
        lines = response.read().splitlines()
        connection.close()
    # The first line was read before, the last is the end.
    assert json.loads(lines[-1])["eval_count"] == len(lines) == 60000


# ---- start and end ----

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_0_also_while_it_speaks(number):
    with simulator("--tokens-per-second", "1", "--first-token-ms", "0", "--parallel", "1",
                   "--reply-tokens", "100..100") as server:
        connection, response = open_chat(server)
        server.process.send_signal(number)
        assert server.process.wait(WAIT_LIMIT_S) == 0
        with contextlib.suppress(http.client.IncompleteRead, ConnectionError):
            assert b'"done":true' not in response.read()
        connection.close()


def test_a_taken_port_is_told_and_ends_the_start(fast):
    process = subprocess.run(
        [PROGRAM, "--listen", f"127.0.0.1:{fast.port}"],
        capture_output=True, text=True, timeout=START_LIMIT_S)
    assert process.returncode == 1
    assert str(fast.port) in process.stderr and process.stdout == ""
