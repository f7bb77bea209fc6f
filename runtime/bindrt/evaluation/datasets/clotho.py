"""Clotho: sounds, each described by five people."""

from __future__ import annotations

from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import Folder
from bindrt.evaluation.sets import Dataset, Pairs, Published

_CAPTIONS = tuple(f"caption_{n}" for n in range(1, 6))


def read(folder: Folder) -> Pairs:
    rows = list(folder.rows("clotho_captions_evaluation.csv", columns=("file_name", *_CAPTIONS)))
    sounds = folder.first("evaluation", "clotho_audio_evaluation/evaluation", "clotho_audio_evaluation")
    found = folder.there((row, sounds / row["file_name"]) for row in rows)
    return Pairs.of_captions(
        "audio",
        (
            (Entry(row["file_name"], "audio", str(path)), [row[name] for name in _CAPTIONS])
            for row, path in found
        ),
    )


DATASET = Dataset(
    name="clotho",
    title="Clotho",
    what="each of five captions finds its sound among the 1045 of the evaluation part",
    layout="clotho_captions_evaluation.csv and evaluation/*.wav",
    where="https://zenodo.org/records/4783391",
    published=(Published("R@1", 6.0), Published("R@10", 28.4)),
    read=read,
    questions=5225,
)
