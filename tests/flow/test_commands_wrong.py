"""`parley test` before servers that are wrongly configured: each slip is told in one line that says
what to write instead. Wrong servers themselves are in test_commands_test.py.
"""
import os
import socket
import threading

import pytest

from helpers import BlackHole, box, closed_port, wait_for  # noqa: F401: box is a fixture
from table_servers import KEY, OLLAMA, OPENAI, Server, config
from test_commands_test import assert_one_line, certificate  # noqa: F401: a fixture

BAD_GATEWAY = (502, "text/html", "<html><head><title>502 Bad Gateway</title></head></html>")
REDIS = b"-ERR unknown command\r\n"
SSH = b"SSH-2.0-OpenSSH_9.2p1\r\n"
NGINX = (b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
         b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>"
         b"</html>")


class Greeter:
    """A service that is no model server: whoever calls is told these bytes."""

    def __init__(self, words):
        self.words = words
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer:
                try:
                    peer.sendall(self.words)
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(4096):
                        pass
                except OSError:
                    pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


def try_endpoint(box, env=None, **endpoint):
    return box.parley("test", "x", "--config", config(box, x=endpoint), env=env)


# ---- the URL ----

@pytest.mark.parametrize("answers, provider, path, api, right, words", [
    (OPENAI, "openai", "", "OpenAI's API", "/v1", "make that its url"),
    (OPENAI, "openai", "/v1/v1", "OpenAI's API", "/v1", "make that its url"),
    (OPENAI, "openai", "/v1/chat/completions", "OpenAI's API", "/v1", "make that its url"),
    (OPENAI, "ollama", "", "OpenAI's API", "/v1", '"openai" its provider'),
    (OPENAI, "ollama", "/v1", "OpenAI's API", "/v1", '"openai" its provider'),
    (OLLAMA, "ollama", "/v1", "Ollama", "", "make that its url"),
    (OLLAMA, "ollama", "/api/chat", "Ollama", "", "make that its url"),
    (OLLAMA, "openai", "/v1", "Ollama", "", '"ollama" its provider'),
])
def test_where_the_api_answers_instead_is_found_and_told(box, answers, provider, path, api, right,
                                                         words):
    with Server(answers) as server:
        done = try_endpoint(box, provider=provider, url=server.url + path, models=["x"])
        assert_one_line(done, "x", f" {api} answers at {server.url}{right}: make that its url",
                        words)
        assert ("its provider" in done.stderr) == ("provider" in words)


def test_the_api_behind_a_page_for_people_is_found(box):
    with Server(OPENAI, anything=(200, "text/html", "<html><title>Chat</title></html>")) as server:
        done = try_endpoint(box, provider="openai", url=server.url, models=["x"])
    assert_one_line(done, "x", "HTML page",
                    f"OpenAI's API answers at {server.url}/v1: make that its url")


def test_where_the_api_answers_is_told_as_the_flag_to_write(box):
    with Server(OPENAI) as server:
        done = box.parley("test", "openai", "--openai", server.url, "--model", "x")
        assert_one_line(done, "openai", f"answers at {server.url}/v1: say --openai {server.url}/v1")
        done = box.parley("test", "--ollama", server.url)
    assert_one_line(done, "ollama", f"say --provider openai --openai {server.url}/v1")


def test_an_api_that_wants_a_key_is_found_all_the_same_and_the_key_goes_to_its_own_host_only(box):
    with Server(OPENAI, key="another") as server:
        # A path without the API is open: only the API wants the key.
        server.server.RequestHandlerClass.do_POST = lambda handler: handler.send_error(404)
        done = try_endpoint(box, {"THE_KEY": KEY}, provider="openai", url=server.url,
                            key_env="THE_KEY", models=["x"])
        assert_one_line(done, "x", f"OpenAI's API answers at {server.url}/v1")
    assert {one[1]["Host"] for one in server.asked} == {server.url.split("//")[1]}


@pytest.mark.parametrize("provider, url, words", [
    ("openai", "localhost:8080/v1", "http:// or https:// is missing"),
    ("openai", "htp://localhost/v1", "begins neither with http:// nor with https://"),
    ("ollama", "ws://localhost", "begins neither with http:// nor with https://"),
    ("ollama", "http://::1:11434", "brackets, as in http://[::1]:11434"),
    ("openai", "http://fe80::1:8080/v1", "brackets"),
    ("ollama", "http://localhost:99999", "a number from 1 to 65535"),
    ("openai", "http://localhost:port/v1", "a number from 1 to 65535"),
    ("openai", "http:///v1", "its host is missing"),
    ("openai", "https://h/v1?key=1", "a blank, a query"),
])
def test_a_text_that_is_no_url_stops_the_start_with_what_is_wrong_with_it(box, provider, url,
                                                                          words):
    done = try_endpoint(box, provider=provider, url=url)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
    assert f"endpoints.x.url: '{url}' is not a URL like" in done.stderr and words in done.stderr


# ---- the host and the port ----

@pytest.mark.parametrize("provider", ["ollama", "openai"])
@pytest.mark.parametrize("words, told", [
    (REDIS, "does not speak HTTP (its answer is none): is the port right"),
    (SSH, "does not speak HTTP (its answer is none): is the port right"),
    (NGINX, "HTTPS port: write https:// in its url"),
])
def test_another_service_at_that_port_is_told(box, provider, words, told):
    with Greeter(words) as other:
        done = try_endpoint(box, provider=provider, url=f"http://127.0.0.1:{other.port}/v1",
                            models=["x"])
    assert_one_line(done, "x", str(other.port), told)


def test_a_host_nobody_knows_is_told(box):
    done = try_endpoint(box, provider="ollama", url="http://no-such-host.invalid", models=["x"])
    assert_one_line(done, "x",
                    "Could not resolve host: no-such-host.invalid: is the name written right?")
    assert "ollama serve" not in done.stderr


def test_a_proxy_whose_server_is_down_is_told(box):
    with Server({}, anything=BAD_GATEWAY) as server:
        done = try_endpoint(box, provider="openai", url=server.url + "/v1", models=["x"])
    assert_one_line(done, "x", "502", "a proxy whose server is down")


def test_a_certificate_of_ones_own_is_trusted_where_it_is_named(box, certificate):
    with Server(OPENAI, tls=certificate) as server:
        done = try_endpoint(box, provider="openai", url=server.url + "/v1", models=["gpt-small"])
        assert_one_line(done, "x", "certificate", "SSL_CERT_FILE")
        done = try_endpoint(box, {"SSL_CERT_FILE": certificate[0]}, provider="openai",
                            url=server.url + "/v1", models=["gpt-small"])
    assert (done.returncode, done.stderr) == (0, "") and "x: ok" in done.stdout


# ---- the key ----

@pytest.mark.parametrize("text, words", [
    ("", "holds no key"),
    ("\n", "holds no key"),
    (f"\n{KEY}\n", "the first line of"),
    (f'"{KEY}"\n', "stands in quotes"),
    (f"Bearer {KEY}\n", 'begins with "Bearer"'),
    (f"OPENAI_API_KEY={KEY}\n", "stands behind NAME="),
    (f"\ufeff{KEY}\n", "byte order mark"),
    (f"{KEY} {KEY}\n", "one word of visible ASCII"),
])
def test_a_key_file_that_cannot_be_a_key_is_told_before_any_server_is_asked(box, text, words):
    with open(box.path("key"), "w", encoding="utf-8") as file:
        file.write(text)
    done = try_endpoint(box, provider="openai", url=f"http://127.0.0.1:{closed_port()}/v1",
                        key_file=box.path("key"))
    assert_one_line(done, "the key of endpoint x: ", box.path("key"), words)


@pytest.mark.parametrize("text", [KEY, f"{KEY}\n", f"  {KEY}\r\n", f"{KEY}\nanother line\n"])
def test_blanks_and_line_ends_around_a_key_do_not_matter(box, text):
    with open(box.path("key"), "w", encoding="utf-8") as file:
        file.write(text)
    with Server(OPENAI, key=KEY) as server:
        done = try_endpoint(box, provider="openai", url=server.url + "/v1",
                            key_file=box.path("key"))
    assert (done.returncode, done.stderr) == (0, ""), done


def test_a_variable_that_is_not_set_is_told_with_how_to_set_it(box):
    done = try_endpoint(box, provider="openai", url="http://127.0.0.1:1/v1", key_env="MY_KEY")
    assert_one_line(done, "the key of endpoint x: ", "MY_KEY is not set", "export MY_KEY=")


# ---- what is told of good ones ----

def test_the_server_and_the_options_it_does_not_take_are_told(box):
    with Server(OPENAI) as server:
        url = server.url + "/v1"
        options = '{"num_gpu": 1, "top_k": 40, "repeat_last_n": 64}'
        told = box.parley("test", "openai", "--openai", url, "--options", options)
        data = box.parley("test", "openai", "--openai", url, "--options", options, "--json")
    assert told.returncode == 0 and "server: llama.cpp b4321-abc\n" in told.stdout
    assert "no such option: repeat_last_n, num_gpu\n" in told.stdout
    assert '"server":"llama.cpp b4321-abc","not_sent":["repeat_last_n","num_gpu"]}' in data.stdout


def test_a_good_server_is_told_while_a_silent_one_is_still_waited_for(box):
    with BlackHole() as hole, Server(OLLAMA) as good:
        path = config(box, silent={"provider": "ollama", "url": f"http://127.0.0.1:{hole.port}"},
                      good={"provider": "ollama", "url": good.url})
        process = box.start("test", "--config", path)
        wait_for(lambda: "good: ok" in open(process.out_path, encoding="utf-8").read(),
                 "the good one is told")
        assert process.poll() is None
        box.stop_all()


@pytest.mark.parametrize("command, told", [
    ("test", "no answer yet, it may be loading its model; Ctrl-C ends"),
    ("run", "waits up to 5 s for an answer of ollama")])
def test_a_server_that_takes_its_time_is_told_on_a_terminal(box, command, told):
    ours, theirs = os.openpty()
    with BlackHole() as hole:
        box.start(command, "--ollama", f"http://127.0.0.1:{hole.port}", stderr=theirs)
        os.close(theirs)
        line = os.read(ours, 4096).decode()
        box.stop_all()
    os.close(ours)
    assert line.startswith(f"parley {command}: ") and line.endswith(f"{told}\r\n"), line


def test_an_endpoint_that_is_misspelt_is_told_with_the_one_that_was_meant(box):
    path = config(box, desk={"provider": "ollama", "url": "http://127.0.0.1:1"})
    done = box.parley("test", "dsek", "--config", path)
    assert done.returncode == 2 and "there is no endpoint 'dsek', did you mean desk?" in done.stderr
