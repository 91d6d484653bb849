#!/usr/bin/python3
"""What parley adds to a turn, beside a bare ping-pong on the same redis-server in the same run.

Added time per turn: one conversation whose turns are answered by `echo` at once, by one manager
and two workers, caches warm: all its time is parley's. The figure of a round is
(`at` of the last turn - `at` of turn WARM) / (turns between), `at` being Redis' own clock.
The floor: bench/pingpong.c, two hops a turn, message of the same size, on the same transport.
Both alternate; neither runs while the other does. Ratio = median / median of the rounds.
Turns per second: many conversations at once; the turns between the 10th and the 90th percentile
of their `at`, divided by that time, so that beginning and end do not count.

It starts everything it needs in a folder under the temp folder and leaves nothing behind. Never
touches a Redis that runs already. Exit status: 0, or 1 when the ratio is over --limit.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import redis

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / os.environ.get("PARLEY_BUILD", "build/release")
K = "parley:{0}:"
WARM = 100
BODY_BYTES = 1100  # of the ping-pong; a turn's message comes to 1.05 to 1.1 KB, see STORY
START_LIMIT_S = 15
TURN_LIMIT_S = 0.05  # a turn that takes longer has hung, also on a busy machine

# What echo says quotes twelve words of the topic in 160 bytes at most. Names of the 80 letters
# that are allowed bring the message to the size that replies of a model have.
TOPIC = ("clockmakers' extraordinary misunderstandings concerning perpetually malfunctioning "
         "astronomical instruments, international cooperation, institutional responsibilities")
LETTERS = "ÄÖÜßéèñçåøæþðłšžčřůêëïîôûÿ" * 4
STORY = {"setting": "A workshop.", "characters": [], "initial_situation": "It begins.",
         "personas": [{"name": f"Ada {n} {LETTERS}"[:80], "role": "clockmaker",
                       "traits": ["patient"], "goal": "to mend it", "style": "plain"}
                      for n in (1, 2)]}


def wait_for(condition, what, limit_s, every_s=0.02):
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {limit_s:.0f} s in vain: {what}")
        time.sleep(every_s)


class Server:
    """A private redis-server on TCP loopback and a Unix socket, AOF everysec."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.socket = f"{folder}/redis.sock"
        with open(f"{folder}/redis.log", "wb") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port),
                 "--unixsocket", self.socket, "--dir", str(folder), "--save", "",
                 "--appendonly", "yes", "--appendfsync", "everysec",
                 # A rewrite would fall into the round of one side.
                 "--auto-aof-rewrite-percentage", "0", "--maxmemory-policy", "noeviction"],
                stdout=log, stderr=log)
        self.db = redis.Redis(unix_socket_path=self.socket, decode_responses=True)
        wait_for(self.answers, "redis-server answers", START_LIMIT_S)

    def answers(self):
        with contextlib.suppress(redis.ConnectionError):
            return self.db.ping()
        if self.process.poll() is not None:
            raise RuntimeError("redis-server did not start")
        return False

    def where(self, transport):
        """For pingpong, and as a URL for parley."""
        if transport == "unix":
            return self.socket, f"unix://{self.socket}"
        return f"127.0.0.1:{self.port}", f"redis://127.0.0.1:{self.port}"

    def stop(self):
        self.process.kill()
        self.process.wait()


class Fleet:
    """One manager and two workers of an empty Redis, ready; gone at the end."""

    def __init__(self, server, url, folder, concurrency=1):
        self.server, self.db, self.url, self.folder = server, server.db, url, folder
        self.concurrency, self.processes = concurrency, []

    def __enter__(self):
        self.db.flushall()
        self.start("parley-manager")
        for seat in ("1", "2"):
            self.start("parley-worker", "--seat", seat, "--concurrency", str(self.concurrency))
        try:
            wait_for(self.ready, "manager and workers are ready", START_LIMIT_S)
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, program, *options):
        with open(f"{self.folder}/fleet.log", "ab") as log:
            self.processes.append(subprocess.Popen(
                [BUILD / program, "--redis", self.url, "--provider", "echo", *options],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def ready(self):
        if any(process.poll() is not None for process in self.processes):
            raise RuntimeError("a program of the fleet ended:\n" + self.log())
        locks = ("manager-1", "worker-1-1", "worker-2-1")
        return self.db.exists(K + "leader", *(f"{K}member:{name}:lock" for name in locks)) == 4

    def log(self):
        return pathlib.Path(f"{self.folder}/fleet.log").read_text(errors="replace")[-2000:]

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def play(self, turns, conversations=1):
        """Plays to the end; the ids."""
        done = subprocess.run(
            [BUILD / "parley", "start", "--redis", self.url, "--dry-run", "--story",
             f"{self.folder}/story.json", "--topic", TOPIC, "--duration", "none", "--turns",
             str(turns), "--conversations", str(conversations)],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        ids = done.stdout.split()
        if len(ids) != conversations:
            raise RuntimeError(f"parley start: {done.stderr}")
        limit_s = START_LIMIT_S + turns * conversations * TURN_LIMIT_S
        # Seldom: looking takes Redis' time.
        wait_for(lambda: self.ended() == conversations, "the conversations end", limit_s, 0.15)
        for one in ids:
            state = self.db.hgetall(f"{K}conversation:{one}")
            if (state["reason"], int(state["turns"])) != ("turns", turns):
                raise RuntimeError(f"{one} ended otherwise: {state}\n" + self.log())
        return ids

    def ended(self):
        """How many have; 0 while any is under way, which one ZCARD tells."""
        if self.db.zcard(K + "due") > 0:
            return 0
        ids = self.db.zrange(K + "conversations", 0, -1)
        return sum(self.db.hget(f"{K}conversation:{one}", "state") == "ended" for one in ids)

    def stamps(self, conversation):
        """`at` of each turn, in µs."""
        entries = self.db.xrange(f"{K}transcript:{conversation}")
        return [int(fields["at"]) for _, fields in entries if fields["kind"] == "turn"]

    def sizes(self, conversation):
        """Mean bytes of a turn's message, and of all fields of an entry of each stream."""
        def mean(key, measure):
            entries = [fields for _, fields in self.db.xrevrange(key, count=100)]
            return round(statistics.mean(map(measure, entries)))

        def whole(fields):
            return sum(len((name + value).encode()) for name, value in fields.items())
        transcript = f"{K}transcript:{conversation}"
        return {"message": mean(transcript, lambda fields: len(fields["message"].encode())),
                "transcript_entry": mean(transcript, whole),
                "request_entry": mean(K + "request:1", whole),
                "response_entry": mean(K + "response:1", whole),
                "pingpong_message": BODY_BYTES}


def run_floor(where, rounds, mode):
    """µs of two hops."""
    done = subprocess.run([BUILD / "bench/pingpong", where, str(rounds), str(BODY_BYTES), mode],
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return 2 * json.loads(done.stdout)["us_per_hop"]


def run_one(server, url, folder, turns):
    """µs a turn of one conversation, the turns' percentiles, and the sizes of what is sent."""
    with Fleet(server, url, folder) as fleet:
        conversation, = fleet.play(turns)
        at = fleet.stamps(conversation)[min(WARM, turns // 2):]
        gaps = sorted(b - a for a, b in zip(at, at[1:]))
        return {"us": (at[-1] - at[0]) / len(gaps), "p50": gaps[len(gaps) // 2],
                "p99": gaps[len(gaps) * 99 // 100], "sizes": fleet.sizes(conversation)}


def run_many(server, url, folder, conversations, turns):
    """Turns per second of many conversations."""
    with Fleet(server, url, folder, concurrency=64) as fleet:
        ids = fleet.play(turns, conversations)
        at = sorted(stamp for one in ids for stamp in fleet.stamps(one))
    first, last = len(at) // 10, len(at) * 9 // 10
    return {"conversations": conversations, "turns_each": turns,
            "turns_per_second": round((last - first) / (at[last] - at[first]) * 1e6)}


def measure_transport(server, transport, folder, options):
    where, url = server.where(transport)
    rounds = []
    for number in range(options.rounds):
        say(f"{transport}: round {number + 1} of {options.rounds}")
        rounds.append({"plain": run_floor(where, options.floor_rounds, "plain"),
                       "pipelined": run_floor(where, options.floor_rounds, "pipelined"),
                       "parley": run_one(server, url, folder, options.turns)})
    median = {name: statistics.median(one[name] for one in rounds)
              for name in ("plain", "pipelined")}
    turn = statistics.median(one["parley"]["us"] for one in rounds)
    return {"transport": transport, "floor_us": round(median["plain"], 1),
            "floor_pipelined_us": round(median["pipelined"], 1), "turn_us": round(turn, 1),
            "turn_p50_us": statistics.median(one["parley"]["p50"] for one in rounds),
            "turn_p99_us": statistics.median(one["parley"]["p99"] for one in rounds),
            "ratio": round(turn / median["plain"], 3),
            "ratio_pipelined": round(turn / median["pipelined"], 3),
            "rounds": [{"floor_us": round(one["plain"], 1),
                        "floor_pipelined_us": round(one["pipelined"], 1),
                        "turn_us": round(one["parley"]["us"], 1)} for one in rounds],
            "bytes": rounds[-1]["parley"]["sizes"]}


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def print_table(result):
    print(f"\nAdded time per turn, one conversation, echo; median of {result['rounds']} rounds, "
          f"AOF everysec, messages of {result['added'][0]['bytes']['message']} bytes")
    row = "  {:<10} {:>15} {:>15} {:>12} {:>9} {:>9} {:>8} {:>11}"
    print(row.format("transport", "two hops, plain", "pipelined", "parley", "p50", "p99", "ratio",
                     "(pipelined)"))
    for one in result["added"]:
        print(row.format(one["transport"], f"{one['floor_us']} us",
                         f"{one['floor_pipelined_us']} us", f"{one['turn_us']} us",
                         f"{one['turn_p50_us']:.0f} us", f"{one['turn_p99_us']:.0f} us",
                         one["ratio"], one["ratio_pipelined"]))
    print("\nTurns per second, echo, a manager and two workers with --concurrency 64, TCP")
    for one in result["throughput"]:
        print(f"  {one['conversations']:>5} conversations: {one['turns_per_second']} turns/s")
    print(f"\nratio {result['ratio']} (TCP, beside plain hiredis), limit {result['limit']}: "
          + ("kept" if result["ok"] else "EXCEEDED"))


def measure(server, folder, options):
    with open(f"{folder}/story.json", "w", encoding="utf-8") as file:
        json.dump(STORY, file)
    added = [measure_transport(server, transport, folder, options)
             for transport in options.transport]
    throughput = []
    for conversations in options.many:
        say(f"{conversations} conversations at once")
        turns = max(2, options.many_turns // conversations)
        throughput.append(run_many(server, server.where("tcp")[1], folder, conversations, turns))
    ratio = added[0]["ratio"]
    return {"rounds": options.rounds, "turns": options.turns, "added": added,
            "throughput": throughput, "ratio": ratio, "limit": options.limit,
            "ok": ratio <= options.limit}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5, help="of floor and parley in turns [5]")
    parser.add_argument("--turns", type=int, default=3000, help="of a round's conversation [3000]")
    parser.add_argument("--floor-rounds", type=int, default=3000, help="round trips [3000]")
    parser.add_argument("--transport", action="append", choices=("tcp", "unix"),
                        help="the first one given is judged [tcp, unix]")
    parser.add_argument("--many", type=int, action="append",
                        help="conversations at once; may be repeated [64, 1000]")
    parser.add_argument("--many-turns", type=int, default=50000,
                        help="turns of all of them together [50000]")
    parser.add_argument("--limit", type=float, default=2.0, help="the highest ratio [2.0]")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    options.transport = options.transport or ["tcp", "unix"]
    options.many = options.many or [64, 1000]
    if min(options.rounds, options.floor_rounds, options.many_turns, *options.many) < 1:
        parser.error("counts begin at 1")
    if options.turns < 4:
        parser.error("--turns: at least 4")
    return options


def carry_out(options, measure_with, print_result):
    """The exit status. Measures with a server in a folder that is gone afterwards."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of the finally below
    # Not the folder of the checkout: a socket's path must stay under 108 bytes.
    folder = tempfile.mkdtemp(prefix="parley-bench-")
    server = None
    try:
        server = Server(folder)
        result = measure_with(server, folder, options)
    except RuntimeError as error:
        say(f"failed: {error}")
        return 1
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print_result(result)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(carry_out(parse_options(), measure, print_table))
