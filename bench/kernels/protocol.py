"""The other end of ``worker``: starts the process of one side and asks it to run and time calls."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
# Read by OpenMP, MKL, OpenBLAS, BLIS, NumExpr.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


class WorkerError(Exception):
    """A side that cannot start, or that cannot do what was asked."""


class Worker:
    """A running side.

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
        variables = dict.fromkeys(_THREAD_VARIABLES, str(threads))
        self._log = Path(log or os.devnull).open("ab")  # noqa: SIM115
        self._process = subprocess.Popen(
            [str(python), "-m", "bench.kernels.worker", module, str(threads), json.dumps(options or {})],
            cwd=ROOT,
            env={**os.environ, **variables, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        try:
            hello = self._reply()
        except WorkerError:
            self.close()
            raise
        self.packages: dict[str, str] = hello["packages"]
        self.alternatives: list[dict[str, Any]] = hello["alternatives"]

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """One request and its reply.

        Raises:
            WorkerError: the side raised an error, or ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerError("the process has ended") from error
        return self._reply()

    def _reply(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(f"the process ended with status {self._process.wait()}")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise WorkerError(reply["error"])
        return reply

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
