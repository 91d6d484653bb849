"""Programs that the system gives few descriptors or little memory: nothing hangs or is lost."""
import json
import re
import resource
import subprocess

import pytest

from helpers import (BUILD, IS_ASAN, Fleet, assert_once_and_in_order, box, story_file, turns_of,
                     wait_for)  # noqa: F401 - box is a fixture

TALKS = 40
TURNS = 2
STREAMS = 64


@pytest.fixture
def fleet(box):  # noqa: F811
    """A manager and a simulator with which many calls are under way at once."""
    found = Fleet(box)
    simulator = box.start("--listen", "127.0.0.1:0", "--tokens-per-second", 0, "--first-token-ms",
                          200, "--parallel", 1000, program="parley-simulator")
    url = wait_for(lambda: re.search(r"listening on (\S+)\n", text_of(simulator.out_path)),
                   "the simulator listens").group(1)
    config = {"endpoints": {"ollama": {"provider": "ollama", "url": url, "window": "none"}}}
    with open(box.path("config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    box.env["PARLEY_CONFIG"] = box.path("config.json")
    box.start("--lease", "1s", program="parley-manager")
    yield found
    box.stop_all()


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def start_worker(box, seat, *prlimit):  # noqa: F811
    words = [BUILD / "parley-worker", "--seat", seat, "--concurrency", STREAMS, "--lease", "1s"]
    if not prlimit:
        return box.start(*words[1:], program="parley-worker")
    return box.start(*prlimit, *words, program="/usr/bin/prlimit")


def start_talks(box):  # noqa: F811
    done = box.parley("start", "--conversations", TALKS, "--turns", TURNS, "--duration", "none",
                      "--story", story_file(box))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def assert_all_done(fleet, talks):
    wait_for(lambda: all(fleet.talk(one).get("state") == "ended" for one in talks),
             "all conversations end")
    for one in talks:
        transcript = fleet.transcript(one)
        assert len(turns_of(transcript)) == TURNS
        assert_once_and_in_order(transcript, TURNS)


def test_workers_with_32_descriptors_and_64_streams_say_so_and_do_all_turns(box, fleet):  # noqa: F811
    """G3: calls that get no descriptor wait for their turn; no process ends of it."""
    workers = [start_worker(box, seat, "--nofile=32") for seat in (1, 2)]
    talks = start_talks(box)
    assert_all_done(fleet, talks)
    assert [worker.poll() for worker in workers] == [None, None]
    assert any("call failed" in text_of(worker.err_path) for worker in workers)


@pytest.mark.skipif(IS_ASAN, reason="ASan's shadow alone takes terabytes of address space")
def test_a_worker_without_memory_ends_with_71_and_its_successor_does_all_turns(box, fleet):  # noqa: F811
    """G3: no address space is left when the work comes: one line, a status of its own."""
    poor = start_worker(box, 1)
    start_worker(box, 2)
    wait_for(lambda: "worker ready" in text_of(poor.err_path), "the worker is ready")
    size_kb = int(re.search(r"VmSize:\s+(\d+) kB", text_of(f"/proc/{poor.pid}/status")).group(1))
    resource.prlimit(poor.pid, resource.RLIMIT_AS, (size_kb * 1024, size_kb * 1024))
    talks = start_talks(box)
    assert poor.wait(30) == 71
    assert text_of(poor.err_path).endswith("out of memory\n")
    start_worker(box, 1)
    assert_all_done(fleet, talks)


def test_a_run_with_32_descriptors_tells_why_its_redis_does_not_start(box):  # noqa: F811
    """G3: redis-server asks for more than that; what it said is shown, the status is 1."""
    done = subprocess.run(
        ["/usr/bin/prlimit", "--nofile=32", BUILD / "parley", "run", "--provider", "echo",
         "--turns", "2", "--story", story_file(box), "--observe", "none", "--out",
         box.path("out")], env=box.env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert "redis-server keeps dying (exit status 1)" in done.stderr
    assert "'ulimit -n' of 32 is not enough" in done.stderr
    box.wait_alone()
