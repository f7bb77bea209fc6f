"""Ego4D: what people do, by the motion of the camera on their heads."""

from __future__ import annotations

import csv
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.errors import SourceError
from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import Folder
from bindrt.evaluation.sets import Choice, Dataset, Labelled, Published
from bindrt.modalities.imu import Imu

#: Seconds around a narration.
SECONDS = 5.0
#: The share of clips that are for training, 510 142 of 579 007 in the paper, and the split's seed.
TRAINING_SHARE, SEED = 510_142 / 579_007, 0
_COLUMNS = ("accl_x", "accl_y", "accl_z", "gyro_x", "gyro_y", "gyro_z")
_ALL = ("canonical_timestamp_ms", *_COLUMNS)


def read(folder: Folder) -> Labelled:
    videos = folder.json("ego4d.json", "v2/ego4d.json", "v1/ego4d.json")
    told = folder.json(*(f"{v}annotations/narration.json" for v in ("", "v2/", "v1/")))
    motions = folder.first("imu", "v2/imu", "v1/imu")
    single = {
        video["video_uid"]: video["scenarios"][0]
        for video in videos.get("videos", ())
        if video.get("has_imu") and len(video.get("scenarios") or ()) == 1
    }
    names = sorted(set(single.values()))
    place = {name: index for index, name in enumerate(names)}
    wanted = [(uid, motions / f"{uid}.csv") for uid in sorted(single)]
    clips = [
        (Entry(f"{uid} {time:.2f}", "imu", str(path), (), clip, (time,)), frozenset({place[single[uid]]}))
        for uid, path in folder.there(wanted)
        for time in _times(told.get("videos", told).get(uid), path)
    ]
    if not clips:
        raise folder.not_as_published(folder.path, "no narration lies within a recorded motion")
    order = np.random.default_rng(SEED).permutation(len(clips))
    learn = [clips[i] for i in sorted(order[: round(TRAINING_SHARE * len(clips))])]
    test = [clips[i] for i in sorted(order[round(TRAINING_SHARE * len(clips)) :])]
    return Labelled(
        entries=tuple(entry for entry, _ in test),
        truth=tuple(truth for _, truth in test),
        classes=tuple(Choice(name, (name,)) for name in names),
        training=tuple(entry for entry, _ in learn),
        training_truth=tuple(truth for _, truth in learn),
    )


def _times(narrated: Any, path: Path) -> list[float]:
    """The narrations around which a whole clip was recorded, in seconds."""
    times, _ = samples(str(path))
    passes = [(narrated or {}).get(f"narration_pass_{n}") or {} for n in (1, 2)]
    said: Any = next((p["narrations"] for p in passes if p.get("narrations")), [])
    found = sorted({float(each["timestamp_sec"]) for each in said})
    half = SECONDS / 2
    if not len(times):
        return []
    return [time for time in found if times[0] <= time - half and time + half <= times[-1]]


def clip(path: str, part: tuple[float, ...]) -> Any:
    """The samples around a moment, with their times."""
    times, values = samples(path)
    first, last = np.searchsorted(times, (part[0] - SECONDS / 2, part[0] + SECONDS / 2))
    return Imu(values[:, first:last], timestamps=times[first:last])


@lru_cache(maxsize=4)
def samples(path: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """The times in seconds ``[N]`` and the six channels ``[6, N]`` of a video, in order.

    Samples without a time, or without one of the six numbers, are left out.
    """
    rows = []
    try:
        with open(path, encoding="utf-8", newline="") as file:
            found_rows = csv.DictReader(file)
            if absent := [name for name in _ALL if name not in (found_rows.fieldnames or ())]:
                raise SourceError(path, f"it has no column {absent[0]}", "copy it again")
            for row in found_rows:
                numbers = [_number(row.get(name)) for name in _ALL]
                if all(map(math.isfinite, numbers)):
                    rows.append(numbers)
    except OSError as error:
        raise SourceError(path, f"it cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(path, f"it is no table of samples ({error})", "copy it again") from None
    found = np.array(rows, np.float64).reshape(-1, 1 + len(_COLUMNS))
    _, kept = np.unique(found[:, 0], return_index=True)
    return found[kept, 0] / 1000, found[kept, 1:].T.astype(np.float32)


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


DATASET = Dataset(
    name="ego4d",
    title="Ego4D",
    what="5 s of motion around narrations, what the wearer does",
    layout="ego4d.json, annotations/narration.json and imu/*.csv",
    where="https://ego4d-data.org/ (with a licence)",
    published=(Published("top-1", 25.0),),
    read=read,
    notes=("The paper's random split is not published: this one has its share of tests.",),
)
