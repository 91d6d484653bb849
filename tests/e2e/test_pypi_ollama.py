"""Ollama's client library for Python, from PyPI, as a judge of the simulator's own API.

It is installed into build/pip-ollama, once; without pip the tests are skipped.
"""
import importlib.util
import json
import os
import subprocess
import sys
import time

import pytest

from client_rig import INSTALL_LIMIT_S, ROOT, RUN_LIMIT_S, SLOW_MODEL, ended, simulator

VERSION = "0.6.3"
FOLDER = os.path.join(ROOT, "build", "pip-ollama")

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pip") is None,
                                reason="pip is not installed")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    if not os.path.isdir(os.path.join(FOLDER, f"ollama-{VERSION}.dist-info")):
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--upgrade", "--target",
                        FOLDER, f"ollama=={VERSION}"],
                       check=True, capture_output=True, timeout=INSTALL_LIMIT_S)
    ledger = tmp_path_factory.mktemp("ollama") / "ledger.jsonl"
    with simulator("--ledger", str(ledger), "--faults", SLOW_MODEL) as url:
        run = subprocess.run([sys.executable, os.path.join(ROOT, "tests/e2e/ollama_client.py"), url],
                             capture_output=True, text=True, timeout=RUN_LIMIT_S,
                             env={**os.environ, "PYTHONPATH": FOLDER})
    assert run.returncode == 0, run.stderr
    return {**json.loads(run.stdout), "ended": ended(ledger)}


def test_it_lists_shows_and_tells_what_runs(found):
    assert "llama3.2:latest" in found["models"]
    assert found["shown"] == {"capabilities": ["completion", "thinking"], "family": "qwen3",
                              "context": 40960}
    one, = found["running"]
    assert (one["model"], one["context"]) == ("llama3.2:latest", 4096)
    assert 0 < one["expires"] - time.time() < 300


def test_a_chat_comes_whole_streams_the_same_and_fills_a_schema(found):
    assert len(found["whole"]) > 20 and found["streamed"]["text"] == found["whole"]
    assert found["streamed"]["tokens"] == found["streamed"]["pieces"] - 1
    assert found["streamed"]["reason"] == "stop"
    assert found["filled"]["kind"] in ("person", "lamp")


def test_a_model_that_thinks_does_unless_it_is_told_not_to(found):
    assert found["thought"]["thinking"] and found["thought"]["content"]
    assert found["quiet"] == {"thinking": None, "content": found["thought"]["content"]}


def test_a_model_is_pulled_with_its_progress_and_then_speaks(found):
    lines = found["pulled"]["lines"]
    assert lines[0]["status"] == "pulling manifest" and lines[-1]["status"] == "success"
    assert max(line["completed"] or 0 for line in lines) == lines[1]["total"] > 0
    assert len(found["pulled"]["says"]) > 20
    missing = "pull model manifest: file does not exist"
    assert found["unpulled"]["text"].startswith(missing)
    assert found["unpulled_whole"]["text"].startswith(missing)
    assert (found["copied"], found["deleted"]) == ("success", "success")
    assert found["deleted_again"]["status"] == 404


def test_errors_have_the_servers_status_and_words(found):
    for name, status, text in (
            ("unknown", 404, "model 'no-such-model' not found"),
            ("no_thinker", 400, '"llama3.2" does not support thinking'),
            ("no_option", 500, 'option "num_ctx" must be of type integer'),
            ("embedded", 501, "this model does not support embeddings")):
        assert found[name]["name"] == "ResponseError", name
        assert found[name]["status"] == status and found[name]["text"].startswith(text)


def test_who_closes_a_stream_is_seen_to_go(found):
    assert found["left"] == 3
    assert found["ended"]["mistral"] == ["client"]
    assert set(found["ended"]["llama3.2"]) == {"whole", "refused"}
