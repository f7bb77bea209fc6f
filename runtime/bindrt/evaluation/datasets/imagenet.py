"""ImageNet-1k: pictures of the validation part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import Folder
from bindrt.evaluation.sets import Choice, Dataset, Labelled, Published

_PICTURES = (".jpeg", ".jpg", ".png")


def read(folder: Folder) -> Labelled:
    names = dict(class_names(folder))
    place = {synset: index for index, synset in enumerate(sorted(names))}
    pictures = folder.first("val", "ILSVRC/Data/CLS-LOC/val")
    listed = list(_sorted_in_folders(folder, pictures, place))
    found = folder.there(listed or _listed(folder, pictures))
    return Labelled(
        entries=tuple(Entry(path.name, "image", str(path)) for _, path in found),
        truth=tuple(frozenset({place[synset]}) for synset, _ in found),
        classes=tuple(Choice(names[synset], (names[synset],)) for synset in place),
    )


def class_names(folder: Folder) -> Iterator[tuple[str, str]]:
    """Each synset with its name: CLIP's, where a list of them is there, else the synset's first word."""
    path = folder.first("classnames.txt", "LOC_synset_mapping.txt")
    for line in path.read_text("utf-8").splitlines():
        synset, _, name = line.strip().partition(" ")
        if name:
            yield synset, name if path.name == "classnames.txt" else name.split(",")[0]
        elif synset:
            raise folder.not_as_published(path, f"{line[:40]!r} is no synset with its name")


def _sorted_in_folders(folder: Folder, pictures: Path, place: dict[str, int]) -> Iterator[tuple[str, Path]]:
    folders = [each for each in sorted(pictures.iterdir()) if each.is_dir()]
    if folders and (missing := sorted(set(place) - {each.name for each in folders})):
        yield from ((synset, pictures / synset / "*.JPEG") for synset in missing)
    for each in folders:
        if each.name not in place:
            raise folder.not_as_published(each, "it is no synset of the list of classes")
        yield from ((each.name, file) for file in sorted(each.iterdir()) if file.suffix.lower() in _PICTURES)


def _listed(folder: Folder, pictures: Path) -> Iterator[tuple[str, Path]]:
    """Kaggle's layout: all pictures in one folder, with a table."""
    for row in folder.rows("LOC_val_solution.csv", columns=("ImageId", "PredictionString")):
        yield row["PredictionString"].split()[0], pictures / f"{row['ImageId']}.JPEG"


DATASET = Dataset(
    name="imagenet",
    title="ImageNet-1k",
    what="pictures of the validation part, 1000 classes",
    layout="val/SYNSET/*.JPEG, or Kaggle's ILSVRC/ and LOC_val_solution.csv, and classnames.txt (CLIP's "
    "names: n01440764 tench, a line each) or LOC_synset_mapping.txt",
    where="https://image-net.org/ (with an account)",
    published=(Published("top-1", 77.7),),
    read=read,
    questions=50000,
    notes=("The paper takes CLIP's names of the classes; those of LOC_synset_mapping.txt tell less.",),
)
