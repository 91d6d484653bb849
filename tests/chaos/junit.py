"""Reads what pytest writes with --junitxml (and -o junit_logging=system-out) as figures."""
import xml.etree.ElementTree

FIGURE = "figure: "  # the mark of a line that tell() of tests/flow/model_servers.py printed


def brief(why):
    """Its first words: the values behind them are in the log, and of this machine."""
    return why.splitlines()[0].split("{")[0].rstrip(" :'\"")[:120] if why else ""


def outcome(case):
    """And why, where it was not well."""
    for kind, name in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        found = case.find(kind)
        if found is not None:
            return name, brief(found.get("message", ""))
    return "passed", ""


def told(case):
    text = case.findtext("system-out") or ""
    return [line.removeprefix(FIGURE) for line in text.splitlines() if line.startswith(FIGURE)]


def test_of(case):
    """As tests/flow/test_x.py::name, the parameters of a test left out."""
    path = (case.get("classname") or "session").replace(".", "/") + ".py"
    return f"{path}::{case.get('name').split('[')[0]}"


def read(path, shows=None):
    """{"tests": [...], counts, "violations": [a line for each that failed]}.

    shows: {test: the cases it shows}; each of its tests has them as `cases`.
    """
    tests = []
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        result, why = outcome(case)
        test = test_of(case)
        tests.append({"test": test, "name": case.get("name"), "result": result, "why": why,
                      "seconds": float(case.get("time")), "figures": told(case),
                      "cases": (shows or {}).get(test, [])})
    count = {name: sum(one["result"] == name for one in tests)
             for name in ("passed", "failed", "skipped")}
    violations = [f"{one['test']}: {one['why']}" for one in tests
                  if one["result"] == "failed"]
    return {**count, "tests": tests, "violations": violations if tests else ["no test was run"]}
