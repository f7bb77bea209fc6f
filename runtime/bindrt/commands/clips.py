"""``bind-search --clip``: the parts of recordings that were found, as files of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bindrt.errors import InputError, cannot_write
from bindrt.index import Hit, span_of
from bindrt.limits import Limits
from bindrt.modalities.imu import Imu
from bindrt.modalities.steps.imu_input import load
from bindrt.sources import open_source
from bindrt.sources.clips import has_video, write_samples, write_sound, write_video


def clock(seconds: float) -> str:
    """Seconds as a player shows them.

    >>> clock(751), clock(2.5), clock(3661.26)
    ('12:31', '0:02.5', '1:01:01.3')
    """
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest // 10:02d}" + (f".{rest % 10}" if rest % 10 else "")
    return f"{hours}:{minutes:02d}:{text}" if hours else f"{minutes}:{text}"


def make_folder(folder: Path) -> None:
    """Makes the folder for clips.

    Raises:
        Error: the system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None


def write_clip(hit: Hit, rank: int, folder: Path, limits: Limits) -> Path | None:
    """Cuts a hit out of its recording; None for one that is of a whole item, which stays as it is.

    Args:
        rank: the place of the hit among the results, from 1; the clip's name begins with it.

    Raises:
        InputError: the recording cannot be read, or ends before the hit.
    """
    span = span_of(hit)
    if span is None:
        return None
    source, (start, end) = str(hit.id), span
    stem = folder / f"{rank:02d}_{Path(source).stem}_{start:g}-{end:g}s"
    if hit.modality == "imu":
        path = stem.with_name(stem.name + ".npz")
        _write_imu(source, start, end, path, limits)
        return path
    opened = open_source(source, limits)
    if hit.modality == "video" or has_video(opened, limits):
        path = stem.with_name(stem.name + ".mp4")
        write_video(opened, start, end, path, limits)
    else:
        path = stem.with_name(stem.name + ".wav")
        write_sound(opened, start, end, path, limits)
    return path


def _write_imu(source: str, start: float, end: float, path: Path, limits: Limits) -> None:
    motion = load(Imu(source), repr(source), limits)
    times = motion.times
    if times is None:
        assert motion.rate is not None
        times = np.arange(motion.samples.shape[1]) / motion.rate
    since = np.asarray(times - times[0], np.float64)
    inside = (since >= start) & (since < end)
    if not inside.any():
        raise InputError(repr(source), f"it has no sample from {start:g} to {end:g} s", "has it changed?")
    write_samples(motion.samples[:, inside], since[inside], path)
