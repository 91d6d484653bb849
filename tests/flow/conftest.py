"""Fixtures of the flow tests: a private redis-server, which ends with the session."""
import os

import pytest

from model_servers import FIGURES
from private_redis import PrivateRedis


def pytest_terminal_summary(terminalreporter):
    """`make proof` is run for its figures."""
    if "PARLEY_PROOF" in os.environ:
        for line in FIGURES:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def redis_server():
    server = PrivateRedis()
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture
def db(redis_server):
    """A client of an empty Redis."""
    client = redis_server.client()
    client.flushall()
    yield client
    client.close()
