"""A stand-in with the part of nvImageCodec's Python surface that bindrt uses; Pillow decodes.

It works on the simulated driver's device memory as ``support.device_calls`` says: a picture's memory holds
poison until a stream of the decoder's own has written it, what the caller's stream gets later comes after
that, and the memory is freed at once when its last owner goes: to use it later is a fault of the driver.
Whatever the library must not be given is a ``MisuseError``, which is also kept in ``misused``.
"""

from __future__ import annotations

import ctypes
import enum
import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import PIL.Image

from support.device_calls import after, driver, new_stream, queue_call, read, write

__version__ = "0.9.0"


class MisuseError(AssertionError):
    """What must not be done to the library."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        misused.append(what)


#: What was done to the library that must not be, by whatever thread.
misused: list[str] = []


class Behaviour:
    """What the next calls do.

    Attributes:
        lacks: formats, by Pillow's names, of which the library that decodes them is not there.
        refuses: files that begin so in their comment are refused: None in their place.
        leaves_out: refused files are left out of the list instead, as early releases do.
        fails: decoding raises.
        apart: levels that are added to each pixel.
        shape: pictures say that they have another shape.
        sizes: how many files each call had.
        decoders: that were made.
    """

    def __init__(self) -> None:
        self.lacks: set[str] = set()
        self.refuses = b"refuse"
        self.leaves_out = self.fails = self.shape = False
        self.apart = 0
        self.sizes: list[int] = []
        self.decoders = 0


behaviour = Behaviour()


def require(good: object, what: str) -> None:
    if not good:
        raise MisuseError(what)


class BackendKind(enum.Enum):
    CPU_ONLY, GPU_ONLY, HYBRID_CPU_GPU, HW_GPU_ONLY = range(1, 5)


class ColorSpec(enum.Enum):
    UNCHANGED, SRGB, GRAY, YCC = range(4)


class Backend:
    def __init__(self, backend_kind: BackendKind) -> None:
        require(type(backend_kind) is BackendKind, f"a backend of {backend_kind!r}")
        self.backend_kind = backend_kind


class DecodeParams:
    def __init__(
        self, apply_exif_orientation: bool = True, color_spec: ColorSpec = ColorSpec.SRGB,
        allow_any_depth: bool = False,
    ) -> None:  # fmt: skip
        require(type(apply_exif_orientation) is bool and type(allow_any_depth) is bool, "flags that are not")
        require(color_spec is ColorSpec.SRGB and not allow_any_depth, "pictures that are not 8 bits of RGB")
        require(not apply_exif_orientation, "pictures that are turned")


class CodeStream:
    """A file; the array must stay as it is until it is decoded."""

    def __init__(self, source: Any) -> None:
        require(isinstance(source, np.ndarray), f"a code stream of {type(source).__name__}")
        require(source.dtype == np.uint8 and source.ndim == 1 and source.flags.c_contiguous, "no bytes")
        self.source = source


class Image:
    """``[H, W, 3]`` in device memory, which is freed with it."""

    def __init__(self, pixels: np.ndarray, device: int, stream: int) -> None:
        self.shape = (*pixels.shape[:2], 4) if behaviour.shape else pixels.shape
        self._device = device
        self._stream = stream
        address = ctypes.c_uint64()
        with context(device):
            require_done(driver().cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(pixels.nbytes)))
        self._address = int(address.value)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {"shape": self.shape, "strides": None, "typestr": "|u1", "data": (self._address, False),
                "version": 3, "stream": self._stream}  # fmt: skip

    def __del__(self) -> None:
        with context(self._device):
            driver().cuMemFree_v2(ctypes.c_uint64(self._address))


class Decoder:
    """For one thread at a time."""

    def __init__(
        self, device_id: int = -1, max_num_cpu_threads: int = 0, backends: Sequence[Backend] | None = None,
        options: str = ":fancy_upsampling=0",
    ) -> None:  # fmt: skip
        require(type(device_id) is int and device_id >= 0, f"device {device_id!r}")
        require(type(max_num_cpu_threads) is int, "threads that are no number")
        require(type(backends) is list and all(type(each) is Backend for each in backends), "other backends")
        kinds = [each.backend_kind for each in backends or ()]
        require(kinds and BackendKind.CPU_ONLY not in kinds, "decoding on the CPU")
        require(options == ":fancy_upsampling=1", f"options {options!r}")
        self._device = device_id
        self._busy = threading.Lock()
        with context(device_id):
            self._stream = new_stream()
        behaviour.decoders += 1

    def decode(
        self, srcs: list[CodeStream], *, images: list[Image] | None = None,
        params: DecodeParams | None = None, cuda_stream: int = 0,
    ) -> list[Image | None]:  # fmt: skip
        require(type(srcs) is list and all(type(each) is CodeStream for each in srcs), "other sources")
        require(images is None, "pictures that are used again")
        require(type(params) is DecodeParams, "no parameters")
        require(type(cuda_stream) is int and cuda_stream != 0, f"stream {cuda_stream!r}")
        require(self._busy.acquire(blocking=False), "two threads in one decoder")
        try:
            with context(self._device):
                status = driver().cuStreamQuery(ctypes.c_void_p(cuda_stream))
                require(status in (0, 600), f"a stream that there is not: {status}")
                if behaviour.fails:
                    raise RuntimeError("nvImageCodec failure: '#8'")
                behaviour.sizes.append(len(srcs))
                found = [self._image(each.source.tobytes(), cuda_stream) for each in srcs]
                require(after(cuda_stream, self._stream), "a stream that does not wait")
            return [each for each in found if each is not None] if behaviour.leaves_out else found
        finally:
            self._busy.release()

    def _image(self, file: bytes, stream: int) -> Image | None:
        try:
            with PIL.Image.open(io.BytesIO(file)) as picture:
                about = picture.info.get("comment", picture.info.get("xmp", b""))
                if picture.format in behaviour.lacks or bytes(about).startswith(behaviour.refuses):
                    return None
                require_ordinary(picture)
                pixels = np.asarray(picture.convert("RGB"))
        except OSError:
            return None
        shown = np.clip(pixels.astype(np.int16) + behaviour.apart, 0, 255).astype(np.uint8)
        image = Image(shown, self._device, stream)
        address = image._address  # the queued call keeps no picture

        def decoded() -> None:
            write(address, shown)
            written = read(address, shown.shape, np.uint8)
            require(written is not None, "a picture's memory is gone before it is written")

        require(queue_call(self._stream, decoded), "work that is refused")
        return image


def require_ordinary(picture: PIL.Image.Image) -> None:
    """Files of other kinds the library refuses, or has other pixels than Pillow."""
    require(picture.format in ("JPEG", "JPEG2000", "TIFF"), f"a {picture.format}")
    require(picture.mode == "RGB" and getattr(picture, "n_frames", 1) == 1, f"{picture.mode}, or more pages")
    if picture.format == "TIFF":
        tags = picture.tag_v2  # type: ignore[attr-defined]
        require(tags.get(_ORIENTATION, 1) == 1, "a TIFF that is to be turned")
        require(picture.info["compression"] in ("tiff_lzw", "tiff_adobe_deflate", "tiff_deflate"), "packing")


_ORIENTATION = 274


@contextmanager
def context(device: int) -> Iterator[None]:
    """The device's primary context, as CUDA's runtime takes it."""
    made = ctypes.c_void_p()
    require_done(driver().cuDevicePrimaryCtxRetain(ctypes.byref(made), device))
    require_done(driver().cuCtxPushCurrent_v2(made))
    try:
        yield
    finally:
        driver().cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))
        driver().cuDevicePrimaryCtxRelease_v2(device)


def require_done(result: int) -> None:
    if result:
        raise RuntimeError(f"error {result} of the driver")
