"""What stand-ins for NVIDIA's libraries do on the simulated device: functions of the host, on a stream.

They work on the simulated driver's device memory (tests/cudasim, BINDRT_LIBCUDA), at the addresses they are
given and when the stream has reached the call, so that a missing copy, a wrong address or a missing wait
gives poison instead of a result. Nothing here says anything about speed.
"""

from __future__ import annotations

import ctypes
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

#: CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL and CUDA_ERROR_INVALID_VALUE.
DEVICE, INVALID_VALUE = 9, 1


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


class OwnMemory:
    """Device memory of the calling thread's device, until this object is gone.

    Any thread may let it go, as with CUDA's runtime.
    """

    def __init__(self, size: int) -> None:
        library = driver()
        self.address = ctypes.c_uint64()
        if library.cuMemAlloc_v2(ctypes.byref(self.address), ctypes.c_size_t(size)) != 0:
            raise MemoryError("no device memory")
        self.context = ctypes.c_void_p()
        number = ctypes.c_int()
        assert library.cuPointerGetAttribute(ctypes.byref(number), DEVICE, self.address) == 0
        assert library.cuDevicePrimaryCtxRetain(ctypes.byref(self.context), number) == 0
        self.library, self.number = library, number

    def __del__(self) -> None:
        if self.address.value:
            with self.current():
                self.library.cuMemFree_v2(self.address)
            self.library.cuDevicePrimaryCtxRelease_v2(self.number)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Its device is the calling thread's meanwhile."""
        self.library.cuCtxPushCurrent_v2(self.context)
        try:
            yield
        finally:
            self.library.cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))

    def is_beside(self, address: int) -> bool:
        """Whether other memory of the device is still allocated."""
        found = ctypes.c_int()
        with self.current():
            answer = self.library.cuPointerGetAttribute(ctypes.byref(found), DEVICE, ctypes.c_uint64(address))
        return bool(answer != INVALID_VALUE)  # a lost device answers something else


#: What was queued, for good: a graph may run it again.
calls: list[Callable[[], None]] = []


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def run_call(number: int) -> None:
    try:
        calls[number - 1]()
    except BaseException:  # what a GPU would not survive either: for example a token that there is not
        traceback.print_exc()
        os._exit(70)
