"""Treats a fleet badly while it holds conversations, and has the oracle judge what came of it.

    make chaos SEED=7 TURNS=10000 EVERY=200 MODE=kill
    tests/chaos/chaos.py --mode redis --kills 200 --fsync always --json build/redis.json

kill   every EVERY ms a worker or a manager, drawn, is killed with -9
stop   every EVERY ms one of them stands still for up to three leases, then goes on
redis  EVERY ms after it was seen to work redis-server is killed with -9, and comes back
tail   the same, and 1 to 64 KB are cut off the AOF's end before it comes back
cut    every EVERY ms Redis closes all connections of the programs
proxy  between the fleet, Redis and the simulator stands a proxy that delays, resets and stalls
early  the conversations are asked for before there is a manager; then nothing
mix    all of them by turns

The seed draws who, how long and how much; the moments are the machine's. Exit status 1 when an
invariant is broken: the evidence lies in build/chaos then. PARLEY_BUILD chooses the build.
"""
import argparse
import json
import pathlib
import pickle
import random
import shutil
import sys
import time

import fleet as rig
import oracle

from helpers import BUILD, IS_SLOW, ROOT

PAUSE_S = 0.005
PROGRESS_S = 20
TAIL_BYTES = (1 << 10, 64 << 10)
REDIS_FAULTS = ({"kind": "delay", "ms": 2, "jitter_ms": 8},
                {"kind": "reset", "rate": 0.3, "after_bytes": (1, 40000)},
                {"kind": "close", "rate": 0.3, "after_bytes": (1, 40000)})
HTTP_FAULTS = ({"kind": "delay", "ms": 10, "jitter_ms": 10},
               {"kind": "reset", "rate": 0.01, "after_bytes": (1, 800)},
               {"kind": "close", "rate": 0.01, "after_bytes": (1, 800)},
               {"kind": "trickle", "rate": 0.02, "bytes": 64, "ms": 5})
DEFAULTS = {"seed": None, "turns": 10000, "conversations": 100, "every_ms": 200, "mode": "kill",
            "workers": 8, "managers": 2, "concurrency": 16, "lease_ms": 1000, "kills": None,
            "fsync": "everysec", "limit_s": 900, "settle_s": 120, "idle_s": 20,
            "patience_s": rig.PATIENCE_S, "simulator": ""}

HELP = {"kills": "so many of Redis, not so many turns", "limit_s": "for the faults",
        "settle_s": "from the last fault to the last turn", "simulator": "more of its options"}


# ---- a fault of each kind ----

def do_kill(fleet, rng):
    alive = fleet.alive()
    if alive:
        fleet.kill(rng.choice(alive))


def do_stop(fleet, rng):
    """One at a time stands still; it is let go by go_on()."""
    if not any(post.stopped_us for post in fleet.posts):
        alive = fleet.alive()
        if alive:
            fleet.stop(rng.choice(alive))
            fleet.go_on_at = time.monotonic() + rng.uniform(
                0.1, 3) * fleet.options["lease_ms"] / 1000


def go_on(fleet):
    if time.monotonic() >= getattr(fleet, "go_on_at", 0):
        fleet.cont_all()


def do_redis(fleet, _):
    fleet.kill_redis()
    wait_progress(fleet)


def do_tail(fleet, rng):
    fleet.kill_redis(cut_bytes=rng.randint(*TAIL_BYTES))
    wait_progress(fleet)


def wait_progress(fleet):
    """Until another turn stands there: the next kill must hit a fleet that works."""
    before, deadline = fleet.turns_done(), time.monotonic() + PROGRESS_S
    while time.monotonic() < deadline and not fleet.all_ended():
        turns = fleet.turns_done()
        if before is None or turns is not None and turns > before:
            return
        time.sleep(PAUSE_S)


def do_cut(fleet, _):
    fleet.cut_connections()


def do_proxy(fleet, rng):
    """What the proxies do all the time is set at the start; at times they cut all at once."""
    if fleet.proxies and rng.random() < 0.1:
        fleet.cut_at_proxy(rng.choice(fleet.proxies), rng.choice(("reset", "close")))


def do_nothing(*_):
    """The fault was at the start."""


def do_mix(fleet, rng):
    rng.choices((do_kill, do_stop, do_redis, do_cut, do_proxy), (6, 3, 1, 2, 2))[0](fleet, rng)


MODES = {"kill": do_kill, "stop": do_stop, "redis": do_redis, "tail": do_tail, "cut": do_cut,
         "proxy": do_proxy, "early": do_nothing, "mix": do_mix}


# ---- a run ----

def rules_of(wish):
    rules = oracle.Rules(lease_ms=wish["lease_ms"], idle_budget_s=30 if IS_SLOW else 15)
    rules.calls_are_whole = wish["mode"] in ("kill", "stop", "cut")
    if wish["mode"] == "kill" and not IS_SLOW:
        rules.recovery_limit_ms = wish["lease_ms"] + 1000
    return rules


def torment(fleet, wish, deadline):
    """Until all conversations have ended, or the faults that were asked for are done."""
    every_s = wish["every_ms"] / 1000
    due = time.monotonic() + every_s
    while time.monotonic() < deadline:
        if wish["kills"] is not None and fleet.redis_kills >= wish["kills"]:
            return
        if fleet.all_ended():
            if wish["kills"] is None:
                return
            begin_talks(fleet, wish)  # so many kills were asked for, not so many turns
        go_on(fleet)
        if time.monotonic() < due:
            time.sleep(PAUSE_S)
            continue
        MODES[wish["mode"]](fleet, fleet.rng)
        due = max(due, time.monotonic() - every_s) + every_s


def begin_talks(fleet, wish):
    is_early = wish["mode"] == "early" and not fleet.asked
    start = fleet.start_before_the_crew if is_early else fleet.start_conversations
    start(wish["conversations"], wish["turns"] // wish["conversations"])


def first_commits_ms(evidence, up_us):
    """From each moment Redis answered again to the next turn in a transcript."""
    ats = sorted(int(fields["at"]) for transcript in evidence.transcripts.values()
                 for _, fields in transcript if fields["kind"] == "turn")
    waits = []
    for at_us in up_us:
        after = next((one for one in ats if one > at_us), None)
        if after is not None:
            waits.append((after - at_us) / 1000)
    return waits


def figures_of(fleet, evidence, verdict, wish, seconds):
    waits = first_commits_ms(evidence, fleet.redis_up_us)
    figures = {
        "what": f"chaos {wish['mode']}", "seed": wish["seed"], "seconds": round(seconds, 1),
        "mode": wish["mode"], "build": BUILD.name, "fsync": wish["fsync"],
        "conversations": len(evidence.asked), "workers": wish["workers"],
        "managers": wish["managers"], "every_ms": wish["every_ms"], "kills": fleet.kills,
        "stops": sum(1 for one in fleet.troubles if one.kind == "stop"),
        "cuts": sum(1 for one in fleet.troubles if one.kind == "cut"),
        "redis_kills": fleet.redis_kills, "rewinds": len(fleet.rewinds),
        "rewinds_noticed": sum(1 for _, one in evidence.events
                               if one["event"] == "history.rewound"),
        "idle_s": None if evidence.idle_s is None else round(evidence.idle_s, 2),
        **verdict.figures,
        "first_commit_p50_ms": oracle.percentile(waits, 0.5),
        "first_commit_max_ms": oracle.percentile(waits, 1.0),
    }
    figures["turns_per_s"] = round(figures["turns"] / seconds, 1)
    figures["violations"] = [f"{invariant}: {words}" for invariant, words in verdict.violations]
    return figures


def keep_evidence(fleet, evidence, wish):
    """The folder where ledger, dump and logs of a broken run lie."""
    folder = ROOT / "build" / "chaos" / f"{wish['mode']}-{wish['seed']}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open(folder / "evidence.pickle", "wb") as file:
        pickle.dump(evidence, file)
    for path in pathlib.Path(fleet.box.folder).glob("*.err"):
        shutil.copy(path, folder)
    return folder


def run(say=print, **wish):
    """The figures of one run (what --json writes); see DEFAULTS for what may be wished."""
    wish = {**DEFAULTS, **wish}
    if wish["seed"] is None:
        wish["seed"] = random.SystemRandom().randrange(10**6)
    say(f"chaos mode={wish['mode']} seed={wish['seed']} turns={wish['turns']} "
        f"conversations={wish['conversations']} every={wish['every_ms']}ms "
        f"fsync={wish['fsync']} build={BUILD.name}")
    options = {key: wish[key] for key in ("workers", "managers", "concurrency", "lease_ms",
                                          "fsync", "patience_s")}
    options["simulator"] = wish["simulator"].split()
    options["aof_rewrite"] = 0 if wish["mode"] == "tail" else 100  # a tail is cut off one file
    options["crew_is_late"] = wish["mode"] == "early"
    options["proxied"] = wish["mode"] in ("proxy", "mix")
    with rig.chaos_fleet(random.Random(wish["seed"]), **options) as fleet:
        begin = time.monotonic()
        begin_talks(fleet, wish)
        for one, faults in zip(fleet.proxies, (REDIS_FAULTS, HTTP_FAULTS)):
            one.rules = list(faults)
            fleet.cut_at_proxy(one, "close")  # the connections there were have no rules
        torment(fleet, wish, begin + wish["limit_s"])
        fleet.calm()
        limit = time.monotonic() + wish["settle_s"]
        while not fleet.all_ended() and time.monotonic() < limit:
            time.sleep(PAUSE_S)
        seconds = time.monotonic() - begin
        evidence = fleet.finish(wish["idle_s"])
        verdict = oracle.judge(evidence, rules_of(wish))
        figures = figures_of(fleet, evidence, verdict, wish, seconds)
        if verdict.violations:
            say(f"the evidence: {keep_evidence(fleet, evidence, wish)}")
    return figures


def tell(figures, say=print):
    hidden = ("violations", "what")
    say("  ".join(f"{key}={value}" for key, value in figures.items()
                  if key not in hidden and value is not None))
    for words in figures["violations"][:20]:
        say(words[:600])
    say(f"{len(figures['violations'])} violations" if figures["violations"] else
        "nothing lost, nothing doubled")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for key, value in DEFAULTS.items():
        kind = {"mode": str, "fsync": str, "simulator": str}.get(key, int)
        parser.add_argument("--" + key.replace("_", "-"), type=kind, default=value,
                            help=HELP.get(key))
    parser.add_argument("--json", help="write the figures there")
    wish = vars(parser.parse_args())
    path = wish.pop("json")
    figures = run(**wish)
    tell(figures)
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)
            file.write("\n")
    return 1 if figures["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
