"""A server on loopback, in a thread of the test's process, and plain HTTP requests to it."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

import bindrt
from bindrt.serving import Models, ServeOptions, app
from support.engines import GatedEngine

for name in ("msgspec", "prometheus_client", "python_multipart", "starlette", "uvicorn"):
    pytest.importorskip(name, reason="the extra serve is not installed")

#: Seconds after which a test gives up; nothing is expected to take so long.
PATIENCE = 120.0


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Running:
    """A server that runs.

    Attributes:
        port: on 127.0.0.1.
        trusted: the file of its certificate, if it serves HTTPS.
    """

    def __init__(self, server: Any, port: int, trusted: str | None = None) -> None:
        self.server = server
        self.port = port
        self.trusted = trusted

    @property
    def url(self) -> str:
        return f"{'http' if self.trusted is None else 'https'}://127.0.0.1:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        connection = self._connection()
        try:
            connection.request(method, path, body, dict(headers or {}))
            found = connection.getresponse()
            return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self.trusted is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        context = ssl.create_default_context(cafile=self.trusted)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=context)

    def post(self, path: str, content: object, headers: Mapping[str, str] | None = None) -> Answer:
        """One request with JSON."""
        sent = {"content-type": "application/json", **(headers or {})}
        return self.ask("POST", path, json.dumps(content).encode(), sent)

    def is_ready(self) -> bool:
        return self.ask("GET", "/ready").status == 200


@contextmanager
def gated(
    options: ServeOptions | None = None, grpc: bool = False
) -> Iterator[tuple[Running, GatedEngine, bindrt.Model]]:
    """A server whose engine of texts waits for a gate, which is open at first."""
    with bindrt.load("tiny", engine="onnxruntime", modalities=["text"]) as own:
        engine = GatedEngine(own.engine("text"))
        with bindrt.load("tiny", modalities=["text"], engines={"text": engine}) as model:
            try:
                with running(model, options, grpc=grpc) as server:
                    engine.entered.clear()
                    yield server, engine, model
            finally:
                engine.gate.set()


def counts(model: bindrt.Model) -> Counter[str]:
    """What the pipeline of texts counts; nothing before its first request."""
    return Counter(model.stats().get("text", {}).get("pipeline", {}))


def answer_on(connection: socket.socket) -> Answer:
    """The answer to what was sent on a connection."""
    found = http.client.HTTPResponse(connection)
    found.begin()
    return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())


@contextmanager
def running(
    model: Models,
    options: ServeOptions | None = None,
    drain: float = PATIENCE,
    keep_alive: float = 75.0,
    warm: bool = True,
    grpc: bool = False,
    tls: tuple[str, str] | None = None,
) -> Iterator[Running]:
    """Serves models while the block runs; ``tls`` names the files of a certificate and its key."""
    from bindrt.serving.running import Listening, Server

    certificate, key = tls or (None, None)
    grpc_port = 0 if grpc else None
    listening = Listening(
        port=0, drain=drain, keep_alive=keep_alive, certificate=certificate, key=key, grpc_port=grpc_port
    )
    listener = listening.bind()
    server = Server(app(model, options), listening)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        found = Running(server, listener.getsockname()[1], certificate)
        wait_for(lambda: server.started or not thread.is_alive())
        if warm:
            wait_for(found.is_ready)
        yield found
    finally:
        server.end()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def wait_for(holds: Any) -> None:
    """Waits until something holds; a test that waits for PATIENCE fails."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.005)


def form(*parts: tuple[str, str | None, bytes], boundary: str = "limit") -> tuple[bytes, dict[str, str]]:
    """A form as curl sends it, of (field, file name or None, contents); and its header."""
    out = b""
    for field, file_name, data in parts:
        file = f'; filename="{file_name}"' if file_name is not None else ""
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"{file}\r\n\r\n'.encode()
        out += data + b"\r\n"
    return out + f"--{boundary}--\r\n".encode(), {"content-type": f"multipart/form-data; boundary={boundary}"}


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def in_uri(data: bytes, kind: str = "application/octet-stream") -> str:
    return f"data:{kind};base64,{in_base64(data)}"
