"""Small model servers that answer by a table of paths, for tests of endpoints."""
import http.server
import json
import ssl
import subprocess
import threading

KEY = "sk-a-secret-of-the-test"
GOOD_LINES = [
    {"message": {"role": "assistant", "content": "I am "}, "done": False},
    {"message": {"role": "assistant", "content": "there."}, "done": False},
    {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 31,
     "prompt_eval_cached_count": 12, "eval_count": 24, "eval_duration": 10**9, "prompt_eval_duration": 10**8,
     "load_duration": 10**6, "total_duration": 12 * 10**8}]
OLLAMA = {"/api/tags": (200, "application/json", json.dumps({"models": [{"name": "llama3.2:latest"}, {"name": "tiny:1b"}]})),
          "/api/ps": (200, "application/json", json.dumps({"models": [{"name": "tiny:1b", "context_length": 4096}]})),
          "/api/version": (200, "application/json", json.dumps({"version": "0.5.4"})),
          "/api/chat": (200, "application/x-ndjson",
                        "".join(json.dumps({"model": "llama3.2", **line}) + "\n" for line in GOOD_LINES))}
CHUNKS = [{"choices": [{"index": 0, "delta": {"role": "assistant", "content": "I am there."}}]},
          {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
          {"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 5,
                                    "prompt_tokens_details": {"cached_tokens": 16}}}]
OPENAI = {"/v1/models": (200, "application/json", json.dumps({"data": [{"id": "gpt-small"}, {"id": "gpt-large"}]})),
          "/v1/chat/completions": (200, "text/event-stream", "".join(
              "data: " + json.dumps({"object": "chat.completion.chunk", "model": "gpt-small-2026", **chunk}) + "\n\n"
              for chunk in CHUNKS) + "data: [DONE]\n\n"),
          "/props": (200, "application/json", json.dumps({"total_slots": 3, "build_info": "b4321-abc"}))}


def openai_error(status, message, code):
    return status, "application/json", json.dumps({"error": {"message": message, "type": "x", "code": code}})


def certificate_for(box):
    """A certificate for 127.0.0.1 that nobody signed, and its key: the paths."""
    paths = box.path("cert.pem"), box.path("key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-out", paths[0], "-keyout", paths[1], "-days", "2", "-subj", "/CN=test",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return paths


class Server:
    """Answers each path with (status, type, body[, headers]); `anything` else."""

    def __init__(self, answers, anything=(404, "text/plain", "no such page"), key=None, tls=None):
        self.asked = []  # (path, headers, body)
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                owner.asked.append((self.path, self.headers, body))
                status, kind, text, *more = answers.get(self.path, anything)
                if key is not None and self.headers.get("Authorization") != f"Bearer {key}":
                    status, kind, text = openai_error(401, "Incorrect API key provided", "invalid_api_key")
                data = text.encode()
                self.send_response(status)
                for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), "Connection": "close",
                                    **(more[0] if more else {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that speaks another protocol is what some tests are about

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            # Hands shaken in the thread of the connection: one that cannot must not stop the others.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def config(box, **endpoints):
    path = box.path("parley.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"endpoints": endpoints}, file)
    return path
