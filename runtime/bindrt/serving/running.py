"""Running an application on a port, until it is told to end."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import uvicorn

from bindrt.errors import Error
from bindrt.serving.connections import BoundedConnection
from bindrt.serving.health import Health


@dataclass(frozen=True)
class Listening:
    """Where and how a server listens.

    Attributes:
        host, port: the address; port 0: any that is free.
        keep_alive: seconds that a connection may stay without a request.
        drain: seconds that requests may take to end once the server was told to.
        certificate, key: files for TLS; None: without.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    keep_alive: float = 75.0
    drain: float = 30.0
    certificate: str | None = None
    key: str | None = None

    def bind(self) -> socket.socket:
        """A socket that listens.

        Raises:
            Error: the address is in use, or is none of this machine's.
        """
        try:
            (family, *_, address), *_ = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            return socket.create_server(address[:2], family=family, backlog=2048)
        except OSError as error:
            reason = error.strerror or error
            where = f"{self.host}:{self.port}"
            raise Error(where, f"cannot listen there: {reason}", "choose another --port or --host") from None


class Server(uvicorn.Server):
    """Ends as it should: what was asked before is answered, and the process is not killed by the signal.

    Attributes:
        ended_by: the signal that told it to end.
    """

    def __init__(self, app: Any, listening: Listening) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                http=BoundedConnection,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=listening.keep_alive,  # type: ignore[arg-type]
                timeout_graceful_shutdown=listening.drain,  # type: ignore[arg-type]
                ssl_certfile=listening.certificate,
                ssl_keyfile=listening.key,
            )
        )
        self.ended_by: int | None = None
        self._health: Health = app.state.health

    def end(self) -> None:
        """Take no new connections, answer what was asked, and end."""
        self._health.is_ending = True
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {sig: signal.signal(sig, self._on_signal) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def _on_signal(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True  # Ctrl-C a second time
        self.ended_by = self.ended_by or sig
        self.end()
