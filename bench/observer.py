#!/usr/bin/python3
"""What watching a fleet costs: the observer's wall over more and more conversations.

For each number of conversations: a private redis-server, bench/wall_feed.py keeping them going
(a turn each every five seconds, or as told), and one observer on a terminal of 200x60 that
somebody reads. After it has read them all once, over some seconds: its CPU time, the frames it
drew, the bytes it wrote, and the Redis commands it gave, which the feeder's are not among
(INFO commandstats tells them apart by name).

Everything is started here, in a folder under the temp folder, and nothing is left behind. Never
touches a Redis that runs already. Exit status: 0, or 1 when a limit is passed.
"""
import argparse
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

import redis

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / os.environ.get("PARLEY_BUILD", "build/release")
FRAME = b"\x1b[?2026h"  # a frame begins
ASKED = ("hmget", "zrange", "zcard", "xrevrange", "xrange", "xinfo", "info", "set", "time",
         "hget", "ping")  # what the observer asks; the feeder uses none of them
ROWS, COLS = 60, 200


class Terminal:
    """The observer on a terminal of its own, read by a thread."""

    def __init__(self, socket, *words):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            env = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
            observer = BUILD / "parley-observer"
            with contextlib.suppress(OSError):
                os.execve(observer, ["parley-observer", "--redis", f"unix://{socket}", "--mode",
                                     "tui", "--screen", "wall", *words], env)
            os._exit(127)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)
        self.frames = self.bytes = 0
        self.over = False
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        """Counts frames and bytes until the terminal is gone."""
        tail = b""
        while not self.over:
            if not select.select([self.master], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(self.master, 1 << 16)
            except OSError:
                return
            self.bytes += len(piece)
            self.frames += (tail + piece).count(FRAME)
            tail = piece[1 - len(FRAME):]

    def cpu_s(self):
        """User and system time so far."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self):
        """What is its own and was written to."""
        text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return sum(int(line.split()[1]) for line in text.splitlines()
                   if line.startswith("Private_Dirty"))

    def close(self):
        """Ends it and waits for it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        self.over = True
        self.reader.join()
        os.close(self.master)


def commands(client):
    """How many commands of the observer's kind were given so far."""
    stats = client.info("commandstats")
    return sum(int(value["calls"]) for name, value in stats.items()
               if name.removeprefix("cmdstat_").split("|")[0] in ASKED)


def wait_for(condition, what, limit_s=60):
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {limit_s} s in vain: {what}")
        time.sleep(0.05)


@contextlib.contextmanager
def server(folder):
    """A private redis-server; gives its socket and a client."""
    socket = os.path.join(folder, "s")
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder,
         "--appendonly", "no"], stdout=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=socket)

    def answers():
        with contextlib.suppress(redis.ConnectionError):
            return client.ping()
        return False
    try:
        wait_for(answers, "redis-server is ready")
        yield socket, client
    finally:
        client.close()
        process.terminate()
        process.wait()


@contextlib.contextmanager
def fed(socket, count, seconds_a_turn):
    """So many conversations that go on."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "bench" / "wall_feed.py", "--socket", socket, "--count",
         str(count), "--seconds-a-turn", str(seconds_a_turn)], stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the feeder did not begin")
        yield
    finally:
        process.terminate()
        process.wait()


def measure(count, seconds, seconds_a_turn):
    """The figures for so many conversations."""
    folder = tempfile.mkdtemp(prefix="parley-bench-")
    try:
        with server(folder) as (socket, client), fed(socket, count, seconds_a_turn):
            terminal = Terminal(socket)
            try:
                # All casts are known once they came at 40 a second; not waited for beyond that.
                time.sleep(5 + min(count / 40, 120))
                began, cpu = time.monotonic(), terminal.cpu_s()
                frames, size, asked = terminal.frames, terminal.bytes, commands(client)
                time.sleep(seconds)
                took = time.monotonic() - began
                return {"conversations": count,
                        "cpu_percent": round(100 * (terminal.cpu_s() - cpu) / took, 2),
                        "frames_per_second": round((terminal.frames - frames) / took, 2),
                        "kib_per_second": round((terminal.bytes - size) / took / 1024, 2),
                        "commands_per_second": round((commands(client) - asked) / took, 1),
                        "private_dirty_kib": terminal.memory_kib()}
            finally:
                terminal.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 2000, 4000])
    parser.add_argument("--seconds", type=float, default=20, help="each is measured so long")
    parser.add_argument("--seconds-a-turn", type=float, default=5.0)
    parser.add_argument("--cpu-limit", type=float, default=5.0, help="percent of a core")
    parser.add_argument("--json", action="store_true", help="a line each")
    options = parser.parse_args()
    bad = False
    if not options.json:
        print(f"{'conversations':>13}  {'CPU':>6}  {'frames/s':>8}  {'KiB/s':>6}  "
              f"{'commands/s':>10}  {'memory':>9}")
    for count in options.counts:
        seen = measure(count, options.seconds, options.seconds_a_turn)
        bad = bad or seen["cpu_percent"] > options.cpu_limit or seen["frames_per_second"] == 0
        if options.json:
            print(json.dumps(seen), flush=True)
        else:
            print(f"{count:>13}  {seen['cpu_percent']:>4.1f} %  "
                  f"{seen['frames_per_second']:>8.1f}  {seen['kib_per_second']:>6.1f}  "
                  f"{seen['commands_per_second']:>10.0f}  {seen['private_dirty_kib']:>5} KiB",
                  flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
