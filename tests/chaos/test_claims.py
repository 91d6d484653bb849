"""The page of claims: no figure without a file, bounds by the rule of three; the table of cases;
the trends of a soak.
"""
import json
import mmap
import os
import pathlib
import re
import subprocess
import sys

import cases
import claims
import claims_page
import claims_parts
import junit
import pytest
import samples
from bound import bound_of, zero

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSIONS = {"parley": "v9", "libraries": ["compiler 1", "libev 4"], "redis": "7.0.15",
            "kernel": "Linux 6", "compiler": "gcc 12", "python": "3.11", "cores": 2}


def document(part, *results, violations=()):
    runs = [{"name": f"s{number}", "command": f"do {number}", "exit": 0, "started": "2026-01-02",
             "seconds": 61.0, "result": result} for number, result in enumerate(results)]
    return {"part": part, "scale": "full", "sources": "abc", "versions": VERSIONS, "whole": True,
            "started": "2026-01-02T03:04:05+00:00", "seconds": 61.0, "runs": runs,
            "violations": list(violations)}


PRICE = {"base_version": "parley a", "here_version": "parley b", "rounds": 5, "limit": 1.15,
         "added": [{"transport": "tcp", "base_us": 250.0, "here_us": 260.0, "base_to_floor": 1.2,
                    "here_to_floor": 1.25, "price": 1.04}],
         "many": [{"conversations": 64, "base_turns_per_second": 14000,
                   "here_turns_per_second": 13000, "price": 1.077}], "violations": []}


def test_nothing_seen_in_n_tries_is_shown_with_three_by_n():
    assert bound_of(50000) == "< 60 per million"
    assert bound_of(10000) == "< 0.03 %"
    assert bound_of(200) == "< 1.5 %"
    assert bound_of(2) == "-"  # three by two is no chance
    assert zero("lost", 0, 10000, "turns") == ("lost", "0 of 10,000 turns", "< 0.03 %")


def test_what_was_seen_has_no_bound_and_what_was_not_tried_no_count():
    assert zero("lost", 2, 10000, "turns") == ("lost", "**2 findings** in 10,000 turns", "-")
    assert zero("lost", 0, 0, "turns")[1:] == ("nothing was tried", "")


def test_a_page_of_no_files_says_of_each_part_that_it_was_not_run():
    text = claims_page.page({})
    assert text.count("\nNot run.\n") == len(claims_parts.PARTS)
    assert not re.search(r"\d+ of \d+", text.split("\n## ", maxsplit=1)[1])


def test_a_part_stands_on_the_page_with_command_versions_time_and_figures():
    text = claims_page.page({"price": document("price", PRICE)})
    assert "| [The price of safety](#the-price-of-safety) (`price`) | kept | full | "\
        "2026-01-02 03:04 | 61 s | v9 | abc |" in text
    machine = "- redis 7.0.15, Linux 6, gcc 12, libev 4, Python 3.11, 2 cores"
    assert "do 0" in text and machine in text
    assert "250.0 to 260.0 µs (1.2 to 1.25 times the floor): +4 %" in text
    assert text.count("\nNot run.\n") == len(claims_parts.PARTS) - 1


def test_violations_are_shown_and_cannot_break_the_table():
    bad = document("price", PRICE, violations=["I1: turn 3 | of\nk3 is not there"])
    text = claims_page.page({"price": bad})
    assert "**1 violations**" in text and "- I1: turn 3 \\| of k3 is not there" in text


def test_a_part_of_which_steps_are_missing_is_not_called_kept():
    half = {**document("price", PRICE), "whole": False}
    assert "| kept so far; not all steps were run |" in claims_page.page({"price": half})


def test_a_figure_that_a_file_lacks_ends_the_making_of_the_page():
    with pytest.raises(KeyError, match="here_us"):
        less = {**PRICE, "added": [{**PRICE["added"][0]}]}
        del less["added"][0]["here_us"]
        claims_page.page({"price": document("price", less)})


# ---- the runner ----

@pytest.fixture
def desk(tmp_path, monkeypatch):
    """The runner with parts of our own and folders of our own; calls() counts the runs."""
    counter = tmp_path / "count"
    made = {"exit": 0, "result": {"violations": []}}

    def steps(_):
        script = (f"open({str(counter)!r}, 'a').write('x'); "
                  f"open(r'{{out}}', 'w').write({json.dumps(made['result'])!r}); "
                  f"raise SystemExit({made['exit']})")
        return [claims_parts.Step("one", (sys.executable, "-c", script)),
                claims_parts.Step("two", (sys.executable, "-c", script))]

    part = claims_parts.Part("Mine", steps, lambda results: [])
    monkeypatch.setattr(claims_parts, "PARTS", {"mine": part})
    monkeypatch.setattr(claims, "CLAIMS", tmp_path / "claims")
    monkeypatch.setattr(claims, "PAGE", tmp_path / "claims.md")
    monkeypatch.setattr(claims, "versions", lambda: VERSIONS)
    made["calls"] = lambda: len(counter.read_text()) if counter.exists() else 0
    return made


def test_what_was_run_is_not_run_again_until_asked_to(desk):
    assert claims.run_part("mine", "full", False) and desk["calls"]() == 2
    assert claims.run_part("mine", "full", False) and desk["calls"]() == 2
    assert claims.run_part("mine", "full", True) and desk["calls"]() == 4
    assert claims.read_part("mine")["whole"]


def test_other_sources_or_another_size_are_run_again(desk, monkeypatch):
    claims.run_part("mine", "full", False)
    claims.run_part("mine", "short", False)
    assert desk["calls"]() == 4
    monkeypatch.setattr(claims, "sources", lambda: "other")
    claims.run_part("mine", "short", False)
    assert desk["calls"]() == 6


def test_what_failed_is_a_violation_and_is_run_again(desk):
    desk["exit"] = 3
    assert not claims.run_part("mine", "full", False)
    assert claims.read_part("mine")["violations"][0] == "one: exit status 3, see one.log"
    assert not claims.run_part("mine", "full", False)
    assert desk["calls"]() == 4


def test_a_step_without_figures_is_a_violation_though_it_exits_well(desk, monkeypatch):
    step = claims_parts.Step("mute", (sys.executable, "-c", "print('last words')"))
    monkeypatch.setattr(claims_parts, "PARTS", {"mine": claims_parts.Part(
        "Mine", lambda _: [step], lambda results: [])})
    assert desk["calls"]() == 0 and not claims.run_part("mine", "full", False)
    assert "it wrote no figures; its last words: last words" in \
        claims.read_part("mine")["violations"][0]


# ---- pytest's own files ----

def test_a_pytest_run_is_read_with_what_its_tests_told(tmp_path):
    tests = tmp_path / "test_some.py"
    tests.write_text("import pytest\n"
                     "def test_good(): print('figure: 200 stops'); print('other')\n"
                     "def test_bad(): assert 1 == 2\n"
                     "def test_not(): pytest.skip('no root')\n")
    out = tmp_path / "out.xml"
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o",
                    "junit_logging=system-out", "--junitxml", out, tests], cwd=tmp_path,
                   capture_output=True, check=False, env={"PATH": os.environ["PATH"]})
    result = junit.read(out, {"test_some.py::test_good": ["A6", "A7"]})
    assert (result["passed"], result["failed"], result["skipped"]) == (1, 1, 1)
    good, bad, left_out = result["tests"]
    assert good["figures"] == ["200 stops"] and good["cases"] == ["A6", "A7"]
    assert good["test"] == "test_some.py::test_good"
    assert bad["cases"] == [] and "1 == 2" in bad["why"] and left_out["why"] == "no root"
    assert len(result["violations"]) == 1


# ---- the cases ----

def test_the_table_of_cases_names_tests_that_exist_and_show_that_case():
    shown = cases.shown()
    table = cases.table((ROOT / "docs/reliability.md").read_text(encoding="utf-8"))
    assert list(table) == cases.IDS
    for case, text in table.items():
        named = re.findall(r"`(test_\w+)`", text)
        tests = [test for _, test in shown.get(case, [])]
        assert [name for name in named if name not in tests] == [], f"{case}: {tests}"
        assert named or text.startswith(("not here: ", "not yet shown")), f"{case}: {text}"


# ---- a soak's trends ----

def test_the_trend_of_a_straight_line_is_its_slope_without_an_error():
    found = samples.trend([(at, 5 + at / 3600) for at in range(0, 600, 10)])
    assert abs(found.per_hour - 1) < 1e-9 and found.error < 1e-6


def test_the_trend_of_noise_is_within_some_errors_of_nothing():
    noise = [(at, 100 + (at * 7919 % 13)) for at in range(0, 6000, 10)]
    found = samples.trend(noise)
    assert 0 < found.error and abs(found.per_hour) < 3 * found.error
    assert samples.trend(noise[:2]) is None


def test_a_process_that_holds_more_is_seen_to_hold_more():
    before = samples.look_at(os.getpid(), 0)
    # Pages of their own: what the heap gave back it would only hand out again.
    ballast = mmap.mmap(-1, 8 << 20)
    ballast.write(b"x" * (8 << 20))
    files = [open(os.devnull, "rb") for _ in range(5)]
    after = samples.look_at(os.getpid(), 10)
    for file in files:
        file.close()
    assert after.memory_kb - before.memory_kb > 7 << 10 and len(ballast) == 8 << 20
    assert after.descriptors == before.descriptors + 5 and after.threads >= 1
    assert samples.look_at(2 ** 22 + 1, 0) is None


def test_what_came_before_the_warm_up_is_left_out_of_a_summary():
    grown = [samples.Sample(at, 1024 * (9 if at < 100 else 10), 0, 7, 1)
             for at in range(0, 200, 10)]
    found = samples.summary(grown, 100)
    assert found["samples"] == 10 and found["memory_mb_per_hour"] == 0
    assert found["descriptors"] == {"first": 7, "last": 7, "least": 7, "most": 7}
