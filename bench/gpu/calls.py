"""The driver's functions by ctypes, for what bindrt itself never does."""

from __future__ import annotations

import ctypes
from typing import Any

from bindrt import _core


class DriverCalls:
    """The driver that bindrt uses: this machine's, or the simulated one.

    A device's context must be the calling thread's: inside ``with bindrt._core.gpu.Queue()``, or where an
    engine is asked to queue its work.
    """

    def __init__(self) -> None:
        self._library = ctypes.CDLL(_core.gpu.driver()["path"])

    def __call__(self, name: str, *arguments: Any) -> None:
        """
        Raises:
            RuntimeError: naming the function and the driver's number of the error.
        """
        if result := self.ask(name, *arguments):
            raise RuntimeError(f"{name}: error {result} of the driver")

    def ask(self, name: str, *arguments: Any) -> int:
        """Call a function; the driver's number of the error, 0 if there is none."""
        return int(getattr(self._library, name)(*arguments))


def pointer(value: int) -> ctypes.c_void_p:
    return ctypes.c_void_p(value)


def size(value: int) -> ctypes.c_size_t:
    return ctypes.c_size_t(value)
