"""Samples of a fleet's processes and of what Redis stores, and whether any of it grows."""
import contextlib
import time

import samples
from fleet import GONE_ERRORS, K


class Growth:
    """Samples of the subjects, and of what Redis stores."""

    def __init__(self, fleet, subjects):
        self.fleet, self.begin_s = fleet, time.monotonic()
        self.of = {name: [] for name in subjects}
        self.stored = []  # (at_s, and what look_at_redis says)

    def take(self):
        at_s = time.monotonic() - self.begin_s
        for name in self.of:
            found = samples.look_at(self.fleet.post(name).process.pid, at_s)
            if found:
                self.of[name].append(found)
        with contextlib.suppress(*GONE_ERRORS):
            self.stored.append((at_s, *self.look_at_redis()))

    def look_at_redis(self):
        """The two streams that keep an hour by design are told apart from the rest."""
        db = self.fleet.db
        kept = sum(db.memory_usage(K + name) or 0 for name in ("events", "calls"))
        used = db.info("memory")["used_memory"]
        streams = [f"{K}{kind}:{lane}" for kind in ("request", "response") for lane in (1, 2)]
        consumers = sum(info["consumers"] for key in streams for info in db.xinfo_groups(key))
        return used - kept, kept, db.dbsize(), consumers, db.zcard(K + "members")

    def figures(self, warm_s):
        later = [one for one in self.stored if one[0] >= warm_s]
        memory = samples.trend([(one[0], one[1] / 1048576) for one in later])
        names = ("memory_bytes", "events_and_calls_bytes", "keys", "consumers", "members")
        columns = dict(zip(names, list(zip(*later))[1:]))
        return {"processes": {name: samples.summary(taken, warm_s)
                              for name, taken in self.of.items()},
                "stored": {**{name: samples.spread(values) for name, values in columns.items()},
                           "memory_mb_per_hour": round(memory.per_hour, 3) if memory else None,
                           "memory_error_mb_per_hour": round(memory.error, 3) if memory else None}}

    def violations(self, figures, warm_s, options):
        bad = []
        for name, of_one in figures["processes"].items():
            slope, error = of_one["memory_mb_per_hour"], of_one["memory_error_mb_per_hour"]
            if name == "redis-server" or slope is None:
                continue
            if slope - 2 * error > options.slope:
                bad.append(f"growth: {name}: {slope} MB/h, error {error}")
            taken = [one.descriptors for one in self.of[name] if one.at_s >= warm_s]
            half = len(taken) // 2
            if half and max(taken[half:]) > max(taken[:half]) + options.descriptors:
                bad.append(f"growth: {name}: {max(taken[half:])} descriptors, "
                           f"{max(taken[:half])} in the first half")
        return bad
