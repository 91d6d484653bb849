"""What the tests over whole fleets share: a sandbox, fleets by hand, an Ollama that misbehaves.

Every process a test starts, and all of their children, bear a mark of the test in their
environment: so what is left behind is found in /proc, whoever started it.
"""
import calendar
import contextlib
import http.server
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

import pytest
import redis
from jsonschema import Draft202012Validator, FormatChecker

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("PARLEY_BUILD", "build/release")
IS_ASAN = "asan" in BUILD.name
IS_SLOW = IS_ASAN or BUILD.name == "valgrind"  # tools/valgrind puts wrappers there
LIMIT_S = 60 if IS_SLOW else 30
FAST = ["--tokens-per-second", "0", "--first-token-ms", "5"]
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time")
def is_time(text):
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"
    return not isinstance(text, str) or re.fullmatch(form, text) is not None


def complaints(schema, document):
    """What the independent validator says of a document; [] is well."""
    with open(ROOT / "schemas" / f"{schema}.schema.json", encoding="utf-8") as file:
        validator = Draft202012Validator(json.load(file), format_checker=FORMATS)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def wait_for(condition, what, limit_s=LIMIT_S):
    """The condition's first true value; fails after limit_s."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {limit_s} s in vain: {what}"
        time.sleep(0.01)


def marked(mark, folder):
    """pid -> words of the living processes of a sandbox.

    Known by the mark in their environment, or, as redis-server writes its title over that, by
    the folder they work in.
    """
    found = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            works_in = os.readlink(process / "cwd")
            if mark.encode() in (process / "environ").read_bytes() or works_in.startswith(folder):
                if words != [""]:  # empty: a zombie
                    found[int(process.name)] = words[:-1]
    return found


def default_signals():
    """In the child: a job of a script in the background would inherit SIGINT and SIGHUP ignored."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Sandbox:
    """Folders and an environment of a test's own. No process outlives it."""

    def __init__(self):
        # Not pytest's tmp_path: a socket's path must stay under 108 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pt-"))
        self.runtime = self.folder / "r"
        self.state = self.folder / "state"
        self.runtime.mkdir(mode=0o700)
        self.mark = f"PARLEY_TEST_MARK={uuid.uuid4().hex}"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8",
                    "XDG_RUNTIME_DIR": str(self.runtime), "XDG_STATE_HOME": str(self.state),
                    **dict([self.mark.split("=")])}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.started = []

    def path(self, name):
        return str(self.folder / name)

    def start(self, *words, program="parley", **more):
        """A process that goes on by itself; its stdout and stderr go to files unless given."""
        number = len(self.started)
        with open(self.path(f"{number}.out"), "wb") as out, \
                open(self.path(f"{number}.err"), "wb") as err:
            more = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err,
                    "env": self.env, **more}
            process = subprocess.Popen([BUILD / program, *map(str, words)],
                                       preexec_fn=default_signals, **more)
        process.out_path, process.err_path = self.path(f"{number}.out"), self.path(f"{number}.err")
        self.started.append(process)
        return process

    def parley(self, *words, limit_s=LIMIT_S, env=None, **more):
        """Runs to the end; the result has returncode, stdout, stderr and seconds."""
        begin = time.monotonic()
        done = subprocess.run([BUILD / "parley", *map(str, words)], capture_output=True,
                              timeout=limit_s, env={**self.env, **(env or {})},
                              stdin=more.pop("stdin", subprocess.DEVNULL), **more)
        done.seconds = time.monotonic() - begin
        done.stdout = done.stdout.decode()
        done.stderr = done.stderr.decode()
        return done

    def processes(self):
        return marked(self.mark, str(self.folder))

    def wait_alone(self):
        wait_for(lambda: not self.processes(), "no process of the test is left", 10)

    def stop_all(self):
        """Ends what the test started by itself, the last first; their exit codes in that order."""
        codes = []
        for process in reversed(self.started):
            if process.poll() is None:
                process.terminate()
            codes.append(process.wait(LIMIT_S))
        return codes

    def kill_all(self):
        """At once: for tests that do not look at how services end by themselves."""
        for process in self.started:
            process.kill()
            process.wait()

    def assert_nothing_left(self):
        """Neither process nor socket; what was told to end may take a moment to be gone."""
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not self.processes(), "the processes are gone", 2)
        assert self.processes() == {}, self.processes()
        assert list(self.runtime.iterdir()) == [], list(self.runtime.rglob("*"))

    def assert_no_report(self):
        """No sanitizer and no assert of ours has spoken, in whatever log."""
        for path in [*self.folder.glob("*.err"), *self.folder.rglob("logs/*.log")]:
            text = path.read_text(errors="replace")
            found = re.search("Sanitizer|runtime error:|Assertion .* failed", text)
            assert not found, f"{path}: {text[found.start():][:3000]}"

    def assert_nothing_made(self):
        """As assert_nothing_left, and no folder of a run either."""
        self.assert_nothing_left()
        assert not self.state.exists(), list(self.state.rglob("*"))

    def print_logs(self):
        """pytest shows them when the test failed."""
        for process in self.started:
            if hasattr(process, "err_path"):
                with open(process.err_path, encoding="utf-8", errors="replace") as file:
                    print("\n---", *process.args[1:], "->", process.poll())
                    print(file.read()[-4000:])

    def close(self):
        self.print_logs()
        left = self.processes()
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
            left.pop(process.pid, None)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def box():
    """A sandbox; a test that leaves a process or a socket behind has failed."""
    sandbox = Sandbox()
    try:
        yield sandbox
        sandbox.assert_nothing_left()
        sandbox.assert_no_report()
    finally:
        sandbox.close()


# ---- what a run leaves behind ----

def read_lines(path):
    """Each line of a JSON Lines file, parsed; a half-written one is an error."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert text == "" or text.endswith("\n"), f"{path} ends within a line: {text[-100:]!r}"
    return [json.loads(line) for line in text.splitlines()]


def turns_of(transcript, conversation=None):
    return [message for message in transcript if message["kind"] == "turn" and
            conversation in (None, message["metadata"]["conversation_id"])]


def words_of(transcript):
    return [message["content"].get("message") for message in turns_of(transcript)]


def assert_once_and_in_order(transcript, count, seats=2):
    """Turns 1 to count, each exactly once, the seats taking turns."""
    data = [message["metadata"] for message in turns_of(transcript)]
    numbers = [one["sequence_number"] for one in data]
    assert numbers == list(range(1, count + 1)), numbers
    taken = [one["seat"] for one in data]
    assert taken == [1 + i % seats for i in range(count)], taken


def assert_run_folder(folder, conversations=1):
    """Every file of a run that ended is there, whole and valid by its schema."""
    folder = pathlib.Path(folder)
    for name, schema in (("transcript", "dialog_message"), ("calls", "call"), ("events", "event")):
        lines = read_lines(folder / f"{name}.jsonl")
        bad = [(complaints(schema, line), line) for line in lines if complaints(schema, line)]
        assert bad == [], bad
    for name in ("run", "analysis"):
        bad = complaints(name, json.loads((folder / f"{name}.json").read_text()))
        assert bad == [], bad
    run = json.loads((folder / "run.json").read_text())
    assert run["ended_at"] is not None and len(run["conversations"]) == conversations
    names = sorted(path.name for path in folder.iterdir() if path.name != "redis")
    assert names == ["analysis.json", "calls.jsonl", "events.jsonl", "logs", "run.json",
                     "transcript.jsonl"], names
    return run


def time_of(event):
    """Seconds since 1970 of an event's `at`."""
    whole, _, part = event["at"].rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (part or "0"))


# What no terminal and no log may get of what others have said.
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")


def assert_harmless(text, colours=False):
    """colours: of a terminal, where the observer writes colours, clears its line and goes back."""
    found = HARMFUL.search(re.sub(r"\x1b\[[0-9;]*[mK]|\r", "", text) if colours else text)
    assert not found, text[max(0, found.start() - 40):found.end() + 40]


# ---- a terminal ----

def read_pty(master, limit_s=0.1):
    data = b""
    while select.select([master], [], [], limit_s)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        data += piece
    return data


class OnTerminal:
    """parley in a session of its own on a terminal of its own, as a person starts it."""

    def __init__(self, box, *words):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            with contextlib.suppress(OSError):
                os.execve(BUILD / "parley", ["parley", *map(str, words)], box.env)
            os._exit(127)
        self.data = b""
        self.closed = False

    def read(self):
        self.data += read_pty(self.master, 0.02)
        return self.data

    def wait(self, limit_s):
        """The exit code; the terminal is read meanwhile, as a terminal does."""
        status = []

        def over():
            if not self.closed:
                self.read()
            pid, code = os.waitpid(self.pid, os.WNOHANG)
            status.append(code)
            return pid == self.pid
        wait_for(over, "it ends", limit_s)
        return os.waitstatus_to_exitcode(status[-1])

    def close(self):
        os.close(self.master)
        self.closed = True


# ---- a fleet by hand ----

class Fleet:
    """A redis-server of its own and whatever programs the test adds."""

    def __init__(self, sandbox, *redis_options):
        self.box = sandbox
        self.socket = sandbox.path("redis.sock")
        self.url = f"unix://{self.socket}"
        self.redis = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", sandbox.folder,
             "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", *redis_options],
            stdout=subprocess.DEVNULL, env=sandbox.env)
        sandbox.started.append(self.redis)
        self.db = redis.Redis(unix_socket_path=self.socket, decode_responses=True,
                              encoding_errors="surrogateescape")
        wait_for(self.answers, "redis-server is ready")
        sandbox.env["PARLEY_REDIS"] = self.url

    def answers(self):
        try:
            return self.db.ping()
        except redis.ConnectionError:
            assert self.redis.poll() is None
            return False

    def simulator(self, *options):
        """Its URL, which the programs started later are told."""
        process = self.box.start("simulate", "--listen", "127.0.0.1:0", "--seed", 7, *options)
        line = wait_for(lambda: re.search(r"listening on (\S+)\n", open(process.out_path).read()),
                        "the simulator listens")
        self.box.env["PARLEY_OLLAMA"] = line.group(1)
        return line.group(1)

    def manager(self, *options):
        return self.box.start("manager", *options)

    def worker(self, seat, *options):
        return self.box.start("worker", "--seat", seat, *options)

    def wait_ready(self, *names):
        """These members hold their names, so they have their signals in hand; and one leads."""
        wait_for(lambda: self.db.exists("parley:{0}:leader", *(
            f"parley:{{0}}:member:{name}:lock" for name in names)) == 1 + len(names),
            f"{names} are ready")

    def crew(self, *options):
        """A manager and two workers, ready; the processes."""
        services = [self.manager(*options), self.worker(1, *options), self.worker(2, *options)]
        self.wait_ready("manager-1", "worker-1-1", "worker-2-1")
        return services

    def begin(self, *options):
        """The id of a conversation that was asked for."""
        done = self.box.parley("start", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def talk(self, conversation):
        return self.db.hgetall(f"parley:{{0}}:conversation:{conversation}")

    def wait_turns(self, conversation, count):
        wait_for(lambda: int(self.talk(conversation).get("turns") or 0) >= count,
                 f"{conversation} has {count} turns")

    def wait_end(self, conversation, limit_s=LIMIT_S):
        wait_for(lambda: self.talk(conversation).get("state") == "ended",
                 f"{conversation} ends", limit_s)
        return self.talk(conversation)

    def wait_holder(self, lane):
        """The name and pid of the worker that has this lane's turn in hand."""
        request = f"parley:{{0}}:request:{lane}"

        def holder():
            if self.db.exists(request):
                for entry in self.db.xpending_range(request, "workers", "-", "+", 1):
                    pid = self.db.hget(f"parley:{{0}}:member:{entry['consumer']}", "pid")
                    if pid is not None:  # it has left, else
                        return entry["consumer"], int(pid)
            return None
        return wait_for(holder, f"lane {lane} works")

    def transcript(self, conversation):
        entries = self.db.xrange(f"parley:{{0}}:transcript:{conversation}")
        return [json.loads(fields["message"]) for _, fields in entries]

    def wait_settled(self):
        """Every lane is read and acked to its end."""
        def settled():
            for kind in ("request", "response"):
                for lane in range(1, 17):
                    for group in self.db.xinfo_groups(f"parley:{{0}}:{kind}:{lane}"):
                        if group["pending"] != 0 or group["lag"] != 0:
                            return False
            return True
        wait_for(settled, "nothing is pending and no lane lags", 5)


# ---- servers that do not behave ----

class BlackHole:
    """A port that takes connections and never says a word."""

    def __enter__(self):
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.sock.getsockname()[1]
        return self

    def __exit__(self, *_):
        self.sock.close()


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def chat_line(content="", **more):
    return json.dumps({"model": "llama3.2", "created_at": "2026-01-31T10:30:00Z",
                       "message": {"role": "assistant", "content": content}, "done": False,
                       **more}).encode() + b"\n"


def chat_end(tokens=5):
    return chat_line(done=True, done_reason="stop", prompt_eval_count=10, eval_count=tokens,
                     total_duration=10**8, load_duration=10**6, prompt_eval_duration=10**7,
                     eval_duration=8 * 10**7)


GOOD_STORY = {"setting": "A pier.", "initial_situation": "It rains.", "characters": [
    {"name": "Ada", "description": "first"}, {"name": "Bo", "description": "second"}]}
GOOD_PERSONAS = {"personas": [
    {"name": name, "role": "walker", "traits": ["dry"], "goal": "to get home", "style": "short"}
    for name in ("Ada", "Bo")]}
STORY_FILE = {**GOOD_STORY, **GOOD_PERSONAS}


def story_file(sandbox):
    """The path of a story of two personas: nothing is generated before the first turn."""
    path = sandbox.path("story.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(STORY_FILE, file)
    return path


class FakeOllama:
    """Answers /api/chat with whatever on_chat(kind, number, body) yields, piece by piece.

    kind is "story", "personas" or "turn"; number counts the asks of that kind from 1. A text
    that is yielded becomes one line of the stream, bytes are sent as they are.
    """

    def __init__(self, on_chat=None, models=("llama3.2:latest",), on_load=None):
        self.on_chat = on_chat or (lambda kind, number, body: None)
        self.on_load = on_load or (lambda number, body: None)
        self.models = models
        self.asked = []  # (kind, body)
        self.loads = []  # bodies without messages: the model is to be loaded, nothing is said
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                if self.path == "/api/tags":
                    self.send_json({"models": [{"name": name, "model": name}
                                               for name in owner.models]})
                elif self.path == "/api/version":
                    self.send_json({"version": "0.5.0"})
                else:
                    self.send_json({"error": "not found"}, 404)

            def send_json(self, document, status=200):
                data = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not body["messages"]:
                    status, document = owner.load(body)
                    self.send_json(document, status)
                    return
                pieces = owner.pieces(body)
                self.send_response(200)
                self.send_header("Content-Type", "application/x-ndjson")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    for piece in pieces:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                        self.wfile.flush()
                    self.wfile.write(b"0\r\n\r\n")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def load(self, body):
        """(status, document) for a model that is to be loaded, as on_load(number, body) says."""
        self.loads.append(body)
        return self.on_load(len(self.loads), body) or (
            200, {"model": body["model"], "message": {"role": "assistant", "content": ""},
                  "done": True, "done_reason": "load"})

    def pieces(self, body):
        wanted = json.dumps(body.get("format") or "")
        kind = "story" if '"setting"' in wanted else "turn"
        kind = "personas" if '"personas"' in wanted else kind
        self.asked.append((kind, body))
        number = len(self.bodies(kind))
        reply = self.on_chat(kind, number, body)
        if reply is None:
            good = {"story": json.dumps(GOOD_STORY), "personas": json.dumps(GOOD_PERSONAS)}
            reply = [good.get(kind, f"Turn {number} it is.")]
        for piece in reply:
            yield piece if isinstance(piece, bytes) else chat_line(piece)
        yield chat_end()

    def bodies(self, kind):
        return [body for asked, body in self.asked if asked == kind]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
