"""Arrays on a device, as other libraries have them: written late, on a stream of their own."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from bindrt import _core

_CODES = {"i": 0, "u": 1, "f": 2}


def driver() -> ctypes.CDLL:
    """The driver's library, for calls that bindrt does not make."""
    return ctypes.CDLL(_core.gpu.driver()["path"])


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16), ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
    )  # fmt: skip


class _Managed(ctypes.Structure):
    _fields_ = (("tensor", _Tensor), ("owner", ctypes.c_void_p), ("deleter", ctypes.c_void_p))


class _Versioned(ctypes.Structure):
    _fields_ = (
        ("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("owner", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p), ("flags", ctypes.c_uint64), ("tensor", _Tensor),
    )  # fmt: skip


class Memory:
    """An array's numbers in device memory of its own. They are there once its stream has copied them."""

    def __init__(self, array: np.ndarray, device: int = 0) -> None:
        self.array = np.ascontiguousarray(array)
        self.device = device
        self.queue = _core.gpu.Queue(device)
        self.address = self.queue.take(self.array.nbytes)
        self.queue.upload(self.address, self.array)

    @property
    def stream(self) -> int:
        return self.queue.stream

    def let_wait(self, stream: int) -> None:
        """What a stream gets from now on comes after the copy."""
        event, calls = ctypes.c_void_p(), driver()
        with self.queue:
            assert calls.cuEventCreate(ctypes.byref(event), 2) == 0
            assert calls.cuEventRecord(event, ctypes.c_void_p(self.stream)) == 0
            assert calls.cuStreamWaitEvent(ctypes.c_void_p(stream), event, 0) == 0
            assert calls.cuEventDestroy_v2(event) == 0


class Interface(Memory):
    """As PyCUDA and Numba have it: ``__cuda_array_interface__``. ``changes`` are entries that differ."""

    def __init__(self, array: np.ndarray, device: int = 0, **changes: Any) -> None:
        super().__init__(array, device)
        self.changes = changes

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        about = {
            "shape": self.array.shape, "typestr": self.array.dtype.str, "data": (self.address, True),
            "strides": None, "stream": self.stream, "version": 3,
        }  # fmt: skip
        return {**about, **self.changes}


class Dlpack(Memory):
    """As torch and CuPy have it: ``__dlpack__``, which makes the reader's stream wait.

    Args:
        version: of DLPack, major and minor, with its flags; None: without ``max_version``, as before 1.0.
        changes: fields of the tensor that differ.
    """

    def __init__(
        self, array: np.ndarray, device: int = 0, version: tuple[int, int, int] | None = None, **changes: Any
    ) -> None:
        super().__init__(array, device)
        self.version = version
        self.changes = changes
        self.streams: list[int] = []  # that were made to wait

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, self.device

    def __dlpack__(self, *, stream: int, **options: Any) -> Any:
        if options and self.version is None:
            raise TypeError("no such keyword")
        self.streams.append(stream)
        self.let_wait(stream)
        shape = (ctypes.c_int64 * self.array.ndim)(*self.array.shape)
        strides = self.changes.get("strides")
        held_strides = None if strides is None else (ctypes.c_int64 * len(strides))(*strides)
        dtype = self.array.dtype
        offset = self.changes.get("byte_offset", 0)
        tensor = _Tensor(
            self.address - offset, 2, self.device, self.array.ndim,
            self.changes.get("code", _CODES[dtype.kind]), self.changes.get("bits", 8 * dtype.itemsize),
            self.changes.get("lanes", 1), ctypes.addressof(shape),
            None if held_strides is None else ctypes.addressof(held_strides), offset,
        )  # fmt: skip
        managed: Any = _Managed(tensor, None, None)
        name = _NAMES[0]
        if self.version is not None:
            major, minor, flags = self.version
            managed, name = _Versioned(major, minor, None, None, flags, tensor), _NAMES[1]
        _held[ctypes.addressof(managed)] = (managed, shape, held_strides, self)
        make = ctypes.pythonapi.PyCapsule_New
        make.restype, make.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
        return make(ctypes.addressof(managed), name, ctypes.cast(_let_go, ctypes.c_void_p))


_NAMES = (b"dltensor", b"dltensor_versioned")
_held: dict[int, Any] = {}  #: what capsules point to, by address, with its owner


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def _let_go(capsule: int) -> None:
    """The end of a capsule that nobody has taken."""
    called, pointer = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    called.restype, called.argtypes = ctypes.c_char_p, (ctypes.c_void_p,)
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_char_p)
    del _held[pointer(capsule, called(capsule))]


def download(source: Any) -> np.ndarray:
    """What an array with ``__cuda_array_interface__`` holds, float32, read on a stream of our own."""
    about = source.__cuda_array_interface__
    found = np.empty(about["shape"], np.float32)
    if found.size:
        _core.gpu.Queue(0).download(found, about["data"][0])
    return found
