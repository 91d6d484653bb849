#!/usr/bin/python3
"""Half an hour of steady work with a fault a second: does anything grow, is anything lost?

Conversations are started at a steady pace (--rate turns a second in all) and a fault is done each
--every ms: a process killed, stopped or asked to end, all connections cut, Redis' scripts
forgotten, the model server misbehaving, seldom redis-server killed. Conversations that ended are
judged by the oracle and then removed, so that Redis holds those of the last minute only.

Some processes are never killed or stopped: a worker of each lane, a manager, an observer, the
simulator. Of these (and of Redis' own count of its memory) a sample is taken every 10 s. The trend
of their memory is a straight line through the samples after the warm-up; it is a violation if it
lies over --slope MB/h by more than two of its errors, or if there are more descriptors in the
second half than in the first by more than --descriptors. redis-server itself is killed now and
then: its process begins anew, what it stores does not.

    make soak MINUTES=30 SEED=1
"""
import argparse
import collections
import contextlib
import http.client
import json
import pathlib
import queue
import random
import signal
import sys
import threading
import time
import urllib.parse

import oracle
from fleet import BUILD, GONE_ERRORS, Post, chaos_fleet, story_file
from growth import Growth
from soak_judge import Judge

from helpers import ROOT

STARTED_AT_ONCE = 5
SAMPLE_S = 10
JUDGE_S = 20
SUBJECTS = ("worker-1-1", "worker-2-1", "manager-1", "observer", "simulator", "redis-server")
# How often each fault is drawn; a kill of redis-server is once in two minutes or so.
FAULTS = {"kill": 40, "term": 5, "stop": 15, "cut": 15, "flush": 14, "model": 10, "redis": 1}
MODEL_FAULTS = ({"kind": "cut", "after_tokens": 3, "count": 2},
                {"kind": "reset", "count": 2}, {"kind": "status", "status": 503, "count": 2},
                {"kind": "stall", "delay_ms": 1500, "count": 2}, {"kind": "slow", "count": 5},
                {"kind": "garbage", "how": "bytes", "count": 1}, {"kind": "close_idle", "count": 3})


def say(text):
    print(f"soak: {text}", file=sys.stderr, flush=True)


class Faults:
    """Does one fault at a time, by the fleet's dice; never to a subject."""

    def __init__(self, fleet):
        self.fleet, self.rng = fleet, fleet.rng
        self.done = collections.Counter()
        self.stopped = []  # (when to go on, post)
        self.ways = {"kill": fleet.kill, "term": lambda post: fleet.kill(post, signal.SIGTERM),
                     "stop": self.stop}  # of a process

    def one(self):
        """Of a process only where there is one that may be treated so just now."""
        kind, = self.rng.choices(list(FAULTS), FAULTS.values())
        victims = [post for post in self.fleet.alive() if post.name not in SUBJECTS]
        with contextlib.suppress(*GONE_ERRORS):
            if kind not in self.ways:
                getattr(self, kind)()
            elif victims:
                self.ways[kind](self.rng.choice(victims))
            else:
                return
            self.done[kind] += 1

    def stop(self, post):
        self.fleet.stop(post)
        lease_s = self.fleet.options["lease_ms"] / 1000
        self.stopped.append((time.monotonic() + self.rng.uniform(0.2, 3) * lease_s, post))

    def cut(self):
        self.fleet.cut_connections()

    def flush(self):
        self.fleet.db.script_flush()

    def redis(self):
        self.fleet.kill_redis()

    def model(self):
        with open(self.fleet.box.path("config.json"), encoding="utf-8") as file:
            url = json.load(file)["endpoints"]["ollama"]["url"]
        server = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=5)
        server.request("POST", "/_parley/faults", json.dumps([self.rng.choice(MODEL_FAULTS)]))
        assert server.getresponse().status == 200
        server.close()

    def go_on(self):
        """Continues who has stood still long enough."""
        due = [one for one in self.stopped if one[0] <= time.monotonic()]
        self.stopped = [one for one in self.stopped if one not in due]
        for _, post in due:
            self.fleet.cont(post)


class Client(threading.Thread):
    """Starts conversations at a steady pace, in a thread of its own: `parley start` may wait."""

    def __init__(self, fleet, rate, turns):
        super().__init__(daemon=True)
        self.fleet, self.turns, self.every_s = fleet, turns, STARTED_AT_ONCE * turns / rate
        self.words = ("start", "--conversations", STARTED_AT_ONCE, "--turns", turns,
                      "--duration", "none", "--story", story_file(fleet.box), "--max-issues", 100)
        self.closing = threading.Event()
        self.started = queue.SimpleQueue()
        self.refused = 0

    def run(self):
        next_s = time.monotonic()
        while not self.closing.wait(max(0, next_s - time.monotonic())):
            next_s += self.every_s
            done = self.fleet.box.parley(*self.words, limit_s=120)
            self.started.put(done.stdout.split())
            # No manager led just then, or Redis was not there: the command is void.
            self.refused += done.returncode != 0

    def adopt(self):
        """Books what was started; in the thread that judges."""
        while not self.started.empty():
            ids = self.started.get()
            self.fleet.asked.update({one: self.turns for one in ids})
            self.fleet.watcher.follow(ids)

    def stop(self):
        self.closing.set()
        self.join()
        self.adopt()


class Beat:
    """True once every so often."""

    def __init__(self, every_s):
        self.every_s, self.next_s = every_s, time.monotonic() + every_s

    def due(self):
        if time.monotonic() < self.next_s:
            return False
        self.next_s += self.every_s
        return True


def work(options, client, faults, judge, growth):
    """Until the time is over."""
    end_s = time.monotonic() + options.minutes * 60
    beats = {"fault": Beat(options.every / 1000), "sample": Beat(SAMPLE_S),
             "judge": Beat(JUDGE_S), "say": Beat(60)}
    while time.monotonic() < end_s:
        client.adopt()
        faults.go_on()
        if beats["fault"].due():
            faults.one()
        if beats["sample"].due():
            growth.take()
        with contextlib.suppress(*GONE_ERRORS):
            if beats["judge"].due():
                judge.judge()
        if beats["say"].due():
            say(f"{judge.figures['turns']} turns judged, {sum(faults.done.values())} faults, "
                f"{len(judge.violations)} violations")
        time.sleep(0.01)


def finish(fleet, judge):
    """All that is under way comes to its end; what the oracle says of the whole fleet."""
    limit_s = time.monotonic() + 120
    fleet.calm()
    while not fleet.all_ended() and time.monotonic() < limit_s:
        time.sleep(0.1)
    idle_s = fleet.wait_idle(30)
    fleet.watcher.stop()
    judge.judge(settle_us=0)
    judge.violations += [f"I1: {one} did not end" for one in fleet.asked]
    judge.violations += [f"I6: {words}" for words in fleet.left_over()]
    if idle_s is None:
        judge.violations.append("I10: not idle after 30 s")
    fleet.end_crew()
    judge.violations += [f"I8: {words}" for words in fleet.deaths]


def add_observer(fleet):
    fleet.add(Post("observer", ["sh", "-c", f"exec {BUILD}/parley-observer --mode json "
                                            "> /dev/null 2>> " + fleet.box.path("observer.log")]))


def soak(options):
    rng = random.Random(options.seed)
    pace = ("--first-token-ms", 400, "--tokens-per-second", 20, "--jitter", 0.5)
    begin = time.monotonic()
    with chaos_fleet(rng, workers=8, managers=2, concurrency=16, lease_ms=options.lease_ms,
                     aof_rewrite=100, simulator=pace) as fleet:
        add_observer(fleet)
        faults, growth = Faults(fleet), Growth(fleet, SUBJECTS)
        judge = Judge(fleet, oracle.Rules(lease_ms=options.lease_ms),
                      ROOT / f"build/chaos/soak-{options.seed}")
        client = Client(fleet, options.rate, options.turns)
        client.start()
        work(options, client, faults, judge, growth)
        client.stop()
        finish(fleet, judge)
    warm_s = options.warm_minutes * 60
    figures = growth.figures(warm_s)
    took = time.monotonic() - begin
    return {"what": "soak", "seed": options.seed, "seconds": round(took, 1),
            "minutes": options.minutes, "warm_minutes": options.warm_minutes,
            "build": BUILD.name,
            "conversations": judge.conversations, **judge.figures,
            "recovery_max_ms": judge.worst_ms, "starts_refused": client.refused,
            "turns_per_second": round(judge.figures["turns"] / (options.minutes * 60), 1),
            "faults": dict(faults.done), "faults_done": sum(faults.done.values()),
            "slope_limit_mb_per_hour": options.slope, **figures,
            "violations": judge.violations + growth.violations(figures, warm_s, options)}


def tell(result):
    print(f"soak: seed {result['seed']}, {result['turns']} turns of {result['conversations']} "
          f"conversations, {result['turns_per_second']}/s; faults: {result['faults']}")
    print(f"  calls wasted {result['wasted']}, of these not in K:calls "
          f"{result['wasted_not_in_calls']}; starts refused {result['starts_refused']}")
    for name, one in result["processes"].items():
        print(f"  {name:<13} {one['memory_first_kb']} to {one['memory_last_kb']} KB, "
              f"{one['memory_mb_per_hour']} MB/h (error {one['memory_error_mb_per_hour']}), "
              f"descriptors {one['descriptors']}, threads {one['threads']}")
    print(f"  stored in Redis: {result['stored']}")
    for line in result["violations"][:40]:
        print(f"  {line}")
    print("verdict: " + (f"{len(result['violations'])} VIOLATIONS" if result["violations"]
                         else "kept"))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=30, help="[30]")
    parser.add_argument("--warm-minutes", type=float, help="no trend before; caches fill [half]")
    parser.add_argument("--seed", type=int, default=1, help="[1]")
    parser.add_argument("--rate", type=float, default=50, help="turns a second [50]")
    parser.add_argument("--turns", type=int, default=20, help="of a conversation [20]")
    parser.add_argument("--every", type=float, default=1000, help="ms between faults [1000]")
    parser.add_argument("--lease-ms", type=int, default=2000, help="[2000]")
    parser.add_argument("--slope", type=float, default=1, help="MB/h of memory [1]")
    parser.add_argument("--descriptors", type=int, default=8, help="more in the second half [8]")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path)
    options = parser.parse_args()
    if options.warm_minutes is None:
        options.warm_minutes = options.minutes / 2
    return options


def main():
    options = parse_options()
    result = soak(options)
    tell(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 1 if result["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
