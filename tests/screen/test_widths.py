"""Columns stay straight whatever stands in them: in tmux, which has its own mind about widths.

Every sequence of Unicode's emoji test file (Debian's unicode-data), and scripts whose characters
are wide, joined or stacked, as names on the wall; behind the name stands a figure, whose column
tmux is asked for, row by row.
"""
import pathlib
import re

import pytest

from helpers import box, wait_for  # noqa: F401
from tmux_rig import Pane

import runs

EMOJI = pathlib.Path("/usr/share/unicode/emoji/emoji-test.txt")
SCRIPTS = """
日本語 한국어 中文字 ｆｕｌｌ ﾊﾝｶｸ 、。「」 e\u0301e\u0301 n\u0303o\u0308 a\u0323\u0302 \u0915\u094d\u0937\u093f
\u0e01\u0e33 \u0e17\u0e35\u0e48 \u1112\u1161\u11ab \u1100\u1161\u11a8 \u05e9\u05c1\u05c2 Ελένη Жук \u0623\u064e
🇩🇪 🇯🇵🇩🇪 🇩 1\ufe0f\u20e3 #\ufe0f\u20e3 ☺\ufe0e ☺\ufe0f ❤ ❤\ufe0f ™ ™\ufe0f ©\ufe0f ℹ\ufe0f ↔\ufe0f ✈\ufe0f 👩\u200d🚀 👨\u200d👩\u200d👧\u200d👦
🏴\u200d☠\ufe0f 👍🏽 ✊🏿 🏳\ufe0f\u200d🌈 ½ ① ⑳ ─ █ ▁ … ‘’ “” ﷽ ꧅ 𒐫 𝒜 🀄 🂡 ⌚ ⏰ ⭐ ㊙ ㍿ 〽 ⎈ ⚕ ♀ ♂ ⚧
"""
NAMES_EACH = 4  # clusters in a name: 17 columns hold them
MARK = "0/8"


def emoji():
    if not EMOJI.exists():
        pytest.skip("unicode-data is not installed (make deps)")
    for line in EMOJI.read_text(encoding="utf-8").splitlines():
        found = re.match(r"([0-9A-F ]+?)\s*;", line)
        if found:
            yield "".join(chr(int(point, 16)) for point in found.group(1).split())


def groups(clusters):
    clusters = list(clusters)
    for at in range(0, len(clusters), NAMES_EACH):
        yield "".join(clusters[at:at + NAMES_EACH])


def write_run(folder, names):
    """Each name is of who speaks in a conversation of its own, from second 1 to 100."""
    run = runs.Run()
    for number, name in enumerate(names):
        talk = run.talk("w" + "".join(runs.LETTERS[number // 32 ** digit % 32]
                                      for digit in range(10, -1, -1)))
        talk.begin(0, "A room.", "They wait.", [(name, "guest", "Wait."), ("Bo", "guest", "Wait.")])
        talk.turn(1, 100, "At last.")
    return run.write(folder)


def columns_of(pane, text, rows):
    """Where tmux has that text, in its own cells: a column for each row that has it."""
    pane.tmux("copy-mode")
    ask = ["display-message", "-p", "#{copy_cursor_y} #{copy_cursor_x}"]
    words = ["send-keys", "-X", "history-top", ";", "send-keys", "-X", "search-forward-text", text]
    for _ in range(rows):
        words += [";", *ask, ";", "send-keys", "-X", "search-again"]
    found = {}
    for line in pane.tmux(*words).splitlines():
        row, column = map(int, line.split())
        found.setdefault(row, set()).add(column)
    pane.tmux("send-keys", "-X", "cancel")
    return found


@pytest.mark.parametrize("which", ["emoji", "scripts"])
def test_columns_behind_any_name_are_straight(box, tmp_path, which):
    names = list(groups(emoji()) if which == "emoji" else SCRIPTS.split())
    run = write_run(tmp_path / "run", names)
    seen = set()
    with Pane(box, "replay", run, "--mode", "tui", "--screen", "wall", "--from", "50s",
              cols=80, rows=60) as pane:
        pane.wait(f"{len(names):,} running", "all are there")
        pane.keys("p")
        pane.wait("paused")
        place = 0
        while True:
            page = pane.text()
            rows = {number for number, line in enumerate(page.split("\n")) if MARK in line}
            found = columns_of(pane, MARK, len(rows) + 2)
            assert set(found) == rows and rows, (sorted(found), sorted(rows))
            columns = {column for row in found.values() for column in row}
            crooked = {row: found[row] for row in found if len(found[row]) != 1}
            assert len(columns) == 1 and not crooked, "\n".join(
                f"{sorted(found[row])} {page.splitlines()[row]}" for row in sorted(found))
            seen |= set(re.findall(r"w[0-9a-v]{11}", page))
            if f" {len(names)} of {len(names)} " in page:
                break
            pane.keys("NPage")
            pane.wait(lambda text, page=page: text != page, "the next page")
            place += 1
            assert place <= len(names)
        assert len(seen) == len(names)
