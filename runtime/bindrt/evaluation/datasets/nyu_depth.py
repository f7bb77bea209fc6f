"""NYU Depth v2: depth maps of 27 kinds of rooms, nine of them and "other" as classes."""

from __future__ import annotations

from collections.abc import Sequence

from bindrt.evaluation.adamw import SUN_RGBD
from bindrt.evaluation.datasets import nyu_labeled
from bindrt.evaluation.datasets.sun_rgbd import depth_entry
from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import Folder
from bindrt.evaluation.sets import Choice, Dataset, Labelled, Published

#: The classes of the benchmark beside "other".
SCENES = (
    "bathroom", "bedroom", "bookstore", "classroom", "dining_room", "home_office", "kitchen", "living_room",
    "office",
)  # fmt: skip
#: The 18 kinds of rooms that are "other"; a map is as near to it as to the nearest of them.
OTHERS = (
    "basement", "cafe", "computer_lab", "conference_room", "dinette", "exercise_room", "foyer",
    "furniture_store", "home_storage", "indoor_balcony", "laundry_room", "office_kitchen", "playroom",
    "printer_room", "reception_room", "student_lounge", "study", "study_room",
)  # fmt: skip


def read(folder: Folder) -> Labelled:
    root = folder.first("SUNRGBD", nyu_labeled.NAME)
    if root.name == nyu_labeled.NAME:
        return _labelled(nyu_labeled.test_part(folder))
    listed = folder.json("NYU-Depth-v2_val.json")
    rows = [(row["benchmark_label"], row["image_path"]) for row in _checked(folder, listed)]
    wanted = []
    for label, image in rows:
        at, stem = image.split("/image/")[0], image.rpartition("/")[2].rpartition(".")[0]
        wanted.append(((label, at), root / at / "depth_bfx" / f"{stem}.png"))
    found = folder.there(wanted)
    return _labelled([(depth_entry(root, at, path), label) for (label, at), path in found])


def _labelled(found: Sequence[tuple[Entry, str]]) -> Labelled:
    """Maps with their kind of room."""
    place = {name.replace("_", " "): index for index, name in enumerate(SCENES)}
    other = len(SCENES)
    return Labelled(
        entries=tuple(entry for entry, _ in found),
        truth=tuple(frozenset({place.get(label.replace("_", " "), other)}) for _, label in found),
        classes=(
            *(Choice(name, (name.replace("_", " "),)) for name in SCENES),
            Choice("others", tuple(name.replace("_", " ") for name in OTHERS)),
        ),
    )


def _checked(folder: Folder, listed: object) -> list[dict[str, str]]:
    path = folder.path / "NYU-Depth-v2_val.json"
    if not isinstance(listed, list):
        raise folder.not_as_published(path, "it is not a list")
    for row in listed:
        texts = isinstance(row, dict) and all(
            isinstance(row.get(n), str) for n in ("benchmark_label", "image_path")
        )
        if not texts or "/image/" not in row["image_path"]:
            raise folder.not_as_published(path, f"{str(row)[:60]} is not a picture with its label")
    return listed


DATASET = Dataset(
    name="nyu-depth",
    title="NYU Depth v2",
    what="in-filled depth maps of the test part, nine scenes and others; depth alone",
    layout="SUNRGBD/kv1/NYUdata and ViT-Lens's list NYU-Depth-v2_val.json; "
    "or nyu_depth_v2_labeled.mat and splits.mat",
    where="https://rgbd.cs.princeton.edu/ and https://github.com/TencentARC/ViT-Lens; "
    "or https://cs.nyu.edu/~fergus/datasets/nyu_depth_v2.html",
    published=(Published("top-1", 54.0),),
    read=read,
    recipe=SUN_RGBD,
    notes=("The test part has 653 maps in SUN RGB-D, 654 in splits.mat; the paper's 794 is a slip.",),
)
