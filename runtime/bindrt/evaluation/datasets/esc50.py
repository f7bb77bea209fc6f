"""ESC-50: 2000 sounds of 50 classes in five folds."""

from __future__ import annotations

from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import Folder
from bindrt.evaluation.sets import Choice, Dataset, Labelled, Published


def read(folder: Folder) -> Labelled:
    rows = list(folder.rows("meta/esc50.csv", columns=("filename", "fold", "target", "category")))
    names = {int(row["target"]): row["category"] for row in rows}
    place = {target: index for index, target in enumerate(sorted(names))}
    found = folder.there((row, folder.path / "audio" / row["filename"]) for row in rows)
    return Labelled(
        entries=tuple(Entry(row["filename"], "audio", str(path)) for row, path in found),
        truth=tuple(frozenset({place[int(row["target"])]}) for row, _ in found),
        classes=tuple(Choice(names[t], (names[t].replace("_", " "),)) for t in place),
        folds=tuple(int(row["fold"]) for row, _ in found),
    )


DATASET = Dataset(
    name="esc50",
    title="ESC-50",
    what="sounds of 50 classes; the mean of five folds",
    layout="meta/esc50.csv and audio/*.wav",
    where="https://github.com/karolpiczak/ESC-50",
    published=(Published("top-1", 66.9),),
    read=read,
    questions=2000,
)
