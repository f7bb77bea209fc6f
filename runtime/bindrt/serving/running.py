"""Running an application on a port, until it is told to end."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn

from bindrt.errors import Error
from bindrt.serving.connections import Unread, bounded_by
from bindrt.serving.health import Health

if TYPE_CHECKING:
    from bindrt.serving.grpc_service import GrpcServer


@dataclass(frozen=True)
class Listening:
    """Where and how a server listens.

    Attributes:
        host, port: the address; port 0: any that is free.
        keep_alive: seconds that a connection may stay without a request.
        drain: seconds that requests may take to end once the server was told to.
        certificate, key: files for TLS; None: without.
        grpc_port: the port of gRPC; None: it is not served.
        shares_grpc: other processes listen there too.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    keep_alive: float = 75.0
    drain: float = 30.0
    certificate: str | None = None
    key: str | None = None
    grpc_port: int | None = None
    shares_grpc: bool = False

    def tls_files(self) -> tuple[bytes, bytes] | None:
        """The key and the certificate, which are checked; None without.

        Raises:
            Error: they cannot be read, or do not belong together.
        """
        if self.certificate is None or self.key is None:
            return None
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(self.certificate, self.key)
            return Path(self.key).read_bytes(), Path(self.certificate).read_bytes()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise Error(
                self.certificate, f"it is no certificate with its key: {reason}", "PEM files"
            ) from None

    def bind(self) -> socket.socket:
        """A socket that listens.

        Raises:
            Error: the address is in use, or is none of this machine's.
        """
        with _told(self.host, self.port, "--port"):
            family, address = _address(self.host, self.port)
            return socket.create_server(address, family=family, backlog=2048)

    @contextmanager
    def reserving_grpc(self) -> Iterator[int]:
        """The port of gRPC, kept for this user's processes, which may all listen there.

        Raises:
            Error: as :meth:`bind`.
        """
        port = self.grpc_port or 0
        with _told(self.host, port, "--grpc-port"), ExitStack() as stack:
            family, address = _address(self.host, port)
            if port:  # a port that is shared can be bound although others listen there
                socket.create_server(address, family=family).close()
            kept = stack.enter_context(socket.socket(family))
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            kept.bind(address)
            keeping = stack.pop_all()
        with keeping:
            yield int(kept.getsockname()[1])


def _address(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    (family, *_, address), *_ = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    return family, (str(address[0]), int(address[1]))


@contextmanager
def _told(host: str, port: int, option: str) -> Iterator[None]:
    """What the system refuses is an error that names the address."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise Error(
            f"{host}:{port}", f"cannot listen there: {reason}", f"choose another {option} or --host"
        ) from None


def keep_from_collector() -> None:
    """What is there now stays to the end of the process, so Python need not look through it again and again.

    A full collection holds all requests up: for 60 ms where a server had 62 000 objects, on two busy cores.
    """
    gc.collect()
    gc.freeze()


class Server(uvicorn.Server):
    """Ends as it should: what was asked before is answered, and the process is not killed by the signal.

    Attributes:
        health: whether requests can be answered.
        ended_by: the signal that told it to end.
        grpc_port: where gRPC is served.
    """

    def __init__(self, app: Any, listening: Listening) -> None:
        limits = app.state.service.options
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                http=bounded_by(Unread(limits.max_bodies, limits.body_seconds)),
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
        self.grpc_port: int | None = None
        self._listening = listening
        self.health: Health = app.state.service.health
        self._grpc: GrpcServer | None = None
        if listening.grpc_port is not None:
            from bindrt.serving.grpc_service import GrpcServer

            self._grpc = GrpcServer(app.state.service, app.state.keys, app.state.observer)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens for gRPC first: the server has started when both do."""
        if self._grpc is not None:
            where = self._listening
            address = f"[{where.host}]" if ":" in where.host else where.host
            self.grpc_port = await self._grpc.start(
                f"{address}:{where.grpc_port}", where.tls_files(), where.shares_grpc
            )
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Both take nothing new, and finish what they have at the same time."""
        stopping = [super().shutdown(sockets)]
        if self._grpc is not None:
            stopping.insert(0, self._grpc.stop(self._listening.drain))
        await asyncio.gather(*stopping)

    def end(self) -> None:
        """Take no new connections, answer what was asked, and end."""
        self.health.is_ending = True
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
