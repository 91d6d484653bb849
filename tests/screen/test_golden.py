"""Each screen as it is to look: recorded runs, printed at a moment of theirs, and in tmux.

`make golden` takes what is shown now; look at the difference before it is kept.
"""
import difflib
import json
import pathlib
import re

import pytest

from helpers import Fleet, box  # noqa: F401
from test_observer import ID, Stage
from tmux_rig import Pane

GOLDEN = pathlib.Path(__file__).parent / "golden"
STILL_LOOKS = 100  # without a change, at some 10 ms each
SIZES = ["80x24", "120x40", "200x60"]
# name -> the run, words
SCREENS = {
    "wall": ("many", ["--screen", "wall"]),
    "wall_at_one_minute": ("many", ["--screen", "wall", "--from", "60s"]),
    "talk": ("small", ["--screen", "talk"]),
    "talk_while_one_speaks": ("small", ["--screen", "talk", "--from", "17s"]),
    "talk_while_it_is_paused": ("small", ["--screen", "talk", "--from", "14s"]),
    "talk_while_the_story_is_written": ("small", ["--screen", "talk", "--from", "500ms"]),
    "fleet": ("many", ["--screen", "fleet"]),
}
# name -> the run, the screen it begins with, keys, what is then to be seen
VIEWS = {
    "help_of_the_wall": ("many", "wall", ["?"], "Keys: wall"),
    "help_of_a_talk": ("small", "talk", ["?"], "Keys: "),
    "wall_filtered": ("many", "wall", ["/", "dubois", "Enter"], "dubois"),
    "search": ("small", "talk", ["/", "suitcase", "Enter"], "suitcase"),
    "message": ("small", "talk", ["k", "Enter"], "\"message_id\""),
}


def trimmed(text):
    return [line.rstrip() for line in text.rstrip("\n").split("\n")]


# tmux 3.3 keeps 21 bytes of a cell and takes skin tones and U+FE0F for characters of their own:
# what it shows of such pictures is not compared. That columns stay straight is test_widths.py's.
PICTURES = re.compile("[\u200d\ufe0f\u2600-\u27bf\U0001f1e6-\U0001faff ]")


def but_pictures(lines):
    return [PICTURES.sub("", line) for line in lines]


def compare(name, shown, rewrite):
    path = GOLDEN / f"{name}.txt"
    if rewrite:
        path.write_text("\n".join(shown) + "\n", encoding="utf-8")
    wanted = trimmed(path.read_text(encoding="utf-8")) if path.exists() else []
    difference = "\n".join(difflib.unified_diff(wanted, shown, f"golden/{path.name}", "shown",
                                                lineterm=""))
    assert not difference, f"{name} is shown otherwise (make golden keeps it):\n{difference}"


def printed(box, recorded, name, *words):
    run, given = SCREENS[name]
    done = box.parley("replay", getattr(recorded, run), "--once", *given, *words)
    assert done.returncode == 0, done.stderr
    return trimmed(done.stdout)


def opened(box, recorded, run, size, *words):
    """In a terminal of that size, at the end of the record: there the clock stands."""
    cols, rows = map(int, size.split("x"))
    return Pane(box, "replay", getattr(recorded, run), "--mode", "tui", "--from", "1h", *words,
                cols=cols, rows=rows)


def settle(pane, name, rewrite):
    """The frame may be on its way yet: until it is as it is kept, or has stood still a while."""
    path = GOLDEN / f"{name}.txt"
    kept = trimmed(path.read_text(encoding="utf-8")) if path.exists() else None
    looks = []

    def over(text):
        looks.append(trimmed(text))
        return (not rewrite and looks[-1] == kept) or (len(looks) >= STILL_LOOKS
                                                       and looks[-STILL_LOOKS:] == looks[-1:] * STILL_LOOKS)

    pane.wait(over, "it stands still")
    compare(name, looks[-1], rewrite)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_printed_as_it_was(box, recorded, request, name, size):
    shown = printed(box, recorded, name, "--size", size)
    assert len(shown) <= int(size.split("x")[1])
    compare(f"{name}_{size}", shown, request.config.getoption("--rewrite-golden"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", [name for name in SCREENS if "--from" not in SCREENS[name][1]])
def test_a_terminal_shows_what_is_printed(box, recorded, name, size):
    wanted = printed(box, recorded, name, "--size", size)
    run, words = SCREENS[name]
    with opened(box, recorded, run, size, *words) as pane:
        pane.wait(lambda text: but_pictures(trimmed(text)) == but_pictures(wanted),
                  "the screen is as it is printed")
        pane.keys("q")
        assert pane.wait_dead() == 0
        assert pane.ask("alternate_on") == ["0"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", VIEWS)
def test_a_view_looks_as_it_did(box, recorded, request, name, size):
    run, screen, keys, wanted = VIEWS[name]
    with opened(box, recorded, run, size, "--screen", screen) as pane:
        pane.wait(" end")
        pane.keys(*keys)
        pane.wait(wanted)
        settle(pane, f"{name}_{size}", request.config.getoption("--rewrite-golden"))


REQUEST = {"model": "llama3.2", "stream": True, "options": {"num_ctx": 8192, "temperature": 0.7},
           "messages": [{"role": "system", "content": "You are Bo Lind. The lamp has gone out."},
                        {"role": "user", "content": "Ada Quill: Good day, Bo. 灯台 🧳 " * 12}]}


@pytest.mark.parametrize("size", SIZES)
def test_the_request_that_was_sent_looks_as_it_did(box, request, size):
    """No record has it: from a conversation in Redis."""
    fleet = Fleet(box)
    stage = Stage(fleet.db).open().begin().turn("Good day, Bo.").turn("Good day, Ada.")
    stage.facts(deadline="", max_turns="")
    body = json.dumps(REQUEST, ensure_ascii=False)
    fleet.db.hset(stage.key("asked"), "2", json.dumps({
        "call": f"{ID}:2/1.1-3f2a", "turn": 2, "url": "http://127.0.0.1:11434/api/chat",
        "bytes": len(body.encode()), "cut": False, "body": body}))
    cols, rows = map(int, size.split("x"))
    with Pane(box, "observe", "--redis", fleet.url, "--mode", "tui", ID, cols=cols,
              rows=rows) as pane:
        pane.wait("Good day, Ada.")
        pane.keys("e")
        pane.wait("POST http://")
        settle(pane, f"request_{size}", request.config.getoption("--rewrite-golden"))
    box.stop_all()


def test_a_terminal_too_small_says_so_and_comes_back(box, recorded, request):
    wanted = printed(box, recorded, "wall", "--size", "80x24")
    with opened(box, recorded, "many", "80x24") as pane:
        pane.wait(lambda text: trimmed(text) == wanted, "the wall")
        pane.resize(50, 8)
        pane.wait("too small")
        settle(pane, "too_small_50x8", request.config.getoption("--rewrite-golden"))
        pane.resize(80, 24)
        pane.wait(lambda text: trimmed(text) == wanted, "the screen as it was")
