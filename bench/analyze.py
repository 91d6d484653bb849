#!/usr/bin/python3
"""Time and memory of parley analyze over a long log, beside jq over the same file in one run.

The log is made from a seed: TURNS turns of CONVERSATIONS conversations that take turns, with words,
times and token counts as a run leaves them. Then, one after the other, ROUNDS times:
  one field   jq -c .metadata.tokens_generated          the least one can ask of jq
  sums        jq -n 'reduce inputs ...'                 turns, tokens and mean times: a part of
                                                        what analyze does
  analyze     parley-analyzer FILE --json               all of it
CPU time (user and system) and the peak of resident memory are the child's own, from wait4(2).
The ratio is the least CPU time of `sums` by that of analyze: both have one thread, and a busy
machine adds to both.

Everything lies in a folder under the temp folder, which is removed. Exit status: 0, or 1 when the
ratio is under --limit or the memory over --memory.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / os.environ.get("PARLEY_BUILD", "build/release")
SUMS = ("reduce (inputs | .metadata) as $m ({}; .turns += 1"
        " | .tokens += $m.tokens_generated | .prompt += $m.prompt_tokens"
        " | .ttft += $m.time_to_first_token_ms | .wait += $m.queue_wait_ms)")
BEGIN_S = 1769855400  # 2026-01-31T10:30:00Z
NAMES = ("Ada Quill", "Bo Marsh")
MODELS = ("llama3.2:3b", "qwen3")


def some_texts(rng):
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9)))
             for _ in range(2000)]
    return [" ".join(rng.choices(words, k=rng.randint(20, 70))).capitalize() + "."
            for _ in range(5000)]


def a_turn(rng, number, conversations, texts):
    conversation, turn = f"c{number % conversations:011}", number // conversations + 1
    seat = (turn - 1) % 2
    tokens, first_ms = rng.randint(10, 90), round(rng.uniform(5, 400), 3)
    generation_ms = round(first_ms + tokens * rng.uniform(5, 30), 3)
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(BEGIN_S + number // 1000))
    return {"schema_version": "1.0", "kind": "turn",
            "queue_timestamp": f"{at}.{number % 1000:03}000Z",
            "message_id": f"{conversation}:{turn}", "role": "assistant", "to": None,
            "content": {"type": "conversation", "message": rng.choice(texts), "sentiment": None,
                        "references": []},
            "metadata": {
                "conversation_id": conversation, "sequence_number": turn, "seat": seat + 1,
                "author": NAMES[seat], "tokens_generated": tokens,
                "generation_time_ms": generation_ms, "prompt_tokens": 200 + turn % 3000,
                "time_to_first_token_ms": first_ms,
                "tokens_per_second": round(tokens / (generation_ms - first_ms) * 1000, 3),
                "queue_wait_ms": round(rng.lognormvariate(0, 1), 3), "endpoint_wait_ms": 0.1,
                "routing_ms": round(rng.uniform(0.05, 9), 3), "attempts": 1, "issue": 1,
                "provider": "ollama", "endpoint": "local", "model": MODELS[seat],
                "finish_reason": "stop", "chunks": tokens,
                "longest_gap_ms": round(rng.uniform(10, 90), 3),
                "worker_ms": round(generation_ms + rng.uniform(0.2, 2), 3), "num_ctx": 8192}}


def write_log(path, options):
    rng = random.Random(options.seed)
    texts = some_texts(rng)
    with open(path, "w", encoding="utf-8") as file:
        for number in range(options.turns):
            turn = a_turn(rng, number, options.conversations, texts)
            file.write(json.dumps(turn, ensure_ascii=False, separators=(",", ":")) + "\n")


def measure(words):
    """What it printed at its end, its CPU seconds, wall seconds and peak memory in MiB."""
    begin = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(list(map(str, words)), stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"bench: {words[0]} ended with {child.returncode}")
        out.seek(0)
        text = out.read()
    return {"cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
            "wall_s": round(time.monotonic() - begin, 3),
            "peak_mib": round(usage.ru_maxrss / 1024, 1)}, text


def check_same(sums, analysis):
    """Both must have come to the same, or the one was fast at something else."""
    totals = analysis["totals"]
    found = [totals["turns"], totals["tokens_generated"], totals["prompt_tokens"]]
    if [sums["turns"], sums["tokens"], sums["prompt"]] != found:
        raise SystemExit(f"bench: jq counted {sums}, analyze {found}")


def play(path, rounds):
    best = {}
    for _ in range(rounds):
        ways = {"one field": ["jq", "-c", ".metadata.tokens_generated", path],
                "sums": ["jq", "-n", SUMS, path],
                "analyze": [BUILD / "parley-analyzer", path, "--json"]}
        texts = {}
        for name, words in ways.items():
            one, texts[name] = measure(words)
            if name not in best or one["cpu_s"] < best[name]["cpu_s"]:
                best[name] = one
        check_same(json.loads(texts["sums"]), json.loads(texts["analyze"]))
    return best


def options_of(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=1000000)
    parser.add_argument("--conversations", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--limit", type=float, default=10.0, help="least ratio to jq's sums")
    parser.add_argument("--memory", type=float, default=64.0, help="most MiB of analyze")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(words)


def main(words):
    options = options_of(words)
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        path = pathlib.Path(folder) / "transcript.jsonl"
        write_log(path, options)
        size_mib = round(path.stat().st_size / (1 << 20), 1)
        ways = play(path, options.rounds)
    result = {"turns": options.turns, "size_mib": size_mib, "ways": ways}
    for name in ["sums", "one field"]:
        result[f"ratio_{name.replace(' ', '_')}"] = round(
            ways[name]["cpu_s"] / max(ways["analyze"]["cpu_s"], 1e-3), 2)
    kept = (result["ratio_sums"] >= options.limit
            and ways["analyze"]["peak_mib"] <= options.memory)
    print(f"analyze: {options.turns} turns, {size_mib} MiB")
    for name, one in ways.items():
        print(f"  {name:10} {one['cpu_s']:8.2f} s CPU  {one['wall_s']:8.2f} s wall"
              f"  {one['peak_mib']:7.1f} MiB")
    print(f"  ratio to sums {result['ratio_sums']}, to one field {result['ratio_one_field']};"
          f" limit {options.limit}, {options.memory} MiB: {'kept' if kept else 'MISSED'}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
