"""A fleet whose processes are started with faults, and a client that keeps it busy.

One round: a fresh Redis, so that the first start is among what is killed; conversations that
begin, pause, are stopped or cannot begin; kills until the time is over; then no more faults, and
the oracle judges when all has ended.

The one thing a round does not wait for is the leadership of a dead manager (5 s): its key is
expired at once, as if they had passed. Nothing else is helped.
"""
import collections
import json
import pathlib
import signal
import subprocess
import time
import uuid

import points_plan as plan
from fleet import BUILD, GONE_ERRORS, ChaosFleet, K, Post, now_us
from helpers import STORY_FILE, Sandbox, wait_for
from oracle import Rules, Trouble, judge

LIFE_S = 4.0  # who was not killed by then is asked to end
SHORT_LIFE_S = 0.6  # the same of who has a point at its end
END_S = 12  # a drain takes 5
BARE_PART = 0.15  # so many starts have no fault
VALID_S = 300
BUSY, BUSY_SLOW = 6, 24  # conversations at once
END_LIMIT_S = 60
DEATHS_MAX = 20  # then a post stays empty: something is wrong from the ground up
LETTERS = "0123456789abcdefghijklmnopqrstuv"


class PointsFleet(ChaosFleet):
    """armed(post, hits) -> (rules of PARLEY_FAULT, its points) says what a start gets; with a
    point that needs turns given up it is a worker that buries at once."""

    def __init__(self, box, rng, armed, slow, **options):
        simulator = ["--first-token-ms", 6000] if slow else \
            ["--first-token-ms", 30, "--faults", "status=400@0.06"]
        super().__init__(box, rng, patience_s=2, simulator=simulator, **options)
        self.armed, self.on = armed, True
        self.hits = collections.Counter()
        self.starts, self.busy = 0, BUSY_SLOW if slow else BUSY

    def start_crew(self):
        lease = ["--lease", f"{self.options['lease_ms']}ms"]
        for i in range(self.options["managers"]):
            self.add(Post(f"manager-{i + 1}", [BUILD / "parley-manager", *lease,
                                               "--patience", "1s"]))
        for i in range(self.options["workers"]):
            seat = 1 + i % 2
            self.add(Post(f"worker-{seat}-{i // 2 + 1}", [
                BUILD / "parley-worker", "--seat", seat, *lease, "--concurrency",
                self.options["concurrency"]], seat))

    # ---- starts and deaths ----

    def launch(self, post):
        if post.program not in ("worker", "manager"):
            super().launch(post)
            return
        rules, points = self.armed(post, self.hits) if self.on else ("", [])
        heads = {plan.script_of(point) for point in points}
        words = list(post.words)
        if post.program == "worker":
            words += ["--max-deliveries", 1 if heads & plan.BURIED else 100]
        self.starts += 1
        post.fault_log = self.box.path(f"faults-{self.starts}")
        env = {**self.box.env, "PARLEY_FAULT": rules, "PARLEY_FAULT_LOG": post.fault_log,
               "PARLEY_FAULT_SEED": str(self.rng.randrange(2**31))}
        with open(self.log_path(post), "ab") as err:
            post.process = subprocess.Popen([str(word) for word in words], env=env, stderr=err,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        life_s = SHORT_LIFE_S if heads & plan.PARTING else LIFE_S
        post.rules, post.term_at = rules, time.monotonic() + self.rng.uniform(0.5, 1) * life_s
        post.kill_at = float("inf")
        post.starts, post.stopped_us = post.starts + 1, 0

    def book_death(self, post):
        pid, status = post.process.pid, post.process.returncode
        fired = self.take_log(post)
        self.hits.update(point for point, _, _ in fired)
        letters = self.letters_of(post) if post.program == "worker" else ""
        if post.program == "worker":
            self.troubles += [Trouble("fault", at_us, at_us, post.name, post.seat, letters)
                              for _, action, at_us in fired if action != "kill"]
        if status == -signal.SIGKILL and fired:
            self.kills += 1
            at_us = fired[-1][2]
            self.troubles.append(Trouble("kill", at_us, at_us, post.name, post.seat, letters))
            if post.program == "manager":
                self.expire_leadership(pid)
        elif status != 0 and not (status == -signal.SIGTERM and post.kill_at < float("inf")):
            self.deaths.append(f"{post.name} (pid {pid}, PARLEY_FAULT={post.rules}) ended with "
                               f"{status}: {self.last_words(post)}")
            if len(self.deaths) > DEATHS_MAX:
                post.wanted = False

    def take_log(self, post):
        """[(the point that fired, what it did, when in µs)]"""
        path = pathlib.Path(post.fault_log)
        if not path.exists():
            return []
        fired = [line.split() for line in path.read_text().splitlines()]
        path.unlink()
        return [(point, action, int(at_us)) for point, action, at_us in fired]

    def expire_leadership(self, pid):
        token = self.db.get(K + "leader")
        name = token.split(":")[1] if token else ""
        if self.db.hget(f"{K}member:{name}", "pid") == str(pid):
            self.db.pexpire(K + "leader", 1)

    def end_the_old(self):
        """Asks those to end whose time is over; who does not within END_S hangs."""
        now = time.monotonic()
        for post in self.alive():
            if now > post.kill_at:
                self.deaths.append(f"{post.name} did not end within {END_S} s of SIGTERM")
                self.kill(post)
            elif now > post.term_at and (post.rules or self.on):
                self.ask_to_end(post)

    def ask_to_end(self, post):
        with self.lock:
            if not post.is_alive() or post.kill_at < float("inf"):
                return  # a second SIGTERM would cut it short
            letters = self.letters_of(post) if post.program == "worker" else ""
            post.process.terminate()
            post.term_at, post.kill_at = float("inf"), time.monotonic() + END_S
        at_us = now_us()
        self.troubles.append(Trouble("kill", at_us, at_us, post.name, post.seat, letters))

    def disarm(self):
        """No more faults: what was started with one is replaced."""
        self.on = False
        for post in self.alive():
            if post.rules:
                self.ask_to_end(post)


class Client:
    """Asks for conversations and commands, as a gateway would, and forgets nothing."""

    def __init__(self, fleet, turns):
        self.fleet, self.rng, self.turns = fleet, fleet.rng, turns
        self.story = json.dumps(STORY_FILE)
        self.ids, self.stopped, self.paused, self.broken = [], set(), {}, []
        self.revived, self.dropped = set(), set()

    def send(self, command, conversation, args=""):
        seconds, micros = self.fleet.db.time()
        self.fleet.db.xadd(K + "control", {
            "id": uuid.UUID(int=self.rng.getrandbits(128)).hex[:16], "command": command,
            "conversation": conversation, "args": args,
            "valid_until": (seconds + VALID_S) * 1000000 + micros})

    def begin(self):
        name = "".join(self.rng.choice(LETTERS) for _ in range(12))
        broken = self.rng.random() < 0.12
        story = '{"setting": 1}' if broken else self.story
        self.send("start", name, json.dumps({
            "topic": "a pier", "story_file": story, "personas": 2, "max_turns": self.turns,
            "duration_ms": None, "grace_ms": 60000, "pass_on_failure": False, "max_issues": 100}))
        if broken:
            self.broken.append(name)
            return
        self.ids.append(name)
        self.fleet.watcher.follow([name])

    def running(self, names):
        pipeline = self.fleet.db.pipeline(transaction=False)
        for name in names:
            pipeline.hget(f"{K}conversation:{name}", "state")
        return [name for name, state in zip(names, pipeline.execute()) if state != "ended"]

    def keep_busy(self):
        """A step: as many conversations as wanted, and now and then a command."""
        under_way = self.running(self.ids[-4 * self.fleet.busy:])
        for _ in range(self.fleet.busy - len(under_way)):
            self.begin()
        if under_way and self.rng.random() < 0.3:
            self.command(self.rng.choice(under_way))
        if self.rng.random() < 0.1:
            self.fleet.db.script_flush()
        if self.rng.random() < 0.2:
            self.settle_dead(True)
        self.resume(False)

    def command(self, name):
        kind = self.rng.choice(["pause", "pause", "stop", "say", "nonsense"])
        self.send(kind, name, {"stop": '{"mode":"grace"}',
                               "say": '{"kind":"event","text":"rain"}'}.get(kind, ""))
        if kind == "stop":
            self.stopped.add(name)
        elif kind == "pause":
            self.paused[name] = time.monotonic() + 0.2

    def resume(self, all_of_them):
        now = time.monotonic()
        for name, at in list(self.paused.items()):
            if all_of_them or now > at:
                self.send("resume", name)
                del self.paused[name]

    def settle_dead(self, may_drop):
        """A turn given up is tried again, or its record dropped: then that was the end."""
        for record, fields in self.fleet.db.xrange(K + "dead"):
            name = fields["conversation"]
            talk = self.fleet.db.hgetall(f"{K}conversation:{name}")
            if talk.get("state") != "ended":
                continue
            wanted = "drop" if talk["reason"] != "failed" or name in self.dropped \
                or may_drop and self.rng.random() < 0.3 else "retry"
            self.send(wanted, name, json.dumps({"record": record}))
            (self.dropped if wanted == "drop" else self.revived).add(name)

    def all_ended(self):
        """Resumes what a pause has reached late."""
        self.settle_dead(False)
        if self.fleet.db.xlen(K + "dead"):
            return False
        left = self.running(self.ids + self.broken)
        for name in left:
            if self.fleet.db.hget(f"{K}conversation:{name}", "state") == "paused":
                self.send("resume", name)
        return not left


def asked_for(client, talks):
    """{conversation: turns}: of those that were stopped, as many as were taken; one that was
    stopped before it had begun has no turns and no beginning."""
    taken = {name: int(talks[name].get("turns") or 0)
             for name in client.stopped | client.dropped}
    unbegun = {name for name in client.stopped if not talks[name].get("started_at")}
    return {name: taken.get(name, client.turns) for name in client.ids if name not in unbegun}


def one_end(events, revived):
    """A conversation that ran again has an end for each time; the last one counts."""
    last = {fields["conversation"]: entry for entry, fields in events
            if fields["event"] == "dialogue.resolve"}
    return [(entry, fields) for entry, fields in events
            if fields["event"] != "dialogue.resolve" or fields["conversation"] not in revived
            or entry == last[fields["conversation"]]]


def keep_going(fleet, client, until, done):
    while time.monotonic() < until and not done(fleet):
        client.keep_busy()
        fleet.end_the_old()
        time.sleep(0.02)
    fleet.disarm()
    client.resume(True)


def finish(fleet, client):
    """Waits for the end of all and judges it."""
    fleet.asked = {name: client.turns for name in client.ids}

    def over():
        fleet.end_the_old()
        time.sleep(0.1)
        return client.all_ended()
    try:
        wait_for(over, "all conversations end", END_LIMIT_S)
        late = []
    except AssertionError as error:
        late = [f"I10: {error}"]
    evidence = fleet.finish()
    evidence.asked = asked_for(client, evidence.talks)
    evidence.events = one_end(evidence.events, client.revived)
    verdict = judge(evidence, Rules(lease_ms=fleet.options["lease_ms"], idle_budget_s=20))
    return verdict, late


def play(seed, rng, armed, done, options):
    """One round. options: seconds, turns, slow, keep (a folder for the logs of a bad one)."""
    box = Sandbox()
    fleet = PointsFleet(box, rng, armed, options["slow"], workers=6, managers=2, concurrency=3,
                        lease_ms=1000)
    begin = time.monotonic()
    try:
        fleet.start()
        client = Client(fleet, options["turns"])
        keep_going(fleet, client, begin + options["seconds"], done)
        verdict, late = finish(fleet, client)
        violations = late + [f"{name}: {words}" for name, words in verdict.violations]
        if violations and options["keep"]:
            keep(box, pathlib.Path(options["keep"]) / f"round-{seed}")
        return {"seed": seed, "hits": dict(fleet.hits), "kills": fleet.kills,
                "starts": fleet.starts, "conversations": len(client.ids),
                "seconds": round(time.monotonic() - begin, 1), "violations": violations,
                **verdict.figures}
    finally:
        fleet.close()
        box.close()


def keep(box, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for path in [*box.folder.glob("*.err"), *box.folder.glob("*.jsonl")]:
        (folder / path.name).write_bytes(path.read_bytes())
