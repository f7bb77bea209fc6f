"""AudioSet's evaluation segments: sounds of 10 s, each of several of 527 classes."""

from __future__ import annotations

from pathlib import Path

from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import SOUNDS, Folder
from bindrt.evaluation.sets import Choice, Dataset, Labelled, Published


def read(folder: Folder) -> Labelled:
    classes = list(folder.rows("class_labels_indices.csv", columns=("index", "mid", "display_name")))
    place = {row["mid"]: index for index, row in enumerate(classes)}
    segments = list(folder.lines("eval_segments.csv", width=4))
    files = folder.by_stem(folder.path, SOUNDS)
    found = folder.there((segment, file_of(folder, files, segment[0], segment[1])) for segment in segments)
    return Labelled(
        entries=tuple(Entry(path.stem, "audio", str(path)) for _, path in found),
        truth=tuple(_truth(segment[3], place, folder) for segment, _ in found),
        classes=tuple(Choice(row["display_name"], (row["display_name"],)) for row in classes),
        measure="mAP",
    )


def file_of(folder: Folder, files: dict[str, Path], video: str, start: str) -> Path:
    """The file of a clip by the names that downloaders give it: with or without its beginning, or a ``Y``."""
    seconds = int(float(start))
    stems = (video, f"Y{video}", f"{video}_{seconds}", f"{video}_{seconds:06d}", f"{video}_{1000 * seconds}")
    return next((files[stem] for stem in stems if stem in files), folder.path / f"{video}.*")


def _truth(mids: str, place: dict[str, int], folder: Folder) -> frozenset[int]:
    listed = mids.split(",")
    if unknown := [mid for mid in listed if mid not in place]:
        raise folder.not_as_published(folder.path / "eval_segments.csv", f"{unknown[0]!r} is no class")
    return frozenset(place[mid] for mid in listed)


DATASET = Dataset(
    name="audioset",
    title="AudioSet",
    what="evaluation segments, each of several of 527 classes",
    layout="eval_segments.csv, class_labels_indices.csv and a sound file a clip, named by its YouTube id",
    where="https://research.google.com/audioset/download.html",
    published=(Published("mAP", 17.6),),
    read=read,
    notes=(
        "The paper has 18K of the 20K clips: --partial leaves out those that cannot be had.",
        "The paper's table says mAP, its appendix top-1: both are given here, and 17.6 stands beside mAP.",
    ),
)
