"""The full screen and its terminal: taken, given back whatever happens, drawn sparingly."""
import contextlib
import fcntl
import os
import re
import shutil
import signal
import struct
import termios
import time

import pytest

from helpers import BUILD, LIMIT_S, OnTerminal, box, marked, story_file, wait_for  # noqa: F401
from tmux_rig import Pane

COOKED = termios.ICANON | termios.ECHO | termios.ISIG
PARLEY = (BUILD / "parley").resolve()


def replay(run, *words):
    """Words for a replay that stands at its end: nothing in it changes by itself."""
    return ["replay", run, "--mode", "tui", "--screen", "wall", "--from", "1h", *words]


def modes(pane):
    """The local modes of the pane's terminal."""
    fd = os.open(pane.ask("pane_tty")[0], os.O_RDWR | os.O_NOCTTY)
    try:
        return termios.tcgetattr(fd)[3]
    finally:
        os.close(fd)


def is_taken(pane):
    return pane.ask("alternate_on", "cursor_flag", "wrap_flag") == ["1", "0", "0"]


def is_left(pane):
    """What is drawn there; modes are a shell's own while it reads a line."""
    return (pane.ask("alternate_on", "cursor_flag", "wrap_flag", "mouse_any_flag")
            == ["0", "1", "1", "0"])


def is_given_back(pane):
    return is_left(pane) and modes(pane) & COOKED == COOKED


def in_a_shell(box, *words, **more):
    """bash with job control in a pane, and parley with these words started in it."""
    pane = Pane(box, "--norc", "--noprofile", "-i", program="/bin/bash", **more)
    pane.type("PS1='ready '; parley() { " + str(PARLEY) + ' "$@"; }\n')
    pane.wait("\nready", "the shell")
    pane.type("clear; parley " + " ".join(str(word) for word in words) + "\n")
    return pane


def child(box, name):
    """The pid of the one process of this program."""
    def look():
        found = [pid for pid in marked(box.mark, str(box.folder)) if runs(pid, name)]
        return found[0] if len(found) == 1 else None
    return wait_for(look, f"{name} runs")


def runs(pid, name):
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe").endswith(f"/{name}")
    return False


class Guest:
    """parley started by a script, in whose terminal it is a guest: the pane outlives it."""

    def __init__(self, box, *words, env=(), **more):
        script = 'trap : INT; "$@"; echo "status $?"; exec sleep 1000'
        self.box = box
        self.pane = Pane(box, "-c", script, "sh", "/usr/bin/env", *env, PARLEY, *words,
                         program="/bin/sh", **more)

    def __enter__(self):
        return self.pane.__enter__()

    def __exit__(self, *trace):
        self.pane.__exit__(*trace)


def settled(pane):
    """The screen once the replay has reached its end and nothing moves any more."""
    seen = []

    def still():
        text = pane.text()
        if not seen or seen[-1][0] != text:
            seen.append((text, time.monotonic()))
        # Longer than the screen's own second.
        return " end" in text and time.monotonic() - seen[-1][1] > 1.2
    wait_for(still, "the screen comes to rest")
    return seen[-1][0]


def wait_status(pane, limit_s=LIMIT_S):
    """Until the guest has left; its exit status, as a shell tells it."""
    text = pane.wait(lambda text: re.search(r"status \d+$", text, re.M), "it leaves", limit_s)
    return int(re.search(r"status (\d+)$", text, re.M).group(1))


@pytest.mark.parametrize("way", ["q", "C-c", "TERM", "HUP", "SEGV", "ABRT"])
def test_the_terminal_is_given_back(box, recorded, way):
    with Guest(box, *replay(recorded.small)) as pane:
        pane.wait("quit")
        assert is_taken(pane)
        assert modes(pane) & COOKED == 0
        if way in ("q", "C-c"):
            pane.keys(way)
        else:
            os.kill(child(box, "parley-observer"), getattr(signal, "SIG" + way))
        # Under ASan a SIGSEGV is an error of its own.
        assert (wait_status(pane) == 0) == (way not in ("SEGV", "ABRT"))
        assert is_given_back(pane)


def test_ctrl_z_gives_it_to_the_shell_and_fg_brings_it_back(box, recorded):
    with in_a_shell(box, *replay(recorded.small)) as pane:
        before = settled(pane)
        pane.keys("C-z")
        pane.wait("Stopped", "the shell is back")
        assert is_left(pane)
        pane.type("fg\n")
        pane.wait(lambda text: text == before, "the same screen")
        assert is_taken(pane)
        pane.keys("q")
        pane.wait(lambda text: text.rstrip().endswith("ready"), "the shell")
        assert is_left(pane)


def test_what_was_stopped_from_outside_draws_anew(box, recorded):
    with in_a_shell(box, *replay(recorded.small)) as pane:
        before = settled(pane)
        os.kill(child(box, "parley-observer"), signal.SIGSTOP)
        pane.wait("Stopped", "the shell is back")
        pane.type("fg\n")
        pane.wait(lambda text: text == before, "the same screen")
        assert is_taken(pane)


def test_another_size_is_another_layout_and_too_small_says_so(box, recorded):
    with Pane(box, *replay(recorded.many), cols=80, rows=24) as pane:
        narrow = settled(pane)
        pane.resize(120, 40)
        pane.wait(lambda text: "quit" in text.split("\n")[-1] and len(text.split("\n")) == 40,
                  "the bar stands in the last of 40 rows")
        pane.resize(59, 24)
        pane.wait("too small: 59x24, needs 60x12")
        pane.keys("j", "?")  # nothing one cannot see is done
        pane.resize(80, 11)
        pane.wait("too small: 80x11, needs 60x12")
        pane.resize(80, 24)
        pane.wait(lambda text: text == narrow, "the screen as it was")
        pane.resize(3, 1)
        pane.wait("too")
        pane.keys("q")
        assert pane.wait_dead() == 0


def test_help_is_the_table_and_leads_back(box, recorded):
    with Pane(box, *replay(recorded.small), cols=80, rows=60) as pane:
        before = settled(pane)
        pane.keys("?")
        text = pane.wait("Keys: wall")
        for line in ("? F1 h            this list", "+ =               twice as fast",
                     "/                 show only what has this text"):
            assert line in text
        assert "ask for the selected dead turn" not in text  # another screen's
        assert "pause the conversation" not in text  # a replay takes no commands
        pane.keys("Escape")
        pane.wait(lambda text: text == before, "the screen as it was")
        pane.keys("?")
        pane.wait("Keys: wall")
        pane.keys("q")
        pane.wait(lambda text: text == before, "q leads back first")


def test_help_scrolls_where_it_is_longer_than_the_screen(box, recorded):
    with Pane(box, *replay(recorded.small), cols=80, rows=12) as pane:
        pane.wait("quit")
        pane.keys("?")
        pane.wait("? F1 h")
        pane.keys("G")
        pane.wait("back by a turn")
        pane.keys("g")
        pane.wait("? F1 h")
        pane.keys("j")
        pane.wait(lambda text: "? F1 h" not in text and "Ctrl-C" in text, "one line on")


def colours_of(styled):
    return {number for sgr in re.findall(r"\x1b\[([0-9;]*)m", styled)
            for number in re.findall(r"(?:^|;)((?:[34]8;5;\d+)|3[0-7]|4[0-7]|9[0-7])", sgr)}


@pytest.mark.parametrize("name, env, words, wanted", [
    ("256", {}, [], "[34]8;5;"),
    ("16", {"TERM": "xterm"}, [], "3[0-7]$|9[0-7]$"),
    ("NO_COLOR", {"NO_COLOR": "1"}, [], None),
    ("never", {}, ["--color", "never"], None),
    ("mono", {"TERM": "vt220"}, [], None),
])
def test_colours_are_what_terminal_and_user_allow(box, recorded, name, env, words, wanted):
    given = [f"{key}={value}" for key, value in env.items()]
    with Pane(box, *given, str(PARLEY), *map(str, replay(recorded.many, *words)),
              program="/usr/bin/env") as pane:
        pane.wait("quit")
        styled = pane.styled()
        colours = colours_of(styled)
        if wanted is None:
            assert not colours
            assert re.search(r"\x1b\[[0-9;]*[147]", styled)  # but bold, underline, reverse
        else:
            assert any(re.match(wanted, colour) for colour in colours), colours
        if name == "16":
            assert not any("8;5;" in colour for colour in colours)


@pytest.mark.parametrize("env, words", [({}, ["--ascii"]), ({"LC_ALL": "C"}, []),
                                        ({"LC_ALL": "en_US.ISO-8859-1"}, [])])
def test_ascii_means_ascii(box, recorded, env, words):
    with Pane(box, *replay(recorded.many, *words), env=env) as pane:
        assert pane.wait("quit").isascii()


def test_the_mouse_is_left_to_the_terminal_unless_asked_for(box, recorded):
    with Pane(box, *replay(recorded.small)) as pane:
        pane.wait("quit")
        assert pane.ask("mouse_any_flag") == ["0"]
    with Guest(box, *replay(recorded.many, "--mouse"), cols=80, rows=12) as pane:
        pane.wait(" 1 of 60 ")
        assert pane.ask("mouse_any_flag", "mouse_sgr_flag") == ["1", "1"]
        pane.type("\x1b[<65;10;8M" * 5)  # the wheel, as a terminal tells it
        pane.wait(" 16 of 60 ", "it scrolls")
        pane.type("\x1b[<0;10;9M\x1b[<0;10;9m")  # a click, two rows above
        row = pane.wait(" 14 of 60 ", "it is selected").split("\n")[8]
        pane.type("\x1b[<0;10;9M\x1b[<0;10;9m")
        pane.wait(row.split()[1] + "\n", "another one opens it")
        pane.keys("q")
        pane.wait(" 14 of 60 ", "it is still selected")
        pane.keys("q")
        assert wait_status(pane) == 0
        assert is_given_back(pane)


def test_the_mouse_leads_nowhere_while_something_is_asked(box, recorded):
    with Pane(box, *replay(recorded.many, "--mouse")) as pane:
        pane.wait("quit")
        pane.keys("/")
        pane.wait("filter:")
        pane.type("\x1b[<0;10;8M\x1b[<0;10;8m" * 2)  # twice on a row opens it
        pane.type("xy")
        assert "tok/s" in pane.wait("filter: xy"), "it is the wall still"


@pytest.mark.parametrize("term, why", [("dumb", "TERM is dumb"), ("", "TERM is not set"),
                                       ("no-such-terminal", "terminfo does not know this TERM")])
def test_a_terminal_that_cannot_gets_plain_text_and_a_word_why(box, recorded, term, why):
    with Guest(box, "replay", recorded.small, "--mode", "tui", "--speed", "max",
               env=[f"TERM={term}"], rows=200) as pane:
        assert wait_status(pane) == 0
        assert f"no full screen: {why}" in pane.text()
        assert pane.ask("alternate_on") == ["0"]


def test_one_screen_is_printed_anywhere(box, recorded):
    done = box.parley("replay", recorded.many, "--once", "--size", "60x12", "--screen", "wall")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert len(done.stdout.split("\n")) == 13
    for size in ("80", "x24", "80x", "0x24", "80x24x2", "9999x24"):
        done = box.parley("replay", recorded.many, "--once", "--size", size)
        assert done.returncode == 2
        assert "--size" in done.stderr


# ---- how often and how much ----

def on_terminal(box, *words, rows=24, cols=80):
    box.env.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
    terminal = OnTerminal(box, *words)
    fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
    wait_for(lambda: b"quit" in terminal.read(), "the screen is drawn")
    return terminal


def frames(data):
    """Whole frames; that none is begun within another or left open is checked."""
    marks = re.findall(rb"\x1b\[\?2026([hl])", data)
    assert marks == [b"h", b"l"] * (len(marks) // 2), "frames are whole"
    return len(marks) // 2


def read_for(terminal, seconds, keys=b""):
    """What the terminal gets in that time, a key pressed before each look."""
    terminal.data = b""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if keys:
            os.write(terminal.master, keys)
        terminal.read()
    return terminal.data


def test_nothing_is_written_while_nothing_changes(box, recorded):
    terminal = on_terminal(box, *replay(recorded.many))
    quiet = wait_for(lambda: read_for(terminal, 0.5) == b"", "it comes to rest")
    assert quiet
    assert read_for(terminal, 2.5) == b""  # two of its own looks at the clock
    os.write(terminal.master, b"j")
    wait_for(lambda: terminal.read().endswith(b"\x1b[?2026l"), "a frame")
    assert frames(terminal.data) == 1
    assert len(terminal.data) < 2000  # two rows of 24
    os.write(terminal.master, b"q")
    assert terminal.wait(LIMIT_S) == 0


def test_at_most_thirty_frames_are_drawn_in_a_second(box, recorded):
    terminal = on_terminal(box, *replay(recorded.many))
    begin = time.monotonic()
    drawn = frames_within(terminal, begin)
    seconds = time.monotonic() - begin
    assert 2 < drawn <= 30 * seconds + 2
    os.write(terminal.master, b"q")
    assert terminal.wait(LIMIT_S) == 0


def frames_begun(terminal):
    return terminal.read().count(b"\x1b[?2026h")


def frames_within(terminal, begin):
    data = read_for(terminal, 2, b"jkj")
    return len(re.findall(rb"\x1b\[\?2026h", data))


def test_a_terminal_that_takes_nothing_gets_whole_frames_later_and_can_be_left(box, recorded):
    terminal = on_terminal(box, *replay(recorded.many), rows=50, cols=200)
    for _ in range(400):  # far more than a terminal's buffer holds
        os.write(terminal.master, b"\x0c")
        time.sleep(0.001)
    wait_for(lambda: frames_begun(terminal) > 1, "it draws again once it is read")
    os.write(terminal.master, b"q")
    assert terminal.wait(LIMIT_S) == 0
    drawn, _, left = terminal.data.rpartition(b"\x1b[?2026l")  # leaving says so once more
    assert b"\x1b[?1049l" in left
    assert 1 < frames(drawn) < 200  # most were never drawn


def test_a_signal_ends_it_though_the_terminal_takes_nothing(box, recorded):
    terminal = on_terminal(box, *replay(recorded.many), rows=50, cols=200)
    for _ in range(400):  # far more than a terminal's buffer holds
        os.write(terminal.master, b"\x0c")
        time.sleep(0.001)
    os.kill(terminal.pid, signal.SIGTERM)
    wait_for(lambda: os.waitpid(terminal.pid, os.WNOHANG)[0], "it ends while nobody reads")


# ---- parley run ----

def run_words(box, *words):
    return ["run", "--dry-run", "--conversations", "2", "--out", box.path("D"), *words]


def spoken(box):
    """Bytes of the transcript."""
    return os.stat(box.path("D") + "/transcript.jsonl").st_size


ENDLESS = ["--turns", "1000000", "--duration", "1h"]


def test_a_run_that_was_only_watched_ends_by_itself_with_its_analysis(box):
    with Guest(box, *run_words(box, "--turns", "30"), cols=100, rows=200) as pane:
        assert wait_status(pane) == 0
        text = pane.wait("By persona")
        assert "60" in text
        assert is_given_back(pane)
    box.assert_nothing_left()


def test_a_run_that_was_used_stays_until_it_is_left(box):
    with Guest(box, *run_words(box, "--turns", "400"), cols=100, rows=100) as pane:
        pane.wait("quit")
        pane.keys("j")
        pane.wait("ended, q leaves", limit_s=2 * LIMIT_S)
        pane.keys("q")
        assert wait_status(pane) == 0
        pane.wait("By persona")
        pane.wait(f"parley run: kept in {box.path('D')}")
        pane.wait("parley replay ", "what to do with it")


def test_ctrl_c_ends_the_run_and_the_bar_says_so(box):
    with Guest(box, "run", "--simulate", "--tokens-per-second", "5", "--reply-tokens", "100..100",
               "--story", story_file(box), "--out", box.path("D"), cols=100, rows=100) as pane:
        pane.wait("Ada speaks", "a turn is being spoken")
        pane.keys("C-c")
        pane.wait("ending after the turn in flight; once more: at once")
        pane.keys("C-c")
        assert wait_status(pane) == 130
        assert is_given_back(pane)
        assert "ending at once" in pane.text()
    box.assert_nothing_left()


def test_q_asks_before_it_ends_the_run(box):
    with Guest(box, *run_words(box, *ENDLESS), cols=100, rows=100) as pane:
        pane.wait("quit")
        wait_for(lambda: spoken(box), "a turn")
        pane.keys("q")
        pane.wait("End the run, after the turn being spoken? y/n")
        pane.keys("n")
        pane.wait("quit")
        pane.keys("q", "y")
        assert wait_status(pane) == 130
        pane.wait("By persona")
    box.assert_nothing_left()


def test_ctrl_z_stops_the_whole_run_and_fg_brings_it_back(box):
    with in_a_shell(box, *run_words(box, *ENDLESS), cols=100, rows=30) as pane:
        pane.wait("quit")
        pane.keys("C-z")
        pane.wait("Stopped", "the shell is back")
        assert is_left(pane)
        lines = spoken(box)
        pane.type("fg\n")
        pane.wait(lambda text: "quit" in text.split("\n")[-1], "the screen")
        wait_for(lambda: spoken(box) > lines, "it goes on")
        pane.keys("C-c")
        pane.wait(lambda text: text.rstrip().endswith("ready"), "the shell", 2 * LIMIT_S)


def test_an_observer_that_is_killed_leaves_terminal_and_run_in_order(box):
    with Guest(box, *run_words(box, *ENDLESS), cols=100, rows=100) as pane:
        pane.wait("quit")
        os.kill(child(box, "parley-observer"), signal.SIGKILL)
        pane.wait("observer died (killed by signal 9)")
        assert is_given_back(pane)
        pane.keys("C-c")
        assert wait_status(pane) == 130


def test_a_run_that_is_killed_leaves_no_observer_and_a_terminal_in_order(box):
    with in_a_shell(box, *run_words(box, *ENDLESS), cols=100, rows=30) as pane:
        pane.wait("quit")
        os.kill(child(box, "parley"), signal.SIGKILL)
        # The shell's "Killed" may come before the observer leaves its screen, and go with it.
        wait_for(lambda: is_left(pane), "the terminal is in order")
        pane.type("echo al''ive\n")
        pane.wait("alive")
    wait_for(lambda: not box.processes(), "all of them are gone")
    shutil.rmtree(box.runtime)  # whoever is killed removes nothing
    box.runtime.mkdir()


def test_a_run_shows_plain_text_where_the_terminal_is_unknown(box):
    with Guest(box, *run_words(box, "--turns", "4"), env=["TERM=no-such-terminal"], cols=100,
               rows=200) as pane:
        assert wait_status(pane) == 0
        text = pane.text()
        assert "By persona" in text
        assert "Echo 1" in text.split("By persona")[0]
