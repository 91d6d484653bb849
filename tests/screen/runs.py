"""Recorded runs for the screens' tests, made of nothing: the same bytes each time.

    python3 tests/screen/runs.py FOLDER     writes small/ and many/ there, for a look

`small` is one conversation in which much happens: emoji, CJK and combining marks, a call that
fails and is made again, a pause, a reply that was cut, a turn that failed. `many` has sixty
conversations in every state.
"""
import datetime
import json
import pathlib
import random
import sys

START = datetime.datetime(2026, 1, 31, 10, 30, tzinfo=datetime.timezone.utc)
LETTERS = "0123456789abcdefghijklmnopqrstuv"


def stamp(seconds):
    """RFC 3339, so many seconds behind the run's start."""
    at = START + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def write_lines(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


class Talk:
    """One conversation's lines, as a run's folder has them; times are seconds."""

    def __init__(self, run, name):
        self.run, self.name, self.number, self.tokens = run, name, 0, 0

    def message(self, kind, at, number, content, seat=None, author=None, **known):
        names = ("tokens_generated generation_time_ms prompt_tokens time_to_first_token_ms "
                 "tokens_per_second queue_wait_ms endpoint_wait_ms routing_ms attempts issue "
                 "provider endpoint model finish_reason").split()
        metadata = {"conversation_id": self.name,
                    "sequence_number": number if kind == "turn" else None,
                    "seat": seat, "author": author, **{name: known.pop(name, None) for name in names},
                    **known}
        tail = number if kind == "turn" else f"{kind}:{number}"
        self.run.said.append((at, {
            "schema_version": "1.0", "kind": kind, "queue_timestamp": stamp(at),
            "message_id": f"{self.name}:{tail}",
            "role": "assistant" if kind == "turn" else "system", "to": None, "content": content,
            "metadata": metadata}))

    def begin(self, at, setting, situation, personas):
        """The story, then the personas: (name, role, goal)."""
        self.personas = personas
        self.event("dialogue.open", at - 1, "preparing")
        self.message("story", at, 1, {
            "type": "story", "setting": setting,
            "characters": [{"name": name, "description": role} for name, role, _ in personas],
            "initial_situation": situation}, provider="simulator")
        for seat, (name, role, goal) in enumerate(personas, 1):
            self.message("persona", at, seat, {
                "type": "persona", "name": name, "role": role, "traits": ["patient", "curious"],
                "goal": goal, "style": "Short sentences."}, seat, name, provider="simulator",
                model=f"model-{seat}")
        self.event("dialogue.initiate", at, "running")

    def turn(self, begin, end, text, first=0.3, tokens=None, failed=False, **more):
        self.number += 1
        seat = (self.number - 1) % len(self.personas) + 1
        author = self.personas[seat - 1][0]
        tokens = len(text.split()) + 3 if tokens is None else tokens
        self.tokens += tokens
        known = {"tokens_generated": tokens, "generation_time_ms": round((end - begin) * 1e3, 3),
                 "prompt_tokens": 300 + 40 * self.number, "time_to_first_token_ms": first * 1e3,
                 "tokens_per_second": round(tokens / (end - begin - first), 2),
                 "queue_wait_ms": 0.2, "endpoint_wait_ms": 0.3, "routing_ms": 0.1, "attempts": 1,
                 "issue": 1, "provider": "simulator", "endpoint": "local", "model": f"model-{seat}",
                 "finish_reason": "stop", **more}
        if failed:
            known = {"attempts": 3, "issue": 3, "provider": None, "failed": True}
        else:
            self.call(begin, end, "done", seat, first, tokens)
        self.message("turn", end, self.number, {"type": "conversation", "message": text,
                                                "sentiment": None, "references": []},
                     seat, author, **known)
        self.event("dialogue.progress", end, "running", self.number)

    def call(self, begin, end, outcome, seat, first=None, tokens=None, error=None):
        """A call for the turn that `number` says, or for the one behind it where it failed."""
        turn = self.number + (outcome != "done")
        self.run.calls.append((end, {
            "conversation": self.name, "turn": turn, "issue": 1, "delivery": 1,
            "call": f"{self.name}:{turn}/1.1-{len(self.run.calls)}", "seat": seat,
            "endpoint": "local", "provider": "simulator", "model": f"model-{seat}",
            "started_at": stamp(begin), "ended_at": stamp(end),
            "duration_ms": round((end - begin) * 1e3, 3),
            "time_to_first_token_ms": first and first * 1e3, "tokens_generated": tokens,
            "prompt_tokens": 300, "outcome": outcome, "error": error,
            "worker": f"worker-{seat}-1"}))

    def event(self, name, at, state, turn=None, reason=None):
        self.run.events.append((at, {
            "id": f"{self.name}:{turn or name}", "event": name, "conversation": self.name,
            "at": stamp(at), "turn": turn, "transcript": None, "state": state, "reason": reason,
            "summary": None}))

    def end(self, at, reason):
        self.event("dialogue.resolve", at, "ended", self.number, reason)


class Run:
    """A run's folder in the making."""

    def __init__(self, turns="8", duration="10m"):
        self.said, self.calls, self.events = [], [], []
        self.config = {"conversation.max_turns": turns, "conversation.duration_seconds": duration,
                       "model.num_ctx": "8192"}

    def talk(self, name):
        return Talk(self, name)

    def write(self, folder):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in (("transcript", self.said), ("calls", self.calls),
                           ("events", self.events)):
            rows = [row for _, row in sorted(rows, key=lambda one: one[0])]
            write_lines(folder / f"{name}.jsonl", rows)
        (folder / "run.json").write_text(json.dumps({"schema_version": "1.0", "run_id": "test",
                                                     "config": self.config}), encoding="utf-8")
        return folder


SMALL = "k3v9q2m4x7ab"


def small(folder):
    """One conversation of eight turns in 40 seconds."""
    run = Run()
    talk = run.talk(SMALL)
    talk.begin(0, "A lighthouse whose lamp went out an hour ago. The stairs are wet, and somebody "
                  "has left a suitcase on the third landing.",
               "The keeper and the guest must decide whether to open it before the ferry comes.",
               [("Ada Quill", "keeper of the lamp", "Keep the suitcase shut until morning."),
                ("林 美咲", "guest from the ferry", "Find out what is inside, gently.")])
    talk.turn(0.5, 3, "Nobody touches the suitcase. I have counted the stairs twice, and the third "
                      "landing was empty when I went up to see to the lamp.")
    talk.call(3.2, 4.5, "failed", 2, error="status")
    talk.turn(5, 9, "手提箱はまだ温かいです。It is still warm 🧳, as if somebody had carried it "
                    "close to the fire. 開けてもいいですか？", attempts=2)
    talk.turn(9.5, 12, "Warm? 👩‍🚀 Then it is older than us both 👨‍👩‍👧‍👦. "
                       "Cafe\u0301, re\u0301sume\u0301, 🇩🇪🇯🇵: that is what the label says.")
    talk.event("dialogue.pause", 13, "paused")
    talk.event("dialogue.resume", 15, "running")
    talk.turn(15.5, 19, "The label says more than that. Look: a date, a name, and a drawing of this "
                        "very lamp.\n\nI think that the drawing was made by a child.",
              cleaned=["name_prefix"])
    talk.turn(19.5, 23, "Then let the child open it. " * 12)
    talk.turn(27, 30, "", failed=True)
    talk.turn(30.2, 34, "You are laughing. I can hear it in the stairs ❤️👍🏽.", first=1.5)
    talk.turn(34.2, 40, "I am not. That is the ferry’s horn, and it is early. Open it, then, and "
                        "let us be done before anybody climbs up here to ask.")
    talk.end(40, "turns")
    return run.write(folder)


def many(folder):
    """Sixty conversations within two minutes: preparing, running, paused, ended, failed."""
    run = Run(turns="6", duration="5m")
    dice = random.Random(5)
    names = ["Ada Quill", "Ben Okafor", "Chloé Dubois", "林 美咲", "Dov Tremblay", "Ελένη Pappas",
             "Farid 🦉 Nazari", "Greta Ohm"]
    for number in range(60):
        talk = run.talk("".join(dice.choice(LETTERS) for _ in range(12)))
        at = 1 + number * 0.9
        if number % 20 == 19:
            talk.event("dialogue.open", 118, "preparing")
            continue
        pair = dice.sample(names, 2)
        talk.begin(at, f"Room {number} of a hotel where no clock agrees with another.",
                   "They wait.", [(name, "guest", "Leave first.") for name in pair])
        for _ in range(2 + number % 5):
            begin = at + dice.uniform(0.2, 3)
            at = begin + dice.uniform(2, 9)
            if number % 7 == 3:
                talk.call(begin - 0.15, begin - 0.05, "failed", talk.number % 2 + 1, error="status")
            words = dice.randint(6, 30)
            talk.turn(begin, at, " ".join(dice.choice(["tick", "tock", "door", "rain", "key", "鐘"])
                                          for _ in range(words)), attempts=1 + (number % 7 == 3))
        if number % 5 == 4:
            talk.end(at, "turns")
        elif number % 13 == 6:
            talk.end(at + 1, "failed")
        elif number % 6 == 1:
            talk.event("dialogue.pause", at + 0.1, "paused")
    return run.write(folder)


if __name__ == "__main__":
    small(pathlib.Path(sys.argv[1]) / "small")
    many(pathlib.Path(sys.argv[1]) / "many")
