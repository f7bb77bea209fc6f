"""Copies between host and device: page-locked memory, ordinary memory, and as the pipeline's queue copies.

Over the simulated driver the bytes are compared, and nothing is measured.
"""

from __future__ import annotations

import argparse
import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bench.gpu.calls import DriverCalls, pointer, size
from bench.gpu.here import announce_gpu
from bench.paths import RESULTS, SIMULATED, slug
from bindrt import _core
from bindrt.benchmark.results import write_json

#: Bytes of a copy: a picture of 640×480, a batch of 32 pictures as float32, and more than that.
SIZES = (921_600, 32 * 3 * 224 * 224 * 4, 256 << 20)
#: Bytes that a measurement moves at least.
LEAST = 2 << 30


@contextmanager
def page_locked(driver: DriverCalls, count: int) -> Iterator[np.ndarray]:
    address = ctypes.c_void_p()
    driver("cuMemHostAlloc", ctypes.byref(address), size(count), ctypes.c_uint(0))
    try:
        assert address.value
        yield np.frombuffer((ctypes.c_ubyte * count).from_address(address.value), np.uint8)
    finally:
        driver("cuMemFreeHost", address)


def measure(sizes: Sequence[int], measured: bool) -> Iterator[dict[str, Any]]:
    """A result for each size, memory and direction; ``bytes_per_second`` only where it is ``measured``."""
    driver = DriverCalls()
    for count in sizes:
        for kind in ("page-locked", "ordinary", "bindrt's queue"):
            with _core.gpu.Queue() as queue, page_locked(driver, count) as locked:
                host = locked if kind == "page-locked" else np.empty(count, np.uint8)
                host[:] = np.arange(count, dtype=np.uint8)
                device = queue.take(count)
                ways = ways_of(driver, queue, device, host, kind)
                for direction, copy in ways.items():
                    found: dict[str, Any] = {"memory": kind, "direction": direction, "bytes": count}
                    if measured:
                        found["bytes_per_second"] = rate(copy, queue, count)
                    else:
                        copy()
                        queue.wait()
                    yield found
                back = np.empty(count, np.uint8)
                queue.download(back, device)
                if not np.array_equal(back, np.arange(count, dtype=np.uint8)):
                    raise RuntimeError(f"{kind}: the device has other bytes than were copied")


def ways_of(
    driver: DriverCalls, queue: _core.gpu.Queue, device: int, host: np.ndarray, kind: str
) -> dict[str, Callable[[], None]]:
    """By direction, what queues a copy on the queue's stream."""
    stream, there, here = pointer(queue.stream), ctypes.c_uint64(device), pointer(host.ctypes.data)
    if kind == "bindrt's queue":
        return {"to the device": lambda: queue.upload(device, host)}
    return {
        "to the device": lambda: driver("cuMemcpyHtoDAsync_v2", there, here, size(host.nbytes), stream),
        "from the device": lambda: driver("cuMemcpyDtoHAsync_v2", here, there, size(host.nbytes), stream),
    }


def rate(copy: Callable[[], None], queue: _core.gpu.Queue, count: int) -> float:
    """Bytes a second of copies that are queued one after the other and waited for at the end."""
    times = max(LEAST // count, 8)
    copy()
    queue.wait()
    begin = perf_counter()
    for _ in range(times):
        copy()
    queue.wait()
    return times * count / (perf_counter() - begin)


def main(arguments: Sequence[str]) -> int:
    """Exit status 0: all was copied; 2: there is no GPU."""
    parser = argparse.ArgumentParser(prog="python -m bench gpu-copies", description=__doc__)
    parser.add_argument(
        "--json", type=Path, metavar="OUT", help="default: bench/results/copies-<device>.json"
    )
    args = parser.parse_args(arguments)
    if (here := announce_gpu()) is None:
        return 2
    name, simulated = here
    results = []
    for found in measure(SIZES[:1] if simulated else SIZES, not simulated):
        results.append(found)
        speed = f"  {found['bytes_per_second'] / 1e9:6.1f} GB/s" if not simulated else "  as it was"
        print(f"{found['memory']:<15} {found['direction']:<16} {found['bytes']:>10} bytes{speed}", flush=True)
    out = args.json or (SIMULATED if simulated else RESULTS) / f"copies-{slug(name)}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, {"device": name, "simulated": simulated, "results": results})
    return 0
