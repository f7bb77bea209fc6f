"""HTTP to one server: connections that stay open, and calls that are tried again where that may help."""

from __future__ import annotations

import email.utils
import http.client
import random
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from bindrt.errors import ClosedError, DeadlineExceeded, Error, OptionError

#: Answers after which the same request may succeed.
BUSY = (429, 503)
FIRST_WAIT, LONGEST_WAIT = 0.25, 8.0
#: The longest ``Retry-After`` that is waited for, in seconds.
MOST_PATIENCE = 60.0


class Answer(NamedTuple):
    """What the server said."""

    status: int
    body: bytes
    retry_after: float | None


class Call:
    """A request that another thread may end: the server then sees that its client is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None
        self._ended = threading.Event()

    def end(self) -> None:
        """End the wait and the connection."""
        self._ended.set()
        with self._lock:
            if self._connection is not None and (sock := self._connection.sock) is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def on(self, connection: http.client.HTTPConnection | None) -> None:
        """The connection that the call is on now; None: on none.

        Raises:
            ClosedError: the call was ended.
        """
        with self._lock:
            self._connection = connection
        if connection is not None:
            self.require()

    def wait(self, seconds: float) -> None:
        """Sleep, unless the call is ended.

        Raises:
            ClosedError: it was.
        """
        self._ended.wait(seconds)
        self.require()

    def require(self) -> None:
        if self._ended.is_set():
            raise ClosedError("client", "the call was cancelled")


class Connections:
    """Calls one server; several threads may use it.

    Args:
        url: ``http://host:port`` or ``https://…``, with a path before the routes or without.
        headers: sent with every request.
        timeout: seconds that the server may take for the next bytes of its answer.
        retries: how often a call is tried again.
        tls: for ``https``; None: the system's certificates.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], timeout: float, retries: int, tls: ssl.SSLContext | None
    ) -> None:
        parts = urlsplit(url if isinstance(url, str) else "")
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1 or parts.query:
            raise OptionError(f"url={url!r}"[:200], "not a server's URL", "for example http://127.0.0.1:8080")
        self.url = url.rstrip("/")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, port
        self._path = parts.path.rstrip("/")
        self._headers, self._timeout, self._retries = dict(headers), timeout, retries
        self._tls = (tls or ssl.create_default_context()) if self._secure else None
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._closed = False

    def call(
        self, method: str, route: str, body: bytes | None, headers: Mapping[str, str], call: Call
    ) -> Answer:
        """Send a request and read its answer, whatever its status.

        One that the server is too busy for is tried again, after the time that it names and a random one that
        doubles.

        Raises:
            DeadlineExceeded: no answer within the timeout.
            ClosedError: the client was closed, or the call was ended.
            Error: the server cannot be reached.
        """
        wait = FIRST_WAIT
        for left in range(self._retries, -1, -1):
            try:
                answer = self._once(method, route, body, headers, call)
            except TimeoutError:
                raise DeadlineExceeded(
                    self.url, f"no answer within {self._timeout:g} s", "raise timeout, or send less at once"
                ) from None
            except (OSError, http.client.HTTPException) as error:
                call.require()
                if left == 0:
                    raise self._unreachable(error) from error
                after = 0.0
            else:
                after = answer.retry_after or 0.0
                if answer.status not in BUSY or left == 0 or after > MOST_PATIENCE:
                    return answer
            call.wait(after + random.uniform(0, wait))
            wait = min(2 * wait, LONGEST_WAIT)
        raise AssertionError  # the last turn returns or raises

    def require_open(self) -> None:
        """Raises ClosedError once the client was closed."""
        if self._closed:
            raise ClosedError(self.url, "the client was closed", "make another")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _once(
        self, method: str, route: str, body: bytes | None, headers: Mapping[str, str], call: Call
    ) -> Answer:
        connection, is_used = self._take()
        try:
            call.on(connection)
            try:
                answer = self._exchange(connection, method, route, body, headers)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                if not is_used:
                    raise
                connection.close()  # the server had closed it while it was idle
                answer = self._exchange(connection, method, route, body, headers)
        except BaseException:
            connection.close()
            raise
        finally:
            call.on(None)
        self._give_back(connection)
        return answer

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        route: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> Answer:
        try:
            connection.request(method, self._path + route, body, {**self._headers, **headers})
        except (BrokenPipeError, ConnectionResetError):
            if connection.sock is None:
                raise
            # A server may refuse a body before it has read all of it: its answer is there.
        response = connection.getresponse()
        content = response.read()
        if response.will_close:
            connection.close()
        return Answer(response.status, content, seconds_of(response.headers.get("Retry-After")))

    def _take(self) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it was used before."""
        with self._lock:
            self.require_open()
            if self._idle:
                return self._idle.pop(), True
        if self._tls is not None:
            made = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._tls
            )
            return made, False
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout), False

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if not self._closed and connection.sock is not None:
                self._idle.append(connection)
                return
        connection.close()

    def _unreachable(self, error: Exception) -> Error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Error(self.url, f"the server cannot be reached ({reason})", "is bind-serve running there?")


def seconds_of(header: str | None) -> float | None:
    """``Retry-After`` as seconds from now; None where it says nothing.

    >>> seconds_of("2"), seconds_of("soon")
    (2.0, None)
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    with suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    return None
