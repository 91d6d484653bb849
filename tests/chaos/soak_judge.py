"""Judges conversations of a long run while it goes on, and has Redis forget them.

A long run cannot be judged at its end alone: neither Redis nor a judge would want to hold all of
it. What is over is judged by itself: its transcript, its events and calls (read once, as they
come), its lines of the ledger and what a reader saw of it.
"""
import collections
import json
import pathlib
import pickle
import shutil

import oracle
from fleet import K, now_us

SETTLE_US = 15_000_000  # a zombie's call may end that long after its conversation


class Judge:
    """Has the oracle judge conversations once they ended, then removes them."""

    def __init__(self, fleet, rules, folder):
        self.fleet, self.rules, self.folder = fleet, rules, folder
        self.cursors = {"events": "-", "calls": "-"}
        self.told = {"events": collections.defaultdict(list),
                     "calls": collections.defaultdict(list)}
        self.ledger = collections.defaultdict(list)
        self.ledger_at = 0
        self.violations, self.figures = [], collections.Counter()
        self.worst_ms = 0
        self.conversations = 0

    def read_ledger(self):
        with open(self.fleet.ledger, "rb") as file:
            file.seek(self.ledger_at)
            data = file.read()
        whole = data[:data.rfind(b"\n") + 1]
        self.ledger_at += len(whole)
        for text in whole.splitlines():
            line = json.loads(text)
            self.ledger[(line["id"] or "").split(":")[0]].append(line)

    def read_stream(self, name):
        while True:
            found = self.fleet.db.xrange(K + name, self.cursors[name], count=5000)
            for entry, fields in found:
                self.told[name][fields["conversation"]].append((entry, fields))
            if not found:
                return
            self.cursors[name] = "(" + found[-1][0]

    def over(self, settle_us):
        """Those that ended long enough ago for their last calls to have ended too."""
        limit_us = now_us() - settle_us
        return [one for one, talk in self.fleet.hashes().items()
                if talk.get("state") == "ended" and int(talk["ended_at"]) < limit_us]

    def evidence_of(self, ids):
        fleet, seen = self.fleet, self.fleet.watcher.seen()
        hashes = fleet.hashes()
        return oracle.Evidence(
            asked={one: fleet.asked[one] for one in ids}, talks={one: hashes[one] for one in ids},
            transcripts={one: fleet.db.xrange(f"{K}transcript:{one}") for one in ids},
            events=[pair for one in ids for pair in self.told["events"].pop(one, [])],
            calls=[pair for one in ids for pair in self.told["calls"].pop(one, [])],
            ledger=[line for one in ids for line in self.ledger.pop(one, [])],
            seen={one: seen[one] for one in ids}, troubles=list(fleet.troubles))

    def judge(self, settle_us=SETTLE_US):
        """How many were judged and removed."""
        ids = self.over(settle_us)
        if not ids:
            return 0
        for name in self.cursors:
            self.read_stream(name)
        self.read_ledger()
        evidence = self.evidence_of(ids)
        verdict = oracle.judge(evidence, self.rules)
        if verdict.violations:
            self.keep(evidence)
        self.violations += verdict.lines()
        for name in ("turns", "calls", "wasted", "wasted_not_in_calls", "lost", "recoveries"):
            self.figures[name] += verdict.figures[name]
        self.worst_ms = max(self.worst_ms, verdict.figures["recovery_max_ms"] or 0)
        self.conversations += len(ids)
        self.remove(ids)
        return len(ids)

    def keep(self, evidence):
        """Of a batch in which something was found; the fleet's logs go on meanwhile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / f"evidence-{self.conversations}.pickle", "wb") as file:
            pickle.dump(evidence, file)
        for path in pathlib.Path(self.fleet.box.folder).glob("*.err"):
            shutil.copy(path, self.folder)

    def remove(self, ids):
        """As docs/protocol.md allows: the hash first."""
        for one in ids:
            self.fleet.db.delete(f"{K}conversation:{one}")
            self.fleet.db.delete(*(f"{K}{kind}:{one}"
                                   for kind in ("cast", "transcript", "live", "asked")))
            self.fleet.db.zrem(K + "conversations", one)
            del self.fleet.asked[one]
            self.fleet.watcher.forget(one)
        oldest_us = now_us() - 300_000_000
        self.fleet.troubles[:] = [one for one in self.fleet.troubles if one.end_us > oldest_us]
