"""VGGSound: clips of 10 s of 309 classes."""

from __future__ import annotations

from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import SOUNDS, Folder
from bindrt.evaluation.sets import Choice, Dataset, Labelled, Published


def read(folder: Folder) -> Labelled:
    rows = list(folder.lines("vggsound.csv", width=4))
    names = sorted({label for _, _, label, *_ in rows})
    place = {label: index for index, label in enumerate(names)}
    files = folder.by_stem(folder.path, SOUNDS)
    tested = [row for row in rows if row[3] == "test"]
    clips = [(f"{video}_{int(start):06d}", label) for video, start, label, *_ in tested]
    found = folder.there((clip, files.get(clip[0], folder.path / f"{clip[0]}.*")) for clip in clips)
    return Labelled(
        entries=tuple(Entry(name, "audio", str(path)) for (name, _), path in found),
        truth=tuple(frozenset({place[label]}) for (_, label), _ in found),
        classes=tuple(Choice(name, (name,)) for name in names),
    )


DATASET = Dataset(
    name="vggsound",
    title="VGGSound",
    what="sounds of the test split, 309 classes",
    layout="vggsound.csv and a file a clip, ID_SECOND (0r5bgkyRPgY_000030.wav or .mp4)",
    where="https://www.robots.ox.ac.uk/~vgg/data/vggsound/",
    published=(Published("top-1", 27.8),),
    read=read,
    notes=(
        "The paper has 14 073 of the 15 446 test clips. --partial leaves out what is no longer to be had.",
    ),
)
