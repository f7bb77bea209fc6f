"""Files behind URLs: off by default, only from allowed hosts, never from inside a network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.errors import InputError, LimitError, OptionError, Overloaded, SourceError
from bindrt.serving import ServeOptions
from bindrt.serving.admission import Memory
from bindrt.serving.application import OTHER
from bindrt.serving.exchange import Exchange, exchange_of
from bindrt.serving.faults import Fault
from bindrt.serving.fetched import Fetched
from bindrt.serving.fetching import Allowed, Fetcher, is_public
from support.serving import running, wait_for

FILE = b"contents of a file" * 100


class Handler(BaseHTTPRequestHandler):
    """Files, redirects and servers that misbehave, by path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name, _, rest = self.path[1:].partition("?")
        if name == "to":
            self.send_response(302)
            self.send_header("Location", rest)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if name in ("drip", "drip-chunks"):
            self.drip(b"X: " if name == "drip" else b"Transfer-Encoding: chunked\r\n\r\n")
            return
        self.send_response(200 if name != "missing" else 404)
        if name == "cut":
            self.send_header("Content-Length", str(len(FILE) + 1))
        elif name == "endless":
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(FILE)))
        self.end_headers()
        self.wfile.write(FILE * (1000 if name == "endless" else 1))
        self.close_connection = name in ("cut", "endless")

    def drip(self, head: bytes) -> None:
        """A headers' line, or the size of a chunk, that has no end."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + head)
        self.close_connection = True
        try:
            for _ in range(200):
                self.wfile.write(b"0")
                time.sleep(0.02)
        except OSError:
            pass  # nobody reads any more

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def other() -> Iterator[int]:
    """The port of a server on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(
    url: str, port: int, seconds: float = 60.0, hold: Callable[[int], None] = lambda size: None
) -> bytes:
    """As a server fetches that may connect to this machine; it must not in earnest."""
    fetcher = Fetcher([f"localhost:{port}"], lambda address: address.is_loopback)
    try:
        return asyncio.run(fetcher.fetch(url, "input[0]", 1 << 20, seconds, hold))
    finally:
        fetcher.close()


def test_a_file(other: int) -> None:
    assert fetch(f"http://localhost:{other}/file", other) == FILE
    assert fetch(f"http://localhost:{other}/to?/to?/file", other) == FILE


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        ("http://localhost:{}/missing", SourceError, "its server answered 404"),
        ("http://localhost:{}/cut", SourceError, "ended before the file did"),
        ("http://localhost:{}/endless", LimitError, "it has more than 1048576 bytes"),
        ("http://localhost:{}/to?/to?/to?/to?/file", SourceError, "redirects more than 3 times"),
        ("http://localhost:{}/to?http://127.0.0.1:{}/file", InputError, "does not fetch from 127.0.0.1"),
        ("http://localhost:{}/to?file:///etc/hostname", InputError, "no http or https URL"),
        ("http://localhost:1/file", InputError, "does not fetch from localhost:1"),
        ("https://localhost:{}/file", SourceError, "cannot be fetched"),
        ("http://user@localhost:{}/file", InputError, "no http or https URL"),
        ("http://localhost:{}/a b", InputError, "no http or https URL"),
        ("http://localhost:99999/", InputError, "no http or https URL"),
        ("http://[::1/", InputError, "no http or https URL"),
        ("ftp://localhost:{}/file", InputError, "no http or https URL"),
    ],
)
def test_what_is_refused(other: int, url: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        fetch(url.replace("{}", str(other)), other)


def test_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(asyncio.TimeoutError):
            fetch(f"http://localhost:{port}/file", port, seconds=0.1)


@pytest.mark.parametrize("name", ["drip", "drip-chunks"])
def test_a_server_that_never_ends(other: int, name: str) -> None:
    """Its bytes do not stop the clock."""
    with pytest.raises(asyncio.TimeoutError):
        fetch(f"http://localhost:{other}/{name}", other, seconds=0.1)


def test_bytes_are_counted_as_they_come(other: int) -> None:
    held: list[int] = []
    assert fetch(f"http://localhost:{other}/file", other, hold=held.append) == FILE
    assert sum(held) == len(FILE)

    def full(size: int) -> None:
        held.append(size)
        if sum(held) > 100_000:
            raise Overloaded("", "the memory is full")

    with pytest.raises(Overloaded):
        fetch(f"http://localhost:{other}/endless", other, hold=full)
    assert sum(held) < 300_000


def test_an_answer_in_any_pieces() -> None:
    whole = b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole += b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nLate: x\r\n\r\n"
    for size in (1, 7, len(whole)):
        answer = Fetched()
        for at in range(0, len(whole), size):
            assert not answer.is_whole
            answer.feed(whole[at : at + size])
        assert (answer.status, answer.is_whole, bytes(answer.body)) == (200, True, b"abcde")
        assert answer.headers == {"transfer-encoding": "chunked"}


def test_what_stands_behind_an_answer() -> None:
    answer = Fetched()
    answer.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 404 No\r\n\r\n")
    assert (answer.status, answer.is_whole, bytes(answer.body)) == (200, True, b"hi")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"SSH-2.0\r\n", "is no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, "too many headers"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 70_000, "too many headers"),
    ],
)
def test_an_answer_that_is_none(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Fetched().feed(data)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "fec0::1", "::127.0.0.1",
        "64:ff9b:1::7f00:1", "::ffff:0:127.0.0.1", "3fff::1", "5f00::1", "2001::1", "2001:db8::1",
        "192.0.0.9", "192.88.99.1", "198.18.0.1",
    ],
)  # fmt: skip
def test_addresses_inside_a_network(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


def test_public_addresses() -> None:
    assert is_public(ipaddress.ip_address("93.184.216.34"))
    assert is_public(ipaddress.ip_address("::ffff:93.184.216.34"))
    assert is_public(ipaddress.ip_address("2606:4700:4700::1111"))
    assert is_public(ipaddress.ip_address("2001:4860:4860::8888"))


def test_hosts_that_are_allowed() -> None:
    allowed = Allowed(["example.org", "*.images.example", "https://only.example", "local:8000"])
    assert allowed.has("http", "example.org", 80)
    assert allowed.has("https", "example.org", 443)
    assert allowed.has("https", "a.images.example", 443)
    assert allowed.has("https", "only.example", 443)
    assert allowed.has("http", "local", 8000)
    for scheme, host, port in (
        ("http", "example.org", 8080), ("http", "a.example.org", 80), ("http", "badexample.org", 80),
        ("https", "images.example", 443), ("http", "only.example", 80), ("http", "local", 80),
    ):  # fmt: skip
        assert not allowed.has(scheme, host, port), host


@pytest.mark.parametrize("entry", ["", "*", "http://", "a.org/path", "a*b.org", "ftp://a", "a:99999"])
def test_entries_that_name_no_host(entry: str) -> None:
    with pytest.raises(OptionError, match="it names no host"):
        Allowed([entry])


def test_a_request_with_a_url(
    served_model: bindrt.Model, media: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetched(self: Fetcher, url: str, place: str, most: int, seconds: float, hold: Any) -> bytes:
        hold(len(media["image"]))
        return media["image"]

    asked = {"input": ["https://images.example/a.jpg"] * 2, "modality": "image"}
    with running(served_model, ServeOptions(fetch_urls=("images.example",), max_body=100_000)) as server:
        inside = server.post("/v1/embeddings", {**asked, "input": "http://localhost/a.jpg"})
        assert inside.status == 400
        assert "input: this server does not fetch from localhost:80" in inside.json["error"]["message"]
        monkeypatch.setattr(Fetcher, "fetch", fetched)
        found = server.post("/v1/embeddings", asked)
        assert found.status == 200, found.body
        expected = served_model.embed(image=media["image"]).image[0]
        assert np.allclose(found.json["data"][1]["embedding"], expected, atol=1e-5)
        many = {**asked, "input": asked["input"] * (100_000 // len(media["image"]))}
        assert server.post("/v1/embeddings", many).status == 413  # together they are too large for a body


def test_where_one_file_fails_the_others_are_given_up(
    served_model: bindrt.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None goes on when the request has been answered: nobody would give its memory back."""
    given_up: list[str] = []

    async def fetched(self: Fetcher, url: str, place: str, most: int, seconds: float, hold: Any) -> bytes:
        hold(1000)
        if url.endswith("bad"):
            raise SourceError(place, "its server answered 404")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            given_up.append(url)
            raise
        return b""

    monkeypatch.setattr(Fetcher, "fetch", fetched)
    with running(served_model, ServeOptions(fetch_urls=("a.example",))) as server:
        memory = server.server.config.app.state.service.memory
        urls = ["http://a.example/slow", "http://a.example/bad"]
        parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        for path, asked in (
            ("/v1/embeddings", {"input": urls, "modality": "image"}),
            ("/v1/embeddings", {"messages": [{"content": parts}]}),
            ("/v2/embed", {"images": urls}),
        ):
            found = server.post(path, asked)
            assert found.status == 400, found.body
            assert b"its server answered 404" in found.body
            assert given_up.pop() == urls[0]
            wait_for(lambda: memory.held == 0)


def test_files_share_one_time(served_model: bindrt.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a request have begun when the first one is here, and its deadline is theirs."""
    given: list[float] = []

    async def fetched(self: Fetcher, url: str, place: str, most: int, seconds: float, hold: Any) -> bytes:
        given.append(seconds)
        for _ in range(2000):
            if len(given) == 3:
                raise asyncio.TimeoutError
            await asyncio.sleep(0.01)
        raise AssertionError("the others have not begun")

    monkeypatch.setattr(Fetcher, "fetch", fetched)
    with running(served_model, ServeOptions(fetch_urls=("a.example",), fetch_seconds=50)) as server:
        asked = {"images": [f"http://a.example/{i}" for i in range(3)]}
        found = server.post("/v2/embed", asked)
        assert found.status == 400
        assert "it took more than 50 s" in found.json["message"]
        assert max(given) <= 50
        given.clear()
        found = server.post("/v2/embed", asked, {"X-Deadline": "30"})
        assert (found.status, found.json["code"]) == (504, "DeadlineExceeded")
        assert max(given) <= 30


def test_what_is_held_for_a_request_that_is_over() -> None:
    async def run() -> None:
        memory, kept = Memory(100), []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            kept.append(exchange_of(scope))
            kept[0].hold(60)

        scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
        await Exchange(scope, None, None, OTHER, ServeOptions(), memory).run(app)  # type: ignore[arg-type]
        assert memory.held == 0
        with pytest.raises(Fault, match="the request is over"):
            kept[0].hold(10)
        assert memory.held == 0

    asyncio.run(run())


def test_an_allowed_host_inside_a_network(served_model: bindrt.Model) -> None:
    with running(served_model, ServeOptions(fetch_urls=("localhost",))) as server:
        found = server.post("/v1/embeddings", {"input": "http://localhost/a.jpg", "modality": "image"})
        assert found.status == 400
        assert "localhost is inside a network" in found.json["error"]["message"]
