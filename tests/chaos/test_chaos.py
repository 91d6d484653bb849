"""A fleet under random faults loses nothing and doubles nothing: the oracle judges, in short.

The seed is drawn and printed; PARLEY_TEST_SEED repeats a run of it. The long forms are
`make chaos` (tests/chaos/chaos.py).
"""
import os
import random

import pytest

import chaos
from helpers import IS_ASAN

SEED = int(os.environ.get("PARLEY_TEST_SEED") or random.SystemRandom().randrange(10**6))
EVERY_MS = 200  # a killed leader is waited for: more often would be a test of patience
TURNS = 160 if IS_ASAN else 240  # halves of it are shared by 10 conversations without a rest


def hold(capsys, **wish):
    """The figures of a run that broke no invariant."""
    with capsys.disabled():
        print(f"\n  PARLEY_TEST_SEED={SEED} {wish}")
    told = []
    figures = chaos.run(told.append, seed=SEED, conversations=10, limit_s=60, **wish)
    assert figures["violations"] == [], "\n".join([*told, *figures["violations"][:20]])
    assert figures["turns"] >= wish["turns"]
    return figures


def test_workers_and_managers_killed_at_random_lose_and_double_nothing(capsys):
    """A1: kill -9 of a random worker or manager five times a second, to the last turn."""
    figures = hold(capsys, mode="kill", turns=TURNS, every_ms=EVERY_MS)
    assert figures["kills"] >= 2


def test_processes_that_stand_still_and_go_on_lose_and_double_nothing(capsys):
    """A6, A7: SIGSTOP of a random worker or manager for up to three leases, then SIGCONT."""
    figures = hold(capsys, mode="stop", turns=TURNS, every_ms=EVERY_MS)
    assert figures["stops"] >= 1


@pytest.mark.parametrize("mode, kills", [("redis", 3), ("tail", 2)])
def test_redis_killed_under_load_loses_and_doubles_nothing(capsys, mode, kills):
    """B1, B12: kill -9 of redis-server while turns are made; its AOF whole, or cut."""
    figures = hold(capsys, mode=mode, turns=TURNS // 2, every_ms=EVERY_MS, kills=kills,
                   fsync="always")
    assert figures["redis_kills"] == kills


def test_faults_between_fleet_redis_and_model_server_lose_and_double_nothing(capsys):
    """B4, B5: delays, resets and closes in mid-reply at Redis and at the model server."""
    hold(capsys, mode="proxy", turns=TURNS // 2, every_ms=EVERY_MS)
