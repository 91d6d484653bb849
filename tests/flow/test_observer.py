"""parley-observer: what people and programs see of conversations, whatever is said in them.

The entries are written by hand, as workers and scripts write them.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import uuid

import pytest
import redis

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("PARLEY_BUILD", "build/release") / "parley-observer"
LIMIT_S = 8
# What it may hold for a slow reader, its own code included; sanitizers keep freed memory.
BYTES_MAX = (400 if "asan" in str(PROGRAM) else 24) << 20
ID = "k3v9q2m4x7ab"
OTHER = "p0c2d4e6f8g0"
PERSONAS = ["Ada Quill", "Bo Lind"]

HOSTILE = [
    "\x1b]52;c;cm0gLXJmIC8=\x07", "\x1b]8;;http://bad\x1b\\click\x1b]8;;\x1b\\", "\x1b[2J\x1b[31m",
    "\x1bP$q\"p\x1b\\", "\x9b31m\x9d0;title\x07", "a\x08b\x7f\x05\x0e\r\x0b\x0c",
    "\u202etxt.exe\u2066x\u2069", "\u200b\U000e0041\ufeff",
]


# ---- the writers' side ----

def metadata(conversation, **more):
    empty = dict.fromkeys([
        "sequence_number", "seat", "author", "tokens_generated", "generation_time_ms",
        "prompt_tokens", "time_to_first_token_ms", "tokens_per_second", "queue_wait_ms",
        "routing_ms", "attempts", "issue", "provider", "endpoint", "model", "finish_reason"])
    return {"conversation_id": conversation, **empty, **more}


def message(kind, name, content, data):
    return json.dumps({
        "schema_version": "1.0", "kind": kind, "queue_timestamp": "2026-01-31T10:30:00.123456Z",
        "message_id": f"{data['conversation_id']}:{name}",
        "role": "assistant" if kind == "turn" else "system", "to": None, "content": content,
        "metadata": data})


class Stage:
    """One conversation in Redis, moved by hand."""

    def __init__(self, db, conversation=ID, names=None):
        self.db, self.id, self.names = db, conversation, names or PERSONAS
        self.turns = 0

    def key(self, what):
        return f"parley:{{0}}:{what}:{self.id}"

    def now_us(self):
        seconds, micros = self.db.time()
        return seconds * 1000000 + micros

    def facts(self, **more):
        self.db.hset(self.key("conversation"), mapping=more)

    def event(self, kind, **more):
        self.db.xadd("parley:{0}:events", {
            "id": f"{self.id}:{kind}", "event": f"dialogue.{kind}", "conversation": self.id, **more})

    def open(self):
        now = self.now_us()
        self.facts(state="preparing", phase="idle", next=1, seat="", turns=0, tokens=0, reason="",
                   max_turns=12, deadline="", left_ms="", asked_at="", created_at=now,
                   started_at="", ended_at="", seats=2)
        self.db.zadd("parley:{0}:conversations", {self.id: now // 1000})
        self.event("open", state="preparing")
        return self

    def story(self, content, **entry):
        self.db.xadd(self.key("transcript"), {
            "kind": "story", "turn": "", "seat": "", "message": message(
                "story", "story:1", content, metadata(self.id))}, **entry)

    def begin(self, setting="A lighthouse in November.", situation="The lamp has gone out.",
              role="keeper of the light"):
        characters = [{"name": name, "description": "someone"} for name in self.names]
        self.story({"type": "story", "setting": setting, "characters": characters,
                    "initial_situation": situation})
        for seat, name in enumerate(self.names, 1):
            self.db.xadd(self.key("transcript"), {
                "kind": "persona", "turn": "", "seat": seat, "message": message(
                    "persona", f"persona:{seat}",
                    {"type": "persona", "name": name, "role": role, "traits": ["patient", "dry"],
                     "goal": "light", "style": "short"},
                    metadata(self.id, seat=seat, author=name))})
        now = self.now_us()
        self.facts(state="running", phase="asked", seat=1, asked_at=now, started_at=now,
                   deadline=now + 161000000)
        self.event("initiate", state="running")
        return self

    def live(self, kind, call, **more):
        turn = self.turns + 1
        self.db.xadd(self.key("live"), {
            "kind": kind, "call": call, "turn": turn, "seat": 1 + (turn - 1) % len(self.names), **more})

    def say(self, words, call="c1"):
        """A turn's live part, a delta a word."""
        self.live("begin", call, author="as the worker knows it", at=1)
        for word in words:
            self.live("delta", call, text=word)

    def turn(self, text, **entry):
        self.turns += 1
        seat = 1 + (self.turns - 1) % len(self.names)
        self.db.xadd(self.key("transcript"), {
            "kind": "turn", "turn": self.turns, "seat": seat, "message": message(
                "turn", self.turns,
                {"type": "conversation", "message": text, "sentiment": None, "references": []},
                metadata(self.id, sequence_number=self.turns, seat=seat, author=self.names[seat - 1],
                         tokens_generated=5, attempts=1, issue=1))}, **entry)
        self.facts(next=self.turns + 1, turns=self.turns, seat=1 + self.turns % len(self.names),
                   asked_at=self.now_us())
        self.event("progress", state="running", turn=self.turns)
        return self

    def happens(self, text):
        self.db.xadd(self.key("transcript"), {
            "kind": "event", "turn": "", "seat": "", "message": message(
                "event", "event:1",
                {"type": "conversation", "message": text, "sentiment": None, "references": []},
                metadata(self.id))})
        return self

    def end(self, reason="turns"):
        self.facts(state="ended", reason=reason, ended_at=self.now_us(), deadline="", phase="idle")
        self.event("resolve", state="ended", reason=reason)
        return self


# ---- the readers' side ----

class Observer:
    """The program, its output read as it comes; the end of the `with` leaves no process."""

    def __init__(self, server, *words, columns=0, env=None, check=True):
        self.check = check
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith("PARLEY_") and name not in ("REDIS_URL", "NO_COLOR", "COLUMNS")}
        if columns:
            self.fd, out = pty.openpty()
            fcntl.ioctl(out, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
            quiet = termios.tcgetattr(out)
            quiet[1] &= ~termios.OPOST  # bytes as they were written
            termios.tcsetattr(out, termios.TCSANOW, quiet)
        else:
            self.fd, out = os.pipe()
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [PROGRAM, "--redis", f"unix://{server.socket}", *words], stdin=subprocess.DEVNULL,
            stdout=out, stderr=self.errors, env={**clean, "TERM": "xterm-256color", **(env or {})})
        os.close(out)
        self.seen = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.fd is not None:
            os.close(self.fd)
        if self.check and kind is None:
            assert "Sanitizer" not in self.stderr()
        self.errors.close()

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def read_some(self, wait_s):
        """False at the end of what it writes."""
        if not select.select([self.fd], [], [], wait_s)[0]:
            return True
        try:
            piece = os.read(self.fd, 65536)
        except OSError:  # a pty whose other end is closed
            return False
        self.seen += piece
        return piece != b""

    def text(self):
        return self.seen.decode()

    def wait_until(self, is_so, what):
        deadline = time.monotonic() + LIMIT_S
        while not is_so():
            assert time.monotonic() < deadline, f"no {what} in {self.text()!r}, {self.stderr()!r}"
            if not self.read_some(0.02):
                assert is_so(), f"ended without {what}: {self.text()!r}, {self.stderr()!r}"

    def wait_for(self, text):
        self.wait_until(lambda: text in self.text() or text in bare(self.text()), text)

    def wait_error(self, text):
        self.wait_until(lambda: text in self.stderr(), text)

    def rest(self):
        """All it writes until it ends, and its exit status."""
        deadline = time.monotonic() + LIMIT_S
        while self.read_some(0.1):
            assert time.monotonic() < deadline, f"does not end: {self.text()!r}"
        self.process.wait(LIMIT_S)
        return self.text(), self.process.returncode


def without_status(text):
    """A terminal's text without the status lines: each is taken away by the next."""
    text = re.sub(r"\r\x1b\[K\x1b\[2m[^\r\n]*?\x1b\[0m(?=\r\x1b\[K)", "", text)
    return re.sub(r"\r\x1b\[K", "", text)


def bare(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", without_status(text))


class Server:
    """A redis-server with a memory of its own, to be killed and brought back."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="parley-")
        self.socket = self.folder + "/redis.sock"
        self.process = None
        self.start()

    def start(self, socket=None):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", socket or self.socket, "--dir", self.folder,
             "--save", "", "--appendonly", "yes", "--appendfsync", "always"],
            stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                return self.client(socket).ping()
            except (redis.ConnectionError, redis.BusyLoadingError):
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def client(self, socket=None):
        return redis.Redis(unix_socket_path=socket or self.socket, decode_responses=True)

    @contextlib.contextmanager
    def start_unseen(self):
        """Up again, but where nobody looks until the `with` is over."""
        unseen = self.socket + ".unseen"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)
        self.start(unseen)
        yield self.client(unseen)
        os.symlink(unseen, self.socket)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def forget(self):
        shutil.rmtree(self.folder + "/appendonlydir")

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder)


@pytest.fixture
def mortal():
    server = Server()
    yield server
    server.stop()


# ---- into a pipe ----

def test_a_pipe_gets_a_line_a_turn_and_the_end(redis_server, db):
    stage = Stage(db).open().begin()
    with Observer(redis_server, ID) as observer:
        observer.wait_for("Bo Lind, keeper")
        stage.live("waiting", "", servers="local, cloud", reason="no \x1b[31mroute")
        observer.wait_for("down: local, cloud")
        stage.live("waiting", "", servers="local, cloud", reason="told again")  # not within a minute
        stage.say(["Good ", "day"])
        stage.turn("Good\nday,  Bo.").turn("Good day.").end()
        text, status = observer.rest()
    assert status == 0
    assert text.splitlines() == [
        "Story: A lighthouse in November.",
        "Situation: The lamp has gone out.",
        "Ada Quill, keeper of the light; patient, dry - wants: light - speaks: short",
        "Bo Lind, keeper of the light; patient, dry - wants: light - speaks: short",
        "(Ada Quill waits for a model server; down: local, cloud; last: no <U+001B>[31mroute)",
        "Ada Quill: Good day, Bo.",
        "Bo Lind: Good day.",
        "(ended: all turns were spoken; 2 turns in 0:00)",
    ]


def test_what_ended_before_is_shown_whole(redis_server, db):
    stage = Stage(db).open().begin()
    for turn in range(1, 451):  # more than is read at once
        stage.turn(f"number {turn}")
    stage.end("stopped")
    with Observer(redis_server, ID) as observer:
        text, status = observer.rest()
    assert status == 0
    assert re.findall(r"number (\d+)", text) == [str(turn) for turn in range(1, 451)]
    assert re.search(r"\(ended: it was stopped; 450 turns in 0:\d\d\)\n$", text)


def test_a_conversation_that_is_not_there_yet_is_waited_for_when_asked_to(redis_server, db):
    with Observer(redis_server, "--wait", ID) as observer:
        observer.wait_error(f"there is no conversation {ID} yet")
        Stage(db).open().begin().turn("Here.").end()
        text, status = observer.rest()
    assert status == 0 and "Ada Quill: Here." in text


def test_one_that_is_deleted_is_over(redis_server, db):
    stage = Stage(db).open().begin().turn("Here.")
    with Observer(redis_server, ID) as observer:
        observer.wait_for("Here.")
        db.delete(stage.key("conversation"))
        text, status = observer.rest()
    assert status == 0 and "(gone:" in text


def test_a_turn_that_failed_says_so(redis_server, db):
    stage = Stage(db).open().begin()
    document = json.loads(message(
        "turn", 1, {"type": "conversation", "message": "", "sentiment": None, "references": []},
        metadata(ID, sequence_number=1, seat=1, author="Ada Quill")))
    document["metadata"]["failed"] = True
    db.xadd(stage.key("transcript"), {"kind": "turn", "turn": 1, "message": json.dumps(document)})
    stage.end("failed")
    with Observer(redis_server, ID) as observer:
        text, _ = observer.rest()
    assert "Ada Quill: (failed: nothing was said)\n" in text


def test_entries_nobody_should_have_written_do_no_harm(redis_server, db):
    stage = Stage(db).open().begin()
    transcript, live = stage.key("transcript"), stage.key("live")
    db.xadd(transcript, {"kind": "gesture", "message": "{}"})
    db.xadd(transcript, {"kind": "turn", "message": "{\"kind\":\x1b"})
    db.xadd(transcript, {"kind": "turn"})
    db.xadd(live, {"nothing": "known"})
    db.xadd(live, {"kind": "begin", "call": "c", "turn": "x", "seat": "-9"})
    db.xadd(live, {"kind": "begin", "call": "c", "turn": "1", "seat": str(2**63 - 1)})
    stage.facts(max_turns="many", seat="9" * 30, deadline="\x1b[2J")
    stage.turn("Still here.").end("\x1b[31m" * 30)
    with Observer(redis_server, ID) as observer:
        text, status = observer.rest()
    assert status == 0
    assert text.count("(an entry that cannot be read") == 2
    assert "Still here." in text and "\x1b" not in text


# ---- on a terminal ----

def test_words_come_one_by_one_wrapped_in_the_persona_s_colour(redis_server, db):
    stage = Stage(db).open().begin().turn("Before you came.")
    with Observer(redis_server, ID, columns=41) as observer:
        observer.wait_for("Before you came.")
        stage.live("begin", "c1")
        stage.live("delta", "c1", text="The lamp is lit and the fo")
        observer.wait_for("lit and the")
        assert "fo" not in observer.text().split("lit and the")[1]
        stage.live("delta", "c1", text="g comes in. Wa")
        observer.wait_for("comes")
        stage.live("delta", "c1", text="it")
        stage.live("end", "c1", outcome="done")
        stage.turn("The lamp is lit and the fog comes in. Wait for me.").end()
        text, status = observer.rest()
    assert status == 0
    assert "\x1b[36mAda Quill\x1b[0m  Before" in text and "\x1b[35mBo Lind\x1b[0m" in text
    assert bare(text) == (
        "A lighthouse in November.\n\nThe lamp has gone out.\n\n"
        "Ada Quill, keeper of the light; patient,\n"
        "    dry - wants: light - speaks: short\n\n"
        "Bo Lind, keeper of the light; patient,\n"
        "    dry - wants: light - speaks: short\n\n"
        "Ada Quill  Before you came.\n\n"
        "Bo Lind    The lamp is lit and the fog\n"
        "           comes in. Wait for me.\n\n"
        "(ended: all turns were spoken; 2 turns in 0:00)\n")
    assert text.endswith("\x1b[0m")


def test_joined_amid_a_turn_shows_what_was_said_first(redis_server, db):
    stage = Stage(db).open().begin().turn("One.").turn("Two.")
    stage.say(["Three ", "begins "])
    with Observer(redis_server, ID, columns=60) as observer:
        observer.wait_for("begins")
        text = bare(observer.text())
        assert text.index("One.") < text.index("Two.") < text.index("Three begins")
        stage.live("delta", "c1", text="and ends.")
        stage.turn("Three begins and ends.").end()
        text, _ = observer.rest()
    assert bare(text).count("Three") == 1 and "begins and ends.\n" in bare(text)


def test_what_is_withdrawn_is_said_and_begun_anew(redis_server, db):
    stage = Stage(db).open().begin()
    with Observer(redis_server, ID, columns=60) as observer:
        stage.say(["Well, ", "I "], "c1")
        observer.wait_for("Well, I")
        stage.live("withdrawn", "c1")
        stage.say(["No, ", "never "], "c2")
        observer.wait_for("No, never")
        stage.say(["Of ", "course. "], "c3")  # a begin without a withdrawn
        stage.live("delta", "c2", text="late words ")
        observer.wait_for("Of course.")
        stage.live("end", "c3", outcome="done")
        stage.turn("Of course.").end()
        text, _ = observer.rest()
    assert bare(text).endswith(
        "Ada Quill  Well, I\n   (withdrawn: asked again)\n\n"
        "Ada Quill  No, never\n   (withdrawn: asked again)\n\n"
        "Ada Quill  Of course.\n\n(ended: all turns were spoken; 1 turn in 0:00)\n")


def test_the_committed_text_has_the_last_word(redis_server, db):
    stage = Stage(db).open().begin()
    with Observer(redis_server, ID, columns=60) as observer:
        stage.say(["Good ", "day. ", "Bo: ", "And "])
        stage.live("end", "c1", outcome="done")
        observer.wait_for("Bo: And")
        stage.turn("Good day.").end()
        text, _ = observer.rest()
    assert "(corrected: this is what was said)\n\nAda Quill  Good day.\n" in bare(text)


def test_the_status_tells_who_thinks_and_what_is_left(redis_server, db):
    stage = Stage(db).open()
    with Observer(redis_server, ID, columns=100) as observer:
        observer.wait_for("the story is being written...")
        stage.begin()
        observer.wait_until(
            lambda: re.search(r"  Ada Quill is thinking\.\.\. \d\.\d s   turn 1 of 12   2:4[01] left",
                              observer.text()), "status")
        stage.facts(state="paused", phase="idle", deadline="", left_ms=61000)
        observer.wait_for("  paused   turn 1 of 12   1:01 left")
        observer.process.send_signal(signal.SIGTERM)
        text, status = observer.rest()
    assert status == 0
    assert "(paused)\n" in bare(text)
    assert "thinking" not in bare(text).replace("Ada Quill is", ""), "a status line stayed"


def test_ctrl_c_amid_a_word_leaves_the_terminal_in_order(redis_server, db):
    stage = Stage(db).open().begin()
    with Observer(redis_server, ID, columns=60) as observer:
        stage.say(["Half ", "a wo"])
        observer.wait_for("Half a")
        observer.process.send_signal(signal.SIGINT)
        text, status = observer.rest()
    assert status == 0
    assert text.endswith("Half a wo\n\x1b[0m")


@pytest.mark.parametrize("words,env,coloured", [
    ([], {}, True), ([], {"NO_COLOR": "1"}, False), ([], {"TERM": "dumb"}, False),
    (["--color", "never"], {}, False), (["--color", "always"], {"NO_COLOR": "1"}, True)])
def test_colours_are_used_where_they_are_wanted(redis_server, db, words, env, coloured):
    Stage(db).open().begin().turn("Yes.").end()
    with Observer(redis_server, *words, ID, columns=60, env=env) as observer:
        text, status = observer.rest()
    assert status == 0
    assert ("\x1b[36mAda Quill\x1b[0m" in text) == coloured
    assert coloured or "\x1b[3" not in text


def test_a_resized_terminal_gets_the_new_width(redis_server, db):
    stage = Stage(db).open().begin().turn("First.")
    with Observer(redis_server, ID, columns=80) as observer:
        observer.wait_for("First.")
        fcntl.ioctl(observer.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 31, 0, 0))
        observer.process.send_signal(signal.SIGWINCH)  # the kernel's goes to a session, it has none

        def is_narrow():  # signal and entries come in no order: the next turn at the latest
            stage.turn(f"{stage.turns + 1}: words over the end of a line")
            observer.wait_for(f"{stage.turns}: words")
            return re.search(r"words over the\n           end", bare(observer.text()))

        observer.wait_until(is_narrow, "narrow line")


def test_a_real_terminal_shows_the_same(redis_server, db):
    stage = Stage(db).open().begin().turn("The fog is thick tonight, and the horn is silent.")
    name = f"parley-{uuid.uuid4().hex[:8]}"
    tmux = ["tmux", "-L", name, "-f", "/dev/null"]
    command = shlex.join([str(PROGRAM), "--mode", "plain", "--redis", f"unix://{redis_server.socket}", ID])

    def screen():
        return subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True,
                              check=True).stdout

    def wait_screen(pattern):
        deadline = time.monotonic() + LIMIT_S
        while not re.search(pattern, screen(), re.S):
            assert time.monotonic() < deadline, screen()
            time.sleep(0.02)

    subprocess.run([*tmux, "new-session", "-d", "-x", "50", "-y", "30",
                    f"{command}; echo exit $?; exec sleep 60"], check=True)
    try:
        wait_screen(r"\nAda Quill  The fog is thick tonight, and the horn\n"
                    r"           is silent\.\n  Bo Lind is thinking")
        stage.say(["\x1b[2J\x1b[H", "Who ", "is there? "])
        wait_screen(r"\nBo Lind    <U\+001B>\[2J<U\+001B>\[HWho is there\?\n")
        assert "thinking" not in screen()
        stage.live("end", "c1", outcome="done")
        stage.turn("\x1b[2J\x1b[HWho is there?").end()
        wait_screen(r"there\?\n\n\(ended: all turns were spoken; 2 turns in 0:0\d\)\nexit 0\n")
        assert "A lighthouse in November." in screen()
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


# ---- several ----

def test_several_are_told_apart_by_a_prefix(redis_server, db):
    one, two = Stage(db).open().begin(), Stage(db, OTHER, ["Cy", "Di"]).open().begin()
    with Observer(redis_server, ID, OTHER, columns=60) as observer:
        observer.wait_for("Di, keeper")
        one.turn("I am one.")
        observer.wait_for("I am one.")
        two.turn("I am two.").end()
        observer.wait_for("(ended")
        one.turn("Still one.").end()
        text, status = observer.rest()
    assert status == 0
    lines = bare(text).splitlines()
    assert all(line.startswith(("k3v9q2  ", "p0c2d4  ")) for line in lines)
    assert lines[-4:] == ["p0c2d4  Cy: I am two.", "p0c2d4  (ended: all turns were spoken; 1 turn in 0:00)",
                          "k3v9q2  Bo Lind: Still one.",
                          "k3v9q2  (ended: all turns were spoken; 2 turns in 0:00)"]


def test_without_an_id_those_that_run_and_those_that_come(redis_server, db):
    Stage(db, "old1old1old1").open().begin().turn("Long ago.").end()
    one = Stage(db).open().begin().turn("I ran before.")
    with Observer(redis_server, columns=60) as observer:
        observer.wait_for("I ran before.")
        one.say(["Words ", "as ", "they "])
        observer.wait_for("Words as they")
        Stage(db, OTHER, ["Cy", "Di"]).open().begin().turn("I came later.").end()
        observer.wait_for("p0c2d4  (ended")
        one.turn("Words as they come.")
        observer.wait_for("k3v9q2  Bo Lind: Words as they come.")
        assert observer.process.poll() is None
        observer.process.send_signal(signal.SIGTERM)
        text, status = observer.rest()
    assert status == 0
    assert "Long ago" not in text
    assert bare(text).count("I came later.") == 1
    assert "p0c2d4  Story: A lighthouse in November.\n" in bare(text)


def test_many_conversations_lose_no_turn(redis_server, db):
    stages = [Stage(db, f"many{number:08}").open().begin() for number in range(40)]
    with Observer(redis_server, *(stage.id for stage in stages)) as observer:
        for turn in range(1, 11):
            for stage in stages:
                stage.turn(f"turn {turn} of {stage.id}")
            observer.read_some(0)
        for stage in stages:
            stage.end()
        text, status = observer.rest()
    assert status == 0
    for stage in stages:
        assert re.findall(f"turn (\\d+) of {stage.id}", text) == [str(turn) for turn in range(1, 11)]


# ---- for programs ----

def test_json_tells_each_event_on_a_line(redis_server, db):
    stage = Stage(db).open().begin()
    with Observer(redis_server, "--mode", "json", ID) as observer:
        observer.wait_for('"persona"')
        stage.say(["Good ", "day."])
        observer.wait_for("day.")
        stage.live("withdrawn", "c1")
        stage.say(["Hello."], "c2")
        stage.live("end", "c2", outcome="done")
        observer.wait_for('"outcome":"done"')
        stage.turn("Hello.").end()
        text, status = observer.rest()
    assert status == 0
    events = [json.loads(line) for line in text.splitlines()]
    assert [event["event"] for event in events] == [
        "state", "story", "persona", "persona", "begin", "delta", "delta", "withdrawn", "begin",
        "delta", "end", "turn", "state"]
    assert {event["conversation"] for event in events} == {ID}
    assert events[4]["author"] == "Ada Quill" and events[4]["call"] == "c1" and events[4]["seat"] == 1
    assert events[5]["text"] + events[6]["text"] == "Good day."
    assert events[7]["reason"] == "asked again"
    assert events[11]["message"]["content"]["message"] == "Hello."
    assert events[11]["turn"] == 1
    assert events[0]["state"] == "running" and events[0]["reason"] is None
    assert events[-1]["state"] == "ended" and events[-1]["reason"] == "turns" and events[-1]["turns"] == 1


# ---- hostile text ----

def hostile_stage(db):
    nasty = "".join(HOSTILE)
    stage = Stage(db, names=["Ada" + nasty, "Bo" + nasty]).open()
    stage.begin(setting=nasty, situation=nasty, role=nasty)
    return stage, nasty


def assert_harmless(text, allowed="\n"):
    found = {c for c in text if (c < " " or "\x7f" <= c <= "\x9f" or c in "\u202e\u2066\u2069\u200b\ufeff"
                                 or c == "\U000e0041") and c not in allowed}
    assert not found, found


@pytest.mark.parametrize("mode", ["plain", "json"])
def test_nothing_harmful_goes_into_a_pipe(redis_server, db, mode):
    stage, nasty = hostile_stage(db)
    with Observer(redis_server, "--mode", mode, ID) as observer:
        observer.wait_for("Bo")
        stage.live("begin", "c1\x1b[2J", author=nasty)
        stage.live("delta", "c1\x1b[2J", text=nasty + "\0")
        stage.turn(nasty)
        stage.end("\x1b[2J")
        text, status = observer.rest()
    assert status == 0
    assert_harmless(text)
    if mode == "json":
        turn = [json.loads(line) for line in text.splitlines() if '"event":"turn"' in line][0]
        assert turn["message"]["content"]["message"] == nasty


def test_nothing_harmful_reaches_a_terminal_however_it_is_cut(redis_server, db):
    stage, nasty = hostile_stage(db)
    with Observer(redis_server, ID, columns=60) as observer:
        observer.wait_for("Bo")
        stage.live("begin", "c1", author=nasty)
        for letter in nasty + "\0":
            stage.live("delta", "c1", text=letter)
        stage.turn(nasty).end()
        text, status = observer.rest()
    assert status == 0
    ours = re.sub(r"\x1b\[(0|2|3[1-6]|94)m|\r\x1b\[K", "", text)
    assert_harmless(ours)
    assert "<U+001B>]52;c;" in ours.replace("\n           ", "")


def test_broken_utf8_is_shown_as_the_replacement_character(redis_server, db):
    stage = Stage(db).open().begin()
    with Observer(redis_server, ID, columns=60) as observer:
        observer.wait_for("Bo Lind")
        stage.live("begin", "c1")
        stage.live("delta", "c1", text=b"x\xc3(\xe2\x82 \xff\x9b31m y ")
        observer.wait_for("31m y")
        assert "x\ufffd(\ufffd \ufffd\ufffd31m y" in bare(observer.text())


# ---- when things go wrong ----

def test_redis_that_dies_and_comes_back_costs_nothing(mortal):
    stage = Stage(mortal.client()).open().begin()
    with Observer(mortal, ID) as observer:
        for life in range(3):
            for _ in range(3):
                stage.turn(f"turn {stage.turns + 1}.")
            if life == 1:
                observer.wait_for(f"turn {stage.turns}.")
            mortal.kill()
            if life == 1:
                observer.wait_error("Redis is lost")
            mortal.start()
            stage.db = mortal.client()
        stage.turn("turn 10.").end()
        text, status = observer.rest()
        assert "Redis is back" in observer.stderr()
    assert status == 0
    assert re.findall(r"turn (\d+)\.", text) == [str(turn) for turn in range(1, 11)]
    assert "history was rewound" not in text


def test_a_history_that_went_back_is_told_and_followed(mortal):
    stage = Stage(mortal.client()).open().begin()
    stage.turn("one").turn("two").turn("three")
    with Observer(mortal, ID) as observer:
        observer.wait_for("three")
        entries = mortal.client().xrange(stage.key("transcript"))
        facts = mortal.client().hgetall(stage.key("conversation"))
        mortal.kill()
        observer.wait_error("Redis is lost")
        mortal.forget()
        with mortal.start_unseen() as db:
            for entry, fields in entries[:-2]:
                db.xadd(stage.key("transcript"), fields, id=entry)
            db.hset(stage.key("conversation"), mapping={**facts, "next": 2, "turns": 1})
        observer.wait_for("(history was rewound: Redis kept no more than turn 1)")
        stage.db, stage.turns = mortal.client(), 1
        # Where the lost one stood: behind what is left, before what was read.
        stage.turn("another two", id=entries[-2][0]).end()
        text, status = observer.rest()
    assert status == 0
    assert re.findall("^(?:Ada Quill|Bo Lind): (.*)", text, re.M) == ["one", "two", "three", "another two"]
    assert text.count("history was rewound") == 1


@pytest.mark.parametrize("kept, told", [(-1, 2), (-2, 2), (None, None)])
def test_how_far_a_history_went_back_is_told_by_turns_whatever_stands_last(mortal, kept, told):
    stage = Stage(mortal.client()).open().begin()
    stage.turn("one").turn("two").happens("The lamp goes out.").turn("three")
    if told is None:
        stage.happens("It rains.")  # this line alone will be missing: no turn is lost
        kept = -1
    with Observer(mortal, ID) as observer:
        observer.wait_for("It rains." if told is None else "three")
        entries = mortal.client().xrange(stage.key("transcript"))
        facts = mortal.client().hgetall(stage.key("conversation"))
        mortal.kill()
        observer.wait_error("Redis is lost")
        mortal.forget()
        with mortal.start_unseen() as db:
            for entry, fields in entries[:kept]:
                db.xadd(stage.key("transcript"), fields, id=entry)
            db.hset(stage.key("conversation"), mapping=facts)
        if told is None:
            observer.wait_error("Redis is back")
        else:
            observer.wait_for("history was rewound")
        stage.db = mortal.client()
        stage.turns = told or 3
        stage.turn("another").end()
        text, status = observer.rest()
    assert status == 0
    found = re.findall(r"history was rewound: Redis kept no more than turn (\d+)", text)
    assert found == ([] if told is None else [str(told)]), text
    assert "(stage direction) The lamp goes out." in text and "another" in text


def test_a_reader_that_goes_away_ends_it(redis_server, db):
    stage = Stage(db).open().begin()
    with Observer(redis_server, ID) as observer:
        observer.wait_for("Bo Lind")
        os.close(observer.fd)
        observer.fd = None
        stage.turn("Nobody hears this.")
        assert observer.process.wait(LIMIT_S) == 0
        assert observer.stderr() == ""


def test_a_slow_reader_gets_everything(redis_server, db):
    stage = Stage(db).open().begin()
    long = "word " * 10000
    for turn in range(1, 601):  # more than may be held: read by and by at the start,
        stage.turn(f"<{turn}> {long}")
    with Observer(redis_server, ID) as observer:
        before = resident_when_still(observer.process.pid)
        observer.wait_until(lambda: b"<600>" in observer.seen[-len(long) - 100000:], "<600>")
        for turn in range(601, 1201):  # and as it comes
            stage.turn(f"<{turn}> {long}")
        after = resident_when_still(observer.process.pid)
        stage.end()
        text, status = observer.rest()
    assert status == 0
    assert re.findall(r"<(\d+)>", text) == [str(turn) for turn in range(1, 1201)]
    assert before < BYTES_MAX and after < BYTES_MAX, (before >> 20, after >> 20)


def resident_when_still(pid):
    """Bytes in memory once it has stopped growing: it waits for its reader."""
    last, same, deadline = -1, 0, time.monotonic() + LIMIT_S
    while same < 10:
        assert time.monotonic() < deadline
        now = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
        same = same + 1 if now == last else 0
        last = now
        time.sleep(0.05)
    return last


def test_a_signal_ends_it_though_nobody_reads(redis_server, db):
    stage = Stage(db).open().begin()
    for turn in range(1, 601):
        stage.turn("word " * 400)
    with Observer(redis_server, ID) as observer:
        resident_when_still(observer.process.pid)
        observer.process.send_signal(signal.SIGTERM)
        assert observer.process.wait(LIMIT_S) == 0


def test_what_cannot_work_is_said_at_once(redis_server, db):
    db.hset("parley:{0}:meta", mapping={"layout": "99"})
    for words, status, reason in [(["no-id-at-all"], 2, "is not a conversation's id"),
                                  ([ID], 2, "layout 99"),
                                  (["--shard", "{}", ID], 2, "shard"),
                                  (["--redis", "gopher://x", ID], 2, "redis://"),
                                  (["--redis", "unix:///nowhere/redis.sock", ID], 3, "nowhere")]:
        with Observer(redis_server, *words) as observer:
            text, got = observer.rest()
            assert (got, text) == (status, ""), words
            assert reason in observer.stderr()
