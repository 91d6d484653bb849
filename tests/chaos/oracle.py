"""Judges a run of a fleet under faults. Pure: evidence in, a verdict out; it starts nothing.

Three sources that know nothing of each other must agree: the simulator's ledger (what was
truly asked and answered), a dump of Redis (what the fleet says it did), and the rig's own list
(what was asked for, who was killed when, what a reader saw live). The invariants:

I1   every turn asked for is in the transcript
I2   none is there twice, and none is of a worker that had lost its lease
I3   the numbers have no gap, the seats take turns
I4   each text is one whole answer, made for exactly the history that stands before it
I5   each turn has its event, once, in order
I6   nothing is pending, unread, due, held or dead at the end, nothing was trimmed that was needed
I7   what a reader saw live is what stands there, but across a rewind that was declared
I8   no process ended but by us
I9   each call that came to nothing was in the hands of somebody who was killed, stopped or cut
     off, and stands in K:calls
I10  the fleet is idle within its budget, and takes a dead worker's turns over in time

A conversation of the rig has two seats, so that a prompt is its history line for line.
"""
import dataclasses
import hashlib
import json
import re

CALL = re.compile(r"(?P<conversation>[^:]+):(?P<turn>\d+)/(?P<issue>\d+)\.(?P<delivery>\d+)"
                  r"-(?P<letters>[0-9a-z]{4})")
SLACK_US = 500_000  # between a whole answer and its commit on a busy machine
OUTCOMES_OF_WASTE = {"failed", "cancelled", "lost"}


@dataclasses.dataclass
class Trouble:
    """What the rig did: from and until when (µs), to whom. A kill has no length."""
    kind: str  # kill, stop, redis, cut, fault
    start_us: int
    end_us: int
    name: str = ""
    seat: int = 0  # of a worker; else 0
    letters: str = ""  # its calls' ids have these of its nonce; "": not known


@dataclasses.dataclass
class Rules:
    """What this run is held to."""
    lease_ms: int = 1000
    idle_budget_s: float = 15.0
    calls_are_whole: bool = True  # K:calls lost nothing: Redis was not taken back
    recovery_limit_ms: int = None  # p99 from a death to the turn's next call; None: not judged
    needs_lost: bool = False  # each wasted call must stand in K:calls


@dataclasses.dataclass
class Evidence:
    """All that is known of a run; by hand in the oracle's own tests."""
    asked: dict = dataclasses.field(default_factory=dict)  # conversation -> turns
    talks: dict = dataclasses.field(default_factory=dict)  # conversation -> its hash
    transcripts: dict = dataclasses.field(default_factory=dict)  # -> [(entry, fields)]
    events: list = dataclasses.field(default_factory=list)  # (entry, fields), as the next two
    calls: list = dataclasses.field(default_factory=list)
    dead: list = dataclasses.field(default_factory=list)
    left: list = dataclasses.field(default_factory=list)  # what should not be there, in words
    ledger: list = dataclasses.field(default_factory=list)  # its lines
    seen: dict = dataclasses.field(default_factory=dict)  # -> [(entry, turn, at_us)]
    troubles: list = dataclasses.field(default_factory=list)
    rewinds: list = dataclasses.field(default_factory=list)  # µs of declared ones
    refused: list = dataclasses.field(default_factory=list)  # commands nobody took, in words
    deaths: list = dataclasses.field(default_factory=list)  # not by us, in words
    idle_s: float = 0.0  # from the last turn to nothing left; None: never


@dataclasses.dataclass
class Verdict:
    violations: list = dataclasses.field(default_factory=list)  # (invariant, words)
    figures: dict = dataclasses.field(default_factory=dict)

    def add(self, invariant, words):
        self.violations.append((invariant, words))

    def broken(self):
        return sorted({invariant for invariant, _ in self.violations})

    def lines(self, most=20):
        told = [f"{invariant}: {words}" for invariant, words in self.violations[:most]]
        more = len(self.violations) - most
        return told + ([f"... and {more} more"] if more > 0 else [])


def percentile(values, part):
    """The value below which that part of them lies (nearest rank); None of none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))] if ranked else None


# ---- what a line of the ledger says ----

class Call:
    """A line of the ledger that was asked for a turn."""

    def __init__(self, line):
        found = CALL.match(line["id"] or "")
        self.line = line
        self.id = line["id"]
        self.conversation = found["conversation"] if found else None
        self.turn = int(found["turn"]) if found else None
        self.order = (int(found["issue"]), int(found["delivery"])) if found else None
        self.letters = found["letters"] if found else None
        self.start_us, self.end_us = line["started_us"], line["ended_us"]

    def whole(self):
        return self.line["ended"] == "whole" and self.line["status"] == 200

    def __str__(self):
        return f"call {self.id} (seq {self.line['seq']}, {self.line['ended']})"


def calls_of(ledger):
    """(those for a turn, ids nobody understands)"""
    calls = [Call(line) for line in ledger if not line["load"]]
    return [one for one in calls if one.turn], [one for one in calls if not one.turn]


def prompt_lines(body):
    """What was said before, as the prompt has it; the scene's opening and stage directions are
    nobody's words."""
    lines = [(one["role"], one["content"]) for one in body["messages"] if one["role"] != "system"
             and not one["content"].startswith("(Stage direction: ")]
    if lines and lines[0][0] == "user" and lines[0][1].startswith("(The scene begins."):
        lines = lines[1:]
    return lines


def history_lines(turns, seat):
    """The turns as a prompt of that seat shows them."""
    return [("assistant", one["text"]) if one["seat"] == seat else
            ("user", f"{one['author']}: {one['text']}") for one in turns]


# ---- transcripts ----

def turns_in(transcript):
    """entry, turn, seat, author, text of each turn."""
    turns = []
    for entry, fields in transcript:
        if fields["kind"] == "turn":
            message = json.loads(fields["message"])
            turns.append({"entry": entry, "turn": int(fields["turn"]),
                          "seat": int(fields["seat"]), "author": message["metadata"]["author"],
                          "text": message["content"]["message"]})
    return turns


def check_numbers(verdict, name, turns, asked, talk):
    numbers = [one["turn"] for one in turns]
    there = set(numbers)
    missing = [turn for turn in range(1, asked + 1) if turn not in there]
    if missing:
        verdict.add("I1", f"{name}: {len(missing)} of {asked} turns are missing, from "
                          f"{missing[0]} on; its hash: {talk}")
    twice = sorted({turn for turn in numbers if numbers.count(turn) > 1}) \
        if len(there) < len(numbers) else []
    if twice:
        entries = [one["entry"] for one in turns if one["turn"] in twice]
        verdict.add("I2", f"{name}: turns {twice} stand there twice, entries {entries}")
    if numbers != sorted(numbers) or (there and there != set(range(1, max(there) + 1))):
        verdict.add("I3", f"{name}: the numbers are {numbers}")
    wrong = [one["turn"] for one in turns if one["seat"] != 1 + (one["turn"] - 1) % 2]
    if wrong:
        verdict.add("I3", f"{name}: turns {wrong} are of the wrong seat")


def source_of(turns, index, calls):
    """(the call whose whole answer for this history the turn is, why there is none)"""
    one = turns[index]
    digest = hashlib.sha256((one["text"] or "").encode()).hexdigest()
    same = [call for call in calls if call.whole() and call.line["reply_sha256"] == digest]
    if not same:
        return None, (f"{one['text']!r} is no whole answer to any of its "
                      f"{len(calls)} calls: {[str(call) for call in calls]}")
    before = history_lines(turns[:index], one["seat"])
    for call in sorted(same, key=lambda call: call.order, reverse=True):
        if prompt_lines(call.line["body"]) == before:
            return call, None
    asked = prompt_lines(same[0].line["body"])
    differs = next((i for i, (a, b) in enumerate(zip(asked, before)) if a != b),
                   min(len(asked), len(before)))
    return None, (f"{same[0]} was asked with another history: line {differs} of {len(asked)} "
                  f"is {asked[differs:differs + 1]}, the transcript has "
                  f"{before[differs:differs + 1]} of {len(before)}")


def check_texts(verdict, evidence, name, turns, by_turn):
    """The calls whose answers the turns are."""
    committed = set()
    for index, one in enumerate(turns):
        calls = by_turn.get((name, one["turn"]), [])
        call, why = source_of(turns, index, calls)
        if call is None:
            verdict.add("I4", f"{name}:{one['turn']} (entry {one['entry']}): {why}")
            continue
        committed.add(call.id)
        later = [other for other in calls if other.order > call.order]
        if later and not evidence.rewinds:
            verdict.add("I2", f"{name}:{one['turn']}: {call} was taken, though the turn had been "
                              f"given to {[str(other) for other in later]}")
    return committed


def check_events(verdict, evidence, turns_by_talk):
    told = {}
    for entry, fields in evidence.events:
        told.setdefault(fields["conversation"], []).append((entry, fields))
    for name, turns in turns_by_talk.items():
        events = [fields for _, fields in told.get(name, [])]
        progress = [(int(one["turn"]), one["transcript"]) for one in events
                    if one["event"] == "dialogue.progress" and one["turn"]]
        wanted = [(one["turn"], one["entry"]) for one in turns]
        if progress != wanted:
            odd = [pair for pair in progress if pair not in wanted][:3]
            lacking = [pair for pair in wanted if pair not in progress][:3]
            verdict.add("I5", f"{name}: {len(progress)} events for {len(wanted)} turns; "
                              f"without a turn: {odd}, without an event: {lacking}")
        for event in ("dialogue.open", "dialogue.initiate", "dialogue.resolve"):
            count = sum(1 for one in events if one["event"] == event)
            if count != 1:
                verdict.add("I5", f"{name}: {count} events {event}")


def check_seen(verdict, evidence):
    verdict.figures["taken_back"] = 0  # seen, and not there any more
    for name, seen in evidence.seen.items():
        there = [(entry, int(fields["turn"])) for entry, fields in evidence.transcripts[name]
                 if fields["kind"] == "turn"]
        kept = set(there)
        verdict.figures["taken_back"] += sum(
            1 for entry, turn in {pair[:2] for pair in seen} if (entry, turn) not in kept)
        last_rewind = max(evidence.rewinds, default=0)
        live = [(entry, turn) for entry, turn, at_us in seen if at_us > last_rewind]
        first = there.index(live[0]) if live and live[0] in there else 0
        if live != there[first:first + len(live)] or (not evidence.rewinds and first != 0):
            odd = [pair for pair in live if pair not in there][:3]
            verdict.add("I7", f"{name}: a reader saw {len(live)} turns that are not the "
                              f"transcript's; {odd} are not there")


def check_told(verdict, evidence):
    """What the fleet says befell it must have befallen it."""
    for entry, fields in evidence.events:
        words = f"{fields['event']} at {entry}, and nobody had done that: {fields}"
        if fields["event"] in ("message.trimmed", "history.lost"):
            verdict.add("I6", words)
        elif fields["event"] == "history.rewound" and not evidence.rewinds:
            verdict.add("I7", words)


# ---- calls that came to nothing ----

def was_hit(call, trouble, lease_us):
    """Whether the trouble may be why the call came to nothing."""
    is_worker = trouble.kind in ("kill", "stop") or bool(trouble.letters)
    if trouble.letters and trouble.letters != call.letters:
        return False
    if trouble.kind == "kill" and trouble.letters:  # a busy server may read it after the death
        return call.end_us >= trouble.start_us - SLACK_US
    if is_worker and trouble.seat != 1 + (call.turn - 1) % 2:
        return False
    is_brief = trouble.kind in ("kill", "stop") or trouble.kind == "fault" and not is_worker
    after_us = SLACK_US if is_brief else lease_us + SLACK_US
    return call.start_us <= trouble.end_us + after_us \
        and call.end_us >= trouble.start_us - SLACK_US


def reason_of(call, evidence, rules):
    """Why a call came to nothing: the trouble it met, None if it met none."""
    hits = [one for one in evidence.troubles if was_hit(call, one, rules.lease_ms * 1000)]
    if hits:  # the one that names its process before one that may be any of its lane's
        return max(hits, key=lambda one: bool(one.letters))
    if call.line["ended"] == "fault" or call.line["fault"]:
        return Trouble("fault", call.start_us, call.end_us)
    if any(call.end_us <= at_us + SLACK_US for at_us in evidence.rewinds):
        return Trouble("rewind", call.start_us, call.end_us)
    return None


def check_waste(verdict, evidence, rules, calls, committed):
    """The wasted calls, each with its reason."""
    recorded = {}
    for _, fields in evidence.calls:
        recorded.setdefault(fields["call"], set()).add(fields["outcome"])
    wasted = [(call, reason_of(call, evidence, rules)) for call in calls
              if call.id not in committed]
    missing = []
    for call, reason in wasted:
        if reason is None:
            verdict.add("I9", f"{call} came to nothing, and nobody had touched it; "
                              f"K:calls: {sorted(recorded.get(call.id, ()))}")
        if not recorded.get(call.id, set()) & OUTCOMES_OF_WASTE:
            missing.append(call)
    if rules.needs_lost and rules.calls_are_whole:
        for call in missing:
            verdict.add("I9", f"{call} came to nothing and is not in K:calls as such: "
                              f"{sorted(recorded.get(call.id, ()))}")
    verdict.figures["wasted"] = len(wasted)
    verdict.figures["wasted_not_in_calls"] = len(missing)
    verdict.figures["lost"] = sum(1 for outcomes in recorded.values() if "lost" in outcomes)
    verdict.figures["taken_not_in_calls"] = len(committed - set(recorded))
    return wasted


def had_a_free_slot(evidence, death, until_us):
    """Whether those who could take the turn over were let live meanwhile."""
    return not any(one.kind in ("kill", "stop") and one.seat == death.seat
                   and death.start_us < one.start_us < until_us for one in evidence.troubles)


def check_recovery(verdict, evidence, rules, by_turn, wasted):
    """How long a dead worker's turns waited for their next call. Those that two have not
    survived are apart: they wait for a worker that has nothing else in hand. So are those
    whose next worker was hit as well before it made the call."""
    waits_ms, alone_ms, hit_ms = [], [], []
    for call, reason in wasted:
        if reason and reason.kind == "kill":
            after = [other for other in by_turn[call.conversation, call.turn]
                     if other.start_us > max(reason.start_us, call.start_us)]
            if after:
                following = min(after, key=lambda other: other.start_us)
                waits = alone_ms if following.order[1] > 2 else waits_ms if \
                    had_a_free_slot(evidence, reason, following.start_us) else hit_ms
                waits.append((following.start_us - reason.start_us) / 1000)
    for name, waits in (("recovery", waits_ms), ("recovery_alone", alone_ms),
                        ("recovery_hit_again", hit_ms)):
        for key, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
            value = percentile(waits, part)
            verdict.figures[f"{name}_{key}_ms"] = None if value is None else round(value, 1)
    verdict.figures["recoveries"] = len(waits_ms)
    verdict.figures["recoveries_hit_again"] = len(hit_ms)
    p99 = percentile(waits_ms, 0.99)
    if rules.recovery_limit_ms and p99 is not None and p99 >= rules.recovery_limit_ms:
        verdict.add("I10", f"from a worker's death to its turn's next call: p99 {p99:.0f} ms of "
                           f"{len(waits_ms)}, the limit is {rules.recovery_limit_ms} ms")


# ---- all of it ----

def judge(evidence, rules=Rules()):
    """A Verdict: what is broken, with the evidence, and the figures."""
    verdict = Verdict()
    calls, strange = calls_of(evidence.ledger)
    for call in strange:
        verdict.add("I9", f"{call} was asked for no turn")
    by_turn = {}
    for call in calls:
        by_turn.setdefault((call.conversation, call.turn), []).append(call)
    turns_by_talk, committed = {}, set()
    for name, asked in evidence.asked.items():
        turns = turns_in(evidence.transcripts.get(name, []))
        turns_by_talk[name] = turns
        check_numbers(verdict, name, turns, asked, evidence.talks.get(name))
        committed |= check_texts(verdict, evidence, name, turns, by_turn)
    check_events(verdict, evidence, turns_by_talk)
    check_seen(verdict, evidence)
    check_told(verdict, evidence)
    for words in evidence.refused:
        verdict.add("I1", words)
    for words in evidence.left + [f"in K:dead: {fields}" for _, fields in evidence.dead]:
        verdict.add("I6", words)
    for words in evidence.deaths:
        verdict.add("I8", words)
    wasted = check_waste(verdict, evidence, rules, calls, committed)
    check_recovery(verdict, evidence, rules, by_turn, wasted)
    if evidence.idle_s is None or evidence.idle_s > rules.idle_budget_s:
        verdict.add("I10", f"idle after {evidence.idle_s} s, the budget is {rules.idle_budget_s} s")
    verdict.figures["turns"] = sum(len(turns) for turns in turns_by_talk.values())
    verdict.figures["calls"] = len(calls)
    return verdict
