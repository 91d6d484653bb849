"""A fleet whose Redis is harmed while conversations go on, and what must hold afterwards.

One fleet serves all tests of a file; each test begins conversations of its own.
"""
import contextlib
import os
import pathlib
import re
import sys
import threading
import time

import pytest
import redis

from helpers import (FAST, Fleet, Sandbox, assert_once_and_in_order, story_file, turns_of,
                     wait_for)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "chaos"))

IS_LONG = os.environ.get("PARLEY_PROOF") == "long"
HARM_S = 10 if IS_LONG else 0.5
TALKS = 2
PROGRESS = 6  # turns of a conversation
LEASE = ["--lease", "10s"]


def logged(fleet):
    """What all processes of the fleet have said so far."""
    return "".join(open(process.err_path, encoding="utf-8", errors="replace").read()
                   for process in fleet.box.started if hasattr(process, "err_path"))


class Harmed:
    """Conversations of a fleet under harm."""

    def __init__(self, fleet, *options, talks=TALKS):
        self.fleet = fleet
        self.ids = fleet.begin("--story", story_file(fleet.box), "--conversations", talks,
                               "--turns", 100000, "--duration", "none", *options).split()
        self.wait_progress()

    def turns(self):
        return {one: int(self.fleet.talk(one).get("turns") or 0) for one in self.ids}

    def are_over(self):
        return all(self.fleet.talk(one)["state"] in ("ended", "failed") for one in self.ids)

    def wait_progress(self, count=PROGRESS, limit_s=30):
        """Each conversation goes on; the seconds until the first did, and until all had."""
        before, began = self.turns(), time.monotonic()
        wait_for(lambda: self.turns() != before, "a turn is taken", limit_s)
        first = time.monotonic() - began
        wait_for(lambda: all(now >= before[one] + count for one, now in self.turns().items()),
                 f"each conversation is {count} turns further", limit_s)
        return first, time.monotonic() - began

    def end(self, settled=True):
        """Stops them; nothing is lost, doubled or (settled) left."""
        for one in self.ids:
            done = self.fleet.box.parley("stop", one)
            assert done.returncode == 0, done.stderr
        for one in self.ids:
            self.fleet.wait_end(one)
            transcript = self.fleet.transcript(one)
            count = len(turns_of(transcript))
            assert count == int(self.fleet.talk(one)["turns"])
            assert_once_and_in_order(transcript, count)
        if settled:
            self.fleet.wait_settled()
        for process in self.fleet.box.started:
            assert process.poll() is None, process.args


def lines_of(fleet, pattern):
    return [line for line in logged(fleet).splitlines() if re.search(pattern, line)]


@contextlib.contextmanager
def repeating(act, every_s):
    """Does it again and again while the body runs; how often is in the list it yields."""
    over, done = threading.Event(), []

    def run():
        while not over.wait(every_s):
            with contextlib.suppress(redis.RedisError):
                act()
                done.append(time.monotonic())
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def harm_fleet(connect=None):
    """A manager and two workers of four slots; connect(fleet) may put something between them
    and Redis, and returns a context manager that yields its URL."""
    box = Sandbox()
    try:
        fleet = Fleet(box, "--enable-debug-command", "yes", "--enable-protected-configs", "yes")
        with contextlib.ExitStack() as stack:
            if connect:
                fleet.proxy = stack.enter_context(connect(fleet))
                box.env["PARLEY_REDIS"] = f"redis://{fleet.proxy.host}:{fleet.proxy.port}"
            fleet.simulator(*FAST, "--parallel", 64)
            fleet.services = [fleet.manager("--patience", "2s")]
            fleet.services += [fleet.worker(seat, "--concurrency", 4, *LEASE) for seat in (1, 2)]
            fleet.wait_ready("manager-1", "worker-1-1", "worker-2-1")
            yield fleet
            box.stop_all()
            box.assert_nothing_left()
            box.assert_no_report()
    finally:
        box.close()


@pytest.fixture(scope="module")
def fleet():
    with harm_fleet() as made:
        yield made
