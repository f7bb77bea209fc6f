"""Starts the workers of a server, and ends them."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.process import BaseProcess

from bindrt.serving.running import Listening
from bindrt.serving.workers.board import PROCESSES, Board
from bindrt.serving.workers.supervisor import Supervisor
from bindrt.serving.workers.worker import Post


def run_workers(
    count: int, work: Callable[[Post], None], listening: Listening, listener: socket.socket
) -> int:
    """Runs so many workers until SIGTERM or SIGINT, and returns which of them it was.

    Args:
        work: what a worker does; a function that another process can import.
        listener: the socket of ``listening``, which this closes when it ends.
    """
    with tempfile.TemporaryDirectory(prefix="bindrt-") as folder, _grpc_port(listening) as shared:
        board = Board(count, folder)

        def start(number: int) -> BaseProcess:
            process = PROCESSES.Process(target=work, args=(Post(number, board, shared, listener),))
            process.start()
            return process

        supervisor = Supervisor(board, start, listening.drain)
        supervisor.run(on_end=listener.close)
        assert supervisor.ended_by is not None
        return supervisor.ended_by


@contextmanager
def _grpc_port(listening: Listening) -> Iterator[Listening]:
    """The same with a port of gRPC that all workers can listen on, and that stays theirs while none does."""
    if listening.grpc_port is None:
        yield listening
        return
    with listening.reserving_grpc() as port:
        yield replace(listening, grpc_port=port, shares_grpc=True)
