"""Videos decoded on an engine's GPU by FFmpeg's NVDEC; csrc/video/on_device.h does it.

Not run on a GPU yet: the tests run it on the simulated driver with a stand-in for FFmpeg's part.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

from bindrt import _core, hardware
from bindrt.arrays import item_name
from bindrt.errors import EngineError
from bindrt.pipeline.options import PipelineOptions

LOG = logging.getLogger(__name__)

#: Pixels of a frame from which a video is decoded on the GPU: see docs/gpu.md.
LEAST_PIXELS = 500_000


def decoding(options: PipelineOptions, modalities: Sequence[str], device: str) -> dict[str, Any]:
    """How the core has videos decoded on the engine's GPU; nothing: the CPU decodes them."""
    if not _is_wanted(options, modalities):
        return {}
    if options.decode == "gpu":
        return {"films_from": 0, "decodes_all": True}
    return {"films_from": LEAST_PIXELS, "refused": Fallbacks(device)}


def planned_bytes(options: PipelineOptions, modalities: Sequence[str]) -> int:
    """Bytes of a GPU's memory that videos may take there: frames, and the rows that are made of them.

    0 if the options forbid it, or the driver does not decode videos here.
    """
    wanted = _is_wanted(options, modalities) and hardware.has_nvdec()
    return _core.gpu.memory_limits()["films"] if wanted else 0


def _is_wanted(options: PipelineOptions, modalities: Sequence[str]) -> bool:
    return options.prepare != "cpu" and options.decode != "exact" and "video" in modalities


class Fallbacks:
    """Writes to the log why the CPU decodes a video that the GPU was to decode: each reason once."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._lock = threading.Lock()
        self._said: set[str] = set()

    def __call__(self, video: str, why: str) -> None:
        """For a video that the CPU has decoded, by its codec and size."""
        with self._lock:
            if why in self._said:
                return
            self._said.add(why)
        LOG.warning("videos on %s: %s is decoded on the CPU: %s", self._device, video, why)


def refusal(item: object, video: str) -> EngineError:
    """The error of a video that the GPU has to decode and does not.

    Args:
        video: its codec and size, and why.
    """
    return EngineError(
        f"decoding {item_name(getattr(item, 'src', item))} on the GPU",
        f"NVDEC does not take it there ({video})",
        "decode='auto' lets the CPU decode it",
    )
