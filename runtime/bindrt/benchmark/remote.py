"""The other end of a side: starts its process, asks, and passes on its errors."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import Any

from bindrt.errors import EngineError, Error, OptionError

#: What each way needs besides the runtime, and how to have it.
NEEDS = {
    "eager": (("torch", "onnx"), "pip install 'bindrt[export]'"),
    "ort": (("torch", "onnx", "onnxscript"), "pip install 'bindrt[export]'"),
    "openvino": (("torch", "onnx", "onnxscript", "openvino"), "pip install 'bindrt[export,openvino]'"),
}
WAYS = ("loop", *NEEDS)


def require(way: str) -> None:
    """
    Raises:
        OptionError: the way needs packages that are not installed.
    """
    packages, remedy = NEEDS.get(way, ((), ""))
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise OptionError(f"--against {way}", f"it needs {', '.join(missing)}, not installed here", remedy)


class Remote:
    """A side's process.

    Attributes:
        way: ``bindrt`` or what it is compared with.
        about: what it is, in its own words.
        packages: versions of the libraries that it uses.
    """

    def __init__(self, way: str, request: dict[str, Any]) -> None:
        """
        Raises:
            Error: what the side says that is wrong; EngineError: it ends without a word.
        """
        self.way = way
        # The sides with torch live in the export package, which the runtime does not import.
        module = "bindrt.benchmark.side" if way in ("bindrt", "loop") else "bindrt_export.peers"
        self._busy = False
        self._log = tempfile.TemporaryFile(mode="w+", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        try:
            hello = self.ask({**request, "way": way})
        except BaseException:
            self.close()
            raise
        self.about: str = hello["about"]
        self.packages: dict[str, str] = hello["packages"]

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to a command.

        Raises:
            Error: as the side raised it; EngineError: it has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = ""
        self._busy = True
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            self._busy = False
        if not line:
            raise EngineError(self.way, f"its process has ended ({self._last_words()})")
        reply: dict[str, Any] = json.loads(line)
        if error := reply.get("error"):
            kind = OptionError if error["wrong_use"] else Error
            raise kind(error["item"], error["problem"], error["remedy"])
        return reply

    def close(self) -> None:
        """End the process: kindly, unless it is in the middle of something."""
        assert self._process.stdin is not None
        if self._busy:
            self._process.kill()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()

    def _last_words(self) -> str:
        status = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().strip().splitlines()
        return (lines[-1] if lines else f"status {status}")[:300]
