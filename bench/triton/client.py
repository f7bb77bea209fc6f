"""NVIDIA's own client, ``tritonclient`` over gRPC, with so many requests under way at all times.

That is how ``perf_analyzer`` holds a concurrency. It is a process of its own, so that no time of the server's
process is its own: ``python -m bench.triton.client JOB`` writes what it found as JSON. JOB is JSON:
``address``, ``modality``, ``item`` (a file with a picture, a sound or a text), ``concurrency``, ``seconds``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from bench.paths import ROOT

#: Seconds that a request may take: far more than any should.
_PATIENCE = 60.0
#: Requests before those that are measured, for each that is under way at a time.
_WARM = 2


def run(job: dict[str, Any]) -> dict[str, Any]:
    """The job's result from a process of its own: ``requests``, ``seconds``, ``latencies``, ``share``.

    Raises:
        RuntimeError: the client is not installed, or a request failed; with what it said.
    """
    words = [sys.executable, "-m", "bench.triton.client", json.dumps(job)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"tritonclient failed: {done.stderr.strip()[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Ask as the job says; latencies in seconds, and the share of a core that this process took."""
    import tritonclient.grpc as grpc

    content = Path(job["item"]).read_bytes()
    asked = grpc.InferInput("data", [1, 1], "BYTES")
    asked.set_data_from_numpy(np.array([[content]], object))
    ended: SimpleQueue[tuple[float, Any]] = SimpleQueue()
    with grpc.InferenceServerClient(job["address"]) as client:

        def ask() -> None:
            begin = time.perf_counter()
            client.async_infer(
                job["modality"],
                [asked],
                lambda result, error: ended.put((time.perf_counter() - begin, error)),
                client_timeout=_PATIENCE,
            )

        def answer() -> float:
            latency, error = ended.get(timeout=2 * _PATIENCE)
            if error is not None:
                raise RuntimeError(f"a request failed: {error}")
            return latency

        concurrency = job["concurrency"]
        for _ in range(concurrency):
            ask()
        for _ in range(_WARM * concurrency):
            answer()
            ask()
        latencies = []
        begin, spent = time.perf_counter(), time.process_time()
        while time.perf_counter() - begin < job["seconds"]:
            latencies.append(answer())
            ask()
        seconds, spent = time.perf_counter() - begin, time.process_time() - spent
        for _ in range(concurrency):
            answer()
    return {
        "requests": len(latencies),
        "seconds": seconds,
        "latencies": latencies,
        "share": spent / seconds,
    }


if __name__ == "__main__":
    json.dump(measure(json.loads(sys.argv[1])), sys.stdout)
