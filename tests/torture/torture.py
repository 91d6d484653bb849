"""Fails the 1st, the 2nd, ... allocation and system call of each program, one at a time.

    make torture              up to 400 of each kind and program, in ten minutes
    make torture FULL=1       every single one
    make torture VARIANT=asan the same under AddressSanitizer and LeakSanitizer
    tests/torture/torture.py --budget 40 --only worker --kind alloc,short --json FILE

Each program does a short piece of work with shim.so before its calls: first to count them,
then once for each call that is to fail. It may carry on or end with a status that is
documented; it may not crash, hang, or leave anything behind that keeps a fresh process from
finishing the work: a conversation then has each of its turns once, in order. Exit status 1
when that was not so. Each program gets an equal part of the time, and within it each kind of call its
turn, those of a kind in the order of a shuffle: what the time does not suffice for is left out
everywhere alike, and told. PARLEY_BUILD chooses the build; of build/asan it asks that no
sanitizer speaks, and whoever ends by himself is searched for leaks.
"""
import argparse
import collections
import concurrent.futures
import itertools
import json
import os
import random
import struct
import sys
import time

import stages

from helpers import BUILD, IS_ASAN, ROOT

# As shim.c has them.
KINDS = ("alloc", "hard", "intr", "again", "short")
PAGE = struct.Struct("@3Q5QQ32s")
EXHAUSTED = 71
STATUSES = {0, 1, 2, 3, 4, EXHAUSTED, 143}
DEAF = "deaf"
SHORT_TOTAL = 40
LIMIT_S = 600
LEAST = len(KINDS)  # so many a thread, however little time there is
LEAK = "LeakSanitizer"
FEW = 10  # so few are spread over all calls
FIRST_SHARE = 0.75  # of a budget: the first calls; the rest is spread over what follows

Try = collections.namedtuple("Try", "program kind at call status trouble seconds")


def shim():
    path = ROOT / "build/torture/shim.so"
    if not path.exists():
        sys.exit(f"{path} is missing: make torture builds it")
    return path


class Page:
    """What is shared with the shim: which call fails; how many there were."""

    def __init__(self, path, kind=None, at=0):
        self.path = path
        number = KINDS.index(kind) if kind else len(KINDS)
        with open(path, "wb") as file:
            file.write(PAGE.pack(0, number, at, *[0] * len(KINDS), 0, b"").ljust(4096, b"\0"))

    def read(self):
        """({kind: calls made}, the name of the call that was failed or "")"""
        with open(self.path, "rb") as file:
            fields = PAGE.unpack(file.read(PAGE.size))
        made = dict(zip(KINDS, fields[3:8]))
        return made, fields[9].split(b"\0")[0].decode() if fields[8] else ""

    def environment(self):
        env = {"LD_PRELOAD": str(shim()), "TORTURE_PAGE": self.path}
        if IS_ASAN:
            # The shim stands before ASan's runtime, which else refuses to begin.
            env["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=1:exitcode=99"
        return env


def points(count, budget):
    """Which of so many calls are failed: all, or the first ones and some of the others."""
    if budget is None or count <= budget:
        return list(range(1, count + 1))
    if budget < FEW:
        return [1 + int(count * (i + 0.5) / budget) for i in range(budget)]
    first = max(1, int(budget * FIRST_SHARE))
    step = (count - first) / max(1, budget - first)
    return [*range(1, first + 1), *(first + int(step * i) for i in range(1, budget - first + 1))]


def in_turns(counts, kinds, budget):
    """[(kind, at)]: the kinds by turns, the calls of each shuffled, always the same way."""
    columns = []
    for kind in kinds:
        ats = points(counts[kind], budget)
        random.Random(kind).shuffle(ats)
        columns.append([(kind, at) for at in ats])
    return [one for row in itertools.zip_longest(*columns) for one in row if one]


def judge(stage, page):
    """One short piece of work with this page: (call, status, what was wrong or "")."""
    try:
        status = stage.work(page.environment())
    except stages.Wrong as wrong:
        # libev keeps to itself that the kernel did not take its own wake-up into epoll: such
        # a process does its work, and hears no signal but SIGKILL.
        if wrong.deaf and page.read()[1] == "epoll_ctl":
            return "epoll_ctl", DEAF, stage.reports()
        status, trouble = wrong.status, str(wrong)
    else:
        trouble = "" if status in STATUSES else f"ended with {status}"
    return page.read()[1], status, trouble or stage.reports()


class Campaign:
    """The stages are made once a thread and program, as that is what takes the time."""

    def __init__(self, options):
        self.options, self.pages = options, itertools.count()
        self.tries, self.counts, self.left_out = [], {}, {}
        self.deadline = None if options.limit is None else time.monotonic() + options.limit

    def one(self, stage, kind, at):
        begin = time.monotonic()
        page = Page(stage.box.path(f"page-{next(self.pages)}"), kind, at)
        call, status, trouble = judge(stage, page)
        os.unlink(page.path)
        return Try(stage.name, kind, at, call, status, trouble, time.monotonic() - begin)

    def count(self, name):
        with stages.open_stage(name) as stage:
            page = Page(stage.box.path("page-count"))
            _, status, trouble = judge(stage, page)
            if trouble:
                sys.exit(f"torture: {name} does not even work untouched: {status} {trouble}")
            self.counts[name] = page.read()[0]

    def part(self, name, todo, deadline):
        """A thread's share: one stage, one try after the other."""
        done = []
        with stages.open_stage(name) as stage:
            for kind, at in todo:
                if deadline and time.monotonic() > deadline and len(done) >= LEAST:
                    break
                done.append(self.one(stage, kind, at))
                if done[-1].trouble:
                    print(f"torture: {done[-1]}", file=sys.stderr, flush=True)
                    stage.renew()
        return done

    def program(self, name, deadline):
        self.count(name)
        todo = in_turns(self.counts[name], self.options.kind, self.budget())
        shares = [todo[i::self.options.jobs] for i in range(self.options.jobs)]
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            done = [one for part in pool.map(lambda share: self.part(name, share, deadline),
                                             [share for share in shares if share])
                    for one in part]
        self.left_out[name] = len(todo) - len(done)
        self.tries += done

    def run(self):
        """What a program does not need of its part of the time goes to those after it."""
        for i, name in enumerate(self.options.only):
            now = time.monotonic()
            self.program(name, self.deadline
                         and now + (self.deadline - now) / (len(self.options.only) - i))

    def budget(self):
        if self.options.full:
            return None
        if self.options.short:
            return max(1, SHORT_TOTAL // (len(self.options.only) * len(self.options.kind)))
        return self.options.budget


def table(campaign):
    """Lines for people: what was there, what was failed, how it ended."""
    lines = [f"{'program':13} {'kind':6} {'calls':>7} {'failed':>7} {'carried on':>11}"
             f" {'ended':>6} {'wrong':>6}"]
    for name, kind in itertools.product(campaign.options.only, campaign.options.kind):
        tries = [t for t in campaign.tries if (t.program, t.kind) == (name, kind) and t.call]
        on = sum(t.status in (0, 143) for t in tries)
        wrong = sum(t.trouble != "" for t in tries)
        lines.append(f"{name:13} {kind:6} {campaign.counts[name][kind]:7} {len(tries):7} {on:11}"
                     f" {len(tries) - on:6} {wrong:6}")
    return lines


def was_searched(one):
    """Out of memory a process ends at once, by a signal too: what it had is gone with it."""
    return isinstance(one.status, int) and one.status >= 0 and one.status != EXHAUSTED


def figures(campaign, seconds):
    hit = [t for t in campaign.tries if t.call]
    bad = [t for t in campaign.tries if t.trouble]
    return {"what": "torture", "seed": None, "seconds": round(seconds, 1), "build": BUILD.name,
            "allocations_failed": sum(t.kind == "alloc" for t in hit),
            "system_calls_failed": sum(t.kind != "alloc" for t in hit),
            "not_reached": len(campaign.tries) - len(hit),
            "left_out": sum(campaign.left_out.values()),
            "carried_on": sum(t.status in (0, 143) for t in hit),
            "deaf": sum(t.status == DEAF for t in hit),
            "crashes": sum(isinstance(t.status, int) and t.status < 0 for t in bad),
            "searched_for_leaks": sum(was_searched(t) for t in hit) if IS_ASAN else None,
            "leaks": sum(LEAK in t.trouble for t in bad) if IS_ASAN else None,
            "programs": campaign.counts, "violations": [t._asdict() for t in bad]}


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--short", action="store_true", help=f"about {SHORT_TOTAL} in all")
    parser.add_argument("--budget", type=int, default=400, help="of each kind and program")
    parser.add_argument("--only", default=",".join(stages.STAGES))
    parser.add_argument("--kind", default=",".join(KINDS))
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--limit", type=float, help="seconds; what is not done then is left out"
                        f" ({LIMIT_S}, none with --full and --short)")
    parser.add_argument("--json")
    options = parser.parse_args()
    options.only, options.kind = options.only.split(","), options.kind.split(",")
    if options.limit is None and not options.full and not options.short:
        options.limit = LIMIT_S
    return options


def main():
    begin = time.monotonic()
    campaign = Campaign(read_options())
    campaign.run()
    print("\n".join(table(campaign)))
    seen = figures(campaign, time.monotonic() - begin)
    print(f"torture: {seen['allocations_failed']} allocations and {seen['system_calls_failed']}"
          f" system calls failed one by one in {seen['seconds']:.0f} s,"
          f" {len(seen['violations'])} of them ended badly; {seen['left_out']} were left out")
    if IS_ASAN:
        print(f"torture: {seen['searched_for_leaks']} processes searched for leaks,"
              f" {seen['leaks']} with any")
    if campaign.options.json:
        with open(campaign.options.json, "w", encoding="utf-8") as file:
            json.dump(seen, file, indent=1)
    sys.exit(1 if seen["violations"] or not campaign.tries else 0)


if __name__ == "__main__":
    main()
