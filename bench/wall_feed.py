"""Conversations in Redis as a fleet would leave them, going on at a given pace without a
fleet: for what measures or tests the observer's wall.

Each conversation has its hash, its cast and a transcript with its last message; its
turns come at even times. It needs no model, no worker and next to no CPU time.
"""

import argparse
import json
import pathlib
import time

import redis

TURN_TOKENS = 40
EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "schemas" / "examples"
NAMES = ("Ada Quill", "Bo Marsh", "Cyra Lund", "Dov Hart")


def conversation_id(number):
    """The id of conversation `number`, always the same."""
    letters = ""
    for _ in range(6):
        letters = "0123456789abcdefghijklmnopqrstuv"[number % 32] + letters
        number //= 32
    return "feeder" + letters


class Feeder:
    """Keeps `count` conversations going in the shard whose keys begin with `root`."""

    def __init__(self, client, count, root="parley:{0}:", seconds_a_turn=5.0):
        self.client = client
        self.root = root
        self.count = count
        self.seconds_a_turn = seconds_a_turn
        self.turns = [0] * count
        self.ids = [conversation_id(number) for number in range(count)]
        self.next_number = 0
        self.owed = 0.0

        self.story = (EXAMPLES / "dialog_message" / "valid-story.json").read_text()
        self.any_turn = json.loads(
            (EXAMPLES / "dialog_message" / "valid-turn.json").read_text())
        self.any_seat = json.loads(
            (EXAMPLES / "seat" / "valid-all-unknown.json").read_text())

    @staticmethod
    def wish(number):
        """What was asked for: a topic, and no limit that is ever reached."""
        return json.dumps({
            "topic": f"Topic of conversation {number}", "story_file": None, "personas": 2,
            "max_turns": 999, "duration_ms": 36000000, "grace_ms": 10000,
            "pass_on_failure": False, "max_issues": 3})

    def seat(self, number, seat):
        """A seat's JSON, with a name of its own."""
        persona = self.any_seat["persona"] | {"name": NAMES[(number + seat) % 4]}
        return json.dumps(self.any_seat | {"persona": persona, "lane": seat})

    def message(self, talk, number, turn, seat):
        """A turn's JSON."""
        metadata = self.any_turn["metadata"] | {
            "conversation_id": talk, "sequence_number": turn, "seat": seat,
            "author": NAMES[(number + seat) % 4], "tokens_generated": TURN_TOKENS}
        return json.dumps(self.any_turn | {
            "message_id": f"{talk}:{turn}", "metadata": metadata})

    def open_all(self):
        """Writes them all, each before its first turn."""
        now_us = int(time.time() * 1e6)
        pipe = self.client.pipeline(transaction=False)
        pipe.hset(self.root + "meta", "layout", "1")
        for number, talk in enumerate(self.ids):
            self.open(pipe, number, talk, now_us)
            if number % 500 == 499:
                pipe.execute()
        pipe.execute()

    def open(self, pipe, number, talk, now_us):
        """Adds what a conversation begins with to the pipe."""
        pipe.hset(self.root + "conversation:" + talk, mapping={
            "state": "running", "reason": "", "nonce": "n", "created_at": now_us,
            "started_at": now_us, "ended_at": "", "max_turns": 999,
            "duration_ms": 36000000, "deadline": now_us + 36000000000, "left_ms": "",
            "grace_ms": 10000, "patience_ms": 30000, "max_issues": 3,
            "on_failure": "fail", "seats": 2, "cast": 1, "next": 1, "seat": 1, "lane": 1,
            "phase": "asked", "request": "1-1", "response": "", "issue": 1,
            "asked_at": now_us, "attempts": 1, "call": "c", "turns": 0, "tokens": 0,
            "failures": 0, "said": 0})
        pipe.hset(self.root + "cast:" + talk, mapping={
            "wish": self.wish(number), "story": self.story, "version": 1,
            **{f"seat:{seat}": self.seat(number, seat) for seat in (1, 2)}})
        pipe.zadd(self.root + "conversations", {talk: now_us // 1000})

    def turn(self, pipe, number, now_us):
        """Adds the next turn of a conversation to the pipe."""
        talk = self.ids[number]
        self.turns[number] += 1
        turn = self.turns[number]
        seat = 2 - turn % 2
        message = self.message(talk, number, turn, seat)
        pipe.hset(self.root + "conversation:" + talk, mapping={
            "turns": turn, "next": turn + 1, "seat": 3 - seat, "asked_at": now_us,
            "tokens": turn * TURN_TOKENS})
        pipe.xadd(self.root + "transcript:" + talk, {
            "kind": "turn", "turn": turn, "seat": seat, "at": now_us,
            "message": message}, maxlen=1)

    def step(self, seconds):
        """The turns that come in so many seconds."""
        now_us = int(time.time() * 1e6)
        pipe = self.client.pipeline(transaction=False)
        self.owed += seconds * self.count / self.seconds_a_turn
        while self.owed >= 1:
            self.turn(pipe, self.next_number, now_us)
            self.next_number = (self.next_number + 1) % self.count
            self.owed -= 1
        pipe.execute()

    def run(self, pause_s=0.1):
        """Until somebody ends it."""
        before = time.monotonic()
        while True:
            time.sleep(pause_s)
            now = time.monotonic()
            self.step(now - before)
            before = now


def main():
    """From a shell: feeds the Redis at a socket until it is killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", required=True, help="the Unix socket of Redis")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seconds-a-turn", type=float, default=5.0)
    parser.add_argument("--live", type=int, help="so many of them go on; the rest stand")
    options = parser.parse_args()
    client = redis.Redis(unix_socket_path=options.socket)
    feeder = Feeder(client, options.count, seconds_a_turn=options.seconds_a_turn)
    feeder.open_all()
    print("ready", flush=True)
    if options.live is not None:
        feeder.count = options.live
    feeder.run()


if __name__ == "__main__":
    main()
