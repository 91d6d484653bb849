"""Each screen as it is to look: recorded runs, printed at a moment of theirs, and in tmux.

`make golden` takes what is shown now; look at the difference before it is kept.
"""
import difflib
import pathlib

import pytest

from helpers import box  # noqa: F401
from tmux_rig import Pane

GOLDEN = pathlib.Path(__file__).parent / "golden"
SIZES = ["80x24", "120x40", "200x60"]
# name -> the run, words
SCREENS = {
    "wall": ("many", ["--screen", "wall"]),
    "wall_at_one_minute": ("many", ["--screen", "wall", "--from", "60s"]),
}


def trimmed(text):
    return [line.rstrip() for line in text.rstrip("\n").split("\n")]


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


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_printed_as_it_was(box, recorded, request, name, size):
    shown = printed(box, recorded, name, "--size", size)
    assert len(shown) <= int(size.split("x")[1])
    compare(f"{name}_{size}", shown, request.config.getoption("--rewrite-golden"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", [name for name in SCREENS if "_at_" not in name])
def test_a_terminal_shows_what_is_printed(box, recorded, name, size):
    """At the end of the record, where the clock stands for both."""
    wanted = printed(box, recorded, name, "--size", size)
    run, words = SCREENS[name]
    cols, rows = map(int, size.split("x"))
    with Pane(box, "replay", getattr(recorded, run), "--mode", "tui", "--from", "1h", *words,
              cols=cols, rows=rows) as pane:
        pane.wait(lambda text: trimmed(text) == wanted, "the screen is as it is printed")
        pane.keys("q")
        assert pane.wait_dead() == 0
        assert pane.ask("alternate_on") == ["0"]
