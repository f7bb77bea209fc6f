"""The other end of ``worker``: starts the process of one library and asks it to run and time calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.paths import ROOT
from bindrt.benchmark.json_process import JsonProcess, Message, ProcessEndedError

# Read by OpenMP, MKL, OpenBLAS, BLIS, NumExpr.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


class WorkerError(Exception):
    """A worker that cannot start, or that cannot do what was asked."""


class WorkerProcess:
    """A running worker.

    Attributes:
        packages: versions of the libraries it measures.
        alternatives: what it can do: ``op``, ``name``, ``role``, ``same_work``, ``note``.
    """

    def __init__(
        self,
        python: Path,
        module: str,
        threads: int,
        options: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        variables = dict.fromkeys(_THREAD_VARIABLES, str(threads)) | (environment or {})
        arguments = [module, str(threads), json.dumps(options or {})]
        command = [str(python), "-m", "bench.kernels.worker", *arguments]
        self._process = JsonProcess(command, ROOT, variables, log)
        try:
            hello = self._checked(self._process.reply)
        except WorkerError:
            self.close()
            raise
        self.packages: dict[str, str] = hello["packages"]
        self.alternatives: list[dict[str, Any]] = hello["alternatives"]

    def ask(self, do: str, **request: Any) -> Message:
        """One request and its reply.

        Raises:
            WorkerError: the worker raised an error, or ended.
        """
        return self._checked(lambda: self._process.ask({"do": do, **request}))

    def close(self) -> None:
        """Ends the process."""
        self._process.close()

    @staticmethod
    def _checked(receive: Callable[[], Message]) -> Message:
        try:
            reply = receive()
        except ProcessEndedError as ended:
            raise WorkerError(f"the process has ended ({ended})") from None
        if "error" in reply:
            raise WorkerError(reply["error"])
        return reply
