"""One worker among the others: it tells them of itself, and asks them for their metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from bindrt.serving.workers.board import Board, State
from bindrt.serving.workers.metrics import merged

#: Seconds that another worker may take to answer; one that takes longer is left out.
_PATIENCE = 2.0
#: What a whole answer ends with. One that was cut, since its worker died, would be no text of Prometheus'.
_END = b"# EOF\n"


class Peers:
    """What a worker knows of the others.

    Args:
        number: this worker's.
    """

    def __init__(self, board: Board, number: int) -> None:
        self._board = board
        self._number = number
        self._server: asyncio.AbstractServer | None = None

    def tell(self, state: State) -> None:
        """Lets the others know."""
        self._board.states[self._number] = state

    def problem(self, own: str) -> str:
        """Why the workers together cannot answer, given this worker's problem; empty if they can.

        One that is warm is enough: a cold one takes no connections while there is another. One that has
        stopped has connections all the same, so that its problem is that of all.
        """
        if (stopped := self._board.stopped()) is not None and stopped != self._number:
            return f"worker {stopped} does not go on"
        if stopped is None and self._board.ready() is not None:
            return ""
        return own

    def others_are_ready(self) -> bool:
        return self._board.ready() is not None

    async def listen(self, own_metrics: Callable[[], bytes]) -> None:
        """Answers the others, on a socket that only this user can open."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(own_metrics() + _END)
            writer.close()

        self._server = await asyncio.start_unix_server(answer, self._path(self._number))

    def close(self) -> None:
        """Answers no more."""
        if self._server is not None:
            self._server.close()

    async def metrics(self, own: bytes) -> bytes:
        """The metrics of all workers that answer, given this worker's."""
        others = [number for number in range(self._board.count) if number != self._number]
        answers = await asyncio.gather(*(self._ask(number) for number in others))
        found = {number: text.decode() for number, text in zip(others, answers, strict=True) if text}
        texts = dict(sorted({**found, self._number: own.decode()}.items()))
        return merged(texts, dict(enumerate(self._board.starts)))

    async def _ask(self, number: int) -> bytes:
        """Another worker's metrics; empty where there is none, or it does not answer to the end."""
        try:
            found = await asyncio.wait_for(_read(self._path(number)), _PATIENCE)
        except (OSError, asyncio.TimeoutError):
            return b""
        return found.removesuffix(_END) if found.endswith(_END) else b""

    def _path(self, number: int) -> Path:
        return Path(self._board.folder) / str(number)


async def _read(path: Path) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        return await reader.read()
    finally:
        writer.close()
