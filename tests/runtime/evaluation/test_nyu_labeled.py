"""NYU Depth v2 as its makers publish it: MATLAB files, one of them HDF5."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.evaluation.datasets import find
from bindrt.evaluation.run import read
from support.datasets.scenes import scenes
from tiny.world import depth_map

ROOMS = ("bookstore", "living_room", "foyer")


@pytest.fixture
def h5py() -> Any:
    pytest.importorskip("scipy", reason="the extra eval is not installed")
    return pytest.importorskip("h5py", reason="h5py is not installed (extra matlab)")


def write(h5py: Any, folder: Path, rooms: tuple[str, ...] = ROOMS) -> list[np.ndarray]:
    """Maps of metres with their rooms: MATLAB's arrays, whose axes HDF5 has the other way round."""
    from scipy.io import savemat

    maps = [np.asarray(depth_map(scene), np.float32) / 1000 for scene, _ in scenes(len(rooms), 1)]
    with h5py.File(folder / "nyu_depth_v2_labeled.mat", "w") as file:
        file["depths"] = np.stack([each.T for each in maps])
        cells = []
        for number, room in enumerate(rooms):
            cell = file.create_dataset(f"#refs#/{number}", data=np.array([[ord(c)] for c in room], np.uint16))
            cells.append(cell.ref)
        file.create_dataset("sceneTypes", data=np.array([cells], dtype=h5py.ref_dtype), dtype=h5py.ref_dtype)
    savemat(folder / "splits.mat", {"testNdxs": np.array([[3], [1]]), "trainNdxs": np.array([[2]])})
    return maps


def test_maps_of_the_test_part_with_their_rooms(h5py: Any, tmp_path: Path) -> None:
    maps = write(h5py, tmp_path)
    content, left_out = read(find("nyu-depth"), tmp_path)
    names = [content.classes[min(truth)].name for truth in content.truth]  # type: ignore[union-attr]
    assert (names, left_out) == (["others", "bookstore"], 0)
    for entry, number in zip(content.entries, (2, 0), strict=True):  # type: ignore[union-attr]
        item = entry.item()
        assert (item.unit, item.camera) == ("m", "kinect")
        assert np.array_equal(item.src, maps[number])
    keys = {entry.key() for entry in content.entries}  # type: ignore[union-attr]
    assert len(keys) == 2


def test_what_is_missing_or_damaged_is_told(h5py: Any, tmp_path: Path) -> None:
    write(h5py, tmp_path, ROOMS[:2])
    with pytest.raises(bindrt.Error, match=r"it has 2 maps, and splits\.mat names 3"):
        read(find("nyu-depth"), tmp_path)
    (tmp_path / "nyu_depth_v2_labeled.mat").write_bytes(b"no HDF5")
    with pytest.raises(bindrt.SourceError, match="it cannot be read"):
        read(find("nyu-depth"), tmp_path)
    (tmp_path / "splits.mat").unlink()
    with pytest.raises(bindrt.SourceError, match=r"it has no splits\.mat"):
        read(find("nyu-depth"), tmp_path)


def test_without_h5py_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    savemat = pytest.importorskip("scipy.io", reason="the extra eval is not installed").savemat
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "nyu_depth_v2_labeled.mat").touch()
    savemat(tmp_path / "splits.mat", {"testNdxs": np.array([[1]])})
    with pytest.raises(bindrt.OptionError, match="h5py reads it, which is not installed; pip install"):
        read(find("nyu-depth"), tmp_path)
