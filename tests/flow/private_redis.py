"""A redis-server of the tests' own, on a Unix socket in a folder of its own.

It never touches another Redis: no port is opened.
"""
import shutil
import subprocess
import tempfile
import time

import redis

START_LIMIT_S = 10


class PrivateRedis:
    """A redis-server of our own; `stop` leaves neither process nor file behind."""

    def __init__(self):
        # Not pytest's tmp_path: a socket's path must stay under 108 bytes.
        self.folder = tempfile.mkdtemp(prefix="parley-")
        self.socket = self.folder + "/redis.sock"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder,
             "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"],
            stdout=subprocess.DEVNULL)

    def client(self):
        # What is stored need not be UTF-8.
        return redis.Redis(unix_socket_path=self.socket, decode_responses=True,
                           encoding_errors="surrogateescape")

    def wait_ready(self):
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                return self.client().ping()
            except redis.ConnectionError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
