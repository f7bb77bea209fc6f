"""NYU Depth v2 as its makers publish it: ``nyu_depth_v2_labeled.mat``, which is HDF5, and ``splits.mat``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import Error, OptionError, SourceError
from bindrt.evaluation.datasets.sun_rgbd import matlab
from bindrt.evaluation.entries import Entry
from bindrt.evaluation.folders import Folder
from bindrt.extras import install

NAME = "nyu_depth_v2_labeled.mat"


def test_part(folder: Folder) -> list[tuple[Entry, str]]:
    """The in-filled maps of the test part, in its order, and the kind of room of each.

    Raises:
        SourceError: the copy is not complete, or damaged.
        OptionError: h5py or SciPy is not installed.
    """
    path = folder.first(NAME)
    split = folder.first("splits.mat")
    told = matlab(split)
    if "testNdxs" not in told:
        raise folder.not_as_published(split, "it has no testNdxs")
    numbers = np.atleast_1d(told["testNdxs"]).astype(int) - 1  # MATLAB counts from 1
    with _opened(path) as file:
        if absent := [name for name in ("depths", "sceneTypes") if name not in file]:
            raise folder.not_as_published(path, f"it has no {', '.join(absent)}")
        cells = file["sceneTypes"][()].reshape(-1)
        count = min(len(file["depths"]), len(cells))
        if outside := [number for number in numbers if not 0 <= number < count]:
            raise folder.not_as_published(
                path, f"it has {count} maps, and {split.name} names {outside[0] + 1}"
            )
        rooms = ["".join(map(chr, file[cells[number]][()].reshape(-1))) for number in numbers]
    return [(_entry(path, int(number)), room) for number, room in zip(numbers, rooms, strict=True)]


def depth_map(path: str, part: tuple[float, ...]) -> Array:
    """One map in metres, float32 ``[H, W]``. HDF5 has MATLAB's axes the other way round."""
    with _opened(Path(path)) as file:
        return np.ascontiguousarray(file["depths"][int(part[0])].T, np.float32)


def _entry(path: Path, number: int) -> Entry:
    options = (("unit", "m"), ("camera", "kinect"))
    return Entry(f"{number + 1:04d}", "depth", str(path), options, depth_map, (number,))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import h5py
    except ImportError:
        raise OptionError(path.name, "h5py reads it, which is not installed", install("matlab")) from None
    try:
        with h5py.File(path, "r") as file:
            yield file
    except Error:
        raise
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise SourceError(str(path), f"it cannot be read ({error})", "is it complete?") from error
