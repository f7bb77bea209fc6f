"""Videos decoded on an engine's GPU by FFmpeg's NVDEC; csrc/video/on_device.h does it.

Not run on a GPU yet: the tests run it on the simulated driver with a stand-in for FFmpeg's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bindrt.arrays import item_name
from bindrt.errors import EngineError
from bindrt.pipeline.options import PipelineOptions

#: Pixels of a frame from which a video is decoded on the GPU: see docs/gpu.md.
LEAST_PIXELS = 500_000


def decoding(options: PipelineOptions, modalities: Sequence[str]) -> dict[str, Any]:
    """How the core has videos decoded on the engine's GPU; nothing: the CPU decodes them."""
    if options.prepare == "cpu" or options.decode == "exact" or "video" not in modalities:
        return {}
    is_all = options.decode == "gpu"
    return {"films_from": 0 if is_all else LEAST_PIXELS, "decodes_all": is_all}


def refusal(item: object, video: str) -> EngineError:
    """The error of a video that the GPU has to decode and does not.

    Args:
        video: its codec and size.
    """
    return EngineError(
        f"decoding {item_name(getattr(item, 'src', item))} on the GPU",
        f"NVDEC does not take it there ({video}), or this FFmpeg or driver has none",
        "decode='auto' lets the CPU decode it; bindrt.doctor() says what is missing",
    )
