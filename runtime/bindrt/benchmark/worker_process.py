"""The other end of ``worker``: starts a system's process, asks it, and passes on its errors."""

from __future__ import annotations

import sys
from typing import Any

from bindrt.benchmark.json_process import JsonProcess, Message, ProcessEndedError
from bindrt.errors import EngineError, Error, OptionError


class WorkerProcess:
    """The process of one system.

    Attributes:
        name: ``bindrt``, or what it is compared with.
        about: what the system is, in its own words.
        packages: versions of the libraries that it uses.
        chosen: the precision and the space that it computes in, where it chooses them.
    """

    def __init__(self, name: str, request: dict[str, Any]) -> None:
        """
        Args:
            request: what to open; see :func:`bindrt.benchmark.worker.serve`.

        Raises:
            Error: what the system says is wrong; EngineError: its process ended without a word.
        """
        self.name = name
        self._process = JsonProcess([sys.executable, "-m", "bindrt.benchmark.worker", name])
        try:
            hello = self.ask(request)
        except BaseException:
            self.close()
            raise
        self.about: str = hello["about"]
        self.packages: dict[str, str] = hello["packages"]
        self.chosen: dict[str, str] = hello["chosen"]

    def ask(self, request: Message) -> Message:
        """The reply to a command.

        Raises:
            Error: as the system raised it; EngineError: its process has ended.
        """
        try:
            reply = self._process.ask(request)
        except ProcessEndedError as ended:
            raise EngineError(self.name, f"its process has ended ({ended})") from None
        if error := reply.get("error"):
            kind = OptionError if error["wrong_use"] else Error
            raise kind(error["item"], error["problem"], error["remedy"])
        return reply

    def close(self) -> None:
        """End the process."""
        self._process.close()
