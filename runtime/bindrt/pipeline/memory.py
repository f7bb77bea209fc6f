"""The memory that an encoder takes besides its weights, on the host and on a GPU, before it takes it.

Each part is the most that it may come to be. What bounds the parts on a GPU is given to the core
(``scratch_bytes``, ``whole_bytes``) or stands there (``_core.gpu.memory_limits()``). Not counted are what
CUDA, the driver and CUDA graphs take for themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bindrt import _core
from bindrt.bundle.manifest import EncoderInfo
from bindrt.engines import Engine, EnginePlace
from bindrt.modalities import MODALITIES
from bindrt.pipeline import gpu_pictures, gpu_videos
from bindrt.pipeline.gpu_engine import input_type, runs_on_device
from bindrt.pipeline.lanes import lane_options, text_lengths
from bindrt.pipeline.options import PipelineOptions

#: Bytes that are sent for a row at most, where that is less than ``item_room``. Pictures are sent as their
#: square where they would be more than their input. Three clips of a sound are 4 MiB together; one has more
#: only with more than 196 000 samples a second.
SENT = {"image": 3 * 2 * 224 * 224 * 4, "audio": 3 << 19}
#: Bytes on a GPU between the kernels for one row, and of what tells them about it. A map has as many rows of
#: 224 floats as it has itself, and a square of 4 MiB has 2048; a picture has 634 rows of 672 bytes; three
#: clips have twice 6 s that are resampled.
BETWEEN = {
    "image": 1 << 19,
    "video": 1 << 16,
    "audio": 1 << 18,
    "depth": 2 << 20,
    "thermal": 2 << 20,
    "imu": 1 << 12,
}

#: Parts, as errors name them.
PICTURES, VIDEOS, PREPARING = "decoding pictures there", "decoding videos there", "preparing there"


def place_of(engine: Engine, encoder: EncoderInfo) -> EnginePlace:
    """Where an engine is that is open."""
    if not runs_on_device(engine):
        return EnginePlace(False, engine.max_batch)
    taken = int(getattr(engine, "device_bytes", 0))
    return EnginePlace(True, engine.max_batch, input_type(engine, encoder), taken)


@dataclass(frozen=True)
class Held:
    """Bytes by what they are for, on the host and on the GPU."""

    host: dict[str, int] = field(default_factory=dict)
    device: dict[str, int] = field(default_factory=dict)


def held(
    encoder: EncoderInfo,
    modalities: Sequence[str],
    embed_dim: int,
    place: EnginePlace,
    options: PipelineOptions,
    pictures: int | None = None,
) -> Held:
    """What an encoder's pipeline and engine may come to hold.

    Args:
        pictures: bytes of a GPU's memory for decoding them; None: not known before the pipeline is made.
    """
    rows = most_rows(place, options)
    slots = 0
    for modality in modalities:
        lane = lane_options(modality, encoder, rows, embed_dim, options, place.on_device)
        held_rows = max(rows, MODALITIES[modality].views) * options.batches(place.on_device)
        part = int(np.prod(lane["view"][:-1])) * lane["dtype"].itemsize
        for length in lane["lengths"] or [lane["view"][-1]]:
            slots += held_rows * (part * length + 2 * embed_dim * 4)
    if not place.on_device:
        return Held({"batches": slots})
    prepares = options.prepare != "cpu" and any(MODALITIES[m].ordinary for m in modalities)
    if pictures is None:
        will = prepares and "image" in modalities
        pictures = gpu_pictures.planned_bytes(options.decode) if will else 0
    films = gpu_videos.planned_bytes(options, modalities)
    limits = _core.gpu.memory_limits()
    pooled = (options.gpu_buffers + 1) * rows * (limits["pooled"] + 4 * embed_dim)
    staged = limits["staged"] if prepares else 0
    staged += (limits["pictures_staged"] if pictures else 0) + (limits["films_staged"] if films else 0)
    row = row_bytes(encoder, place)
    whole = whole_bytes(encoder, modalities, embed_dim, place, options)
    is_long = whole > 0 and all(MODALITIES[m].views <= rows for m in modalities)
    return Held(
        {
            "batches": slots + (2 * rows * int(np.prod(encoder.view)) * 4 if is_long else 0),
            "page-locked memory": (limits["room"] if prepares else 0) + staged,
            "pooling": pooled + limits["whole_here"],
        },
        {
            "its engine": place.bytes,
            "batches there": _core.gpu.batch_device_bytes(rows, row, embed_dim, options.gpu_buffers),
            "items of many views": whole,
            PREPARING: scratch_bytes(encoder, modalities, place, options)
            + (limits["tables"] if prepares else 0),
            PICTURES: pictures,
            VIDEOS: films,
        },
    )


def most_rows(place: Engine | EnginePlace, options: PipelineOptions) -> int:
    """The most rows one engine call may take."""
    return min(place.max_batch, options.max_batch or place.max_batch)


def row_bytes(encoder: EncoderInfo, place: EnginePlace) -> int:
    """Bytes of a row as the engine reads it."""
    row = int(np.prod(encoder.view)) * np.dtype(encoder.dtype).itemsize
    return row // 2 if place.reads == "float16" else row


def scratch_bytes(
    encoder: EncoderInfo, modalities: Sequence[str], place: EnginePlace, options: PipelineOptions
) -> int:
    """Bytes of a GPU's memory for what becomes rows of a batch there.

    What was decoded, of which the host has no more than there is room for, and what is between the kernels.
    """
    if encoder.dtype != "float32":
        return 0
    most = most_rows(place, options)
    row = int(np.prod(encoder.view)) * 4
    as_it_is = max(most, *(MODALITIES[m].views for m in modalities)) * row if place.reads == "float16" else 0
    if options.prepare == "cpu":
        return as_it_is
    limits = _core.gpu.memory_limits()
    found = 0
    for modality in modalities:
        sent = SENT.get(modality, max(limits["item_room"], row))
        rows = max(most, MODALITIES[modality].views)
        found = max(found, min(limits["room"], rows * sent) + rows * BETWEEN[modality])
    return max(found, as_it_is)


def whole_bytes(
    encoder: EncoderInfo,
    modalities: Sequence[str],
    embed_dim: int,
    place: EnginePlace,
    options: PipelineOptions,
) -> int:
    """Bytes of a GPU's memory for batches that run in pieces.

    Those are items of more views than the engine takes at once: of a modality that has so many, as many as
    there may be at once; else one ready item of twice as many.
    """
    rows, row = most_rows(place, options), row_bytes(encoder, place)
    views = max(MODALITIES[m].views for m in modalities)
    if any(text_lengths(m, encoder) for m in modalities):
        return 0
    if views > rows:
        found = (options.gpu_buffers + 1) * _core.gpu.batch_whole_bytes(views, row, embed_dim)
    else:
        found = _core.gpu.batch_whole_bytes(2 * rows, row, embed_dim)
    return min(found, _core.gpu.memory_limits()["whole"])


def less_by(found: Held, options: PipelineOptions) -> str:
    """The options that would take less, and how much less; empty if there are none."""
    ways = []
    if decoded := found.device.get(PICTURES, 0) + found.device.get(VIDEOS, 0):
        ways.append(f"decode='exact' ({megabytes(decoded)} less)")
    if preparing := found.device.get(PREPARING, 0) + found.host.get("page-locked memory", 0):
        ways.append(f"prepare='cpu' ({megabytes(decoded + preparing)} less)")
    if found.device and (options.max_batch is None or options.max_batch > 1):
        ways.append("a smaller max_batch")
    return f"PipelineOptions with {', or '.join(ways)}" if ways else ""


def megabytes(count: int) -> str:
    """Bytes for people.

    >>> megabytes(1_610_612)
    '1.6 MB'
    """
    return f"{count / 1e6:.1f} MB"
