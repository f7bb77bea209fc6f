"""One worker: a server on a socket that it shares with the others."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from bindrt.model import Model
from bindrt.serving.application import application
from bindrt.serving.options import ServeOptions
from bindrt.serving.running import Listening, Server
from bindrt.serving.workers.board import Board
from bindrt.serving.workers.peers import Peers


@dataclass
class Post:
    """What a worker is given: it can be sent to a process that begins.

    Attributes:
        listener: the socket that all workers take connections from.
    """

    number: int
    board: Board
    listening: Listening
    listener: socket.socket


class Worker(Server):
    """Takes nothing before it is warm, where others can; ends when the supervisor does."""

    def __init__(self, models: Mapping[str, Model], options: ServeOptions, post: Post) -> None:
        self._peers = Peers(post.board, post.number)
        super().__init__(application(models, options, self._peers), post.listening)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if (supervisor := multiprocessing.parent_process()) is not None:
            loop = asyncio.get_running_loop()

            def on_its_end() -> None:
                loop.remove_reader(supervisor.sentinel)
                self.end()

            loop.add_reader(supervisor.sentinel, on_its_end)
        if self._peers.others_are_ready():
            await self.health.warm_up()
        await super().startup(sockets)
