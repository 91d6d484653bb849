"""Asks a server, by Ollama's client library for Python, for what parley's users would ask: the URL
is the argument; one JSON object with the findings is printed."""
import itertools
import json
import sys

import ollama

URL = sys.argv[1]
MODEL = "llama3.2"
MESSAGES = [{"role": "system", "content": "You are Ada Quill, lighthouse keeper."},
            {"role": "user", "content": "Bo Marlow: Why is the lamp still lit?"}]
SCHEMA = {"type": "object", "required": ["name", "kind"],
          "properties": {"name": {"type": "string"}, "kind": {"enum": ["person", "lamp"]}}}
CLIENT = ollama.Client(host=URL)


def chat(**more):
    return CLIENT.chat(**{"model": MODEL, "messages": MESSAGES, **more})


def streamed():
    parts = list(chat(stream=True))
    return {"text": "".join(part.message.content for part in parts), "pieces": len(parts),
            "tokens": parts[-1].eval_count, "reason": parts[-1].done_reason}


def thought(**more):
    message = chat(model="qwen3:4b", **more).message
    return {"thinking": message.thinking, "content": message.content}


def pulled():
    lines = [{"status": one.status, "total": one.total, "completed": one.completed}
             for one in CLIENT.pull("qwen3:8b", stream=True)]
    return {"lines": lines, "says": chat(model="qwen3:8b", think=False).message.content}


def error(work):
    try:
        work()
    except Exception as problem:  # whatever it is, its name is what is asked for
        return {"name": type(problem).__name__, "text": str(problem),
                "status": getattr(problem, "status_code", None)}
    return None


def left():
    """Goes away in the middle of a slow answer; how many pieces were read."""
    stream = chat(model="mistral", stream=True)
    count = len(list(itertools.islice(stream, 3)))
    stream.close()
    return count


listed = [one.model for one in CLIENT.list().models]
whole = chat()
running = CLIENT.ps().models
shown = CLIENT.show("qwen3:4b")
print(json.dumps({
    "models": listed,
    "whole": whole.message.content,
    "streamed": streamed(),
    "running": [{"model": one.model, "context": one.context_length,
                 "expires": one.expires_at.timestamp()} for one in running],
    "shown": {"capabilities": shown.capabilities, "family": shown.details.family,
              "context": shown.modelinfo["qwen3.context_length"]},
    "filled": json.loads(chat(format=SCHEMA).message.content),
    "thought": thought(),
    "quiet": thought(think=False),
    "pulled": pulled(),
    "unpulled": error(lambda: list(CLIENT.pull("no-such-model", stream=True))),
    "unpulled_whole": error(lambda: CLIENT.pull("no-such-model")),
    "copied": CLIENT.copy("qwen3:8b", "mine").status,
    "deleted": CLIENT.delete("mine").status,
    "deleted_again": error(lambda: CLIENT.delete("mine")),
    "embedded": error(lambda: CLIENT.embed(MODEL, "x")),
    "unknown": error(lambda: chat(model="no-such-model")),
    "no_thinker": error(lambda: chat(think=True)),
    "no_option": error(lambda: chat(options={"num_ctx": "many"})),
    "left": left(),
}))
