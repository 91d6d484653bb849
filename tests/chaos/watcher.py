"""Reads a fleet's transcripts live, as an observer does, and knows who holds which name.

What it saw is evidence (oracle I7): a reader that follows a transcript sees its turns in order
and never another past than before, but where Redis itself lost some of it. It reads the
Redis of the rig directly, never through a fault proxy.
"""
import threading

import redis

from helpers import wait_for

K = "parley:{0}:"
BLOCK_MS = 200
GONE_ERRORS = (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError)


class Watcher:
    """start(), follow(ids), at the end stop() and seen(). The thread owns its client."""

    def __init__(self, db):
        self.db = db
        self.names = redis.Redis(connection_pool=db.connection_pool)
        self.lock = threading.Lock()
        self.cursors = {}  # conversation -> last id
        self.turns = {}  # conversation -> [(entry, turn, at_us)]
        self.went_back = []  # µs: what had been seen was there no more
        self.run_id = None
        self.nonces = {}  # pid -> letters
        self.closing = threading.Event()
        self.given_up = False
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()

    def stop(self):
        """Reads what is left, then no more."""
        self.closing.set()
        if self.thread.ident is not None:
            self.thread.join()

    def abandon(self):
        """As stop(), but Redis may be gone for good."""
        self.given_up = True
        self.stop()

    def follow(self, conversations):
        with self.lock:
            for one in conversations:
                self.cursors[one] = "0"
                self.turns[one] = []

    def forget(self, conversation):
        """What was judged and removed; it need not be there the next time."""
        with self.lock:
            del self.cursors[conversation], self.turns[conversation]

    def seen(self):
        with self.lock:
            return {one: list(turns) for one, turns in self.turns.items()}

    def rewinds(self):
        with self.lock:
            return list(self.went_back)

    def run(self):
        while not self.closing.is_set():
            try:
                self.check_past()
                while not self.closing.is_set():
                    self.read(BLOCK_MS)
            except GONE_ERRORS:
                self.closing.wait(0.02)
                self.run_id = None  # it may be another now
        wait_for(self.read_rest, "the reader reads the rest", 20)

    def read_rest(self):
        if self.given_up:
            return True
        try:
            self.check_past()
            return not self.read(None)
        except GONE_ERRORS:
            return False

    def read(self, block_ms):
        with self.lock:
            streams = {f"{K}transcript:{one}": last for one, last in self.cursors.items()}
        if not streams:
            self.closing.wait(0.01)
            return False
        found = self.db.xread(streams, count=1000, block=block_ms)
        seconds, micros = self.db.time()
        with self.lock:
            for key, entries in found:
                self.take(key.rsplit(":", 1)[1], entries, seconds * 1000000 + micros)
        return bool(found)

    def take(self, conversation, entries, at_us):
        if conversation not in self.cursors:
            return  # forgotten while it was read
        self.cursors[conversation] = entries[-1][0]
        self.turns[conversation] += [(entry, int(fields["turn"]), at_us)
                                     for entry, fields in entries if fields["kind"] == "turn"]

    def check_past(self):
        """After a connection was lost: is what was seen last there still? If not, from the
        beginning again, and the rewind is told of."""
        run_id = self.db.info("server")["run_id"]
        if run_id == self.run_id:
            return
        for one, last in list(self.cursors.items()):
            key = f"{K}transcript:{one}"
            if last != "0" and not self.db.xrange(key, last, last):
                seconds, micros = self.db.time()
                with self.lock:
                    self.went_back.append(seconds * 1000000 + micros)
                    self.cursors[one] = "0"
        self.run_id = run_id

    # ---- names ----

    def forget_pid(self, pid):
        """It is another process' now."""
        self.nonces.pop(pid, None)

    def letters(self, pid):
        """Of a worker's nonce, as its calls' ids have them; "": it holds no name yet."""
        if pid not in self.nonces:
            members = self.names.zrange(K + "members", 0, -1)
            pipeline = self.names.pipeline()
            for name in members:
                pipeline.hget(f"{K}member:{name}", "pid")
                pipeline.get(f"{K}member:{name}:lock")
            found = pipeline.execute()
            for held_by, nonce in zip(found[::2], found[1::2]):
                if held_by and nonce:
                    self.nonces[int(held_by)] = nonce[:4]
        return self.nonces.get(pid, "")
