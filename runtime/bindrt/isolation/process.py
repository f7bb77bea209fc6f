"""The parent's end of a process that decodes."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from bindrt.errors import Error, LimitError, SourceError
from bindrt.isolation.messages import frame, read_reply
from bindrt.isolation.worker import READY
from bindrt.modalities import Views
from bindrt.wanted import require_wanted

_START_SECONDS = 120.0
_LOOK_SECONDS = 0.1  # how often a waiting thread looks whether anybody still wants the item
_AT_ONCE = 1 << 20
#: Without the current folder and the environment's paths: nothing there is imported by accident.
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);from bindrt.isolation.worker import main; main()"
)


Answer = TypeVar("Answer")
#: Reads an answer from what reads so many bytes.
Reads = Callable[[Callable[[int], bytes]], Answer]


class _TooLate(Exception):  # noqa: N818 - only told apart here
    """The process did not answer in time."""


class DecodingProcess:
    """A process that prepares one item at a time."""

    def __init__(self) -> None:
        paths = json.dumps([os.path.abspath(path) for path in sys.path])
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _CODE, paths], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._until = time.monotonic() + _START_SECONDS
        try:
            if self._read(len(READY)) != READY:
                raise EOFError
        except BaseException as error:
            self.kill()
            if not isinstance(error, (EOFError, _TooLate)):
                raise
            raise Error("isolate=True", "a process that decodes cannot be started") from None

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def prepare(self, name: str, request: bytes, timeout: float | None) -> Views:
        """The views of an item; raises as :meth:`ask` does."""
        return self.ask(name, request, timeout, read_reply)

    def ask(self, name: str, request: bytes, timeout: float | None, read: Reads[Answer]) -> Answer:
        """What the process answers.

        Args:
            name: the item's name in errors.
            request: the pickled request.
            timeout: seconds that it may take; None: any.
            read: reads the answer.

        Raises:
            LimitError: it took longer; the process was killed.
            SourceError: the process crashed at it.
            Error: what the item caused.
        """
        self._until = time.monotonic() + timeout if timeout is not None else float("inf")
        answered = False
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(frame(request))
            self._process.stdin.flush()
            answer = read(self._read)
            answered = True
            return answer
        except Error:
            answered = True
            raise
        except _TooLate:
            raise LimitError(
                name, f"decoding takes longer than {timeout:g} s", "raise item_timeout, or leave the item out"
            ) from None
        except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError):
            raise SourceError(name, self._how_it_ended(), "is the file damaged?") from None
        finally:
            if not answered:
                self.kill()

    def kill(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self._process.wait()

    def _how_it_ended(self) -> str:
        self._process.kill()
        code = self._process.wait()
        return (
            f"decoding it crashed (signal {-code})" if code < 0 else f"decoding it ended (exit code {code})"
        )

    def _read(self, count: int) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        data = bytearray()
        while len(data) < count:
            left = self._until - time.monotonic()
            if left <= 0:
                raise _TooLate
            require_wanted()
            if not poll.poll(1000 * min(left, _LOOK_SECONDS)):
                continue
            block = os.read(descriptor, min(count - len(data), _AT_ONCE))
            if not block:
                raise EOFError
            data += block
        return bytes(data)
