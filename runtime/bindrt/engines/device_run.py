"""Arrays of the host through an engine that works in a GPU's memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bindrt import _core
from bindrt.errors import EngineError

#: Queues the computing: shape of the input, addresses of input and output, a stream.
Compute = Callable[[tuple[int, ...], int, int, int], None]


def run_bytes(rows: int, row_bytes: int, dim: int) -> int:
    """Bytes of the device's memory that ``run_on_device`` takes for so many rows and vectors."""
    return queue_bytes(_padded(rows * row_bytes) + rows * dim * 4)


def queue_bytes(taken: int) -> int:
    """Bytes that a ``_core.gpu.Queue`` allocates of which so many are taken at once, and none before."""
    return max(_padded(taken), _core.gpu.memory_limits()["block"]) if taken else 0


def _padded(count: int) -> int:
    return -(-count // 256) * 256  # as a queue aligns what it gives


def run_on_device(
    queue: _core.gpu.Queue,
    compute: Compute,
    inputs: npt.NDArray[np.generic],
    out: npt.NDArray[np.float32],
    what: str,
) -> None:
    """Copy ``inputs`` to the device, compute, and copy the result to ``out``; returns when it is there.

    Args:
        queue: its stream and memory are used; nobody else may, meanwhile.
        what: names the batch in errors.

    Raises:
        EngineError: what ``compute`` raises, or the GPU failed.
    """
    contiguous = np.ascontiguousarray(inputs)
    result = out if out.flags.c_contiguous else np.empty_like(out, order="C")
    with queue:
        try:
            queue.rewind()
            source = queue.take(_padded(contiguous.nbytes) + out.nbytes)  # at once: two may be in two blocks
            target = source + _padded(contiguous.nbytes)
            queue.upload(source, contiguous)
            compute(contiguous.shape, source, target, queue.stream)
            queue.download(result, target)
        except (_core.gpu.DriverError, MemoryError) as error:
            raise EngineError(what, f"the GPU failed ({error})") from None
    if result is not out:
        out[...] = result
