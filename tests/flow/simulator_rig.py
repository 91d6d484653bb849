"""What the tests of the simulator share: the program on a free port, raw sockets, its ledger."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import threading
import time

BUILD = os.environ.get("PARLEY_BUILD", "build/release")
START_LIMIT_S = 20
WAIT_LIMIT_S = 20
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, BUILD, "parley-simulator")
FAST = ("--tokens-per-second", "0", "--first-token-ms", "0")


class Simulator:
    """A simulator of our own on a free port."""

    def __init__(self, *options, env=None):
        self.process = subprocess.Popen(
            [PROGRAM, "--listen", "127.0.0.1:0", "--seed", "7", "--jitter", "0", *options],
            stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"], **(env or {})})
        timer = threading.Timer(START_LIMIT_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        match = re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)
        assert match, f"not the line of a start: {line!r}"
        self.port = int(match.group(1))

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_LIMIT_S)
        try:
            data = body if isinstance(body, (bytes, str, type(None))) else json.dumps(body)
            connection.request(method, path, data, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def post(self, path, **body):
        status, _, text = self.ask("POST", path, body)
        return status, json.loads(text)

    def chat(self, text="Where is the boat?", **more):
        """The parsed lines of a streamed chat."""
        body = {"model": "llama3.2", "messages": [{"role": "user", "content": text}], **more}
        status, headers, reply = self.ask("POST", "/api/chat", body)
        assert status == 200, reply
        assert headers["Content-Type"] == "application/x-ndjson"
        assert reply.endswith("\n")
        return [json.loads(line) for line in reply.splitlines()]

    def set_faults(self, *rules):
        status, _, text = self.ask("POST", "/_parley/faults", list(rules))
        assert status == 200, text
        return json.loads(text)

    def state(self):
        return json.loads(self.ask("GET", "/_parley/state")[2])

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def simulator(*options, env=None):
    server = Simulator(*options, env=env)
    try:
        yield server
    finally:
        server.stop()


class Ledger:
    """The lines of a simulator's ledger; `line` waits for the next one."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "ledger.jsonl"
        self.seen = 0

    def lines(self):
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True)
                if line.endswith("\n")]

    def skip(self, server):
        """What is over is not looked at any more."""
        wait_until(lambda: server.state()["in_flight"] == 0, "all calls are over")
        self.seen = len(self.lines())

    def line(self):
        wait_until(lambda: len(self.lines()) > self.seen, "the ledger has another line")
        self.seen += 1
        return self.lines()[self.seen - 1]


def wait_until(condition, what):
    deadline = time.monotonic() + WAIT_LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.005)


def chat_body(api="ollama", stream=True, **more):
    body = {"model": "tiny", "stream": stream,
            "messages": [{"role": "system", "content": "You are Ada."},
                         {"role": "user", "content": "Where is the boat?"}], **more}
    if api != "ollama" and stream:
        body.setdefault("stream_options", {"include_usage": True})
    return body


PATHS = {"ollama": "/api/chat", "openai": "/v1/chat/completions"}


class Wire:
    """A request over a bare socket, and what came back, byte by byte."""

    def __init__(self, port, path, body, headers=()):
        data = json.dumps(body).encode()
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=WAIT_LIMIT_S)
        head = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(data)}", *headers]
        self.sock.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + data)
        self.raw = b""
        self.end = None  # "fin", "rst": how the server ended it

    def receive(self):
        """One read; False when it is over."""
        try:
            piece = self.sock.recv(1 << 16)
        except ConnectionResetError:
            self.end = "rst"
            return False
        if not piece:
            self.end = "fin"
        self.raw += piece
        return bool(piece)

    def read_all(self):
        while self.receive():
            pass
        self.sock.close()
        return self

    def read_until(self, condition):
        while not condition(self) and self.receive():
            pass
        return self

    def quiet(self, for_s):
        """Nothing comes for so long."""
        self.sock.settimeout(for_s)
        try:
            return not self.receive() and self.end is None
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(WAIT_LIMIT_S)

    def reset(self):
        """Goes away without a word."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    @property
    def head(self):
        return self.raw.split(b"\r\n\r\n", 1)[0].decode("latin-1")

    @property
    def status(self):
        return int(self.head.split()[1])

    def header(self, name):
        match = re.search(rf"(?im)^{name}: *(.*?)\r?$", self.head)
        return match and match.group(1)

    @property
    def rest(self):
        return self.raw.split(b"\r\n\r\n", 1)[1] if b"\r\n\r\n" in self.raw else b""

    @property
    def chunks(self):
        """The chunks that came, the last one perhaps in part; b"" is the last of all."""
        rest, chunks = self.rest, []
        while b"\r\n" in rest:
            size, rest = rest.split(b"\r\n", 1)
            count = int(size, 16)
            chunks.append(rest[:count])
            rest = rest[count + 2:]
        return chunks

    @property
    def ended_well(self):
        return self.header("Content-Length") is not None or self.rest.endswith(b"0\r\n\r\n")

    @property
    def body(self):
        return b"".join(self.chunks) if self.header("Transfer-Encoding") else self.rest


def events(body):
    """The data of the events of a stream, comments left out."""
    found = []
    for block in body.decode().split("\n\n"):
        data = [line[6:] for line in block.splitlines() if line.startswith("data: ")]
        if data:
            found.append("\n".join(data))
    return found
