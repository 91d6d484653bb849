"""Short pieces of work that torture.py has done by a program while one of its calls fails.

A stage keeps what the work needs (a sandbox, a redis-server, the rest of a fleet), does it
once for each call of work(), and looks at what is left: Wrong tells what must not be.
"""
import contextlib
import http.client
import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))

from helpers import (BUILD, IS_ASAN, Fleet, Sandbox, story_file, turns_of,  # noqa: E402
                     wait_for)

LIMIT_S = 120 if IS_ASAN else 60
GO_S = 20  # to end after SIGTERM: 5 s of draining, and a machine that has other things to do
VALID_S = 600
LETTERS = "abcdefghjkmnpqrstvwxyz23456789"
K = "parley:{0}:"
SPEAKS = re.compile(r"Sanitizer|runtime error:|Assertion .* failed|double free|corrupted")


class Wrong(Exception):
    """What must not be; status is how the process ended, None where it did not."""

    def __init__(self, what, status=None, deaf=False):
        super().__init__(what)
        self.status, self.deaf = status, deaf  # deaf: it works, but does not hear SIGTERM


def random_id(count):
    return "".join(random.SystemRandom().choice(LETTERS) for _ in range(count))


class Box(Sandbox):
    """Hundreds of processes: what went wrong is told with its own log."""

    def print_logs(self):
        pass


class Stage:
    """One sandbox; the tortured process is started in it by start()."""

    def __init__(self, name):
        self.name, self.box = name, Box()
        self.seen = {}  # stderr of tortured processes: path -> text, until reports() looked

    def open(self):
        """Puts there what work() needs; again after renew()."""

    def renew(self):
        """After something went wrong: a sandbox without what may hang in it."""
        self.box.close()
        self.box = Box()
        self.seen.clear()
        self.open()

    def start(self, torture, *words, program="parley"):
        process = self.box.start(*words, program=program, cwd=self.box.folder,
                                 env={**self.box.env, **torture})
        if torture:
            self.seen[process.err_path] = None
        return process

    def finish(self, process, limit_s=LIMIT_S):
        """Its status; a crash and a hang are Wrong."""
        try:
            status = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            raise Wrong(f"hangs; its log ends: {self.tail(process)}") from None
        if status < 0:
            raise Wrong(f"killed by signal {-status}: {self.tail(process)}", status)
        return status

    def end(self, process):
        """As finish, of a service that is told to go."""
        if process.poll() is None:
            process.terminate()
        try:
            return self.finish(process, GO_S)
        except Wrong as wrong:
            raise Wrong(str(wrong), wrong.status, wrong.status is None) from None

    def tail(self, process):
        return pathlib.Path(process.err_path).read_text(errors="replace")[-700:]

    def reports(self):
        """What a sanitizer or an assert has said since the last time, or ""."""
        found = [SPEAKS.search(pathlib.Path(path).read_text(errors="replace"))
                 for path in self.seen]
        words = [pathlib.Path(path).read_text(errors="replace")[:3000]
                 for path, one in zip(self.seen, found) if one]
        self.seen.clear()
        return "\n".join(words)


# ---- a fleet with one tortured process ----

class FleetStage(Stage):
    """A conversation of two turns; what was tortured to death is replaced, as by a supervisor."""

    common = ("--provider", "echo", "--lease", "1s", "--hybrid", "off")

    def open(self):
        self.fleet = Fleet(self.box)
        self.wish = self.read_wish()
        for post in ("manager", "worker-1", "worker-2"):
            if post != self.name:
                self.post({}, post)

    def post(self, torture, name):
        program, _, seat = name.partition("-")
        return self.start(torture, *self.common, *(["--seat", seat] if seat else []),
                          program=f"parley-{program}")

    def read_wish(self):
        """What `parley start` asks for, to be asked for without waiting for an answer."""
        asking = self.box.start("start", "--provider", "echo", "--turns", 2, "--story",
                                story_file(self.box))
        entry = wait_for(lambda: self.fleet.db.xrange(K + "control"), "the command is there")
        asking.kill()
        asking.wait()
        self.fleet.db.delete(K + "control")
        return entry[0][1]

    def ask(self):
        conversation = random_id(12)
        until = (self.fleet.db.time()[0] + VALID_S) * 1000000
        self.fleet.db.xadd(K + "control", {**self.wish, "id": random_id(16), "valid_until": until,
                                           "conversation": conversation})
        return conversation

    def work(self, torture):
        tortured = self.post(torture, self.name)
        conversation = self.ask()
        process = self.see_through(tortured, conversation)
        status = self.end(tortured)
        if process is not tortured:
            self.end(process)
        return status

    def see_through(self, process, conversation):
        deadline = time.monotonic() + LIMIT_S
        tortured = process
        while self.fleet.talk(conversation).get("state") != "ended":
            if process.poll() is not None:
                if process is not tortured:
                    raise Wrong(f"its successor has died: {self.tail(process)}")
                process = self.post({}, self.name)
            if time.monotonic() > deadline:
                raise Wrong(f"{conversation} does not end: {self.fleet.talk(conversation)}; "
                            f"{self.tail(process)}", tortured.poll())
            time.sleep(0.01)
        self.look_at(conversation)
        return process

    def look_at(self, conversation):
        transcript = self.fleet.transcript(conversation)
        numbers = [turn["metadata"]["sequence_number"] for turn in turns_of(transcript)]
        reason = self.fleet.talk(conversation)["reason"]
        if numbers != [1, 2] or reason != "turns":
            raise Wrong(f"{conversation} has the turns {numbers} and ended by {reason}")


class CommandStage(FleetStage):
    """A whole fleet, and a command of parley that talks to it."""

    words = ()

    def open(self):
        super().open()
        self.ended = self.ask()
        self.see(self.ended)

    def see(self, conversation):
        wait_for(lambda: self.fleet.talk(conversation).get("state") == "ended",
                 f"{conversation} ends", LIMIT_S)
        self.look_at(conversation)

    def work(self, torture):
        status = self.finish(self.command(torture))
        self.see(self.ask())
        return status

    def command(self, torture):
        return self.start(torture, self.name)


class StartStage(CommandStage):
    def command(self, torture):
        return self.start(torture, "start", "--provider", "echo", "--turns", 2, "--story",
                          self.box.path("story.json"))


class ObserverStage(CommandStage):
    def command(self, torture):
        return self.start(torture, "--mode", "plain", self.ended, program="parley-observer")


# ---- without a fleet ----

class SimulatorStage(Stage):
    """One chat over a connection of its own; who dies of it is started anew and answers."""

    def chat(self, torture):
        process = self.start(torture, "--listen", "127.0.0.1:0", "--seed", 7,
                             "--tokens-per-second", 0, "--first-token-ms", 1, "--ledger",
                             self.box.path("ledger.jsonl"), program="parley-simulator")
        deadline = time.monotonic() + LIMIT_S
        answer = None
        while answer is None and process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = self.ask(process)
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        return self.end(process), answer

    def ask(self, process):
        """The whole answer, or None."""
        said = re.search(r"listening on http://.+:(\d+)\n",
                         pathlib.Path(process.out_path).read_text(errors="replace"))
        if said is None:
            return None
        link = http.client.HTTPConnection("127.0.0.1", int(said.group(1)), timeout=5)
        with contextlib.closing(link):
            link.request("POST", "/api/chat", json.dumps({
                "model": "llama3.2", "messages": [{"role": "user", "content": "Good day."}]}))
            text = link.getresponse().read()
        return text if b'"done":true' in text.replace(b" ", b"") else None

    def work(self, torture):
        status, _ = self.chat(torture)
        if torture and status != 0:
            after, answer = self.chat({})
            if after != 0 or answer is None:
                raise Wrong("a fresh one does not answer", status)
        return status


class CheckStage(Stage):
    """check-config of a file with everything in it."""

    def work(self, torture):
        path = pathlib.Path(__file__).resolve().parents[2] / \
            "schemas/examples/config/valid-every-key.json"
        return self.finish(self.start(torture, "check-config", "--config", path))


class RunStage(Stage):
    """A whole run of two turns; only the front door's own calls fail, not its children's."""

    def work(self, torture):
        out = self.box.path(f"run-{len(self.box.started)}")
        process = self.start(torture, "run", "--provider", "echo", "--turns", 2, "--story",
                             story_file(self.box), "--observe", "none", "--out", out)
        status = self.finish(process)
        with contextlib.suppress(AssertionError):
            wait_for(lambda: len(self.box.processes()) == 0, "its children are gone", GO_S)
        if self.box.processes():
            raise Wrong(f"left behind: {self.box.processes()}", status)
        return status


class AnalyzerStage(RunStage):
    """The analysis of a small run's folder."""

    def open(self):
        self.folder = self.box.path("analyzed")
        done = self.box.parley("run", "--provider", "echo", "--turns", 4, "--story",
                               story_file(self.box), "--observe", "none", "--out", self.folder,
                               limit_s=LIMIT_S)
        assert done.returncode == 0, done.stderr

    def work(self, torture):
        return self.finish(self.start(torture, self.folder, "--json", program="parley-analyzer"))


STAGES = {"worker-1": FleetStage, "manager": FleetStage, "simulator": SimulatorStage,
          "analyzer": AnalyzerStage, "observer": ObserverStage, "check-config": CheckStage,
          "list": CommandStage, "start": StartStage, "run": RunStage}


@contextlib.contextmanager
def open_stage(name):
    stage = STAGES[name](name)
    try:
        stage.open()
        yield stage
    finally:
        stage.box.close()
