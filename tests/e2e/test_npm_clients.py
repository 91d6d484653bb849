"""The client library of Ollama for JavaScript, from npm, as a judge of the simulator's API.

The package is installed into build/npm, once; without npm the tests are skipped.
"""
import json
import os
import re
import shutil
import subprocess
import threading

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("PARLEY_BUILD", "build/release"))
NPM = os.path.join(ROOT, "build", "npm")
PACKAGE = "ollama"
VERSION = "0.6.3"
INSTALL_LIMIT_S = 180
RUN_LIMIT_S = 60
START_LIMIT_S = 20

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


def installed_version():
    path = os.path.join(NPM, "node_modules", PACKAGE, "package.json")
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)["version"]
    except FileNotFoundError:
        return None


@pytest.fixture(scope="module")
def package():
    if installed_version() != VERSION:
        os.makedirs(NPM, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", NPM, "--no-package-lock", "--no-audit",
                        "--no-fund", f"{PACKAGE}@{VERSION}"],
                       check=True, capture_output=True, timeout=INSTALL_LIMIT_S)
    assert installed_version() == VERSION
    return NPM


@pytest.fixture(scope="module")
def url():
    process = subprocess.Popen(
        [os.path.join(BUILD, "parley-simulator"), "--listen", "127.0.0.1:0", "--seed", "1",
         "--tokens-per-second", "200", "--first-token-ms", "10"],
        stdout=subprocess.PIPE, text=True)
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


@pytest.fixture(scope="module")
def findings(package, url):
    run = subprocess.run(["node", os.path.join(ROOT, "tests/e2e/ollama_client.mjs"), url, package],
                         capture_output=True, text=True, timeout=RUN_LIMIT_S)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_it_lists_shows_and_tells_what_runs(findings):
    assert "llama3.2:latest" in findings["models"]
    assert findings["shown"]["family"] == "llama"
    assert findings["running"] == ["llama3.2:latest"]


def test_a_chat_comes_whole(findings):
    whole = findings["whole"]
    assert whole["done"] is True and whole["done_reason"] == "stop"
    assert whole["message"]["role"] == "assistant"
    assert len(whole["message"]["content"]) > 20
    assert whole["eval_count"] >= 20 and whole["total_duration"] > whole["eval_duration"] > 0


def test_a_chat_streams_the_same_words_with_counts_at_the_end(findings):
    streamed = findings["streamed"]
    assert streamed["text"] == findings["whole"]["message"]["content"]
    assert streamed["last"]["eval_count"] == streamed["pieces"] - 1
    assert streamed["last"]["prompt_eval_count"] == findings["whole"]["prompt_eval_count"]


def test_a_schema_is_kept(findings):
    filled = findings["filled"]
    assert list(filled) == ["name", "traits", "kind"]
    assert filled["name"] and len(filled["traits"]) == 2 and filled["kind"] in ("person", "lamp")


def test_generate_is_cut_at_its_limit(findings):
    assert findings["generated"]["done_reason"] == "length"
    assert findings["generated"]["eval_count"] == 3


def test_an_unknown_model_is_an_error_with_status_404(findings):
    assert findings["refused"] == {"status": 404, "message": "model 'no-such-model' not found"}


def test_an_abort_reaches_the_client_as_one(findings):
    assert findings["aborted"] == "AbortError"
