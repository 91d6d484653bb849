"""Asks a server, by OpenAI's client library for Python, for what parley's users would ask: the
URL is the first argument, then the flavor; one JSON object with the findings is printed."""
import itertools
import json
import sys
import urllib.request

import openai

URL, FLAVOR = sys.argv[1:3]
MODEL = "llama3.2"
MESSAGES = [{"role": "system", "content": "You are Ada Quill, lighthouse keeper."},
            {"role": "user", "content": "Bo Marlow: Why is the lamp still lit?"}]
SCHEMA = {"type": "object", "required": ["name", "kind"], "additionalProperties": False,
          "properties": {"name": {"type": "string"}, "kind": {"enum": ["person", "lamp"]}}}


def ask(**more):
    return CLIENT.chat.completions.create(**{"model": MODEL, "messages": MESSAGES, **more})


def streamed():
    pieces, usage, reason = [], None, None
    for chunk in ask(stream=True, stream_options={"include_usage": True}):
        for choice in chunk.choices:
            if choice.delta.content:
                pieces.append(choice.delta.content)
            reason = choice.finish_reason or reason
        usage = chunk.usage or usage
    return {"text": "".join(pieces), "reason": reason, "pieces": len(pieces),
            "tokens": usage.completion_tokens}


def error(work):
    try:
        work()
    except Exception as problem:  # whatever it is, its name is what is asked for
        return type(problem).__name__
    return None


def control(method, rules=None):
    request = urllib.request.Request(URL + "/_parley/faults", method=method,
                                     data=rules and json.dumps(rules).encode())
    urllib.request.urlopen(request).close()


def faulted(rule, work):
    control("POST", [rule])
    try:
        return error(work)
    finally:
        control("DELETE")


def left():
    """Goes away in the middle of a slow answer; how many chunks were read."""
    with ask(model="mistral", stream=True) as stream:
        return len(list(itertools.islice(stream, 3)))


CLIENT = openai.OpenAI(base_url=URL + "/v1", api_key="none", max_retries=0,
                       default_headers={"X-Sim-Flavor": FLAVOR})
form = {"type": "json_schema", "json_schema": {"name": "who", "strict": True, "schema": SCHEMA}}
print(json.dumps({
    "models": [one.id for one in CLIENT.models.list()],
    "whole": ask().choices[0].message.content,
    "streamed": streamed(),
    "filled": json.loads(ask(response_format=form).choices[0].message.content),
    "unknown": error(lambda: CLIENT.models.retrieve("no-such-model")),
    "busy": faulted({"kind": "status", "status": 429}, ask),
    "down": faulted({"kind": "status", "status": 503, "body": "html"}, ask),
    "broken": faulted({"kind": "error_line", "how": "data"}, streamed),
    "cut": faulted({"kind": "cut", "after_bytes": 300}, streamed),
    "left": faulted({"kind": "slow", "factor": 20}, left),
}))
