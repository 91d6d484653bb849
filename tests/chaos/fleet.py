"""A fleet that is treated badly, and what is needed to judge it: processes, supervisor, dump.

    with chaos_fleet(random.Random(7), workers=8, managers=2) as fleet:
        fleet.start_conversations(100, 100)
        while not fleet.all_ended():
            fleet.kill(fleet.rng.choice(fleet.alive("worker", "manager")))
            time.sleep(0.2)  # the pace of the kills
        evidence = fleet.finish()
    verdict = oracle.judge(evidence, oracle.Rules(lease_ms=1000))

Real processes, a redis-server on a Unix socket with an AOF, the simulator with its ledger. A
thread starts again what died, at once, and books who did it; another reads along as an
observer would. Nothing here uses parley's own supervision.
"""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import redis

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))

from helpers import BUILD, IS_SLOW, Sandbox, story_file, wait_for  # noqa: E402
from oracle import Evidence, Trouble  # noqa: E402
from proxy import Proxy  # noqa: E402
from watcher import Watcher  # noqa: E402

K = "parley:{0}:"
LANES = 16
SUPERVISE_S = 0.005
DELIVERIES = 100  # who kills at random kills the same turn's worker again and again: no poison
PATIENCE_S = 15 if IS_SLOW else 10
GONE_ERRORS = (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError)


def now_us():
    return time.time_ns() // 1000


class Post:
    """A place in the fleet: one process at a time, the next one when it died."""

    def __init__(self, name, words, seat=0):
        self.name, self.words, self.seat = name, [str(word) for word in words], seat
        self.program = name.split("-")[0]
        self.process = None
        self.wanted = True  # it is started again when it died
        self.ours = set()  # pids that we ended
        self.stopped_us = 0  # since when it stands still; 0: it runs
        self.starts = 0
        self.booked = None  # the last pid whose death is in the books

    def is_alive(self):
        return self.process is not None and self.process.poll() is None


class ChaosFleet:
    """See the module. options: workers, managers, concurrency, lease_ms, fsync, patience_s,
    simulator (more options of it), max_issues, proxied (fleet.proxies, two fault proxies,
    stand before Redis and before the simulator), aof_rewrite (percent of growth; 0: never),
    crew_is_late (start_crew() is the caller's)."""

    def __init__(self, box, rng, **options):
        self.options = {"workers": 8, "managers": 2, "concurrency": 16, "lease_ms": 1000,
                        "fsync": "everysec", "patience_s": PATIENCE_S, "simulator": (),
                        "proxied": False, "crew_is_late": False, "aof_rewrite": 100,
                        "max_issues": 100, **options}
        self.box, self.rng = box, rng
        self.posts, self.troubles, self.deaths = [], [], []
        self.asked = {}  # conversation -> turns, as the client was told
        self.rewinds, self.kills, self.redis_kills = [], 0, 0
        self.redis_up_us = []  # when it answered again
        self.aof_floor = 0  # bytes of the AOF that no cut takes
        self.lock = threading.RLock()  # posts and what is booked about them
        self.socket, self.ledger = box.path("redis.sock"), box.path("ledger.jsonl")
        self.data = pathlib.Path(box.path("data"))
        self.data.mkdir()
        self.db = self.client()
        self.closing = threading.Event()
        self.supervisor = threading.Thread(target=self.supervise, daemon=True)
        self.watcher = Watcher(self.client())
        self.refused = []
        self.proxies = []
        self.proxies_open = contextlib.ExitStack()

    def client(self):
        return redis.Redis(unix_socket_path=self.socket, decode_responses=True, socket_timeout=5,
                           encoding_errors="surrogateescape")

    # ---- start ----

    def start(self):
        self.add(Post("redis-server", [
            "redis-server", "--port", 0, "--unixsocket", self.socket, "--dir", self.data,
            "--save", "", "--appendonly", "yes", "--appendfsync", self.options["fsync"],
            "--auto-aof-rewrite-percentage", self.options["aof_rewrite"],
            "--maxmemory-policy", "noeviction"]))
        wait_for(self.answers, "redis-server answers")
        redis_url, server_url = f"unix://{self.socket}", self.start_simulator()
        if self.options["proxied"]:
            redis_url, server_url = self.start_proxies(server_url)
        self.box.env["PARLEY_REDIS"] = redis_url
        self.box.env["PARLEY_CONFIG"] = self.box.path("config.json")
        server = {"provider": "ollama", "url": server_url, "window": "none"}
        with open(self.box.path("config.json"), "w", encoding="utf-8") as file:
            json.dump({"endpoints": {"ollama": server}}, file)
        self.supervisor.start()
        self.watcher.start()
        if not self.options["crew_is_late"]:
            self.start_crew()

    def start_simulator(self):
        post = Post("simulator", [
            BUILD / "parley-simulator", "--listen", "127.0.0.1:0", "--seed", 7, "--vary",
            "--parallel", 10000, "--first-token-ms", 17, "--jitter", 0.7, "--tokens-per-second", 0,
            "--reply-tokens", "4..12", "--ledger", self.ledger, "--ledger-bodies",
            *self.options["simulator"]])
        post.wanted = False  # one whose ledger has a gap could not be judged
        self.add(post)
        found = wait_for(lambda: re.search(r"listening on (\S+)\n", self.said(post)),
                         "the simulator listens")
        return found.group(1)

    def start_proxies(self, server_url):
        """The URLs by which the programs reach Redis and the simulator."""
        host, port = re.match(r"http://(.+):(\d+)", server_url).groups()
        for upstream in (self.socket, (host, int(port))):
            self.proxies.append(self.proxies_open.enter_context(
                Proxy(upstream, self.rng.randrange(10**6))))
        before_redis, before_server = self.proxies
        return (f"redis://127.0.0.1:{before_redis.port}",
                f"http://127.0.0.1:{before_server.port}")

    def start_crew(self):
        lease = ["--lease", f"{self.options['lease_ms']}ms"]
        for i in range(self.options["managers"]):
            self.add(Post(f"manager-{i + 1}", [
                BUILD / "parley-manager", *lease, "--patience", f"{self.options['patience_s']}s"]))
        for i in range(self.options["workers"]):
            seat = 1 + i % 2
            self.add(Post(f"worker-{seat}-{i // 2 + 1}", [
                BUILD / "parley-worker", "--seat", seat, *lease, "--concurrency",
                self.options["concurrency"], "--max-deliveries", DELIVERIES], seat))
        wait_for(lambda: self.db.exists(K + "leader"), "a manager leads")

    def log_path(self, post):
        return self.box.path(f"{post.name}.err")

    def said(self, post):
        with open(self.box.path(f"{post.name}.out"), encoding="utf-8") as file:
            return file.read()

    def add(self, post):
        self.launch(post)
        with self.lock:
            self.posts.append(post)

    def launch(self, post):
        with open(self.box.path(f"{post.name}.out"), "ab") as out, \
                open(self.log_path(post), "ab") as err:
            post.process = subprocess.Popen(post.words, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err, env=self.box.env)
        self.watcher.forget_pid(post.process.pid)
        post.starts += 1
        post.stopped_us = 0

    # ---- the supervisor ----

    def answers(self):
        with contextlib.suppress(*GONE_ERRORS):
            return self.db.ping()
        return False

    def supervise(self):
        while not self.closing.wait(SUPERVISE_S):
            with self.lock:
                for post in self.posts:
                    if post.process.poll() is None or not post.wanted:
                        continue
                    if post.process.pid != post.booked:
                        post.booked = post.process.pid
                        self.book_death(post)
                    try:
                        self.launch(post)
                    except OSError as err:  # the program is being linked: again at the next look
                        words = f"{post.name} could not be started: {err}"
                        self.deaths += [words] if words not in self.deaths else []

    def book_death(self, post):
        pid, status = post.process.pid, post.process.returncode
        if pid not in post.ours:
            self.deaths.append(f"{post.name} (pid {pid}) ended by itself: {status}; its last "
                               f"words: {self.last_words(post)}")

    def last_words(self, post):
        with open(self.log_path(post), encoding="utf-8", errors="replace") as file:
            return file.read()[-400:]

    # ---- what is done to it ----

    def alive(self, *programs):
        """The posts of these programs (all of the crew) whose process runs."""
        programs = programs or ("worker", "manager")
        with self.lock:
            return [post for post in self.posts
                    if post.program in programs and post.is_alive() and not post.stopped_us]

    def post(self, name):
        return next(post for post in self.posts if post.name == name)

    def letters_of(self, post):
        """Of the nonce of a worker, as its calls' ids have them; "" if not to be had."""
        with contextlib.suppress(*GONE_ERRORS):
            return self.watcher.letters(post.process.pid)
        return ""

    def kill(self, post, number=signal.SIGKILL):
        letters = self.letters_of(post) if post.program == "worker" else ""
        with self.lock:
            if not post.is_alive():
                return
            post.ours.add(post.process.pid)
            at_us = now_us()
            post.process.send_signal(number)
            self.kills += 1
        self.troubles.append(Trouble("kill", at_us, at_us, post.name, post.seat, letters))

    def stop(self, post):
        """It stands still until cont(); killed meanwhile it is no more than dead."""
        letters = self.letters_of(post) if post.program == "worker" else ""
        with self.lock:
            if not post.is_alive():
                return
            post.process.send_signal(signal.SIGSTOP)
            post.stopped_us = now_us()
        post.letters = letters

    def cont(self, post):
        with self.lock:
            if not post.stopped_us:
                return
            post.process.send_signal(signal.SIGCONT)
            since_us, post.stopped_us = post.stopped_us, 0
        self.troubles.append(Trouble("stop", since_us, now_us(), post.name, post.seat,
                                     post.letters))

    def cont_all(self):
        for post in self.posts:
            self.cont(post)

    def calm(self):
        """No more harm: what stands still goes on, the proxies let all through."""
        self.cont_all()
        for proxy in self.proxies:
            proxy.rules = []

    def cut_at_proxy(self, proxy, how):
        at_us = now_us()
        proxy.cut_all(how)
        self.troubles.append(Trouble("cut", at_us, now_us()))

    def faults_met(self):
        """What the proxy before the simulator did to calls."""
        return [Trouble("fault", at_us, at_us) for proxy in self.proxies[1:]
                for at_us, kind, _ in proxy.log if kind in ("reset", "close")]

    def cut_connections(self):
        """Redis closes those of all programs."""
        at_us = now_us()
        with contextlib.suppress(*GONE_ERRORS):
            self.db.client_kill_filter(_type="normal", skipme=True)
            self.troubles.append(Trouble("cut", at_us, now_us()))

    def kill_redis(self, cut_bytes=0):
        """Killed with -9; cut_bytes go from the end of its AOF before it comes back, as a power
        cut takes what was not on the disk."""
        post = self.post("redis-server")
        with self.lock:
            post.ours.add(post.process.pid)
            start_us = now_us()
            post.process.kill()
            post.process.wait()
            self.redis_kills += 1
            self.mend_aof(cut_bytes)
            self.launch(post)
        wait_for(self.answers, "redis-server answers again", 60)
        up_us = now_us()
        self.redis_up_us.append(up_us)
        self.troubles.append(Trouble("redis", start_us, up_us))
        if cut_bytes or self.options["fsync"] != "always":
            self.rewinds.append(up_us)  # everysec: while the disk is slow nothing is written

    def mend_aof(self, cut_bytes):
        """As an operator must, also after a mere kill, which may cut a write short: Redis 7.0
        itself drops an incomplete script, but leaves its first commands in the file and runs
        that half at a later start. What a client was told at its start stays: a conversation
        that was never asked for cannot be missed."""
        path = self.aof()
        size = path.stat().st_size
        os.truncate(path, max(min(size, self.aof_floor), size - cut_bytes))
        subprocess.run(["redis-check-aof", "--fix", path.parent / "appendonly.aof.manifest"],
                       input=b"y\n", stdout=subprocess.DEVNULL, check=True)

    def aof(self):
        return max((self.data / "appendonlydir").glob("*.incr.aof"))

    # ---- the client ----

    def start_conversations(self, count, turns, *options, limit_s=120):
        """What the client was told: count ids, each of so many turns."""
        done = self.box.parley("start", "--conversations", count, "--turns", turns, "--duration",
                               "none", "--story", story_file(self.box), "--max-issues",
                               self.options["max_issues"], *options, limit_s=limit_s)
        assert done.returncode == 0, done.stderr
        ids = done.stdout.split()
        assert len(ids) == count, done.stdout
        self.asked.update({one: turns for one in ids})
        self.aof_floor = self.aof().stat().st_size
        self.watcher.follow(ids)
        return ids

    def start_before_the_crew(self, count, turns):
        """The command stands in Redis when the first manager comes up."""
        client = threading.Thread(target=self.start_or_tell, args=(count, turns))
        client.start()
        wait_for(lambda: self.db.exists(K + "control"), "the command is there")
        self.start_crew()
        client.join()

    def start_or_tell(self, count, turns):
        try:
            self.start_conversations(count, turns)
        except AssertionError as err:
            self.refused.append(f"start of {count} conversations: {err}")

    def hashes(self):
        pipeline = self.db.pipeline(transaction=False)
        for one in self.asked:
            pipeline.hgetall(f"{K}conversation:{one}")
        return dict(zip(self.asked, pipeline.execute()))

    def turns_done(self):
        with contextlib.suppress(*GONE_ERRORS):
            return sum(int(one.get("turns") or 0) for one in self.hashes().values())
        return None

    def all_ended(self):
        with contextlib.suppress(*GONE_ERRORS):
            return all(one.get("state") == "ended" for one in self.hashes().values())
        return False

    # ---- the end ----

    def left_over(self):
        """What an idle fleet would not have, in words."""
        left = [f"{one} is {talk.get('state')} at turn {talk.get('next')} ({talk.get('phase')})"
                for one, talk in self.hashes().items() if talk.get("state") != "ended"]
        for kind, group in (("request", "workers"), ("response", "managers")):
            for lane in range(1, LANES + 1):
                left += self.left_in(f"{K}{kind}:{lane}", group)
        left += self.left_in(K + "control", "managers")
        left += [f"{one} is due still" for one in self.db.zrange(K + "due", 0, -1)]
        now_ms = now_us() // 1000
        for key in self.db.scan_iter("parley:{endpoints}:*:alive"):
            left += [f"{key}: {call} is held or waits" for call, until_ms in
                     self.db.zrange(key, 0, -1, withscores=True) if until_ms > now_ms]
        return left

    def left_in(self, key, group):
        if not self.db.exists(key):
            return []
        infos = [one for one in self.db.xinfo_groups(key) if one["name"] == group]
        if not infos:
            return [f"{key} has no group {group}"]
        info, left = infos[0], []
        if info["pending"]:
            left.append(f"{key}: {info['pending']} pending: "
                        f"{self.db.xpending_range(key, group, '-', '+', 3)}")
        # Not `lag`: Redis 7.0 counts wrongly after it has read its file again.
        unread = self.db.xrange(key, "(" + info["last-delivered-id"], "+", 1000)
        if unread:
            left.append(f"{key}: {len(unread)} unread, the first: {unread[0]}")
        return left

    def wait_idle(self, limit_s):
        """Seconds until nothing is left; None: something was, to the end."""
        begin = time.monotonic()
        while time.monotonic() - begin < limit_s:
            with contextlib.suppress(*GONE_ERRORS):
                if not self.left_over():
                    return time.monotonic() - begin
            time.sleep(0.02)
        return None

    def finish(self, idle_limit_s=20):
        """Waits until the fleet is idle, ends it and returns the Evidence."""
        self.calm()
        idle_s = self.wait_idle(idle_limit_s)
        self.watcher.stop()
        evidence = self.dump()
        evidence.idle_s = idle_s
        self.end_crew()
        evidence.deaths = list(self.deaths)
        with open(self.ledger, encoding="utf-8") as file:
            evidence.ledger = [json.loads(line) for line in file]
        return evidence

    def dump(self):
        wait_for(self.answers, "redis-server answers")
        db, ids = self.db, list(self.asked)
        return Evidence(
            asked=dict(self.asked), talks=self.hashes(),
            transcripts={one: db.xrange(f"{K}transcript:{one}") for one in ids},
            events=db.xrange(K + "events"), calls=db.xrange(K + "calls"),
            dead=db.xrange(K + "dead"), refused=list(self.refused),
            left=self.left_over(), seen=self.watcher.seen(),
            troubles=sorted(self.troubles + self.faults_met(), key=lambda one: one.start_us),
            rewinds=sorted(self.rewinds))

    def end_crew(self):
        """Asks all to end, the simulator last; who does not leave well ended badly."""
        self.closing.set()
        self.supervisor.join()
        ends = [post for post in self.posts if post.program in ("worker", "manager")]
        for group in (ends, [self.post("simulator")]):
            for post in group:
                if post.is_alive():
                    post.process.terminate()
            for post in group:
                self.end_of(post)

    def end_of(self, post):
        try:
            status = post.process.wait(30)
        except subprocess.TimeoutExpired:
            post.process.kill()
            status = post.process.wait()
            self.deaths.append(f"{post.name} did not end within 30 s of SIGTERM")
            return
        # One killed or asked to end before it had its signals in hand is no crash.
        if status not in (0, -signal.SIGTERM) and post.process.pid not in post.ours:
            self.deaths.append(f"{post.name} left with {status}: {self.last_words(post)}")

    def close(self):
        self.closing.set()
        if self.supervisor.ident is not None:
            self.supervisor.join()
        for post in self.posts:
            if post.process.poll() is None:
                post.process.kill()
            post.process.wait()
        self.watcher.abandon()
        self.proxies_open.close()
        self.db.close()


@contextlib.contextmanager
def chaos_fleet(rng, **options):
    """A started fleet in a sandbox of its own; nothing of it is left behind."""
    box = Sandbox()
    fleet = ChaosFleet(box, rng, **options)
    try:
        fleet.start()
        yield fleet
        box.assert_no_report()
    finally:
        fleet.close()
        box.close()
