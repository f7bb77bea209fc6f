"""What callers hold: lists, columns of several libraries, cells, and arrays of several libraries."""

from __future__ import annotations

import zipfile
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow as pa
import pytest

import bindrt
from bindrt import InputError, preprocess
from bindrt.columns import as_items

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")

PAIR = ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    "column",
    [
        PAIR,
        tuple(PAIR),
        iter(PAIR),
        deque(PAIR),
        dict.fromkeys(PAIR).keys(),
        np.array(PAIR),
        np.array(PAIR, object),
        pandas.Series(PAIR),
        pandas.Series(PAIR, index=[7, 9], dtype=object),
        pandas.Index(PAIR),
        pandas.array(PAIR),
        pandas.Series(PAIR, dtype="category"),
        polars.Series(PAIR),
        pa.array(PAIR),
        pa.chunked_array([PAIR[:1], PAIR[1:]]),
    ],
    ids=lambda c: f"{type(c).__module__}.{type(c).__name__}",
)
def test_columns(column: object) -> None:
    assert as_items("image", column) == PAIR


def test_one_item() -> None:
    items: list[Any] = [
        "a.jpg", b"123", Path("a.jpg"), np.zeros((2, 2), np.uint8), np.zeros(3), bindrt.Image("a.jpg"),
        bindrt.Imu("a.csv"),
        {"bytes": None, "path": "a.jpg"}, {"array": [0.0], "sampling_rate": 8000}, None, 3,
    ]  # fmt: skip
    for item in items:
        (found,) = as_items("image", item)
        assert found is item
    assert as_items("text", np.array("a")) == ["a"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (pandas.DataFrame({"path": PAIR}), "is a table"),
        (polars.DataFrame({"path": PAIR}), "is a table"),
        (pa.table({"path": PAIR}), "is a table"),
        ({"path": PAIR}, "a dict is not an item"),
        (np.array([PAIR, PAIR]), r"shape \[2, 2\]"),
        (np.array([b"a\0", b"b"]), "loses zeros"),
    ],
)
def test_what_is_no_column(value: object, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        as_items("image", value)


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    PIL.Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(path)
    return path


def test_cells_of_a_file(png: Path) -> None:
    want = preprocess.image(png)
    data = png.read_bytes()
    for cell in (
        {"bytes": data, "path": None},
        {"bytes": None, "path": str(png)},
        {"bytes": data, "path": "x"},
    ):
        assert (preprocess.prepare("image", cell).array == want).all()
        assert (preprocess.image(bindrt.Image(cell)) == want).all()
        assert preprocess.detect(cell) == "image"
    with pytest.raises(InputError, match=r"'x\.png'"):
        preprocess.prepare("image", {"bytes": b"no image", "path": "x.png"})
    with pytest.raises(InputError, match="neither bytes nor a path"):
        preprocess.prepare("image", {"bytes": None, "path": None})


def test_cells_of_a_sound() -> None:
    sound = np.sin(np.arange(16_000) / 10).astype(np.float32)
    want = preprocess.audio(bindrt.Audio(sound, rate=16_000))
    for samples in (sound, sound.tolist()):
        cell = {"path": None, "array": samples, "sampling_rate": 16_000}
        assert (preprocess.prepare("audio", cell).array == want).all()
        assert (preprocess.audio(bindrt.Audio(cell)) == want).all()

    class Decoder:
        def get_all_samples(self) -> object:
            return type("Samples", (), {"data": sound[None], "sample_rate": 16_000})

    assert (preprocess.prepare("audio", Decoder()).array == want).all()


def test_datasets(png: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(decode=False), "text": datasets.Value("string")})
    rows = datasets.Dataset.from_dict({"image": [str(png)] * 2, "text": ["a", "b"]}, features=features)
    with bindrt.load("tiny", modalities=["image", "text"]) as model:
        e = model.embed(image=rows["image"], text=rows["text"])
        assert (e.image == model.embed(image=[png] * 2).image).all()
        assert (e.text == model.embed(text=["a", "b"]).text).all()
        with pytest.raises(InputError, match="is a table"):
            model.embed(image=rows)


def test_missing_values() -> None:
    for value in (None, float("nan"), pandas.NA, pa.scalar(None, pa.string())):
        with pytest.raises(InputError, match="the value is missing"):
            preprocess.prepare("image", value)


def test_scalars_of_pyarrow(png: Path) -> None:
    assert (preprocess.prepare("image", pa.scalar(str(png))).array == preprocess.image(png)).all()
    assert (preprocess.prepare("text", pa.scalar("a")).array == preprocess.text("a")[0]).all()


def test_paths_of_other_file_systems(png: Path, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(png, "cat.png")
    want = preprocess.image(png)
    for path in (zipfile.Path(tmp_path / "a.zip", "cat.png"), fsspec.open(str(png), "rb")):
        assert (preprocess.prepare("image", path).array == want).all()


class Tensor:
    """As TensorFlow's: it offers ``__array__``, but not DLPack."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return self._array


def test_arrays_of_other_libraries() -> None:
    torch = pytest.importorskip("torch")
    pixels = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    want = preprocess.image(pixels)
    for array in (torch.from_numpy(pixels), Tensor(pixels)):
        assert (preprocess.prepare("image", array).array == want).all()
    sound = np.sin(np.arange(16_000) / 10)
    want = preprocess.audio(bindrt.Audio(sound, rate=16_000))
    with_gradient = torch.tensor(sound, requires_grad=True)
    for samples in (sound.tolist(), with_gradient, Tensor(sound), pandas.Series(sound), polars.Series(sound)):
        assert (preprocess.audio(bindrt.Audio(samples, rate=16_000)) == want).all()
    with pytest.raises(InputError, match="not an array of numbers|not numbers"):  # noqa: RUF043
        preprocess.audio(bindrt.Audio([[1.0], [1.0, 2.0]], rate=16_000))


def test_labels_in_a_column() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    with bindrt.load("tiny", modalities=["image", "text"]) as model:
        want = model.classify(image=pixels, labels=["a bell", "a ball"])
        for labels in (pa.array(["a bell", "a ball"]), pandas.Series(["a bell", "a ball"])):
            np.testing.assert_array_equal(model.classify(image=pixels, labels=labels), want)
