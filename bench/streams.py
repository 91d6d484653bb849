#!/usr/bin/python3
"""CPU time per streamed token of the workers, beside plain libcurl that reads the same streams.

A simulator streams replies of TOKENS tokens (some 4 letters each) at a fixed pace. A round asks
it twice, the one after the other, never at once:
  floor   bench/reader.c: libcurl and epoll, reads and throws away; its own CPU clock.
  worker  a manager and two workers play as many conversations as there are streams, each of as
          many turns as the reader makes calls; the CPU clocks of both workers, from before the
          conversations are asked for until they have ended. So all a worker does is in it:
          the prompt, reading the stream, cleaning the reply, the live view, leases, commits.
Both divide by the tokens the server counted. Ratio = median / median of the rounds.

It starts everything it needs in a folder under the temp folder and leaves nothing behind. Exit
status: 0, or 1 when a ratio is over --limit.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

from bench import BUILD, K, START_LIMIT_S, Server, carry_out, say, wait_for

WIRES = {"ollama": "/api/chat", "openai": "/v1/chat/completions"}
MODEL = "llama3.2"
STORY = {"setting": "A pier at night.", "characters": [], "initial_situation": "It rains.",
         "personas": [{"name": name, "role": "walker", "traits": ["dry"], "goal": "to get home",
                       "style": "short"} for name in ("Ada", "Bo")]}
WORKERS = ("worker-1-1", "worker-2-1")


def cpu_us(pid):
    """Of another process: the clock that clock_getcpuclockid(3) names."""
    return time.clock_gettime(((~pid) << 3) | 2) * 1e6


class Bench:
    """A simulator of the pace asked for, and all programs that talk to it."""

    def __init__(self, server, folder, options):
        self.server, self.folder, self.options = server, folder, options
        self.url = f"unix://{server.socket}"
        self.processes = []
        with open(f"{folder}/story.json", "w", encoding="utf-8") as file:
            json.dump(STORY, file)

    def start(self, program, *words):
        path = f"{self.folder}/{len(self.processes)}.log"
        with open(path, "wb") as log:
            process = subprocess.Popen([BUILD / program, *map(str, words)], stdout=log,
                                       stderr=log, stdin=subprocess.DEVNULL)
        process.log = pathlib.Path(path)
        self.processes.append(process)
        return process

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def simulator(self, case):
        """Its URL."""
        process = self.start(
            "parley-simulator", "--listen", "127.0.0.1:0", "--seed", 7, "--jitter", 0,
            "--first-token-ms", 20, "--tokens-per-second", case["rate"], "--parallel", 256,
            "--reply-tokens", f"{self.options.tokens}..{self.options.tokens}")
        listening = re.compile(r"listening on (\S+)\n")
        wait_for(lambda: listening.search(process.log.read_text()), "the simulator listens",
                 START_LIMIT_S)
        return listening.search(process.log.read_text()).group(1)

    def run_floor(self, url, case):
        """µs a token of the reader."""
        body = {"model": MODEL, "stream": True, "max_tokens": 100000,
                "options": {"num_predict": 100000, "num_ctx": 8192},
                "messages": [{"role": "system", "content": "You are Ada, walker."},
                             {"role": "user", "content": "It rains. Say something."}]}
        path = f"{self.folder}/body.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(body, file)
        done = subprocess.run([BUILD / "bench/reader", url + WIRES[case["wire"]],
                               str(case["streams"]), str(case["turns"]), path],
                              capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        seen = json.loads(done.stdout)
        tokens = seen["calls"] * self.options.tokens
        return {"us": seen["cpu_us"] / tokens, "bytes_per_token": seen["bytes"] / tokens,
                "tokens_per_second": tokens / seen["wall_us"] * 1e6}

    def config(self, url, case):
        """The path of one whose built-in endpoint has no window: all streams run at once."""
        url += "/v1" if case["wire"] == "openai" else ""
        path = f"{self.folder}/config.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"endpoints": {case["wire"]: {"provider": case["wire"], "url": url,
                                                    "window": "none"}}}, file)
        return path

    def crew(self, url, case):
        """The pids of the two workers, ready."""
        self.server.db.flushall()
        words = ["--redis", self.url, "--model", MODEL, "--num-predict", 4000, "--provider",
                 case["wire"], "--config", self.config(url, case)]
        self.start("parley-manager", *words)
        pids = [self.start("parley-worker", "--seat", seat, "--concurrency", case["streams"],
                           *words).pid for seat in (1, 2)]
        locks = [f"{K}member:{name}:lock" for name in ("manager-1", *WORKERS)]
        wait_for(lambda: self.server.db.exists(K + "leader", *locks) == 4, "the crew is ready",
                 START_LIMIT_S)
        return pids

    def ended(self):
        db = self.server.db
        return sum(db.hget(f"{K}conversation:{one}", "state") == "ended"
                   for one in db.zrange(K + "conversations", 0, -1))

    def run_workers(self, url, case):
        """µs a token of both workers together."""
        pids = self.crew(url, case)
        before = [cpu_us(pid) for pid in pids]
        began = time.monotonic()
        done = subprocess.run(
            [BUILD / "parley", "start", "--redis", self.url, "--story",
             f"{self.folder}/story.json", "--turns", str(case["turns"]), "--duration", "none",
             "--conversations", str(case["streams"])],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        limit_s = START_LIMIT_S + 20 * case["turns"] * self.options.tokens / case["rate"]
        wait_for(lambda: self.ended() == case["streams"], "the conversations end", limit_s, 0.1)
        used = [cpu_us(pid) - start for pid, start in zip(pids, before)]
        seconds = time.monotonic() - began
        calls = [fields for _, fields in self.server.db.xrange(K + "calls")]
        wanted = case["streams"] * case["turns"]
        if [call["outcome"] for call in calls] != ["done"] * wanted:
            raise RuntimeError(f"{len(calls)} calls of {wanted}, not all done: {calls[-1:]}")
        tokens = sum(int(call["tokens_generated"]) for call in calls)
        return {"us": sum(used) / tokens, "tokens": tokens,
                "tokens_per_second": tokens / seconds}

    def run_case(self, case):
        rounds = []
        try:
            for number in range(self.options.rounds):
                say(f"{case['wire']}, {case['streams']} streams of {case['rate']} tokens/s: "
                    f"round {number + 1} of {self.options.rounds}")
                url = self.simulator(case)
                rounds.append({"floor": self.run_floor(url, case),
                               "worker": self.run_workers(url, case)})
                self.stop()
        finally:
            self.stop()
        floor, worker = (statistics.median(one[side]["us"] for one in rounds)
                         for side in ("floor", "worker"))
        last = rounds[-1]
        return {**case, "floor_us": round(floor, 2), "worker_us": round(worker, 2),
                "ratio": round(worker / floor, 3), "tokens_a_round": last["worker"]["tokens"],
                "bytes_per_token": round(last["floor"]["bytes_per_token"], 1),
                "floor_tokens_per_second": round(last["floor"]["tokens_per_second"]),
                "worker_tokens_per_second": round(last["worker"]["tokens_per_second"]),
                "rounds": [{"floor_us": round(one["floor"]["us"], 2),
                            "worker_us": round(one["worker"]["us"], 2)} for one in rounds]}


def print_table(result):
    print(f"\nCPU per streamed token; median of {result['rounds']} rounds, replies of "
          f"{result['tokens']} tokens, a manager and two workers")
    row = "  {:<7} {:>7} {:>10} {:>11} {:>13} {:>9} {:>7} {:>16}"
    print(row.format("wire", "streams", "tokens/s", "bytes/token", "plain libcurl", "workers",
                     "ratio", "tokens/s in all"))
    for one in result["cases"]:
        print(row.format(one["wire"], one["streams"], one["rate"], one["bytes_per_token"],
                         f"{one['floor_us']} us", f"{one['worker_us']} us", one["ratio"],
                         f"{one['floor_tokens_per_second']}, {one['worker_tokens_per_second']}"))
    print(f"\nhighest ratio {result['ratio']}, limit {result['limit']}: "
          + ("kept" if result["ok"] else "EXCEEDED"))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=3, help="of floor and workers in turns [3]")
    parser.add_argument("--tokens", type=int, default=500, help="of a reply [500]")
    parser.add_argument("--turns", type=int, default=16, help="of one stream's conversation [16]")
    parser.add_argument("--many-turns", type=int, default=3, help="where there are more [3]")
    parser.add_argument("--streams", type=int, action="append",
                        help="at once; may be repeated [1, 64]")
    parser.add_argument("--rate", type=float, default=2000, help="tokens a second [2000]")
    parser.add_argument("--many-rate", type=float, default=200,
                        help="of each, where there are more streams than one [200]")
    parser.add_argument("--wire", action="append", choices=tuple(WIRES),
                        help="may be repeated [all]")
    parser.add_argument("--limit", type=float, default=2.0, help="the highest ratio [2.0]")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    options.streams = options.streams or [1, 64]
    options.wire = options.wire or list(WIRES)
    if min(options.rounds, options.tokens, options.turns, options.many_turns,
           *options.streams) < 1:
        parser.error("counts begin at 1")
    return options


def measure(server, folder, options):
    bench = Bench(server, folder, options)
    cases = [bench.run_case({"wire": wire, "streams": streams,
                             "rate": options.rate if streams == 1 else options.many_rate,
                             "turns": options.turns if streams == 1 else options.many_turns})
             for wire in options.wire for streams in options.streams]
    ratio = max(one["ratio"] for one in cases)
    return {"rounds": options.rounds, "tokens": options.tokens, "cases": cases, "ratio": ratio,
            "limit": options.limit, "ok": ratio <= options.limit}


if __name__ == "__main__":
    sys.exit(carry_out(parse_options(), measure, print_table))
