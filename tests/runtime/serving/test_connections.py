"""What comes through a connection, without copies, and what goes out of it, by one call of the system."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any, BinaryIO

import pytest

from support.serving import Running

connections = pytest.importorskip("bindrt.serving.connections", reason="the extra serve is not installed")

HEAD, BODY = b"HTTP/1.1 200 OK\r\n\r\n", b"found"


class Sent(asyncio.Transport):
    """Keeps what each call sends."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.calls: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.calls.append(bytes(data))

    def writelines(self, list_of_data: object) -> None:
        assert isinstance(list_of_data, tuple)
        self.calls.append(b"".join(list_of_data))

    def close(self) -> None:
        self.calls.append(b"closed")

    def get_write_buffer_size(self) -> int:
        return 0


def sent(use: Callable[[asyncio.Transport], None]) -> tuple[list[bytes], list[bytes]]:
    """The calls while ``use`` runs, and those after it."""

    async def run() -> tuple[list[bytes], list[bytes]]:
        transport = Sent()
        joined = connections.JoinedTransport(transport, asyncio.get_running_loop(), 60.0)
        assert joined.get_extra_info("peername") == ("127.0.0.1", 1)
        use(joined)
        count = len(transport.calls)
        await asyncio.sleep(0)
        return transport.calls[:count], transport.calls[count:]

    return asyncio.run(run())


def test_head_and_body_are_sent_together() -> None:
    def use(transport: asyncio.Transport) -> None:
        transport.write(HEAD)
        transport.write(BODY)
        transport.write(BODY)

    assert sent(use) == ([HEAD + BODY, BODY], [])


def test_a_head_alone_is_sent() -> None:
    assert sent(lambda transport: transport.write(HEAD)) == ([], [HEAD])


def test_a_head_is_sent_before_the_connection_closes() -> None:
    def use(transport: asyncio.Transport) -> None:
        transport.write(HEAD)
        transport.close()

    assert sent(use) == ([HEAD, b"closed"], [])


def test_a_piece_of_a_body_is_not_copied() -> None:
    pieces = connections.Pieces()
    piece = bytes(100_000)
    pieces += piece
    assert (len(pieces), bytes(pieces) is piece) == (100_000, True)
    pieces += b"more"
    assert bytes(pieces) == piece + b"more"


def test_what_follows_a_long_body_on_its_connection(server: Running) -> None:
    """The parser does not see the body's end, and sees the next request from its beginning."""
    texts = {"input": ["a bell"] * 2000 + ["a car"], "encoding_format": "base64"}
    first, second = _request(texts), _request({"input": "rain"})
    alone = [server.post("/v1/embeddings", given).json["data"] for given in (texts, {"input": "rain"})]
    for cut in (-1, 0, 1, len(second)):
        end = len(first) + cut
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start, stop in ((0, 500), (500, 9000), (9000, end), (end, None)):
                connection.sendall((first + second)[start:stop])
            with connection.makefile("rb") as answers:
                assert [_next_answer(answers)["data"] for _ in range(2)] == alone


def test_the_parser_does_not_see_a_long_body(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """It copies what it sees."""
    seen = []
    parse = connections.HttpToolsProtocol.data_received

    def counted(self: Any, data: bytes) -> None:
        seen.append(len(data))
        parse(self, data)

    monkeypatch.setattr(connections.HttpToolsProtocol, "data_received", counted)
    body = b" " * 5_000_000 + b'{"input": "a bell"}'
    assert server.ask("POST", "/v1/embeddings", body).status == 200
    assert sum(seen) < 1_000_000


def _next_answer(answers: BinaryIO) -> Any:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = answers.readline()
        assert line, f"the connection ended after {head!r}"
        head += line.lower()
    return json.loads(answers.read(int(head.split(b"content-length: ")[1].split(b"\r\n")[0])))


def _request(content: object) -> bytes:
    body = json.dumps(content).encode()
    head = f"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
