"""OpenAI's client library for Python, from PyPI, as a judge of the simulator's /v1.

It is installed into build/pip, once; without pip the tests are skipped.
"""
import importlib.util
import json
import os
import subprocess
import sys

import pytest

from client_rig import INSTALL_LIMIT_S, ROOT, RUN_LIMIT_S, ended, simulator

VERSION = "3.52.0"
FOLDER = os.path.join(ROOT, "build", "pip")
FLAVORS = ["ollama", "openai", "lmstudio", "llamacpp", "vllm", "sglang", "openrouter"]

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pip") is None,
                                reason="pip is not installed")


@pytest.fixture(scope="module")
def folder():
    if not os.path.isdir(os.path.join(FOLDER, f"openai-{VERSION}.dist-info")):
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--upgrade", "--target",
                        FOLDER, f"openai=={VERSION}"],
                       check=True, capture_output=True, timeout=INSTALL_LIMIT_S)
    return FOLDER


@pytest.fixture(scope="module", params=FLAVORS)
def found(request, folder, tmp_path_factory):
    ledger = tmp_path_factory.mktemp("openai") / "ledger.jsonl"
    with simulator("--ledger", str(ledger)) as url:
        run = subprocess.run(
            [sys.executable, os.path.join(ROOT, "tests/e2e/openai_client.py"), url, request.param],
            capture_output=True, text=True, timeout=RUN_LIMIT_S,
            env={**os.environ, "PYTHONPATH": folder})
    assert run.returncode == 0, run.stderr
    return {**json.loads(run.stdout), "ended": ended(ledger)}


def test_it_lists_chats_streams_and_fills(found):
    assert "tiny:latest" in found["models"]
    assert len(found["whole"]) > 20 and found["streamed"]["text"] == found["whole"]
    assert found["streamed"]["tokens"] == found["streamed"]["pieces"]
    assert found["streamed"]["reason"] == "stop"
    assert found["filled"]["kind"] in ("person", "lamp")


def test_what_goes_wrong_has_its_class(found):
    assert found["unknown"] == "NotFoundError"
    assert found["busy"] == "RateLimitError"
    assert found["down"] == "InternalServerError"
    assert found["broken"] == "APIError"
    assert found["cut"] is not None


def test_who_closes_a_stream_is_seen_to_go(found):
    assert found["left"] is None and found["ended"]["mistral"] == ["client"]
