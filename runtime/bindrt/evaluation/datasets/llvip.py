"""LLVIP: boxes of persons in thermal pictures, and as many boxes without."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import PIL.Image

from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import Folder
from bindrt.evaluation.sets import Choice, Dataset, Labelled, Published
from bindrt.modalities.thermal import Thermal

Box = tuple[int, int, int, int]
PERSON = ("person", "man", "woman", "people")
BACKGROUND = ("street", "road", "car", "light", "tree")
#: Places that are tried for a box without a person; a picture may be too full for one.
_TRIES = 100


def read(folder: Folder) -> Labelled:
    pictures = folder.first("infrared/test")
    folder.first("Annotations")
    names = sorted(path.stem for path in pictures.glob("*.jpg"))
    if not names:
        raise folder.not_as_published(pictures, "it has no *.jpg")
    found = folder.there((name, folder.path / "Annotations" / f"{name}.xml") for name in names)
    entries, truth = [], []
    for name, annotation in found:
        persons, size = _boxes(folder, annotation)
        for box, is_person in [
            *((b, True) for b in persons),
            *((b, False) for b in others(persons, size, name)),
        ]:
            part = tuple(float(edge) for edge in box)
            label = f"{name} {'person' if is_person else 'other'} {','.join(map(str, box))}"
            entries.append(Entry(label, "thermal", str(pictures / f"{name}.jpg"), (), cropped, part))
            truth.append(frozenset({0 if is_person else 1}))
    return Labelled(
        entries=tuple(entries),
        truth=tuple(truth),
        classes=(Choice("person", PERSON), Choice("background", BACKGROUND)),
    )


def cropped(path: str, box: tuple[float, ...]) -> Any:
    """The part of a thermal picture in a box: left, top, right, bottom."""
    with PIL.Image.open(path) as picture:
        left, top, right, bottom = (int(edge) for edge in box)
        return Thermal(np.asarray(picture.convert("L").crop((left, top, right, bottom))))


def others(persons: list[Box], size: tuple[int, int], name: str) -> Iterator[Box]:
    """For each person a box of the same size elsewhere, which no person overlaps; the same each time."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for left, top, right, bottom in persons:
        width, height = right - left, bottom - top
        for _ in range(_TRIES):
            x = int(rng.integers(0, max(size[0] - width, 0) + 1))
            y = int(rng.integers(0, max(size[1] - height, 0) + 1))
            if not any(_overlap((x, y, x + width, y + height), person) for person in persons):
                yield x, y, x + width, y + height
                break


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _boxes(folder: Folder, path: Path) -> tuple[list[Box], tuple[int, int]]:
    """The persons of an annotation in VOC's format, and the picture's width and height."""
    try:
        root = ElementTree.fromstring(path.read_bytes())
        size = int(root.findtext("size/width", "")), int(root.findtext("size/height", ""))
        boxes = [_box(each) for each in root.iter("object") if each.findtext("name") == "person"]
    except (ElementTree.ParseError, ValueError) as error:
        raise folder.not_as_published(path, f"it is no annotation of boxes ({error})") from None
    inside = [(max(b[0], 0), max(b[1], 0), min(b[2], size[0]), min(b[3], size[1])) for b in boxes]
    return [box for box in inside if box[0] < box[2] and box[1] < box[3]], size


def _box(node: ElementTree.Element) -> Box:
    left, top, right, bottom = (
        int(float(node.findtext(f"bndbox/{edge}", ""))) for edge in ("xmin", "ymin", "xmax", "ymax")
    )
    return left, top, right, bottom


DATASET = Dataset(
    name="llvip",
    title="LLVIP",
    what="thermal boxes of persons, and as many of the same sizes without; persons or not",
    layout="infrared/test/*.jpg and Annotations/*.xml",
    where="https://bupt-ai-cz.github.io/LLVIP/",
    published=(Published("top-1", 63.4),),
    read=read,
    notes=(
        "The paper's boxes without persons are not published: these are drawn anew, the same each time.",
        "How the paper joins the words of a class is not told: here the nearest word counts.",
    ),
)
