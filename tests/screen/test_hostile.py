"""10,000 texts that would do harm, in every place a text can stand, through every road.

Each is in a recorded run as what somebody said, is called, wants or failed of; what comes out is
searched for a control byte, a code point that cannot be seen, or a sequence nobody meant.
`make proof` takes every seed it has time for.
"""
import fcntl
import itertools
import json
import os
import pathlib
import pty
import random
import re
import select
import struct
import sys
import termios
import time

import pytest

from helpers import BUILD, IS_SLOW, LIMIT_S, box, wait_for  # noqa: F401

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import hostile  # noqa: E402
import runs  # noqa: E402

COUNT = hostile.COUNT
IS_LONG = os.environ.get("PARLEY_PROOF") == "long"
SEEDS = range(1, 11 if IS_LONG else 2)
TALKS = 400
TURNS = 20


def write_run(folder, seed):
    """TALKS conversations that share COUNT texts among all their places."""
    run = runs.Run(turns=str(TURNS))
    # A NUL in a JSON text is refused by the reader, as it may be: its lines are passed over.
    texts = [text for text in hostile.texts(COUNT, seed) if "\0" not in text and text]
    feed, said = itertools.cycle(texts), itertools.cycle(texts)
    dice = random.Random(seed)
    for number in range(TALKS):
        talk = run.talk("".join(dice.choice(runs.LETTERS) for _ in range(12)))
        at = number * 0.01
        talk.begin(at, next(feed), next(feed), [(next(feed), next(feed), next(feed)),
                                                (next(feed), next(feed), next(feed))])
        for turn in range(TURNS):
            if turn == 1:
                talk.call(at + 0.01, at + 0.02, "failed", 2, error=next(feed))
            talk.turn(at + 0.1, at + 0.5, next(said), 0.1, endpoint=next(feed), model=next(feed))
            at += 0.5
        talk.end(at, next(feed))
    for number, (_, call) in enumerate(run.calls):
        call["endpoint"] = call["worker"] = texts[number % 50]
    return run.write(folder), texts


@pytest.fixture(scope="module", params=SEEDS)
def nasty(request, tmp_path_factory):
    folder, texts = write_run(tmp_path_factory.mktemp("nasty"), request.param)
    return folder, texts


def shown(box, folder, *words):
    done = box.parley("replay", folder, "--speed", "max", *words, limit_s=4 * LIMIT_S)
    assert done.returncode == 0, done.stderr[-2000:]
    hostile.assert_text_harmless(done.stderr)
    return done.stdout


def test_nothing_harmful_stands_in_plain_text(box, nasty):
    text = shown(box, nasty[0], "--mode", "plain")
    hostile.assert_text_harmless(text)
    # It is all there, made visible: not an empty page that passes.
    assert text.count("<U+001B>") > COUNT // 4


def test_json_lines_hold_every_text_as_it_was_and_nothing_harmful(box, nasty):
    folder, texts = nasty
    text = shown(box, folder, "--mode", "json")
    hostile.assert_text_harmless(text)
    said = set()
    for line in text.splitlines():
        sight = json.loads(line)
        if sight["event"] == "turn":
            said.add(sight["message"]["content"]["message"])
    assert said <= set(texts) and len(said) > 0.6 * len(set(texts)), len(said)


@pytest.mark.parametrize("screen, rows", [("wall", 300), ("fleet", 100)])
def test_a_printed_screen_has_nothing_harmful(box, nasty, screen, rows):
    text = shown(box, nasty[0], "--once", "--screen", screen, "--size", "1000x500")
    hostile.assert_text_harmless(text)
    assert len(text.splitlines()) > rows and "<U+001B>" in text


# ---- a terminal ----

class Terminal:
    """The full screen on a pty whose every byte is kept."""

    def __init__(self, box, *words, rows=24, cols=80):
        self.rows, self.cols, self.data = rows, cols, b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
                os.execve(BUILD / "parley", ["parley", *map(str, words)],
                          {**box.env, "TERM": "xterm-256color"})
            finally:
                os._exit(127)

    def read(self, wait_s):
        if not select.select([self.fd], [], [], wait_s)[0]:
            return False
        try:
            piece = os.read(self.fd, 65536)
        except OSError:  # the other side is closed
            return False
        self.data += piece
        return piece != b""

    def frames(self):
        return self.data.count(b"\x1b[?2026l")

    def wait(self, condition, what):
        def look():
            self.read(0.02)
            return condition()
        wait_for(look, what, LIMIT_S)

    def wait_drawn(self, *texts):
        """Until all of them are on the screen: it is drawn anew for each look (Ctrl-L), as a
        frame brings only what is another than before."""
        def look():
            before = len(self.data)
            os.write(self.fd, b"\x0c")
            self.read_until_quiet()
            drawn = re.sub(rb"\x1b\[[0-9;]*[mGH]", b" ", self.data[before:])
            return all(re.search(text, drawn) for text in texts)
        wait_for(look, f"the screen shows {texts}", LIMIT_S)

    def press(self, keys):
        """Until what they bring is drawn."""
        before = self.frames()
        os.write(self.fd, keys)
        self.wait(lambda: self.frames() > before, f"a frame after {keys!r}")

    def read_until_quiet(self):
        """Until nothing more comes for a while: a frame, or nothing at all."""
        deadline = time.monotonic() + LIMIT_S
        while self.read(0.3 if IS_SLOW else 0.15):
            assert time.monotonic() < deadline, "it draws without an end"

    def close(self):
        """Out by q; its exit code."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            assert time.monotonic() < deadline, "it does not end"
            try:
                os.write(self.fd, b"q")
            except OSError:
                pass
            self.read(0.05)
        while self.read(0.1):
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def test_only_meant_sequences_reach_a_terminal_from_the_wall(box, nasty):
    terminal = Terminal(box, "replay", nasty[0], "--mode", "tui", "--screen", "wall", "--from", "1h",
                        rows=60, cols=200)
    terminal.wait_drawn(f" {TALKS} +conversations".encode(), b" end ")
    for _ in range(TALKS // 60):
        terminal.press(b"\x1b[6~")
    assert terminal.close() == 0
    hostile.assert_terminal_harmless(terminal.data, 60, 200)
    assert b"U+001B" in terminal.data or IS_SLOW


def write_talk(folder, seed):
    """One conversation of a turn for each text."""
    run = runs.Run(turns="none")
    talk = run.talk(runs.SMALL)
    texts = [text for text in hostile.texts(COUNT, seed) if "\0" not in text and text]
    talk.begin(0, texts[0], texts[1], [(text, text, text) for text in texts[2:4]])
    for number, text in enumerate(texts[:None if IS_LONG else COUNT // 10]):
        talk.turn(number + 0.1, number + 0.9, text, 0.1)
    return run.write(folder)


def test_only_meant_sequences_reach_a_terminal_from_a_talk(box, tmp_path):
    """Every text is scrolled past, up to the first; then a message as JSON, a search, the help."""
    run = write_talk(tmp_path / "talk", 1)
    terminal = Terminal(box, "replay", run, "--mode", "tui", "--from", "10h", rows=100, cols=120)
    terminal.wait_drawn(b" end ", b"following")
    before = 0
    while len(terminal.data) > before:  # at the top nothing is drawn any more
        before = len(terminal.data)
        os.write(terminal.fd, b"\x1b[5~")
        terminal.read_until_quiet()
    for keys in (b"\r", b"q", b"/", b"\x1b]0;x\r", b"?", b"q"):
        os.write(terminal.fd, keys)
        terminal.read_until_quiet()
    assert terminal.close() == 0
    hostile.assert_terminal_harmless(terminal.data, 100, 120)
    assert terminal.data.count(b"U+001B") > 200


def test_words_that_come_slowly_reach_a_terminal_harmless(box, tmp_path):
    """A replay speaks them: each piece is drawn before the next has come."""
    run = write_talk(tmp_path / "talk", 2)
    terminal = Terminal(box, "replay", run, "--mode", "tui", "--speed", "64", rows=40, cols=90)
    terminal.wait(lambda: terminal.frames() > (40 if IS_SLOW else 90), "many frames")
    assert terminal.close() == 0
    hostile.assert_terminal_harmless(terminal.data, 40, 90)


def test_the_search_for_harm_finds_it():
    """Each kind of harm, put among what is meant, is seen."""
    quiet = b"\x1b[?2026h\x1b[0;1m\x1b[2;3Hhello\x1b[5Gworld\x1b[0m\x1b[?2026l"
    hostile.assert_terminal_harmless(quiet)
    for text in [*hostile.SEQUENCES, *hostile.CONTROLS, "\x1b[80;81H", "\x1b[25;1H", "\u202e", "\u200b", "\ufeff"]:
        if text == "\n":
            continue
        with pytest.raises(AssertionError):
            hostile.assert_terminal_harmless(quiet + text.encode() + quiet)
