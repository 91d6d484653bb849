"""Every fault that the documentation names, asked for in each way there is: by flag and by a control
request, always and at a rate. The ledger tells which calls met it."""
import json
import pathlib
import re
import socket

import pytest

from simulator_rig import FAST, ROOT, Ledger, chat_body, simulator, wait_until

CALLS = 12
# What a kind cannot do without.
VALUES = {"status": ("status", 503), "redirect": ("to", "http://127.0.0.1:9/"), "say": ("text", "Aye.")}


def documented():
    text = (pathlib.Path(ROOT) / "docs/simulator.md").read_text(encoding="utf-8")
    table = text[text.index("| kind | value | what happens |"):].split("\n\n")[0]
    rows = re.findall(r"(?m)^\| ((?:`\w+`(?:, )?)+) \|", table)
    return [kind for row in rows for kind in re.findall(r"`(\w+)`", row)]


def rule_of(kind, **more):
    return {"kind": kind, **dict([VALUES[kind]] if kind in VALUES else []), **more}


def ask(server, kind):
    """A call whose client leaves as soon as it was read; a connection is closed idle only when it
    carried another request before."""
    before = server.state()["calls"]
    body = json.dumps(chat_body()).encode()
    head = b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n" if kind == "close_idle" else b""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    sock.sendall(head + b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                 % len(body) + body)
    wait_until(lambda: server.state()["calls"] > before, "it was asked")
    sock.close()


def faults_met(ledger, kind, way):
    """What each of some calls met, in their order: three always, the others by the dice."""
    rules = [rule_of(kind, count=3), rule_of(kind, rate=0.5)]
    flags = ("--faults", json.dumps(rules)) if way == "flag" else ()
    with simulator(*FAST, "--ledger", str(ledger.path), *flags) as server:
        if way == "control":
            server.set_faults(*rules)
        met = []
        for _ in range(CALLS):
            ask(server, kind)
            met.append(ledger.line()["fault"])
        server.ask("DELETE", "/_parley/faults")
        ask(server, kind)
        assert ledger.line()["fault"] is None
    return met


def test_the_documentation_names_every_kind_that_there_is():
    kinds = documented()
    assert len(kinds) == len(set(kinds)) > 20
    with simulator(*FAST) as server:
        server.set_faults(*(rule_of(kind) for kind in kinds))
        source = (pathlib.Path(ROOT) / "simulator/fault_read.c").read_text(encoding="utf-8")
        known = re.findall(r'\[FAULT_\w+\] = \{"(\w+)"', source)
        assert sorted(known) == sorted([*kinds, "none"])


@pytest.mark.parametrize("kind", documented())
def test_a_fault_is_met_by_flag_and_by_control_always_and_at_a_rate(tmp_path, kind):
    ledger = Ledger(tmp_path)
    flag, control = (faults_met(ledger, kind, way) for way in ("flag", "control"))
    assert flag == control and flag[:3] == [kind] * 3 and set(flag[3:]) == {kind, None}
