"""Files behind URLs: off by default, only from allowed hosts, never from inside a network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

import bindrt
from bindrt.errors import InputError, LimitError, OptionError, SourceError
from bindrt.serving import ServeOptions
from bindrt.serving.fetching import Allowed, Fetcher, is_public
from support.serving import running

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


def fetch(url: str, port: int, seconds: float = 60.0) -> bytes:
    """As a server fetches that may connect to this machine; it must not in earnest."""
    fetcher = Fetcher([f"localhost:{port}"], seconds, lambda address: address.is_loopback)
    try:
        return asyncio.run(fetcher.fetch(url, "input[0]", 1 << 20))
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
        with pytest.raises(SourceError, match="cannot be fetched"):
            fetch(f"http://localhost:{port}/file", port, seconds=0.2)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
    ],
)  # fmt: skip
def test_addresses_inside_a_network(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


def test_public_addresses() -> None:
    assert is_public(ipaddress.ip_address("93.184.216.34"))
    assert is_public(ipaddress.ip_address("2606:4700:4700::1111"))


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
    async def fetched(self: Fetcher, url: str, place: str, most: int) -> bytes:
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


def test_an_allowed_host_inside_a_network(served_model: bindrt.Model) -> None:
    with running(served_model, ServeOptions(fetch_urls=("localhost",))) as server:
        found = server.post("/v1/embeddings", {"input": "http://localhost/a.jpg", "modality": "image"})
        assert found.status == 400
        assert "localhost is inside a network" in found.json["error"]["message"]
