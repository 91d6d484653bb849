"""The parts of `make claims`: what is run, how large, and what the page says of each.

A part is a title, the steps that make its figures and a function that reads their results into
rows of the page. Sizes: `full` is what a release claims, `short` shows that it runs.
"""
import sys
import typing

import cases
import claims_rows as rows

PYTHON = sys.executable
BEFORE = "2f88cd7"  # the last revision without what this page is about


class Step(typing.NamedTuple):
    """One program; {out} among its words is the file it writes its figures to."""
    name: str
    words: tuple
    reads: str = "json"  # or junit (pytest), units (tools/run-units), exit (its status only)
    env: dict = {}


class Part(typing.NamedTuple):
    title: str
    steps: typing.Callable  # of the scale: full or not
    rows: typing.Callable  # of the results, in the order of the steps
    sources: tuple = ()  # parts whose files it reads instead of steps of its own


def chaos(name, **options):
    words = [PYTHON, "tests/chaos/chaos.py"]
    for option, value in options.items():
        words += ["--" + option.replace("_", "-"), str(value)]
    return Step(name, (*words, "--json", "{out}"))


def kills(full):
    size = {"turns": 10000, "conversations": 100} if full else {"turns": 400, "conversations": 8}
    return [chaos(f"seed-{seed}", mode="kill", seed=seed, every_ms=200, workers=8, managers=2,
                  **size)
            for seed in (range(1, 6) if full else (1,))]


def stops(full):
    return [chaos("seed-1", mode="stop", seed=1, turns=10000 if full else 400,
                  every_ms=200, conversations=100 if full else 8)]


def redis_kills(fsync):
    return lambda full: [chaos("seed-1", mode="redis", seed=1, fsync=fsync,
                               kills=200 if full else 5)]


def tail(full):
    return [chaos("seed-1", mode="tail", seed=1, kills=200 if full else 5)]


def points(full):
    campaign = (PYTHON, "tests/chaos/points.py", "--seed", 1, "--json", "{out}")
    faults = {"PARLEY_BUILD": "build/faults"}
    return [Step("build", ("make", "VARIANT=faults", "all"), "exit"),
            Step("kills", (*campaign, "--kills", 100 if full else 1), "json", faults),
            Step("faults", (*campaign, "--faults", "--rounds", 20 if full else 1), "json", faults)]


def pytest_step(name, tests, **env):
    return Step(name, (PYTHON, "-m", "pytest", "-q", "-o", "junit_logging=system-out",
                       "--junitxml", "{out}", *tests), "junit", env)


def of_cases(full):
    # A and B; the model servers' own (D) have many more rows and `make proof`.
    tests = sorted({f"{path}::{test}" for case, found in cases.shown().items()
                    for path, test in found if not case.startswith("D")})
    return [pytest_step("cases", tests, PARLEY_BUILD="build/release",
                        **({"PARLEY_PROOF": "long"} if full else {}))]


def suites(full):
    """Everything under the sanitizers; flow tests two at a time, as `make asan` runs them."""
    flow = ["-n", "2", "--dist", "loadfile",
            *(["tests/flow", "tests/chaos"] if full else ["tests/flow/test_scripts.py"])]
    return [Step("unit-asan", ("make", "VARIANT=asan", "all", "unit"), "units"),
            pytest_step("flow-asan", flow, PARLEY_BUILD="build/asan"),
            *([Step("valgrind", ("make", "valgrind", "JSON={out}"))] if full else [])]


def known_bad(_):
    return [pytest_step("known-bad", ["tests/chaos/test_known_bad.py"],
                        PARLEY_BUILD="build/release", PARLEY_PROOF="long")]


def torture(full):
    return [Step("shim", ("make", "build/torture/shim.so"), "exit"),
            Step("torture", (PYTHON, "tests/torture/torture.py", *(() if full else ("--short",)),
                             "--json", "{out}"), "json", {"PARLEY_BUILD": "build/release"}),
            Step("asan", ("make", "VARIANT=asan", "all"), "exit"),
            Step("torture-asan", (PYTHON, "tests/torture/torture.py",
                                  *(("--limit", 240) if full else ("--short",)),
                                  "--json", "{out}"), "json", {"PARLEY_BUILD": "build/asan"})]


def fuzz(full):
    return [Step("fuzz", ("make", "fuzz-all", f"SECONDS={3600 if full else 30}", "JSON={out}"))]


def soak(full):
    return [Step("soak", (PYTHON, "tests/chaos/soak.py", "--minutes", 30 if full else 2,
                          "--json", "{out}"))]


def price(full):
    small = ("--rounds", 2, "--turns", 300, "--many", 64, "--many-turns", 5000)
    return [Step("price", (PYTHON, "bench/compare.py", BEFORE, *(() if full else small),
                           "--json", "{out}"))]


PARTS = {
    "kills": Part("Processes killed", kills, rows.kills),
    "stops": Part("Processes stopped and continued", stops, rows.stops),
    "points": Part("Killed at each fault point", points, rows.points),
    "redis-always": Part("Redis killed, `always`", redis_kills("always"), rows.redis),
    "redis-everysec": Part("Redis killed, `everysec`", redis_kills("everysec"), rows.redis),
    "tail": Part("Redis restarted without the end of its file", tail, rows.tail),
    "cases": Part("The cases", of_cases, rows.cases),
    "known-bad": Part("Known-bad builds", known_bad, rows.known_bad),
    "recovery": Part("Time to recover", None, rows.recovery,
                     ("kills", "redis-always", "redis-everysec")),
    "torture": Part("Torture", torture, rows.torture),
    "fuzz": Part("Fuzzing", fuzz, rows.fuzz),
    "soak": Part("Soak", soak, rows.soak),
    "unit-flow": Part("All tests under the sanitizers", suites, rows.suites),
    "price": Part("The price of safety", price, rows.price),
}
