"""Places365: pictures of places."""

from __future__ import annotations

from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import Folder
from bindrt.evaluation.sets import Choice, Dataset, Labelled, Published


def read(folder: Folder) -> Labelled:
    classes = {
        int(at): name for name, at, *_ in folder.lines("categories_places365.txt", width=2, delimiter=" ")
    }
    place = {number: index for index, number in enumerate(sorted(classes))}
    pictures = folder.first("val_256", "val_large", "val")
    rows = [(name, int(at)) for name, at, *_ in folder.lines("places365_val.txt", width=2, delimiter=" ")]
    found = folder.there((row, pictures / row[0]) for row in rows)
    return Labelled(
        entries=tuple(Entry(path.name, "image", str(path)) for _, path in found),
        truth=tuple(frozenset({place[number]}) for (_, number), _ in found),
        classes=tuple(Choice(classes[number], (spoken(classes[number]),)) for number in place),
    )


def spoken(name: str) -> str:
    """The words of a category: the letter goes, and what is told of the place comes first.

    >>> spoken("/a/apartment_building/outdoor")
    'outdoor apartment building'
    """
    place, *more = name.strip("/").split("/")[1:]
    return " ".join([*more, place]).replace("_", " ")


DATASET = Dataset(
    name="places365",
    title="Places365",
    what="pictures of the validation part, 365 places",
    layout="places365_val.txt, categories_places365.txt and val_256/*.jpg",
    where="http://places2.csail.mit.edu/download.html",
    published=(Published("top-1", 45.4),),
    read=read,
    questions=36500,
)
