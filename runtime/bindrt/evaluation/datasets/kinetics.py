"""Kinetics-400: videos of what people do."""

from __future__ import annotations

from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import VIDEOS, Folder
from bindrt.evaluation.sets import Choice, Dataset, Labelled, Published

_COLUMNS = ("label", "youtube_id", "time_start", "time_end")


def read(folder: Folder) -> Labelled:
    rows = list(folder.rows("annotations/val.csv", "val.csv", columns=_COLUMNS))
    names = sorted({row["label"] for row in rows})
    place = {name: index for index, name in enumerate(names)}
    files = folder.by_stem(folder.first("val", "videos_val"), VIDEOS)
    found = folder.there((row, files.get(_stem(row), folder.path / f"{_stem(row)}.*")) for row in rows)
    return Labelled(
        entries=tuple(Entry(path.stem, "video", str(path)) for _, path in found),
        truth=tuple(frozenset({place[row["label"]]}) for row, _ in found),
        classes=tuple(Choice(name, (name,)) for name in names),
    )


def _stem(row: dict[str, str]) -> str:
    return f"{row['youtube_id']}_{int(row['time_start']):06d}_{int(row['time_end']):06d}"


DATASET = Dataset(
    name="kinetics400",
    title="Kinetics-400",
    what="videos of the validation part, 400 classes",
    layout="annotations/val.csv and val/ID_START_END.mp4",
    where="https://github.com/cvdfoundation/kinetics-dataset",
    published=(Published("top-1", 50.0),),
    read=read,
    notes=("Videos that are no longer to be had: --partial leaves them out.",),
)
