"""The adversities, each for a process of its own. What one returns is printed; an assertion is a failure."""

from __future__ import annotations

import ctypes
import gc
import os
import warnings
from collections.abc import Callable
from typing import Any

from bench.gpu.adversities.engine import Filling, items, load, outcomes
from bench.gpu.calls import DriverCalls, pointer, size
from bindrt import _core

#: A kernel that writes where no memory is.
WILD = b"""
.version 7.0
.target sm_52
.address_size 64
.visible .entry wild()
{
  .reg .u64 %at;
  .reg .u32 %value;
  mov.u64 %at, 64;
  mov.u32 %value, 1;
  st.global.u32 [%at], %value;
  ret;
}
\0"""


def illegal_address() -> str:
    """A kernel writes to an illegal address: later requests say that the GPU is lost, and `close` returns."""
    engine, driver, calls = Filling(), DriverCalls(), 0

    def before(stream: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            break_device(driver, stream)

    with load(engine, cuda_graphs=False) as model:
        good, said = outcomes(model, 8)
        assert not said, said
        engine.before = before
        later, said = outcomes(model, 200)
        assert said, "nothing failed"
        assert all("lost to this process" in text for text in said), sorted(set(said))
    return f"{good + later} vectors, then {len(said)} errors; closed"


def break_device(driver: DriverCalls, stream: int) -> None:
    if _core.gpu.driver()["simulated"]:  # it has no machine to run other kernels than ours
        far = ctypes.c_uint64(1 << 62)
        driver("cuMemsetD8Async", far, ctypes.c_ubyte(0), size(64), pointer(stream))
        return
    module, kernel = ctypes.c_void_p(), ctypes.c_void_p()
    driver("cuModuleLoadData", ctypes.byref(module), WILD)
    driver("cuModuleGetFunction", ctypes.byref(kernel), module, b"wild")
    one = [ctypes.c_uint(1)] * 6
    driver("cuLaunchKernel", kernel, *one, ctypes.c_uint(0), pointer(stream), None, None)


def out_of_memory() -> str:
    """Another library holds all memory: requests fail for memory or succeed; when it is free they succeed."""
    engine = Filling()
    with load(engine) as model:
        with Hoard() as hoard:
            good, said = outcomes(model, 40)
            assert good + len(said) == 40
            assert all("memory" in text.lower() for text in said), sorted(set(said))
            about = f"{hoard.held >> 20} MiB held by {hoard.owner}: {good} vectors, {len(said)} errors"
        good, said = outcomes(model, 40)
        assert good == 40, sorted(set(said))
    return f"{about}; then 40 vectors"


class Hoard:
    """All of the device's memory, while inside: by torch where it has the GPU, else by the driver."""

    def __init__(self) -> None:
        self.owner, self.held = "the driver", 0
        self._take: Callable[[int], Any] = self._by_driver
        self._kept: list[Any] = []
        if not _core.gpu.driver()["simulated"]:
            self._use_torch()

    def _use_torch(self) -> None:
        try:
            import torch
        except ImportError:
            return
        if torch.cuda.is_available():
            self.owner = "torch"
            self._take = lambda count: torch.empty(count, dtype=torch.uint8, device="cuda:0")

    def _by_driver(self, count: int) -> Any:
        address = ctypes.c_uint64()
        DriverCalls()("cuMemAlloc_v2", ctypes.byref(address), size(count))
        return address

    def __enter__(self) -> Hoard:
        self._queue = _core.gpu.Queue()
        with self._queue:
            count = 1 << 30
            while count >= 1 << 20:
                try:
                    self._kept.append(self._take(count))
                    self.held += count
                except RuntimeError:  # torch's OutOfMemoryError is one
                    count //= 2
        return self

    def __exit__(self, *_: object) -> None:
        with self._queue:
            if self.owner == "torch":
                import torch

                self._kept.clear()
                torch.cuda.empty_cache()
            for address in self._kept:
                DriverCalls()("cuMemFree_v2", address)


def fork() -> str:
    """A child forked after the GPU was used is told so and ends; its parent goes on."""
    engine = Filling()
    with load(engine) as model:
        assert outcomes(model, 8)[0] == 8
        read, write = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there are threads is what is tried
            child = os.fork()
        if child == 0:
            os.write(write, in_child().encode()[:2000])
            os._exit(0)
        os.close(write)
        said = os.read(read, 2000).decode()
        os.waitpid(child, 0)
        assert "spawn" in said, said
        assert outcomes(model, 8)[0] == 8
    return "the child was told; the parent went on"


def in_child() -> str:
    try:
        _core.gpu.Queue()
    except Exception as error:
        return str(error)
    return "the child got a queue"


def exit_in_flight() -> str:
    """The process ends while requests are in work: what matters is how it ends."""
    model = load(Filling())
    for item in items(500):
        model.submit("imu", item)
    return "left with 500 requests in work"


def collection() -> str:
    """Python collects garbage that holds the GPU's memory while a graph is recorded."""
    engine, driver = Filling(), DriverCalls()
    recordings = 0

    def before(stream: int) -> None:
        nonlocal recordings
        status = ctypes.c_int()
        driver("cuStreamIsCapturing", pointer(stream), ctypes.byref(status))
        if not status.value:
            Garbage()
            return
        recordings += 1
        gc.set_threshold(1)
        kept_alive = [[] for _ in range(1000)]  # the collector would run now
        gc.set_threshold(100_000)
        assert kept_alive

    gc.set_threshold(100_000)
    engine.before = before
    with load(engine) as model:
        for _ in range(8):
            good, said = outcomes(model, 1)
            assert good == 1, said
        counts = model.stats()["imu"]["pipeline"]["graphs"]
    assert recordings, "nothing was recorded"
    assert counts["recorded"], counts
    assert not counts["refused"], counts
    return f"{counts['recorded']} graphs recorded, {counts['launched']} launched"


class Garbage:
    """A circle that holds memory of the GPU."""

    def __init__(self) -> None:
        self.me, self.queue = self, _core.gpu.Queue()
        self.queue.take(64)


CASES: dict[str, Callable[[], str]] = {
    "illegal-address": illegal_address,
    "out-of-memory": out_of_memory,
    "fork": fork,
    "exit-in-flight": exit_in_flight,
    "collection": collection,
}
