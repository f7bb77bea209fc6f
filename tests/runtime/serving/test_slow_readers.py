"""Clients that ask and do not read: their answers do not stay in memory."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import Any

import pytest

import bindrt
from support.serving import running, wait_for

connections = pytest.importorskip("bindrt.serving.connections", reason="the extra serve is not installed")

TEXTS = json.dumps({"input": ["a bell"] * 2000}).encode()
ASKED = b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(TEXTS), TEXTS)


class Transport:
    """Has bytes that nobody reads."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.is_open = True

    def get_write_buffer_size(self) -> int:
        return self.size

    def abort(self) -> None:
        self.is_open = False


def test_past_the_memory_those_that_wait_longest_end() -> None:
    unread = connections.Unread(100, 60.0)
    first, second, third, large = (Transport(size) for size in (40, 40, 40, 1000))
    for transport in (first, second, third):
        unread.hold(transport)
    assert (first.is_open, second.is_open, third.is_open, unread.held) == (False, True, True, 80)
    unread.let_go(second)
    assert unread.held == 40
    unread.hold(large)  # alone it may be larger: what made it fitted into memory as well
    assert (third.is_open, large.is_open, unread.held) == (False, True, 1000)
    unread.let_go(large)
    assert unread.held == 0


def test_a_client_that_never_reads_is_left(
    served_model: bindrt.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ``body_seconds``, which are few here alone for the answer."""
    made: list[Any] = []

    def few_seconds(unread: Any) -> Any:
        made.append(connections.Unread(10**9, 0.05))
        return connections.bounded_by(made[0])

    monkeypatch.setattr("bindrt.serving.running.bounded_by", few_seconds)
    with running(served_model) as server:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.sendall(3 * ASKED)  # 6 MB of answers: the system's buffers do not hold them
            wait_for(lambda: made[0].held > 0)
            wait_for(lambda: not server.server.server_state.connections)
            assert made[0].held == 0
            with suppress(ConnectionResetError):
                while client.recv(1 << 16):
                    pass
        assert server.is_ready()


def test_a_connection_that_closes_does_not_wait_for_its_reader(
    served_model: bindrt.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is too short to stop the writing is left as well."""
    unread = connections.Unread(10**9, 0.05)
    monkeypatch.setattr("bindrt.serving.running.bounded_by", lambda _: connections.bounded_by(unread))
    monkeypatch.setattr(connections.BoundedConnection, "pause_writing", lambda self: None)
    with running(served_model) as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        last = ASKED.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n")
        client.sendall(2 * ASKED + last)
        wait_for(lambda: not server.server.server_state.connections)
