"""Kills processes at every fault point, each so many times, and lets the oracle judge.

    tests/chaos/points.py --kills 100                  every point of manager and worker
    tests/chaos/points.py --kills 3 --points 'commit.*'
    tests/chaos/points.py --faults --rounds 4          delays, failures and cuts by chance, no kill

Each process of a round's fleet starts with a few of the points that still lack kills, each
to fire after a drawn number of passes; who is killed is replaced at once. Rounds go on, several
at a time, until no point lacks any. Needs the build with points (PARLEY_BUILD, build/faults).
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import json
import multiprocessing
import os
import random
import sys
import time

os.environ.setdefault("PARLEY_BUILD", "build/faults")

import points_plan as plan  # noqa: E402 - the build is chosen first
from fleet import BUILD  # noqa: E402
from points_fleet import BARE_PART, play  # noqa: E402

ROUNDS_IN_VAIN = 6  # without a new hit: then what lacks is told
CHANCES = (0.2, 0.5, 1, 3)  # percent
DRAWN = 12  # points of a start, some of them the same
RULES = 12  # of a start with faults by chance


class Killing:
    """Draws what each start of a round gets, from what lacks kills."""

    def __init__(self, rng, roles, lacking, slow):
        self.rng, self.roles = rng, roles
        self.lacking = {point: count for point, count in lacking.items()
                        if slow == plan.is_slow(point)}

    def left(self, hits):
        return {point: count - hits[point] for point, count in self.lacking.items()
                if count > hits[point]}

    def __call__(self, post, hits):
        wanted = {point: count for point, count in self.left(hits).items()
                  if self.roles[point] in ("both", post.program)}
        if self.rng.random() < BARE_PART:
            return "", []
        points = self.rng.choices(list(wanted), list(wanted.values()), k=DRAWN) if wanted else []
        # Who is to be hit when it ends must come to its end.
        is_parting = bool(points) and plan.script_of(points[0]) in plan.PARTING
        points = sorted({point for point in points
                         if (plan.script_of(point) in plan.PARTING) == is_parting})
        rules = [f"{point}=kill@{self.rng.randint(1, plan.passes(point))}" for point in points]
        if post.program == "worker" and self.rng.random() < 0.5 and not is_parting:
            buried = [point for point in self.left(hits)
                      if plan.script_of(point) in plan.BURIED]
            points += buried
            # What is due or given up has lost its worker, also when no worker's point lacks.
            rules.append(f"worker.stream=kill@{self.rng.randint(1, 40)}")
        return ",".join(rules), points


class Chances:
    """Delays, failures and cuts by chance, wherever they can be."""

    def __init__(self, rng, actions):
        self.rng, self.actions = rng, actions

    def __call__(self, _post, _hits):
        rules = []
        for point in self.rng.sample(sorted(self.actions), RULES):
            kind = self.rng.choice(["delay", *self.actions[point] * 3])
            action = f"delay:{self.rng.randint(1, 300)}" if kind == "delay" else kind
            rules.append(f"{point}={action}%{self.rng.choice(CHANCES)}")
        return ",".join(rules), []


def one_round(task):
    """In a process of its own."""
    rng = random.Random(task["seed"])
    if task["faults"]:
        armed = Chances(rng, task["actions"])
    else:
        armed = Killing(rng, task["roles"], task["lacking"], task["slow"])

    def done(fleet):
        return not task["faults"] and not armed.left(fleet.hits)
    return play(task["seed"], rng, armed, done, task)


def tasks(args, rng, roles, actions, hits):
    """Endless: the next round to play."""
    number = 0
    while True:
        lacking = {point: args.kills - hits[point] for point in roles if hits[point] < args.kills}
        slow = [point for point in lacking if plan.is_slow(point)]
        # Where turns are slow little else can be tried: such rounds come beside the others.
        is_slow = bool(slow) and (number % 3 == 1 or len(slow) == len(lacking))
        yield {"seed": rng.randrange(2**31), "roles": roles, "lacking": lacking, "slow": is_slow,
               "actions": actions, "faults": args.faults, "keep": args.keep,
               "seconds": args.round, "turns": 2 if is_slow else 12}
        number += 1


class Campaign:
    """What all rounds came to."""

    def __init__(self, args, roles):
        self.args, self.roles = args, roles
        self.hits, self.totals = collections.Counter(), collections.Counter()
        self.violations, self.in_vain, self.rounds = [], 0, 0

    def over(self):
        if self.args.faults:
            return self.rounds >= self.args.rounds
        return not self.lacking() or self.in_vain >= ROUNDS_IN_VAIN

    def lacking(self):
        return sorted(point for point in self.roles if self.hits[point] < self.args.kills)

    def few_lacking(self):
        lacking = self.lacking()
        return ": " + ", ".join(lacking) if 0 < len(lacking) <= 12 else ""

    def take(self, result):
        useful = any(self.hits[point] < self.args.kills for point in result["hits"])
        self.hits.update(result["hits"])
        self.in_vain = 0 if useful else self.in_vain + 1
        self.rounds += 1
        for name in ("kills", "starts", "conversations", "turns", "calls", "wasted"):
            self.totals[name] += result[name]
        self.violations += [f"{line} (round {result['seed']})" for line in result["violations"]]
        told = {line.split(":")[0]: line for line in reversed(result["violations"])}
        print(f"round {self.rounds}: seed {result['seed']}, {result['seconds']} s, "
              f"{result['kills']} kills, {result['turns']} turns, "
              f"{len(self.lacking())} points lack kills{self.few_lacking()}"
              + "".join(f"\n  {line[:600]}" for line in told.values()), flush=True)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=100, help="at each point [100]")
    parser.add_argument("--points", default="*", help="a pattern of points [*]")
    parser.add_argument("--faults", action="store_true", help="delay, fail and cut by chance")
    parser.add_argument("--rounds", type=int, default=4, help="of --faults [4]")
    parser.add_argument("--round", type=float, default=25, help="seconds of kills in a round [25]")
    parser.add_argument("--jobs", type=int, default=4, help="rounds at a time [4]")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--keep", help="a folder for the logs of rounds that went wrong")
    parser.add_argument("--json", help="a file for the figures")
    return parser.parse_args(argv)


def play_all(args, campaign, rounds):
    """Rounds in processes of their own, as many at a time as wanted."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(args.jobs, mp_context=context) as pool:
        under_way = set()
        while not campaign.over() or under_way:
            while not campaign.over() and len(under_way) < args.jobs:
                under_way.add(pool.submit(one_round, next(rounds)))
            done, under_way = concurrent.futures.wait(
                under_way, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                campaign.take(future.result())


def tell(args, campaign, seconds):
    lacking = [] if args.faults else campaign.lacking()
    for point in sorted(campaign.hits):
        print(f"{point:20} {campaign.hits[point]:6}")
    told = campaign.violations + [f"lacking: {point} was hit {campaign.hits[point]} times of "
                                  f"{args.kills}" for point in lacking]
    figures = {"what": "faults" if args.faults else "points", "seed": args.seed,
               "seconds": round(seconds, 1), "rounds": campaign.rounds,
               "points": len(campaign.hits), "hits": dict(sorted(campaign.hits.items())),
               "least": min((campaign.hits[point] for point in campaign.roles), default=0),
               **campaign.totals, "violations": told}
    print(f"seed {args.seed}: {figures['points']} points, {sum(campaign.hits.values())} hits, "
          f"{campaign.totals['kills']} kills, {campaign.totals['turns']} turns in "
          f"{campaign.rounds} rounds, {seconds:.0f} s, {len(told)} violations")
    for line in told:
        print(line[:1000])
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)
    return 1 if told else 0


def main(argv):
    args = parse(argv)
    begin = time.monotonic()
    _, _, actions = plan.printed(BUILD)
    roles = {point: role for point, role in plan.roles(BUILD).items()
             if fnmatch.fnmatch(point, args.points)}
    actions = {point: also for point, also in actions.items() if point in roles}
    if not roles:
        print(f"no point is like {args.points}", file=sys.stderr)
        return 2
    print(f"seed {args.seed}: {len(roles)} points", flush=True)
    campaign = Campaign(args, roles)
    play_all(args, campaign, tasks(args, random.Random(args.seed), roles, actions, campaign.hits))
    return tell(args, campaign, time.monotonic() - begin)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
