"""A proxy that does harm: between programs and Redis, or programs and a model server.

    with Proxy("/run/redis.sock", seed=7) as proxy:       # or ("127.0.0.1", 11434)
        proxy.rules = [{"kind": "delay", "ms": 200, "jitter_ms": 100},
                       {"kind": "reset", "rate": 0.1, "after_bytes": (1, 5000)}]
        ... programs that talk to proxy.host, proxy.port ...
        proxy.cut_all("reset")
        proxy.counts["reset"]

A connection takes the rules that stand there when it comes; `set_rules` also ends those that
are there. Who is hit is drawn from the seed. A rule's members:

kind       what is done, see below
rate       the chance that a connection has this rule (1)
to         "client" (what the server answers, the default), "server", "both"
after_bytes  only from this byte of a direction on (0); two numbers: drawn between them

delay      each piece comes ms later, give or take jitter_ms
trickle    `bytes` (1) at a time, ms (1) apart
stall      no more comes; with ms: for so long
reset      both sides get a TCP reset (on a Unix socket: a close)
close      both sides get a FIN
half_close this direction gets a FIN, the other goes on
flip       `part` (1): the chance that a random bit of a piece is another
inject     `data` (bytes) is put in, once
black_hole all is swallowed, nothing is answered
"""
import asyncio
import collections
import contextlib
import random
import socket
import struct
import threading
import time

PIECE = 65536
START_LIMIT_S = 10


class Link:
    """A connection through the proxy: two sides, each with the rules for what is sent to it."""

    def __init__(self, proxy, number, rules):
        self.proxy, self.number, self.rules = proxy, number, rules
        self.writers = []
        self.passed = {"client": 0, "server": 0}
        self.done = set()  # of rules that happen once
        self.over = asyncio.Event()

    def tell(self, kind):
        self.proxy.counts[kind] += 1
        self.proxy.log.append((time.time_ns() // 1000, kind, self.number))

    def cut(self, how):
        """Both sides, at once; a reset if it is one."""
        for writer in self.writers:
            if how == "reset":
                sock = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()
        self.over.set()

    # ---- a direction ----

    async def pump(self, reader, writer, to):
        """Until the sender ends, or a rule ends it."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while not self.over.is_set():
                piece = await reader.read(PIECE)
                if not piece:
                    break
                for part in self.split(piece, to):
                    if not await self.forward(part, writer, to):
                        return
            if not self.over.is_set() and writer.can_write_eof():
                writer.write_eof()

    def split(self, piece, to):
        """At the bytes where a rule begins."""
        begin = self.passed[to]
        marks = sorted({rule["after_bytes"] - begin for rule in self.rules_to(to)
                        if 0 < rule["after_bytes"] - begin < len(piece)})
        return [piece[a:b] for a, b in zip([0, *marks], [*marks, len(piece)])]

    def rules_to(self, to):
        return [rule for rule in self.rules if rule["to"] in (to, "both")]

    async def forward(self, piece, writer, to):
        """False: this direction has ended."""
        for rule in self.rules_to(to):
            if self.passed[to] < rule["after_bytes"]:
                continue
            piece = await self.apply(rule, piece, writer, to)
            if piece is None:
                return False
        self.passed[to] += len(piece)
        writer.write(piece)
        await writer.drain()
        return True

    async def apply(self, rule, piece, writer, to):
        """What of the piece is sent on; None: nothing, and nothing more."""
        kind, dice = rule["kind"], self.proxy.dice
        if kind == "delay":
            self.tell(kind)
            jitter_ms = rule.get("jitter_ms", 0)
            await self.sleep_ms(rule["ms"] + dice.uniform(-jitter_ms, jitter_ms))
        elif kind == "trickle":
            self.tell(kind)
            await self.trickle(rule, piece, writer)
            self.passed[to] += len(piece)
            return b""
        elif kind == "flip" and dice.random() < rule.get("part", 1):
            self.tell(kind)
            at = dice.randrange(len(piece))
            piece = piece[:at] + bytes([piece[at] ^ 1 << dice.randrange(8)]) + piece[at + 1:]
        elif kind in ("inject", "stall") and (id(rule), to) not in self.done:
            self.tell(kind)
            self.done.add((id(rule), to))
            if kind == "inject":
                return rule["data"] + piece
            await self.sleep_ms(rule.get("ms"))
        elif kind in ("reset", "close"):
            self.tell(kind)
            self.cut(kind)
            return None
        elif kind == "half_close":
            self.tell(kind)
            writer.write_eof()
            return None
        elif kind == "black_hole":
            self.tell(kind)
            await self.sleep_ms(None)
        return None if self.over.is_set() else piece

    async def trickle(self, rule, piece, writer):
        count = rule.get("bytes", 1)
        for at in range(0, len(piece), count):
            if self.over.is_set():
                return
            writer.write(piece[at:at + count])
            await writer.drain()
            await self.sleep_ms(rule.get("ms", 1))

    async def sleep_ms(self, wait_ms):
        """Less if the link is cut; None: until then."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.over.wait(),
                                   None if wait_ms is None else max(0, wait_ms) / 1000)


class Proxy:
    """See the module. upstream: a socket's path, or (host, port); listens on host:port."""

    def __init__(self, upstream, seed=0):
        self.upstream = upstream
        self.dice = random.Random(seed)
        self.rules = []
        self.counts = collections.Counter()
        self.log = []  # (at_us, kind, number of the connection)
        self.links = set()
        self.number = 0
        self.host, self.port = "127.0.0.1", 0
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(START_LIMIT_S), "the proxy listens"
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.serve, self.host, 0))
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        server.close()
        for link in list(self.links):
            link.cut("close")
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    def cut_all(self, how="reset"):
        """Ends all connections there are: reset, close."""
        done = threading.Event()

        def cut():
            for link in list(self.links):
                link.tell(how)
                link.cut(how)
            done.set()
        self.loop.call_soon_threadsafe(cut)
        assert done.wait(START_LIMIT_S), "the connections are cut"

    def set_rules(self, *rules):
        """From now on; the connections there are end, so that none has the old ones."""
        self.rules = list(rules)
        self.cut_all("close")

    def drawn(self):
        """The rules one connection has."""
        rules = []
        for rule in self.rules:
            if self.dice.random() < rule.get("rate", 1):
                after = rule.get("after_bytes", 0)
                after = after if isinstance(after, int) else self.dice.randint(*after)
                rules.append({"to": "client", **rule, "after_bytes": after})
        return rules

    async def connect(self):
        if isinstance(self.upstream, str):
            return await asyncio.open_unix_connection(self.upstream)
        return await asyncio.open_connection(*self.upstream)

    async def serve(self, reader, writer):
        self.number += 1
        link = Link(self, self.number, self.drawn())
        link.writers.append(writer)
        self.links.add(link)
        try:
            up_reader, up_writer = await self.connect()
            link.writers.append(up_writer)
            await asyncio.gather(link.pump(reader, up_writer, "server"),
                                 link.pump(up_reader, writer, "client"))
        except (OSError, asyncio.CancelledError):
            pass  # who listens there is away: so is this one
        finally:
            link.cut("close")
            self.links.discard(link)
