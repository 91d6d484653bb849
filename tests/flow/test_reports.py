"""The analyzer's written forms: CSV read back, pages without foreign elements, pictures."""
import base64
import collections
import csv
import hashlib
import html.parser
import io
import json
import os
import random
import re
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

from helpers import BUILD, OnTerminal, box  # noqa: F401 - box is a fixture
from test_analyzer import METRICS, analyze, call, document, event, fill, made_up_turns, turn

LONG = os.environ.get("PARLEY_PROOF") == "long"
NASTY = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onload='x",
    "</td></table><h1>owned</h1>", "</svg><foreignObject>", "<!-- ", "]]>", "&lt;b&gt;&amp;",
    "=HYPERLINK(\"http://x\")", "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "a,b;\"c\"\nd",
    "[x](http://evil.example)", "a|b|c", "`id`", "$(id)", "' ; system 'touch /tmp/x' #", "\\",
    "^{up}_{down}", "@macro", "\x1b[2J\x1b]0;t\x07", "\x9b31m", "\u202egnp", "\u200b", "\0",
    "日本語の名前", "👩‍👩‍👧‍👦", "e\u0301", "\ud83d", "x" * 300,
]


def hostile_folder(folder, names):
    """A run whose names, models, endpoints and reasons are those texts, two by two."""
    names = list(names)
    turns = [turn(n, names[n % len(names)], provider=names[(n + 1) % len(names)],
                  model=names[(n + 2) % len(names)], endpoint=names[(n + 3) % len(names)],
                  finish_reason=names[(n + 4) % len(names)], tokens_generated=n,
                  generation_time_ms=100.5 * n, time_to_first_token_ms=10.25 * n, seat=n % 16 + 1)
             for n in range(1, 2 * len(names) + 1)]
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "transcript.jsonl", turns)
    wasted = [{**call(n, "failed"), "error": names[n % len(names)],
               "model": names[(n + 1) % len(names)]} for n in range(1, len(names) + 1)]
    write_bytes(folder / "calls.jsonl", wasted)
    write_bytes(folder / "events.jsonl", [event("resolve", "ended", names[0])])
    return turns


def write_bytes(path, documents):
    """JSON Lines in ASCII, so that half a surrogate pair can stand there as its escape."""
    path.write_text("".join(json.dumps(d) + "\n" for d in documents))


class Shape(html.parser.HTMLParser):
    """Which elements with which attributes a page has, and what they point to."""

    def __init__(self, text):
        super().__init__()
        self.elements = collections.Counter()
        self.targets = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements[tag, tuple(sorted(name for name, _ in attrs))] += 1
        self.targets |= {value for name, value in attrs
                         if name in ("href", "xlink:href", "src", "action", "data")}

    def handle_comment(self, data):
        self.elements["comment"] += 1

    def unknown_decl(self, data):
        self.elements["declaration"] += 1


def page_of(folder, *words, env=None):
    page = folder / "report.html"
    result = analyze(folder, "--html", page, *words, env=env)
    assert result.returncode == 0, result.stderr.decode()
    return page.read_text()


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


# ---- CSV ----


def test_on_a_terminal_the_files_that_were_written_are_named_below_the_tables(box, tmp_path):  # noqa: F811
    run = fill(tmp_path, made_up_turns(4))
    turns, page = tmp_path / "turns.csv", tmp_path / "a\x1b[2Jb.html"
    terminal = OnTerminal(box, "analyze", run, "--csv", turns, "--html", page)
    assert terminal.wait(60) == 0
    shown = terminal.read().decode().replace("\r", "")
    terminal.close()
    assert turns.exists() and page.exists()
    assert f"parley analyze: wrote {turns}\n" in shown.split("By persona")[1]
    assert "\x1b[2J" not in shown and "b.html\n" in shown
    piped = analyze(run, "--csv", turns)
    assert (piped.returncode, piped.stderr) == (0, b"")


def test_csv_has_a_row_for_each_turn_with_the_logs_own_numbers(tmp_path):
    turns = made_up_turns(60)
    result = analyze(fill(tmp_path, turns), "--csv", "-")
    assert result.returncode == 0, result.stderr.decode()
    rows = rows_of(result.stdout)
    assert len(rows) == 60
    for row, said in zip(rows, turns):
        data = said["metadata"]
        assert row["conversation_id"] == data["conversation_id"]
        assert int(row["turn"]) == data["sequence_number"]
        assert row["persona"] == data["author"]
        assert row["ended"] == said["queue_timestamp"]
        for name in ["time_to_first_token_ms", "generation_time_ms", "queue_wait_ms",
                     "routing_ms", "tokens_generated", "prompt_tokens", "tokens_per_second"]:
            value = data[name]
            assert row[name] == "" if value is None else float(row[name]) == value, name
    assert set(METRICS) <= set(rows[0])


def test_csv_summary_has_the_numbers_of_the_json(tmp_path):
    fill(tmp_path, made_up_turns(60))
    path = tmp_path / "summary.csv"
    found = document(tmp_path, "--csv-summary", path)
    rows = {(row["group"], row["name"], row["metric"]): row for row in rows_of(path.read_bytes())}
    groups = [("total", "", found)] + [("persona", p["name"], p) for p in found["personas"]]
    for kind, name, group in groups:
        for metric, stats in group["metrics"].items():
            row = rows[kind, name, metric]
            assert int(row["count"]) == stats["count"] and row["unit"] == stats["unit"]
            for column in ["avg", "std", "min", "max", "p1", "p50", "p99", "sum"]:
                if stats["count"] == 0:
                    assert row[column] == ""
                else:
                    assert float(row[column]) == pytest.approx(stats[column], rel=1e-6, abs=1e-5)


def test_no_cell_of_a_csv_is_a_formula_or_a_control_byte(tmp_path):
    # A NUL or half a pair makes a line of the log that is refused and noted.
    turns = hostile_folder(tmp_path / "run", [n for n in NASTY if n not in ("\0", "\ud83d")])
    path = tmp_path / "turns.csv"
    result = analyze(tmp_path / "run", "--csv", path, "--csv-summary", "-")
    assert result.returncode == 0, result.stderr.decode()
    for data in [path.read_bytes(), result.stdout]:
        for row in csv.reader(io.StringIO(data.decode(), newline="")):
            for cell in row:
                assert not re.match("[=+@\t\r\n]|-[^0-9]|-$", cell), cell
                assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200b]", cell), cell
    rows = rows_of(path.read_bytes())
    assert len(rows) == len(turns)
    assert "'=HYPERLINK(\"http://x\")" in {row["persona"] for row in rows}


def test_a_csv_that_cannot_be_finished_leaves_nothing(tmp_path):
    fill(tmp_path, made_up_turns(3))
    result = analyze(tmp_path, "--csv", tmp_path / "no such folder" / "turns.csv")
    assert result.returncode == 1 and b"no such folder" in result.stderr
    bad = analyze(tmp_path / "missing", "--csv", tmp_path / "turns.csv")
    assert bad.returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["transcript.jsonl"]


def test_only_one_form_goes_to_standard_output(tmp_path):
    fill(tmp_path, made_up_turns(3))
    for words in [["--json", "--csv", "-"], ["--markdown", "--json"],
                  ["--csv", "-", "--csv-summary", "-"]]:
        result = analyze(tmp_path, *words)
        assert result.returncode == 2 and b"only one of" in result.stderr
        assert result.stdout == b""


# ---- HTML and Markdown ----


def test_a_hostile_page_has_no_element_or_attribute_that_a_tame_one_lacks(tmp_path):
    hostile_folder(tmp_path / "tame", [f"name {n}" for n in range(len(NASTY))])
    hostile_folder(tmp_path / "hostile", NASTY)
    tame = Shape(page_of(tmp_path / "tame"))
    page = page_of(tmp_path / "hostile")
    hostile = Shape(page)
    assert set(hostile.elements) == set(tame.elements)
    assert hostile.targets == tame.targets
    assert "script" not in {key[0] for key in hostile.elements}
    assert all(target.startswith(("#", "data:,")) for target in hostile.targets)
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200b]", page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_page_allows_nothing_but_its_own_style(tmp_path):
    page = page_of(fill(tmp_path, made_up_turns(30)))
    style = re.search("<style>(.*?)</style>", page, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'" in page
    names = {name for _, attrs in Shape(page).elements for name in attrs}
    assert "style" not in names and not any(name.startswith("on") for name in names)
    assert not re.search(r"url\(|@import", style)
    assert page.count("<svg") >= 5 and len(re.findall(r" id=['\"]([^'\"]+)", page)) == \
        len(set(re.findall(r" id=['\"]([^'\"]+)", page)))


def test_markdown_keeps_hostile_names_in_their_cells(tmp_path):
    hostile_folder(tmp_path, NASTY)
    result = analyze(tmp_path, "--markdown")
    assert result.returncode == 0
    text = result.stdout.decode()
    columns = 0
    for line in text.splitlines():
        cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))
        columns = cells if re.fullmatch(r"(\| -+:? )+\|", line) else columns
        if line.startswith("| ") and columns:
            assert cells == columns or "---" in line or not line.count("\\"), line
        columns = columns if line.startswith("|") else 0
    assert not re.search(r"(?<!\\)<[a-z!/]|(?<!\\)\]\(", text)
    assert "## By persona" in text


# ---- pictures ----


def test_pictures_come_as_svg_and_png_and_names_stay_text(tmp_path):
    hostile_folder(tmp_path / "run", NASTY[10:25])
    plots = tmp_path / "plots"
    result = analyze(tmp_path / "run", "--plots", plots)
    assert result.returncode == 0, result.stderr.decode()
    names = {path.stem for path in plots.iterdir()}
    assert names == {"timeline", "over_time", "turn_index", "distribution", "throughput"}
    for name in names:
        assert (plots / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n")
        root = xml.etree.ElementTree.parse(plots / f"{name}.svg").getroot()
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not tags & {"script", "foreignObject", "image", "a", "style"}, name
    texts = [element.text for element in
             xml.etree.ElementTree.parse(plots / "timeline.svg").getroot().iter()]
    assert "`id`" in texts and "$(id)" in texts and "^{up}_{down}" in texts


def test_without_gnuplot_pictures_name_the_package_and_a_page_says_so(tmp_path):
    fill(tmp_path, made_up_turns(10))
    nothing = {"PATH": str(tmp_path / "empty")}
    result = analyze(tmp_path, "--plots", tmp_path / "plots", env=nothing)
    assert result.returncode == 2 and b"gnuplot-nox" in result.stderr
    assert not (tmp_path / "plots").exists()
    page = page_of(tmp_path, env=nothing)
    assert "There are no pictures: pictures need gnuplot" in page
    assert "Latencies and rates" in page


def test_passwords_in_the_settings_stay_out_of_the_page(tmp_path):
    fill(tmp_path, made_up_turns(3))
    settings = {"model.ollama_url": "http://me:hunter2@host:1/x?key=s3cret", "model.name": "m"}
    (tmp_path / "run.json").write_text(json.dumps(
        {"run_id": "r1", "started_at": "2026-01-31T10:30:00Z", "seed": 1,
         "versions": {"parley": "1"}, "config": settings,
         "sources": {"model.ollama_url": "flag", "model.name": "default"}}))
    page = page_of(tmp_path)
    assert "http://***@host:1/x?***" in page
    assert "hunter2" not in page and "s3cret" not in page


def browse(page, folder, width):
    """(picture, what the console said, what the page asked the network for)."""
    shot, seen = folder / "shot.png", folder / "net.json"
    result = subprocess.run(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update",
         "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}",
         f"--log-net-log={seen}", f"--window-size={width},3000", f"--screenshot={shot}",
         f"file://{page}"],
        capture_output=True, timeout=120, check=False)
    said = [line for line in result.stderr.decode(errors="replace").splitlines()
            if "CONSOLE" in line]
    # What the browser asks for by itself has "not an origin" there.
    asked = re.findall(r'"initiator":"(?!not an origin")[^\n]*?"url":"((?:https?|wss?):[^"]*)"',
                       seen.read_text())
    return shot, said, set(asked)


BROWSER = [
    pytest.mark.skipif(not LONG, reason="a browser takes its time: PARLEY_PROOF=long"),
    pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium here")]


def marked(test):
    for mark in BROWSER:
        test = mark(test)
    return test


@marked
@pytest.mark.parametrize("width", [400, 500, 1280])
@pytest.mark.parametrize("kind", ["report", "export"])
def test_a_browser_opens_the_page_without_complaint_or_request(tmp_path, kind, width):
    hostile_folder(tmp_path / "run", NASTY)
    page_of(tmp_path / "run")
    if kind == "export":
        done = subprocess.run([BUILD / "parley", "export", tmp_path / "run", "--format", "html",
                               "--out", tmp_path / "run" / "export.html"], check=False)
        assert done.returncode == 0
    shot, said, asked = browse(tmp_path / "run" / f"{kind}.html", tmp_path, width)
    assert shot.stat().st_size > 20000
    assert said == [] and asked == set()
    keep = os.environ.get("PARLEY_SHOTS")
    if keep:
        shutil.copy(shot, os.path.join(keep, f"{kind}-{width}.png"))


@marked
def test_a_page_that_complains_and_asks_is_found_out(tmp_path):
    page = tmp_path / "bad.html"
    page.write_text("<!doctype html><img src='http://127.0.0.1:9/x.png'>"
                    "<script>console.error('so')</script>")
    _, said, asked = browse(page, tmp_path, 500)
    assert len(said) == 1 and asked == {"http://127.0.0.1:9/x.png"}


@pytest.mark.skipif(not LONG, reason="ten thousand names: PARLEY_PROOF=long")
def test_ten_thousand_hostile_names_leave_a_page_and_a_csv_as_they_must_be(tmp_path):
    rng = random.Random(5)
    names = ["".join(rng.choice(NASTY[:-1]) for _ in range(rng.randint(1, 3)))
             for _ in range(10000)]
    hostile_folder(tmp_path / "run", names)
    hostile_folder(tmp_path / "tame", [f"n{n}" for n in range(50)])
    path = tmp_path / "turns.csv"
    page = page_of(tmp_path / "run", "--csv", path)
    assert set(Shape(page).elements) <= set(Shape(page_of(tmp_path / "tame")).elements)
    for row in csv.reader(io.StringIO(path.read_bytes().decode(), newline="")):
        for cell in row:
            assert not re.match("[=+@\t\r\n]", cell), cell

