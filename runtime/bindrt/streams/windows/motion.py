"""Windows of inertial samples, which are read as a whole: an hour at 400 Hz takes 70 MB."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bindrt.arrays import Array, item_name
from bindrt.errors import Error
from bindrt.limits import Limits
from bindrt.modalities.imu import Imu, check_options, prepare
from bindrt.modalities.steps.imu_input import load
from bindrt.modalities.steps.motion import Motion, require_order
from bindrt.notes import SHORT_WINDOW, Notes
from bindrt.streams.windows.cuts import Cut, cut_of
from bindrt.streams.windows.schedule import Schedule
from bindrt.wanted import require_wanted

_ROUNDING = 1e-6  # seconds
_OF_WINDOW = 0.99  # a window shorter than the model's 5 s must hold so much of itself


def motion_cuts(item: Imu, schedule: Schedule, limits: Limits) -> Iterator[Cut]:
    """Each window of a recording, then perhaps a shorter one. A window with a gap has an error instead.

    A vector's input is that of ``Imu`` with the samples and the times of the same seconds.
    """
    name = item_name(item.samples)
    check_options(item, name)
    least = min(item.min_seconds, _OF_WINDOW * float(schedule.window))
    motion = load(item, name, limits)
    times = _times(motion, name)
    end = float(times[-1]) + float(np.median(np.diff(times)))
    plain = _without_table(item, motion, least)
    whole = 0
    while schedule.end(whole) <= end + _ROUNDING:
        yield _cut(plain, motion, times, whole, schedule, schedule.end(whole), limits)
        whole += 1
    if schedule.rest(whole, end) is None:
        return
    if whole == 0 or end - schedule.start(whole) >= least - _ROUNDING:
        cut = _cut(plain, motion, times, whole, schedule, end, limits)
        yield cut.noted({SHORT_WINDOW: round(cut.end - cut.start, 3)})


def _times(motion: Motion, name: str) -> Array:
    """Seconds from the first sample, float64."""
    if motion.times is None:
        assert motion.rate is not None
        return np.arange(motion.samples.shape[1]) / motion.rate
    require_order(motion.times, name)
    return np.asarray(motion.times - motion.times[0], np.float64)


def _without_table(item: Imu, motion: Motion, least: float) -> Imu:
    """The item's options for samples that were read from their table."""
    return replace(
        item,
        rate=None,
        columns=None,
        time_unit=None,
        unit=None,
        min_seconds=least,
        accel_unit=item.accel_unit or item.unit or motion.units.get("acc"),  # type: ignore[arg-type]
        gyro_unit=item.gyro_unit or motion.units.get("gyro"),  # type: ignore[arg-type]
    )


def _cut(
    item: Imu, motion: Motion, times: Array, number: int, schedule: Schedule, end: float, limits: Limits
) -> Cut:
    require_wanted()
    start = schedule.start(number)
    low, high = np.searchsorted(times, (start - _ROUNDING, end - _ROUNDING))
    samples, at = motion.samples[:, low:high], times[low:high]
    try:
        views = prepare(replace(item, samples=samples, timestamps=at), limits)
    except Error as error:
        return Cut(number, start, end, None, error=error)
    return cut_of(number, start, end, views).noted(_of_file(motion) if number == 0 else {})


def _of_file(motion: Motion) -> Notes:
    """What is told of the whole file, once."""
    found: dict[str, float | int | str] = {}
    if motion.time_unit:
        found["time_unit"] = motion.time_unit
    if motion.lost_rows:
        found["lost_rows"] = motion.lost_rows
    return found
