"""What a reply becomes on its way into the transcript: cleaned, checked, repaired, replaced."""
import json
import threading
import time

import pytest

from helpers import (STORY_FILE, FakeOllama, Fleet, box, chat_line, closed_port,  # noqa: F401
                     complaints, turns_of, wait_for)

GOOD = '{"message": "Good evening.", "sentiment": 0.5, "references": ["the rain"]}'


@pytest.fixture
def fleet(box):
    return Fleet(box)


def story(fleet, **of_ada):
    """A story file whose first persona has more members."""
    path = fleet.box.path("story.json")
    ada, bo = STORY_FILE["personas"]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**STORY_FILE, "personas": [{**ada, **of_ada}, bo]}, file)
    return path


def crew(fleet, url, *options):
    """A manager and two workers with these options, ready."""
    fleet.box.env["PARLEY_OLLAMA"] = url
    fleet.manager()
    for seat in (1, 2):
        fleet.worker(seat, *options)
    fleet.wait_ready("manager-1", "worker-1-1", "worker-2-1")


def play(fleet, url, turns, *options, **of_ada):
    """A conversation of two to its end, failing at the first turn that does; its turns, calls."""
    crew(fleet, url, *options)
    conversation = fleet.begin("--turns", turns, "--story", story(fleet, **of_ada),
                               "--max-issues", 1)
    end = fleet.wait_end(conversation)
    transcript = turns_of(fleet.transcript(conversation))
    bad = [complaints("dialog_message", message) for message in transcript]
    assert bad == [[]] * len(transcript), bad
    return end, transcript, calls_of(fleet)


def calls_of(fleet):
    return [fields for _, fields in fleet.db.xrange("parley:{0}:calls") if "turn" in fields]


def end_line(reason="stop", prompt=10, tokens=5, **more):
    return chat_line(done=True, done_reason=reason, prompt_eval_count=prompt, eval_count=tokens,
                     total_duration=10**8, load_duration=10**6, prompt_eval_duration=10**7,
                     eval_duration=8 * 10**7, **more)


def said(transcript):
    return [message["content"]["message"] for message in transcript]


def data_of(transcript, name):
    return [message["metadata"].get(name) for message in transcript]


# ---- cleaning ----

def member(fleet, lane):
    return fleet.db.hgetall(f"parley:{{0}}:member:worker-{lane}-1")


def test_what_is_not_spoken_is_taken_out_counted_and_told(fleet):
    replies = [["Ada: Good ", "evening."], ["<think>Bo: what", " now?</think>\n", "Evening!"],
               ["It rains.\n\nB", "o: So it", " does."], ["Plain words."]]

    def on_chat(kind, number, body):
        return replies[number - 1]
    with FakeOllama(on_chat) as server:
        _, transcript, calls = play(fleet, server.url, 4)
        stops = [body["options"].get("stop") for body in server.bodies("turn")]
        wait_for(lambda: member(fleet, 1)["turns"] == member(fleet, 2)["turns"] == "2",
                 "the members have told of it")
        members = [member(fleet, lane) for lane in (1, 2)]
        fleet.box.stop_all()
    assert said(transcript) == ["Good evening.", "Evening!", "It rains.", "Plain words."]
    changes = [["name_prefix"], ["thinking"], ["foreign_name"], None]
    assert data_of(transcript, "cleaned") == changes
    assert [call.get("cleaned") for call in calls] == ["name_prefix", "thinking", "foreign_name",
                                                       None]
    assert stops == [["\nBo:"], ["\nAda:"], ["\nBo:"], ["\nAda:"]]
    assert [one["cleaned"] for one in members] == ["name_prefix=1,foreign_name=1", "thinking=1"]
    assert [(one["calls"], one["calls_failed"]) for one in members] == [("2", "0")] * 2


def test_the_name_of_another_ends_the_call_on_the_wire(fleet):
    """A server that goes on for ever is left as soon as its words are not wanted any more."""
    gone = threading.Event()

    def on_chat(kind, number, body):
        if number > 1:
            return None

        def forever():
            try:
                yield "Good evening.\nBo: And"
                while True:
                    yield " on"
                    time.sleep(0.01)
            finally:
                gone.set()
        return forever()
    with FakeOllama(on_chat) as server:
        _, transcript, calls = play(fleet, server.url, 2)
        assert gone.wait(2)
        fleet.box.stop_all()
    assert said(transcript)[0] == "Good evening."
    assert data_of(transcript, "finish_reason")[0] == "enough"
    assert data_of(transcript, "tokens_generated")[0] is None
    assert calls[0]["outcome"] == "done" and "tokens_generated" not in calls[0]


def test_a_reply_without_end_is_cut_at_a_sentence(fleet):
    def on_chat(kind, number, body):
        if number > 1:
            return None
        return ("On and on it went, without an end. " for _ in range(10**6))
    with FakeOllama(on_chat) as server:
        _, transcript, _ = play(fleet, server.url, 2, "--num-predict", 10)
        fleet.box.stop_all()
    words = said(transcript)[0]
    assert 1900 < len(words) <= 2048 and words.endswith("an end.")
    assert data_of(transcript, "cleaned")[0] == ["capped"]


def test_a_reply_that_met_its_limit_ends_with_a_sentence(fleet):
    def on_chat(kind, number, body):
        return ["One two three. Four fi" if number == 1 else "Not a single sentence",
                end_line("length")]
    with FakeOllama(on_chat) as server:
        _, transcript, _ = play(fleet, server.url, 2)
        fleet.box.stop_all()
    assert said(transcript) == ["One two three.", "Not a single sentence"]
    assert data_of(transcript, "cleaned") == [["capped"], ["unfinished"]]
    assert data_of(transcript, "finish_reason") == ["length", "length"]


def test_words_that_are_all_anothers_are_asked_for_once_more(fleet):
    def on_chat(kind, number, body):
        return ["Bo: Evening!"] if number == 1 else None
    with FakeOllama(on_chat) as server:
        _, transcript, calls = play(fleet, server.url, 1)
        fleet.box.stop_all()
    assert said(transcript) == ["Turn 2 it is."]
    assert [(call["outcome"], call.get("error")) for call in calls] == [("failed", "empty"),
                                                                        ("done", None)]
    assert [call["attempt"] for call in calls] == ["1", "2"]
    assert calls[1]["call"] == calls[0]["call"] + "~2"
    assert data_of(transcript, "attempts") == [2]


def test_thoughts_are_kept_apart_where_that_is_wished(fleet):
    def on_chat(kind, number, body):
        thought = {"role": "assistant", "content": "", "thinking": "It is late."}
        if number == 1:
            return [chat_line(message=thought), "Good night."]
        return ["<think>So it ", "is.</think>Night!"]
    with FakeOllama(on_chat) as server:
        _, transcript, calls = play(fleet, server.url, 2, "--keep-thinking")
        fleet.box.stop_all()
    assert said(transcript) == ["Good night.", "Night!"]
    assert [call["thinking"] for call in calls] == ["It is late.", "So it is."]


def test_thoughts_are_kept_up_to_a_bound(fleet):
    thought = "a" + "\u00e9" * 20000

    def on_chat(kind, number, body):
        return 3 * [chat_line(message={"role": "assistant", "content": "", "thinking": thought})] + ["Words."]
    with FakeOllama(on_chat) as server:
        _, transcript, (call,) = play(fleet, server.url, 1, "--keep-thinking", "--num-predict", 20000,
                                      "--num-ctx", 65536)
        fleet.box.stop_all()
    assert said(transcript) == ["Words."]
    assert call["thinking"] == (3 * thought).encode()[:65536].decode(errors="ignore")


# ---- structured replies ----

def live_of(fleet, conversation):
    return [fields for _, fields in fleet.db.xrange(f"parley:{{0}}:live:{conversation}")]


def test_a_structured_reply_is_shown_as_it_comes_and_fills_the_message(fleet):
    halfway = threading.Event()

    def on_chat(kind, number, body):
        if number > 1:
            return [GOOD]

        def slowly():
            yield GOOD[:20]
            yield GOOD[20:24]
            halfway.wait(10)
            yield GOOD[24:]
        return slowly()
    with FakeOllama(on_chat) as server:
        crew(fleet, server.url, "--structured", "--chunk-size", 1)
        conversation = fleet.begin("--turns", 2, "--story", story(fleet))
        shown = wait_for(lambda: [one["text"] for one in live_of(fleet, conversation)
                                  if one["kind"] == "delta"], "words are shown")
        assert "Good evening.".startswith("".join(shown)), shown
        halfway.set()
        fleet.wait_end(conversation)
        content = [message["content"] for message in turns_of(fleet.transcript(conversation))]
        bodies = server.bodies("turn")
        fleet.box.stop_all()
    assert [(one["message"], one["sentiment"], one["references"]) for one in content] == \
        [("Good evening.", 0.5, ["the rain"])] * 2
    assert all(set(body["format"]["required"]) == {"message", "sentiment", "references"}
               for body in bodies)
    assert "JSON" in bodies[0]["messages"][0]["content"]
    assert bodies[1]["messages"][1]["content"] == "Ada: Good evening."


def test_a_structured_reply_that_is_none_is_asked_for_once_more_with_what_was_wrong(fleet):
    bad = '{"message": "Good", "sentiment": 7, "references": []}'

    def on_chat(kind, number, body):
        return [bad] if number == 1 else [GOOD]
    with FakeOllama(on_chat) as server:
        _, transcript, calls = play(fleet, server.url, 1, "--structured")
        repair = server.bodies("turn")[1]["messages"]
        fleet.box.stop_all()
    assert said(transcript) == ["Good evening."]
    assert (repair[-2]["role"], repair[-2]["content"]) == ("assistant", bad)
    assert "/sentiment" in repair[-1]["content"]
    assert [(call["outcome"], call.get("error")) for call in calls] == [("failed", "structure"),
                                                                        ("done", None)]
    assert calls[1]["call"] == calls[0]["call"] + "r"
    assert data_of(transcript, "attempts") == [2]


def test_a_structured_reply_behind_thinking_and_in_a_fence_is_taken(fleet):
    """The model thinks aloud, drafts the object there, and wraps the one it means in a fence."""
    draft = '{"message": "No.", "sentiment": 7}'
    replies = [[f"<think>Say {draft}? ", "No.</think>\n\n```json\n", GOOD[:20], GOOD[20:], "\n```\n"],
               [f"Or {draft}.\n</th", "ink>Here it is: ", GOOD]]

    def on_chat(kind, number, body):
        return replies[number - 1]
    with FakeOllama(on_chat) as server:
        _, transcript, calls = play(fleet, server.url, 2, "--structured", "--keep-thinking")
        fleet.box.stop_all()
    assert said(transcript) == ["Good evening.", "Good evening."]
    assert data_of(transcript, "cleaned") == [["thinking"]] * 2
    assert [(call["outcome"], call["thinking"]) for call in calls] == [
        ("done", f"Say {draft}? No."), ("done", f"Or {draft}.\n")]


def test_a_second_ask_brings_the_document_and_the_complaint_bounded_and_without_the_thinking(fleet):
    long = '{"message": "' + "Good. " * 2000 + '"}'

    def on_chat(kind, number, body):
        return ["<think>" + "Hm. " * 2000 + "</think>Well, ", long] if number == 1 else [GOOD]
    with FakeOllama(on_chat) as server:
        _, transcript, calls = play(fleet, server.url, 1, "--structured", "--num-predict", 2000,
                                    "--num-ctx", 16384)
        first, second = (body["messages"] for body in server.bodies("turn"))
        fleet.box.stop_all()
    assert said(transcript) == ["Good evening."]
    assert second[:-2] == first
    assert second[-2] == {"role": "assistant", "content": long[:4096]}
    assert second[-1]["role"] == "user" and "sentiment" in second[-1]["content"]
    assert len(second[-1]["content"]) < 500


def test_a_structured_reply_that_never_comes_fails_the_turn(fleet):
    with FakeOllama(lambda kind, number, body: ["I would rather talk."]) as server:
        end, transcript, calls = play(fleet, server.url, 1, "--structured")
        fleet.box.stop_all()
    assert (end["reason"], transcript) == ("failed", [])
    assert [call["error"] for call in calls] == ["structure", "structure"]


# ---- fallback replies ----

def test_where_no_server_answers_the_fallback_reply_is_said_and_marked(fleet):
    crew(fleet, f"http://127.0.0.1:{closed_port()}", "--give-up", "1s")
    begin = time.monotonic()
    conversation = fleet.begin("--turns", 1, "--story",
                               story(fleet, fallback_reply="I have lost my thread."))
    fleet.wait_end(conversation)
    took_s = time.monotonic() - begin
    transcript = turns_of(fleet.transcript(conversation))
    fleet.box.stop_all()
    assert said(transcript) == ["I have lost my thread."]
    data = transcript[0]["metadata"]
    assert (data["fallback"], data["finish_reason"]) == (True, "fallback")
    assert (data["tokens_generated"], data["prompt_tokens"]) == (None, None)
    assert took_s < 3, took_s
    assert complaints("dialog_message", transcript[0]) == []


def test_a_fallback_reply_also_stands_in_for_what_cannot_be_used(fleet):
    with FakeOllama(lambda kind, number, body: ["No JSON from me."]) as server:
        end, transcript, calls = play(fleet, server.url, 1, "--structured",
                                      fallback_reply="Never mind.")
        fleet.box.stop_all()
    assert end["reason"] == "turns"
    assert said(transcript) == ["Never mind."]
    assert data_of(transcript, "endpoint") == ["ollama"]
    assert data_of(transcript, "model") == ["llama3.2"]
    assert len(calls) == 2


def test_a_fallback_reply_without_a_call_tells_nothing_of_the_turn_before(fleet):
    """Ada's first prompt is cut by the server; at her second turn the server is known to be down."""
    def on_chat(kind, number, body):
        if number == 2:
            server_key, = [key for key in fleet.db.keys("parley:{endpoints}:*") if fleet.db.type(key) == "hash"]
            fleet.db.hset(server_key, mapping={"state": "open", "retry_at": str(int(time.time() * 1000) + 60000)})
        return ["Words.", end_line(prompt=1024 if number == 1 else 300)]
    with FakeOllama(on_chat) as server:
        _, transcript, calls = play(fleet, server.url, 3, "--num-ctx", 1024, "--give-up", "500ms",
                                    fallback_reply="Never mind.")
        fleet.box.stop_all()
    assert said(transcript) == ["Words.", "Words.", "Never mind."] and len(calls) == 2
    assert data_of(transcript, "context_truncated") == [True, None, None]


# ---- the prompt ----

def test_a_server_that_cuts_the_prompt_is_caught_by_its_counts(fleet):
    def on_chat(kind, number, body):
        return ["Words.", end_line(prompt=1024 if number == 2 else 300)]
    with FakeOllama(on_chat) as server:
        _, transcript, calls = play(fleet, server.url, 4, "--num-ctx", 1024)
        fleet.box.stop_all()
    cut = [False, True, False, False]
    assert [bool(one) for one in data_of(transcript, "context_truncated")] == cut
    assert [call.get("context_truncated") == "1" for call in calls] == cut
    lines = []
    for process in fleet.box.started:
        if hasattr(process, "err_path"):
            with open(process.err_path, encoding="utf-8") as file:
                lines += [line for line in file if "context.truncated" in line]
    assert len(lines) == 1 and "prompt_tokens=1024" in lines[0] and "endpoint=ollama" in lines[0], lines


# ---- waiting ----

@pytest.fixture
def waiting(fleet):
    """A turn that waits for a server that is not there."""
    crew(fleet, f"http://127.0.0.1:{closed_port()}", "--lease", "2s", "--attempts", 10)
    conversation = fleet.begin("--turns", 2, "--story", story(fleet))
    fleet.wait_holder(1)
    wait_for(lambda: len(calls_of(fleet)) >= 5, "the server is known to be down")
    yield fleet, conversation
    fleet.box.stop_all()


def test_a_turn_that_waits_for_a_server_keeps_its_lease_and_can_be_stopped(waiting):
    fleet, conversation = waiting
    request = "parley:{0}:request:1"
    begin = time.monotonic()

    def held_for_long():
        [entry] = fleet.db.xpending_range(request, "workers", "-", "+", 1)
        assert entry["times_delivered"] == 1 and entry["time_since_delivered"] < 1500, entry
        return time.monotonic() - begin > 3  # longer than its lease
    wait_for(held_for_long, "the lease is kept")
    assert fleet.talk(conversation)["state"] == "running"
    fleet.box.parley("stop", conversation)
    wait_for(lambda: fleet.db.xpending(request, "workers")["pending"] == 0, "it is given up", 2)
    wait_for(lambda: fleet.db.hget("parley:{0}:member:worker-1-1", "busy") == "0",
             "its slot is free", 3)


def test_a_turn_that_waits_goes_back_to_its_lane_when_its_worker_leaves(waiting):
    fleet, conversation = waiting
    pid = fleet.wait_holder(1)[1]
    worker = next(one for one in fleet.box.started if one.pid == pid)
    mate = fleet.worker(1)
    worker.terminate()
    assert worker.wait(8) == 0
    wait_for(lambda: fleet.wait_holder(1)[1] == mate.pid, "its mate has it")
    talk = fleet.talk(conversation)
    assert (talk["state"], talk["issue"], talk["failures"]) == ("running", "1", "0")
