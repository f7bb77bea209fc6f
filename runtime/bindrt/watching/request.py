"""What a browser may ask for, and what it gets."""

from __future__ import annotations

import json
import logging
import select
import socket
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from bindrt.errors import Error
from bindrt.watching.address import is_known

if TYPE_CHECKING:
    from bindrt.watching.server import PageServer

LOG = logging.getLogger(__name__)

_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
#: Seconds from one message to a viewer to the next, at least; and without any before a sign of life.
_APART, _QUIET = 0.2, 10.0
#: Seconds between looks at whether a viewer is still there.
_LOOK = 1.0
#: Bytes that may be on their way to a viewer: more would only grow old there.
_ON_THE_WAY = 1 << 16


class Request(BaseHTTPRequestHandler):
    """One request; each has a connection and a thread of its own."""

    timeout = 10  # seconds that a browser may take to ask, or to take what it gets
    server_version, sys_version = "bindrt", ""
    error_message_format, error_content_type = "%(code)d %(message)s\n", "text/plain; charset=utf-8"

    def do_GET(self) -> None:
        """Files, the messages, the pictures."""
        page = cast("PageServer", self.server)
        path = urlsplit(self.path).path
        if not is_known(self.headers.get("Host"), page.names):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "this page is not served under that name")
        elif path in _FILES:
            self._give(_FILES[path][1], _file(_FILES[path][0]))
        elif self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            self.send_error(HTTPStatus.FORBIDDEN, "only this page itself may ask for that")
        elif path == "/messages":
            self._watch(page)
        elif path.startswith("/picture/"):
            self._picture(page, path.removeprefix("/picture/"))
        else:
            self.send_error(HTTPStatus.NOT_FOUND, "there is no such page")

    def do_HEAD(self) -> None:
        """As GET, without what follows the headers."""
        self.do_GET()

    def end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        LOG.debug(format, *args)

    def _give(self, kind: str, data: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _picture(self, page: PageServer, number: str) -> None:
        try:
            found = page.board.picture(int(number)) if number.isdecimal() and len(number) < 9 else None
        except Error as error:
            LOG.debug("a picture cannot be shown: %s", error)
            found = None
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND, "there is no such picture")
        else:
            self._give(*found)

    def _watch(self, page: PageServer) -> None:
        """Messages until the viewer hangs up, or the server is closed."""
        if not page.viewers.acquire(blocking=False):
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, "too many watch already")
            return
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ON_THE_WAY)
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("X-Accel-Buffering", "no")  # a proxy passes on each message at once
            self.end_headers()
            if self.command != "HEAD":
                self._send_messages(page)
        finally:
            page.viewers.release()

    def _send_messages(self, page: PageServer) -> None:
        seen, quiet, over = -1, 0.0, False
        while not over and not self._hung_up():
            over = page.over.is_set()  # then what is new is still sent
            if page.board.wait(seen, _LOOK, page.over.is_set):
                seen, message = page.board.since(seen)
                self.wfile.write(f"data: {json.dumps(message)}\n\n".encode())
                quiet = 0.0
                page.over.wait(_APART)
            else:
                quiet += _LOOK
            if quiet >= _QUIET:
                self.wfile.write(b": nothing new\n\n")
                quiet = 0.0

    def _hung_up(self) -> bool:
        """Whether the viewer's side is closed: it has nothing more to say, so anything to read is the end."""
        looking = select.poll()
        looking.register(self.connection, select.POLLIN)
        return bool(looking.poll(0)) and not self.connection.recv(1, socket.MSG_PEEK)


@lru_cache(maxsize=len(_FILES))
def _file(name: str) -> bytes:
    return (files("bindrt.watching") / "site" / name).read_bytes()
