#!/usr/bin/python3
"""What a change cost: parley of another revision and parley as it lies here, measured in turns.

BASE is taken out of git into build/compare/<commit> and built there as here, or is a folder of
built programs; bench.py of this checkout measures both sides, so the way of measuring is the same. Each round measures the floor
(two hops of plain hiredis), base and here, then many conversations at once of base and here;
every second round the sides change places, so that a machine that gets slower wrongs neither.
Compared are the medians of the rounds:
  added time a turn   here / base; each side also as its ratio to the floor of the same rounds
  turns per second    base / here, at 64 and at 1,000 conversations
Of one side, the spread of its rounds ((max - min) / median) says how much noise there was.
BASE=HEAD compares a thing with itself: what then differs from 1 is noise.

Exit status: 0, or 1 when a quotient is over --limit.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import bench
from bench import ROOT, carry_out, say

SIDES = ("base", "here")


def build(revision):
    """The folder of that revision's programs, built unless it was before, and its commit."""
    given = pathlib.Path(revision)
    if (given / "parley").is_file():
        return given.resolve(), revision
    git = ["git", "-C", ROOT]
    found = subprocess.run([*git, "rev-parse", "--verify", "--short=12", revision + "^{commit}"],
                           capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise RuntimeError(f"no such revision: {revision}")
    commit = found.stdout.strip()
    folder = ROOT / "build/compare" / commit
    if not (folder / "Makefile").exists():
        folder.mkdir(parents=True, exist_ok=True)
        with subprocess.Popen([*git, "archive", commit], stdout=subprocess.PIPE) as archive:
            subprocess.run(["tar", "-x", "-C", folder], stdin=archive.stdout, check=True)
    say(f"building {commit}")
    # The version: git describe would name what the checkout around it holds.
    made = subprocess.run(["make", "-C", folder, f"VERSION={commit}", "all"], capture_output=True,
                          env={name: value for name, value in os.environ.items()
                               if not name.startswith(("MAKE", "MFLAGS", "PARLEY"))},
                          text=True, check=False)
    if made.returncode != 0:
        raise RuntimeError(f"{commit} does not build:\n{made.stderr[-2000:]}")
    return folder / "build/release", commit


def version_of(programs):
    done = subprocess.run([programs / "parley", "--version"], capture_output=True, text=True,
                          check=True)
    return done.stdout.split("\n", maxsplit=1)[0]


def with_side(programs, measure, *words):
    """bench.py starts what lies in its BUILD."""
    bench.BUILD = programs
    return measure(*words)


def one_round(number, server, folder, options):
    say(f"round {number + 1} of {options.rounds}")
    order = SIDES if number % 2 == 0 else SIDES[::-1]
    found = {"added": {}, "many": {}}
    for transport in options.transport:
        where, url = server.where(transport)
        bench.BUILD = options.here
        of_round = {"floor": bench.run_floor(where, options.floor_rounds, "plain")}
        for side in order:
            of_round[side] = with_side(options.programs[side], bench.run_one, server, url, folder,
                                       options.turns)["us"]
        found["added"][transport] = of_round
    for count in options.many:
        turns = max(2, options.many_turns // count)
        found["many"][count] = {
            side: with_side(options.programs[side], bench.run_many, server,
                            server.where("tcp")[1], folder, count, turns)["turns_per_second"]
            for side in order}
    return found


def medians(rounds):
    """Of {"floor", "base", "here"} of each round; and the spread of a side's rounds."""
    found = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    spread = {side: round((max(one[side] for one in rounds) - min(one[side] for one in rounds))
                          / found[side], 3) for side in SIDES}
    return found, spread


def added_of(transport, rounds):
    found, spread = medians(rounds)
    return {"transport": transport, "floor_us": round(found["floor"], 1),
            "base_us": round(found["base"], 1), "here_us": round(found["here"], 1),
            "base_to_floor": round(found["base"] / found["floor"], 3),
            "here_to_floor": round(found["here"] / found["floor"], 3),
            "price": round(found["here"] / found["base"], 3), "spread": spread}


def many_of(count, rounds):
    found, spread = medians(rounds)
    return {"conversations": count, "base_turns_per_second": found["base"],
            "here_turns_per_second": found["here"],
            "price": round(found["base"] / found["here"], 3), "spread": spread}


def measure(server, folder, options):
    with open(f"{folder}/story.json", "w", encoding="utf-8") as file:
        json.dump(bench.STORY, file)
    rounds = [one_round(number, server, folder, options) for number in range(options.rounds)]
    added = [added_of(name, [one["added"][name] for one in rounds]) for name in options.transport]
    many = [many_of(count, [one["many"][count] for one in rounds]) for count in options.many]
    price = max(one["price"] for one in added + many)
    return {"what": "price", "base": options.base, "base_version": version_of(options.base_build),
            "here_version": version_of(options.here), "rounds": options.rounds,
            "turns": options.turns, "many_turns": options.many_turns, "added": added,
            "many": many, "all_rounds": rounds, "price": price, "limit": options.limit,
            "violations": [] if price <= options.limit else
            [f"price {price}, limit {options.limit}"], "ok": price <= options.limit}


def print_table(result):
    print(f"\nbase {result['base']}; medians of {result['rounds']} rounds measured in turns; "
          "price: how many times as dear as base")
    row = "  {:<26} {:>10} {:>10} {:>10} {:>8}   {}"
    print(row.format("", "floor", "base", "here", "price", "spread of base, of here"))
    for one in result["added"]:
        print(row.format(f"a turn, {one['transport']}", f"{one['floor_us']} us",
                         f"{one['base_us']} us", f"{one['here_us']} us", one["price"],
                         "{base:.0%}, {here:.0%}".format(**one["spread"])))
        print(row.format("  times the floor", "1", one["base_to_floor"], one["here_to_floor"],
                         "", ""))
    for one in result["many"]:
        print(row.format(f"turns/s, {one['conversations']} at once", "",
                         round(one["base_turns_per_second"]), round(one["here_turns_per_second"]),
                         one["price"], "{base:.0%}, {here:.0%}".format(**one["spread"])))
    print(f"\nprice {result['price']}, limit {result['limit']}: "
          + ("kept" if result["ok"] else "EXCEEDED"))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("base", metavar="BASE", help="the revision to compare with, or a folder")
    parser.add_argument("--rounds", type=int, default=5, help="[5]")
    parser.add_argument("--turns", type=int, default=3000, help="of the one conversation [3000]")
    parser.add_argument("--floor-rounds", type=int, default=3000, help="round trips [3000]")
    parser.add_argument("--transport", action="append", choices=("tcp", "unix"),
                        help="[tcp, unix]")
    parser.add_argument("--many", type=int, action="append",
                        help="conversations at once; may be repeated [64, 1000]")
    parser.add_argument("--many-turns", type=int, default=50000,
                        help="turns of all of them together [50000]")
    parser.add_argument("--limit", type=float, default=1.15, help="the highest price [1.15]")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    options.transport = options.transport or ["tcp", "unix"]
    options.many = options.many or [64, 1000]
    if min(options.rounds, options.floor_rounds, options.many_turns, *options.many) < 1:
        parser.error("counts begin at 1")
    if options.turns < 4:
        parser.error("--turns: at least 4")
    options.here = pathlib.Path(bench.BUILD).resolve()
    return options


def main():
    options = parse_options()
    try:
        options.base_build, options.base = build(options.base)
    except RuntimeError as error:
        say(f"failed: {error}")
        return 1
    options.programs = {"base": options.base_build, "here": options.here}
    return carry_out(options, measure, print_table)


if __name__ == "__main__":
    sys.exit(main())
