"""parley analyze from pipes, from a live Redis, and --watch: only what is new, until all has ended."""
import fcntl
import json
import os
import pathlib
import signal
import struct
import subprocess
import termios

import pytest
from helpers import BUILD, LIMIT_S, Fleet, OnTerminal, box, wait_for  # noqa: F401 - box is a fixture
from test_analyzer import analyze, document, fill, turn


@pytest.fixture
def folder(tmp_path):
    fill(tmp_path, [turn(1, "Ada"), turn(2, "Bo")])
    return tmp_path


def alive(folder, pid=None):
    """The run.json of a run that goes on as long as that process lives."""
    (folder / "run.json").write_text(json.dumps({
        "schema_version": "1.0", "run_id": "r", "started_at": "2026-01-31T10:30:00Z",
        "ended_at": None, "pid": pid or os.getpid(), "seed": None}))


def reports(process):
    with open(process.out_path, encoding="utf-8") as out:
        return [json.loads(line) for line in out.read().splitlines(keepends=True)
                if line.endswith("\n")]


def turns(report):
    return report["totals"]["turns"]


def test_a_log_comes_through_a_pipe(folder):
    with open(folder / "transcript.jsonl", "rb") as log:
        piped = subprocess.run(["sh", "-c", f"cat | {BUILD}/parley-analyzer - --json"], stdin=log,
                               capture_output=True, timeout=LIMIT_S, check=False)
    assert piped.returncode == 0, piped.stderr
    piped = json.loads(piped.stdout)
    assert piped["source"] == "standard input"
    assert turns(piped) == 2 == turns(document(folder / "transcript.jsonl"))


def test_a_folder_is_read_on_until_its_run_has_ended(box, folder):  # noqa: F811
    alive(folder)
    watching = box.start("analyze", folder, "--watch=100ms", "--json")
    wait_for(lambda: any(turns(one) == 2 for one in reports(watching)), "two turns")
    line = json.dumps(turn(3, "Ada")) + "\n"
    with open(folder / "transcript.jsonl", "a", encoding="utf-8") as log:
        log.write(line[:50])
        log.flush()
        seen = len(reports(watching))
        wait_for(lambda: len(reports(watching)) > seen + 1, "half a line was met")
        assert turns(reports(watching)[-1]) == 2
        log.write(line[50:])
    wait_for(lambda: turns(reports(watching)[-1]) == 3, "the third turn, once it was whole")
    ended = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**ended, "ended_at": "2026-01-31T10:40:00Z"}))
    assert watching.wait(LIMIT_S) == 0
    last, whole = reports(watching)[-1], document(folder)
    assert {**last, "generated_at": 0} == {**whole, "generated_at": 0}


def test_a_run_whose_process_is_gone_has_ended(box, folder):  # noqa: F811
    gone = subprocess.Popen(["true"])
    gone.wait()
    alive(folder, gone.pid)
    with open(folder / "transcript.jsonl", "a", encoding="utf-8") as log:
        log.write('{"cut')
    done = analyze(folder, "--watch", "--json")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    assert b"the last line is cut off" in done.stderr


def test_a_record_that_was_rewound_is_not_counted_on(box, folder):  # noqa: F811
    alive(folder)
    watching = box.start("analyze", folder, "--watch=100ms", "--json")
    wait_for(lambda: any(turns(one) == 2 for one in reports(watching)), "two turns")
    (folder / "other").write_text(json.dumps(turn(1, "Ada")) + "\n")
    os.replace(folder / "other", folder / "transcript.jsonl")
    assert watching.wait(LIMIT_S) == 1
    assert "history was rewound" in pathlib.Path(watching.err_path).read_text()


def test_ctrl_c_ends_the_watching_with_130(box, folder):  # noqa: F811
    alive(folder)
    watching = box.start("analyze", folder, "--watch=1h")
    wait_for(lambda: os.path.getsize(watching.out_path) > 100, "the first report")
    watching.send_signal(signal.SIGINT)
    assert watching.wait(LIMIT_S) == 130
    assert b"\x1b" not in pathlib.Path(watching.out_path).read_bytes()


def test_a_report_that_goes_on_fits_the_terminal_and_the_last_is_whole(box, folder):  # noqa: F811
    alive(folder)
    terminal = OnTerminal(box, "analyze", folder, "--watch=100ms")
    fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    try:
        wait_for(lambda: b"at the end all of them\r\n" in terminal.read(), "a report that was cut")
        shown = terminal.read().split(b"\x1b[H\x1b[2J")
        cut = [one for one in shown if one.rstrip().endswith(b"lines more: at the end all of them")]
        assert {one.count(b"\n") for one in cut} == {23} and b"Summary" in cut[-1]
        ended = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**ended, "ended_at": "2026-01-31T10:40:00Z"}))
        assert terminal.wait(LIMIT_S) == 0
        last = terminal.read().split(b"\x1b[H\x1b[2J")[-1]
        assert b"\nConversations" in last.replace(b"\x1b[1m", b"") and b"lines more" not in last
    finally:
        terminal.close()


def test_a_conversation_without_a_turn_has_no_table_of_nothing(folder):
    lines = (folder / "transcript.jsonl").read_text().splitlines(keepends=True)
    (folder / "transcript.jsonl").write_text("".join(
        line for line in lines if json.loads(line)["kind"] != "turn"))
    text = analyze(folder).stdout.decode()
    assert "1 conversation, no turns." in text and "Not measured here" not in text


def test_a_pipe_cannot_be_watched(folder):
    done = subprocess.run(["sh", "-c", f"cat /dev/null | {BUILD}/parley-analyzer - --watch"],
                          capture_output=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 2 and b"--watch: a pipe is read once" in done.stderr


@pytest.fixture
def fleet(box):  # noqa: F811
    fleet = Fleet(box)
    yield fleet
    fleet.box.stop_all()


def test_a_shard_is_read_on_until_all_have_ended(fleet):
    fleet.crew("--provider", "echo")
    first = fleet.begin("--dry-run", "--turns", 4)
    fleet.wait_end(first)
    paused = fleet.begin("--dry-run", "--turns", 6)
    watching = fleet.box.start("analyze", "--redis", fleet.url, "--watch=100ms", "--json")
    wait_for(lambda: reports(watching) and turns(reports(watching)[-1]) == 10, "ten turns")
    assert watching.wait(LIMIT_S) == 0
    fleet.wait_end(paused)
    last = reports(watching)[-1]
    whole = document("--redis", fleet.url)
    assert {**last, "generated_at": 0} == {**whole, "generated_at": 0}
    alone = document(first, "--redis", fleet.url)
    assert turns(alone) == 4
