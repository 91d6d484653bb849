#!/usr/bin/python3
"""`make claims`: runs every proof at release size and writes docs/claims.md from what they saw.

A part is a list of steps, each a program that writes its figures as JSON (or a run of pytest,
whose junit file is read, or of the unit tests, whose last line is). After each step
build/claims/<part>.json is written anew, so that what was interrupted goes on where it was: a
step that is there already, of the same size and of the same sources of the programs, is not run
again (--fresh runs all). The page is made from these files alone: it has no figure that is not in
one of them, and says of a part without a file that it was not run.

    make claims                         all parts, hours of them
    make claims PART=kills              one; several: PART='kills points'
    make claims SCALE=short             small sizes, to see that everything runs
    make claims PART=none               only the page

Exit status: 0, or 1 when a step failed or saw a violation.
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import time

import cases
import claims_page
import claims_parts
import junit

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
CLAIMS = ROOT / "build/claims"
PAGE = ROOT / "docs/claims.md"
PRODUCT = ("analyzer", "cli", "common", "manager", "observer", "schemas", "simulator", "worker")


def say(text):
    print(f"claims: {text}", file=sys.stderr, flush=True)


def first_line(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def versions():
    """Of what was measured and of what it ran on."""
    parley = subprocess.run([BUILD / "parley", "--version"], capture_output=True, text=True,
                            check=True).stdout.splitlines()
    return {"parley": parley[0].split()[1], "libraries": parley[1:],
            "redis": first_line("redis-server", "--version").split()[2].removeprefix("v="),
            "kernel": f"{platform.system()} {platform.release()}",
            "compiler": first_line("gcc", "--version"), "python": platform.python_version(),
            "cores": len(os.sched_getaffinity(0))}


def sources():
    """A name for what the programs are made of, uncommitted changes included."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z",
                             *PRODUCT], capture_output=True, text=True, check=True).stdout
    digest = hashlib.sha256()
    for name in sorted(filter(None, listed.split("\0"))):
        path = ROOT / name
        if path.is_file():
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def write_json(path, document):
    """Whole or not at all: a run may be interrupted at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def read_part(name):
    path = CLAIMS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def read_units(log):
    """The last line of tools/run-units."""
    found = re.findall(r"^unit: (\d+) passed, (\d+) failed$", log.read_text(errors="replace"),
                       re.MULTILINE)
    if not found:
        return {"violations": [f"no unit test was run, see {log.name}"]}
    passed, failed = map(int, found[-1])
    return {"passed": passed, "failed": failed, "skipped": 0,
            "violations": [f"{failed} unit tests failed, see {log.name}"] if failed else []}


def result_of(step, path, log):
    """What a step wrote; without it the step has failed, whatever it exited with."""
    if step.reads == "exit":
        return {"violations": []}
    if step.reads == "units":
        return read_units(log)
    if not path.exists():
        tail = log.read_text(errors="replace")[-1500:]
        return {"violations": [f"{step.name}: it wrote no figures; its last words: {tail}"]}
    if step.reads == "junit":
        return junit.read(path, cases.by_test())
    return json.loads(path.read_text(encoding="utf-8"))


def run_step(part, step):
    """One program to its end; what it says goes to a log beside its figures."""
    folder = CLAIMS / part
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{step.name}.{'xml' if step.reads == 'junit' else 'json'}"
    log = folder / f"{step.name}.log"
    path.unlink(missing_ok=True)
    words = [str(word).replace("{out}", str(path)) for word in step.words]
    begun, begin = datetime.datetime.now(datetime.timezone.utc), time.monotonic()
    with open(log, "wb") as file:
        # Its own make would take this one's flags for its own.
        env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        done = subprocess.run(words, cwd=ROOT, stdout=file, stderr=file, check=False,
                              stdin=subprocess.DEVNULL, env={**env, **step.env})
    result = result_of(step, path, log)
    result["violations"] = [in_words(found) for found in result["violations"]]
    if done.returncode != 0 and not result["violations"]:
        result["violations"] = [f"{step.name}: exit status {done.returncode}, see {log.name}"]
    return {"name": step.name, "command": command_of(step), "exit": done.returncode,
            "started": begun.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - begin, 1), "result": result}


def in_words(violation):
    """Some programs tell more than a line."""
    if isinstance(violation, dict):
        return ", ".join(f"{name} {value}" for name, value in violation.items())
    return violation


def command_of(step):
    words = [str(word).replace(str(ROOT) + "/", "") for word in step.words]
    words = ["python3" if word == sys.executable else word for word in words]
    return " ".join([*(f"{name}={value}" for name, value in step.env.items()), *words])


def kept_runs(part, scale, of_sources):
    """What of an earlier run of this part still holds."""
    known = read_part(part)
    if known is None or (known["scale"], known["sources"]) != (scale, of_sources):
        return []
    return [run for run in known["runs"] if run["exit"] == 0 and not run["result"]["violations"]]


def run_part(part, scale, fresh):
    """True when it saw no violation. A part that reads others' files has nothing to run."""
    if claims_parts.PARTS[part].sources:
        return True
    of_sources = sources()
    kept = [] if fresh else kept_runs(part, scale, of_sources)
    steps = claims_parts.PARTS[part].steps(scale == "full")
    runs = []
    for step in steps:
        old = [run for run in kept
               if (run["name"], run["command"]) == (step.name, command_of(step))]
        if not old:
            say(f"{part}: {command_of(step)}")
        runs.append(old[0] if old else run_step(part, step))
        violations = [line for run in runs for line in run["result"]["violations"]]
        write_json(CLAIMS / f"{part}.json",
                   {"part": part, "scale": scale, "sources": of_sources, "versions": versions(),
                    "whole": len(runs) == len(steps), "started": runs[0]["started"],
                    "seconds": round(sum(run["seconds"] for run in runs), 1), "runs": runs,
                    "violations": violations})
        say(f"{part}: {step.name}: {'kept' if old else 'done'}, "
            f"{len(runs[-1]['result']['violations'])} violations")
    return not violations


def write_page():
    documents = {part: read_part(part) for part in claims_parts.PARTS}
    PAGE.write_text(claims_page.page(documents), encoding="utf-8")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("part", nargs="*", help="of: " + ", ".join(claims_parts.PARTS)
                        + "; none: only the page [all]")
    parser.add_argument("--scale", choices=("full", "short"), default="full")
    parser.add_argument("--fresh", action="store_true", help="run again what is there")
    options = parser.parse_args()
    unknown = [name for name in options.part if name not in (*claims_parts.PARTS, "none")]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    options.part = [] if options.part == ["none"] else options.part or list(claims_parts.PARTS)
    return options


def main():
    options = parse_options()
    bad = [part for part in options.part if not run_part(part, options.scale, options.fresh)]
    write_page()
    say(f"wrote {PAGE.relative_to(ROOT)}" + (f"; violations in: {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
