"""Made files are read as what they are for; the user's files are sorted by what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bindrt
from bindrt.benchmark import inputs, made_inputs
from bindrt.errors import InputError, OptionError
from bindrt.modalities import MODALITIES
from bindrt.preprocess import detect, prepare
from support.golden import HERE

INPUTS = HERE / "inputs"
ALL = tuple(MODALITIES)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> inputs.Sources:
    return made_inputs.make(ALL, tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize("modality", ALL)
def test_made_files_are_good_and_differ(made: inputs.Sources, modality: str) -> None:
    arrays = [np.asarray(prepare(modality, item).array) for item in made[modality]]
    view = MODALITIES[modality].view
    assert all(a.shape[-len(view) :] == view for a in arrays)
    assert len({a.tobytes() for a in arrays}) == len(arrays) == (1 if modality == "video" else 4)
    assert all(a.std() > 0 for a in arrays)
    if modality in ("image", "video", "audio", "imu"):
        assert detect(made[modality][0]) == modality
    assert made_inputs.maker(modality).description


def test_made_files_are_the_same_each_time(made: inputs.Sources, tmp_path: Path) -> None:
    again = made_inputs.make(["image", "audio", "thermal"], tmp_path)
    for modality, paths in again.items():
        assert [Path(p).read_bytes() for p in paths] == [Path(p).read_bytes() for p in made[modality]]


def test_tensors_are_ready(made: inputs.Sources) -> None:
    items = inputs.open_items({m: made[m] for m in ("text", "imu")}, tensors=True)
    assert all(isinstance(item, bindrt.Prepared) for given in items.values() for item in given)
    assert inputs.open_items({"text": ["a"]}, tensors=False) == {"text": ["a"]}


def test_files_say_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "captions.txt").write_text("a dog\n\na cat\n", "utf-8")
    (tmp_path / "notes.bin").write_bytes(b"nothing")
    (tmp_path / "photo").write_bytes((INPUTS / "image/photo.webp").read_bytes())
    found = inputs.from_files([str(tmp_path), str(INPUTS / "imu")], ALL, explicit=False)
    assert found["text"] == ["a dog", "a cat"]
    assert found["image"] == [str(tmp_path / "photo")]
    assert set(found) == {"image", "text", "imu"}
    assert list(found) == [m for m in ALL if m in found]


def test_one_modality_takes_all_files() -> None:
    found = inputs.from_files([str(INPUTS / "depth/d2.png")], ["depth"], explicit=True)
    assert found == {"depth": [str(INPUTS / "depth/d2.png")]}


def test_files_that_do_not_serve(tmp_path: Path) -> None:
    photo = str(INPUTS / "image/photo.webp")
    with pytest.raises(OptionError, match="no file of audio"):
        inputs.from_files([photo], ["image", "audio"], explicit=True)
    with pytest.raises(OptionError, match="no file of"):
        inputs.from_files([str(tmp_path)], ALL, explicit=False)
    with pytest.raises(InputError, match=r"photo.webp: its modality is image; measured are text, audio"):
        inputs.from_files([photo], ["text", "audio"], explicit=True)
    strange = tmp_path / "a.bin"
    strange.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be told"):
        inputs.from_files([str(strange)], ALL, explicit=False)
    with pytest.raises(InputError, match="no such file"):
        inputs.from_files([str(tmp_path / "missing.jpg")], ALL, explicit=False)
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(InputError, match=r"latin\.txt: it cannot be read as text"):
        inputs.from_files([str(tmp_path / "latin.txt")], ["text"], explicit=True)
