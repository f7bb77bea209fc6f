"""Bounds: decoding alone, moving the bytes alone, the Fourier transforms alone."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import PIL.Image
import soundfile

from bench.kernels.alternative import Call, alternative
from bench.kernels.libraries import constants as c

PACKAGES = ("numpy", "pillow", "av", "soundfile", "onnxruntime")
PICTURE = 4 * 3 * c.SIDE**2  # bytes of an image's tensor


def limit(op: str, name: str) -> Any:
    return alternative(op, name, "limit")


def decoded(path: str, threads: int) -> Call:
    def run() -> None:
        with open(path, "rb") as file:
            PIL.Image.open(file).load()

    return run


for _op in ("image-file", "depth-file", "thermal-file", "thermal16-file"):
    limit(_op, "decoding (Pillow)")(decoded)


@limit("audio-file", "decoding (libsndfile)")
def sound(path: str, threads: int) -> Call:
    def run() -> None:
        soundfile.read(path, dtype="int16", always_2d=True)  # as the files hold them

    return run


@limit("video-file", "decoding all frames (FFmpeg)")
def video(path: str, threads: int) -> Call:
    def run() -> None:
        with av.open(path) as media:
            media.streams.video[0].thread_type = "AUTO"
            for _ in media.decode(video=0):
                pass

    return run


@limit("imu-file", "reading (NumPy)")
def numpy_file(path: str, threads: int) -> Call:
    def run() -> None:
        with np.load(path) as fields:
            for name in fields.files:
                fields[name]

    return run


def copy_of(size: int) -> Call:
    """A copy of ``size`` bytes, which moves each of them twice."""
    source, target = np.zeros(size, np.uint8), np.empty(size, np.uint8)
    return lambda: np.copyto(target, source)


def copying(op: str, written: int) -> None:
    """A copy that moves as many bytes as the op must at least read and write."""

    @limit(op, "moving the bytes")
    def make(threads: int, **inputs: str) -> Call:
        (path,) = inputs.values()
        loaded = np.load(path)
        arrays = [loaded] if isinstance(loaded, np.ndarray) else [loaded[name] for name in loaded.files]
        return copy_of((sum(array.nbytes for array in arrays) + written) // 2)


copying("image", PICTURE)
copying("video-frame", 3 * PICTURE)
copying("depth", PICTURE // 3)
copying("thermal", PICTURE // 3)
copying("thermal16", PICTURE // 3)
copying("imu", 4 * 6 * 2000)
copying("pool", 4 * 1024)
copying("resample", 4 * 80000)


@limit("bandwidth", "copying 64 MB")
def bandwidth(threads: int) -> Call:
    return copy_of(64_000_000)


@limit("arithmetic", "matrix product")
def arithmetic(threads: int) -> Call:
    from bench import gemm

    product = gemm.session(threads)
    a = np.full((gemm.SIDE, gemm.SIDE), 0.5, np.float32)

    def run() -> None:
        product.run(None, {"a": a})

    return run
