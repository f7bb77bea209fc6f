"""Usual ways from JPEG bytes to vectors: torchvision or Pillow decodes, torch resizes, the module runs."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from time import perf_counter
from typing import Any

import numpy as np
import PIL.Image
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from bench.torch_engine.engine import TorchEngine
from bench.torch_engine.measure import finish
from bindrt import _core
from bindrt.cores import usable_threads

_NUMBERS: Any = _core.constants()["image"]
SIDE: int = _NUMBERS["side"]


def decoder(device: torch.device) -> Callable[[Sequence[bytes]], list[Tensor]]:
    """From the bytes of JPEG files to pixels ``[3, H, W]`` on the device.

    Raises:
        ImportError: torchvision is not installed.
    """
    from torchvision.io import decode_jpeg

    def decode(files: Sequence[bytes]) -> list[Tensor]:
        given = [torch.from_numpy(np.frombuffer(file, np.uint8).copy()) for file in files]
        found: Any = decode_jpeg(given, mode="RGB", device=str(device))
        return list(found)

    return decode


def prepared(pixels: Tensor) -> Tensor:
    """``[3, 224, 224]`` float32: the short side resized, the centre cut out, normalised."""
    height, width = pixels.shape[-2:]
    short = min(height, width)
    size = [max(SIDE, SIDE * height // short), max(SIDE, SIDE * width // short)]
    resized = interpolate(pixels[None].float(), size, mode="bicubic", antialias=True).clamp(0, 255)[0]
    top, left = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
    mean, std = (torch.tensor(_NUMBERS[n], device=pixels.device)[:, None, None] for n in ("mean", "std"))
    return (resized[:, top : top + SIDE, left : left + SIDE] / 255 - mean) / std


def vectors(
    engine: TorchEngine, decode: Callable[[Sequence[bytes]], list[Tensor]], files: Sequence[bytes]
) -> Tensor:
    """Unit vectors of a batch of files, on the device."""
    return computed(engine, torch.stack([prepared(pixels) for pixels in decode(files)]))


def computed(engine: TorchEngine, rows: Tensor) -> Tensor:
    """Unit vectors of rows ``[N, 3, 224, 224]`` on the device."""
    found = engine.forward(rows[:, :, None].expand(-1, -1, 2, -1, -1))  # a still image is one frame twice
    return torch.nn.functional.normalize(found, dim=-1)


def rates(engine: TorchEngine, files: Sequence[bytes], seconds: float) -> dict[str, float]:
    """Files a second of each way.

    Raises:
        ImportError: torchvision is not installed.
    """
    return {
        "torchvision": rate(engine, files, seconds),
        "torchvision ahead": rate_ahead(engine, files, seconds),
        "Pillow in threads": rate_of_threads(engine, files, seconds),
    }


def rate(engine: TorchEngine, files: Sequence[bytes], seconds: float) -> float:
    """torchvision's decoding on the device, a full batch after the other."""
    decode = decoder(engine.torch_device)
    batch = full(engine, files)
    return _timed(engine, lambda: vectors(engine, decode, batch), seconds)


def rate_ahead(engine: TorchEngine, files: Sequence[bytes], seconds: float) -> float:
    """The same, but a thread decodes and resizes the next two batches on a stream of its own meanwhile."""
    decode = decoder(engine.torch_device)
    batch = full(engine, files)
    stream = torch.cuda.Stream(engine.torch_device) if engine.torch_device.type == "cuda" else None

    def rows() -> tuple[Tensor, Any]:
        with torch.inference_mode(), torch.cuda.stream(stream):
            made = torch.stack([prepared(pixels) for pixels in decode(batch)])
            return made, None if stream is None else stream.record_event()

    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(rows) for _ in range(2))

        def call() -> Tensor:
            made, ready = waiting.popleft().result()
            waiting.append(pool.submit(rows))
            if ready is not None:
                here = torch.cuda.current_stream(engine.torch_device)
                here.wait_event(ready)
                made.record_stream(here)
            return computed(engine, made)

        return _timed(engine, call, seconds)


def rate_of_threads(engine: TorchEngine, files: Sequence[bytes], seconds: float) -> float:
    """Pillow decodes and torch resizes on the CPU, a file a thread, two batches ahead."""
    batch = full(engine, files)

    def row(file: bytes) -> Tensor:
        with PIL.Image.open(io.BytesIO(file)) as picture, torch.inference_mode():
            return prepared(torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1))

    with _one_thread_a_call(), ThreadPoolExecutor(usable_threads()) as pool:

        def begin() -> list[Future[Tensor]]:
            return [pool.submit(row, file) for file in batch]

        waiting = deque(begin() for _ in range(2))

        def call() -> Tensor:
            rows = torch.stack([each.result() for each in waiting.popleft()])
            waiting.append(begin())
            return computed(engine, rows.to(engine.torch_device))

        return _timed(engine, call, seconds)


@contextmanager
def _one_thread_a_call() -> Iterator[None]:
    """Threads that call torch at once are not to start as many each."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def full(engine: TorchEngine, files: Sequence[bytes]) -> list[bytes]:
    """A full batch of files."""
    return list(islice(cycle(files), engine.max_batch))


def _timed(engine: TorchEngine, call: Callable[[], Tensor], seconds: float) -> float:
    """Files a second of calls that give the vectors of a full batch each."""
    calls = 0
    with torch.inference_mode(), engine.on_own_stream():
        call()
        finish(engine.torch_device)
        begin = perf_counter()
        while not calls or perf_counter() - begin < seconds:
            call().cpu()
            calls += 1
    return calls * engine.max_batch / (perf_counter() - begin)
