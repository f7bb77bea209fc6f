"""Arrays of torch, CuPy, PyCUDA and Numba on a real GPU go in, and vectors go out. Written, not run yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt import hardware
from bindrt.modalities import MODALITIES

pytestmark = pytest.mark.skipif(
    not hardware.nvidia_driver().gpus or hardware.nvidia_driver().simulated,
    reason="needs an NVIDIA GPU; test_device_items.py simulates one",
)
DIM = 96
LIBRARIES = ("torch", "cupy", "pycuda", "numba")


class Raw:
    """Device memory at an address, for torch."""

    def __init__(self, address: int, shape: tuple[int, ...]) -> None:
        self.__cuda_array_interface__ = {
            "shape": shape, "typestr": "<f4", "data": (address, False), "strides": None, "version": 2,
        }  # fmt: skip


class FirstNumbers:
    """A GPU engine in torch: a vector is the first numbers of its row."""

    name, device, precision, max_batch = "first", "cuda:0", "fp32", 8

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        out[...] = inputs.reshape(len(inputs), -1)[:, :DIM]

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        torch = self._torch
        with torch.cuda.stream(torch.cuda.ExternalStream(stream)):
            rows = torch.as_tensor(Raw(source, shape), device="cuda")
            vectors = torch.as_tensor(Raw(target, (shape[0], DIM)), device="cuda")
            vectors.copy_(rows.reshape(shape[0], -1)[:, :DIM])


def on_device(library: str, array: np.ndarray) -> Any:
    if library == "torch":
        torch = pytest.importorskip("torch")
        there = torch.from_numpy(array).cuda(non_blocking=True)
        # It has no arithmetic of 16 unsigned bits.
        return (there.int() * 2).to(torch.uint16) if array.dtype == np.uint16 else there * 2
    if library == "cupy":
        return pytest.importorskip("cupy").asarray(array) * 2
    if library == "numba":
        cuda = pytest.importorskip("numba.cuda")
        return cuda.to_device(array * 2, stream=cuda.stream())  # whose work is not waited for here
    pytest.importorskip("pycuda.autoprimaryctx")
    return pytest.importorskip("pycuda.gpuarray").to_gpu(array) * 2


@pytest.mark.parametrize("library", LIBRARIES)
def test_arrays_go_in_and_vectors_come_out(library: str) -> None:
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(0)
    arrays = [random.standard_normal((6, 2000)).astype(np.float32) for _ in range(20)]
    want = np.stack([2 * array.reshape(-1)[:DIM] for array in arrays])
    with bindrt.load("tiny", engines={"imu": FirstNumbers(torch)}, modalities=["imu"]) as model:
        items = [bindrt.Prepared(on_device(library, array)) for array in arrays]
        found = model.embed(imu=items, output="device", normalize=False)
        np.testing.assert_array_equal(torch.from_dlpack(found.imu).cpu().numpy(), want)
        assert model.stats()["imu"]["pipeline"]["rows_on_device"] == len(arrays)


def unprepared(modality: str) -> tuple[Any, Callable[[Callable[[np.ndarray], Any]], Any]]:
    """An item of even numbers on the host, as sensors give them; and how it is made of arrays elsewhere."""
    rng = np.random.default_rng(1)
    if modality == "image":
        pixels = 2 * rng.integers(0, 128, (480, 640, 3), np.uint8)
        return pixels, lambda moved: moved(pixels)
    if modality == "video":
        frames = 2 * rng.integers(0, 128, (50, 72, 96, 3), np.uint8)
        return bindrt.Video(frames, fps=25), lambda moved: bindrt.Video([moved(f) for f in frames], fps=25)
    if modality == "depth":
        counts = (2 * rng.integers(1, 4000, (480, 640))).astype(np.uint16)
        return bindrt.Depth(counts, unit="mm"), lambda moved: bindrt.Depth(moved(counts), unit="mm")
    samples = (2 * rng.integers(-4000, 4000, (6, 1000))).astype(np.int16)
    return bindrt.Imu(samples, rate=200), lambda moved: bindrt.Imu(moved(samples), rate=200)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("modality", ["image", "video", "depth", "imu"])
def test_what_sensors_give_is_prepared_there(modality: Any, library: str) -> None:
    """Pixels, a list of frames, counts and whole numbers, whose memory is written by queued work."""
    torch = pytest.importorskip("torch")
    here, there = unprepared(modality)
    views = np.asarray(bindrt.preprocess.prepare(modality, here).array)
    numbers = np.reshape(views, (MODALITIES[modality].views, -1))[:, :DIM]
    encoder = MODALITIES[modality].encoder
    with bindrt.load("tiny", engines={encoder: FirstNumbers(torch)}, modalities=[modality]) as model:
        for _ in range(20):  # memory of the round before is given out again
            item = there(lambda array: on_device(library, array // 2))
            found = model.embed(**{modality: item}, normalize=False)[modality][0]
            np.testing.assert_allclose(found, numbers.mean(axis=0), atol=1e-5)
        # Views of a short video repeat; equal ones are computed once.
        rows = {view.tobytes() for view in np.reshape(views, (len(numbers), -1))}
        assert model.stats()[modality]["pipeline"]["rows_on_device"] == 20 * len(rows)
