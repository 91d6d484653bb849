#!/usr/bin/python3
"""Where the workers' CPU time goes while they stream: the top ten, for docs/performance.md.

Needs perf(1) and the right to use it. The load is a case of bench/streams.py. A sample counts for
our function where it fell into our code, for the library where it fell into one, and for the
system call that led there where it fell into the kernel.
"""
import collections
import pathlib
import shutil
import subprocess
import sys
import tempfile

from bench import Server, say
from streams import Bench, parse_options

SAMPLES_A_SECOND = 1999
TOP = 10


def owner_of(frames):
    """frames: (function, file) from the innermost outwards."""
    name, file = frames[0]
    if "parley-worker" in file:
        return f"{name} (parley)"
    if "[kernel" not in file:
        return pathlib.Path(file).name.split(".so")[0]
    for name, file in frames:
        if "[kernel" not in file:
            return f"kernel, in {name.lstrip('_').removeprefix('libc_')}"
    return "kernel, else"


def read_samples(path):
    """The owner of each sample."""
    text = subprocess.run(["perf", "script", "-i", path, "-F", "ip,sym,dso"], check=True,
                          capture_output=True, text=True).stdout
    for block in text.split("\n\n"):
        frames = []
        for line in block.strip().splitlines():
            name, file = line.strip().split(" ", 1)[1].rsplit(" ", 1)  # behind the address
            frames.append((name, file.strip("()")))
        if frames:
            yield owner_of(frames)


class Profiled(Bench):
    """The workers of each round are looked at from outside."""

    def crew(self, url, case):
        pids = super().crew(url, case)
        path = f"{self.folder}/perf-{len(self.processes)}.data"
        self.watched = path
        self.processes.append(subprocess.Popen(
            ["perf", "record", "-q", "-g", "-F", str(SAMPLES_A_SECOND), "-o", path, "-p",
             ",".join(map(str, pids))], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return pids

    def run_floor(self, url, case):
        return {"us": 1, "bytes_per_token": 0, "tokens_per_second": 0}


def print_case(bench, case, seen):
    owners = collections.Counter(read_samples(bench.watched))
    whole = sum(owners.values())
    print(f"\n{case['wire']}, {case['streams']} streams of {case['rate']:.0f} tokens/s: "
          f"{seen['worker_us']} us a token, {whole} samples")
    for name, count in owners.most_common(TOP):
        print(f"  {100 * count / whole:5.1f} %  {name}")


def main():
    if shutil.which("perf") is None:
        say("perf is not installed")
        return 1
    options = parse_options()
    options.rounds = 1
    folder = tempfile.mkdtemp(prefix="parley-bench-")
    server = Server(folder)
    try:
        bench = Profiled(server, folder, options)
        for wire in options.wire:
            for streams in options.streams:
                case = {"wire": wire, "streams": streams,
                        "rate": options.rate if streams == 1 else options.many_rate,
                        "turns": options.turns if streams == 1 else options.many_turns}
                print_case(bench, case, bench.run_case(case))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
