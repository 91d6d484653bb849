"""The keys of a replay's clock, on a terminal: stand still, faster, slower, turn by turn, back."""
import re

from helpers import box, wait_for  # noqa: F401
from tmux_rig import Pane


def open_wall(box, run, *words, **size):
    return Pane(box, "replay", run, "--mode", "tui", "--screen", "wall", *words, **size)


def clock(text):
    """Seconds of "replay 0:12 of 0:41 x1"; None: there is no clock."""
    found = re.search(r"replay (\d+):(\d\d) of (\d+):(\d\d)", text)
    return found and int(found.group(1)) * 60 + int(found.group(2))


def turns(text):
    """Turns that the wall shows of the one conversation."""
    found = re.search(r" (\d+)/8 ", text)
    return found and int(found.group(1))


def still(pane, than=None):
    """Another screen than that, complete: the same at twenty looks, with nothing being read."""
    looks = []

    def over(text):
        looks.append(text)
        return text != than and " reading" not in text and looks[-20:] == [text] * 20

    return pane.wait(over, "another screen stands still")


def test_p_stands_still_and_goes_on(box, recorded):
    with open_wall(box, recorded.small, "--speed", "2", rows=60) as pane:
        pane.wait(lambda text: (clock(text) or 0) >= 1, "the clock runs")
        pane.keys("p")
        first = clock(pane.wait(" paused"))
        pane.keys("?")
        pane.wait("let the replay stand still, or go on")
        pane.keys("q")
        assert clock(pane.wait("1 conversation ")) == first, "it stands"
        pane.keys("p")
        pane.wait(lambda text: " paused" not in text and clock(text) > first, "it goes on")


def test_plus_and_minus_change_the_speed(box, recorded):
    with open_wall(box, recorded.small, "--speed", "0.5") as pane:
        pane.wait(" x0.5")
        for key, wanted in [("+", " x1"), ("+", " x2"), ("+", " x4"), ("-", " x2"), ("-", " x1")]:
            pane.keys(key)
            pane.wait(lambda text, wanted=wanted: re.search(f"{wanted}( |$)", text, re.M),
                      f"the speed is {wanted}")


def test_it_ends_by_itself_as_fast_as_asked_and_begins_anew(box, recorded):
    with open_wall(box, recorded.small, "--speed", "max") as pane:
        pane.wait("replay 0:41 of 0:41 max end")
        pane.wait("8/8")
        pane.keys("-", "p")
        pane.wait(lambda text: " end" not in text or clock(text) < 41, "it begins anew")


def test_the_turns_are_gone_to_one_by_one_and_back(box, recorded):
    with open_wall(box, recorded.small, "--speed", "0.25", "--from", "5s") as pane:
        pane.wait(lambda text: turns(text) == 1, "one turn was said")
        pane.keys("p")
        pane.wait(" paused")
        for wanted in (2, 3, 4, 5, 6, 7, 8):
            pane.keys(">")
            pane.wait(lambda text, wanted=wanted: turns(text) == wanted, f"turn {wanted}")
        assert "replay 0:41 of 0:41" in pane.text()
        for wanted in (7, 6, 5, 4, 3, 2, 1):
            pane.keys("<")
            pane.wait(lambda text, wanted=wanted: turns(text) == wanted, f"back at turn {wanted}")
        assert clock(pane.text()) == 4


def test_going_back_shows_what_was_shown_before(box, recorded):
    with open_wall(box, recorded.many, "--speed", "0.25", "--from", "60s") as pane:
        pane.wait(lambda text: "57 conversations" in text, "all that had begun by then")
        pane.keys("p")
        pane.wait(" paused")
        start = still(pane)
        pane.keys("<")
        before = still(pane, start)
        pane.keys(">")
        after = still(pane, before)
        pane.keys("<")
        assert still(pane, after) == before


def test_a_replay_is_not_commanded(box, recorded):
    with open_wall(box, recorded.small, "--from", "1h") as pane:
        pane.wait(" end")
        for key in ("x", "r", "s"):
            pane.keys(key)
            pane.wait("a replay cannot be commanded")
            pane.keys("C-l")
        assert "y/n" not in pane.text()


def test_requests_are_not_in_a_record(box, recorded):
    with Pane(box, "replay", recorded.small, "--mode", "tui", "--from", "1h") as pane:
        pane.wait(" end")
        pane.keys("e")
        pane.wait("a record holds no requests")


def test_broken_lines_that_are_met_on_the_way_are_told_in_the_bar(box, recorded, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    lines = (recorded.small / "transcript.jsonl").read_text(encoding="utf-8").splitlines()
    lines[5] = lines[5].replace('"seat":1', '"seat":"one"')
    (folder / "transcript.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open_wall(box, folder, "--speed", "max", cols=120) as pane:
        pane.wait("transcript.jsonl:6: passed over: ")
        pane.wait(lambda text: re.search(" 8 ", text), "the others are there")
