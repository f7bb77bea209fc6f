"""Load by NVIDIA's own client: ``python -m bench.triton.client_load`` with a job as JSON on its input.

As perf_analyzer does it: so many callers, each with its next request once the last is answered, for some
seconds. The job is ``{"protocol": "http" | "grpc", "url", "model", "items": folder, "callers", "seconds"}``.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np


def turns(job: dict[str, Any], contents: list[bytes]) -> list[float]:
    """The latencies of one caller, in seconds."""
    library = importlib.import_module(f"tritonclient.{job['protocol']}")
    data = np.array(contents, object).reshape(-1, 1)
    asked = library.InferInput("data", list(data.shape), "BYTES")
    asked.set_data_from_numpy(data)
    wanted = [library.InferRequestedOutput("embedding")]
    client = library.InferenceServerClient(job["url"])
    found = []
    end = time.perf_counter() + job["seconds"]
    while (start := time.perf_counter()) < end:
        answer = client.infer(job["model"], [asked], outputs=wanted)
        assert len(answer.as_numpy("embedding")) == len(contents)
        found.append(time.perf_counter() - start)
    client.close()
    return found


def main() -> None:
    job: dict[str, Any] = json.load(sys.stdin)
    contents = [path.read_bytes() for path in sorted(Path(job["items"]).iterdir())]
    start = time.perf_counter()
    with ThreadPoolExecutor(job["callers"]) as pool:
        each = list(pool.map(lambda _: turns(job, contents), range(job["callers"])))
    latencies = [seconds for found in each for seconds in found]
    used = resource.getrusage(resource.RUSAGE_SELF)
    p50, p90, p99 = np.percentile(np.array(latencies) * 1e3, (50, 90, 99))
    found = {
        "requests": len(latencies),
        "seconds": time.perf_counter() - start,
        "p50": p50,
        "p90": p90,
        "p99": p99,
    }
    print(json.dumps({**found, "cpu_seconds": used.ru_utime + used.ru_stime}))


if __name__ == "__main__":
    main()
