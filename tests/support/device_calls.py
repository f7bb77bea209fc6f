"""What stand-ins for NVIDIA's libraries do on the simulated device: functions of the host, on a stream.

They work on the simulated driver's device memory (tests/cudasim, BINDRT_LIBCUDA), at the addresses they are
given and when the stream has reached the call, so that a missing copy, a wrong address or a missing wait
gives poison instead of a result. Nothing here says anything about speed.
"""

from __future__ import annotations

import ctypes
import os
import traceback
from collections.abc import Callable

import numpy as np
import numpy.typing as npt


def driver() -> ctypes.CDLL:
    return ctypes.CDLL(os.environ["BINDRT_LIBCUDA"])


def recording(stream: int) -> bool:
    """Whether a graph of the stream's work is being recorded."""
    status = ctypes.c_int()
    assert driver().cuStreamIsCapturing(ctypes.c_void_p(stream), ctypes.byref(status)) == 0
    return bool(status.value)


def wait(stream: int) -> bool:
    """Wait for a stream's work; false where that is an error."""
    return bool(driver().cuStreamSynchronize(ctypes.c_void_p(stream)) == 0)


def queue_call(stream: int, call: Callable[[], None]) -> bool:
    """Queue a function on a stream; a graph may run it again and again. False where that is refused."""
    calls.append(call)
    number = ctypes.c_void_p(len(calls))
    return bool(driver().cuLaunchHostFunc(ctypes.c_void_p(stream), run_call, number) == 0)


def new_stream() -> int:
    """A stream of the calling thread's context, beside those that it is given."""
    made = ctypes.c_void_p()
    assert driver().cuStreamCreate(ctypes.byref(made), 1) == 0
    return int(made.value or 0)


def after(stream: int, other: int) -> bool:
    """What a stream gets from now on comes after what another has got; false where that is refused."""
    event = ctypes.c_void_p()
    library = driver()
    asked = (
        lambda: library.cuEventCreate(ctypes.byref(event), 2),
        lambda: library.cuEventRecord(event, ctypes.c_void_p(other)),
        lambda: library.cuStreamWaitEvent(ctypes.c_void_p(stream), event, 0),
        lambda: library.cuEventDestroy_v2(event),
    )
    return all(call() == 0 for call in asked)


def read(address: int, shape: tuple[int, ...], kind: type[np.generic]) -> npt.NDArray[np.generic] | None:
    """An array from device memory; None if it is not there."""
    found = np.empty(shape, kind)
    pointer, size = found.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(found.nbytes)
    return found if driver().bindrt_cudasim_read(pointer, ctypes.c_uint64(address), size) == 0 else None


def write(address: int, values: npt.NDArray[np.generic]) -> None:
    """Write an array to device memory."""
    whole = np.ascontiguousarray(values)
    pointer, size = whole.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(whole.nbytes)
    driver().bindrt_cudasim_write(ctypes.c_uint64(address), pointer, size)


#: What was queued, for good: a graph may run it again.
calls: list[Callable[[], None]] = []


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def run_call(number: int) -> None:
    try:
        calls[number - 1]()
    except BaseException:  # what a GPU would not survive either: for example a token that there is not
        traceback.print_exc()
        os._exit(70)
