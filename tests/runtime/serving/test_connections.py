"""What goes out of a connection: the head of an answer with its body, by one call of the system."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

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


def sent(use: Callable[[asyncio.Transport], None]) -> tuple[list[bytes], list[bytes]]:
    """The calls while ``use`` runs, and those after it."""

    async def run() -> tuple[list[bytes], list[bytes]]:
        transport = Sent()
        joined = connections.JoinedTransport(transport, asyncio.get_running_loop())
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
