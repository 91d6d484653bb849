"""What the server gets to read over 200 turns in a small window, by its own ledger: never more
than fits, always the persona, and the same bytes before the new ones, so that its cache hits.
"""
import json

import pytest

from helpers import STORY_FILE, Fleet, assert_once_and_in_order, box, story_file  # noqa: F401
from model_servers import MODEL, Sim, assert_texts_whole, calls_of, tell, write_config

TURNS = 200
NUM_CTX = 2048
NUM_PREDICT = 200
SLIDES_MAX = 60  # of both seats; a quarter window at a time


def prompt_of(line):
    return line["body"]["messages"]


def assert_within_budget(lines):
    for line in lines:
        # So much is the prompt, and a reply of full length still fits behind it.
        assert 0 < line["prompt_tokens"] <= NUM_CTX - NUM_PREDICT, line["id"]


def assert_persona(lines):
    for line in lines:
        seat = STORY_FILE["personas"][(turn_of(line) - 1) % 2]
        first = prompt_of(line)[0]
        assert first["role"] == "system" and sum(
            message["role"] == "system" for message in prompt_of(line)) == 1
        for word in (f"You are {seat['name']},", seat["goal"], seat["style"], seat["traits"][0]):
            assert word in first["content"], (line["id"], word)


def turn_of(line):
    return line["turn"]


def common_messages(one, other):
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count


def slides(lines):
    """At which turns the prompt did not begin with all of the same seat's last one."""
    found = []
    for before, after in zip(lines, lines[2:]):
        old, new = prompt_of(before), prompt_of(after)
        whole = json.dumps(old)[:-1]  # without the bracket at the end
        if not json.dumps(new).startswith(whole):
            # What is left goes on being one piece of the history, behind the same persona.
            assert new[0] == old[0]
            found.append(turn_of(after))
    return found


@pytest.mark.parametrize("wire", ["ollama", "openai"])
def test_two_hundred_turns_in_a_small_window(box, wire):
    fleet = Fleet(box)
    sim = Sim(fleet, "--tokens-per-second", 0, "--first-token-ms", 0, "--ledger-bodies")
    write_config(fleet, {"server": sim.endpoint(wire)})
    fleet.crew()
    conversation = fleet.begin("--story", story_file(box), "--turns", TURNS, "--duration", "none",
                               "--model", f"server:{MODEL}", "--num-ctx", NUM_CTX,
                               "--num-predict", NUM_PREDICT)
    assert fleet.wait_end(conversation, 60)["reason"] == "turns"
    transcript = fleet.transcript(conversation)
    assert_once_and_in_order(transcript, TURNS)
    turns = {call["call"]: int(call["turn"]) for call in calls_of(fleet, conversation)}
    lines = [{**line, "turn": turns[line["id"]]} for line in sim.whole_ledger()]
    assert [turn_of(line) for line in lines] == list(range(1, TURNS + 1))
    assert_within_budget(lines)
    assert_persona(lines)
    moved = slides(lines)
    largest = max(line["prompt_tokens"] for line in lines)
    tell(f"{wire}: prompts up to {largest} of {NUM_CTX} tokens; the window slid at {moved}")
    # It is used, and it slides; but seldom, and not before it is full.
    assert moved[0] > 20
    assert largest > (NUM_CTX - NUM_PREDICT) / 2
    assert 2 <= len(moved) <= SLIDES_MAX
    assert_last_message_pinned(lines, transcript)
    assert_nothing_cut(fleet, conversation, lines)
    assert_texts_whole(fleet, conversation, [sim])
    box.stop_all()


def assert_last_message_pinned(lines, transcript):
    said = [message["content"]["message"] for message in transcript if message["kind"] == "turn"]
    for line in lines[1:]:
        assert said[turn_of(line) - 2] in prompt_of(line)[-1]["content"]


def assert_nothing_cut(fleet, conversation, lines):
    """Nobody says that a prompt was cut, and the counts go up with the prompts."""
    assert not any(call.get("context_truncated") for call in calls_of(fleet, conversation))
    for before, after in zip(lines, lines[2:]):
        grown = len(json.dumps(prompt_of(after))) - len(json.dumps(prompt_of(before)))
        assert (after["prompt_tokens"] - before["prompt_tokens"] > 0) == (grown > 0)
