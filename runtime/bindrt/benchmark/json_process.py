"""A child process that is asked in JSON lines: requests on its input, replies on its output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

Message = dict[str, Any]


class ProcessEndedError(Exception):
    """The process ended without a reply; the text is the last line of its standard error."""


class JsonProcess:
    """The parent's end.

    Example:
        >>> code = "from bindrt.benchmark.json_process import open_replies; open_replies()({'ready': True})"
        >>> process = JsonProcess([sys.executable, "-c", code])
        >>> process.reply()
        {'ready': True}
        >>> process.close()
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path | None = None,
        variables: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        """
        Args:
            command: the program and its arguments.
            folder: where it starts; None: here.
            variables: added to the environment.
            log: the file to which its standard error is added; None: it is kept until the process is closed.
        """
        self._busy = False
        self._log = (
            tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
            if log is None
            else log.open("a+", errors="replace")
        )
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def ask(self, request: Message) -> Message:
        """Send a request and wait for its reply.

        Raises:
            ProcessEndedError: it ended first.
        """
        assert self._process.stdin is not None
        self._busy = True
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        return self.reply()

    def reply(self) -> Message:
        """Wait for a reply without a request, for example for a first message.

        Raises:
            ProcessEndedError: it ended first.
        """
        assert self._process.stdout is not None
        self._busy = True
        line = self._process.stdout.readline()
        self._busy = False
        if not line:
            raise ProcessEndedError(self._last_words())
        message: Message = json.loads(line)
        return message

    def close(self) -> None:
        """End the process: at once if it owes a reply, else by ending its input."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._busy:
            self._process.kill()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def _last_words(self) -> str:
        status = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().strip().splitlines()
        return (lines[-1] if lines else f"status {status}")[:300]


def ask_once(command: Sequence[str], request: Message, variables: Mapping[str, str] | None = None) -> Message:
    """Start a process for a single request.

    Args:
        variables: added to the environment.

    Raises:
        ProcessEndedError: it ended without a reply.
    """
    process = JsonProcess(command, variables=variables)
    try:
        return process.ask(request)
    finally:
        process.close()


def open_replies() -> Callable[[Message], None]:
    """The child's end: the function that sends a reply.

    From now on only replies go to the standard output. What libraries print goes to the standard error.
    """
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout.flush()
    os.dup2(2, 1)

    def send(reply: Message) -> None:
        stream.write(json.dumps(reply) + "\n")
        stream.flush()

    return send
