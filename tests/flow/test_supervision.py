"""A run as the keeper of its processes: who died comes back, who keeps dying ends it and is heard."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import time

import pytest

from helpers import (BUILD, assert_once_and_in_order, assert_run_folder, box, read_lines,
                     story_file, wait_for)  # noqa: F401 - box is a fixture

SLOW = ["--tokens-per-second", 150, "--first-token-ms", 20, "--reply-tokens", "15..30"]


def start(box, *options, **more):
    out = pathlib.Path(box.path("D"))
    run = box.start("run", "--simulate", "--story", story_file(box), "--observe", "none", "--lease",
                    "2s", "--patience", "3s", "--out", out, *SLOW, *options, **more)
    return run, out


def turns_there(out):
    try:
        return (out / "transcript.jsonl").read_text().count('"kind":"turn"')
    except FileNotFoundError:
        return 0


def children(box, program):
    """Their pids; redis-server's title goes on behind its name."""
    return sorted(pid for pid, words in box.processes().items()
                  if os.path.basename(words[0].split(" ")[0]) == program)


def said(run):
    with open(run.err_path, encoding="utf-8") as file:
        return file.read()


def seconds(text):
    """Of the start of a line of the log: seconds within the day."""
    hours, minutes, rest = re.search(r"T(\d\d):(\d\d):([\d.]+)Z", text).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def impostor(box, program, body):
    """A folder with all programs, of which one is a script; what runs there starts the script."""
    folder = pathlib.Path(box.path("bin"))
    folder.mkdir()
    shutil.copy(BUILD / "parley", folder)  # it looks for the others where it lies itself
    for path in BUILD.glob("parley-*"):
        (folder / path.name).symlink_to(path.resolve())
    (folder / program).unlink()
    (folder / program).write_text(f"#!/bin/sh\n{body}\n")
    (folder / program).chmod(0o755)
    return folder


def test_a_worker_that_was_in_service_and_died_is_started_again_at_once(box):
    run, out = start(box, "--turns", 6)
    wait_for(lambda: turns_there(out) >= 2, "two turns")
    old = children(box, "parley-worker")
    os.kill(old[0], signal.SIGKILL)
    killed_at = time.monotonic()
    wait_for(lambda: set(children(box, "parley-worker")) - set(old), "its successor")
    assert time.monotonic() - killed_at < 2  # a moment, on a busy machine
    assert run.wait(60) == 0, said(run)
    assert len(re.findall(r"died \(killed by signal 9\), starting it again", said(run))) == 1
    assert_run_folder(out)
    assert_once_and_in_order(read_lines(out / "transcript.jsonl"), 6)


def test_an_observer_that_is_killed_is_told_and_the_run_goes_on(box):
    run, out = start(box, "--turns", 6, "--observe", "plain")
    wait_for(lambda: turns_there(out) >= 1, "a turn")
    os.kill(children(box, "parley-observer")[0], signal.SIGKILL)
    assert run.wait(60) == 0, said(run)
    assert "observer died (killed by signal 9): nothing is shown any more" in said(run)
    assert_run_folder(out)
    assert_once_and_in_order(read_lines(out / "transcript.jsonl"), 6)


def test_five_deaths_without_a_turn_between_end_the_run_with_the_last_words_of_the_dead(box):
    """Its own log is quoted, harmless; the analysis is written all the same."""
    first = box.path("first")
    words = rf'''echo "I cannot \033[31mgo on" >&2; exit 9'''
    folder = impostor(box, "parley-manager", f"""if mkdir {first} 2>&-
    then {BUILD / 'parley-manager'} "$@"
    fi
    {words}""")
    run, out = start(box, "--turns", 500, program=folder / "parley")
    wait_for(lambda: turns_there(out) >= 1, "a turn")
    os.kill(wait_for(lambda: [pid for pid in children(box, "parley-manager")], "a manager")[0],
            signal.SIGKILL)
    assert run.wait(60) == 1
    text = said(run)
    assert "manager died 5 times without a turn between (exit status 9), its last words:\n  | I ca" \
        in text, text
    assert "\x1b" not in text and "<U+001B>[31mgo on" in text
    assert f"manager keeps dying (exit status 9); its log: {out}/logs/manager.log" in text
    assert_run_folder(out)
    assert_once_and_in_order(read_lines(out / "transcript.jsonl"), turns_there(out))


def test_who_dies_before_it_is_in_service_is_waited_for_longer_each_time(box):
    folder = impostor(box, "parley-manager", "exit 9")
    run, out = start(box, "--turns", 5, program=folder / "parley")
    assert run.wait(60) == 1
    deaths = [seconds(line) for line in said(run).splitlines() if "starting it again" in line]
    gaps = [b - a for a, b in zip(deaths, deaths[1:])]
    assert len(deaths) == 4, said(run)
    assert all(gap >= least for gap, least in zip(gaps, (0.05, 0.1, 0.2))), gaps
    assert "without a word" in said(run)


def test_with_no_give_up_deaths_without_end_are_borne(box):
    folder = impostor(box, "parley-worker", f"""mkdir {box.path('n')}.$$
    if [ $(ls -d {box.path('n')}.* | wc -l) -gt 8 ]; then exec {BUILD / 'parley-worker'} "$@"; fi
    exit 9""")
    run, out = start(box, "--turns", 3, "--no-give-up", "--personas", 2, program=folder / "parley")
    assert run.wait(60) == 0, said(run)
    assert said(run).count("starting it again") >= 8
    assert_once_and_in_order(read_lines(out / "transcript.jsonl"), 3)


@pytest.mark.parametrize("status, fate", [(2, "cannot go on"), (71, "keeps dying")])
def test_who_ends_with_2_is_not_started_again_and_who_ends_with_71_is(box, status, fate):
    folder = impostor(box, "parley-manager", f"echo 'so it is' >&2; exit {status}")
    run, out = start(box, "--turns", 5, program=folder / "parley")
    assert run.wait(60) == 1
    assert f"manager {fate} (exit status {status}); its log: {out}/logs/manager.log" in said(run)
    assert ("is not started again: it would end so again, its last words:\n  | so it is"
            in said(run)) == (status == 2), said(run)
    assert said(run).count("starting it again") == (0 if status == 2 else 4)


def test_who_was_in_service_and_is_refused_by_redis_is_not_started_again(box):
    """Exit status 3 of one that was in service: a person must act. Before that it means no Redis,
    and counts like any death."""
    folder = impostor(box, "parley-manager", f"mkdir {box.path('first')} 2>&- || echo >&3; exit 3")
    run, _ = start(box, "--turns", 5, program=folder / "parley")
    assert run.wait(60) == 3
    assert said(run).count("starting it again") == 1
    assert "manager ended (exit status 3) and is not started again" in said(run)


def test_who_finds_no_redis_at_its_start_does_not_count_as_dying_while_there_is_none(box):
    """The private Redis is held back; a manager that ends with 3 meanwhile is borne more often
    than five times."""
    count, gate, killed = (pathlib.Path(box.path(name)) for name in ("n", "gate", "killed"))
    folder = impostor(box, "parley-manager", f"""mkdir {count}.$$
    if [ -e {gate} ]; then exec {BUILD / 'parley-manager'} "$@"; fi
    while [ ! -e {killed} ]; do sleep 0.1; done
    exit 3""")
    servers = pathlib.Path(box.path("servers"))
    servers.mkdir()
    (servers / "redis-server").write_text(f"""#!/bin/sh
    if mkdir {box.path('life')} 2>&-; then PATH={os.environ['PATH']}; exec redis-server "$@"; fi
    while [ ! -e {gate} ]; do sleep 0.1; done
    PATH={os.environ['PATH']} exec redis-server "$@"\n""")
    (servers / "redis-server").chmod(0o755)
    box.env["PATH"] = f"{servers}:{os.environ['PATH']}"
    run, out = start(box, "--turns", 3, program=folder / "parley")
    wait_for(lambda: list(out.parent.glob("n.*")), "the first manager")
    server, = children(box, "redis-server")
    os.kill(server, signal.SIGKILL)
    wait_for(lambda: server not in box.processes(), "it is gone")
    killed.touch()
    wait_for(lambda: len(list(out.parent.glob("n.*"))) > 6, "seven managers came and went")
    gate.touch()
    assert run.wait(60) == 0, said(run)
    assert_once_and_in_order(read_lines(out / "transcript.jsonl"), 3)


def states(pids):
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            found.append(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0])
    return found


def test_ctrl_z_stops_all_of_a_run_and_fg_lets_all_of_it_go_on(box):
    """A shell's job: SIGTSTP, then SIGCONT; every process of it is stopped between."""
    run, out = start(box, "--turns", 8, process_group=0)
    wait_for(lambda: turns_there(out) >= 2, "two turns")
    run.send_signal(signal.SIGTSTP)
    wait_for(lambda: set(states(box.processes())) == {"T"}, "all stand still")
    before = turns_there(out)
    assert states([run.pid]) == ["T"] and turns_there(out) == before
    run.send_signal(signal.SIGCONT)
    assert run.wait(60) == 0, said(run)
    assert_once_and_in_order(read_lines(out / "transcript.jsonl"), 8)


def test_a_suspended_run_that_is_killed_takes_its_processes_with_it(box):
    run, out = start(box, "--turns", 500, process_group=0)
    wait_for(lambda: turns_there(out) >= 1, "a turn")
    run.send_signal(signal.SIGTSTP)
    wait_for(lambda: set(states(box.processes())) == {"T"}, "all stand still")
    run.kill()
    run.wait()
    wait_for(lambda: not box.processes(), "all are gone", 20)
    for left in box.runtime.glob("parley-*"):  # a killed process cannot remove its folder
        for path in left.iterdir():
            path.unlink()
        left.rmdir()


def test_a_run_whose_stdout_is_closed_ends_as_after_ctrl_c(box):
    """`parley run | head -1`: the reader goes, the turn in flight is finished, the rest is not begun."""
    out = pathlib.Path(box.path("D"))
    read, write = os.pipe()
    run = box.start("run", "--simulate", "--story", story_file(box), "--turns", 500, "--observe",
                    "plain", "--out", out, *SLOW, stdout=write)
    os.close(write)
    wait_for(lambda: turns_there(out) >= 1, "a turn")
    os.close(read)
    assert run.wait(60) == 128 + signal.SIGPIPE, said(run)
    count = turns_there(out)
    assert 1 <= count < 100
    assert_run_folder(out)
    assert json.loads((out / "run.json").read_text())["exit_status"] == 141
    assert_once_and_in_order(read_lines(out / "transcript.jsonl"), count)
