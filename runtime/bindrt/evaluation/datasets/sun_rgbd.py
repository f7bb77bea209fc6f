"""SUN RGB-D: depth maps of four cameras, and the scenes that they show."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bindrt.errors import OptionError, SourceError
from bindrt.evaluation.adamw import SUN_RGBD
from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import Folder
from bindrt.evaluation.sets import Choice, Dataset, Labelled, Published
from bindrt.extras import install

#: The scenes of the benchmark: those with more than 80 pictures.
SCENES = (
    "bathroom", "bedroom", "classroom", "computer_room", "conference_room", "corridor", "dining_area",
    "dining_room", "discussion_area", "furniture_store", "home_office", "kitchen", "lab", "lecture_theatre",
    "library", "living_room", "office", "rest_space", "study_space",
)  # fmt: skip
#: bindrt's name of the camera in each of the four folders.
CAMERAS = {"kv1": "kinect", "kv2": "kinect2", "realsense": "realsense", "xtion": "xtion"}
_SPLIT = ("SUNRGBDtoolbox/traintestSUNRGBD/allsplit.mat", "traintestSUNRGBD/allsplit.mat", "allsplit.mat")


def read(folder: Folder) -> Labelled:
    root = folder.first("SUNRGBD")
    split = matlab(folder.first(*_SPLIT))
    training, test = (_scenes(folder, root, split, name) for name in ("alltrain", "alltest"))
    place = {scene: index for index, scene in enumerate(SCENES)}
    return Labelled(
        entries=tuple(entry for entry, _ in test),
        truth=tuple(frozenset({place[scene]}) for _, scene in test),
        classes=tuple(Choice(scene, (scene.replace("_", " "),)) for scene in SCENES),
        training=tuple(entry for entry, _ in training),
        training_truth=tuple(frozenset({place[scene]}) for _, scene in training),
    )


def matlab(path: Path) -> dict[str, Any]:
    """The variables of a MATLAB file.

    Raises:
        OptionError: SciPy is not installed.
        SourceError: the file is damaged.
    """
    try:
        from scipy.io import loadmat
    except ImportError:
        raise OptionError(path.name, "SciPy reads it, which is not installed", install("eval")) from None
    try:
        found: dict[str, Any] = loadmat(path, squeeze_me=True)
    except (ValueError, OSError, NotImplementedError, TypeError) as error:
        raise SourceError(str(path), f"it is no MATLAB file that can be read ({error})") from None
    return found


def _scenes(folder: Folder, root: Path, split: dict[str, Any], part: str) -> list[tuple[Entry, str]]:
    """The maps of a part of the split whose scene is one of the benchmark's."""
    if part not in split:
        raise folder.not_as_published(root, f"the split has no {part}")
    wanted: list[tuple[tuple[str, str], Path]] = []
    for listed in _texts(split[part]):
        name = listed.replace("\\", "/").partition("SUNRGBD/")[2].strip("/")
        told = root / name / "scene.txt"
        scene = told.read_text("utf-8").strip() if told.is_file() else ""
        if scene in SCENES or not scene:
            wanted.append(((name, scene), _only(root / name / "depth_bfx") if scene else told))
    return [(depth_entry(root, name, path), scene) for (name, scene), path in folder.there(wanted)]


def depth_entry(root: Path, name: str, path: Path) -> Entry:
    """An in-filled map of a camera: its counts, and the camera's numbers."""
    camera = CAMERAS[path.relative_to(root).parts[0]]
    return Entry(name, "depth", str(path), (("unit", "sunrgbd"), ("camera", camera)))


def _only(folder: Path) -> Path:
    return next(iter(sorted(folder.glob("*.png"))), folder / "*.png")


def _texts(cells: Any) -> Iterable[str]:
    flat = cells.reshape(-1).tolist() if hasattr(cells, "reshape") else [cells]
    return [str(cell) for cell in flat]


DATASET = Dataset(
    name="sun-rgbd",
    title="SUN RGB-D",
    what="in-filled depth maps of the test part, 19 scenes; depth alone",
    layout="SUNRGBD/ (kv1, kv2, realsense, xtion) and SUNRGBDtoolbox/traintestSUNRGBD/allsplit.mat",
    where="https://rgbd.cs.princeton.edu/",
    published=(Published("top-1", 35.1),),
    read=read,
    recipe=SUN_RGBD,
)
