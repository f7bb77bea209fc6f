"""The web server of a page: files, pictures, and a flow of messages to each viewer."""

from __future__ import annotations

import errno
import logging
import os
import socket
import socketserver
import sys
import threading
from contextlib import suppress
from http.server import HTTPServer
from typing import Any

from bindrt.errors import Error, OptionError
from bindrt.watching.address import Address
from bindrt.watching.board import Board

LOG = logging.getLogger(__name__)

#: Connections for each viewer: one has its messages, the others fetch pictures.
_FOR_EACH = 8
#: Seconds that viewers have at the end to take the last message.
_PATIENCE = 1.0


class PageServer(socketserver.ThreadingMixIn, HTTPServer):
    """Serves a board on threads of its own. A connection more than there may be is refused at once.

    Attributes:
        board: what is shown.
        names: the names under which browsers may ask.
        over: set when the server is closed.
        viewers: counts those who watch.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128  # a browser opens several connections at once

    def __init__(
        self, address: Address, names: frozenset[str], board: Board, most: int, handler: type[Any]
    ) -> None:
        """
        Raises:
            OptionError: the address is taken, or is none of this machine.
        """
        self.board, self.names = board, names
        self.over = threading.Event()
        self.viewers = threading.BoundedSemaphore(most)
        self._room = threading.BoundedSemaphore(most * _FOR_EACH)
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        try:
            family, *_, place = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
            self.address_family = family
            super().__init__(place[:2], handler)  # type: ignore[arg-type]
        except (OSError, UnicodeError) as error:
            raise _cannot_serve(address, error) from error
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.1,), name="bindrt-page", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def server_bind(self) -> None:
        """Without the look-up of a name that HTTPServer makes."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "", self.port

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            with suppress(OSError):
                request.recv(1 << 16, socket.MSG_DONTWAIT)  # what is left unread would undo the answer
            with suppress(OSError):
                request.send(b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 5\r\n\r\n")
            self.shutdown_request(request)
            return
        with self._changed:
            self._open.add(request)
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread can be started
            self._forget(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._forget(request)

    def _forget(self, request: Any) -> None:
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()
        self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A viewer who hung up, or is too slow, is forgotten."""
        usual = isinstance(sys.exc_info()[1], OSError)
        LOG.log(logging.DEBUG if usual else logging.ERROR, "a connection ended", exc_info=True)

    def close(self) -> None:
        """Sends the last message, hangs up on everybody, and frees the port. May be called twice."""
        if self.over.is_set():
            return
        self.over.set()
        self.board.wake()
        self.shutdown()
        self.server_close()
        self._thread.join()
        with self._changed:
            self._changed.wait_for(lambda: not self._open, _PATIENCE)
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _cannot_serve(address: Address, error: OSError | UnicodeError) -> Error:
    where = f"{address.host}:{address.port}"[:80]
    if isinstance(error, UnicodeError):
        return OptionError(
            where, "no machine can have that name", "give a name or an address of this machine"
        )
    if error.errno == errno.EADDRINUSE:
        return OptionError(
            where, "another program serves there", "take another port, or none: any that is free"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return OptionError(where, "this user may not serve there", "take a port from 1024 on")
    reason = error.strerror or os.strerror(error.errno or 0)
    return OptionError(where, f"this machine cannot serve there: {reason}", "127.0.0.1 is always there")
