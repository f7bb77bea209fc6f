"""Connections that cannot fill the memory or stay for ever before a request begins."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from httptools import HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bindrt.serving.exchange import HANG_UP, HangUp

#: Bytes of a request's line and headers.
MOST_HEAD = 1 << 16


class JoinedTransport:
    """A transport that sends the head of an answer together with its body, by one call of the system.

    A call costs more than most answers, and the client wakes for each.

    Args:
        seconds: in which a client must read what is left when the connection closes.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._transport = transport
        self._loop = loop
        self._seconds = seconds
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._flush)  # where nothing follows, as after HEAD
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()
        if self._transport.get_write_buffer_size():  # it closes once that is read
            self._loop.call_later(self._seconds, self._transport.abort)

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)


class Unread:
    """Answers that wait until their clients read, of all connections of a server.

    A client that does not read would hold its answer for ever; that to a short request may be long.

    Args:
        most: bytes of all of them. Past them, the connection that has waited longest ends.
        seconds: in which an answer must be read. Then its connection ends.

    Attributes:
        held: bytes that wait.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self.seconds = seconds
        self.held = 0
        self._most = most
        self._sizes: dict[Any, int] = {}  # by transport, those that wait longest first

    def hold(self, transport: Any) -> None:
        """Counts what waits on a connection."""
        size = self._sizes[transport] = transport.get_write_buffer_size()
        self.held += size
        while self.held > self._most and len(self._sizes) > 1:
            self.end(next(iter(self._sizes)))

    def let_go(self, transport: Any) -> None:
        """What waited was read, or the connection has ended."""
        self.held -= self._sizes.pop(transport, 0)

    def end(self, transport: Any) -> None:
        """Ends a connection, with what waits on it."""
        self.let_go(transport)
        transport.abort()


class Pieces:
    """What has come of a body and was not taken yet, in place of uvicorn's ``bytearray``.

    One piece, the usual case, is handed on as it is: of a sound of 1 MB each copy costs as much as reading it
    from the network.

    >>> pieces = Pieces()
    >>> pieces += b"ab"
    >>> len(pieces), bytes(pieces)
    (2, b'ab')
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def __iadd__(self, piece: bytes) -> Pieces:
        self._pieces.append(piece)
        self._size += len(piece)
        return self

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection. It closes if headers are too long, or come after ``timeout_keep_alive``, or if
    the client does not read. :func:`bounded_by` makes one server's.

    The parser sees only what comes with the headers, where the length of the body is known: the rest needs
    no parsing, and the parser would copy it.
    """

    _head = 0
    _in_head = True
    _left = 0  # bytes of the body that have not come; 0 too where its length is not known
    _timer: asyncio.TimerHandle | None = None
    _unread: Unread
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        joined = JoinedTransport(transport, self.loop, self._unread.seconds)
        super().connection_made(joined)  # type: ignore[arg-type]
        self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self._stop_waiting()
        super().connection_lost(exc)
        scope: dict[str, Any] = {} if self.cycle is None else dict(self.cycle.scope)
        hang_up: HangUp | None = scope.get(HANG_UP)
        if hang_up is not None and hang_up.tell is not None:
            hang_up.tell()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[HANG_UP] = HangUp()  # type: ignore[literal-required]

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered."""
        super().pause_writing()
        self._reading = self.loop.call_later(self._unread.seconds, self._unread.end, self.transport)
        self._unread.hold(self.transport)

    def resume_writing(self) -> None:
        self._stop_waiting()
        super().resume_writing()

    def _stop_waiting(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
            self._unread.let_go(self.transport)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            if self._timer is None:  # a further request on this connection
                self._start()
            if self._head > MOST_HEAD:
                self.send_400_response("The headers are too long.")
                return
            self._head += len(data)
        elif self._left:
            self._take_body(data)
            return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._stop()
        self._in_head = False
        super().on_headers_complete()
        # The parser has refused lengths that contradict each other, or stand beside chunks.
        self._left = next((int(value) for name, value in self.headers if name == b"content-length"), 0)

    def on_body(self, body: bytes) -> None:
        self._left = max(0, self._left - len(body))
        if not self.cycle.body:
            self.cycle.body = Pieces()  # type: ignore[assignment]
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._head, self._left = True, 0, 0

    def _take_body(self, data: bytes) -> None:
        """A part of the body, and perhaps the beginning of the next request."""
        self._unset_keepalive_if_required()
        left = self._left
        self.on_body(data if len(data) <= left else data[:left])
        if len(data) >= left:
            self.on_message_complete()
            self.parser = HttpRequestParser(self)  # the old one waits for the body
            with suppress(AttributeError):  # as uvicorn does; httptools before 0.6.3
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            if len(data) > left:
                self.data_received(data[left:])

    def _start(self) -> None:
        self._timer = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def bounded_by(unread: Unread) -> type[BoundedConnection]:
    """The connections of one server."""

    class Connection(BoundedConnection):
        _unread = unread

    return Connection
