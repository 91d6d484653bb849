"""What the tests with client libraries share: a package from npm, a simulator, a script's findings.

Packages are installed into build/npm, once.
"""
import contextlib
import fcntl
import json
import os
import re
import subprocess
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("PARLEY_BUILD", "build/release"))
NPM = os.path.join(ROOT, "build", "npm")
INSTALL_LIMIT_S = 180
RUN_LIMIT_S = 60
START_LIMIT_S = 20
# The model that a client leaves in the middle of its words: nothing else asks for it.
SLOW_MODEL = '[{"kind": "slow", "factor": 20, "model": "mistral"}]'


def installed_version(package):
    path = os.path.join(NPM, "node_modules", package, "package.json")
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)["version"]
    except FileNotFoundError:
        return None


def install(package, version):
    """The folder that has the package."""
    os.makedirs(NPM, exist_ok=True)
    with open(os.path.join(NPM, ".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # files of tests run side by side
        if installed_version(package) != version:
            subprocess.run(["npm", "install", "--prefix", NPM, "--no-package-lock", "--no-audit",
                            "--no-fund", f"{package}@{version}"],
                           check=True, capture_output=True, timeout=INSTALL_LIMIT_S)
    assert installed_version(package) == version
    return NPM


@contextlib.contextmanager
def simulator(*options, env=None):
    """The address of a simulator of our own."""
    process = subprocess.Popen(
        [os.path.join(BUILD, "parley-simulator"), "--listen", "127.0.0.1:0", "--seed", "1",
         "--tokens-per-second", "200", "--first-token-ms", "10", *options],
        stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
    timer = threading.Timer(START_LIMIT_S, process.kill)
    timer.start()
    try:
        match = re.fullmatch(r"listening on (\S+)\n", process.stdout.readline())
        timer.cancel()
        assert match, "it did not start"
        yield match.group(1)
    finally:
        timer.cancel()
        process.terminate()
        assert process.wait(START_LIMIT_S) == 0
        process.stdout.close()


def findings_of(script, *words):
    """What a script prints: one JSON object."""
    run = subprocess.run(["node", os.path.join(ROOT, "tests/e2e", script), *words],
                         capture_output=True, text=True, timeout=RUN_LIMIT_S)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def ended(ledger):
    """How the calls of each model ended, by a ledger that is complete."""
    found = {}
    for line in ledger.read_text(encoding="utf-8").splitlines():
        call = json.loads(line)
        found.setdefault(call["model"], []).append(call["ended"])
    return found
