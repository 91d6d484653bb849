"""Which fault points a campaign kills at, in which program, and after how many passes.

Every point that the build prints is in here somewhere: one that is not is an error, so that a
new script or a new point cannot be left out unnoticed.
"""
import re
import subprocess

STAGES = ("before", "sent", "answered")
BOTH = {"start", "start.connected", "start.ready", "redis.connect", "redis.hello", "redis.teach",
        "redis.read"}
# A story is taken from a file, so a manager of the campaign makes no model call.
WORKER = {"http.sent", "http.head"}
SCRIPTS = {
    "beat": "both", "leave": "both",
    "admit": "worker", "claim": "worker", "commit": "worker", "dead": "worker", "fail": "worker",
    "release": "worker", "renew": "worker", "report": "worker",
    "begin": "manager", "drop": "manager", "end": "manager", "lead": "manager", "open": "manager",
    "pause": "manager", "refuse": "manager", "reissue": "manager", "resume": "manager",
    "revive": "manager", "route": "manager", "say": "manager", "stop": "manager", "sweep": "manager",
    "trim": "manager", "mend": "manager",
}
# Not asked by a manager or a worker, or not in a campaign's reach.
ELSEWHERE = {
    "shift": "only when Redis' clock jumps, which a campaign cannot make it do",
    "forget": "of `parley clean`", "record": "of `parley run`", "analyze": "of `parley analyze`",
}

# Up to so many passes before the kill; 3 of the others.
PASSES = {"worker.stream": 40, "redis.read": 40, "redis.hello": 8, "redis.connect": 2,
          "http.sent": 8, "http.head": 8, "route": 20, "manager.read": 20, "commit": 8,
          "renew": 8, "worker.look": 8, "worker.read": 6, "worker.prompt": 6, "worker.call": 6,
          "worker.reply": 6, "worker.recorded": 6, "worker.settled": 6, "admit": 8, "report": 8,
          "start": 1, "start.connected": 1, "start.ready": 1, "manager.lead": 1, "leave": 1,
          "release": 1, "dead": 1, "end": 1, "refuse": 1, "manager.claimed": 1, "manager.due": 1,
          "sweep": 1, "trim": 1, "drop": 1, "revive": 1, "stop": 2, "pause": 2, "resume": 2}
# Need turns that were given up: workers are killed, and who takes a turn over buries it at once.
BURIED = {"dead", "drop", "revive"}
# Hit by who is asked to end.
PARTING = {"leave", "release"}
# Only where a turn takes longer than who ends waits for it, and than the manager's patience.
SLOW = {"release", "manager.due"}


def script_of(point):
    return point.split(".")[0]


def passes(point):
    return PASSES.get(point, PASSES.get(script_of(point), 3))


def is_slow(point):
    return point in SLOW or script_of(point) in SLOW


def printed(build):
    """(named points, scripts, {point: actions besides kill, stop and delay})"""
    text = subprocess.run([build / "parley", "--fault-points"], capture_output=True, text=True,
                          check=True).stdout
    table, scripts = text.split("SCRIPT is one of:")
    rows = re.findall(r"^\| `([^`]+)` \|.*\| ([a-z, ]*)\|$", table, re.M)
    actions = {name: also.replace(",", " ").split() for name, also in rows}
    names = [name for name, _ in rows if not name.startswith("SCRIPT.")]
    for script in scripts.split():
        actions.update({f"{script}.{stage}": actions[f"SCRIPT.{stage}"] for stage in STAGES})
    return names, scripts.split(), actions


def roles(build):
    """{point: "worker", "manager" or "both"} of the points a campaign has to hit."""
    names, scripts, _ = printed(build)
    found = {}
    for name in names:
        head = script_of(name)
        if name in BOTH:
            found[name] = "both"
        elif name in WORKER or head == "worker":
            found[name] = "worker"
        elif head == "manager":
            found[name] = "manager"
        elif head not in ELSEWHERE:
            raise ValueError(f"tests/chaos/points_plan.py does not know the point {name}")
    for script in scripts:
        if script in SCRIPTS:
            found.update({f"{script}.{stage}": SCRIPTS[script] for stage in STAGES})
        elif script not in ELSEWHERE:
            raise ValueError(f"tests/chaos/points_plan.py does not know the script {script}")
    return found
