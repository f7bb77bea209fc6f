"""Arrays of torch, CuPy and PyCUDA on a real GPU go in, and vectors go out. Written, not run yet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt import hardware

pytestmark = pytest.mark.skipif(
    not hardware.nvidia_driver().gpus,
    reason="needs an NVIDIA GPU; test_device_items.py simulates one",
)
DIM = 96


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
        return pytest.importorskip("torch").from_numpy(array).cuda(non_blocking=True) * 2
    if library == "cupy":
        return pytest.importorskip("cupy").asarray(array) * 2
    pytest.importorskip("pycuda.autoprimaryctx")
    return pytest.importorskip("pycuda.gpuarray").to_gpu(array) * 2


@pytest.mark.parametrize("library", ["torch", "cupy", "pycuda"])
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
