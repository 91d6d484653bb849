"""The client library of Ollama for JavaScript, from npm, as a judge of the simulator's API.

Without npm the tests are skipped.
"""
import shutil

import pytest

from client_rig import SLOW_MODEL, ended, findings_of, install, simulator

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    folder = install("ollama", "0.6.3")
    ledger = tmp_path_factory.mktemp("ollama") / "ledger.jsonl"
    with simulator("--ledger", str(ledger), "--faults", SLOW_MODEL) as url:
        found = findings_of("ollama_client.mjs", url, folder)
    return {**found, "ended": ended(ledger)}


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
    assert findings["ended"]["mistral"] == ["client"]
    assert set(findings["ended"]["llama3.2"]) == {"whole"}


def test_a_model_is_pulled_with_its_progress_and_deleted(findings):
    first, *_, last = findings["pulled"]
    assert (first, last) == ("pulling manifest", "success") and len(findings["pulled"]) > 5
    assert findings["deleted"] == {"status": "success"}
    assert findings["unpulled"] == "pull model manifest: file does not exist"


def test_a_model_that_thinks_tells_its_thoughts_apart(findings):
    assert findings["thought"]["thinking"] and findings["thought"]["content"]
    assert "thinking" not in findings["quiet"]
